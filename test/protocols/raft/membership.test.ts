/**
 * Goal: membership changes follow the paper (extended version §6; thesis chapter 4), sentence by sentence, and do not have
 * the faults that other implementations had (named by their numbers).
 * Method: as in paper.test.ts: a lone machine plays one server, the test its peers and its disk.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import {
	type Configuration,
	configurationOf,
	decodeConfiguration,
	type Entry,
	encodeConfiguration,
	type MembershipChange,
	type MembershipTransition,
	RAFT_LEARNERS_MAX,
	RAFT_VOTERS_MAX,
	type RaftReply,
} from "../../../protocols/raft/index.ts";
import {
	a,
	accepted,
	append,
	b,
	bytes,
	c,
	chunk,
	command,
	d,
	e,
	entriesOf,
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

/** A configuration as a log entry. */
function members(inTerm: number, configuration: Configuration): Entry {
	return { ...command(inTerm), kind: "configuration", data: encodeConfiguration(configuration) };
}
const joint = (voters: readonly NodeId[], outgoing: readonly NodeId[], autoLeave = true): Configuration => ({
	...configurationOf(voters),
	outgoing,
	autoLeave,
});

/** A leader of a, b and c whose first entry is committed. */
const leader = (options: ConstructorParameters<typeof LoneMachine>[0] = {}): LoneMachine =>
	new LoneMachine(options).becomeLeader().commitAll();

function change(
	machine: LoneMachine,
	wanted: MembershipChange,
	transition: MembershipTransition = "automatic",
): number {
	return machine.request({ type: "change-membership", change: wanted, transition });
}
const set = (voters: readonly NodeId[], learners: readonly NodeId[] = []): MembershipChange => ({
	type: "set",
	voters,
	learners,
});
/** The leader's disk and these peers have all of its log. */
function agree(machine: LoneMachine, peers: readonly NodeId[], disk = true): LoneMachine {
	if (disk) machine.writesComplete();
	for (const peer of peers) machine.receive(peer, accepted(machine.status.term, machine.status.lastIndex));
	return machine;
}
/** A leader of a, b and c with these learners, who have everything. */
function withLearners(
	learners: readonly NodeId[],
	options: ConstructorParameters<typeof LoneMachine>[0] = {},
): LoneMachine {
	const machine = leader(options);
	change(machine, set(machine.config.voters, learners));
	return agree(machine, [...machine.peers, ...learners]);
}
const reasonOf = ([reply]: readonly RaftReply[]): string | undefined =>
	reply?.type === "refused" ? reply.reason : reply?.type;
/** The configuration of the last entry of the log. */
function lastEntry(machine: LoneMachine): Configuration {
	const entry = machine.view.log.entries.at(-1) as Entry;
	expect(entry.kind).toBe("configuration");
	return decodeConfiguration(entry.data);
}
const answersOf = (machine: LoneMachine): (number | null)[] =>
	machine.deliveries.flatMap((delivery) => (delivery.type === "entries" ? (delivery.requestIds ?? []) : []));

describe("§6 configurations in the log", () => {
	it("a server always uses the latest configuration in its log, regardless of whether the entry is committed", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: [members(1, configurationOf([a, b, c, d]))] }));
		expect(machine.status).toMatchObject({ commitIndex: 0, configurationIndex: 1, configurationCommitted: false });
		machine.electionTimeout().electionTimeout();
		expect(machine.sent().map(({ type }) => type)).toEqual(Array(3).fill("request-vote"));
		expect(machine.sentOnly(d, "request-vote").preVote).toBe(true);
	});

	it("a leader uses it as soon as it appends it: new members get entries, removed ones none", () => {
		const machine = leader();
		change(machine, { type: "add-learner", node: d });
		expect(machine.sentOnly(d, "append-entries").entries.map(({ kind }) => kind)).toEqual(["configuration"]);
		agree(machine, [b, c]);
		change(machine, { type: "remove", node: c });
		expect(machine.sent(c)).toEqual([]);
		expect(machine.heartbeat().sent(c)).toEqual([]);
	});

	it("a configuration that is cut is in force no more: the one before is", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: [command(1), members(1, configurationOf([a, b]))] }));
		expect(machine.status.configuration).toEqual(configurationOf([a, b]));
		machine.receive(c, append({ term: term(2), prevIndex: index(1), prevTerm: term(1), entries: [command(2)] }));
		expect(machine.status).toMatchObject({ configuration: configurationOf(three), configurationIndex: 0 });
		expect(machine.events).toContainEqual({ type: "configuration-changed", index: 0, ...configurationOf(three) });
	});

	it("a restart finds the latest configuration in snapshot and log", () => {
		const durable = {
			hardState: { term: term(2), votedFor: null },
			snapshot: snapshotAt(2, 1, 6, [a, b]),
			firstIndex: index(3),
			entries: [command(2), members(2, configurationOf([a, b, e]))],
		};
		expect(new LoneMachine({ durable }).status).toMatchObject({
			configuration: configurationOf([a, b, e]),
			configurationIndex: 4,
			configurationCommitted: false,
		});
		expect(new LoneMachine({ durable: { ...durable, entries: [command(2)] } }).status).toMatchObject({
			configuration: configurationOf([a, b]),
			configurationIndex: 2,
			configurationCommitted: true,
		});
	});

	it("a restart does not take what the log retains from before the snapshot for newer than it", () => {
		const durable = {
			hardState: { term: term(1), votedFor: null },
			snapshot: snapshotAt(4, 1, 6, [a, b, d]),
			firstIndex: index(1),
			entries: [members(1, configurationOf([a])), members(1, configurationOf([a, b])), ...entriesOf([1, 1, 1])],
		};
		expect(new LoneMachine({ durable }).status).toMatchObject({ configuration: configurationOf([a, b, d]) });
	});

	it("§7: a snapshot holds the latest configuration as of its last index, not one of a later entry", () => {
		const machine = leader({ config: { snapshotEveryEntries: 3, retainedEntries: 0 } });
		change(machine, { type: "add-learner", node: d });
		machine.writesComplete().receive(b, accepted(1, 2));
		machine.step(
			{ type: "request", requestId: 8, request: proposal("x") },
			{
				type: "request",
				requestId: 9,
				request: { type: "change-membership", change: { type: "add-learner", node: e }, transition: "automatic" },
			},
		);
		machine.writesComplete().receive(b, accepted(1, 3));
		expect(machine.deliveries).toContainEqual({
			type: "take-snapshot",
			lastIndex: 3,
			lastTerm: 1,
			configuration: configurationOf(three, [d]),
		});
		expect(machine.status.configuration).toEqual(configurationOf(three, [d, e]));
	});

	it("an installed snapshot that keeps the log's tail keeps the tail's configuration", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(
			b,
			append({ term: term(1), entries: [command(1), command(1), members(1, configurationOf([a, b]))] }),
		);
		machine.receive(b, chunk(1, snapshotAt(2, 1, 6, three), 0, bytes("abcdef")));
		expect(machine.status).toMatchObject({
			lastIndex: 3,
			configuration: configurationOf([a, b]),
			configurationIndex: 3,
		});
	});

	it("an installed snapshot that replaces the log replaces its configuration", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: [command(1), members(1, configurationOf([a, b]))] }));
		machine.receive(c, chunk(2, snapshotAt(6, 2, 6, five), 0, bytes("abcdef")));
		expect(machine.status).toMatchObject({ configuration: configurationOf(five), configurationIndex: 6 });
	});

	it("observers hear when a configuration is in force, and when it is committed", () => {
		const machine = leader();
		change(machine, { type: "add-learner", node: d });
		const told = { index: 2, ...configurationOf(three, [d]) };
		expect(machine.events).toEqual([{ type: "configuration-changed", ...told }]);
		agree(machine, [b]);
		expect(machine.events).toContainEqual({ type: "configuration-committed", ...told });
	});
});

describe("§6 joint consensus", () => {
	it("a change of more than one voter goes to a joint configuration first, and to the new one when that is committed", () => {
		const machine = withLearners([d, e]);
		const requestId = change(machine, set([a, d, e]));
		expect(lastEntry(machine)).toEqual(joint([a, d, e], three));
		agree(machine, [b, d]);
		expect(lastEntry(machine)).toEqual(configurationOf([a, d, e]));
		expect(answersOf(machine)).not.toContain(requestId);
		expect(agree(machine, [d]).status.configurationCommitted).toBe(true);
		expect(answersOf(machine)).toEqual([requestId]);
	});

	it("agreement requires separate majorities from both the old and new configurations: for entries", () => {
		const machine = withLearners([d, e]);
		change(machine, set([a, d, e]));
		const { lastIndex } = machine.status;
		expect(agree(machine, [d, e]).status.commitIndex).toBe(lastIndex - 1);
		expect(machine.receive(b, accepted(1, lastIndex)).status.commitIndex).toBe(lastIndex);
		const other = withLearners([d, e]);
		change(other, set([a, d, e]));
		expect(agree(other, [b, c]).status.commitIndex).toBe(lastIndex - 1);
		expect(other.receive(e, accepted(1, lastIndex)).status.commitIndex).toBe(lastIndex);
	});

	it("agreement requires separate majorities from both the old and new configurations: for elections", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: [members(1, joint([a, d, e], three))] }));
		machine.electionTimeout().electionTimeout();
		for (const peer of [d, e]) machine.receive(peer, vote(2, true, true));
		expect(machine.status.role).toBe("pre-candidate");
		machine.receive(b, vote(2, true, true)).writesComplete();
		for (const peer of [d, e]) machine.receive(peer, vote(2, true));
		expect(machine.status.role).toBe("candidate");
		expect(machine.receive(c, vote(2, true)).status.role).toBe("leader");
	});

	it("and for reads, and for the check of the leader's quorum", () => {
		const machine = withLearners([d, e]);
		change(machine, set([a, d, e]), "joint-explicit");
		agree(machine, [b, c, d, e]);
		machine.request({ type: "read", query: bytes("?") });
		const { round } = machine.sentOnly(d, "append-entries");
		const { lastIndex } = machine.status;
		for (const peer of [d, e]) machine.receive(peer, accepted(1, lastIndex, round));
		expect(machine.deliveries).toEqual([]);
		expect(machine.receive(b, accepted(1, lastIndex, round)).deliveries).toMatchObject([{ type: "query" }]);
		machine.electionTimeout();
		for (const peer of [d, e]) machine.receive(peer, accepted(1, lastIndex, round));
		expect(machine.electionTimeout().status.role).toBe("follower");
	});

	it("log entries are replicated to all servers in both configurations, and any of them may lead", () => {
		const machine = withLearners([d, e]);
		change(machine, set([a, d, e]));
		for (const peer of [b, c, d, e]) expect(machine.sentOnly(peer, "append-entries").entries).toHaveLength(1);
		const other = new LoneMachine({ term: 1 });
		other.receive(b, append({ term: term(1), entries: [members(1, joint([b, d, e], three))] }));
		expect(other.electionTimeout().electionTimeout().status.role).toBe("pre-candidate");
	});

	it("a new leader finishes a joint configuration that it finds, after an entry of its own term", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: [members(1, joint([a, b, d], three))] }));
		machine.electionTimeout().electionTimeout();
		for (const peer of [b, c, d]) machine.receive(peer, vote(2, true, true));
		machine.writesComplete();
		for (const peer of [b, c, d]) machine.receive(peer, vote(2, true));
		machine.writesComplete();
		for (const peer of [b, d]) machine.receive(peer, accepted(2, 1));
		expect(machine.status).toMatchObject({ role: "leader", commitIndex: 0, lastIndex: 2 });
		for (const peer of [b, d]) machine.receive(peer, accepted(2, 2));
		expect(machine.status).toMatchObject({ commitIndex: 2, lastIndex: 3 });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, d]));
	});

	it("an explicit joint configuration stays until it is left, which is done once", () => {
		const machine = withLearners([d]);
		const requestId = change(machine, set([a, b, d]), "joint-explicit");
		agree(machine, [b, c, d]);
		expect(answersOf(machine)).toEqual([]);
		expect(
			machine.all.flatMap((f) => (f.type === "apply" && f.delivery.type === "entries" ? f.delivery.requestIds : [])),
		).toContain(requestId);
		expect(machine.status.configuration).toEqual(joint([a, b, d], three, false));
		change(machine, { type: "remove", node: d });
		expect(reasonOf(machine.replies)).toBe("joint");
		machine.request({ type: "leave-joint" });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, d]));
		machine.request({ type: "leave-joint" });
		expect(reasonOf(machine.replies)).toBe("change-in-progress");
		agree(machine, [b, d]).request({ type: "leave-joint" });
		expect(reasonOf(machine.replies)).toBe("not-joint");
	});

	it("a voter that becomes a learner votes until the joint configuration is left", () => {
		const machine = withLearners([d]);
		change(machine, set([a, d], [b, c]), "joint-explicit");
		const { lastIndex } = machine.status;
		expect(agree(machine, [d]).status.commitIndex).toBe(lastIndex - 1);
		expect(machine.receive(b, accepted(1, lastIndex)).status.commitIndex).toBe(lastIndex);
		machine.request({ type: "leave-joint" });
		expect(lastEntry(machine)).toEqual(configurationOf([a, d], [b, c]));
		expect(agree(machine, [d]).status.configurationCommitted).toBe(true);
	});

	it("who asked for a change hears that its end is unknown if the leader steps down before it", () => {
		const machine = withLearners([d, e]);
		const requestId = change(machine, set([a, d, e]));
		machine.receive(b, append({ term: term(2) }));
		expect(machine.effects).toContainEqual({
			type: "reply",
			requestId,
			reply: { type: "outcome-unknown", leader: b },
			release: "immediate",
		});
	});
});

describe("thesis §4.1 single-server changes", () => {
	it("one voter more or less is changed at once; the new quorum counts from the entry on", () => {
		const machine = withLearners([d]);
		change(machine, { type: "promote", node: d });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, c, d]));
		const { lastIndex } = machine.status;
		expect(agree(machine, [b]).status.commitIndex).toBe(lastIndex - 1);
		expect(machine.receive(d, accepted(1, lastIndex)).status.commitIndex).toBe(lastIndex);
	});

	it("a change of more is refused if it is to be a simple one", () => {
		const machine = withLearners([d, e]);
		change(machine, set([a, d, e]), "simple");
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-simple", differing: 4 }]);
	});

	it("one voter replaced by another is a change of two: it goes over a joint configuration", () => {
		const machine = withLearners([d]);
		change(machine, set([a, b, d]));
		expect(lastEntry(machine)).toEqual(joint([a, b, d], three));
	});

	it("a leader adopts no change before the one before is committed (etcd#12136)", () => {
		const machine = leader();
		change(machine, { type: "add-learner", node: d });
		change(machine, { type: "add-learner", node: e });
		expect(machine.replies).toEqual([{ type: "refused", reason: "change-in-progress", index: 2 }]);
		agree(machine, [b]);
		change(machine, { type: "add-learner", node: e });
		expect(machine.replies).toEqual([]);
	});

	it("a change that an earlier leader left uncommitted is in progress too", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: [members(1, configurationOf([a, b, c, d]))] }));
		machine.electionTimeout().electionTimeout();
		for (const peer of [b, c, d]) machine.receive(peer, vote(2, true, true));
		machine.writesComplete();
		for (const peer of [b, c, d]) machine.receive(peer, vote(2, true));
		change(machine, { type: "remove", node: d });
		expect(machine.replies).toEqual([{ type: "refused", reason: "change-in-progress", index: 1 }]);
	});

	it("Ongaro 2015 (raft-dev): a leader adopts no change before it has committed an entry of its own term", () => {
		const machine = new LoneMachine({ term: 3, log: [1, 3] }).becomeLeader();
		change(machine, { type: "remove", node: c });
		expect(machine.replies).toEqual([{ type: "refused", reason: "term-not-committed", term: 4 }]);
		machine.commitAll();
		change(machine, { type: "remove", node: c });
		expect(machine.replies).toEqual([]);
	});

	it("Ongaro 2015, his example: the change that the first leader left alone can not commit behind the second one's", () => {
		// S1 of {1,2,3,4} has appended "without 4" in term 1, alone. S2 leads term 2 by {2,3,4} and would append "without 3".
		const [s1, s2, s3, s4] = [nodeId("s1"), nodeId("s2"), nodeId("s3"), nodeId("s4")];
		const all = [s1, s2, s3, s4];
		const second = new LoneMachine({ voters: all, config: { nodeId: s2 }, term: 1, log: [1] }).becomeLeader();
		change(second, { type: "remove", node: s3 });
		expect(reasonOf(second.replies)).toBe("term-not-committed");
		// With its own entry committed by {2,3,4}, s1 with the shorter log is elected by none of its {1,2,3}.
		second.writesComplete().receive(s3, accepted(2, 2)).receive(s4, accepted(2, 2));
		expect(second.status.commitIndex).toBe(2);
		const third = new LoneMachine({ voters: all, config: { nodeId: s3 }, term: 2, log: [1, 2] });
		expect(third.receive(s1, requestVote(3, 2, 1)).sentOnly(s1, "vote").granted).toBe(false);
	});
});

describe("what a leader refuses", () => {
	it("to be asked at all, if it is none", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1) }));
		change(machine, { type: "remove", node: c });
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: b }]);
	});

	const names = (count: number): NodeId[] => Array.from({ length: count }, (_, i) => nodeId(`n${i}`));
	it.each<[string, MembershipChange, object]>([
		["nobody who votes", set([]), { reason: "no-voters" }],
		[
			"too many voters",
			set(names(RAFT_VOTERS_MAX + 1)),
			{ reason: "too-many-members", of: "voters", limit: RAFT_VOTERS_MAX },
		],
		[
			"too many learners",
			set(three, names(RAFT_LEARNERS_MAX + 1)),
			{ reason: "too-many-members", of: "learners", limit: RAFT_LEARNERS_MAX },
		],
		["a name that is none", set(three, ["no name" as NodeId]), { reason: "member-invalid", node: "no name" }],
		["a member named twice", set([a, a, b]), { reason: "member-repeated", node: a }],
		["a voter that is to be a learner too", set(three, [c]), { reason: "member-repeated", node: c }],
		["to remove who is no member", { type: "remove", node: e }, { reason: "member-unknown", node: e }],
		["to promote who is no member", { type: "promote", node: e }, { reason: "member-unknown", node: e }],
		["a voter who was no learner", set([a, b, c, e]), { reason: "member-unknown", node: e }],
		["to add a voter as learner", { type: "add-learner", node: b }, { reason: "unchanged" }],
		["to promote a voter", { type: "promote", node: b }, { reason: "unchanged" }],
		["what is so already", set([c, b, a]), { reason: "unchanged" }],
	])("%s", (_what, wanted, refusal) => {
		const machine = leader();
		change(machine, wanted);
		expect(machine.replies).toEqual([{ type: "refused", ...refusal }]);
		expect(machine.status.lastIndex).toBe(1);
	});

	it("and a leader under load still takes a change", () => {
		const machine = leader({ config: { maxPendingProposals: 1 } });
		machine.request(proposal("x"));
		machine.request(proposal("y"));
		expect(reasonOf(machine.replies)).toBe("too-many-pending");
		change(machine, { type: "add-learner", node: d });
		expect(machine.replies).toEqual([]);
	});
});

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

	it("a learner of an empty disk that is named voter at once does not stop commits (etcd#21178): it is refused", () => {
		const machine = leader({ config: { catchUpLagEntries: 0 } });
		change(machine, set([a, b, c], [d]));
		agree(machine, [b, c]);
		change(machine, set([a, b, c, d]));
		expect(reasonOf(machine.replies)).toBe("not-caught-up");
		machine.request(proposal("x"));
		expect(agree(machine, [b]).status.commitIndex).toBe(machine.status.lastIndex);
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

	it("steps down when the new configuration is committed, is answered, and sends no more (etcd#11038)", () => {
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

	it("thesis §4.2.2: until the entry is committed it still starts elections, since it may be the only one that has it", () => {
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

	it("a removed learner's promotion elsewhere does not matter: it comes back with what it had (scylladb#10618)", () => {
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

describe("joint configurations make progress (etcd#12359, etcd#12435)", () => {
	it("a joint configuration whose leader commits it in the batch of its last acknowledgement is left in that batch", () => {
		const machine = withLearners([d, e]);
		change(machine, set([a, d, e]));
		machine.writesComplete().receive(b, accepted(1, 3)).receive(d, accepted(1, 3));
		expect(machine.sentOnly(d, "append-entries").entries.map(({ kind }) => kind)).toEqual(["configuration"]);
	});

	it("and one that was left waiting by a transfer is left when the transfer is given up", () => {
		const machine = withLearners([d, e]);
		change(machine, set([a, d, e]));
		machine.request({ type: "transfer-leadership", to: d });
		agree(machine, [b, d]);
		expect(machine.status).toMatchObject({ lastIndex: 3, configurationCommitted: true });
		machine.step({ type: "timer", timer: "transfer" });
		expect(lastEntry(machine)).toEqual(configurationOf([a, d, e]));
	});
});
