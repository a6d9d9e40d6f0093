/**
 * Goal: a member whose disk has lost what it may have acknowledged counts for nothing that it can not show: it neither votes
 * nor campaigns, its leader forgets its acknowledgements, and it is whole when it has all of it again.
 * Method: a lone machine as the damaged member and as its leader, the test as its peers; then a whole group on virtual time,
 * with a planted loss of a committed entry on the only disk beside the leader's.
 */
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../../protocols/core/index.ts";
import type {
	HardState,
	LogIndex,
	RaftDurable,
	RaftMessage,
	RaftSnapshot,
	RepairRequest,
	RepairResponse,
} from "../../../protocols/raft/index.ts";
import { raftConfig } from "../../../protocols/raft/index.ts";
import { Ledger } from "./chaos-run.ts";
import { DeterministicDriver } from "./deterministic-driver.ts";
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
	three,
} from "./lone-machine.ts";
import { StrictWatch } from "./strict-watch.ts";

function question(inTerm: number, life: number, lastIndex: number): RepairRequest {
	return { type: "repair-request", term: term(inTerm), life, lastIndex: index(lastIndex) };
}
function answer(inTerm: number, life: number, at: number): RepairResponse {
	return { type: "repair-response", term: term(inTerm), life, index: index(at) };
}
function durable(terms: readonly number[], more: Partial<RaftDurable> = {}): RaftDurable {
	const hardState: HardState = { term: term(1), votedFor: null };
	return { hardState, snapshot: null, firstIndex: index(1), entries: entriesOf(terms), ...more };
}
/** A member of term 1 whose disk shows two entries and can not read what follows. */
const damaged = (more: Partial<RaftDurable> = {}): LoneMachine =>
	new LoneMachine({ durable: durable([1, 1], { damagedFrom: index(3), ...more }) });
const heartbeat = (prev: number, inTerm = 1): RaftMessage =>
	append({ term: term(inTerm), prevIndex: index(prev), prevTerm: term(inTerm), commit: index(0) });
const isUnderRepair = (machine: LoneMachine): boolean =>
	(machine.machine.state as { readonly repair: unknown }).repair !== null;

describe("a member whose log is damaged", () => {
	it("cuts what can not be read, and notes in the same persist that it is under repair", () => {
		const machine = damaged();
		expect(machine.events).toContainEqual({ type: "log-damaged", from: 3, lastIndex: 2 });
		expect(machine.step().writes.concat(machine.all.flatMap((e) => (e.type === "persist" ? [e.write] : [])))).toEqual([
			{ hardState: { term: 1, votedFor: null, askingLives: 1, isUnderRepair: true }, truncateFrom: 3 },
		]);
	});

	it("gives neither vote nor pre-vote, and takes up later terms", () => {
		const machine = damaged();
		machine.receive(c, requestVote(2, 9, 9, true));
		expect(machine.sentOnly(c, "vote").granted).toBe(false);
		machine.receive(c, requestVote(2, 9, 9));
		expect(machine.sentOnly(c, "vote")).toMatchObject({ term: 2, granted: false });
		expect(machine.view.votedFor).toBeNull();
	});

	it("never campaigns, not even when the leader asks for it", () => {
		const machine = damaged();
		for (let i = 0; i < 9; i++) machine.electionTimeout();
		machine.receive(b, { type: "timeout-now", term: term(1), lastIndex: index(2) });
		expect(machine.status).toMatchObject({ role: "follower", term: 1 });
	});

	it("asks its leader how far it must get, after the note is durable, and again with each heartbeat", () => {
		const machine = damaged();
		machine.receive(b, heartbeat(2));
		expect(machine.sent(b)).toContainEqual(question(1, 1, 2));
		expect(machine.isHeld("repair-request")).toBe(true);
		expect(machine.receive(b, append({ ...heartbeatFields(2), entries: [command(1)] })).sent(b)).toMatchObject([
			{ type: "append-response" },
		]);
		expect(machine.receive(b, heartbeat(3)).sent(b)).toContainEqual(question(1, 1, 3));
	});

	it("votes again when it follows the leader's log as far as it was told, and that is durable", () => {
		const machine = damaged()
			.receive(b, heartbeat(2))
			.writesComplete()
			.receive(b, answer(1, 1, 4));
		machine.receive(b, append({ ...heartbeatFields(2), entries: entriesOf([1]) })).writesComplete();
		expect(isUnderRepair(machine)).toBe(true);
		machine.receive(b, append({ ...heartbeatFields(3), entries: entriesOf([1]) }));
		expect(isUnderRepair(machine)).toBe(true);
		machine.writesComplete();
		expect(machine.events).toContainEqual({ type: "log-repaired", through: 4 });
		expect(machine.step().all.at(-1)).toBeDefined();
		machine.electionTimeout().receive(c, requestVote(2, 9, 9));
		expect(machine.sentOnly(c, "vote").granted).toBe(true);
		expect(
			machine.all.flatMap((e) => (e.type === "persist" && e.write.hardState ? [e.write.hardState] : [])).at(-1),
		).toEqual({ term: 2, votedFor: c, askingLives: 1 });
	});

	it("entries that it has by itself are not enough: they must be the leader's", () => {
		const machine = damaged()
			.receive(b, answer(1, 1, 2))
			.writesComplete();
		expect(isUnderRepair(machine)).toBe(true);
		machine.receive(b, heartbeat(2));
		expect(isUnderRepair(machine)).toBe(false);
	});

	it("is told anew by the leader of another term", () => {
		const machine = damaged()
			.receive(b, heartbeat(2))
			.receive(b, answer(1, 1, 9));
		machine.receive(c, append({ term: term(2), prevIndex: index(2), prevTerm: term(1) }));
		expect(machine.sent(c)).toContainEqual(question(2, 1, 2));
		machine.receive(c, answer(2, 1, 2)).writesComplete();
		expect(isUnderRepair(machine)).toBe(false);
	});

	it("does not take an answer to a former life's question", () => {
		const hardState: HardState = { term: term(1), votedFor: null, askingLives: 3, isUnderRepair: true };
		const machine = damaged({ hardState })
			.receive(b, heartbeat(2))
			.receive(b, answer(1, 3, 2))
			.writesComplete();
		expect(isUnderRepair(machine)).toBe(true);
		expect(machine.receive(b, answer(1, 4, 2)).writesComplete().events).toEqual([]);
		expect(isUnderRepair(machine)).toBe(false);
	});

	it("that restarts before it is whole is under repair still, though its log looks whole", () => {
		const hardState: HardState = { term: term(1), votedFor: null, askingLives: 1, isUnderRepair: true };
		const machine = new LoneMachine({ durable: durable([1, 1], { hardState }) });
		expect(machine.events).toContainEqual({ type: "log-damaged", from: null, lastIndex: 2 });
		machine.receive(c, requestVote(2, 9, 9));
		expect(machine.sentOnly(c, "vote").granted).toBe(false);
	});

	it("tells a leader that expects too much where its log ends, and one whose log differs where they may agree", () => {
		const machine = damaged()
			.receive(b, heartbeat(2))
			.receive(b, answer(1, 1, 9))
			.writesComplete();
		expect(machine.receive(b, heartbeat(7)).sent(b)).toEqual([question(1, 1, 2)]);
		const differs = append({ term: term(1), prevIndex: index(2), prevTerm: term(0) });
		expect(machine.receive(b, differs).sent(b)).toMatchObject([{ type: "append-response", accepted: false }]);
	});

	it("acknowledges what it has on its disk", () => {
		const machine = damaged().receive(b, append({ ...heartbeatFields(2), entries: entriesOf([1]) }));
		expect(machine.isHeld("append-response")).toBe(true);
		expect(machine.sent(b)).toContainEqual(accepted(1, 3));
	});

	it("whose snapshot can not be read gets one from its leader, and is whole with it", () => {
		const nothing = { entries: [], damagedFrom: index(1) };
		const machine = damaged(nothing).receive(b, heartbeat(9));
		expect(machine.all.flatMap((e) => (e.type === "persist" ? [e.write.truncateFrom] : []))).toEqual([1]);
		machine.receive(b, answer(1, 1, 6)).writesComplete();
		machine.receive(b, chunk(1, snapshotAt(6, 1), 0, bytes("abcdef")));
		expect(isUnderRepair(machine)).toBe(true);
		expect(machine.writesComplete().deliveries).toMatchObject([{ type: "restore-snapshot" }]);
		expect(isUnderRepair(machine)).toBe(false);
	});

	it("whose damage begins behind its snapshot keeps that, and cuts from the damage on", () => {
		const snapshot: RaftSnapshot = snapshotAt(2, 1);
		const machine = damaged({ snapshot, firstIndex: index(2), entries: entriesOf([1, 1]), damagedFrom: index(4) });
		expect(machine.status).toMatchObject({ commitIndex: 2, lastIndex: 3 });
		const inside = damaged({ snapshot, firstIndex: index(1), entries: entriesOf([1]), damagedFrom: index(2) });
		expect(inside.status).toMatchObject({ baseIndex: 2, lastIndex: 2 });
		const [write] = inside.step().all.flatMap((e) => (e.type === "persist" ? [e.write] : []));
		expect(write).toMatchObject({ truncateFrom: 1, compactThrough: 2 });
	});
});

describe("a member whose snapshot is damaged", () => {
	const snapshot: RaftSnapshot = snapshotAt(4, 1);
	/** Its snapshot ends at 4 and can not be read; its log has two entries behind it. */
	const stateless = (more: Partial<RaftDurable> = {}): LoneMachine =>
		damaged({ snapshot, isSnapshotDamaged: true, firstIndex: index(5), damagedFrom: undefined, ...more } as never);
	const wish = (minIndex: number): RaftMessage => ({
		type: "snapshot-request",
		term: term(1),
		minIndex: index(minIndex),
	});
	const install = (at: number): RaftMessage => chunk(1, snapshotAt(at, 1), 0, bytes("abcdef"));

	it("says so, loads nothing, and notes durably that it is under repair; log, term and vote are as they were", () => {
		const hardState: HardState = { term: term(7), votedFor: c };
		const machine = stateless({ hardState });
		expect(machine.events).toContainEqual({ type: "snapshot-damaged", lastIndex: 4, remedy: "leader" });
		expect(machine.deliveries).toEqual([]);
		expect(machine.status).toMatchObject({ term: 7, commitIndex: 4, baseIndex: 4, lastIndex: 6 });
		const writes = machine.all.flatMap((effect) => (effect.type === "persist" ? [effect.write] : []));
		expect(writes).toEqual([{ hardState: { ...hardState, askingLives: 1, isUnderRepair: true } }]);
	});

	it("gives neither vote nor pre-vote, and never campaigns", () => {
		const machine = stateless();
		for (let i = 0; i < 9; i++) machine.electionTimeout();
		expect(machine.status).toMatchObject({ role: "follower", term: 1 });
		machine.receive(c, requestVote(2, 9, 9, true));
		expect(machine.sentOnly(c, "vote").granted).toBe(false);
		machine.receive(c, requestVote(2, 9, 9));
		expect(machine.sentOnly(c, "vote")).toMatchObject({ term: 2, granted: false });
		machine.receive(b, { type: "timeout-now", term: term(2), lastIndex: index(6) });
		expect(machine.status).toMatchObject({ role: "follower", term: 2 });
	});

	it("gives no second vote in a term in which it has voted, when it is whole again", () => {
		const machine = stateless({ hardState: { term: term(1), votedFor: c } });
		machine.receive(b, heartbeat(6)).writesComplete();
		machine
			.receive(b, answer(1, 1, 6))
			.receive(b, install(5))
			.writesComplete();
		expect(isUnderRepair(machine)).toBe(false);
		machine.electionTimeout().receive(b, requestVote(1, 9, 9));
		expect(machine.sentOnly(b, "vote")).toMatchObject({ granted: false });
	});

	it("asks for a snapshot that reaches as far as its own, and takes entries into its log meanwhile", () => {
		const machine = stateless().receive(b, heartbeat(6)).writesComplete();
		expect(machine.all).toContainEqual(expect.objectContaining({ type: "send", to: b, message: wish(4) }));
		machine.receive(b, append({ ...heartbeatFields(6), entries: entriesOf([1]), commit: index(7) })).writesComplete();
		expect(machine.all).toContainEqual(expect.objectContaining({ message: accepted(1, 7) }));
		expect(machine.deliveries).toEqual([]);
	});

	it("answers no read, though what it asks for is covered by what it had applied", () => {
		const machine = new LoneMachine({
			config: { followerReads: true },
			durable: { ...durable([]), snapshot, isSnapshotDamaged: true, firstIndex: index(5) },
		});
		machine.receive(b, heartbeat(4)).writesComplete();
		machine.request({ type: "read", query: bytes("q") });
		const life = 1;
		machine.receive(b, { type: "read-index-response", term: term(1), life, question: 1, index: index(4) });
		machine.request({ type: "read-at", level: "stale", maxStalenessMs: Number.MAX_SAFE_INTEGER, query: bytes("q") });
		expect(machine.all.filter(({ type }) => type === "apply")).toEqual([]);
	});

	it("is whole when its application has a snapshot and the log is there as far as it was told", () => {
		const machine = stateless().receive(b, heartbeat(6)).writesComplete();
		machine.receive(b, answer(1, 1, 6));
		expect(isUnderRepair(machine)).toBe(true);
		machine.receive(b, install(5));
		expect(isUnderRepair(machine)).toBe(true);
		machine.writesComplete();
		expect(machine.deliveries).toMatchObject([{ type: "restore-snapshot", snapshot: { lastIndex: 5 } }]);
		expect(machine.events).toContainEqual({ type: "snapshot-repaired", lastIndex: 5 });
		expect(isUnderRepair(machine)).toBe(false);
	});

	it("takes none that reaches less far than its own", () => {
		const machine = stateless().receive(b, heartbeat(6)).writesComplete();
		machine.receive(b, install(3));
		expect(machine.writes).toEqual([]);
		expect(isUnderRepair(machine)).toBe(true);
	});

	it("asks the next leader when it has lost its own, and in silence goes on asking the one that it knows", () => {
		const machine = stateless().receive(b, heartbeat(6)).writesComplete();
		machine.electionTimeout().electionTimeout();
		expect(machine.sent(b)).toContainEqual(question(1, 1, 6));
		expect(machine.sent(b)).toContainEqual(wish(4));
		machine.receive(c, append({ term: term(2), prevIndex: index(6), prevTerm: term(1) }));
		expect(machine.sent(c)).toContainEqual({ ...wish(4), term: 2 });
	});

	it("wakes a leader that says that there is nothing more to come", () => {
		const machine = stateless().receive(b, heartbeat(6)).writesComplete();
		machine.receive(b, { type: "quiesce", term: term(1), lastIndex: index(6) });
		expect(machine.sent(b)).toContainEqual(wish(4));
		expect(machine.status.isQuiet).toBe(false);
	});

	it("that restarts finds it again", () => {
		const hardState: HardState = { term: term(1), votedFor: null, askingLives: 1, isUnderRepair: true };
		const machine = stateless({ hardState });
		expect(machine.events).toContainEqual({ type: "snapshot-damaged", lastIndex: 4, remedy: "leader" });
		expect(machine.deliveries).toEqual([]);
	});
});

describe("a leader whose snapshot is damaged", () => {
	const read = (machine: LoneMachine): number =>
		machine.all.reduce((last, effect) => (effect.type === "read" ? effect.readId : last), 0);
	/** It has a snapshot through 3, and its peer b needs that. */
	const leader = (): LoneMachine => {
		const machine = new LoneMachine({ config: { retainedEntries: 0 } }).becomeLeader();
		for (const text of ["x", "y"]) machine.request(proposal(text));
		machine.commitAll();
		machine.step({ type: "snapshot-ready", snapshot: snapshotAt(3, 1) });
		return machine.receive(b, question(1, 1, 0)).heartbeat();
	};
	const isDamaged = (machine: LoneMachine): LoneMachine =>
		machine.step({
			type: "read-completed",
			readId: read(machine),
			result: { type: "damaged", lastIndex: index(3) },
		});

	it("takes another that reaches further, once, and sends that", () => {
		const machine = leader();
		machine.request(proposal("z"));
		machine.writesComplete().receive(c, accepted(1, 4));
		isDamaged(machine);
		expect(machine.events).toEqual([{ type: "snapshot-damaged", lastIndex: 3, remedy: "own" }]);
		expect(machine.deliveries).toMatchObject([{ type: "take-snapshot", lastIndex: 4 }]);
		isDamaged(machine.heartbeat());
		expect(machine.effects).toEqual([]);
		machine.step({ type: "snapshot-ready", snapshot: snapshotAt(4, 1) }).heartbeat();
		expect(machine.effects).toContainEqual(
			expect.objectContaining({ type: "read", read: expect.objectContaining({ lastIndex: 4 }) }),
		);
	});

	it("with nothing decided behind it appends an entry that changes nothing, once", () => {
		const machine = isDamaged(leader());
		expect(machine.writes).toMatchObject([{ append: { firstIndex: 4, entries: [{ kind: "no-op" }] } }]);
		isDamaged(machine.heartbeat());
		expect(machine.writes).toEqual([]);
		machine.writesComplete().receive(c, accepted(1, 4));
		isDamaged(machine.heartbeat());
		expect(machine.deliveries).toMatchObject([{ type: "take-snapshot", lastIndex: 4 }]);
	});
});

describe("the leader of a member under repair", () => {
	const leader = (): LoneMachine => {
		const machine = new LoneMachine({}).becomeLeader();
		for (const text of ["x", "y"]) machine.request(proposal(text));
		return machine.commitAll();
	};
	const match = (machine: LoneMachine, node: NodeId): LogIndex | undefined =>
		machine.status.peers.find((peer) => peer.node === node)?.match;

	it("forgets what the member has acknowledged, tells the end of its own log, and sends what is missing", () => {
		const machine = leader();
		machine.request(proposal("z"));
		machine.receive(b, question(1, 4, 1));
		// Of all of it, committed or not: it may have acknowledged that.
		expect(machine.sent(b)[0]).toEqual(answer(1, 4, 4));
		expect(machine.sent(b)[1]).toMatchObject({ type: "append-entries", prevIndex: 1, entries: [{}, {}, {}] });
		expect(match(machine, b)).toBe(1);
	});

	it("does not count towards a commit what the member can not show", () => {
		const machine = new LoneMachine({}).becomeLeader();
		machine.request(proposal("x"));
		machine
			.receive(b, accepted(1, 2))
			.receive(b, question(1, 1, 1))
			.writesComplete();
		expect(machine.status.commitIndex).toBe(1);
		machine.receive(b, accepted(1, 2));
		expect(machine.status.commitIndex).toBe(2);
	});

	it("a late acknowledgement of the member's former life does not lock it out: it disclaims again", () => {
		const machine = leader()
			.receive(b, question(1, 1, 1))
			.receive(b, accepted(1, 3));
		expect(match(machine, b)).toBe(3);
		machine.receive(b, question(1, 1, 1));
		expect(machine.sent(b)[1]).toMatchObject({ type: "append-entries", prevIndex: 1 });
	});

	it("goes on sending a snapshot that was asked for, whatever is asked or acknowledged meanwhile", () => {
		const machine = leader().step({ type: "snapshot-ready", snapshot: snapshotAt(3, 1) });
		machine.receive(b, { type: "snapshot-request", term: term(1), minIndex: index(2) });
		const isSending = (): boolean => machine.status.peers.find(({ node }) => node === b)?.mode === "snapshot";
		expect(isSending()).toBe(true);
		machine.receive(b, question(1, 1, 3)).receive(b, accepted(1, 3));
		expect(isSending()).toBe(true);
	});

	it("takes no commit back", () => {
		expect(leader().receive(b, question(1, 1, 0)).status.commitIndex).toBe(3);
	});

	it("who no longer leads, or does not know the asker, says nothing", () => {
		const machine = leader().receive(c, append({ term: term(2) }));
		expect(machine.receive(b, question(2, 1, 0)).sent()).toEqual([]);
		expect(
			leader()
				.receive("x" as NodeId, question(1, 1, 0))
				.sent(),
		).toEqual([]);
	});
});

function heartbeatFields(prev: number): Parameters<typeof append>[0] {
	return { term: term(1), prevIndex: index(prev), prevTerm: term(1) };
}

describe("a group in which a committed entry is damaged", () => {
	it("elects nobody without that entry, and the damaged member gets it from the one that has it, for every seed", () => {
		for (let seed = 1; seed <= 40; seed++) {
			const watch = new StrictWatch();
			const observe = watch.observe.bind(watch);
			const config = (id: NodeId): ReturnType<typeof raftConfig> => raftConfig({ nodeId: id, voters: three });
			const driver = new DeterministicDriver({ seed, voters: three, config, application: () => new Ledger(), observe });
			const lead = (): NodeId | undefined =>
				driver.nodes.find((id) => driver.isUp(id) && driver.machine(id).status.role === "leader");
			driver.runUntil(() => lead() !== undefined, 5000);
			const leader = lead() as NodeId;
			const [witness, other] = driver.nodes.filter((id) => id !== leader) as [NodeId, NodeId];
			driver.run(200);
			driver.crash(other);
			let isDone = false;
			driver.request(leader, proposal("x"), (outcome) => {
				isDone = outcome.type === "result";
			});
			expect(driver.runUntil(() => isDone, 1000)).toBe(true);
			driver.run(200);
			// Leader and one follower have it. The leader dies, and the follower's disk loses it.
			driver.crash(leader);
			driver.crash(witness);
			driver.damage(witness, driver.disk(witness).entries.length);
			driver.restart(witness);
			driver.restart(other);
			expect(driver.runUntil(() => lead() !== undefined, 5000)).toBe(false);
			driver.restart(leader);
			expect(driver.runUntil(() => lead() !== undefined && watch.isRecovered, 5000)).toBe(true);
			expect(driver.runUntil(() => driver.disk(witness).hardState.isUnderRepair === undefined, 2000)).toBe(true);
			for (const id of three) expect((driver.application(id) as Ledger).applied).toEqual(["x"]);
		}
	});
});
