/**
 * Goal: a follower that may pass proposals on answers its clients as the leader would, each proposal is appended once
 * whatever the network does, and what is refused has no effect.
 * Method: a lone machine whose peers and disk the test plays, as the follower that forwards and as the leader that takes.
 */
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../../protocols/core/index.ts";
import type {
	Entry,
	ForwardedProposals,
	ForwardRefusal,
	ForwardResponse,
	RaftMessage,
	RaftRefusal,
	RaftRequest,
	SessionId,
} from "../../../protocols/raft/index.ts";
import {
	accepted,
	append,
	b,
	bytes,
	c,
	chunk,
	command,
	entriesOf,
	index,
	LoneMachine,
	proposal,
	requestVote,
	snapshotAt,
	term,
} from "./lone-machine.ts";

const forwardProposals = true;

function forwarded(
	inTerm: number,
	life: number,
	first: number,
	entries: readonly Entry[],
	settledBelow = first,
): ForwardedProposals {
	return { type: "forwarded-proposals", term: term(inTerm), life, settledBelow, first, entries };
}
function taken(inTerm: number, life: number, number: number, at: number, count = 1): ForwardResponse {
	return { type: "forward-response", term: term(inTerm), life, number, count, index: index(at) };
}
function notTaken(inTerm: number, life: number, number: number, refusal: RaftRefusal): ForwardRefusal {
	return { type: "forward-refusal", term: term(inTerm), life, number, refusal };
}
function ofSession(text: string, session: number, serial: number): Extract<RaftRequest, { type: "propose" }> {
	return { type: "propose", session: session as SessionId, serial, firstIncomplete: serial, data: bytes(text) };
}

/** A follower of b in term 1 whose log of one entry is committed and applied. */
function follower(config: ConstructorParameters<typeof LoneMachine>[0]["config"] = {}): LoneMachine {
	const machine = new LoneMachine({ term: 1, log: [1], config: { forwardProposals, ...config } });
	return machine.receive(b, committed(1)).writesComplete();
}
/** Append-entries of b in term 1 behind the first entry, all committed. */
function committed(through: number, entries: readonly Entry[] = []): RaftMessage {
	const prevIndex = index(through - entries.length);
	return append({ term: term(1), prevIndex, prevTerm: term(1), commit: index(through), entries });
}
const forwards = (machine: LoneMachine, to: NodeId): RaftMessage[] =>
	machine.sent(to).filter(({ type }) => type === "forwarded-proposals");
/** The local requests that the last batch answers by applying. */
const answered = ({ deliveries }: LoneMachine): number[] =>
	deliveries.flatMap((each) => (each.type === "entries" ? (each.requestIds ?? []) : [])).filter((id) => id !== null);
const forwardTimer = (machine: LoneMachine): LoneMachine => machine.step({ type: "timer", timer: "forward" });

describe("a follower that forwards proposals", () => {
	it("passes a proposal on to its leader, and answers when it applies the index that the leader names", () => {
		const machine = follower();
		const requestId = machine.request(proposal("x"));
		expect(forwards(machine, b)).toEqual([forwarded(1, 1, 1, [command(1, "x")])]);
		expect(machine.receive(b, taken(1, 1, 1, 3)).replies).toEqual([]);
		expect(answered(machine.receive(b, committed(2, [command(1, "x")])))).toEqual([]);
		expect(answered(machine.receive(b, committed(3, [command(1, "x")])))).toEqual([requestId]);
		expect(machine.status.forwardedProposals).toBe(0);
	});

	it("does so for opened sessions too", () => {
		const machine = follower();
		const requestId = machine.request({ type: "open-session" });
		const [message] = forwards(machine, b) as ForwardedProposals[];
		expect(message?.entries).toMatchObject([{ kind: "open-session", term: 1 }]);
		machine.receive(b, taken(1, 1, 1, 2));
		expect(answered(machine.receive(b, committed(2, message?.entries)))).toEqual([requestId]);
	});

	it("without forwardProposals, or without a leader, it refuses and names the leader", () => {
		const plain = follower({ forwardProposals: false });
		plain.request(proposal("x"));
		expect(plain.replies).toEqual([{ type: "refused", reason: "not-leader", leader: b }]);
		const alone = new LoneMachine({ config: { forwardProposals } });
		alone.request(proposal("x"));
		expect(alone.replies).toEqual([{ type: "refused", reason: "not-leader", leader: null }]);
	});

	it("orders that only a leader takes are refused as ever", () => {
		const machine = follower();
		machine.request({ type: "transfer-leadership", to: null });
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: b }]);
	});

	it("all proposals of a batch leave in one message, as far as the bounds of an append allow", () => {
		const machine = follower({ maxEntriesPerAppend: 2 });
		const three = ["x", "y", "z"].map(
			(text, i) => ({ type: "request", requestId: i + 1, request: proposal(text) }) as const,
		);
		machine.step(...three);
		expect(forwards(machine, b)).toEqual([
			forwarded(1, 1, 1, [command(1, "x"), command(1, "y")]),
			forwarded(1, 1, 3, [command(1, "z")], 1),
		]);
		const large = follower({ maxEntryBytes: 900, maxBytesPerAppend: 1024 });
		const texts = ["x".repeat(600), "y".repeat(600)];
		large.step(...texts.map((text, i) => ({ type: "request", requestId: i + 1, request: proposal(text) }) as const));
		expect(forwards(large, b)).toHaveLength(2);
	});

	it("beyond maxForwardedProposals it refuses with a reason of its own", () => {
		const machine = follower({ maxForwardedProposals: 1 });
		machine.request(proposal("x"));
		machine.request(proposal("y"));
		expect(machine.replies).toEqual([{ type: "refused", reason: "too-many-forwarded", limit: 1 }]);
		expect(machine.sent()).toEqual([]);
	});

	it("beyond maxForwardedBytes too, until the leader has them; one that is larger alone is taken", () => {
		const machine = follower({ maxForwardedBytes: 1024 });
		machine.request(proposal("x".repeat(2000)));
		machine.request(proposal("y"));
		expect(machine.replies).toEqual([{ type: "refused", reason: "too-many-forwarded-bytes", limitBytes: 1024 }]);
		machine.receive(b, taken(1, 1, 1, 2)).request(proposal("y"));
		expect(forwards(machine, b)).toHaveLength(1);
	});

	it("a command larger than maxEntryBytes is refused here", () => {
		const machine = follower({ maxEntryBytes: 2 });
		machine.request(proposal("xyz"));
		expect(machine.replies).toEqual([{ type: "refused", reason: "too-large", sizeBytes: 3, limitBytes: 2 }]);
	});

	it("hands the leader's refusal on, and a late answer to what was refused changes nothing", () => {
		const machine = follower();
		machine.request(proposal("x"));
		machine.receive(b, notTaken(1, 1, 1, { reason: "too-many-pending", limit: 7 }));
		expect(machine.replies).toEqual([{ type: "refused", reason: "too-many-pending", limit: 7 }]);
		expect(machine.receive(b, taken(1, 1, 1, 2)).effects).toEqual([]);
		expect(machine.receive(b, notTaken(1, 1, 1, { reason: "too-many-pending", limit: 7 })).replies).toEqual([]);
	});

	it("sends again what the leader has not answered, under the same number, and only that", () => {
		const machine = follower();
		machine.request(proposal("x"));
		machine.request(proposal("y"));
		machine.receive(b, taken(1, 1, 1, 2));
		expect(forwards(forwardTimer(machine), b)).toEqual([forwarded(1, 1, 2, [command(1, "y")], 1)]);
		expect(machine.timers("forward")).toEqual([{ min: 50, max: 50 }]);
		machine.receive(b, taken(1, 1, 2, 3));
		expect(forwardTimer(machine).effects).toEqual([]);
	});

	it("an outcome that the leader has not told within a maximum election timeout is unknown", () => {
		const machine = follower();
		machine.request(proposal("x"));
		for (let waited = 50; waited < 300; waited += 50) expect(forwardTimer(machine).replies).toEqual([]);
		expect(forwardTimer(machine).replies).toEqual([{ type: "outcome-unknown", leader: b }]);
		expect(answered(machine.receive(b, committed(2, [command(1, "x")])))).toEqual([]);
	});

	it("when it has another leader, or none, the outcome of what has left is unknown", () => {
		const replaced = follower();
		replaced.request(proposal("x"));
		replaced.receive(c, append({ term: term(2), prevIndex: index(1), prevTerm: term(1) }));
		expect(replaced.replies).toEqual([{ type: "outcome-unknown", leader: c }]);
		const lost = follower();
		lost.request(proposal("x"));
		lost.electionTimeout().receive(c, requestVote(2, 9, 9));
		expect(lost.replies).toEqual([{ type: "outcome-unknown", leader: null }]);
		expect(lost.status.forwardedProposals).toBe(0);
	});

	it("and when the same leader leads a later term: what it was told in the one before it has forgotten", () => {
		const machine = follower();
		machine.request(proposal("x"));
		machine.receive(b, append({ term: term(2), prevIndex: index(1), prevTerm: term(1) }));
		expect(machine.replies).toEqual([{ type: "outcome-unknown", leader: b }]);
	});

	it("what has not left when the leader is replaced is refused, for it has no effect", () => {
		const machine = follower();
		machine.step(
			{ type: "request", requestId: 1, request: proposal("x") },
			{ type: "message", from: c, message: append({ term: term(2), prevIndex: index(1), prevTerm: term(1) }) },
		);
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: c }]);
		expect(forwards(machine, c)).toEqual([]);
	});

	it("a command of a session is answered by its first copy, wherever it stands and whoever was told of it", () => {
		const machine = follower();
		const requestId = machine.request(ofSession("x", 1, 4));
		const copy: Entry = { ...command(1, "x"), session: 1 as SessionId, serial: 4, firstIncomplete: 4 };
		expect(answered(machine.receive(b, committed(2, [copy])))).toEqual([requestId]);
		machine.receive(b, taken(1, 1, 1, 3));
		expect(answered(machine.receive(b, committed(3, [copy])))).toEqual([]);
		machine.request(ofSession("y", 1, 5));
		expect(answered(machine.receive(b, committed(4, [{ ...copy, serial: 6 }])))).toEqual([]);
		expect(answered(machine.receive(b, committed(5, [{ ...copy, session: 2 as SessionId, serial: 5 }])))).toEqual([]);
	});

	it("what a snapshot has taken the place of is unknown, also if the leader tells its index only then", () => {
		const machine = follower();
		machine.request(proposal("x"));
		machine.receive(b, taken(1, 1, 1, 2)).request(proposal("y"));
		const snapshot = snapshotAt(5, 1);
		machine.receive(b, chunk(1, snapshot, 0, bytes("abcdef"))).writesComplete();
		expect(machine.replies).toEqual([{ type: "outcome-unknown", leader: b }]);
		expect(machine.receive(b, taken(1, 1, 2, 3)).replies).toEqual([{ type: "outcome-unknown", leader: b }]);
	});

	it("numbers its lives on the disk before it asks, and does not take an answer to a former life's", () => {
		const machine = follower();
		machine.request(proposal("x"));
		expect(machine.writes).toEqual([{ hardState: { term: 1, votedFor: null, askingLives: 1 } }]);
		expect(machine.isHeld("forwarded-proposals")).toBe(true);
		machine.writesComplete().request(proposal("y"));
		expect(machine.isHeld("forwarded-proposals")).toBe(false);
		const hardState = { term: term(1), votedFor: null, askingLives: 1 };
		const durable = { hardState, snapshot: null, firstIndex: index(1), entries: entriesOf([1]) };
		const next = new LoneMachine({ durable, config: { forwardProposals } }).receive(b, committed(1));
		next.request(proposal("z"));
		expect(forwards(next, b)).toEqual([forwarded(1, 2, 1, [command(1, "z")])]);
		next.receive(b, taken(1, 1, 1, 2)).receive(b, notTaken(1, 1, 1, { reason: "too-many-pending", limit: 1 }));
		expect(next.replies).toEqual([]);
		expect(answered(next.receive(b, committed(2, [command(1, "x")])))).toEqual([]);
	});

	it("a question for a read index and a proposal share the number of a life", () => {
		const machine = follower({ followerReads: true });
		machine.request({ type: "read", query: bytes("") });
		machine.request(proposal("x"));
		expect(forwards(machine, b)).toEqual([forwarded(1, 1, 1, [command(1, "x")])]);
	});
});

describe("a leader that is forwarded proposals", () => {
	const leader = (config = {}): LoneMachine => new LoneMachine({ config }).becomeLeader().commitAll();
	const logged = (machine: LoneMachine): string[] =>
		machine.view.log.entries.slice(1).map(({ data }) => new TextDecoder().decode(data));

	it("appends them, tells where they stand, and names no local request for them", () => {
		const machine = leader();
		machine.receive(b, forwarded(1, 1, 1, [command(1, "x"), command(1, "y")]));
		expect(machine.sent(b)[0]).toEqual(taken(1, 1, 1, 2, 2));
		machine.commitAll();
		expect(machine.all.filter((effect) => effect.type === "reply")).toEqual([]);
		expect(logged(machine)).toEqual(["x", "y"]);
	});

	it("takes a number once, and tells whoever asks again what came of it", () => {
		const machine = leader();
		machine.receive(b, forwarded(1, 1, 1, [command(1, "x")]));
		machine.receive(b, forwarded(1, 1, 2, [command(1, "y")], 1));
		machine.receive(b, forwarded(1, 1, 1, [command(1, "x")]));
		expect(machine.sent(b)).toEqual([taken(1, 1, 1, 2)]);
		expect(logged(machine)).toEqual(["x", "y"]);
	});

	it("a refusal stays one: a late copy is not taken when there is room", () => {
		const machine = leader({ maxPendingProposals: 1 });
		machine.receive(b, forwarded(1, 1, 1, [command(1, "x"), command(1, "y")]));
		const refusal = notTaken(1, 1, 2, { reason: "too-many-pending", limit: 1 });
		expect(machine.sent(b).slice(0, 2)).toEqual([taken(1, 1, 1, 2), refusal]);
		machine.commitAll().receive(b, forwarded(1, 1, 2, [command(1, "y")], 1));
		expect(machine.sent(b)).toEqual([refusal]);
		expect(logged(machine)).toEqual(["x"]);
	});

	it("forgets what its sender knows, and takes no copy of it any more", () => {
		const machine = leader();
		machine.receive(b, forwarded(1, 1, 1, [command(1, "x")]));
		machine.receive(b, forwarded(1, 1, 2, [command(1, "y")], 2));
		expect(machine.receive(b, forwarded(1, 1, 1, [command(1, "x")])).effects).toEqual([]);
		const { ledgers } = machine.machine.state as { ledgers: Map<NodeId, { outcomes: Map<number, unknown> }> };
		expect(ledgers.get(b)?.outcomes.size).toBe(1);
	});

	it("takes nothing of a former life of its sender", () => {
		const machine = leader();
		machine.receive(b, forwarded(1, 2, 1, [command(1, "y")]));
		expect(machine.receive(b, forwarded(1, 1, 1, [command(1, "x")])).effects).toEqual([]);
		expect(logged(machine)).toEqual(["y"]);
	});

	it("tells two followers' numbers apart", () => {
		const machine = leader();
		machine.receive(b, forwarded(1, 1, 1, [command(1, "x")])).receive(c, forwarded(1, 1, 1, [command(1, "y")]));
		expect(logged(machine)).toEqual(["x", "y"]);
	});

	it("refuses by its own bounds: bytes, size, a transfer under way", () => {
		const bytesBound = leader({ maxUncommittedBytes: 1024 });
		const large = command(1, "x".repeat(2000));
		bytesBound.receive(b, forwarded(1, 1, 1, [large, command(1, "y")]));
		expect(bytesBound.sent(b)).toContainEqual(
			notTaken(1, 1, 2, { reason: "too-many-uncommitted-bytes", limitBytes: 1024 }),
		);
		const sizeBound = leader({ maxEntryBytes: 2 }).receive(b, forwarded(1, 1, 1, [command(1, "xyz")]));
		expect(sizeBound.sent(b)).toEqual([notTaken(1, 1, 1, { reason: "too-large", sizeBytes: 3, limitBytes: 2 })]);
		const handing = leader();
		handing.request({ type: "transfer-leadership", to: c });
		expect(handing.receive(b, forwarded(1, 1, 1, [command(1, "x")])).sent(b)).toEqual([
			notTaken(1, 1, 1, { reason: "transfer-in-progress", to: c }),
		]);
	});

	it("one that does not lead leaves them unanswered, and one of an earlier term is dropped", () => {
		const machine = follower();
		expect(machine.receive(c, forwarded(1, 1, 1, [command(1, "x")])).effects).toEqual([]);
		const led = leader();
		led.receive(c, append({ term: term(2) })).receive(b, forwarded(1, 1, 1, [command(1, "x")]));
		expect(led.effects).toEqual([]);
	});

	it("steps down before proposals for a later term's leader", () => {
		const machine = leader().receive(b, forwarded(9, 1, 1, [command(9, "x")]));
		expect(machine.status).toMatchObject({ role: "follower", term: 9, leader: null });
		expect(machine.receive(c, taken(11, 1, 1, 0)).status).toMatchObject({ term: 11, leader: c });
	});

	it("answers before its entries are durable or decided, since it claims neither", () => {
		const machine = leader().receive(b, forwarded(1, 1, 1, [command(1, "x")]));
		expect(machine.isHeld("forward-response")).toBe(false);
		expect(machine.receive(c, accepted(1, 2)).status.commitIndex).toBe(1);
	});
});
