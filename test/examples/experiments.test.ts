/**
 * Goal: the experiments that come with the package can be read, and each of them shows on the simulator what it is there
 * to show.
 * Method: every file of `examples/experiments` is parsed and run once with its own seed.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { simulationEngine, threadsEngine } from "../../actors/experiment/index.ts";
import { formatExperiment, parseExperiment, runExperiment } from "../../supervisors/index.ts";
import { projectRoot } from "../source-tree.ts";

const directory = join(projectRoot, "examples", "experiments");
const files = readdirSync(directory).sort();

describe("the experiments of the examples", () => {
	it("are at least 25, each with a title of its own", () => {
		const titles = files.map((file) => parseExperiment(readFileSync(join(directory, file), "utf8"), file).title);
		expect(titles.length).toBeGreaterThanOrEqual(25);
		expect(new Set(titles).size).toBe(titles.length);
	});

	it("run on threads too, but for what threads can not do", () => {
		const { faults, properties, disks } = threadsEngine();
		const elsewhere = files.filter((file) => {
			const {
				method,
				topology,
				properties: asked,
			} = parseExperiment(readFileSync(join(directory, file), "utf8"), file);
			const isApplied = method.every(({ fault }) => faults.has(fault.kind)) && disks.has(topology.disks);
			return !isApplied || asked.sometimes.some((id) => !properties.has(id));
		});
		expect(elsewhere).toEqual([
			"clocks-drift.yaml",
			"clocks-off.yaml",
			"damaged-disks.yaml",
			"everything-at-once.yaml",
			"follower-dies-before-it-answers.yaml",
			"leader-dies-between-append-and-answer.yaml",
			"own-disk-fails.yaml",
			"own-disk-unreadable.yaml",
			"own-disks-fill-up.yaml",
			"power-loss-of-all.yaml",
			"power-loss-of-one.yaml",
			"wiped-member.yaml",
		]);
	});

	it.each(files)("%s passes on the simulator", async (file) => {
		const experiment = parseExperiment(readFileSync(join(directory, file), "utf8"), file);
		expect(parseExperiment(formatExperiment(experiment))).toEqual(experiment);
		expect(experiment.properties.sometimes.length).toBeGreaterThan(0);
		const { journal } = await runExperiment(experiment, { engine: simulationEngine() });
		expect([journal.verdict, journal.reasons]).toEqual(["pass", expect.anything()]);
		expect(journal.faults.map(({ outcome }) => outcome)).not.toContain("skipped");
	});
});
