/**
 * Goal: rule 34 (Aardvark): a primary that is slow within its timeouts is left, by what backups measure; one that does what it can is not.
 * Method: a lone backup under a clock of its own timers, then a group whose primary delays everything.
 */
import { describe, expect, it } from "vitest";
import { must, nodeId } from "../../../protocols/core/index.ts";
import { ByzantineMachine, pbftAttacks } from "../../../protocols/pbft/attacks/index.ts";
import type { PbftConfig } from "../../../protocols/pbft/index.ts";
import { GroupDriver } from "./group-driver.ts";
import { encode, Ledger } from "./ledger.ts";
import { LoneReplica, n1, n2, n3, n4 } from "./lone-replica.ts";
import { StrictWatch } from "./strict-watch.ts";

describe("rule 34: the expectation", () => {
	const tuning = {
		guardPeriodMs: 100,
		guardGracePeriods: 1,
		guardRisePercent: 50,
		windowSize: 64,
		checkpointInterval: 32,
	};
	const guarded = (): LoneReplica => new LoneReplica(n2, tuning);
	/** One more request waits than is executed. */
	function period(replica: LoneReplica, from: number, count: number): boolean {
		replica.ask(replica.request(1000 + from, "never"));
		for (let i = from; i < from + count; i++) replica.decide(i, replica.request(i));
		return replica.fire("guard").said("view-change").length > 0;
	}
	/** Enters view 2, whose primary is n3, by the word of the others. */
	function enterViewTwo(replica: LoneReplica): void {
		const bodies = [n1, n3, n4].map((by) => [by, replica.viewChange(by, 2)] as const);
		for (const [by, body] of bodies) replica.hear(by, body);
		replica.hear(n3, replica.newView(2, bodies));
	}

	it("begins with a share of the best period before, and rises with each period after the grace", () => {
		const replica = guarded();
		// Of the first view nothing is expected.
		expect(period(replica, 1, 10)).toBe(false);
		expect(period(replica, 11, 10)).toBe(false);
		enterViewTwo(replica);
		expect(replica.machine.view).toMatchObject({ view: 2, isActive: true });
		expect(replica.timersSet()).toContain("guard");
		const guard = (): { expected: number } => (replica.machine.state as { guard: { expected: number } }).guard;
		expect(guard().expected).toBe(9);
		replica.fire("guard");
		expect(replica.said("view-change")[0]).toMatchObject({ view: 3 });
		expect(replica.events("view-change-started")).toMatchObject([{ reason: "slow-primary" }]);
		expect(replica.events("suspicion")).toMatchObject([{ member: "n3", reason: "slow-primary" }]);
		expect(replica.events("evidence")).toEqual([]);
	});

	it("does not judge a period in which nothing waited, and rises all the same", () => {
		const replica = guarded();
		for (let i = 1; i <= 10; i++) replica.decide(i, replica.request(i));
		replica.fire("guard");
		enterViewTwo(replica);
		for (let i = 0; i < 5; i++) expect(replica.fire("guard").said("view-change")).toEqual([]);
		const { guard } = replica.machine.state as { guard: { expected: number } };
		expect(guard.expected).toBeCloseTo(9 * 1.5 ** 4);
	});

	it("is off by default, and the primary does not measure itself", () => {
		expect(new LoneReplica().timersSet()).toEqual(["status"]);
		expect(new LoneReplica(n1, tuning).timersSet()).toEqual(["status"]);
		expect(guarded().timersSet()).toEqual(["guard", "status"]);
	});
});

describe("rule 34: the heartbeat", () => {
	it("runs while a request is known to wait (rule 28), begins anew with each slot, and ends the primary's time", () => {
		const replica = new LoneReplica(n2, { heartbeatMs: 50 });
		replica.hear(n1, replica.prePrepare(1, replica.batch(replica.request(1))));
		expect(replica.timersSet()).not.toContain("heartbeat");
		expect(replica.ask(replica.request(2)).timersSet()).toContain("heartbeat");
		expect(replica.ask(replica.request(3)).timersSet()).not.toContain("heartbeat");
		expect(replica.hear(n1, replica.prePrepare(2, replica.batch(replica.request(9)))).timersSet()).toContain(
			"heartbeat",
		);
		replica.fire("heartbeat");
		expect(replica.events("view-change-started")).toMatchObject([{ view: 1, reason: "slow-primary" }]);
		const served = new LoneReplica(n2, { heartbeatMs: 50 });
		served.ask(served.request(1));
		served.decide(1, served.request(1));
		expect(served.timersCancelled()).toContain("heartbeat");
	});
});

/** What a group whose first primary delays all that it says gets done in two seconds, and in which view it is then. */
function underDelay(tuning: Partial<PbftConfig>): { readonly executed: number; readonly view: number } {
	const client = nodeId("c1");
	const watch = new StrictWatch();
	const delay = must(
		pbftAttacks.find(({ name }) => name === "delay"),
		"the attack exists",
	);
	const driver: GroupDriver = new GroupDriver({
		seed: 5,
		members: 4,
		faults: 1,
		clients: [client],
		application: () => new Ledger(),
		tuning: {
			checkpointInterval: 32,
			windowSize: 64,
			batchMaxRequests: 1,
			openSlotsMax: 1,
			viewTimeoutMs: 5000,
			...tuning,
		},
		corrupt: (id, config, crypto) => (id === n1 ? new ByzantineMachine(config, crypto, [delay], 1) : null),
		observe: (observation) => watch.observe(observation),
	});
	let timestamp = 0;
	const ask = (): void => {
		const request = driver.signed(client, ++timestamp, encode(`op${timestamp}`));
		let answers = 0;
		for (const id of driver.correct) {
			driver.request(id, request, () => {
				if (++answers === 2) ask();
			});
		}
	};
	for (let i = 0; i < 4; i++) ask();
	driver.run(2000);
	return { executed: driver.machine(n2).status.executed, view: driver.machine(n2).status.view };
}

describe("rule 34: a primary that delays everything within its timeouts", () => {
	it("stays without a guard, and is left by its heartbeat", () => {
		const unguarded = underDelay({});
		expect(unguarded.view).toBe(0);
		const guarded = underDelay({ heartbeatMs: 15 });
		expect(guarded.view).toBeGreaterThan(0);
		expect(guarded.executed).toBeGreaterThan(2 * unguarded.executed);
	});

	it("is left when it does not do better, and at once when its turn comes again after others have", () => {
		const unguarded = underDelay({});
		const guarded = underDelay({ guardPeriodMs: 50, guardGracePeriods: 1, guardRisePercent: 30 });
		expect(guarded.view).toBeGreaterThan(4);
		expect(guarded.executed).toBeGreaterThan(2 * unguarded.executed);
	});
});
