/**
 * Goal: a group of correct members orders, executes and answers requests, over checkpoints, crashes and dead primaries.
 * Method: the shipped machines in a deterministic host, under all properties.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../protocols/core/index.ts";
import { authenticatorOf, authenticatorsFor } from "../../../protocols/pbft/authenticators.ts";
import { GroupDriver, type Outcome } from "./group-driver.ts";
import { encode, Ledger } from "./ledger.ts";
import { StrictWatch } from "./strict-watch.ts";

const client = nodeId("c1");
const spoiler = nodeId("c2");

function group(members: number, faults: number, tuning = {}): { driver: GroupDriver; watch: StrictWatch } {
	const watch = new StrictWatch();
	const driver = new GroupDriver({
		seed: 1,
		members,
		faults,
		clients: [client, spoiler],
		application: () => new Ledger(),
		tuning: { checkpointInterval: 4, windowSize: 8, statePartBytes: 16, batchMaxRequests: 2, ...tuning },
		observe: (observation) => watch.observe(observation),
	});
	return { driver, watch };
}

function ask(driver: GroupDriver, count: number, first = 1): Outcome[] {
	const outcomes: Outcome[] = [];
	for (let i = first; i < first + count; i++) {
		const request = driver.signed(client, i, encode(`op${i}`));
		for (const id of driver.members) driver.request(id, request, (outcome) => outcomes.push(outcome));
	}
	return outcomes;
}

const ledgers = (driver: GroupDriver): string[] =>
	driver.correct.map((id) => (driver.application(id) as Ledger).applied.join(" "));

describe("a group of correct members", () => {
	it.each([
		[1, 0],
		[4, 1],
		[5, 1],
		[7, 2],
	])("of %i with f = %i executes everything once, in one order, and answers", (members, faults) => {
		const { driver, watch } = group(members, faults);
		const outcomes = ask(driver, 30);
		expect(driver.runUntil(() => outcomes.length === 30 * members && watch.isRecovered, 20_000)).toBe(true);
		expect(outcomes.every(({ type }) => type === "result")).toBe(true);
		const [first, ...others] = ledgers(driver);
		expect(first?.split(" ").length).toBe(30);
		for (const other of others) expect(other).toBe(first);
		expect(driver.machine(driver.members[0]!).status.low).toBeGreaterThanOrEqual(8);
	});

	it("rule 34: is not kept in a loop of view changes by a client whose requests are valid for the primary only", () => {
		const { driver, watch } = group(4, 1, { viewTimeoutMs: 100 });
		const poison = (timestamp: number): void => {
			const good = driver.authenticated(spoiler, timestamp, encode(`poison${timestamp}`));
			// Good for the present primary, whoever that is, and for nobody else.
			const id = driver.machine(driver.members[0]!).status.primary;
			const own = authenticatorOf(good.macs, id) as Uint8Array;
			const macs = authenticatorsFor(driver.members, (member) => (member === id ? own : new Uint8Array(8)));
			driver.request(id, { ...good, macs });
			driver.after(20, () => poison(timestamp + 1));
		};
		poison(1);
		const outcomes: Outcome[] = [];
		const next = (timestamp: number): void => {
			if (timestamp > 40) return;
			const request = driver.signed(client, timestamp, encode(`op${timestamp}`));
			let answers = 0;
			for (const id of driver.members) {
				driver.request(id, request, (outcome) => {
					outcomes.push(outcome);
					if (++answers === 4) next(timestamp + 1);
				});
			}
		};
		next(1);
		expect(driver.runUntil(() => outcomes.length === 160, 60_000)).toBe(true);
		expect(Math.max(...driver.members.map((id) => driver.machine(id).status.view))).toBeLessThanOrEqual(2);
		expect(ledgers(driver)[0]).not.toContain("poison");
		expect(watch.isRecovered).toBe(true);
	});

	it("goes on when its primary is dead, and takes it back", () => {
		const { driver, watch } = group(4, 1);
		const before = ask(driver, 3);
		driver.runUntil(() => before.length === 12, 5000);
		driver.crash(driver.members[0]!);
		const outcomes = ask(driver, 20, 4);
		expect(driver.runUntil(() => outcomes.length === 60, 20_000)).toBe(true);
		expect(driver.machine(driver.members[1]!).status.view).toBe(1);
		driver.restart(driver.members[0]!);
		const areEqual = (): boolean => new Set(ledgers(driver)).size === 1;
		expect(driver.runUntil(() => watch.isRecovered && areEqual(), 20_000)).toBe(true);
		expect(driver.counts.restores).toBeGreaterThan(0);
	});
});
