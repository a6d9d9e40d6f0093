/**
 * Goal: every rule of the Raft paper (extended version; § and Figure), and of the thesis (thesis §) for what is built from
 * it, holds for the machine, sentence by sentence.
 * Method: one test per sentence, named by it. A lone machine plays one server and the test plays its peers and its
 * disk, so that each rule is seen in the effects and in the state, not in the outcome of a group.
 */
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../protocols/core/index.ts";
import { configurationOf, type RaftDurable, type RaftMessage } from "../../../protocols/raft/index.ts";
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
	refused,
	requestVote,
	snapshotAt,
	term,
	three,
	vote,
} from "./lone-machine.ts";

/** A candidate of `term + 1` whose own vote is durable. */
function candidate(options: ConstructorParameters<typeof LoneMachine>[0]): LoneMachine {
	const machine = new LoneMachine(options).electionTimeout();
	for (const peer of machine.peers) machine.receive(peer, vote(machine.status.term + 1, true, true));
	expect(machine.status.role).toBe("candidate");
	return machine.writesComplete();
}
const leader = (options: ConstructorParameters<typeof LoneMachine>[0] = {}): LoneMachine =>
	new LoneMachine(options).becomeLeader();

describe("§5.1 terms", () => {
	const later: [string, RaftMessage][] = [
		["request-vote", requestVote(9, 0, 0)],
		["vote", vote(9, false)],
		["append-entries", append({ term: term(9) })],
		["append-response", accepted(9, 0)],
		["install-snapshot", chunk(9, snapshotAt(5, 3), 0, bytes("abc"))],
	];
	it.each(later)("a server that sees a later term in a %s takes it up", (_type, message) => {
		const machine = new LoneMachine({ term: 2 }).receive(b, message);
		expect(machine.status.term).toBe(9);
		expect(machine.writes[0]?.hardState?.term).toBe(9);
	});

	it.each(later.filter(([type]) => type !== "request-vote"))(
		"a leader that sees a later term in a %s reverts to follower at once",
		(_type, message) => {
			const machine = leader().receive(b, message);
			expect(machine.status).toMatchObject({ role: "follower", term: 9 });
		},
	);

	it("a candidate that sees a later term reverts to follower at once", () => {
		const machine = candidate({ term: 1 }).receive(b, requestVote(9, 0, 0));
		expect(machine.status).toMatchObject({ role: "follower", term: 9 });
	});

	it.each([
		["request-vote", requestVote(1, 9, 9), "vote"],
		["append-entries", append({ term: term(1), round: 7, entries: entriesOf([1]) }), "append-response"],
		["install-snapshot", chunk(1, snapshotAt(5, 1), 0, bytes("abcdef")), "snapshot-response"],
	] as const)("a %s with a stale term is rejected, with the later term", (_type, message, answer) => {
		const machine = new LoneMachine({ term: 3 }).receive(b, message);
		// Not the round: who led that term may lead again, and its later reads would be confirmed by an answer that is older.
		expect(machine.sentOnly(b, answer)).toMatchObject(answer === "vote" ? { term: 3 } : { term: 3, round: 0 });
		expect(machine.logTerms).toEqual([]);
		expect(machine.status).toMatchObject({ term: 3, leader: null, commitIndex: 0 });
	});

	it("an answer of a stale term is ignored", () => {
		const machine = leader({ term: 4, log: [1] });
		machine.receive(b, accepted(4, 2)).receive(c, accepted(4, 2));
		expect(machine.status.commitIndex).toBe(0);
		expect(machine.effects).toEqual([]);
	});

	it("Figure 2: the term is durable before an answer that names it leaves", () => {
		const machine = new LoneMachine({ term: 2 }).receive(b, append({ term: term(5) }));
		expect(machine.writes[0]?.hardState).toEqual({ term: 5, votedFor: null });
		expect(machine.isHeld("append-response")).toBe(true);
	});
});

describe("§5.2 leader election", () => {
	it("when servers start up, they begin as followers", () => {
		const machine = new LoneMachine({ term: 3, log: [1, 2] });
		expect(machine.status).toMatchObject({ role: "follower", leader: null, term: 3, lastIndex: 2, commitIndex: 0 });
		expect(machine.sent()).toEqual([]);
	});

	it("election timeouts are chosen from a fixed interval, by the host's dice", () => {
		const machine = new LoneMachine({ config: { electionTimeoutMs: { min: 110, max: 190 } } });
		expect(machine.timers("election")).toEqual([{ min: 110, max: 190 }]);
	});

	it("a server remains a follower as long as it hears a leader: each batch of its messages sets the timer again", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1) }));
		expect(machine.timers("election")).toEqual([{ min: 150, max: 150 }]);
		expect(machine.electionTimeout().status.role).toBe("follower");
		expect(machine.timers("election")).toEqual([{ min: 0, max: 150 }]);
		expect(machine.receive(b, append({ term: term(1) })).electionTimeout().status.role).toBe("follower");
	});

	it("a timeout in the same batch as the leader's message starts no election", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.step(
			{ type: "message", from: b, message: append({ term: term(1) }) },
			{ type: "timer", timer: "election" },
			{ type: "timer", timer: "election" },
		);
		expect(machine.status.role).toBe("follower");
		expect(machine.timers("election")).toEqual([{ min: 150, max: 150 }]);
	});

	it("a follower that hears nothing over an election timeout begins an election", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1) }));
		machine.electionTimeout().electionTimeout();
		expect(machine.status).toMatchObject({ role: "pre-candidate", leader: null });
		expect(machine.sentOnly(b, "request-vote").preVote).toBe(true);
	});

	it("to begin an election, a follower increments its term, becomes candidate, votes for itself and asks all others", () => {
		const machine = new LoneMachine({ voters: five, term: 4, log: [1, 4] }).electionTimeout();
		machine.receive(b, vote(5, true, true)).receive(c, vote(5, true, true));
		expect(machine.status).toMatchObject({ role: "candidate", term: 5 });
		expect(machine.writes).toEqual([{ hardState: { term: 5, votedFor: a } }]);
		for (const peer of machine.peers) expect(machine.sentOnly(peer, "request-vote")).toEqual(requestVote(5, 2, 4));
		expect(machine.isHeld("request-vote")).toBe(true);
	});

	it("each candidate restarts its randomized election timeout at the start of an election", () => {
		const machine = new LoneMachine({}).electionTimeout().receive(b, vote(1, true, true));
		expect(machine.timers("election")).toEqual([{ min: 150, max: 300 }]);
	});

	it.each([
		[three, [true], "leader"],
		[three, [], "candidate"],
		[three, [false, false], "follower"],
		[five, [true, true], "leader"],
		[five, [true], "candidate"],
		[five, [true, false, false], "candidate"],
		[five, [true, false, false, true], "leader"],
		[five, [false, false, false], "follower"],
	] as const)("a candidate wins with votes of a majority of the full cluster (%j, %j: %s)", (voters, votes, role) => {
		const machine = candidate({ voters, term: 1 });
		votes.forEach((granted, i) => {
			machine.receive(machine.peers[i] as typeof b, vote(2, granted));
		});
		expect(machine.status).toMatchObject({ role, term: 2 });
	});

	it("votes count once each, whatever the network repeats", () => {
		const machine = candidate({ voters: five });
		machine.receive(b, vote(1, true)).receive(b, vote(1, true)).receive(b, vote(1, true));
		expect(machine.status.role).toBe("candidate");
	});

	it("votes count for the same term only", () => {
		const machine = candidate({ term: 1 }).electionTimeout();
		for (const peer of machine.peers) machine.receive(peer, vote(3, true, true));
		expect(machine.writesComplete().receive(b, vote(2, true)).status).toMatchObject({ role: "candidate", term: 3 });
	});

	it("one's own vote counts when it is durable: a single server leads after its write, not before (openraft 86e2ccd0)", () => {
		const machine = new LoneMachine({ voters: [a] }).electionTimeout();
		expect(machine.status).toMatchObject({ role: "candidate", term: 1 });
		expect(machine.writesComplete().status.role).toBe("leader");
	});

	it("each server votes for at most one candidate in a term, first come first served (camunda#1068, canonical/raft#386)", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, requestVote(2, 0, 0));
		expect(machine.sentOnly(b, "vote")).toEqual(vote(2, true));
		expect(machine.receive(c, requestVote(2, 0, 0)).sentOnly(c, "vote")).toEqual(vote(2, false));
		expect(machine.receive(b, requestVote(2, 0, 0)).sentOnly(b, "vote")).toEqual(vote(2, true));
	});

	it("Figure 2: a vote is durable before it is given, and remembered after a restart", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, requestVote(2, 0, 0));
		expect(machine.writes).toEqual([{ hardState: { term: 2, votedFor: b } }]);
		expect(machine.isHeld("vote")).toBe(true);
		const again = new LoneMachine({ term: 2, votedFor: b }).receive(c, requestVote(2, 0, 0));
		expect(again.sentOnly(c, "vote").granted).toBe(false);
	});

	it("a vote in a term that the server knew before is durable too", () => {
		const machine = new LoneMachine({ term: 2 }).receive(b, requestVote(2, 0, 0));
		expect(machine.sentOnly(b, "vote").granted).toBe(true);
		expect(machine.writes).toEqual([{ hardState: { term: 2, votedFor: b } }]);
	});

	it("Figure 2: granting a vote sets the election timer again", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, requestVote(2, 0, 0));
		expect(machine.timers("election")).toEqual([{ min: 150, max: 300 }]);
		expect(machine.receive(c, requestVote(2, 0, 0)).timers("election")).toEqual([]);
	});

	it("a new leader sends append-entries to all others at once, and heartbeats from then on", () => {
		const machine = candidate({ voters: five }).receive(b, vote(1, true)).receive(c, vote(1, true));
		expect(machine.status).toMatchObject({ role: "leader", leader: a });
		for (const peer of machine.peers) expect(machine.sentOnly(peer, "append-entries").term).toBe(1);
		expect(machine.timers("heartbeat")).toEqual([{ min: 50, max: 50 }]);
		machine.heartbeat();
		for (const peer of machine.peers) expect(machine.sentOnly(peer, "append-entries").entries).toEqual([]);
		expect(machine.timers("heartbeat")).toEqual([{ min: 50, max: 50 }]);
	});

	it("a candidate that hears a leader of its own term returns to follower", () => {
		const machine = candidate({ term: 1 }).receive(b, append({ term: term(2) }));
		expect(machine.status).toMatchObject({ role: "follower", term: 2, leader: b });
	});

	it("a candidate that hears a leader of an earlier term rejects it and continues", () => {
		const machine = candidate({ term: 1 }).receive(b, append({ term: term(1) }));
		expect(machine.status).toMatchObject({ role: "candidate", term: 2 });
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: false, term: 2 });
	});

	it("if nobody wins, the candidate times out and starts over with the next term", () => {
		const machine = candidate({ voters: five, term: 1 }).receive(b, vote(2, true)).electionTimeout();
		expect(machine.status).toMatchObject({ role: "pre-candidate", term: 2 });
		machine.receive(b, vote(3, true, true)).receive(c, vote(3, true, true));
		expect(machine.status).toMatchObject({ role: "candidate", term: 3 });
	});

	it("election safety: a second leader in one term is a broken invariant, never followed (NuRaft#531)", () => {
		expect(() => leader().receive(b, append({ term: term(1) }))).toThrow(AssertionError);
		const follower = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1) }));
		expect(() => follower.receive(c, append({ term: term(1) }))).toThrow(AssertionError);
	});
});

describe("§5.3 log replication", () => {
	it("the leader appends the command to its log and sends it to all others in parallel", () => {
		const machine = leader().commitAll();
		machine.request(proposal("x"));
		expect(machine.logTerms).toEqual([1, 1]);
		for (const peer of machine.peers) {
			expect(machine.sentOnly(peer, "append-entries")).toMatchObject({ prevIndex: 1, prevTerm: 1, commit: 1 });
			expect(machine.sentOnly(peer, "append-entries").entries.map((entry) => entry.data)).toEqual([bytes("x")]);
		}
	});

	it.each([
		[three, [], 0],
		[three, [b], 1],
		[five, [b], 0],
		[five, [b, c], 1],
		[five, [d, e], 1],
	] as const)("an entry is committed once a majority has it (%j with answers of %j: %i)", (voters, answers, commit) => {
		const machine = leader({ voters }).writesComplete();
		for (const peer of answers) machine.receive(peer, accepted(1, 1));
		expect(machine.status.commitIndex).toBe(commit);
	});

	it("the leader counts itself only when its own disk has the entry", () => {
		const machine = leader().receive(b, accepted(1, 1));
		expect(machine.status.commitIndex).toBe(0);
		expect(machine.writesComplete().status.commitIndex).toBe(1);
	});

	it("thesis §10.2.1: the leader writes in parallel, and may commit before its own disk is done", () => {
		const machine = candidate({}).receive(b, vote(1, true));
		expect(machine.isHeld("append-entries")).toBe(false);
		machine.receive(b, accepted(1, 1)).receive(c, accepted(1, 1));
		expect(machine.status.commitIndex).toBe(1);
	});

	it("a single server commits as soon as its own write is done", () => {
		const machine = new LoneMachine({ voters: [a] }).electionTimeout().writesComplete().writesComplete();
		expect(machine.status).toMatchObject({ role: "leader", commitIndex: 1 });
		machine.request(proposal("x"));
		expect(machine.status.commitIndex).toBe(1);
		expect(machine.writesComplete().deliveries).toMatchObject([{ type: "entries", firstIndex: 2 }]);
	});

	it("committing commits all preceding entries, those of earlier leaders included", () => {
		const machine = leader({ term: 2, log: [1, 2, 2] })
			.writesComplete()
			.receive(b, accepted(3, 4));
		expect(machine.deliveries).toMatchObject([{ type: "entries", firstIndex: 1 }]);
		expect(machine.status).toMatchObject({ commitIndex: 4, deliveredIndex: 4 });
	});

	it("the leader tells the highest committed index in later append-entries, heartbeats included", () => {
		const machine = leader().commitAll().heartbeat();
		expect(machine.sentOnly(b, "append-entries").commit).toBe(1);
	});

	it("a follower that learns that an entry is committed applies it, in log order", () => {
		const machine = new LoneMachine({ term: 1, log: [1, 1, 1] });
		machine.receive(b, append({ term: term(1), prevIndex: index(3), prevTerm: term(1), commit: index(2) }));
		expect(machine.deliveries).toMatchObject([{ type: "entries", firstIndex: 1, requestIds: null }]);
		machine.receive(b, append({ term: term(1), prevIndex: index(3), prevTerm: term(1), commit: index(3) }));
		expect(machine.deliveries).toMatchObject([{ type: "entries", firstIndex: 3 }]);
	});

	it("Figure 2, rule 5: a follower commits no further than the last entry that the append confirmed", () => {
		const machine = new LoneMachine({ term: 2, log: [1, 1, 1] });
		machine.receive(b, append({ term: term(2), prevIndex: index(1), prevTerm: term(1), commit: index(3) }));
		expect(machine.status.commitIndex).toBe(1);
	});

	it.each([
		["no entry there", [1], 2, 1],
		["an entry of another term there", [1, 1], 2, 2],
	])("Figure 2, rule 2: a follower with %s refuses the append", (_what, log, prevIndex, prevTerm) => {
		const machine = new LoneMachine({ term: 2, log });
		const entries = entriesOf([2]);
		machine.receive(b, append({ term: term(2), prevIndex: index(prevIndex), prevTerm: term(prevTerm), entries }));
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: false, index: prevIndex });
		expect(machine.logTerms).toEqual(log);
	});

	it("Figure 2, rule 3: a conflicting entry and all that follow it are deleted, on the disk too", () => {
		const machine = new LoneMachine({ term: 2, log: [1, 1, 1, 1] });
		machine.receive(b, append({ term: term(2), prevIndex: index(1), prevTerm: term(1), entries: [command(2, "new")] }));
		expect(machine.logTerms).toEqual([1, 2]);
		expect(machine.writes).toMatchObject([{ truncateFrom: 2, append: { firstIndex: 2 } }]);
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 2 });
	});

	it("Figure 2, rule 3: an append that brings nothing new deletes nothing (openraft 9540c904)", () => {
		const machine = new LoneMachine({ term: 1, log: [1, 1, 1] });
		machine.receive(b, append({ term: term(1), entries: entriesOf([1]) }));
		expect(machine.logTerms).toEqual([1, 1, 1]);
		expect(machine.writes).toEqual([]);
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 1 });
	});

	it("Figure 2, rule 4: only entries that are not in the log are appended", () => {
		const machine = new LoneMachine({ term: 1, log: [1, 1] });
		machine.receive(b, append({ term: term(1), entries: entriesOf([1, 1, 1]) }));
		expect(machine.logTerms).toEqual([1, 1, 1]);
		expect(machine.writes).toMatchObject([{ append: { firstIndex: 3 } }]);
		expect(machine.writes[0]).not.toHaveProperty("truncateFrom");
	});

	it("entries are durable before the append that brought them is acknowledged", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1), entries: entriesOf([1]) }));
		const kinds = machine.effects.map((effect) => effect.type);
		expect(kinds.indexOf("persist")).toBeLessThan(kinds.indexOf("send"));
		expect(machine.isHeld("append-response")).toBe(true);
	});

	it("an acknowledgement of what a later append of the same batch cut never leaves", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.step(
			{ type: "message", from: b, message: append({ term: term(1), entries: entriesOf([1, 1, 1]) }) },
			{ type: "message", from: c, message: append({ term: term(2), entries: [command(2, "other")] }) },
		);
		expect(machine.sent(b)).toEqual([]);
		expect(machine.sentOnly(c, "append-response")).toMatchObject({ accepted: true, index: 1, term: 2 });
	});

	it("a write that was under way when its entries were replaced does not make their successors count as durable (rabbitmq-server#16688)", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: entriesOf([1, 1, 1]) }));
		machine.receive(c, append({ term: term(2), entries: entriesOf([2, 2, 2]) }));
		expect(machine.step({ type: "write-completed", writeId: 1 }).view.log.durableThrough).toBe(0);
		expect(machine.step({ type: "write-completed", writeId: 2 }).view.log.durableThrough).toBe(3);
	});

	it("entries that are replaced are no longer durable until their successors are", () => {
		const machine = new LoneMachine({ term: 1, log: [1, 1, 1] });
		machine.receive(c, append({ term: term(2), prevIndex: index(1), prevTerm: term(1), entries: [command(2)] }));
		expect(machine.view.log.durableThrough).toBe(1);
		expect(machine.writesComplete().view.log.durableThrough).toBe(2);
	});

	// Figure 7: the leader of term 8 and six followers whose logs differ in every way that is possible.
	const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
	it.each([
		["a", [1, 1, 1, 4, 4, 5, 5, 6, 6]],
		["b", [1, 1, 1, 4]],
		["c", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
		["d", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
		["e", [1, 1, 1, 4, 4, 4, 4]],
		["f", [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
	])("the leader brings follower (%s) of Figure 7 to its own log, with at most three appends", (_name, log) => {
		const machine = candidate({ term: 7, log: leaderLog }).receive(b, vote(8, true));
		const follower = new LoneMachine({ term: 7, log, config: { nodeId: b } });
		const at = (peer: LoneMachine): LoneMachine => peer;
		let appends = 0;
		for (let messages = machine.sent(b); messages.length > 0; ) {
			for (const message of messages) {
				if (message.type === "append-entries") appends++;
				at(follower).receive(a, message);
			}
			for (const answer of follower.sent(a)) machine.receive(b, answer);
			messages = machine.sent(b);
		}
		expect(follower.logTerms).toEqual([...leaderLog, 8]);
		expect(appends).toBeLessThanOrEqual(3);
	});

	it("a refusal skips all entries of the conflicting term at once", () => {
		const machine = new LoneMachine({ term: 4, log: [1, 1, 2, 2, 2, 3, 3, 3, 3] });
		machine.receive(b, append({ term: term(4), prevIndex: index(9), prevTerm: term(1) }));
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: false, hintIndex: 2, hintTerm: 1 });
	});

	it("a leader skips its own entries of terms that the follower's hint rules out", () => {
		const machine = leader({ term: 5, log: [1, 3, 3, 3, 5] }).receive(b, refused(6, 5, 4, 2));
		expect(machine.sentOnly(b, "append-entries")).toMatchObject({ prevIndex: 1, prevTerm: 1 });
	});

	it("after a refusal the leader retries from the hinted index, with what follows it", () => {
		const machine = leader({ term: 5, log: [1, 1, 1, 1, 5] }).receive(b, refused(6, 5, 2, 1));
		const message = machine.sentOnly(b, "append-entries");
		expect(message).toMatchObject({ prevIndex: 2, prevTerm: 1 });
		expect(message.entries.map((entry) => entry.term)).toEqual([1, 1, 5, 6]);
	});

	it("a refusal that comes late or twice moves nothing back", () => {
		const machine = leader({ term: 5, log: [1, 1, 1, 1, 5] }).receive(b, accepted(6, 6));
		expect(machine.receive(b, refused(6, 5, 2, 1)).sent(b)).toEqual([]);
		expect(machine.heartbeat().sentOnly(b, "append-entries").prevIndex).toBe(6);
	});

	it("if followers are slow or packets lost, the leader retries for ever: each heartbeat asks again", () => {
		const machine = leader({ config: { maxInflightAppends: 2 } }).commitAll();
		machine.request(proposal("lost"));
		expect(machine.heartbeat().sentOnly(b, "append-entries")).toMatchObject({ prevIndex: 2, entries: [] });
		machine.receive(b, refused(1, 2, 1, 1));
		expect(machine.sentOnly(b, "append-entries").entries.map((entry) => entry.data)).toEqual([bytes("lost")]);
	});

	it("a leader never overwrites or deletes entries in its log", () => {
		const machine = leader({ term: 2, log: [1, 2] });
		machine
			.receive(b, refused(3, 2, 0, 0))
			.receive(c, requestVote(4, 9, 9))
			.heartbeat();
		expect(machine.logTerms).toEqual([1, 2, 3]);
	});

	it("a committed entry that a leader contradicts is a broken invariant, never cut", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: entriesOf([1, 1]), commit: index(1) }));
		machine.receive(b, append({ term: term(2), entries: entriesOf([2, 2, 2]) }));
		expect(machine.logTerms.slice(0, 1)).toEqual([1]);
		const other = new LoneMachine({ term: 1, log: [1, 1] });
		other.receive(b, append({ term: term(1), prevIndex: index(2), prevTerm: term(1), commit: index(2) }));
		const contradiction = { prevIndex: index(2), prevTerm: term(1), entries: entriesOf([1, 1]) };
		expect(other.receive(b, append({ term: term(1), ...contradiction })).status.lastIndex).toBe(4);
	});
});

describe("§5.3 flow: pipelining within bounds", () => {
	it("appends leave ahead of their answers, at most maxInflightAppends of them, and gather behind that", () => {
		const machine = leader({ config: { maxInflightAppends: 2 } }).commitAll();
		machine.request(proposal("1"));
		expect(machine.sentOnly(b, "append-entries").entries).toHaveLength(1);
		machine.request(proposal("2"));
		expect(machine.sentOnly(b, "append-entries").entries).toHaveLength(1);
		machine.request(proposal("3"));
		machine.request(proposal("4"));
		expect(machine.sent(b)).toEqual([]);
		machine.receive(b, accepted(1, 2));
		expect(machine.sentOnly(b, "append-entries").entries.map((entry) => entry.data)).toEqual([bytes("3"), bytes("4")]);
	});

	it("a full window whose answers were lost opens with the answer to a heartbeat (etcd#14633)", () => {
		const machine = leader({ config: { maxInflightAppends: 1 } }).commitAll();
		machine.request(proposal("1"));
		machine.request(proposal("2"));
		expect(machine.sent(b)).toEqual([]);
		expect(machine.heartbeat().sentOnly(b, "append-entries").prevIndex).toBe(2);
		expect(machine.receive(b, accepted(1, 2)).sentOnly(b, "append-entries").prevIndex).toBe(2);
		expect(machine.sentOnly(b, "append-entries").entries).toHaveLength(1);
	});

	it("an append holds at most maxEntriesPerAppend entries and maxBytesPerAppend bytes, and at least one entry (logcabin#160)", () => {
		const config = { maxEntriesPerAppend: 2, maxBytesPerAppend: 1024, maxEntryBytes: 900 };
		const machine = leader({ config }).commitAll();
		const sizes = [100, 100, 100, 900, 900, 100];
		const requests = sizes.map((size, i) => ({
			type: "request" as const,
			requestId: 100 + i,
			request: { ...proposal(""), data: new Uint8Array(size) } as ReturnType<typeof proposal>,
		}));
		machine.step(...requests);
		const batches = machine.sent(b).map((message) => (message.type === "append-entries" ? message.entries.length : 0));
		expect(batches).toEqual([2, 1, 1, 1]);
	});

	it("all proposals of a batch leave in one persist and one append-entries per peer, the same object for all", () => {
		const machine = leader().commitAll();
		machine.step(...[1, 2, 3].map((i) => ({ type: "request" as const, requestId: i, request: proposal(`${i}`) })));
		expect(machine.writes).toHaveLength(1);
		expect(machine.sentOnly(b, "append-entries").entries).toHaveLength(3);
		expect(machine.sentOnly(b, "append-entries")).toBe(machine.sentOnly(c, "append-entries"));
		expect(machine.step().effects).toEqual([]);
	});

	it("new entries gather while maxInflightWrites persists are under way", () => {
		const machine = leader({ config: { maxInflightWrites: 2 } }).commitAll();
		const written = ["1", "2", "3", "4"].map((text) => {
			machine.request(proposal(text));
			return machine.writes.length;
		});
		expect(written).toEqual([1, 1, 0, 0]);
		expect(machine.writesComplete().writes).toMatchObject([{ append: { firstIndex: 4 } }]);
	});

	it("a peer that can not be reached is probed, not sent ahead to, until it answers", () => {
		const machine = leader().commitAll();
		machine.step({ type: "peer-unreachable", peer: b });
		machine.request(proposal("1"));
		expect(machine.sentOnly(b, "append-entries").entries).toHaveLength(1);
		machine.request(proposal("2"));
		expect(machine.sent(b)).toEqual([]);
		expect(machine.receive(b, accepted(1, 2)).sentOnly(b, "append-entries").prevIndex).toBe(2);
	});
});

describe("§5.4 safety", () => {
	it.each([
		["a later last term", [1, 2], [1, 3], true],
		["an earlier last term, though longer", [1, 3], [1, 2, 2], false],
		["the same last term, same length", [1, 2], [1, 2], true],
		["the same last term, longer", [1, 2], [1, 2, 2], true],
		["the same last term, shorter", [1, 2, 2], [1, 2], false],
		["an empty log against an empty one", [], [], true],
		["an empty log against entries", [1], [], false],
	] as const)("§5.4.1: a voter judges a candidate with %s by its log", (_what, own, theirs, granted) => {
		for (const preVote of [false, true]) {
			const machine = new LoneMachine({ term: 3, log: [...own] });
			machine.receive(b, requestVote(4, theirs.length, theirs.at(-1) ?? 0, preVote));
			expect(machine.sentOnly(b, "vote").granted).toBe(granted);
		}
	});

	it("§5.4.2, Figure 8: entries of earlier terms are never committed by counting replicas (logcabin#44)", () => {
		const machine = leader({ voters: five, term: 3, log: [1, 2] }).writesComplete();
		machine.receive(b, accepted(4, 2)).receive(c, accepted(4, 2)).receive(d, accepted(4, 2));
		expect(machine.status.commitIndex).toBe(0);
		machine.receive(b, accepted(4, 3)).receive(c, accepted(4, 3));
		expect(machine.status.commitIndex).toBe(3);
	});

	it("§5.4.3: an append from behind the commit index is answered with what is committed", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: entriesOf([1, 1, 1]), commit: index(3) }));
		machine.receive(b, append({ term: term(1), entries: entriesOf([1]) }));
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 3 });
	});

	it("§5.5: Raft's requests are idempotent; a repeated append changes nothing", () => {
		const message = append({ term: term(1), entries: entriesOf([1, 1]), commit: index(1) });
		const machine = new LoneMachine({ term: 1 }).receive(b, message).writesComplete();
		const before = machine.logTerms;
		machine.receive(b, message);
		expect([machine.logTerms, machine.writes, machine.deliveries]).toEqual([before, [], []]);
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 2 });
	});
});

describe("§7 log compaction", () => {
	const policy = { snapshotEveryEntries: 4, retainedEntries: 0 };
	/** A leader whose application has a durable snapshot through index 4 (no-op and three commands). */
	function compacted(config = {}): LoneMachine {
		const machine = leader({ config: { ...policy, snapshotChunkBytes: 4, ...config } });
		machine.step(...[1, 2, 3].map((i) => ({ type: "request" as const, requestId: i, request: proposal(`${i}`) })));
		machine.commitAll();
		return machine.step({ type: "snapshot-ready", snapshot: snapshotAt(4, 1) });
	}
	const restarted = (log: readonly number[]): LoneMachine => new LoneMachine({ term: 2, log, config: { nodeId: b } });

	it("each server takes snapshots on its own, of what is committed, with last index, last term and configuration", () => {
		const machine = new LoneMachine({ config: policy });
		machine.receive(b, append({ term: term(1), entries: entriesOf([1, 1, 1, 1, 1]), commit: index(3) }));
		expect(machine.deliveries.some(({ type }) => type === "take-snapshot")).toBe(false);
		machine.receive(b, append({ term: term(1), prevIndex: index(5), prevTerm: term(1), commit: index(4) }));
		expect(machine.deliveries.at(-1)).toEqual({
			type: "take-snapshot",
			lastIndex: 4,
			lastTerm: 1,
			configuration: configurationOf(three),
		});
	});

	it("a snapshot is also due by bytes", () => {
		const machine = leader({ config: { snapshotEveryBytes: 1024 } }).commitAll();
		machine.request({ ...proposal(""), data: new Uint8Array(1024) } as ReturnType<typeof proposal>);
		expect(
			machine
				.writesComplete()
				.receive(b, accepted(1, 2))
				.deliveries.map(({ type }) => type),
		).toEqual(["entries", "take-snapshot"]);
	});

	it("once a snapshot is durable, the entries through its last index go, from memory and disk", () => {
		const machine = compacted();
		expect(machine.view.log).toMatchObject({ baseIndex: 4, entries: [] });
		expect(machine.writes).toMatchObject([{ compactThrough: 4 }]);
	});

	it("before a snapshot is durable nothing is discarded, and no other is ordered", () => {
		const machine = leader({ config: policy }).commitAll();
		for (let i = 0; i < 12; i++) machine.request(proposal(`${i}`));
		machine.commitAll();
		expect(machine.view.log.baseIndex).toBe(0);
		const ordered = machine.all.filter((effect) => effect.type === "apply" && effect.delivery.type === "take-snapshot");
		expect(ordered).toHaveLength(1);
	});

	it("retainedEntries are kept for followers that lag a little", () => {
		const machine = compacted({ retainedEntries: 3 });
		expect(machine.view.log.baseIndex).toBe(1);
		expect(machine.status.snapshotIndex).toBe(4);
	});

	it("the leader sends the snapshot when it has discarded the next entry that a follower needs", () => {
		const machine = transferring();
		expect(machine.sent(b)).toEqual([]);
		expect(reads(machine)).toEqual([{ lastIndex: 4, offset: 0, lengthBytes: 4 }]);
		expect(machine.events).toContainEqual({ type: "snapshot-send-started", to: b, lastIndex: 4 });
	});

	/** A leader of three that is sending its snapshot (6 bytes, chunks of 4) to b; the first chunk is being read. */
	function transferring(): LoneMachine {
		const machine = leader({ config: { ...policy, snapshotChunkBytes: 4 } });
		machine.step(...[1, 2, 3].map((i) => ({ type: "request" as const, requestId: i, request: proposal(`${i}`) })));
		machine
			.writesComplete()
			.receive(c, accepted(1, 4))
			.step({ type: "snapshot-ready", snapshot: snapshotAt(4, 1) });
		return machine.receive(b, accepted(1, 0));
	}
	const reads = (machine: LoneMachine): unknown[] =>
		machine.effects.flatMap((effect) => (effect.type === "read" ? [effect.read] : []));
	const chunkRead = (readId: number, offset: number, data: string, lastIndex = 4) =>
		({
			type: "read-completed",
			readId,
			result: { type: "chunk", lastIndex: index(lastIndex), offset, data: bytes(data) },
		}) as const;
	const arrived = (nextOffset: number, lastIndex = 4): RaftMessage => ({
		type: "snapshot-response",
		term: term(1),
		lastIndex: index(lastIndex),
		nextOffset,
		round: 0,
	});

	it("Figure 13: chunks go out one after the other, each when the one before is acknowledged, then entries again", () => {
		const machine = transferring().step(chunkRead(1, 0, "abcd"));
		expect(machine.sentOnly(b, "install-snapshot")).toEqual(chunk(1, snapshotAt(4, 1), 0, bytes("abcd")));
		machine.request(proposal("meanwhile"));
		expect(machine.sent(b)).toEqual([]);
		machine.receive(b, arrived(4));
		expect(reads(machine)).toEqual([{ lastIndex: 4, offset: 4, lengthBytes: 2 }]);
		machine.step(chunkRead(2, 4, "ef"));
		expect(machine.sentOnly(b, "install-snapshot")).toMatchObject({ offset: 4, data: bytes("ef") });
		machine.receive(b, arrived(6));
		expect(machine.sentOnly(b, "append-entries")).toMatchObject({ prevIndex: 4, prevTerm: 1 });
		expect(machine.sentOnly(b, "append-entries").entries.map((entry) => entry.data)).toEqual([bytes("meanwhile")]);
	});

	it("a lost chunk is sent again from where the follower stands, after a heartbeat without an answer", () => {
		const machine = transferring().step(chunkRead(1, 0, "abcd"));
		expect(reads(machine.heartbeat())).toEqual([]);
		expect(reads(machine.heartbeat())).toEqual([{ lastIndex: 4, offset: 0, lengthBytes: 4 }]);
	});

	it("a follower that lost its chunks in a crash gets them again from the start", () => {
		const machine = transferring()
			.step(chunkRead(1, 0, "abcd"))
			.receive(b, arrived(4));
		machine.step(chunkRead(2, 4, "ef")).receive(b, arrived(0));
		expect(reads(machine)).toEqual([{ lastIndex: 4, offset: 0, lengthBytes: 4 }]);
	});

	it("the answer to a chunk that arrived twice sends nothing twice", () => {
		const machine = transferring()
			.step(chunkRead(1, 0, "abcd"))
			.receive(b, arrived(4))
			.receive(b, arrived(4));
		expect(machine.effects).toEqual([]);
	});

	it("a snapshot that was replaced meanwhile starts over as the new one", () => {
		const machine = transferring().step(chunkRead(1, 0, "abcd"));
		machine.step(...[7, 8, 9, 10].map((i) => ({ type: "request" as const, requestId: i, request: proposal(`${i}`) })));
		machine
			.writesComplete()
			.receive(c, accepted(1, 8))
			.step({ type: "snapshot-ready", snapshot: snapshotAt(8, 1, 5) });
		machine.receive(b, arrived(4));
		expect(reads(machine)).toEqual([{ lastIndex: 8, offset: 0, lengthBytes: 4 }]);
	});

	it("a follower that turns out to have what was compacted goes on without the snapshot (etcd#10308)", () => {
		const machine = transferring();
		machine.request(proposal("next"));
		expect(machine.receive(b, accepted(1, 4)).sentOnly(b, "append-entries")).toMatchObject({ prevIndex: 4 });
	});

	it("an append window that was lost and then compacted away leads to the snapshot, not to silence (etcd-io/raft#31)", () => {
		const machine = leader({ config: { ...policy, maxInflightAppends: 1 } }).commitAll();
		machine.step(
			...[1, 2, 3, 4, 5].map((i) => ({ type: "request" as const, requestId: i, request: proposal(`${i}`) })),
		);
		machine
			.writesComplete()
			.receive(c, accepted(1, 6))
			.step({ type: "snapshot-ready", snapshot: snapshotAt(6, 1) });
		machine.request(proposal("more"));
		machine.writesComplete().receive(c, accepted(1, 7));
		expect(machine.sent(b)).toEqual([]);
		machine.step({ type: "peer-unreachable", peer: b });
		machine.heartbeat().receive(b, accepted(1, 1)).heartbeat();
		expect(machine.all.some((effect) => effect.type === "read")).toBe(true);
	});

	it("Figure 13: a follower writes each chunk and answers how far it got; a chunk out of place changes nothing", () => {
		const machine = restarted([]);
		machine.receive(a, chunk(2, snapshotAt(4, 1), 0, bytes("abcd")));
		expect(machine.writes).toMatchObject([{ snapshotChunk: { offset: 0, data: bytes("abcd") } }]);
		expect(machine.sentOnly(a, "snapshot-response").nextOffset).toBe(4);
		expect(machine.isHeld("snapshot-response")).toBe(true);
		machine.receive(a, chunk(2, snapshotAt(4, 1), 0, bytes("abcd")));
		expect(machine.writes).toEqual([]);
		expect(machine.sentOnly(a, "snapshot-response").nextOffset).toBe(4);
	});

	it("a chunk from the middle of an unknown snapshot is answered with the wish to start at its beginning", () => {
		const machine = restarted([]).receive(a, chunk(2, snapshotAt(4, 1), 4, bytes("ef")));
		expect(machine.writes).toEqual([]);
		expect(machine.sentOnly(a, "snapshot-response").nextOffset).toBe(0);
	});

	it("chunks of two leaders are never mixed, even of one index and term", () => {
		const machine = restarted([]).receive(a, chunk(2, snapshotAt(4, 1), 0, bytes("abcd")));
		machine.receive(c, chunk(3, snapshotAt(4, 1), 4, bytes("EF")));
		expect(machine.sentOnly(c, "snapshot-response").nextOffset).toBe(0);
	});

	it("Figure 13, rule 7: a snapshot with new information replaces the whole log, conflicting tail included", () => {
		for (const log of [[], [1, 1], [1, 1, 1, 2, 2, 2]]) {
			const machine = restarted(log).receive(a, chunk(2, snapshotAt(4, 1), 0, bytes("abcdef")));
			expect(machine.view.log).toMatchObject({ baseIndex: 4, entries: [] });
			expect(machine.writes).toMatchObject([
				{ truncateFrom: 1, installSnapshot: snapshotAt(4, 1), compactThrough: 4, snapshotChunk: { offset: 0 } },
			]);
			expect(machine.status).toMatchObject({ commitIndex: 4, snapshotIndex: 4, lastIndex: 4 });
			expect(machine.sentOnly(a, "snapshot-response").nextOffset).toBe(6);
		}
	});

	it("Figure 13, rule 6: a log that has the snapshot's last entry keeps what follows it", () => {
		const machine = restarted([1, 1, 1, 1, 2]).receive(a, chunk(2, snapshotAt(4, 1), 0, bytes("abcdef")));
		expect(machine.view.log.baseIndex).toBe(4);
		expect(machine.logTerms).toEqual([2]);
		expect(machine.writes[0]).not.toHaveProperty("truncateFrom");
	});

	it("what was on its way to the disk when a snapshot replaced the log makes nothing behind the snapshot durable", () => {
		const lost = [2, 2, 2, 2, 2, 2].map((inTerm) => command(inTerm));
		const machine = restarted([]).receive(a, append({ term: term(2), entries: lost }));
		const underWay = machine.all.findLast((effect) => effect.type === "persist")?.writeId ?? 0;
		machine.receive(c, chunk(3, snapshotAt(4, 1), 0, bytes("abcdef")));
		const kept = { prevIndex: index(4), prevTerm: term(1), entries: [command(3), command(3)] };
		machine.receive(c, append({ term: term(3), ...kept }));
		machine.step({ type: "write-completed", writeId: underWay });
		expect(machine.view.log.durableThrough).toBeLessThanOrEqual(4);
		machine.writesComplete();
		expect(machine.view.log.durableThrough).toBe(6);
	});

	it("Figure 13, rule 8: the state machine is reset from the snapshot once it is durable, before later entries", () => {
		const machine = restarted([]).receive(a, chunk(2, snapshotAt(4, 1), 0, bytes("abcdef")));
		const next = { prevIndex: index(4), prevTerm: term(1), entries: [command(2)], commit: index(5) };
		machine.receive(a, append({ term: term(2), ...next }));
		expect(machine.all.some((effect) => effect.type === "apply")).toBe(false);
		machine.writesComplete();
		expect(machine.deliveries).toMatchObject([
			{ type: "restore-snapshot", snapshot: { lastIndex: 4 } },
			{ type: "entries", firstIndex: 5 },
		]);
	});

	it("a snapshot of what is committed here already is acknowledged as a whole and installs nothing", () => {
		const machine = restarted([]);
		machine.receive(a, append({ term: term(2), entries: entriesOf([1, 1, 1, 1]), commit: index(4) }));
		machine.receive(a, chunk(2, snapshotAt(4, 1), 0, bytes("abcd")));
		expect(machine.writes).toEqual([]);
		expect(machine.sentOnly(a, "snapshot-response").nextOffset).toBe(6);
	});

	it("the configuration of an installed snapshot is the one in force", () => {
		const machine = restarted([])
			.receive(a, chunk(2, snapshotAt(4, 1, 6, five), 0, bytes("abcdef")))
			.writesComplete();
		machine.electionTimeout().electionTimeout();
		expect(machine.sent().map((message) => message.type)).toEqual(Array(4).fill("request-vote"));
	});

	it("a newer installed snapshot wins over an own one that gets ready later", () => {
		const machine = restarted([])
			.receive(a, chunk(2, snapshotAt(9, 2), 0, bytes("abcdef")))
			.writesComplete();
		machine.step({ type: "snapshot-ready", snapshot: snapshotAt(4, 1) });
		expect(machine.status.snapshotIndex).toBe(9);
		expect(machine.writes).toEqual([]);
	});

	it("a leader in the midst of sending is patient: it orders no newer snapshot that would start the transfer anew", () => {
		const machine = transferring().step(chunkRead(1, 0, "abcd"));
		const ask = (count: number): void => {
			const from = machine.status.lastIndex;
			for (let i = 0; i < count; i++) machine.request(proposal(`${from + i}`));
			// The second persist is what gathered behind the first ones.
			machine.writesComplete().writesComplete().receive(c, accepted(1, machine.status.lastIndex));
		};
		ask(8);
		expect(machine.deliveries.some(({ type }) => type === "take-snapshot")).toBe(false);
		ask(24);
		expect(machine.deliveries.some(({ type }) => type === "take-snapshot")).toBe(true);
	});

	it("a restart begins with the snapshot and the log behind it", () => {
		const durable = durableWith({ entries: entriesOf([1, 1, 1, 1, 2, 2]), snapshotIndex: 4 });
		const machine = new LoneMachine({ durable });
		expect(machine.deliveries).toEqual([{ type: "restore-snapshot", snapshot: snapshotAt(4, 1) }]);
		expect(machine.status).toMatchObject({ commitIndex: 4, deliveredIndex: 4, lastIndex: 6, snapshotIndex: 4 });
	});

	const durableWith = (options: {
		entries: ReturnType<typeof entriesOf>;
		snapshotIndex: number;
		firstIndex?: number;
		term?: number;
	}): RaftDurable => ({
		hardState: { term: term(options.term ?? 2), votedFor: null },
		snapshot: snapshotAt(options.snapshotIndex, 1),
		firstIndex: index(options.firstIndex ?? 1),
		entries: options.entries,
	});

	it("a restart with retained entries keeps them, and knows the term of the first", () => {
		const entries = entriesOf([1, 1, 1, 1, 2]).slice(1);
		const machine = new LoneMachine({ durable: durableWith({ entries, snapshotIndex: 4, firstIndex: 2 }) });
		expect(machine.view.log.baseIndex).toBe(2);
		expect(machine.logTerms).toEqual([1, 1, 2]);
		machine.receive(b, append({ term: term(2), prevIndex: index(5), prevTerm: term(2), entries: [command(2)] }));
		expect(machine.writes).toMatchObject([{ append: { firstIndex: 6 } }]);
	});

	it.each([
		["shorter than the snapshot", [1, 1]],
		["of a leader that lost at the snapshot's last index", [1, 1, 1, 3, 3]],
	])("a restart whose durable log is %s drops that log", (_what, log) => {
		const machine = new LoneMachine({ durable: durableWith({ entries: entriesOf(log), snapshotIndex: 4 }) });
		expect(machine.view.log).toMatchObject({ baseIndex: 4, entries: [] });
		expect(machine.writes).toEqual([{ truncateFrom: 1, compactThrough: 4 }]);
	});

	it("a restart whose snapshot is of a later term than the durable one takes that term up, without a vote", () => {
		const durable = { ...durableWith({ entries: [], snapshotIndex: 4 }), hardState: { term: term(0), votedFor: b } };
		const machine = new LoneMachine({ durable });
		expect(machine.status.term).toBe(1);
		expect(machine.writes[0]?.hardState).toEqual({ term: 1, votedFor: null });
	});
});

describe("§8 client interaction", () => {
	it("a leader commits a no-op at the start of its term", () => {
		const machine = leader({ term: 2, log: [1] });
		expect(machine.view.log.entries.at(-1)).toMatchObject({ kind: "no-op", term: 3 });
	});

	it("a server that is not leader rejects the request and names the leader that it heard last", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.request(proposal("x"));
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: null }]);
		machine.receive(b, append({ term: term(1) })).request({ type: "read", query: bytes("?") });
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: b }]);
	});

	it("the client's request is answered by the delivery of its entry, in order, and only on the leader that took it", () => {
		const machine = leader();
		const first = machine.request(proposal("x"));
		const second = machine.request({ type: "open-session" });
		machine.commitAll();
		const requestIds = machine.all.flatMap((effect) =>
			effect.type === "apply" && effect.delivery.type === "entries" ? (effect.delivery.requestIds ?? []) : [],
		);
		expect(requestIds).toEqual([null, first, second]);
		expect(machine.status.pendingProposals).toBe(0);
	});

	it("a leader that steps down tells its clients that the outcome of their commands is unknown", () => {
		const machine = leader().commitAll();
		machine.request(proposal("x"));
		machine.request(proposal("y"));
		machine.receive(b, append({ term: term(2) }));
		expect(machine.replies).toEqual(Array(2).fill({ type: "outcome-unknown", leader: b }));
		expect(machine.status.pendingProposals).toBe(0);
		expect(machine.effects).toContainEqual({ type: "cancel-timer", timer: "heartbeat" });
	});

	it("what was known to be committed when a leader steps down is still answered with its result (CCF#5674)", () => {
		const machine = leader().commitAll();
		const requestId = machine.request(proposal("x"));
		machine.writesComplete();
		machine.step(
			{ type: "message", from: b, message: accepted(1, 2) },
			{ type: "message", from: c, message: append({ term: term(2) }) },
		);
		expect(machine.deliveries).toMatchObject([{ requestIds: [requestId] }]);
		expect(machine.replies).toEqual([]);
	});

	it("proposals beyond maxPendingProposals are refused until some are answered", () => {
		const machine = leader({ config: { maxPendingProposals: 2 } }).commitAll();
		for (const text of ["x", "y", "z"]) machine.request(proposal(text));
		expect(machine.replies).toEqual([{ type: "refused", reason: "too-many-pending", limit: 2 }]);
		machine.commitAll().request(proposal("w"));
		expect(machine.replies).toEqual([]);
	});

	it("a command larger than maxEntryBytes is refused", () => {
		const machine = leader({ config: { maxEntryBytes: 3 } }).commitAll();
		machine.request(proposal("abcd"));
		expect(machine.replies).toEqual([{ type: "refused", reason: "too-large", sizeBytes: 4, limitBytes: 3 }]);
		machine.request(proposal("abc"));
		expect(machine.replies).toEqual([]);
	});
});

describe("thesis §6.4 linearizable reads by read-index", () => {
	const read = { type: "read", query: bytes("?") } as const;
	const queries = (machine: LoneMachine): unknown[] =>
		machine.deliveries.flatMap((delivery) => (delivery.type === "query" ? [delivery.requestId] : []));

	it("step 1: a leader that has committed nothing of its term yet waits until it has (etcd#7331)", () => {
		const machine = leader({ term: 1, log: [1] });
		const requestId = machine.request(read);
		expect(machine.sent()).toEqual([]);
		machine.writesComplete().receive(c, accepted(2, 2));
		const { round } = machine.sentOnly(b, "append-entries");
		expect(round).toBe(1);
		expect(queries(machine.receive(b, accepted(2, 2, round)))).toEqual([requestId]);
	});

	it("steps 2 and 3: a read waits for a round of heartbeats that a majority echoes after it arrived (etcd#741, openraft d60f1e85)", () => {
		const machine = leader({ voters: five }).commitAll();
		machine.heartbeat();
		const requestId = machine.request(read);
		expect(machine.sentOnly(b, "append-entries")).toMatchObject({ round: 1, entries: [] });
		expect(queries(machine.receive(b, accepted(1, 1, 0)))).toEqual([]);
		expect(queries(machine.receive(c, accepted(1, 1, 0)))).toEqual([]);
		expect(queries(machine.receive(b, accepted(1, 1, 1)))).toEqual([]);
		expect(queries(machine.receive(c, accepted(1, 1, 1)))).toEqual([requestId]);
		expect(machine.status.pendingReads).toBe(0);
	});

	it("a refusal of an append confirms the leader too: the peer follows its term", () => {
		const machine = leader().commitAll();
		const requestId = machine.request(read);
		expect(queries(machine.receive(b, { ...refused(1, 1, 0, 0), round: 1 }))).toEqual([requestId]);
	});

	it("a follower echoes the round that it was sent", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1), round: 7 }));
		expect(machine.sentOnly(b, "append-response").round).toBe(7);
	});

	it("reads that come while the round is under way never join it, and share the next", () => {
		const machine = leader({ config: { maxInflightReadRounds: 1 } }).commitAll();
		const first = machine.request(read);
		const second = machine.request(read);
		const third = machine.request(read);
		expect(queries(machine.receive(b, accepted(1, 1, 1)))).toEqual([first]);
		expect(queries(machine.receive(b, accepted(1, 1, 1)))).toEqual([]);
		expect(queries(machine.receive(c, accepted(1, 1, 2)))).toEqual([second, third]);
	});

	it("step 4: the read sees everything that was committed when its round began", () => {
		const machine = leader().commitAll();
		machine.request(proposal("x"));
		machine
			.writesComplete()
			.step({ type: "message", from: b, message: accepted(1, 2) }, { type: "request", requestId: 99, request: read });
		machine.receive(b, accepted(1, 2, 1));
		const kinds = machine.all.flatMap((effect) => (effect.type === "apply" ? [effect.delivery.type] : []));
		expect(kinds).toEqual(["entries", "entries", "query"]);
	});

	it("a leader that steps down refuses its reads: they can be asked elsewhere", () => {
		const machine = leader().commitAll();
		machine.request(read);
		machine.receive(b, append({ term: term(2) }));
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: b }]);
		expect(machine.status.pendingReads).toBe(0);
	});

	it("a single server confirms itself", () => {
		const machine = new LoneMachine({ voters: [a] }).electionTimeout().writesComplete().writesComplete();
		const requestId = machine.request(read);
		expect(queries(machine)).toEqual([requestId]);
	});

	it("reads beyond maxPendingReads are refused, until some are answered", () => {
		const machine = leader({ config: { maxPendingReads: 1 } }).commitAll();
		machine.request(read);
		machine.request(read);
		expect(machine.replies).toEqual([{ type: "refused", reason: "too-many-pending", limit: 1 }]);
		machine.receive(b, accepted(1, 1, 1)).request(read);
		expect(machine.replies).toEqual([]);
	});
});

describe("thesis §9.6 pre-vote, and §4.2.3 and §6.2 disruptive and lonely servers", () => {
	it("a server only increments its term if it first learns that a majority would vote for it", () => {
		const machine = new LoneMachine({ voters: five, term: 1 }).electionTimeout();
		expect(machine.status).toMatchObject({ role: "pre-candidate", term: 1 });
		expect(machine.writes).toEqual([]);
		expect(machine.receive(b, vote(2, true, true)).status.term).toBe(1);
		expect(machine.receive(c, vote(2, true, true)).status).toMatchObject({ role: "candidate", term: 2 });
	});

	it("a pre-vote changes neither term nor vote of those who are asked", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, requestVote(2, 0, 0, true));
		expect(machine.sentOnly(b, "vote")).toEqual(vote(2, true, true));
		expect(machine.status.term).toBe(1);
		expect(machine.view.votedFor).toBe(null);
		expect(machine.writes).toEqual([]);
		expect(machine.receive(c, requestVote(2, 0, 0, true)).sentOnly(c, "vote").granted).toBe(true);
	});

	it("a majority of refusals ends the pre-candidacy, in the same term", () => {
		const machine = new LoneMachine({ term: 1 }).electionTimeout();
		machine.receive(b, vote(1, false, true)).receive(c, vote(1, false, true));
		expect(machine.status).toMatchObject({ role: "follower", term: 1 });
	});

	it("a refusal that names a later term is taken up, so that logs and terms that differ can not lock each other", () => {
		const machine = new LoneMachine({ term: 1, log: [1, 1] }).electionTimeout().receive(b, vote(5, false, true));
		expect(machine.status).toMatchObject({ role: "follower", term: 5 });
	});

	it("a pre-vote that was granted for an earlier attempt does not count", () => {
		const machine = new LoneMachine({ term: 5 }).electionTimeout().receive(b, vote(9, true, true));
		expect(machine.status).toMatchObject({ role: "pre-candidate", term: 5 });
	});

	it.each([true, false])(
		"a follower that heard its leader within the minimum election timeout ignores candidates (pre-vote %s)",
		(preVote) => {
			const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1) }));
			expect(machine.receive(c, requestVote(2, 9, 9, preVote)).sent(c)).toEqual([]);
			expect(machine.status.term).toBe(1);
			machine.electionTimeout();
			expect(machine.receive(c, requestVote(2, 9, 9, preVote)).sentOnly(c, "vote").granted).toBe(true);
		},
	);

	it("a leader that hears its quorum is not deposed by a candidate with a later term", () => {
		const machine = leader().receive(c, requestVote(9, 9, 9));
		expect(machine.status).toMatchObject({ role: "leader", term: 1 });
		expect(machine.sent()).toEqual([]);
	});

	it("a server that is ahead in terms tells a leader of an earlier one, so that it steps down and all meet again", () => {
		const ahead = new LoneMachine({ term: 7 }).receive(b, append({ term: term(1) }));
		const machine = leader({ config: { nodeId: b } }).receive(a, ahead.sentOnly(b, "append-response"));
		expect(machine.status).toMatchObject({ role: "follower", term: 7 });
	});

	it("a new leader's first check of its quorum is a whole timeout away, though its old timer fires in the same batch", () => {
		const machine = candidate({ term: 1 });
		machine.step({ type: "message", from: b, message: vote(2, true) }, { type: "timer", timer: "election" });
		expect(machine.status.role).toBe("leader");
		expect(machine.timers("election")).toEqual([{ min: 150, max: 150 }]);
	});

	it("a leader steps down if it hears of no majority for an election timeout", () => {
		const machine = candidate({ voters: five }).receive(b, vote(1, true)).receive(c, vote(1, true));
		expect(machine.timers("election")).toEqual([{ min: 150, max: 150 }]);
		machine.receive(b, accepted(1, 1)).receive(c, accepted(1, 1)).electionTimeout();
		expect(machine.status.role).toBe("leader");
		machine.receive(b, accepted(1, 1)).electionTimeout();
		expect(machine.status).toMatchObject({ role: "follower", term: 1, leader: null });
		expect(machine.events).toContainEqual({ type: "quorum-lost", term: 1 });
	});

	it("a single server never loses its quorum", () => {
		const machine = new LoneMachine({ voters: [a] }).electionTimeout().writesComplete();
		expect(machine.electionTimeout().electionTimeout().status.role).toBe("leader");
	});

	it("a follower whose disk is slow with entries still tells its leader at once that it follows", () => {
		const follower = new LoneMachine({ term: 1, log: [1, 1] });
		follower.receive(b, append({ term: term(1), prevIndex: index(2), prevTerm: term(1), entries: entriesOf([1, 1]) }));
		follower.receive(b, append({ term: term(1), prevIndex: index(4), prevTerm: term(1), round: 7 }));
		const answers = follower.effects.filter((effect) => effect.type === "send");
		expect(answers).toMatchObject([
			{ to: b, release: "immediate", message: { type: "append-response", accepted: true, index: 2, round: 7 } },
			{ to: b, release: "after-durable", message: { type: "append-response", accepted: true, index: 4, round: 7 } },
		]);
	});

	it("but not before the term it speaks in is durable", () => {
		const follower = new LoneMachine({ term: 1, log: [1, 1] });
		follower.receive(b, append({ term: term(2), prevIndex: index(2), prevTerm: term(1), entries: entriesOf([2]) }));
		follower.receive(b, append({ term: term(2), prevIndex: index(3), prevTerm: term(2), round: 7 }));
		expect(follower.effects.filter((effect) => effect.type === "send")).toMatchObject([
			{ release: "after-durable", message: { index: 3, round: 7 } },
		]);
	});
});
