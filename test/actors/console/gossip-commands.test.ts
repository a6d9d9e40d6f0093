/**
 * Goal: `quorate run --protocol gossip` and `quorate simulate --protocol gossip` take what their help says, judge what was seen
 * and tell it. Method: the simulate command in memory, the verdict of a run from made-up reports; a real run is in test/threads.
 */
import { describe, expect, it } from "vitest";
import { faultsOf, type GossipRunReport } from "../../../actors/console/gossip-run.ts";
import { gossipRunHelp, namesGossip, parseGossipRunOptions } from "../../../actors/console/gossip-run-options.ts";
import { runCommand } from "../../../actors/console/run-command.ts";
import { simulateCommand } from "../../../actors/console/simulate-command.ts";
import { TestWorld } from "./command-world.ts";

async function simulate(...args: string[]): Promise<{ exitCode: number; written: string }> {
	const world = new TestWorld();
	const exitCode = await world.clock.drive(simulateCommand(["--protocol", "gossip", ...args], world));
	return { exitCode, written: world.written };
}

describe("options", () => {
	it("the last --protocol decides whose they are", () => {
		expect(namesGossip(["--protocol", "gossip"])).toBe(true);
		expect(namesGossip(["--protocol=gossip"])).toBe(true);
		expect(namesGossip(["--protocol", "gossip", "--protocol", "raft"])).toBe(false);
		expect(namesGossip(["--nodes", "5"])).toBe(false);
	});

	it("of a run: defaults, and what is given", () => {
		expect(parseGossipRunOptions([])).toMatchObject({
			nodes: 64,
			threads: 2,
			killMs: 5_000,
			killThreadMs: null,
			signed: false,
			lossChance: 0,
			profile: "lan",
		});
		expect(parseGossipRunOptions(["--kill", "off", "--loss", "0.1", "--nodes", "9"])).toMatchObject({
			killMs: null,
			lossChance: 0.1,
			nodes: 9,
		});
	});

	it.each([
		["--loss", "1"],
		["--loss", "much"],
		["--nodes", "2"],
		["--profile", "moon"],
		["--kill", "0s"],
	])("refuses %s %s", (option, value) => {
		expect(() => parseGossipRunOptions([option, value])).toThrow(option);
	});

	it("--help names every option of a run", async () => {
		const world = new TestWorld();
		expect(await runCommand(["--protocol", "gossip", "--help"], world)).toBe(0);
		expect(world.written).toBe(gossipRunHelp());
		for (const option of [
			"nodes",
			"threads",
			"profile",
			"kill",
			"kill-thread",
			"signed",
			"loss",
			"spread",
			"for",
			"seed",
			"json",
		]) {
			expect(world.written).toContain(`--${option}`);
		}
	});
});

describe("the verdict of a run", () => {
	const good: GossipRunReport = {
		kills: [{ node: "node-1", firstMs: 4_000, allMs: 5_000 }],
		threadKills: [],
		falsePositives: 0,
		suspicions: 1,
		refutations: 0,
		spread: 10,
		delivered: 1,
		spreadMs: { median: 300, max: 400 },
		messages: 1,
		bytes: 1,
		lost: 0,
		seconds: 1,
		wholeViews: 8,
		nodes: 8,
	};
	it.each([
		["all is well", {}, 0],
		["a crash that not all noticed", { kills: [{ node: "node-1", firstMs: 4_000, allMs: null }] }, 1],
		["nobody was killed", { kills: [] }, 1],
		["news that were lost", { delivered: 0.98 }, 1],
		["a view that is not whole", { wholeViews: 7 }, 1],
		["a thread whose members did not all come back", { threadKills: [{ thread: "t", members: 3, backMs: null }] }, 1],
		["a thread whose members came back", { threadKills: [{ thread: "t", members: 3, backMs: 900 }] }, 0],
	])("%s", (_what, fields, faults) => {
		expect(faultsOf({ ...good, ...fields }, 5_000).length).toBe(faults);
	});

	it("with --kill-thread, a run without one proves nothing", () => {
		expect(faultsOf(good, 5_000, 9_000)).toEqual(["vacuous: no thread was killed"]);
	});

	it("without kills, none is no fault", () => {
		expect(faultsOf({ ...good, kills: [] }, null)).toEqual([]);
	});
});

describe("simulate", () => {
	it("converges, and says in what time", async () => {
		const { exitCode, written } = await simulate("--nodes", "40", "--for", "60s");
		expect(written).toContain("converged");
		expect(written).toMatch(/crash noticed by all\s+median \d/);
		expect(exitCode).toBe(0);
	});

	it("one seed decides everything, another something else", async () => {
		const result = async (seed: string): Promise<string> =>
			(await simulate("--nodes", "30", "--loss", "0.2", "--seed", seed, "--for", "60s", "--json")).written;
		expect(await result("1")).toBe(await result("1"));
		expect(await result("1")).not.toBe(await result("2"));
	});

	it("a crash that nobody has the time to notice fails", async () => {
		const { exitCode, written } = await simulate("--nodes", "30", "--profile", "wan", "--for", "30s", "--json");
		const { faults, detections } = JSON.parse(written) as { faults: string[]; detections: { allMs: number | null }[] };
		expect(exitCode).toBe(1);
		expect(faults[0]).toContain("not noticed by all");
		expect(detections.map(({ allMs }) => allMs)).toEqual([null]);
	});

	it("ends when it is interrupted", async () => {
		const world = new TestWorld();
		world.interruption.abort("SIGTERM");
		expect(await world.clock.drive(simulateCommand(["--protocol", "gossip", "--nodes", "10"], world))).toBe(143);
	});
});
