/**
 * Goal: `quorate simulate` from its options to its exit code: what is run, what is told of it, and that only a pass of
 * every seed exits 0.
 * Method: the command with a pool in this thread: real seeds where the run matters, made-up results where the figures do.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type SeedPool, simulateCommand } from "../../../actors/console/simulate-command.ts";
import { parseSimulateOptions, simulateHelp } from "../../../actors/console/simulate-options.ts";
import { experimentOf, runSeed, type SeedOrder, type SeedResult } from "../../../actors/experiment/index.ts";
import type { ExperimentVerdict } from "../../../supervisors/index.ts";
import { TestWorld } from "./command-world.ts";

vi.setConfig({ testTimeout: 120_000 });

const here = (run: (order: SeedOrder) => Promise<SeedResult>) => (): SeedPool => ({
	width: 1,
	run,
	close: () => Promise.resolve(),
});

function made(seed: number, verdict: ExperimentVerdict, faults: number): SeedResult {
	const reasons = [verdict === "pass" ? "all is well" : `why it is ${verdict}`];
	const common = { traceHash: `hash-${seed}`, virtualMs: 60_000, steps: 1_000, answered: 100 };
	const properties = [
		{ id: "election-safety", kind: "always", evaluations: 7 },
		{ id: "leader-elected", kind: "sometimes", evaluations: verdict === "vacuous" ? 0 : 2 },
	];
	return {
		...common,
		seed,
		verdict,
		reasons,
		violations: [],
		faults: { kill: faults },
		plannedFaults: faults,
		properties,
	};
}

describe("quorate simulate", () => {
	it("runs each seed of the range, tells verdicts, coverage and cost, and exits 0", async () => {
		const world = new TestWorld();
		const exitCode = await simulateCommand(
			["--seeds", "3..5", "--nodes", "3", "--for", "2s", "--faults", "kill,partition"],
			world,
			here(runSeed),
		);
		expect(exitCode).toBe(0);
		expect(world.written).toContain(
			"seeds 3 to 5, raft with 3 members, 2 s of virtual time each, faults: kill,partition",
		);
		expect(world.written).toMatch(/seeds +pass +fail +inconclusive +vacuous +aborted/);
		expect(world.written).toMatch(/election-safety +always +3 +[0-9]+/);
		expect(world.written).toMatch(/of virtual time in .*; in .* of processor time: [0-9,]+x/);
		expect(world.written.trimEnd().split("\n").at(-1)).toMatch(/^pass: 3 seeds: 3 pass; [0-9,]+ operations answered$/);
	});

	it.each(["fail", "inconclusive", "vacuous", "aborted"] as const)(
		"exits 1 when one seed of many is %s, and gives the command that runs it again",
		async (verdict) => {
			const world = new TestWorld();
			const pool = here(async ({ seed }) => made(seed, seed === 4 ? verdict : "pass", seed * 4));
			expect(await simulateCommand(["--seeds", "1..20"], world, pool)).toBe(1);
			expect(world.written).toContain(`seed 4: ${verdict}: why it is ${verdict}`);
			expect(world.written).toContain("quorate simulate --seed 4 --nodes 5 --for 60000ms --faults all --trace");
			const others = new TestWorld();
			await simulateCommand(["--seeds", "1..5", "--nodes", "3", "--witnesses", "1"], others, pool);
			expect(others.written).toContain("raft with 3 members, of which 1 witness, 60 s");
			expect(others.written).toContain(
				"quorate simulate --seed 4 --nodes 3 --witnesses 1 --for 60000ms --faults all --trace",
			);
			expect(world.written.trimEnd().split("\n").at(-1)).toMatch(
				new RegExp(`^${verdict}: 20 seeds: 19 pass, 1 ${verdict};`),
			);
		},
	);

	it("adds up classes and coverage as JSON", async () => {
		const world = new TestWorld();
		const pool = here(async ({ seed }) => made(seed, seed % 2 === 0 ? "pass" : "vacuous", seed === 1 ? 0 : 20));
		expect(await simulateCommand(["--seeds", "1..4", "--json"], world, pool)).toBe(1);
		expect(JSON.parse(world.written)).toMatchObject({
			seeds: { asked: 4, run: 4 },
			verdicts: { pass: 2, vacuous: 2, fail: 0 },
			classes: [
				{ name: "no faults", seeds: 1, verdicts: { vacuous: 1 } },
				{ name: "10 to 49 faults", seeds: 3, verdicts: { pass: 2, vacuous: 1 } },
			],
			faults: [{ kind: "kill", seeds: 4, applied: 60 }],
			properties: [
				{ id: "election-safety", seeds: 4, evaluations: 28 },
				{ id: "leader-elected", seeds: 2, evaluations: 4 },
			],
			failures: [{ seed: 1, verdict: "vacuous" }, { seed: 3 }],
			traces: [{ seed: 1, traceHash: "hash-1" }, { seed: 2 }, { seed: 3 }, { seed: 4 }],
			time: { virtualMs: 240_000 },
		});
	});

	it("says what no seed has shown, and does not call it a failure", async () => {
		const idle = { id: "group-silent", kind: "sometimes", evaluations: 0 };
		const pool = here(async ({ seed }) => {
			const result = made(seed, "pass", 3);
			return { ...result, properties: [...result.properties, idle] };
		});
		const world = new TestWorld();
		expect(await simulateCommand(["--seeds", "1..3"], world, pool)).toBe(0);
		expect(world.written).toContain("never happened, so that these seeds say nothing about it: group-silent\n");
		const json = new TestWorld();
		await simulateCommand(["--seeds", "1..3", "--json"], json, pool);
		expect(JSON.parse(json.written)).toMatchObject({ neverWitnessed: ["group-silent"] });
	});

	it("stops when it is interrupted, says how many seeds did not run, and exits 130", async () => {
		const world = new TestWorld();
		const pool = here(async ({ seed }) => {
			if (seed === 3) world.interruption.abort("SIGINT");
			return made(seed, "pass", 0);
		});
		expect(await simulateCommand(["--seeds", "1..10"], world, pool)).toBe(130);
		expect(world.written.trimEnd().split("\n").at(-1)).toContain("not run");
	});

	it("tells one seed in full with --trace", async () => {
		const world = new TestWorld();
		const args = ["--seed", "2", "--nodes", "3", "--for", "2s", "--faults", "kill", "--trace"];
		expect(await simulateCommand(args, world)).toBe(0);
		expect(world.written).toMatch(/fault +kill: node-[123]/);
		expect(world.written).toMatch(/node-[123] +leads term [0-9]+/);
		expect(world.written).toMatch(/(\+-+>|<-+\+).*append-entries after/);
		expect(world.written.trimEnd().split("\n").at(-1)).toMatch(/^pass: seed 2, .* trace [0-9a-f]{16}$/);
	});

	it("has nothing to shrink in a seed that passes", async () => {
		const args = ["--seed", "2", "--nodes", "3", "--for", "2s", "--faults", "kill", "--shrink"];
		await expect(simulateCommand(args, new TestWorld())).rejects.toMatchObject({ code: "nothing-to-shrink" });
	});

	it("shows how a Byzantine group breaks with more liars than it bears, and how to see it again", async () => {
		const world = new TestWorld();
		const given = ["--protocol", "pbft", "--byzantine", "2", "--for", "1s", "--faults", "none"];
		expect(await simulateCommand([...given, "--seeds", "4..5"], world, here(runSeed))).toBe(1);
		expect(world.written).toContain("seeds 4 to 5, pbft with 4 members, of which 2 lie, 1 s of virtual time each");
		const replay =
			"quorate simulate --seed 4 --protocol pbft --byzantine 2 --nodes 4 --for 1000ms --faults none --trace";
		expect(world.written).toContain(`  ${replay}\n`);
		expect(world.written.trimEnd().split("\n").at(-1)).toMatch(/^fail: 2 seeds: 2 fail; /);
		const again = new TestWorld();
		expect(await simulateCommand(replay.split(" ").slice(2), again)).toBe(1);
		expect(again.written).toMatch(/node-1 +lies: twins/);
	});

	it("shrinks a seed that fails to a file that can be run again", async () => {
		const world = new TestWorld();
		// Nobody can answer within a liveness phase of a millisecond.
		const file = join(world.workingDirectory, "failing.yaml");
		writeFileSync(
			file,
			`apiVersion: quorate/chaos/v1
title: no time to recover
topology: {protocol: raft, nodes: 3}
workload: {kind: key-value, clients: 2, rate: 20/s, keys: 2, for: 2s}
method:
  - {at: 500ms, fault: loss, probability: 0.01, for: 200ms}
  - {at: 1900ms, fault: crash, target: node-1, for: 90ms}
liveness: 1ms
`,
		);
		const args = ["--seed", "1", "--experiment", "failing.yaml", "--shrink", "--out", "small.yaml"];
		// Told before the shrinking, which may take minutes.
		const elsewhere = simulateCommand([...args, "--out", "none/small.yaml"], world);
		await expect(elsewhere).rejects.toMatchObject({ code: "report-unwritable", details: { file: "none/small.yaml" } });
		expect(world.written).toBe("");
		expect(await simulateCommand(args, world)).toBe(1);
		expect(existsSync(join(world.workingDirectory, "small.yaml"))).toBe(true);
		expect(readFileSync(join(world.workingDirectory, "small.yaml"), "utf8")).toMatch(
			/violated: (replicas-equal|liveness)/,
		);
		expect(world.written).toContain("quorate chaos run small.yaml");
	});

	it("runs an experiment's file with each seed", async () => {
		const world = new TestWorld();
		writeFileSync(
			join(world.workingDirectory, "one.yaml"),
			"apiVersion: quorate/chaos/v1\ntitle: one\ntopology: {protocol: raft, nodes: 3}\nworkload: {kind: key-value}\n",
		);
		const seeds: number[] = [];
		const pool = here(async (order) => {
			seeds.push(experimentOf(order).seed);
			expect(experimentOf(order).title).toBe("one");
			return made(order.seed, "pass", 0);
		});
		expect(await simulateCommand(["--seeds", "7..9", "--experiment", "one.yaml"], world, pool)).toBe(0);
		expect(seeds).toEqual([7, 8, 9]);
	});

	it.each([
		[["--seeds", "5..1"], "invalid-value"],
		[["--seeds", "5"], "invalid-value"],
		[["--seed", "1", "--seeds", "1..2"], "conflicting-options"],
		[["--trace"], "conflicting-options"],
		[["--seed", "1", "--out", "x.yaml"], "conflicting-options"],
		[["--shrink", "--seeds", "1..2"], "conflicting-options"],
		[["--experiment", "x.yaml", "--nodes", "3"], "conflicting-options"],
		[["--nodes", "2"], "invalid-value"],
		[["--sedes", "1..2"], "unknown-option"],
		[["stray"], "unexpected-argument"],
		[["--byzantine", "1"], "conflicting-options"],
		[["--witnesses", "3"], "conflicting-options"],
		[["--protocol", "pbft", "--witnesses", "1"], "conflicting-options"],
		[["--protocol", "pbft", "--nodes", "3"], "conflicting-options"],
		[["--protocol", "pbft", "--byzantine", "5"], "conflicting-options"],
		[["--protocol", "pbft", "--votes", "none"], "invalid-value"],
		[["--protocol", "pbft", "--votes", "authenticated", "--certificates", "collector"], "conflicting-options"],
		[["--protocol", "pbft", "--attack", "twins,replay"], "invalid-value"],
		[["--protocol", "pbft", "--attack", "half-collector"], "conflicting-options"],
		[["--protocol", "pbft", "--experiment", "x.yaml"], "conflicting-options"],
		[["--protocol", "pbft", "--seed", "1", "--shrink"], "conflicting-options"],
	])("refuses %j", (args, code) => {
		expect(() => parseSimulateOptions(args)).toThrowError(expect.objectContaining({ code }));
	});

	it("refuses a fault that the simulator does not have, and a file that is not there", async () => {
		await expect(simulateCommand(["--faults", "kil"], new TestWorld())).rejects.toMatchObject({
			code: "experiment-unsupported",
			details: { nearest: "kill" },
		});
		await expect(simulateCommand(["--experiment", "none.yaml"], new TestWorld())).rejects.toMatchObject({
			code: "experiment-unreadable",
		});
	});

	it("describes every option", async () => {
		const world = new TestWorld();
		expect(await simulateCommand(["--help"], world)).toBe(0);
		expect(world.written).toBe(simulateHelp());
	});
});
