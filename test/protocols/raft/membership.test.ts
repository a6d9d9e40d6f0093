/**
 * Goal: membership changes follow the paper (extended version §6; thesis chapter 4), sentence by sentence, and do not have
 * the faults that other implementations had (named by their numbers).
 * Method: as in paper.test.ts: a lone machine plays one server, the test its peers and its disk.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import {
	configurationOf,
	type MembershipChange,
	RAFT_LEARNERS_MAX,
	RAFT_VOTERS_MAX,
} from "../../../protocols/raft/index.ts";
import {
	agree,
	answersOf,
	change,
	joint,
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

	it("a leader adopts no change before the one before is committed", () => {
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

describe("joint configurations make progress", () => {
	it("a joint configuration whose leader commits it in the batch of its last acknowledgement is left in that batch", () => {
		const machine = withLearners([d, e]);
		change(machine, set([a, d, e]));
		machine.writesComplete().receive(b, accepted(1, 3)).receive(d, accepted(1, 3));
		expect(machine.sentOnly(d, "append-entries").entries.map(({ kind }) => kind)).toEqual(["configuration"]);
	});

	it("it is left once, whatever is stepped before the leave is committed (etcd#12136)", () => {
		const machine = withLearners([d, e]);
		change(machine, set([a, d, e]));
		agree(machine, [b, d]).heartbeat().receive(e, accepted(1, 3)).writesComplete();
		change(machine, { type: "remove", node: e });
		expect(reasonOf(machine.replies)).toBe("change-in-progress");
		expect(machine.view.log.entries.filter(({ kind }) => kind === "configuration")).toHaveLength(3);
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
