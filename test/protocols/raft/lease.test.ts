/**
 * Goal: with leases (thesis §6.4.1) a leader answers reads without a round exactly as long as nobody else can lead, and
 * what that rests on holds: who promised to stay away does, over terms, restarts and pauses. Clocks worse than the bound
 * give stale reads: the assumption is real.
 * Method: a lone machine whose peers, disk and clock the test plays; and groups with clocks that run at different rates,
 * in which a partitioned leader is asked while the others elect and write.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { type RaftConfig, type RaftRequest, raftConfig, type SessionId } from "../../../protocols/raft/index.ts";
import { Ledger } from "./chaos-run.ts";
import { DeterministicDriver } from "./deterministic-driver.ts";
import {
	accepted,
	append,
	b,
	bytes,
	c,
	entriesOf,
	index,
	LoneMachine,
	requestVote,
	term,
	vote,
} from "./lone-machine.ts";

const read: RaftRequest = { type: "read", query: bytes("all") };
const lease = { maxClockDriftPpm: 0 };
const queries = ({ deliveries }: LoneMachine): number =>
	deliveries.filter((delivery) => delivery.type === "query").length;

/** A leader whose first round began now, and is not confirmed. */
function leader(config: Partial<RaftConfig> = {}): LoneMachine {
	return new LoneMachine({ config: { lease, ...config } }).becomeLeader().commitAll().heartbeat();
}
/** Whether a read is answered at once. */
function answersNow(machine: LoneMachine): boolean {
	machine.request(read);
	return queries(machine) === 1;
}

describe("a leader with a lease", () => {
	it("answers at once when a quorum has echoed a round, and not before", () => {
		const machine = leader();
		expect(answersNow(machine)).toBe(false);
		machine.receive(b, accepted(1, 1, 1));
		expect(answersNow(machine)).toBe(true);
		expect(machine.sent()).toEqual([]);
		expect(machine.status.leaseMs).toBe(148);
	});

	it("counts from the begin of the round, not from its echo, to the minimum election timeout", () => {
		const machine = leader()
			.after(100)
			.receive(b, accepted(1, 1, 1));
		expect(answersNow(machine.after(47))).toBe(true);
		expect(answersNow(machine.after(1))).toBe(false);
		expect(machine.sentOnly(b, "append-entries").round).toBe(2);
		expect(queries(machine.receive(c, accepted(1, 1, 2)))).toBe(1);
	});

	it("is shorter by what clocks may differ", () => {
		const machine = leader({ lease: { maxClockDriftPpm: 200_000 } }).receive(b, accepted(1, 1, 1));
		expect(machine.status.leaseMs).toBeCloseTo((150 * 0.8) / 1.2 - 2, 9);
		expect(answersNow(machine.after(97))).toBe(true);
		expect(answersNow(machine.after(2))).toBe(false);
	});

	it("is renewed by each heartbeat that a quorum answers", () => {
		const machine = leader().receive(b, accepted(1, 1, 1));
		for (let round = 2; round < 10; round++) {
			machine
				.after(50)
				.heartbeat()
				.receive(c, accepted(1, 1, round));
			expect(machine.status.leaseMs).toBe(148);
			expect(answersNow(machine)).toBe(true);
		}
	});

	it("answers nothing before an entry of its term is committed", () => {
		const machine = new LoneMachine({ config: { lease } })
			.becomeLeader()
			.heartbeat()
			.receive(b, accepted(1, 0, 1));
		expect(machine.status.leaseMs).toBe(148);
		expect(answersNow(machine)).toBe(false);
		machine.writesComplete();
		expect(queries(machine.receive(b, accepted(1, 1, 1)))).toBe(1);
	});

	it("answers followers' questions too", () => {
		const machine = leader().receive(b, accepted(1, 1, 1));
		machine.receive(c, { type: "read-index-request", term: term(1), life: 1, question: 1 });
		expect(machine.sentOnly(c, "read-index-response").index).toBe(1);
	});

	it("ends with its leadership, and the next one has none yet", () => {
		const machine = leader().receive(b, accepted(1, 1, 1));
		machine.receive(c, append({ term: term(2) }));
		expect(machine.status.leaseMs).toBe(0);
		machine.after(150).electionTimeout().becomeLeader();
		expect(machine.status).toMatchObject({ role: "leader", leaseMs: 0 });
	});

	it("ends with a transfer that is begun, and does not come back when that is given up: the target may still campaign", () => {
		const machine = leader().receive(b, accepted(1, 1, 1));
		machine.request({ type: "transfer-leadership", to: b });
		expect(answersNow(machine)).toBe(false);
		machine.step({ type: "timer", timer: "transfer" });
		expect(machine.status).toMatchObject({ role: "leader", transferTo: null });
		machine.heartbeat().receive(b, accepted(1, 1, 3));
		expect(machine.status.leaseMs).toBe(0);
	});

	it("is not there unless the config says so, nor is time part of the state", () => {
		const plain = leader({ lease: null }).receive(b, accepted(1, 1, 0));
		expect(answersNow(plain)).toBe(false);
		expect(plain.status.leaseMs).toBe(0);
		const machine = leader();
		const before = machine.machine.state;
		expect(machine.after(10).step().machine.state).toEqual(before);
	});
});

describe("a member that a leader with a lease may count on", () => {
	const member = (): LoneMachine =>
		new LoneMachine({ term: 1, log: [1], config: { lease } }).receive(b, append({ term: term(1) })).writesComplete();

	it("gives no vote until the minimum election timeout is over", () => {
		const machine = member();
		expect(machine.receive(c, requestVote(2, 9, 9)).sent()).toEqual([]);
		machine.electionTimeout().receive(c, requestVote(2, 9, 9));
		expect(machine.sentOnly(c, "vote").granted).toBe(true);
	});

	it("gives none in a later term either, wherever it heard of that", () => {
		const machine = member().receive(c, vote(5, false));
		expect(machine.status).toMatchObject({ term: 5, leader: null });
		expect(
			machine
				.writesComplete()
				.receive(c, requestVote(5, 9, 9))
				.sent(),
		).toEqual([]);
		expect(machine.receive(c, requestVote(6, 9, 9)).sent()).toEqual([]);
		expect(machine.status.term).toBe(5);
	});

	it("gives its vote to a successor that the leader wants", () => {
		const machine = member().receive(c, requestVote(2, 9, 9, false, true));
		expect(machine.sentOnly(c, "vote").granted).toBe(true);
	});

	it("votes for nobody for as long after a restart, since it may have heard the leader just before", () => {
		const hardState = { term: term(1), votedFor: null };
		const durable = { hardState, snapshot: null, firstIndex: index(1), entries: entriesOf([1]) };
		const machine = new LoneMachine({ durable, config: { lease } });
		expect(machine.timers("election")).toEqual([{ min: 150, max: 150 }]);
		expect(machine.receive(c, requestVote(2, 9, 9)).sent()).toEqual([]);
		machine.electionTimeout().receive(c, requestVote(2, 9, 9));
		expect(machine.sentOnly(c, "vote").granted).toBe(true);
		const first = new LoneMachine({ config: { lease } }).receive(c, requestVote(1, 0, 0));
		expect(first.sentOnly(c, "vote").granted).toBe(true);
	});
});

describe("a group with leases", () => {
	const nodes = ["n1", "n2", "n3"].map(nodeId);

	/** A leader that is cut off, or paused, and asked to read every few milliseconds while the others go on without it. */
	function staleReads(seed: number, rateOfLeader: number, maxClockDriftPpm: number, pauseMs = 0): Counts {
		const counts = { answered: 0, stale: 0, written: 0 };
		const [old, ...others] = nodes as [NodeId, ...NodeId[]];
		const driver = new DeterministicDriver({
			seed,
			voters: nodes,
			config: (nodeId) => raftConfig({ nodeId, voters: nodes, lease: { maxClockDriftPpm } }),
			application: () => new Ledger(),
			clockRate: (node) => (node === old ? rateOfLeader : 1),
		});
		driver.run(10);
		driver.input(old, { type: "timer", timer: "election" });
		const leaderOf = (of: readonly NodeId[]): NodeId | undefined =>
			of.find((id) => driver.machine(id).status.role === "leader");
		driver.runUntil(() => leaderOf([old]) !== undefined, 140);
		// A read opens a round sooner than a slow clock's heartbeat would.
		driver.request(old, read, () => {});
		expect(driver.runUntil(() => driver.machine(old).status.leaseMs > 0, 140)).toBe(true);
		driver.partition([[old], others]);
		if (pauseMs > 0) driver.pause(old, pauseMs);
		for (let elapsed = 0; elapsed < 1500; elapsed += 5) {
			const next = leaderOf(others);
			if (next !== undefined) driver.request(next, propose, ({ type }) => type === "result" && counts.written++);
			const before = counts.written;
			driver.request(old, read, (outcome) => {
				if (outcome.type !== "answer") return;
				counts.answered++;
				const seen = new TextDecoder().decode(outcome.data).split(" ").filter(Boolean).length;
				if (seen < before) counts.stale++;
			});
			driver.run(5);
		}
		return counts;
	}
	interface Counts {
		readonly answered: number;
		readonly stale: number;
		readonly written: number;
	}
	const propose: RaftRequest = {
		type: "propose",
		session: 0 as SessionId,
		serial: 0,
		firstIncomplete: 0,
		data: bytes("x"),
	};
	const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
	const total = (runs: readonly Counts[], name: keyof Counts): number => runs.reduce((sum, run) => sum + run[name], 0);

	it("gives no stale read while clocks keep the bound", () => {
		for (const rate of [1, 0.8, 1.25]) {
			const runs = seeds.map((seed) => staleReads(seed, rate, rate === 1 ? 0 : 250_000));
			expect(total(runs, "stale"), `rate ${rate}`).toBe(0);
			expect(total(runs, "answered"), `rate ${rate}`).toBeGreaterThan(100);
			expect(total(runs, "written"), `rate ${rate}`).toBeGreaterThan(1000);
		}
	});

	it("gives stale reads when a leader's clock is slower than the bound says", () => {
		const runs = seeds.map((seed) => staleReads(seed, 0.25, 0));
		expect(total(runs, "stale")).toBeGreaterThan(10);
	});

	it("gives no stale read after a pause longer than a lease, with true clocks", () => {
		for (const pauseMs of [140, 160, 400, 1000]) {
			const runs = seeds.map((seed) => staleReads(seed, 1, 0, pauseMs));
			expect(total(runs, "stale"), `pause of ${pauseMs} ms`).toBe(0);
			expect(total(runs, "written")).toBeGreaterThan(1000);
		}
	});
});
