/**
 * Goal: the machine keeps the promises of `protocols/core` that every host relies on: its state is canonical plain data, a
 * copy is independent and behaves alike, a step depends on inputs alone, and `batch-ended` says everything once.
 * Method: nodes in the midst of chaotic runs, taken apart from their hosts.
 */
import { describe, expect, it } from "vitest";
import { canonicalHash, canonicalText, type Effect, type Input, type NodeId } from "../../../protocols/core/index.ts";
import { configurationOf, type RaftMachine, type RaftTypes } from "../../../protocols/raft/index.ts";
import { runChaos } from "./chaos-run.ts";
import {
	a,
	accepted,
	append,
	b,
	bytes,
	c,
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

/** Machines in many different states: every role, windows half full, snapshots in transfer, reads and writes under way. */
function machines(): RaftMachine[] {
	const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
	const used = seeds.flatMap((seed) => {
		const { driver } = runChaos(seed, 5, seed % 2 === 0);
		return driver.nodes.map((id) => driver.machine(id));
	});
	const leader = new LoneMachine({ config: { snapshotEveryEntries: 2, retainedEntries: 0 } }).becomeLeader();
	leader.request(proposal("x"));
	leader
		.writesComplete()
		.receive(c, accepted(1, 2))
		.step({ type: "snapshot-ready", snapshot: snapshotAt(2, 1) });
	leader.receive(b, accepted(1, 0)).request({ type: "read", query: bytes("?") });
	const candidate = new LoneMachine({}).electionTimeout().receive(b, vote(1, true, true));
	return [...used, leader.machine, candidate.machine, new LoneMachine({}).electionTimeout().machine];
}

/** What any machine may meet next, in every order that matters. */
const inputs: readonly Input<RaftTypes>[] = [
	{ type: "request", requestId: 1_000_001, request: proposal("y") },
	{ type: "request", requestId: 1_000_002, request: { type: "read", query: bytes("?") } },
	{ type: "batch-ended" },
	{ type: "timer", timer: "heartbeat" },
	{ type: "message", from: b, message: requestVote(900, 900, 900, true) },
	{ type: "timer", timer: "election" },
	{ type: "timer", timer: "election" },
	{ type: "batch-ended" },
	{ type: "message", from: b, message: vote(899, false) },
	{ type: "message", from: b, message: append({ term: term(900) }) },
	{ type: "batch-ended" },
	{ type: "message", from: c, message: refused(901, 0, 0, 0) },
	{ type: "peer-unreachable", peer: b },
	{ type: "batch-ended" },
];

function play(machine: RaftMachine): Effect<RaftTypes>[] {
	const effects: Effect<RaftTypes>[] = [];
	for (const input of inputs) machine.step(input, 0, effects);
	return effects;
}

describe("RaftMachine as a StateMachine", () => {
	it("has a state that is canonical plain data", () => {
		for (const machine of machines()) expect(canonicalText(machine.state)).toMatch(/^\{.*\}$/);
	});

	it("has a copy in an equal state that is independent of it", () => {
		for (const machine of machines()) {
			const copy = machine.copy();
			const before = canonicalText(machine.state);
			expect(canonicalText(copy.state)).toBe(before);
			play(machine);
			expect(canonicalText(copy.state)).toBe(before);
		}
	});

	it("does the same as its copy from then on: a step depends on inputs alone, not on the clock", () => {
		for (const machine of machines()) {
			const copy = machine.copy();
			expect(play(copy)).toEqual(play(machine));
			expect(canonicalHash(copy.state)).toBe(canonicalHash(machine.state));
		}
	});

	it("says everything at the first batch-ended, nothing at a second", () => {
		for (const machine of machines()) {
			machine.step({ type: "request", requestId: 1_000_003, request: proposal("z") }, 0, []);
			machine.step({ type: "batch-ended" }, 0, []);
			const again: Effect<RaftTypes>[] = [];
			machine.step({ type: "batch-ended" }, 0, again);
			expect(again).toEqual([]);
		}
	});

	it("delivers at most maxEntriesPerDelivery entries at once, each with the request that waits for it", () => {
		const leader = new LoneMachine({ term: 1, log: [1, 1, 1], config: { maxEntriesPerDelivery: 2 } }).becomeLeader();
		leader.step(...[7, 8].map((requestId) => ({ type: "request" as const, requestId, request: proposal("x") })));
		leader.writesComplete().writesComplete().receive(b, accepted(2, 6));
		expect(leader.deliveries).toMatchObject([
			{ firstIndex: 1, requestIds: null },
			{ firstIndex: 3, requestIds: null },
			{ firstIndex: 5, requestIds: [7, 8] },
		]);
		const other = new LoneMachine({ term: 1, log: [1], config: { maxEntriesPerDelivery: 10 } }).becomeLeader();
		other.step({ type: "request", requestId: 9, request: proposal("x") });
		other.writesComplete().writesComplete().receive(b, accepted(2, 3));
		expect(other.deliveries).toMatchObject([{ firstIndex: 1, requestIds: [null, null, 9] }]);
	});

	it("shows its status without the cost of its state", () => {
		const { machine } = new LoneMachine({}).becomeLeader();
		const configuration = configurationOf(three);
		expect(machine.status).toEqual({
			role: "leader",
			term: 1,
			leader: a,
			commitIndex: 0,
			deliveredIndex: 0,
			lastIndex: 1,
			baseIndex: 0,
			snapshotIndex: 0,
			pendingProposals: 0,
			isApplicationBehind: false,
			isWithoutState: false,
			isQuiet: false,
			uncommittedBytes: 37,
			leaseMs: 0,
			pendingReads: 0,
			forwardedProposals: 0,
			configuration,
			configurationIndex: 0,
			configurationCommitted: true,
			transferTo: null,
			peers: [b, c].map((node) => ({
				node,
				mode: "probe",
				match: 0,
				next: 1,
				lagEntries: 1,
				inflight: 0,
				inflightBytes: 0,
				waitsFor: "answer",
				snapshotBytes: null,
				isAlive: true,
				silentMs: 0,
			})),
		});
	});

	it("says who is behind and why, and how long it has been silent, without that being part of its state", () => {
		const leader = new LoneMachine({ config: { maxEntriesPerAppend: 1, maxInflightAppends: 2 } }).becomeLeader();
		const { machine } = leader.commitAll();
		for (const text of ["x", "y", "z"]) leader.request(proposal(text));
		const before = canonicalHash(machine.state);
		const late = (from: NodeId, now: number): void =>
			machine.step({ type: "message", from, message: accepted(1, 1) }, now, []);
		late(c, 100);
		late(b, 250);
		expect(canonicalHash(machine.state)).toBe(before);
		expect(machine.status.peers).toMatchObject([
			{ node: b, mode: "replicate", match: 1, next: 4, lagEntries: 3, inflight: 2, waitsFor: "window", silentMs: 0 },
			{ node: c, mode: "replicate", match: 1, next: 4, lagEntries: 3, inflight: 2, waitsFor: "window", silentMs: 150 },
		]);
	});

	it("says why a peer is sent nothing more", () => {
		const waits = ({ status }: LoneMachine): string[] => status.peers.map(({ waitsFor }) => waitsFor);
		const leader = new LoneMachine({ config: { witnesses: [c] } }).becomeLeader().commitAll();
		expect(waits(leader)).toEqual(["nothing", "nothing"]);
		leader.request(proposal("x"));
		expect(waits(leader)).toEqual(["nothing", "full-member"]);
		leader.step({ type: "peer-unreachable", peer: b });
		expect(waits(leader)).toEqual(["unreachable", "full-member"]);
		const snapshot = snapshotAt(4, 1);
		const durable = { hardState: { term: term(1), votedFor: null }, snapshot, firstIndex: index(5), entries: [] };
		const sender = new LoneMachine({ durable }).becomeLeader().receive(b, refused(2, 4, 0, 0));
		expect(waits(sender)).toEqual(["snapshot", "answer"]);
	});
});
