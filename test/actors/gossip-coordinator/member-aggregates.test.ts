/**
 * Goal: a member finds out averages, sums and numbers of all within the stated accuracy, also when another dies with its mass on the way,
 * and whether all hold the same values (GOS-16). Method: groups on virtual time.
 */
import { expect, it } from "vitest";
import { GossipWorld } from "./gossip-world.ts";

const nodes = Array.from({ length: 12 }, (_, i) => `node-${String(i + 1).padStart(2, "0")}`);

async function started(tuning: object = {}): Promise<GossipWorld> {
	const world = new GossipWorld(nodes);
	await world.start({ profile: "local", tuning });
	for (const [i, node] of nodes.entries()) {
		await world.simulation.complete(world.group.contribute(node, "load", (i + 1) ** 2));
	}
	return world;
}

/** Relative. */
const off = (estimate: number | null, truth: number): number => Math.abs((estimate ?? Number.NaN) - truth) / truth;

it("average, sum and count come within their accuracy", async () => {
	const world = await started();
	const { group, simulation } = world;
	const ask = [
		["average", 650 / 12],
		["sum", 650],
		["count", 12],
	] as const;
	for (const accuracy of [0.1, 0.001]) {
		for (const [kind, truth] of ask) {
			const found = await simulation.complete(group.aggregate("node-05", kind, { of: "load", accuracy }));
			expect(off(found.estimate, truth)).toBeLessThan(accuracy);
			expect(found).toMatchObject({ epochs: 1, isWhole: true });
		}
	}
	expect(await simulation.complete(group.aggregate("node-01", "average", { of: "nothing" }))).toMatchObject({
		estimate: null,
	});
	await world.stop();
});

it("a member that dies takes mass along; the asker begins anew when it hears of it, and comes to the truth of those who are left", async () => {
	const world = await started({ probeIntervalMs: 100, probeTimeoutMs: 50 });
	const { group, simulation } = world;
	let restarts = 0;
	group.events$.subscribe(({ event }) => {
		if (event.type === "aggregate-restarted") restarts++;
	});
	const asked = Promise.all(
		(["sum", "count"] as const).map((kind) => group.aggregate("node-01", kind, { of: "load", roundMs: 200 })),
	);
	await simulation.run({ untilMs: simulation.nowMs + 2_000 });
	await simulation.complete(group.kill("node-12"));
	const [sum, count] = await simulation.complete(asked);
	expect(restarts).toBe(2);
	expect(sum).toMatchObject({ epochs: 2, isWhole: true });
	expect(off(sum?.estimate ?? null, 650 - 144)).toBeLessThan(0.01);
	expect(off(count?.estimate ?? null, 11)).toBeLessThan(0.01);
	await world.stop();
});

it("members hear when all hold the same values, and when they do not", async () => {
	const world = new GossipWorld(nodes.slice(0, 4));
	await world.start({ profile: "local", values: { visits: "g-counter" }, valuesIntervalMs: 100 });
	const { group, simulation } = world;
	const isConverged = async (): Promise<boolean> =>
		(await simulation.complete(group.convergence("node-01")))?.isConverged ?? false;
	await simulation.run({ untilMs: simulation.nowMs + 5_000 });
	expect(await isConverged()).toBe(true);
	const heard: boolean[] = [];
	group.events$.subscribe(({ node, event }) => {
		if (node === "node-01" && event.type === "values-convergence") heard.push(event.reading.isConverged);
	});
	await simulation.complete(group.changeValues("node-01", [{ type: "increment", path: ["visits"], amount: 1 }]));
	await simulation.run({ untilMs: simulation.nowMs + 5_000 });
	expect(heard[0]).toBe(false);
	expect(heard.at(-1)).toBe(true);
	expect(await isConverged()).toBe(true);
	await world.stop();
});

it("refuses what is no figure", async () => {
	const world = new GossipWorld(["a"]);
	await world.start();
	const { group } = world;
	await expect(group.contribute("a", "", 1)).rejects.toMatchObject({ code: "invalid-argument" });
	await expect(group.contribute("a", "load", Number.NaN)).rejects.toMatchObject({ code: "invalid-argument" });
	await expect(group.aggregate("a", "median" as "sum")).rejects.toMatchObject({ code: "invalid-argument" });
	await expect(group.aggregate("a", "sum", { accuracy: 0 })).rejects.toMatchObject({ code: "gossip-config-invalid" });
	await expect(group.aggregate("a", "sum", { roundMs: 0 })).rejects.toMatchObject({ code: "invalid-argument" });
	await expect(group.convergence("a")).rejects.toMatchObject({ code: "gossip-values-missing" });
	expect(await world.simulation.complete(group.aggregate("a", "count"))).toMatchObject({ estimate: 1 });
	await world.stop();
});
