/**
 * Goal: a seed always becomes the same experiment, within its budget, and many seeds cover what there is.
 * Method: plans of many seeds, looked at as a whole; each is run through the checks of any other experiment.
 */
import { describe, expect, it } from "vitest";
import {
	beyondBudget,
	checkExperiment,
	type Experiment,
	FAULT_KINDS,
	formatExperiment,
	parseExperiment,
	planExperiment,
	selectFaults,
} from "../../../supervisors/index.ts";

const kinds = FAULT_KINDS.map(({ kind }) => kind);
const order = {
	topology: { protocol: "raft", nodes: 5, storage: "durable", disks: "shared", config: {} },
	budget: { crash: 2, byzantine: 0, damage: 2 },
	workload: { kind: "key-value", clients: 4, ratePerSecond: 50, keys: 4, forMs: 60_000 },
	steadyState: { title: "", probes: [] },
	guards: [],
	livenessMs: 30_000,
	properties: { always: ["all"], sometimes: [] },
	values: { message: ["append-request", "vote-request"], point: ["append"] },
} as const;
const plan = (seed: number, faults: readonly string[] = kinds): Experiment =>
	planExperiment({ ...order, seed, faults });
const plans = Array.from({ length: 120 }, (_, seed) => plan(seed));
const used = ({ method }: Experiment): Set<string> => new Set(method.map(({ fault }) => fault.kind));

describe("planExperiment", () => {
	it("makes the same of a seed, and other things of other seeds", () => {
		for (const seed of [0, 1, -5, Number.MAX_SAFE_INTEGER]) expect(plan(seed)).toEqual(plan(seed));
		expect(new Set(plans.map(({ method }) => JSON.stringify(method))).size).toBe(plans.length);
	});

	it("makes experiments that are checked, within the budget, and written and read back", () => {
		for (const experiment of plans) {
			expect(beyondBudget(experiment)).toBeNull();
			expect(checkExperiment(experiment)).toEqual(experiment);
		}
		for (const experiment of plans.slice(0, 4))
			expect(parseExperiment(formatExperiment(experiment))).toEqual(experiment);
	});

	it("begins and ends every fault while operations are begun", () => {
		for (const { method } of plans) {
			for (const { atMs, forMs } of method) expect(atMs + (forMs ?? 0)).toBeLessThanOrEqual(60_000);
		}
	});

	it("covers all kinds over many seeds, and only a part of them in one", () => {
		// A supervisor takes all members with it: that is within no budget.
		const wanted = kinds.filter((kind) => kind !== "supervisor-kill").sort();
		expect([...new Set(plans.flatMap((experiment) => [...used(experiment)]))].sort()).toEqual(wanted);
		const shares = plans.map((experiment) => used(experiment).size / kinds.length);
		expect(Math.max(...shares)).toBeLessThan(0.85);
		expect(Math.min(...shares)).toBeLessThan(0.35);
	});

	it("covers every choice of every argument", () => {
		const seen = new Set(
			plans.flatMap(({ method }) =>
				method.flatMap(({ fault }) =>
					Object.entries(fault.arguments).map(([name, value]) => `${fault.kind}.${name}=${String(value)}`),
				),
			),
		);
		for (const { kind, arguments: given } of FAULT_KINDS) {
			for (const { name, shape } of given) {
				for (const value of shape.type === "choice" ? shape.of : []) expect(seen).toContain(`${kind}.${name}=${value}`);
			}
		}
		expect(seen).toContain("kill.target=leader");
		expect(seen).toContain("drop-kind.message=vote-request");
	});

	it("lets seeds differ in how often and how hard they strike", () => {
		const counts = plans.map(({ method }) => method.length).sort((a, b) => a - b);
		expect(counts.at(-1)).toBeGreaterThan(8 * (counts[0] ?? 0));
	});

	it("draws nothing that was not asked for, and nothing at all if nothing was", () => {
		expect(plan(1, []).method).toEqual([]);
		for (let seed = 0; seed < 20; seed++) {
			const drawn = used(plan(seed, ["kill", "loss"]));
			expect(drawn.size).toBeGreaterThan(0);
			expect([...drawn].every((kind) => kind === "kill" || kind === "loss")).toBe(true);
		}
	});

	it("leaves out what needs a value that nobody offers", () => {
		const experiment = planExperiment({ ...order, values: {}, seed: 1, faults: ["drop-kind"] });
		expect(experiment.method).toEqual([]);
	});
});

describe("selectFaults", () => {
	const supported = new Set(["pause", "kill", "loss"]);

	it("knows all, none and lists", () => {
		expect(selectFaults("all", "sim", supported)).toEqual(["kill", "loss", "pause"]);
		expect(selectFaults("none", "sim", supported)).toEqual([]);
		expect(selectFaults("loss, kill,loss", "sim", supported)).toEqual(["kill", "loss"]);
	});

	it("refuses what the engine does not have, with the nearest that it has", () => {
		expect(() => selectFaults("kill,los", "sim", supported)).toThrow(
			expect.objectContaining({
				code: "experiment-unsupported",
				message: "the engine sim has no fault los (did you mean loss?)",
			}),
		);
		expect(() => selectFaults("", "sim", supported)).toThrow(
			expect.objectContaining({ code: "experiment-unsupported" }),
		);
	});
});
