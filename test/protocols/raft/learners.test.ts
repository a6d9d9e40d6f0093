/**
 * Goal: who does not vote, or votes no more, disturbs nothing and is not lost: learners, removed leaders, removed servers, by
 * the paper (§6; thesis §4.2) and by the faults that other implementations had (named by their numbers).
 * Method: as in membership.test.ts.
 */
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../../protocols/core/index.ts";
import { type Configuration, configurationOf } from "../../../protocols/raft/index.ts";
import {
	agree,
	answersOf,
	change,
	lastEntry,
	leader,
	members,
	reasonOf,
	set,
	withLearners,
} from "./changing-machine.ts";
import {
	a,
	accepted,
	append,
	b,
	bytes,
	c,
	command,
	d,
	e,
	five,
	index,
	LoneMachine,
	proposal,
	requestVote,
	snapshotAt,
	term,
	three,
	vote,
} from "./lone-machine.ts";

describe("thesis §4.2.1 learners and catching up", () => {
	it("a new server joins as non-voting member: it gets the log and is not counted", () => {
		const machine = leader();
		change(machine, set(three, [d, e]));
		const { lastIndex } = machine.status;
		expect(agree(machine, [d, e]).status.commitIndex).toBe(lastIndex - 1);
		expect(machine.receive(b, accepted(1, lastIndex)).status.commitIndex).toBe(lastIndex);
	});

	it("learners are not asked for votes, and theirs do not count", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: [members(1, configurationOf([a, b, c], [d, e]))] }));
		machine.electionTimeout().electionTimeout();
		expect([machine.sent(d), machine.sent(e)]).toEqual([[], []]);
		for (const peer of [d, e]) machine.receive(peer, vote(2, true, true));
		expect(machine.status.role).toBe("pre-candidate");
	});

	it("a leader that hears only learners steps down", () => {
		const machine = withLearners([d, e]);
		machine.electionTimeout();
		for (const peer of [d, e]) machine.receive(peer, accepted(1, machine.status.lastIndex));
		expect(machine.electionTimeout().status.role).toBe("follower");
	});

	it.each<[string, Configuration, NodeId]>([
		["a learner", configurationOf([b, c], [a]), a],
		["a server that is no member (yet)", configurationOf([b, c]), a],
	])("%s never campaigns, however long it hears nothing", (_what, configuration) => {
		const machine = new LoneMachine({ voters: [b, c], term: 1 });
		machine.receive(b, append({ term: term(1), entries: [members(1, configuration)], commit: index(1) }));
		for (let i = 0; i < 4; i++) {
			machine.electionTimeout();
			expect(machine.sent()).toEqual([]);
			expect(machine.timers("election")).toHaveLength(1);
		}
		expect(machine.status).toMatchObject({ role: "follower", term: 1, leader: null });
	});

	it("a server that believes to be a learner votes when it is asked (etcd#10998, campaign_learner_must_vote)", () => {
		const machine = new LoneMachine({ voters: [b, c], term: 1 });
		machine.receive(b, append({ term: term(1), entries: [members(1, configurationOf([b, c], [a]))] }));
		machine.electionTimeout().electionTimeout();
		expect(machine.receive(c, requestVote(2, 2, 1, true)).sentOnly(c, "vote").granted).toBe(true);
		expect(machine.receive(c, requestVote(2, 2, 1)).sentOnly(c, "vote").granted).toBe(true);
	});

	it("a candidate is voted for even if the voter does not know it (thesis §4.2.2)", () => {
		const machine = new LoneMachine({ term: 1 }).receive(e, requestVote(2, 0, 0));
		expect(machine.sentOnly(e, "vote").granted).toBe(true);
	});

	it("a learner is promoted when it lacks no more than catchUpLagEntries, and not before", () => {
		const machine = leader({ config: { catchUpLagEntries: 2 } });
		change(machine, { type: "add-learner", node: d });
		agree(machine, [b, c]);
		for (const text of ["x", "y"]) machine.request(proposal(text));
		machine.receive(d, accepted(1, 1));
		change(machine, { type: "promote", node: d });
		expect(machine.replies).toEqual([
			{ type: "refused", reason: "not-caught-up", node: d, lagEntries: 3, limitEntries: 2 },
		]);
		machine.receive(d, accepted(1, 2));
		change(machine, { type: "promote", node: d });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, c, d]));
	});

	it("one that has not answered at all is not caught up, however short the log", () => {
		const machine = leader();
		change(machine, { type: "add-learner", node: d });
		agree(machine, [b, c]);
		change(machine, { type: "promote", node: d });
		expect(reasonOf(machine.replies)).toBe("not-caught-up");
	});

	it("nor is one that has fallen silent", () => {
		const machine = withLearners([d]);
		for (let i = 0; i < 2; i++) {
			for (const peer of [b, c]) machine.receive(peer, accepted(1, machine.status.lastIndex));
			machine.electionTimeout();
		}
		change(machine, { type: "promote", node: d });
		expect(reasonOf(machine.replies)).toBe("not-caught-up");
	});

	it("a learner of an empty disk that is named voter at once does not stop commits: it is refused", () => {
		const machine = leader({ config: { catchUpLagEntries: 0 } });
		change(machine, set([a, b, c], [d]));
		agree(machine, [b, c]);
		change(machine, set([a, b, c, d]));
		expect(reasonOf(machine.replies)).toBe("not-caught-up");
		machine.request(proposal("x"));
		expect(agree(machine, [b]).status.commitIndex).toBe(machine.status.lastIndex);
	});

	it("promoting a learner keeps what the leader knows of it (openraft#584)", () => {
		const machine = withLearners([d]);
		change(machine, { type: "promote", node: d });
		const peer = machine.status.peers.find(({ node }) => node === d);
		expect(peer).toMatchObject({ mode: "replicate", match: 2, next: 4 });
	});

	it("a change of the voters leaves the other learners alone (openraft#1192)", () => {
		const machine = withLearners([d, e]);
		change(machine, { type: "set", voters: [a, b, c, d] });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, c, d], [e]));
		expect(machine.sentOnly(e, "append-entries").entries).toHaveLength(1);
	});

	it("a learner that comes back with an empty disk commits nothing that it has not (etcd#21178)", () => {
		const machine = new LoneMachine({ voters: [b, c] });
		machine.receive(b, append({ term: term(1), prevIndex: index(0), prevTerm: term(0), commit: index(9) }));
		expect(machine.status).toMatchObject({ commitIndex: 0, lastIndex: 0 });
		machine.receive(b, append({ term: term(1), prevIndex: index(9), prevTerm: term(1), commit: index(9) }));
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: false, hintIndex: 0 });
		expect(machine.status.commitIndex).toBe(0);
	});

	it("a learner that has its promotion in its log campaigns, committed or not (etcd#12359)", () => {
		const machine = new LoneMachine({ voters: [b, c], term: 1 });
		const entries = [configurationOf([b, c], [a]), configurationOf(three)].map((each) => members(1, each));
		machine.receive(b, append({ term: term(1), entries, commit: index(1) }));
		expect(machine.electionTimeout().electionTimeout().status.role).toBe("pre-candidate");
	});

	it("a learner that has lost its leader knows it again from the next heartbeat (scylladb#10379)", () => {
		const machine = new LoneMachine({ voters: [b, c], term: 1 });
		machine.receive(b, append({ term: term(1), entries: [members(1, configurationOf([b, c], [a]))] }));
		expect(machine.electionTimeout().electionTimeout().status.leader).toBeNull();
		machine.receive(b, append({ term: term(1), prevIndex: index(1), prevTerm: term(1) }));
		change(machine, { type: "promote", node: a });
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: b }]);
	});

	it("with promoteLearners one that needed no more than the snapshot is promoted too (ra#584)", () => {
		const config = { promoteLearners: true, snapshotEveryEntries: 1, retainedEntries: 0 };
		const machine = leader({ config });
		change(machine, { type: "add-learner", node: d });
		agree(machine, [b, c]);
		const snapshot = { ...snapshotAt(2, 1), configuration: configurationOf(three, [d]) };
		machine.step({ type: "snapshot-ready", snapshot });
		machine.receive(d, { ...accepted(1, 1), accepted: false });
		machine.receive(d, { type: "snapshot-response", term: term(1), lastIndex: index(2), nextOffset: 6, round: 0 });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, c, d]));
	});

	it("with promoteLearners they are promoted as soon as they have caught up, one after the other", () => {
		const machine = leader({ config: { promoteLearners: true } });
		change(machine, set(three, [d, e]));
		agree(machine, [b, c]);
		expect(machine.status.configuration).toEqual(configurationOf(three, [d, e]));
		machine.receive(e, accepted(1, 2));
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, c, e], [d]));
		agree(machine, [b, c]).receive(d, accepted(1, 3));
		expect(lastEntry(machine)).toEqual(configurationOf(five));
	});

	it("a learner gets the snapshot when what it needs is compacted", () => {
		const machine = leader({ config: { snapshotEveryEntries: 1, retainedEntries: 0 } });
		machine.step({ type: "snapshot-ready", snapshot: snapshotAt(1, 1) });
		change(machine, { type: "add-learner", node: d });
		agree(machine, [b]);
		machine.receive(d, { ...accepted(1, 1), accepted: false });
		expect(machine.effects).toContainEqual(expect.objectContaining({ type: "read" }));
	});
});

describe("§6 and thesis §4.2.2: a leader that is removed", () => {
	it("manages a cluster that does not include itself: it replicates log entries but does not count itself", () => {
		const machine = leader();
		change(machine, { type: "remove", node: a });
		machine.writesComplete().receive(b, accepted(1, 2));
		expect(machine.status).toMatchObject({ role: "leader", commitIndex: 1 });
		machine.receive(c, accepted(1, 2));
		expect(machine.status).toMatchObject({ role: "follower", commitIndex: 2, leader: null });
	});

	it("steps down when the new configuration is committed, is answered, and sends no more (etcd#11038, scylladb#10833)", () => {
		const machine = leader();
		const requestId = change(machine, { type: "remove", node: a });
		agree(machine, [b, c]);
		expect(answersOf(machine)).toEqual([requestId]);
		expect(machine.effects).toContainEqual({ type: "cancel-timer", timer: "heartbeat" });
		expect(machine.timers("election")).toHaveLength(1);
		expect(machine.heartbeat().sent()).toEqual([]);
		expect(machine.electionTimeout().electionTimeout().sent()).toEqual([]);
	});

	it("tells the others what is committed and asks the one that is furthest to take over", () => {
		const machine = leader();
		machine.request(proposal("x"));
		machine.receive(c, accepted(1, 2));
		change(machine, { type: "remove", node: a });
		machine.writesComplete().receive(b, accepted(1, 3)).receive(c, accepted(1, 3));
		expect(machine.sent(b).map(({ type }) => type)).toEqual(["append-entries", "timeout-now"]);
		expect(machine.sentOnly(c, "append-entries").commit).toBe(3);
	});

	it("does not step down while it is still an outgoing voter of a joint configuration", () => {
		const machine = withLearners([d]);
		change(machine, set([b, c, d]), "joint-explicit");
		expect(agree(machine, [b, c, d]).status).toMatchObject({ role: "leader", configurationCommitted: true });
		machine.request({ type: "leave-joint" });
		expect(agree(machine, [b, c, d]).status.role).toBe("follower");
	});

	it("does not count itself when it checks its quorum, or for a read", () => {
		const machine = leader();
		change(machine, { type: "remove", node: a });
		machine.request({ type: "read", query: bytes("?") });
		const { round } = machine.sentOnly(b, "append-entries");
		expect(machine.receive(b, accepted(1, 1, round)).deliveries).toEqual([]);
		expect(machine.receive(c, accepted(1, 1, round)).deliveries).toMatchObject([{ type: "query" }]);
		machine.electionTimeout();
		machine.receive(b, accepted(1, 1, round));
		expect(machine.electionTimeout().status.role).toBe("follower");
	});

	it("thesis §4.2.2: until the entry is committed it still starts elections, since it may be the only one that has it (etcd#10563)", () => {
		const durable = {
			hardState: { term: term(1), votedFor: a },
			snapshot: null,
			firstIndex: index(1),
			entries: [command(1), members(1, configurationOf([b]))],
		};
		const machine = new LoneMachine({ voters: [a, b], durable }).electionTimeout();
		expect(machine.status.role).toBe("pre-candidate");
		machine.receive(b, vote(2, true, true)).writesComplete();
		expect(machine.status.role).toBe("candidate");
		machine.receive(b, vote(2, true));
		expect(machine.status.role).toBe("leader");
		expect(machine.writesComplete().status).toMatchObject({ role: "leader", commitIndex: 0 });
		machine.receive(b, accepted(2, 3));
		expect(machine.status).toMatchObject({ role: "follower", commitIndex: 3 });
	});
});

describe("§6: removed servers do not disrupt the cluster", () => {
	it("a server that hears a leader ignores a removed one's campaign; its term stays", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: [members(1, configurationOf([a, b]))] }));
		expect(machine.receive(c, requestVote(9, 9, 9, true)).sent()).toEqual([]);
		expect(machine.receive(c, requestVote(9, 9, 9)).sent()).toEqual([]);
		expect(machine.status).toMatchObject({ term: 1, leader: b });
	});

	it("its acknowledgements count for nothing", () => {
		const machine = leader();
		change(machine, { type: "remove", node: c });
		expect(machine.writesComplete().receive(c, accepted(1, 2)).status.commitIndex).toBe(1);
	});

	it("its votes count for nothing", () => {
		const machine = new LoneMachine({ voters: five, term: 1 });
		machine.receive(b, append({ term: term(1), entries: [members(1, configurationOf(three))] }));
		machine.electionTimeout().electionTimeout();
		for (const peer of [d, e]) machine.receive(peer, vote(2, true, true));
		expect(machine.status.role).toBe("pre-candidate");
	});

	it("a removed member may come back, with what it had, and be promoted again", () => {
		const machine = withLearners([d]);
		change(machine, { type: "remove", node: d });
		agree(machine, [b, c]);
		change(machine, { type: "add-learner", node: d });
		agree(machine, [b, c]);
		machine.receive(d, accepted(1, machine.status.lastIndex));
		change(machine, { type: "promote", node: d });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, c, d]));
	});
});
