/**
 * Goal: leadership transfer follows the thesis (§3.10), and does not have the faults that other implementations had (named
 * by their numbers).
 * Method: a lone machine as the leader or as the target, the test as its peers; then whole groups on virtual time.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { configurationOf, encodeConfiguration, raftConfig, type TimeoutNow } from "../../../protocols/raft/index.ts";
import { Ledger } from "./chaos-run.ts";
import { DeterministicDriver, type Outcome } from "./deterministic-driver.ts";
import {
	a,
	accepted,
	append,
	b,
	bytes,
	c,
	command,
	d,
	index,
	LoneMachine,
	proposal,
	requestVote,
	snapshotAt,
	term,
	three,
	vote,
} from "./lone-machine.ts";

const timeoutNow = (inTerm: number, lastIndex = 0): TimeoutNow => ({
	type: "timeout-now",
	term: term(inTerm),
	lastIndex: index(lastIndex),
});
const leader = (options: ConstructorParameters<typeof LoneMachine>[0] = {}): LoneMachine =>
	new LoneMachine(options).becomeLeader().commitAll();
const transfer = (machine: LoneMachine, to: NodeId | null): number =>
	machine.request({ type: "transfer-leadership", to });

describe("thesis §3.10: the leader that hands over", () => {
	it("1: stops accepting new client requests, with a reason of its own; reads go on (hashicorp#581)", () => {
		const machine = leader();
		machine.request(proposal("x"));
		transfer(machine, b);
		for (const request of [proposal("y"), { type: "open-session" } as const]) {
			machine.request(request);
			expect(machine.replies).toEqual([{ type: "refused", reason: "transfer-in-progress", to: b }]);
		}
		machine.request({ type: "read", query: bytes("?") });
		expect(machine.replies).toEqual([]);
	});

	it("takes no other transfer and no membership change meanwhile", () => {
		const machine = leader();
		transfer(machine, b);
		transfer(machine, c);
		expect(machine.replies).toEqual([{ type: "refused", reason: "transfer-in-progress", to: b }]);
		machine.request({
			type: "change-membership",
			change: { type: "add-learner", node: d },
			transition: "automatic",
		});
		expect(machine.replies).toEqual([{ type: "refused", reason: "transfer-in-progress", to: b }]);
	});

	it("2 and 3: brings the target's log up to its own, and only then sends it a TimeoutNow (redpanda#2606)", () => {
		const machine = leader();
		machine.request(proposal("x"));
		transfer(machine, b);
		expect(machine.sent(b)).toEqual([]);
		expect(machine.receive(c, accepted(1, 2)).sent(b)).toEqual([]);
		expect(machine.receive(b, accepted(1, 2)).sent(b)).toEqual([timeoutNow(1, 2)]);
		expect(machine.receive(b, accepted(1, 2)).sent(b)).toEqual([]);
	});

	it("a target that has everything is asked at once", () => {
		const machine = leader();
		transfer(machine, b);
		expect(machine.sentOnly(b, "timeout-now").term).toBe(1);
		expect(machine.events).toEqual([{ type: "transfer-begun", to: b }]);
		expect(machine.timers("transfer")).toEqual([{ min: 150, max: 150 }]);
	});

	it("a TimeoutNow that was lost is sent again with the heartbeat", () => {
		const machine = leader();
		transfer(machine, b);
		expect(
			machine
				.heartbeat()
				.sent(b)
				.map(({ type }) => type),
		).toEqual(["append-entries", "timeout-now"]);
	});

	it("steps down for its target, and is answered when it hears it lead", () => {
		const machine = leader();
		transfer(machine, b);
		machine.receive(b, requestVote(2, 1, 1, false, true));
		expect(machine.sentOnly(b, "vote").granted).toBe(true);
		expect(machine.effects).toContainEqual({ type: "cancel-timer", timer: "transfer" });
		expect(machine.replies).toEqual([]);
		machine.receive(b, append({ term: term(2), prevIndex: index(1), prevTerm: term(1) }));
		expect(machine.replies).toEqual([{ type: "leadership-transferred", leader: b, term: 2 }]);
		expect(machine.events).toContainEqual({ type: "transfer-completed", to: b, term: 2 });
	});

	it("commands that it took before are not refused but unknown, as with any other change of leader", () => {
		const machine = leader();
		machine.request(proposal("x"));
		transfer(machine, b);
		machine.receive(b, accepted(1, 2)).receive(b, requestVote(2, 2, 1, false, true));
		expect(machine.replies).toEqual([{ type: "outcome-unknown", leader: null }]);
		expect(machine.status).toMatchObject({ role: "follower", commitIndex: 1 });
	});

	it("4: gives up after about an election timeout, and accepts requests again", () => {
		const machine = leader();
		const requestId = transfer(machine, b);
		machine.step({ type: "timer", timer: "transfer" });
		expect(machine.effects).toContainEqual({
			type: "reply",
			requestId,
			reply: { type: "transfer-given-up", to: b, failure: "timeout" },
			release: "immediate",
		});
		expect(machine.events).toEqual([{ type: "transfer-given-up", to: b, failure: "timeout" }]);
		machine.request(proposal("y"));
		expect(machine.replies).toEqual([]);
		transfer(machine, c);
		expect(machine.events).toEqual([{ type: "transfer-begun", to: c }]);
	});

	it("gives up early when its host reports the target unreachable", () => {
		const machine = leader();
		transfer(machine, b);
		machine.step({ type: "peer-unreachable", peer: c });
		expect(machine.replies).toEqual([]);
		machine.step({ type: "peer-unreachable", peer: b });
		expect(machine.replies).toEqual([{ type: "transfer-given-up", to: b, failure: "unreachable" }]);
	});

	it("gives up early when the target turns out to need a snapshot", () => {
		const machine = leader({ config: { snapshotEveryEntries: 1, retainedEntries: 0, catchUpLagEntries: 9 } });
		machine.request(proposal("x"));
		transfer(machine, b);
		machine.writesComplete().receive(c, accepted(1, 2));
		machine.step({ type: "snapshot-ready", snapshot: snapshotAt(2, 1) });
		machine.receive(b, { ...accepted(1, 2), accepted: false, index: index(2) });
		machine.heartbeat();
		expect(machine.all).toContainEqual(
			expect.objectContaining({ reply: { type: "transfer-given-up", to: b, failure: "behind" } }),
		);
	});

	it("one that is deposed before it has asked its target gives up", () => {
		const machine = leader();
		machine.request(proposal("x"));
		transfer(machine, b);
		machine.receive(c, append({ term: term(2) }));
		expect(machine.replies).toContainEqual({ type: "transfer-given-up", to: b, failure: "stepped-down" });
	});

	it("one whose target did not win says so: another leads, or nobody", () => {
		const other = leader();
		transfer(other, b);
		other.receive(c, append({ term: term(3) }));
		expect(other.replies).toEqual([{ type: "transfer-given-up", to: b, failure: "other-leader" }]);
		const none = leader();
		transfer(none, b);
		none.receive(b, requestVote(2, 1, 1, false, true)).electionTimeout();
		expect(none.replies).toEqual([{ type: "transfer-given-up", to: b, failure: "no-leader" }]);
	});

	it.each<[string, (machine: LoneMachine) => void, NodeId | null, object]>([
		["a learner (hashicorp#398)", addLearner, d, { reason: "not-a-voter", node: d }],
		["who is no member", () => undefined, nodeId("z"), { reason: "not-a-voter", node: "z" }],
		["itself", () => undefined, a, { reason: "already-leader" }],
		["one that can not be reached", (m) => m.step({ type: "peer-unreachable", peer: b }), b, unreachable(b)],
		["one that has fallen silent", silenceB, b, unreachable(b)],
		[
			"one that is far behind (redpanda#2592)",
			fallBehind,
			b,
			{ reason: "target-behind", node: b, lagEntries: 2, limitEntries: 1 },
		],
		["nobody in particular, when nobody is caught up", fallBehind, null, { reason: "no-target" }],
	])("refuses to hand over to %s", (_whom, prepare, to, refusal) => {
		const machine = leader({ config: { catchUpLagEntries: 1 } });
		prepare(machine);
		transfer(machine, to);
		expect(machine.replies).toEqual([{ type: "refused", ...refusal }]);
		expect(machine.status.transferTo).toBeNull();
	});

	it("a candidate that is asked to hand over says at once that it is no leader (hashicorp#413)", () => {
		const machine = new LoneMachine({}).electionTimeout().receive(b, vote(1, true, true));
		transfer(machine, c);
		expect(machine.status.role).toBe("candidate");
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: null }]);
	});

	it("one that was interrupted and leads again takes commands (hashicorp#696, openraft#1747)", () => {
		const machine = leader();
		transfer(machine, b);
		machine.receive(c, requestVote(5, 9, 9, false, true)).becomeLeader();
		machine.request(proposal("x"));
		expect(machine.replies).toEqual([]);
		expect(machine.status).toMatchObject({ role: "leader", transferTo: null, pendingProposals: 1 });
	});

	it("chooses the voter that is furthest when it is asked for nobody in particular", () => {
		const machine = leader();
		machine.request(proposal("x"));
		machine.receive(c, accepted(1, 2));
		transfer(machine, null);
		expect(machine.status.transferTo).toBe(c);
	});
});

function addLearner(machine: LoneMachine): void {
	machine.request({ type: "change-membership", change: { type: "add-learner", node: d }, transition: "automatic" });
	machine.writesComplete().receive(b, accepted(1, 2)).receive(d, accepted(1, 2));
}
function silenceB(machine: LoneMachine): void {
	for (let i = 0; i < 2; i++) machine.receive(c, accepted(1, 1)).electionTimeout();
}
function fallBehind(machine: LoneMachine): void {
	for (const text of ["x", "y"]) machine.request(proposal(text));
}
function unreachable(node: NodeId): object {
	return { reason: "target-unreachable", node };
}

describe("thesis §3.10: the target", () => {
	it("starts an election at once, without a pre-vote, although it hears its leader (canonical/raft#203)", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1) })).receive(b, timeoutNow(1));
		expect(machine.status).toMatchObject({ role: "candidate", term: 2 });
		expect(machine.sentOnly(c, "request-vote")).toEqual(requestVote(2, 0, 0, false, true));
		expect(machine.writes).toEqual([{ hardState: { term: 2, votedFor: a } }]);
		expect(machine.isHeld("request-vote")).toBe(true);
	});

	it("is not turned back by a message of the old leader that comes behind it (hashicorp#570)", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, timeoutNow(1)).receive(b, append({ term: term(1) }));
		expect(machine.status).toMatchObject({ role: "candidate", term: 2 });
	});

	it("as a candidate or pre-candidate of the term does the same", () => {
		const machine = new LoneMachine({ term: 1 }).electionTimeout();
		expect(machine.status.role).toBe("pre-candidate");
		expect(machine.receive(b, timeoutNow(1)).status).toMatchObject({ role: "candidate", term: 2 });
	});

	it("ignores a TimeoutNow of an earlier term", () => {
		const machine = new LoneMachine({ term: 3 }).receive(b, timeoutNow(2));
		expect(machine.effects).toEqual([]);
		expect(machine.status).toMatchObject({ role: "follower", term: 3 });
	});

	it("ignores one that comes when the leader has given up and gone on (raft-rs#234)", () => {
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: [command(1), command(1)] })).receive(b, timeoutNow(1, 1));
		expect(machine.status).toMatchObject({ role: "follower", term: 1, leader: b });
	});

	it("asked twice campaigns once", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, timeoutNow(1)).receive(b, timeoutNow(1));
		expect(machine.effects).toEqual([]);
		expect(machine.status).toMatchObject({ role: "candidate", term: 2 });
	});

	it("that is no voter by its own log does not campaign", () => {
		const data = encodeConfiguration(configurationOf([b, c], [a]));
		const entries = [{ ...command(1), kind: "configuration", data } as const];
		const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1), entries }));
		expect(machine.receive(b, timeoutNow(1)).status).toMatchObject({ role: "follower", term: 1 });
	});

	it("that does not win goes back to asking first", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, timeoutNow(1)).electionTimeout();
		expect(machine.sentOnly(c, "request-vote")).toEqual(requestVote(3, 0, 0, true, false));
	});
});

describe("thesis §3.10 and §4.2.3: the others", () => {
	it("vote for a candidate that their leader has asked, although they hear that leader", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1) }));
		expect(machine.receive(c, requestVote(2, 0, 0)).sent()).toEqual([]);
		expect(machine.receive(c, requestVote(2, 0, 0, false, true)).sentOnly(c, "vote")).toEqual(vote(2, true));
	});

	it("but not if its log is behind their own", () => {
		const machine = new LoneMachine({ term: 1, log: [1, 1] }).receive(b, append({ term: term(1) }));
		expect(machine.receive(c, requestVote(2, 1, 1, false, true)).sentOnly(c, "vote").granted).toBe(false);
	});
});

describe("transfers in a group", () => {
	function group(seed: number): { driver: DeterministicDriver; leader: () => NodeId } {
		const driver = new DeterministicDriver({
			seed,
			voters: three,
			config: (id) => raftConfig({ nodeId: id, voters: three }),
			application: () => new Ledger(),
		});
		const leads = (): NodeId | undefined =>
			three.find((id) => driver.isUp(id) && driver.machine(id).status.role === "leader");
		expect(driver.runUntil(() => leads() !== undefined, 5000)).toBe(true);
		driver.run(100);
		return { driver, leader: () => leads() as NodeId };
	}

	it("take a few round trips, not an election timeout, for every seed", () => {
		for (let seed = 1; seed <= 50; seed++) {
			const { driver, leader: now } = group(seed);
			const from = now();
			const begun = driver.now;
			let outcome: Outcome | null = null;
			driver.request(from, { type: "transfer-leadership", to: null }, (answer) => {
				outcome = answer;
			});
			expect(driver.runUntil(() => outcome !== null, 1000)).toBe(true);
			expect(outcome).toMatchObject({ type: "leadership-transferred", leader: now() });
			expect(now()).not.toBe(from);
			expect(driver.now - begun).toBeLessThan(50);
		}
	});

	it("a target that dies costs no more than a minimum election timeout, and no leader (openraft#2088)", () => {
		for (let seed = 1; seed <= 20; seed++) {
			const { driver, leader: now } = group(seed);
			const from = now();
			const to = three.find((id) => id !== from) as NodeId;
			const outcomes: Outcome[] = [];
			driver.crash(to);
			const begun = driver.now;
			driver.request(from, { type: "transfer-leadership", to }, (answer) => outcomes.push(answer));
			expect(driver.runUntil(() => outcomes.length > 0, 1000)).toBe(true);
			expect(outcomes[0]).toEqual({ type: "transfer-given-up", to, failure: "timeout" });
			expect(driver.now - begun).toBeLessThanOrEqual(151);
			driver.request(from, proposal("x"), (answer) => outcomes.push(answer));
			expect(driver.runUntil(() => outcomes.length > 1, 50)).toBe(true);
			expect(outcomes[1]).toMatchObject({ type: "result" });
			expect(now()).toBe(from);
		}
	});

	it("a leader that is removed is replaced without waiting for an election timeout", () => {
		for (let seed = 1; seed <= 50; seed++) {
			const { driver, leader: now } = group(seed);
			const from = now();
			let outcome: Outcome | null = null;
			driver.request(
				from,
				{ type: "change-membership", change: { type: "remove", node: from }, transition: "automatic" },
				(answer) => {
					outcome = answer;
				},
			);
			const begun = driver.now;
			expect(driver.runUntil(() => outcome !== null && now() !== undefined && now() !== from, 1000)).toBe(true);
			expect(driver.now - begun).toBeLessThan(50);
		}
	});
});
