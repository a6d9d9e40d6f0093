/**
 * Goal: the penetration tester tells the truth (SEC-40, SEC-41): attacks are found out and nobody else is accused, what breaks is called
 * broken, and what did not happen proves nothing. Method: runs of the shipped scenarios by seed, and tallies of the test's own making.
 */
import { describe, expect, it } from "vitest";
import type { Scenario, Tally } from "../../../actors/penetration-tester/contract.ts";
import { runTrial } from "../../../actors/penetration-tester/group-trial.ts";
import { chooseScenarios, judge, pentestScenarios, runPentest } from "../../../actors/penetration-tester/index.ts";
import { verdictOf, vulnerabilitiesOf } from "../../../actors/penetration-tester/judge.ts";
import { modeAttacks, pbftAttacks } from "../../../protocols/pbft/attacks/index.ts";

const scenario: Scenario = {
	name: "example",
	kind: "security",
	mode: null,
	description: "",
	means: "proof",
	floors: { detection: 0.5, falsePositives: 0.1 },
	run: () => good,
};
const good: Tally = {
	trials: 1,
	attacks: 4,
	detected: 2,
	innocents: 10,
	accused: 1,
	latenciesMs: [1, 9, 3],
	isSafe: true,
	hasProgress: true,
	damage: [],
	mitigation: "",
	beyond: { attackers: "2 of 4", trials: 2, broken: 2, alarmed: 1, damage: [] },
};
const beyond = good.beyond as NonNullable<Tally["beyond"]>;

describe("what a tally means", () => {
	it("is held at its floors, with rates and latency from its figures", () => {
		expect(judge(scenario, good)).toMatchObject({
			verdict: "held",
			reasons: [],
			detectionRate: 0.5,
			falsePositiveRate: 0.1,
			latencyMs: { median: 3, max: 9 },
		});
	});

	it.each<[string, Partial<Tally>, string]>([
		["too little is found out", { detected: 1 }, "missed"],
		["too many are accused", { accused: 2 }, "missed"],
		["nobody notices what breaks beyond the limit", { beyond: { ...beyond, alarmed: 0 } }, "missed"],
		["safety is lost", { isSafe: false }, "broken"],
		["progress is lost", { hasProgress: false }, "broken"],
		["nobody has attacked", { attacks: 0, detected: 0 }, "vacuous"],
		["nobody could be accused wrongly", { innocents: 0, accused: 0 }, "vacuous"],
		["nothing breaks beyond the limit", { beyond: { ...beyond, broken: 0, alarmed: 0 } }, "vacuous"],
		["safety is lost though nobody has attacked", { attacks: 0, detected: 0, isSafe: false }, "broken"],
	])("is not held when %s", (_what, change, verdict) => {
		const report = judge(scenario, { ...good, ...change });
		expect(report).toMatchObject({ verdict });
		expect(report.reasons.length).toBeGreaterThan(0);
		expect(verdictOf([report], false)).toBe("failed");
	});

	it("a run of nothing fails, and an interrupted one is not held", () => {
		expect(verdictOf([], false)).toBe("failed");
		expect(verdictOf([judge(scenario, good)], false)).toBe("held");
		expect(verdictOf([judge(scenario, good)], true)).toBe("interrupted");
	});

	it("a weakness is recorded with the command that shows it again (SEC-41)", () => {
		const broken = judge(scenario, { ...good, isSafe: false });
		const vacuous = judge(scenario, { ...good, attacks: 0, detected: 0 });
		expect(vulnerabilitiesOf([broken, vacuous, judge(scenario, good)], { seed: 7, nodes: 4, trials: 2 })).toMatchObject(
			[
				{
					id: "example/broken",
					severity: "high",
					reproduce: "quorate pentest --scenario example --nodes 4 --seed 7 --trials 2",
				},
			],
		);
	});
});

describe("attacks on agreement", () => {
	it("every strategy of the library has its scenario, in the mode without which it does nothing", () => {
		const consensus = pentestScenarios().filter(({ kind }) => kind === "consensus");
		const library = [...pbftAttacks, ...modeAttacks];
		expect(consensus.map(({ name }) => name)).toEqual([...library.map(({ name }) => name), "twins"]);
		for (const { name, needs = "signed" } of library)
			expect(consensus.find((known) => known.name === name)?.mode, name).toBe(needs);
		expect(new Set(pentestScenarios().map(({ name }) => name)).size).toBe(pentestScenarios().length);
	});

	it("are all of one mode if one is asked for, and what does nothing there is refused", () => {
		for (const mode of ["signed", "authenticated", "collector"] as const) {
			const names = pentestScenarios(mode).map(({ name }) => name);
			const theirs = modeAttacks.filter(({ needs }) => needs === mode);
			expect(names).toEqual([...[...pbftAttacks, ...theirs].map(({ name }) => name), "twins"]);
			expect(pentestScenarios(mode).every((known) => known.mode === mode)).toBe(true);
		}
		for (const name of ["spoilt-parts", "sybil"]) {
			expect(() => chooseScenarios([name], "collector")).toThrow(
				expect.objectContaining({
					code: "pentest-scenario-other-mode",
					details: { scenario: name, mode: "collector" },
				}),
			);
		}
	});

	it("take place and are borne in the mode that they are for", async () => {
		const report = await runPentest({ scenarios: modeAttacks.map(({ name }) => name), trials: 2, seed: 2 });
		expect(report.scenarios.map(({ verdict }) => verdict)).toEqual(modeAttacks.map(() => "held"));
	});

	it("convict nobody by authenticators, and leave a collector that shows nothing", async () => {
		const [voter] = (await runPentest({ scenarios: ["double-vote"], mode: "authenticated", trials: 2 })).scenarios;
		expect(voter).toMatchObject({ verdict: "held", means: "none", attacks: 2, detected: 0, accused: 0 });
		const [collector] = (await runPentest({ scenarios: ["silent-collector"], trials: 4 })).scenarios;
		expect(collector).toMatchObject({ verdict: "held", means: "slowness", mode: "collector", accused: 0 });
		expect(collector?.detected).toBe(collector?.attacks);
	});

	it("are found out, by seed, and f + 1 twins are seen to break the group, with an alarm", async () => {
		const scenarios = ["double-vote", "lazy-primary", "malformed", "twins"];
		// Two trials find twins out in most seeds, not in all.
		const report = await runPentest({ scenarios, trials: 2, seed: 3 });
		expect(report.scenarios.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
			"lazy-primary held",
			"double-vote held",
			"malformed held",
			"twins held",
		]);
		const twins = report.scenarios.at(-1)?.beyond;
		expect(twins?.broken).toBeGreaterThan(0);
		expect(twins?.alarmed).toBeGreaterThan(0);
		expect(report).toMatchObject({ verdict: "held", vulnerabilities: [], faults: 1 });
	});

	it("are decided by the seed alone", () => {
		const strategy = { type: "attacks", attacks: pbftAttacks.filter(({ name }) => name === "replay") } as const;
		const trial = () => runTrial({ seed: 3, members: 4, faults: 1, strategy, attackers: 1 });
		expect(trial()).toEqual(trial());
	});

	it("nobody is accused in a control run, in which members crash, and nobody counts as attacker", () => {
		const control = runTrial({ seed: 5, members: 7, faults: 2, strategy: null, attackers: 0 });
		expect(control).toMatchObject({ violated: [], alarm: null, deceived: 0, hasProgress: true });
		expect(control.answered).toBe(control.asked);
		for (const member of control.members)
			expect(member).toMatchObject({ isAttacker: false, deviations: 0, convictedAtMs: null, suspectedAtMs: null });
	});
});

describe("attacks on what stands around agreement", () => {
	const names = chooseScenarios(["security"]).map(({ name }) => name);

	it.each(names)("%s is held, for 4 and for 7 members", async (name) => {
		for (const nodes of [4, 7]) {
			const report = await runPentest({ scenarios: [name], nodes, trials: 1 });
			expect(report.scenarios[0]?.reasons, `${nodes} members`).toEqual([]);
			expect(report.verdict).toBe("held");
		}
	});

	it("who withholds a share of a new key does not make the others take each other for absent (SEC-2)", async () => {
		const report = await runPentest({ scenarios: ["key-ceremony"] });
		expect(report.scenarios[0]).toMatchObject({ accused: 0, verdict: "held" });
		expect(report.scenarios[0]?.mitigation).toContain("7 of 7 ceremonies made a key");
	});
});

it("refuses scenarios that there are not, and groups of impossible size", async () => {
	expect(() => chooseScenarios(["sybill"])).toThrow(
		expect.objectContaining({ code: "pentest-scenario-unknown", details: { scenario: "sybill", suggestion: "sybil" } }),
	);
	await expect(runPentest({ nodes: 3 })).rejects.toMatchObject({ code: "invalid-argument" });
	await expect(runPentest({ trials: 0 })).rejects.toMatchObject({ code: "invalid-argument" });
});
