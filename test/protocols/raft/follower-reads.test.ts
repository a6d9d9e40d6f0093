/**
 * Goal: a follower answers reads with nothing older than what was decided when they came (thesis §6.4), each once, also
 * when messages are lost, late or doubled, when leaders change, and when it restarts.
 * Method: a lone machine whose peers and disk the test plays, as a follower and as the leader that is asked.
 */
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../../protocols/core/index.ts";
import type { RaftMessage, RaftRequest, ReadIndexRequest, ReadIndexResponse } from "../../../protocols/raft/index.ts";
import { a, accepted, append, b, bytes, c, entriesOf, index, LoneMachine, requestVote, term } from "./lone-machine.ts";

const read: RaftRequest = { type: "read", query: bytes("all") };
const followerReads = true;

function question(inTerm: number, life: number, number: number): ReadIndexRequest {
	return { type: "read-index-request", term: term(inTerm), life, question: number };
}
function answer(inTerm: number, life: number, number: number, at: number): ReadIndexResponse {
	return { type: "read-index-response", term: term(inTerm), life, question: number, index: index(at) };
}

/** A follower of b in term 1 whose log of `entries` is committed and applied. */
function follower(entries = 1, config: ConstructorParameters<typeof LoneMachine>[0]["config"] = {}): LoneMachine {
	const machine = new LoneMachine({ term: 1, log: new Array(entries).fill(1), config: { followerReads, ...config } });
	return machine.receive(b, heartbeat(1, entries)).writesComplete();
}
function heartbeat(inTerm: number, commit: number): RaftMessage {
	return append({ term: term(inTerm), prevIndex: index(commit), prevTerm: term(1), commit: index(commit) });
}
const queries = ({ deliveries }: LoneMachine): number[] =>
	deliveries.flatMap((delivery) => (delivery.type === "query" ? [delivery.requestId] : []));
const questions = (machine: LoneMachine, to: NodeId): RaftMessage[] =>
	machine.sent(to).filter(({ type }) => type === "read-index-request");
const readTimer = (machine: LoneMachine): LoneMachine => machine.step({ type: "timer", timer: "read" });

describe("a follower that is asked to read", () => {
	it("asks its leader, and answers when it has applied the index", () => {
		const machine = follower();
		const requestId = machine.request(read);
		expect(machine.sentOnly(b, "read-index-request")).toEqual(question(1, 1, 1));
		expect(queries(machine.receive(b, answer(1, 1, 1, 3)))).toEqual([]);
		machine.receive(b, append({ ...heartbeatAt(1), entries: entriesOf([1, 1]), commit: index(2) }));
		expect(queries(machine)).toEqual([]);
		expect(queries(machine.receive(b, append({ ...heartbeatAt(3), commit: index(3) })))).toEqual([requestId]);
		expect(machine.status.pendingReads).toBe(0);
	});

	it("asks once for all reads of a batch, and anew for those that come after", () => {
		const machine = follower();
		const first = [1, 2].map((requestId) => ({ type: "request", requestId, request: read }) as const);
		machine.step(...first);
		expect(questions(machine, b)).toEqual([question(1, 1, 1)]);
		machine.step({ type: "request", requestId: 3, request: read });
		expect(questions(machine, b)).toEqual([question(1, 1, 2)]);
		expect(queries(machine.receive(b, answer(1, 1, 1, 1)))).toEqual([1, 2]);
		expect(queries(machine.receive(b, answer(1, 1, 2, 1)))).toEqual([3]);
	});

	it("has maxInflightReadRounds questions under way, and gathers the reads that come meanwhile", () => {
		const machine = follower(1, { maxInflightReadRounds: 1 });
		for (let i = 0; i < 3; i++) machine.request(read);
		expect(machine.sent()).toEqual([]);
		machine.receive(b, answer(1, 1, 1, 1));
		expect(queries(machine)).toEqual([1]);
		expect(questions(machine.step(), b)).toEqual([question(1, 1, 2)]);
		expect(queries(machine.receive(b, answer(1, 1, 2, 1)))).toEqual([2, 3]);
	});

	it("refuses reads beyond maxPendingReads", () => {
		const machine = follower(1, { maxPendingReads: 1 });
		machine.request(read);
		machine.request(read);
		expect(machine.replies).toEqual([{ type: "refused", reason: "too-many-pending", limit: 1 }]);
	});

	it("without followerReads, or without a leader, refuses and names the leader", () => {
		const plain = follower(1, { followerReads: false });
		plain.request(read);
		expect(plain.replies).toEqual([{ type: "refused", reason: "not-leader", leader: b }]);
		const alone = new LoneMachine({ config: { followerReads } });
		alone.request(read);
		expect(alone.replies).toEqual([{ type: "refused", reason: "not-leader", leader: null }]);
	});

	it("asks again what is not answered, and an answer counts once, the first (etcd#20418)", () => {
		const machine = follower(5);
		const requestId = machine.request(read);
		expect(questions(readTimer(machine), b)).toEqual([question(1, 1, 1)]);
		machine.receive(b, answer(1, 1, 1, 4));
		expect(queries(machine)).toEqual([requestId]);
		expect(queries(machine.receive(b, answer(1, 1, 1, 5)))).toEqual([]);
		machine.request(read);
		expect(queries(machine.receive(b, answer(1, 1, 1, 5)))).toEqual([]);
	});

	it("a second answer to a question does not lower or raise what its reads wait for", () => {
		const machine = follower(1);
		machine.request(read);
		machine.receive(b, answer(1, 1, 1, 3));
		expect(queries(machine.receive(b, answer(1, 1, 1, 1)))).toEqual([]);
	});

	it("refuses a read that has waited for a maximum election timeout, with a reason of its own", () => {
		const machine = follower();
		machine.request(read);
		for (let waited = 50; waited < 300; waited += 50) expect(readTimer(machine).replies).toEqual([]);
		expect(readTimer(machine).replies).toEqual([{ type: "refused", reason: "read-index-timeout", leader: b }]);
		expect(queries(machine.receive(b, answer(1, 1, 1, 1)))).toEqual([]);
		expect(machine.status.pendingReads).toBe(0);
		expect(machine.timers("read")).toEqual([]);
	});

	it("asks the next leader the same, and does not take an answer of the one before", () => {
		const machine = follower();
		const requestId = machine.request(read);
		machine.receive(c, append({ term: term(2), prevIndex: index(1), prevTerm: term(1) }));
		expect(questions(machine, c)).toEqual([question(2, 1, 1)]);
		expect(queries(machine.receive(b, answer(1, 1, 1, 1)))).toEqual([]);
		expect(queries(machine.receive(c, answer(2, 1, 1, 1)))).toEqual([requestId]);
	});

	it("refuses what waits when it has no leader any more", () => {
		const machine = follower();
		machine.request(read);
		machine.electionTimeout();
		expect(machine.replies).toEqual([]);
		machine.receive(c, requestVote(2, 9, 9));
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: null }]);
		expect(machine.status.pendingReads).toBe(0);
	});

	it("numbers its lives on the disk before it asks, so that an answer to a former life is not taken", () => {
		const machine = follower();
		machine.request(read);
		expect(machine.writes).toEqual([{ hardState: { term: 1, votedFor: null, askingLives: 1 } }]);
		expect(machine.isHeld("read-index-request")).toBe(true);
		machine.writesComplete().request(read);
		expect(machine.writes).toEqual([]);
		expect(machine.isHeld("read-index-request")).toBe(false);
		const hardState = { term: term(1), votedFor: null, askingLives: 1 };
		const durable = { hardState, snapshot: null, firstIndex: index(1), entries: entriesOf([1]) };
		const next = new LoneMachine({ durable, config: { followerReads } }).receive(b, heartbeat(1, 1));
		next.request(read);
		expect(next.writes).toEqual([{ hardState: { ...hardState, askingLives: 2 } }]);
		expect(queries(next.receive(b, answer(1, 1, 1, 1)))).toEqual([]);
		expect(queries(next.receive(b, answer(1, 2, 1, 1)))).toHaveLength(1);
	});
});

describe("a leader that is asked for a read index", () => {
	const leader = (config = {}): LoneMachine => new LoneMachine({ config }).becomeLeader();

	it("answers with its commit index when a round that began afterwards is confirmed", () => {
		const machine = leader()
			.commitAll()
			.receive(b, question(1, 1, 7));
		expect(machine.sentOnly(b, "append-entries").round).toBe(1);
		expect(machine.receive(b, accepted(1, 1, 0)).sent()).toEqual([]);
		expect(machine.receive(c, accepted(1, 1, 1)).sentOnly(b, "read-index-response")).toEqual(answer(1, 1, 7, 1));
		expect(machine.status.pendingReads).toBe(0);
	});

	it("answers nothing before an entry of its term is committed", () => {
		const machine = leader().receive(b, question(1, 1, 1));
		expect(machine.sent()).toEqual([]);
		machine.writesComplete().receive(c, accepted(1, 1));
		expect(machine.receive(c, accepted(1, 1, 1)).sentOnly(b, "read-index-response")).toEqual(answer(1, 1, 1, 1));
	});

	it("takes what is asked again while it waits for one question", () => {
		const machine = leader()
			.commitAll()
			.receive(b, question(1, 1, 1))
			.receive(b, question(1, 1, 1));
		expect(machine.status.pendingReads).toBe(1);
		machine.receive(c, accepted(1, 1, 1));
		expect(machine.sentOnly(b, "read-index-response").index).toBe(1);
		expect(machine.heartbeat().sentOnly(b, "append-entries").round).toBe(1);
	});

	it("holds maxPendingReads questions, and leaves others to be asked again", () => {
		const machine = leader({ maxPendingReads: 1 }).commitAll();
		machine.receive(b, question(1, 1, 1)).receive(c, question(1, 1, 1));
		expect(machine.status.pendingReads).toBe(1);
	});

	it("forgets questions when it steps down, and one that does not lead leaves them unanswered", () => {
		const machine = leader()
			.commitAll()
			.receive(b, question(1, 1, 1));
		machine.receive(c, append({ term: term(2) }));
		expect(machine.status).toMatchObject({ role: "follower", pendingReads: 0 });
		expect(machine.receive(b, question(2, 1, 1)).sent()).toEqual([]);
	});

	it("steps down before a question of a later term, and ignores one of an earlier", () => {
		const machine = leader()
			.commitAll()
			.receive(b, question(9, 1, 1));
		expect(machine.status).toMatchObject({ role: "follower", term: 9, leader: null });
		expect(machine.receive(b, question(3, 1, 1)).sent()).toEqual([]);
		expect(machine.receive(c, answer(11, 1, 1, 0)).status).toMatchObject({ term: 11, leader: c });
	});

	it("answers a server that is no member: it has what was committed, and asks no vote", () => {
		const alone = new LoneMachine({ voters: [a] }).electionTimeout().writesComplete().writesComplete();
		expect(alone.receive(b, question(1, 1, 1)).sentOnly(b, "read-index-response").index).toBe(1);
	});
});

function heartbeatAt(prev: number): Parameters<typeof append>[0] {
	return { term: term(1), prevIndex: index(prev), prevTerm: term(1) };
}
