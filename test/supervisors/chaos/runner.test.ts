/**
 * Goal: an experiment is run as its page says, and its verdict is true: each rule, with a negative twin.
 * Method: a scripted target on a driven clock; the script says what goes wrong.
 */
import { describe, expect, it } from "vitest";
import { QuorateError } from "../../../protocols/core/index.ts";
import {
	type Experiment,
	faultNotApplicable,
	type Journal,
	runExperiment,
	withDrawsWrittenOut,
} from "../../../supervisors/index.ts";
import { experimentOf, type Script, ScriptedEngine, type ScriptedTarget, unanswered } from "./scripted-target.ts";

interface Ran {
	readonly journal: Journal;
	readonly target: ScriptedTarget;
}

async function run(
	more: Readonly<Record<string, string>> | Experiment = {},
	script: Partial<Script> = {},
): Promise<Ran> {
	const engine = new ScriptedEngine(script);
	const experiment =
		"method" in more && typeof more.method !== "string"
			? (more as Experiment)
			: experimentOf(more as Record<string, string>);
	const { journal } = await runExperiment(experiment, { engine, wallClock: () => 0 });
	return { journal, target: engine.target as ScriptedTarget };
}

const verdictOf = async (
	more: Readonly<Record<string, string>> = {},
	script: Partial<Script> = {},
): Promise<string> => {
	const { verdict, reasons } = (await run(more, script)).journal;
	return `${verdict}: ${reasons[0]}`;
};

describe("the method", () => {
	it("applies faults at their times and removes them after theirs", async () => {
		const { target, journal } = await run({
			method:
				"[{at: 500ms, fault: pause, target: node-2, for: 700ms}, {at: 1s, fault: kill, target: leader}, {at: 2s, fault: loss}]",
		});
		expect(target.log).toEqual([
			"pause node-2 @500",
			"kill leader @1000",
			"remove pause @1200",
			"loss all @2000",
			// Without a time of its own until the end of the method.
			"remove loss @3000",
			"stop",
		]);
		expect(journal.verdict).toBe("pass");
		expect(journal.faults.map(({ outcome }) => outcome)).toEqual(["applied", "applied", "applied"]);
	});

	it("lasts until its last fault is over, also after the workload", async () => {
		const { journal } = await run({ method: "[{at: 1s, fault: pause, for: 9s}]" });
		expect((journal.time.methodToMs ?? 0) - (journal.time.methodFromMs ?? 0)).toBe(10_000);
	});

	it("draws what the experiment leaves open from its seed, and from nothing else", async () => {
		const method = "[{at: 1s, fault: kill}, {at: 2s, fault: partition, shape: random-halves}]";
		const drawn = async (seed: number): Promise<string> =>
			JSON.stringify((await run({ method, seed: String(seed) })).journal.faults.map(({ resolved }) => resolved));
		expect(await drawn(1)).toBe(await drawn(1));
		const all = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(drawn));
		expect(new Set(all).size).toBeGreaterThan(3);
		expect(all.every((text) => !text.includes('"any"') || text.includes('"shape"'))).toBe(true);
	});

	it("draws for a fault the same, whatever stands beside it", async () => {
		const kill = "{at: 2s, fault: kill}";
		for (const seed of ["1", "2", "3", "4", "5", "6"]) {
			const alone = await run({ seed, method: `[${kill}]` });
			const among = await run({ seed, method: `[{at: 1s, fault: pause, for: 1s}, ${kill}]` });
			expect(among.journal.faults[1]?.resolved).toEqual(alone.journal.faults[0]?.resolved);
		}
	});

	it("can be written with its draws, and then hits the same wherever a fault is moved", async () => {
		const { journal } = await run({ method: "[{at: 1s, fault: kill}, {at: 2s, fault: partition, for: 500ms}]" });
		const written = withDrawsWrittenOut(journal);
		expect(written.method[0]?.fault.arguments["target"]).toMatch(/^node-\d$/);
		const again = await run(written);
		expect(again.target.log).toEqual((await run(journal.experiment)).target.log);
		const moved = { ...written, method: written.method.map((timed) => ({ ...timed, atMs: timed.atMs + 7 })) };
		const resolved = (of: Journal): unknown => of.faults.map((fault) => fault.resolved);
		expect(resolved((await run(moved)).journal)).toEqual(resolved(journal));
	});

	it("gives a target every argument", async () => {
		const { journal } = await run({ method: "[{at: 1s, fault: delay, for: 1s}]" });
		expect(journal.faults[0]?.resolved.arguments).toEqual({
			target: "all",
			meanMs: 50,
			jitterMs: 20,
			distribution: "uniform",
		});
	});

	it("waits for a fault to become applicable", async () => {
		const noLeaderUntil = 2_000;
		const { journal, target } = await run(
			{},
			{
				onApply: (_, { methodMs }) => {
					if (methodMs < noLeaderUntil) throw faultNotApplicable({ fault: "kill", reason: "there is no leader" });
				},
			},
		);
		expect(target.log[0]).toBe("kill leader @2000");
		expect(journal.verdict).toBe("pass");
	});

	it("ends where it can not be applied, unless it is optional", async () => {
		const never: Partial<Script> = {
			onApply: ({ kind }) => {
				if (kind === "kill") throw faultNotApplicable({ fault: "kill", reason: "there is no leader" });
			},
		};
		const workload = "{kind: key-value, rate: 20/s, for: 10s}";
		expect(await verdictOf({ workload }, never)).toBe("aborted: kill can not be applied now: there is no leader");
		// Also when the method is over before anybody lost patience.
		expect(await verdictOf({}, never)).toBe("aborted: kill can not be applied now: there is no leader");
		const method = "[{at: 1s, fault: kill, optional: true}, {at: 1s, fault: loss}]";
		const { journal } = await run({ workload, method }, never);
		expect(journal.verdict).toBe("pass");
		expect(journal.faults[0]?.outcome).toBe("skipped");
		expect(journal.notChecked).toContain("kill: left out, kill can not be applied now: there is no leader");
	});
});

describe("the hypothesis", () => {
	it("is met before, or the method is not run", async () => {
		const { journal, target } = await run({}, { probes: { leaders: () => 2 } });
		expect(journal.verdict).toBe("aborted");
		expect(journal.reasons).toEqual(["leaders before the method is 2, expected 1"]);
		expect(journal.status).toBe("failed");
		expect(target.log).toEqual(["stop"]);
	});

	it("is waited for: a group elects its leader first", async () => {
		const { journal } = await run({}, { probes: { leaders: (target) => (target.nowMs() < 3_000 ? 0 : 1) } });
		expect(journal.verdict).toBe("pass");
		expect(journal.time.methodFromMs).toBeGreaterThanOrEqual(3_000);
	});

	it("is met after, or the run failed", async () => {
		const broken: Partial<Script> = { probes: { leaders: ({ methodMs }) => (methodMs > 1_000 ? 0 : 1) } };
		const { journal } = await run({}, broken);
		expect(journal.verdict).toBe("fail");
		expect(journal.reasons).toEqual(["leaders after the method is 0, expected 1"]);
		expect(journal.violations).toEqual(["steady-state"]);
		const twice = "{probes: [{probe: leaders, tolerance: 1}, {probe: leaders, tolerance: {min: 1}}]}";
		expect((await run({ "steady-state": twice }, broken)).journal.violations).toEqual(["steady-state"]);
		expect(journal.deviated).toBe(true);
	});

	it("that can not be asked proves nothing, before or after", async () => {
		const unasked = "inconclusive: the probe leaders could not be asked: nobody answers";
		expect(await verdictOf({}, { probes: { leaders: () => unanswered("leaders") } })).toBe(unasked);
		const later: Partial<Script> = {
			probes: { leaders: ({ methodMs }) => (methodMs > 1_000 ? unanswered("leaders") : 1) },
		};
		expect(await verdictOf({}, later)).toBe(unasked);
	});
});

describe("guards", () => {
	const guards = "[{probe: memory, tolerance: {max: 512}}]";

	it("end the method when they trip, and are looked at all the time", async () => {
		const leak: Partial<Script> = {
			probes: { leaders: () => 1, memory: ({ methodMs }) => (methodMs > 1_500 ? 600 : 1) },
		};
		const { journal, target } = await run({ guards, method: "[{at: 1s, fault: loss}, {at: 2s, fault: kill}]" }, leak);
		expect(journal.verdict).toBe("aborted");
		expect(journal.reasons).toEqual(["memory during the method is 600, expected at most 512"]);
		expect(target.log).toEqual(["loss all @1000", "remove loss @1750", "stop"]);
		expect(journal.faults[1]?.outcome).toBe("not-reached");
		expect(journal.guards[0]?.tripped?.value).toBe(600);
	});

	it("that are met change nothing", async () => {
		const { journal } = await run({ guards });
		expect(journal.verdict).toBe("pass");
		expect(journal.guards[0]).toMatchObject({ evaluations: 12, tripped: null });
	});

	it("that can not be asked end the run without a verdict", async () => {
		const blind: Partial<Script> = { probes: { leaders: () => 1, memory: () => unanswered("memory") } };
		expect(await verdictOf({ guards }, blind)).toMatch(/^inconclusive: the probe memory could not be asked/);
	});
});

describe("properties", () => {
	it("that are violated end the method and fail the run", async () => {
		const violated: Partial<Script> = {
			finding: (id, { methodMs }) =>
				id === "safe" && methodMs >= 1_510
					? { atMs: 1_510, text: "two leaders in term 3" }
					: id === "moved"
						? { atMs: 1, text: "" }
						: null,
			onStep: (target) => {
				if (target.methodMs === 1_510)
					target.say({ origin: null, type: "violated", text: "safe", values: { property: "safe" } });
			},
		};
		const { journal, target } = await run({ method: "[{at: 1s, fault: loss}, {at: 2s, fault: kill}]" }, violated);
		expect(journal.verdict).toBe("fail");
		expect(journal.violations).toEqual(["safe"]);
		expect(journal.reasons).toEqual(["safe was violated at 1510 ms: two leaders in term 3"]);
		expect(target.log).toEqual(["loss all @1000", "remove loss @1510", "stop"]);
	});

	it("are seen violated also when the engine says nothing, and in the very last moment", async () => {
		const { journal } = await run(
			{},
			{ finding: (id, { methodMs }) => (id === "safe" && methodMs >= 3_000 ? { atMs: 3_000, text: "" } : null) },
		);
		expect(journal.violations).toEqual(["safe"]);
	});

	it("that do not decide end nothing when the engine reports them", async () => {
		const reports: Partial<Script> = {
			onStep: (target) => {
				const { methodMs } = target;
				if (methodMs === 500) target.say({ origin: null, type: "violated", text: "", values: { property: "settled" } });
				if (methodMs === 600) target.say({ origin: null, type: "violated", text: "", values: { property: "other" } });
			},
		};
		expect(await verdictOf({}, reports)).toMatch(/^pass/);
	});

	it("that only the engine's report knows of give no verdict, and no endless run", async () => {
		const reports: Partial<Script> = {
			onStep: (target) => {
				if (target.methodMs === 500)
					target.say({ origin: null, type: "violated", text: "", values: { property: "safe" } });
			},
		};
		expect(await verdictOf({}, reports)).toBe("aborted: safe was violated");
	});

	it("of the end are judged at the end only", async () => {
		const unsettled = (until: number): Partial<Script> => ({
			finding: (id, { methodMs }) =>
				id === "moved" || (id === "settled" && methodMs < until) ? { atMs: 1, text: "not settled" } : null,
		});
		expect(await verdictOf({}, unsettled(2_000))).toMatch(/^pass/);
		const never = unsettled(Number.POSITIVE_INFINITY);
		expect(await verdictOf({}, never)).toBe("fail: settled was violated at 1 ms: not settled");
		// Neither where the end was not reached, nor where nobody may ask for it.
		const guards = "[{probe: memory, tolerance: {max: 1}}]";
		expect(await verdictOf({ guards }, never)).toMatch(/^aborted: memory/);
		expect(await verdictOf({ method: "[{at: 1s, fault: kill, target: all}]" }, never)).toMatch(/^pass/);
	});

	it("that are not asked for are not judged", async () => {
		const calmBroken: Partial<Script> = {
			finding: (id) => (id === "calm" || id === "moved" ? { atMs: 1, text: "broken" } : null),
		};
		expect(await verdictOf({ properties: "{always: [safe]}" }, calmBroken)).toMatch(/^pass/);
		expect(await verdictOf({ properties: "{always: [safe, calm]}" }, calmBroken)).toMatch(/^fail: calm/);
	});

	it("that throw are named, and the run is not judged", async () => {
		const throwing: Partial<Script> = {
			onStep: ({ methodMs }) => {
				if (methodMs > 500) throw new QuorateError("property-threw", "it threw", { property: "safe" });
			},
		};
		const { journal, target } = await run({}, throwing);
		expect(journal.verdict).toBe("aborted");
		expect(journal.error).toMatchObject({ code: "property-threw", details: { property: "safe" } });
		expect(target.isStopped).toBe(true);
	});

	it("and probes that throw are named too", async () => {
		const { journal, target } = await run(
			{},
			{
				probes: {
					leaders: () => {
						throw new TypeError("no such gauge");
					},
				},
			},
		);
		expect(journal.verdict).toBe("aborted");
		expect(journal.error).toMatchObject({ code: "experiment-probe-threw", details: { probe: "leaders" } });
		expect(target.isStopped).toBe(true);
	});
});

describe("the liveness phase", () => {
	it("waits for agreement, and fails where there is none in time", async () => {
		const converging = (afterMs: number): Partial<Script> => ({
			converged: ({ methodMs }) => methodMs >= 3_000 + afterMs,
		});
		const { journal } = await run({}, converging(4_000));
		expect(journal.verdict).toBe("pass");
		expect(journal.time.convergedAtMs).toBe((journal.time.methodFromMs ?? 0) + 7_000);
		expect(await verdictOf({}, converging(6_000))).toBe(
			"fail: the members did not agree 5000 ms after all faults were removed",
		);
	});

	it("fails where operations stay unanswered", async () => {
		const { journal } = await run({}, { latencyMs: ({ methodMs }) => (methodMs > 2_000 ? null : 10) });
		expect(journal.violations).toEqual(["liveness"]);
		expect(journal.reasons).toEqual(["operations were unanswered 5000 ms after all faults were removed"]);
	});

	it("is not judged beyond the fault budget; what is wrong still is", async () => {
		const method = "[{at: 1s, fault: pause, target: all, for: 1s}]";
		const stuck: Partial<Script> = { converged: () => false };
		const { journal } = await run({ method }, stuck);
		expect(journal.verdict).toBe("pass");
		expect(journal.beyondBudget).toMatch(/up to 5 of 5 members may be out .* the crash budget is 2/);
		expect(journal.notChecked.join()).toMatch(/availability and recovery/);
		const wrong: Partial<Script> = {
			judgement: { verdict: "violated", check: "linearizable", explanation: "lost", history: "" },
		};
		expect(await verdictOf({ method }, wrong)).toBe("fail: the history is not linearizable: lost");
	});

	it("begins with every fault removed: one that is left is an error", async () => {
		const { journal, target } = await run({}, { leftOver: ["partition 4"] });
		expect(journal.verdict).toBe("aborted");
		expect(journal.reasons).toEqual(["left in force after all faults were removed: partition 4"]);
		expect(target.isStopped).toBe(true);
	});

	it("is not reached when a fault can not be removed; the others are removed all the same", async () => {
		const stubborn: Partial<Script> = {
			onRemove: ({ kind }) => {
				if (kind === "pause") throw new Error("no such process");
			},
		};
		const { journal, target } = await run({ method: "[{at: 1s, fault: pause}, {at: 1s, fault: loss}]" }, stubborn);
		expect(journal.verdict).toBe("aborted");
		expect(journal.reasons).toEqual(["pause could not be removed: no such process"]);
		expect(target.log).toContain("remove loss @3000");
		expect(target.activeFaults).toEqual([]);
	});
});

describe("the verdict", () => {
	it("is pass when everything held and something happened", async () => {
		const { journal } = await run();
		expect(journal).toMatchObject({
			verdict: "pass",
			status: "completed",
			deviated: false,
			violations: [],
			error: null,
		});
		expect(journal.workload.counts).toEqual({ begun: 60, ok: 60, failed: 0, unknown: 0 });
	});

	it("is fail when the history is wrong", async () => {
		const judgement = {
			verdict: "violated",
			check: "linearizable",
			explanation: "a read went back",
			history: "",
		} as const;
		const { journal } = await run({}, { judgement });
		expect(journal.verdict).toBe("fail");
		expect(journal.violations).toEqual(["history"]);
	});

	it("is inconclusive when the checker of the history gave up", async () => {
		const judgement = { verdict: "unknown", check: "linearizable", explanation: "out of time", history: "" } as const;
		expect(await verdictOf({}, { judgement })).toBe(
			"inconclusive: not known whether the history is linearizable: out of time",
		);
	});

	it("is vacuous when a required sometimes never happened", async () => {
		const properties = "{sometimes: [moved, leader-changed]}";
		expect(await verdictOf({ properties })).toBe("vacuous: leader-changed never happened");
		expect(await verdictOf({ properties: "{sometimes: [moved]}" })).toMatch(/^pass/);
		expect(await verdictOf({ properties: "{sometimes: [all]}" })).toBe("vacuous: leader-changed never happened");
	});

	it("is vacuous when no fault of a method was applied; a method without faults asks for none", async () => {
		const never: Partial<Script> = {
			onApply: () => {
				throw faultNotApplicable({ fault: "kill", reason: "there is no leader" });
			},
		};
		const method = "[{at: 1s, fault: kill, optional: true}]";
		expect(await verdictOf({ method }, never)).toBe("vacuous: no fault was applied");
		expect(await verdictOf({ method: "[]" })).toMatch(/^pass/);
	});

	it("is vacuous when no operation was answered", async () => {
		expect(await verdictOf({ workload: "{kind: key-value, rate: 0.01/s, for: 3s}" })).toBe(
			"vacuous: no operation was answered",
		);
	});

	it("is vacuous when a property asked for by name, or none at all, was evaluated", async () => {
		const idle: Partial<Script> = { evaluations: (id) => (id === "calm" ? 0 : 1) };
		expect(await verdictOf({ properties: "{always: [safe, calm]}" }, idle)).toBe("vacuous: calm was never evaluated");
		const { journal } = await run({}, idle);
		expect(journal.verdict).toBe("pass");
		expect(journal.notChecked).toContain("calm: it was never evaluated");
		expect(await verdictOf({}, { evaluations: () => 0 })).toBe("vacuous: no property was ever evaluated");
	});

	it("is turned round by an expected violation", async () => {
		const expect_ = { expect: "{violated: safe}" };
		const breaks = (broken: string): Partial<Script> => ({
			finding: (id, { methodMs }) => (id === broken && methodMs > 1_000 ? { atMs: 1_000, text: "broken" } : null),
		});
		expect(await verdictOf(expect_, breaks("safe"))).toBe("pass: as expected: safe was violated at 1000 ms: broken");
		expect(await verdictOf(expect_, breaks("calm"))).toBe("fail: calm was violated at 1000 ms: broken");
		expect(await verdictOf(expect_)).toBe("fail: safe was expected to be violated and held");
		expect(await verdictOf(expect_, { probes: { leaders: () => 0 } })).toMatch(/^aborted/);
	});

	it("weighs what was seen to be wrong more than why the run ended", async () => {
		const guards = "[{probe: memory, tolerance: {max: 512}}]";
		const both: Partial<Script> = {
			probes: { leaders: () => 1, memory: () => 600 },
			finding: (id) => (id === "safe" ? { atMs: 0, text: "broken" } : null),
		};
		expect(await verdictOf({ guards }, both)).toMatch(/^fail: safe/);
	});
});

describe("an interrupt", () => {
	it("removes all faults, stops the target and gives no verdict on it", async () => {
		const interrupt = new AbortController();
		const engine = new ScriptedEngine({
			onStep: ({ methodMs }) => {
				if (methodMs >= 1_510) interrupt.abort();
			},
		});
		const experiment = experimentOf({ method: "[{at: 1s, fault: loss}]" });
		const { journal } = await runExperiment(experiment, { engine, signal: interrupt.signal });
		expect(journal).toMatchObject({ verdict: "aborted", status: "interrupted", reasons: ["the run was interrupted"] });
		expect(engine.target?.log).toEqual(["loss all @1000", "remove loss @1510", "stop"]);
	});

	it("also while the steady state is waited for, which is then not judged", async () => {
		const interrupt = new AbortController();
		const engine = new ScriptedEngine({
			probes: { leaders: ({ methodMs }) => (methodMs >= 2_000 ? 0 : 1) },
			onStep: ({ methodMs }) => {
				if (methodMs >= 4_000) interrupt.abort();
			},
		});
		const { journal } = await runExperiment(experimentOf(), { engine, signal: interrupt.signal });
		expect(journal).toMatchObject({ verdict: "aborted", status: "interrupted", violations: [] });
		expect(journal.hypothesis.after).toBeNull();
	});

	it("also before the method", async () => {
		const engine = new ScriptedEngine({ probes: { leaders: () => 0 } });
		const { journal } = await runExperiment(experimentOf(), { engine, signal: AbortSignal.abort() });
		expect(journal.status).toBe("interrupted");
		expect(engine.target?.log).toEqual(["stop"]);
	});
});

describe("before the start", () => {
	const refused = async (more: Readonly<Record<string, string>>, script: Partial<Script> = {}): Promise<unknown> => {
		const engine = new ScriptedEngine(script);
		const outcome = await runExperiment(experimentOf(more), { engine }).catch((thrown: unknown) => thrown);
		expect(engine.started).toBe(0);
		return outcome;
	};

	it("what the engine can not do is refused, with what it can", async () => {
		const few = { faults: new Set(["kill", "pause"]) };
		expect(await refused({ method: "[{at: 1s, fault: loss}]" }, few)).toMatchObject({
			code: "experiment-unsupported",
			message: "the engine script has no fault loss",
		});
		expect(await refused({ guards: "[{probe: memroy, tolerance: 1}]" })).toMatchObject({
			message: "the engine script has no probe memroy (did you mean memory?)",
		});
		expect(await refused({ workload: "{kind: keyvalue}" })).toMatchObject({ code: "experiment-unsupported" });
		expect(await refused({ properties: "{always: [saef]}" })).toMatchObject({ details: { nearest: "safe" } });
	});

	it("a property is asked for as what it is", async () => {
		expect(await refused({ properties: "{always: [moved]}" })).toMatchObject({
			code: "experiment-invalid",
			details: { key: "properties.always", actual: "moved, which is sometimes" },
		});
		expect(await refused({ properties: "{sometimes: [safe]}" })).toMatchObject({ code: "experiment-invalid" });
	});

	it("an experiment made by code is checked as one from a file", async () => {
		const made: Experiment = { ...experimentOf(), livenessMs: -1 };
		await expect(runExperiment(made, { engine: new ScriptedEngine() })).rejects.toMatchObject({
			code: "experiment-invalid",
			details: { key: "liveness" },
		});
	});

	it("a node that does not exist ends the run before the method", async () => {
		const { journal, target } = await run({ method: "[{at: 1s, fault: kill, target: node-9}]" });
		expect(journal.error).toMatchObject({ code: "experiment-unsupported", details: { what: "node", name: "node-9" } });
		expect(journal.verdict).toBe("aborted");
		expect(target.log).toEqual(["stop"]);
	});
});

describe("progress and record", () => {
	it("tells how far it is, in every phase", async () => {
		const phases: string[] = [];
		const engine = new ScriptedEngine({ converged: ({ methodMs }) => methodMs > 4_000 });
		await runExperiment(experimentOf(), {
			engine,
			progress: ({ phase, elapsedMs, lengthMs }) => {
				expect(elapsedMs).toBeLessThanOrEqual(lengthMs);
				if (phases.at(-1) !== phase) phases.push(phase);
			},
		});
		expect(phases).toEqual(["method", "liveness", "rollback"]);
	});

	it("keeps the last events up to the first violation, and no later ones", async () => {
		const { journal } = await run(
			{},
			{
				onStep: (target) => target.say({ origin: "node-1", type: "tick", text: `${target.methodMs}` }),
				// Found out only when somebody looks, some time later.
				finding: (id, { methodMs }) => (id === "safe" && methodMs >= 2_000 ? { atMs: 1_900, text: "" } : null),
			},
		);
		expect(journal.violations).toEqual(["safe"]);
		expect(journal.events.kept.at(-1)?.text).toBe("1900");
		expect(journal.events.kept.length).toBeLessThan(journal.events.seen);
	});

	it("keeps a leader's span until its member ends", async () => {
		const { journal } = await run(
			{},
			{
				onStep: (target) => {
					const { methodMs } = target;
					if (methodMs === 100) target.say({ origin: "node-1", type: "leader-elected", text: "", values: { term: 1 } });
					if (methodMs === 1_000) target.say({ origin: "node-1", type: "ended", text: "" });
					if (methodMs === 1_200)
						target.say({ origin: "node-2", type: "leader-elected", text: "", values: { term: 2 } });
				},
			},
		);
		expect(journal.leaders).toEqual([
			{ node: "node-1", term: 1, fromMs: 100, toMs: 1_000 },
			{ node: "node-2", term: 2, fromMs: 1_200, toMs: null },
		]);
		expect(journal.terms).toEqual([
			{ atMs: 100, term: 1 },
			{ atMs: 1_200, term: 2 },
		]);
		expect(journal.events.seen).toBe(3);
	});
});
