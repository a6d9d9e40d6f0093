/**
 * Goal: a swarm that breaks a property of its protocol says so in production: once for each property, after the event that
 * shows it, and not when it was told to keep still.
 * Method: a simulated swarm in which somebody publishes what no sound member would; the stream of a sound one; and the
 * monitors alone with many events.
 */
import { describe, expect, it } from "vitest";
import { raftClientLayouts } from "../../../actors/participant/index.ts";
import { Swarm, type SwarmBackend, type SwarmEvent } from "../../../actors/swarm/index.ts";
import { Monitors } from "../../../actors/swarm/monitors.ts";
import { raftLayouts } from "../../../protocols/raft/index.ts";
import type { ActorContext } from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import { SimulatedDisk, StorageActor, storageLayouts } from "../../../runtime/storage/index.ts";

const storageModule = "file:///simulated/storage.js";

class DiskStorage extends StorageActor {
	constructor() {
		super({ engine: { type: "provided", open: ({ clock, generator }) => new SimulatedDisk({ clock, generator }) } });
	}
}

type RoleChange = Pick<Extract<SwarmEvent, { type: "role-changed" }>, "role" | "term" | "leader">;

/** The events of a swarm in which an actor publishes these changes of roles as if they were of the members. */
async function told(
	changes: (leader: string, term: number) => readonly (RoleChange & { readonly node: string })[],
	monitors?: boolean,
): Promise<readonly SwarmEvent[]> {
	const simulation = new Simulation({
		seed: 5,
		modules: new Map([[storageModule, { DiskStorage }]]),
		codec: { layouts: [raftLayouts, raftClientLayouts, storageLayouts], records: [] },
	});
	const backend: SwarmBackend = {
		backend: simulation.backend,
		storage: {
			name: "storage",
			behaviour: { module: storageModule, export: "DiskStorage" },
			placement: "dedicated",
			neverKilled: true,
		},
	};
	const liar = {
		receive: (event: object, context: ActorContext): void =>
			context.publish({ type: "role-changed", group: "raft", ...event } as { readonly type: string }),
	};
	const swarm = await simulation.complete(
		Swarm.start({
			raft: { nodes: 3 },
			seed: 5,
			backend,
			warmSpares: 0,
			actors: [{ id: "liar", start: { name: "liar", behaviour: { local: () => liar }, placement: "local" } }],
			...(monitors === undefined ? {} : { monitors }),
		}),
	);
	const events: SwarmEvent[] = [];
	swarm.events$.subscribe((event) => events.push(event));
	// What the first election told was before anybody could listen; the monitors have heard it.
	const leadership = swarm.leader ?? expect.fail("somebody leads");
	const ref = (await simulation.complete(swarm.lookup("liar"))) ?? expect.fail("it lives");
	for (const change of changes(leadership.leader, leadership.term)) ref.tell(change);
	await simulation.run({ untilMs: simulation.nowMs + 500 });
	await simulation.complete(swarm.stop());
	return events;
}

const other = (leader: string): string => (leader === "node-1" ? "node-2" : "node-1");
const alerts = (events: readonly SwarmEvent[]): unknown[] => events.filter(({ type }) => type === "property-violated");

describe("the monitors of a swarm", () => {
	it("tell of two leaders in one term, after the event that shows it, once", async () => {
		const events = await told((leader, term) =>
			[1, 2, 3].map(() => ({
				node: other(leader),
				role: "leader",
				term: term as never,
				leader: other(leader) as never,
			})),
		);
		expect(alerts(events)).toEqual([
			expect.objectContaining({
				property: "election-safety",
				statement: "At most one leader is elected in a term.",
				origin: "raft",
				details: expect.objectContaining({ term: expect.any(Number) }),
			}),
		]);
		const at = events.findIndex(({ type }) => type === "property-violated");
		expect(events[at - 1]).toMatchObject({ type: "role-changed", role: "leader" });
	});

	it("tell of a term that goes back", async () => {
		const events = await told((leader, term) => [
			{ node: leader, role: "follower", term: (term - 1) as never, leader: null },
		]);
		expect(alerts(events)).toEqual([expect.objectContaining({ property: "monotone-term" })]);
	});

	it("tell nothing of a sound group, and nothing at all when they are off", async () => {
		expect(alerts(await told(() => []))).toEqual([]);
		const lie = (leader: string, term: number) => [
			{ node: other(leader), role: "leader", term: term as never, leader: other(leader) as never } as const,
		];
		expect(alerts(await told(lie, false))).toEqual([]);
		await expect(Swarm.start({ monitors: "no" as never })).rejects.toMatchObject({ code: "invalid-argument" });
	});

	it("remember no more than some thousands of terms", () => {
		const found: unknown[] = [];
		const monitors = new Monitors((alert) => found.push(alert));
		const lead = (term: number, node: string): void =>
			monitors.heard({
				type: "role-changed",
				role: "leader",
				term,
				leader: node,
				node,
				group: "raft",
				origin: `raft/${node}`,
				atMs: 0,
			} as unknown as SwarmEvent);
		for (let term = 1; term <= 10_000; term++) lead(term, `node-${(term % 3) + 1}`);
		expect(found).toEqual([]);
		// Long forgotten; no member would campaign in it, and the lie is not seen as one of this property.
		lead(1, "node-1");
		expect(found.map((alert) => (alert as { readonly property: string }).property)).toEqual(["monotone-term"]);
		lead(10_000, "node-3");
		expect(found).toHaveLength(2);
	});
});
