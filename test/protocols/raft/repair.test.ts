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
