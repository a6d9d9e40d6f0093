/**
 * Goal: the catalogue of faults can be relied upon by parsers, planners and engines. Method: every entry is looked at.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import { resolveFault } from "../../../supervisors/chaos/resolve.ts";
import { FAULT_KINDS, findFaultKind, formatExperiment, parseExperiment } from "../../../supervisors/index.ts";
import { experimentOf } from "./scripted-target.ts";

const nodes = ["node-1", "node-2", "node-3", "node-4", "node-5"];
const resolve = (
	kind: string,
	given: Record<string, string | number> = {},
	seed = 1,
): Readonly<Record<string, unknown>> => resolveFault({ kind, arguments: given }, nodes, new Generator(seed)).arguments;

describe("the catalogue", () => {
	it("names each kind once, in kebab-case, with a sentence for it and for each argument", () => {
		const names = FAULT_KINDS.map(({ kind }) => kind);
		expect(new Set(names).size).toBe(names.length);
		for (const { kind, means, arguments: given } of FAULT_KINDS) {
			expect(kind).toMatch(/^[a-z]+(-[a-z]+)*$/);
			expect(means).toMatch(/^[A-Z].*\.$/);
			expect(new Set(given.map(({ key }) => key)).size).toBe(given.length);
			for (const field of given) {
				expect(field.means).toMatch(/\.$/);
				// These belong to every fault.
				expect(["at", "for", "fault", "optional"]).not.toContain(field.key);
			}
			expect(findFaultKind(kind)?.kind).toBe(kind);
		}
		expect(findFaultKind("no-such-fault")).toBeUndefined();
	});

	it("holds the faults that experiments of this project are made of", () => {
		const wanted =
			"kill kill-at pause slow crash-loop oom busy-loop restart-power-loss supervisor-kill mailbox-flood lane-full partition " +
			"loss delay duplicate reorder corrupt replay clog bandwidth flap drop-kind slow-disk stalled-disk disk-full failed-flush " +
			"read-error clock-skew clock-drift clock-jump transfer-leadership";
		for (const kind of wanted.split(" ")) expect(findFaultKind(kind), kind).toBeDefined();
	});

	it("has defaults that the format accepts", () => {
		for (const { kind, arguments: given } of FAULT_KINDS) {
			const required = given.filter((field) => !("default" in field) && field.optional !== true);
			const method = `[{at: 1s, fault: ${kind}${required.map(({ key }) => `, ${key}: something`).join("")}}]`;
			const experiment = experimentOf({ method });
			expect(parseExperiment(formatExperiment(experiment))).toEqual(experiment);
		}
	});
});

describe("resolving", () => {
	it("draws a node for any, and leaves the words that only the target understands", () => {
		const drawn = new Set(Array.from({ length: 100 }, (_, seed) => resolve("kill", { target: "any" }, seed)["target"]));
		expect([...drawn].sort()).toEqual(nodes);
		expect(resolve("kill", { target: "leader" })).toEqual({ target: "leader" });
		expect(resolve("kill", { target: "node-3" })).toEqual({ target: "node-3" });
		expect(resolve("transfer-leadership")).toEqual({ target: "follower" });
	});

	it("draws two different ends of a link", () => {
		for (let seed = 0; seed < 50; seed++) {
			const { from, to } = resolve("clog", {}, seed);
			expect(nodes).toContain(from);
			expect(nodes).toContain(to);
			expect(from).not.toBe(to);
		}
	});

	it("draws the smaller half of a partition", () => {
		expect(resolve("partition", { shape: "halves" })["side"]).toEqual(["node-1", "node-2"]);
		const sides = Array.from(
			{ length: 200 },
			(_, seed) => resolve("partition", { shape: "random-halves" }, seed)["side"],
		);
		expect(sides.every((side) => Array.isArray(side) && new Set(side).size === 2)).toBe(true);
		expect(new Set(sides.map(String)).size).toBe(10);
		expect(resolve("partition", { shape: "bridge" })["side"]).toBeUndefined();
	});
});
