/**
 * Goal: of several that could lead the one of the highest priority does, sooner or later, and nobody waits for one that is
 * not there; no safety rests on it.
 * Method: a lone machine as voter, candidate and leader, the test as its peers; then whole groups on virtual time.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { type RaftConfig, raftConfig } from "../../../protocols/raft/index.ts";
import { agree, change, set } from "./changing-machine.ts";
import { Ledger } from "./chaos-run.ts";
import { DeterministicDriver } from "./deterministic-driver.ts";
import { a, accepted, append, b, c, index, LoneMachine, requestVote, term, three, vote } from "./lone-machine.ts";
import { StrictWatch } from "./strict-watch.ts";

/** A follower of b in term 1 with a log of one entry, which has just lost it. */
function orphan(priorities: RaftConfig["priorities"], config: Partial<RaftConfig> = {}): LoneMachine {
	const machine = new LoneMachine({ term: 1, log: [1], config: { priorities, ...config } });
	return machine.receive(b, append({ term: term(1), prevIndex: index(1), prevTerm: term(1) })).electionTimeout();
}
/** How many election timeouts pass until it campaigns; 9 if it does not. */
function waitsOf(machine: LoneMachine): number {
	for (let waits = 0; waits < 9; waits++) {
		if (machine.electionTimeout().status.role !== "follower") return waits;
	}
	return 9;
}
/** Whether a (pre-)vote was given. */
const isGranted = (machine: LoneMachine, from: NodeId): boolean =>
	machine.sent(from).some((message) => message.type === "vote" && message.granted);

describe("a voter of lower priority", () => {
	it("lets one election timeout pass for each higher priority among those who could lead, at most three", () => {
		expect(waitsOf(orphan({}))).toBe(0);
		expect(waitsOf(orphan({ a: 2 }))).toBe(0);
		expect(waitsOf(orphan({ b: 2, c: 2 }))).toBe(1);
		expect(waitsOf(orphan({ b: 2, c: 3 }))).toBe(2);
		const voters = ["a", "b", "c", "d", "e", "f"].map(nodeId);
		const many = new LoneMachine({ voters, config: { priorities: { b: 2, c: 3, d: 4, e: 5, f: 6 } } });
		expect(waitsOf(many)).toBe(3);
	});

	it("does not wait for a witness", () => {
		expect(waitsOf(orphan({ c: 2 }, { witnesses: [c] }))).toBe(0);
	});

	it("helps whoever campaigns meanwhile", () => {
		const machine = orphan({ c: 2 }).electionTimeout();
		expect(machine.status).toMatchObject({ role: "follower", leader: null });
		expect(isGranted(machine.receive(c, requestVote(2, 1, 1)), c)).toBe(true);
	});

	it("waits anew after it has heard a leader", () => {
		const machine = orphan({ c: 2 });
		machine.electionTimeout().receive(b, append({ term: term(1), prevIndex: index(1), prevTerm: term(1) }));
		expect(waitsOf(machine.electionTimeout())).toBe(1);
	});

	it("campaigns in the end if nobody else does, whatever its priority: it may be the only one who can win", () => {
		expect(waitsOf(orphan({ a: 0, b: 1_000_000, c: 1_000_000 }))).toBe(1);
	});
});

describe("a voter of higher priority", () => {
	it("objects to a candidate of lower priority whose log is no better than its own, pre-vote and vote alike", () => {
		const machine = orphan({ a: 2 });
		machine.receive(c, requestVote(2, 1, 1, true));
		expect(isGranted(machine, c)).toBe(false);
		machine.receive(c, requestVote(2, 1, 1));
		expect(isGranted(machine, c)).toBe(false);
		expect(machine.view.votedFor).toBeNull();
	});

	it("not to one whose log is better, nor to one of its own priority, nor to whom the leader wants", () => {
		expect(isGranted(orphan({ a: 2 }).receive(c, requestVote(2, 2, 1)), c)).toBe(true);
		expect(isGranted(orphan({ a: 2, c: 2 }).receive(c, requestVote(2, 1, 1)), c)).toBe(true);
		expect(isGranted(orphan({ a: 2 }).receive(c, requestVote(2, 1, 1, false, true)), c)).toBe(true);
	});

	it("not when it has campaigned in vain, so that one who reaches more voters can lead; a leader heard ends that", () => {
		const machine = orphan({ a: 2 }).electionTimeout();
		expect(machine.status.role).toBe("pre-candidate");
		expect(isGranted(machine.receive(c, requestVote(2, 1, 1)), c)).toBe(true);
		machine.receive(c, append({ term: term(2), prevIndex: index(1), prevTerm: term(1) })).electionTimeout();
		expect(isGranted(machine.receive(b, requestVote(3, 1, 1)), b)).toBe(false);
	});

	it("not when it is a witness, which could not lead itself", () => {
		const machine = orphan({ a: 2 }, { witnesses: [a] });
		expect(isGranted(machine.receive(c, requestVote(2, 1, 1)), c)).toBe(true);
	});
});

describe("a leader", () => {
	const priorities = { b: 5, c: 9 };
	const config = { priorities, handoverPriorityGap: 4, catchUpLagEntries: 0 };
	/** Six heartbeats, as long as a new leader works before it looks around. */
	const settled = (options: Partial<RaftConfig> = {}): LoneMachine => {
		const machine = lead({ config: { ...config, ...options } });
		for (let beat = 0; beat < 6; beat++) machine.heartbeat();
		return machine;
	};
	const lead = (options: ConstructorParameters<typeof LoneMachine>[0]): LoneMachine => {
		const machine = new LoneMachine(options);
		while (machine.status.role === "follower") machine.electionTimeout();
		for (const peer of machine.peers) machine.receive(peer, vote(1, true, true));
		machine.writesComplete();
		for (const peer of machine.peers) machine.receive(peer, vote(1, true));
		return machine.commitAll();
	};

	it("hands over to the highest priority that has caught up, after a maximum election timeout of its own work", () => {
		const machine = settled();
		expect(machine.status.transferTo).toBeNull();
		expect(machine.heartbeat().events).toContainEqual({ type: "transfer-begun", to: c });
		expect(machine.sent(c).map(({ type }) => type)).toContain("timeout-now");
		expect(machine.replies).toEqual([]);
	});

	it("by default never, and not for less than the gap", () => {
		expect(settled({ handoverPriorityGap: 0 }).heartbeat().status.transferTo).toBeNull();
		expect(settled({ handoverPriorityGap: 9 }).heartbeat().status.transferTo).toBeNull();
		expect(settled({ priorities: { a: 6, b: 9, c: 9 } }).heartbeat().status.transferTo).toBeNull();
	});

	it("not to one that lacks entries, is silent or can not be reached; the next best will do", () => {
		const behind = settled();
		behind.request({ type: "open-session" });
		behind.writesComplete().receive(b, accepted(1, 2));
		expect(behind.heartbeat().status.transferTo).toBe(b);
		const silent = settled();
		for (let check = 0; check < 2; check++) silent.electionTimeout().receive(b, accepted(1, 1));
		expect(silent.heartbeat().status.transferTo).toBe(b);
		const unreachable = settled().step({ type: "peer-unreachable", peer: c });
		expect(unreachable.heartbeat().status.transferTo).toBe(b);
	});

	it("not while members change", () => {
		const machine = settled();
		change(machine, set([...three], [nodeId("d")]));
		expect(machine.heartbeat().status.transferTo).toBeNull();
		agree(machine, [b, c]);
		expect(machine.heartbeat().status.transferTo).toBe(c);
	});

	it("that has failed to hand over waits twice as long before it tries again", () => {
		const machine = settled().heartbeat();
		const beatsUntilNext = (): number => {
			machine.step({ type: "timer", timer: "transfer" });
			expect(machine.events).toContainEqual({ type: "transfer-given-up", to: c, failure: "timeout" });
			for (let beats = 1; beats < 99; beats++) if (machine.heartbeat().status.transferTo !== null) return beats;
			return 99;
		};
		expect([beatsUntilNext(), beatsUntilNext(), beatsUntilNext()]).toEqual([7, 13, 25]);
	});

	it("asked to hand over to whom it likes takes the highest priority", () => {
		const machine = lead({ config: { priorities: { c: 2 } } });
		machine.request({ type: "transfer-leadership", to: null });
		expect(machine.status.transferTo).toBe(c);
	});
});

describe("groups with priorities", () => {
	const group = (
		seed: number,
		handoverPriorityGap = 0,
	): { driver: DeterministicDriver; leader: () => NodeId | null } => {
		const watch = new StrictWatch();
		const config = (id: NodeId): RaftConfig =>
			raftConfig({ nodeId: id, voters: three, priorities: { a: 1, b: 2, c: 3 }, handoverPriorityGap });
		const observe = watch.observe.bind(watch);
		const driver = new DeterministicDriver({ seed, voters: three, config, application: () => new Ledger(), observe });
		const leads = (id: NodeId): boolean => driver.isUp(id) && driver.machine(id).status.role === "leader";
		return { driver, leader: () => driver.nodes.find(leads) ?? null };
	};

	it("elect the highest that is there, for every seed", () => {
		for (let seed = 1; seed <= 50; seed++) {
			const { driver, leader } = group(seed);
			expect(driver.runUntil(() => leader() !== null, 5000)).toBe(true);
			expect(leader()).toBe(c);
			driver.crash(c);
			expect(driver.runUntil(() => leader() !== null, 5000)).toBe(true);
			expect(leader()).toBe(b);
		}
	});

	it("come to be led by it when it is back, if leaders hand over, for every seed", () => {
		for (let seed = 1; seed <= 50; seed++) {
			const { driver, leader } = group(seed, 1);
			driver.runUntil(() => leader() !== null, 5000);
			driver.crash(c);
			driver.runUntil(() => leader() === b, 5000);
			driver.restart(c);
			expect(driver.runUntil(() => leader() === c, 5000)).toBe(true);
		}
	});
});
