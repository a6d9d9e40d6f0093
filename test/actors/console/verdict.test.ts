/**
 * Goal: only a run that shows everything it should is `agreed`. Method: the facts of a good run, spoilt in one place at
 * a time.
 */
import { expect, test } from "vitest";
import type { LedgerSummary } from "../../../actors/console/flight-ledger.ts";
import { FlightLedger } from "../../../actors/console/flight-ledger.ts";
import { judge, killsRequired, type RunFacts } from "../../../actors/console/verdict.ts";

const empty = new FlightLedger().summary();
const reference: LedgerSummary = { ...empty, run: 1, total: 9, applied: 9, setHash: "5".repeat(32) };
const replica: LedgerSummary = { ...reference, orderHash: "a".repeat(32) };
const good: RunFacts = {
	replicas: ["node-1", "node-2", "node-3"].map((node) => ({ node, summary: replica })),
	findingFaults: [],
	total: 9,
	reference,
	unresolved: 0,
	loadMs: 20_000,
	killIntervalMs: 4_000,
	killsHeldUpMs: 0,
	killsSurvived: 3,
	interrupted: null,
	failure: null,
};

function withThird(summary: LedgerSummary | null): RunFacts {
	return { ...good, replicas: [...good.replicas.slice(0, 2), { node: "node-3", summary }] };
}

test("a good run", () => {
	expect(judge(good)).toEqual({
		name: "agreed",
		exitCode: 0,
		line: `agreed: 3 of 3 replicas, 9 of 9 records, order ${"a".repeat(32)}`,
		faults: [],
		killsRequired: 3,
	});
});

test("a run that was stopped by its time limit agrees on what was acknowledged", () => {
	expect(judge({ ...good, total: 100 })).toMatchObject({
		exitCode: 0,
		line: `agreed: 3 of 3 replicas, 9 of 100 records, order ${"a".repeat(32)}`,
	});
});

test("replicas in another order, with another set, with fewer or more records, or silent: disagreed", () => {
	const spoilt: [LedgerSummary | null, string][] = [
		[{ ...replica, orderHash: "b".repeat(32) }, "2 different orders"],
		[{ ...replica, setHash: "6".repeat(32) }, "node-3 applied other records than the acknowledged ones"],
		[{ ...replica, applied: 8 }, "node-3 applied 8 records, 9 were acknowledged"],
		[{ ...replica, applied: 10 }, "node-3 applied 10 records, 9 were acknowledged"],
		[null, "node-3 did not answer"],
	];
	for (const [summary, fault] of spoilt) {
		const verdict = judge(withThird(summary));
		expect(verdict).toMatchObject({ name: "disagreed", exitCode: 1 });
		expect(verdict.faults.join()).toContain(fault);
	}
	expect(judge(withThird({ ...replica, orderHash: "b".repeat(32) })).line).toContain("2 of 3 replicas");
});

test("all replicas agree on a wrong set: disagreed", () => {
	const wrong = { ...replica, setHash: "6".repeat(32) };
	expect(judge({ ...good, replicas: good.replicas.map(({ node }) => ({ node, summary: wrong })) }).exitCode).toBe(1);
});

test("too few kills: vacuous", () => {
	expect(judge({ ...good, killsSurvived: 1 })).toMatchObject({
		name: "vacuous",
		exitCode: 1,
		line: expect.stringMatching(/^vacuous: leaders killed and replaced: 1, at least 3 required; 3 of 3 replicas/),
	});
	expect(judge({ ...good, killsSurvived: 2, killsHeldUpMs: 8_000 })).toMatchObject({ name: "agreed" });
	expect(judge({ ...good, killsSurvived: 0, killIntervalMs: null })).toMatchObject({ name: "agreed" });
});

test("unknown outcomes, an error, an interruption", () => {
	expect(judge({ ...good, unresolved: 1 })).toMatchObject({ name: "failed", exitCode: 1 });
	expect(judge({ ...good, failure: { code: "load-stalled", message: "no answer" } })).toMatchObject({
		name: "failed",
		exitCode: 1,
		line: "failed: load-stalled: no answer",
	});
	for (const exitCode of [130, 143] as const) {
		const verdict = judge({ ...good, interrupted: exitCode, unresolved: 4 });
		expect(verdict).toMatchObject({ name: "interrupted", exitCode });
	}
});

test("the kills that a schedule asks for: one less than its intervals, 3 at most", () => {
	const cases: [loadMs: number, intervalMs: number | null, required: number, heldUpMs?: number][] = [
		[20_000, 4_000, 3],
		// Kills that waited for the last node are not asked for; but one always is, of a load that is long enough.
		[20_000, 4_000, 2, 4_001],
		[20_000, 4_000, 1, 12_000],
		[16_000, 4_000, 3],
		[15_999, 4_000, 2],
		[8_000, 4_000, 1],
		[7_999, 4_000, 0],
		[100, 4_000, 0],
		[60_000, null, 0],
	];
	for (const [loadMs, intervalMs, required, heldUpMs = 0] of cases) {
		expect(killsRequired(loadMs, intervalMs, heldUpMs)).toBe(required);
	}
});
