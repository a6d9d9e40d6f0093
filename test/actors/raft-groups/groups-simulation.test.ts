/**
 * Goal: many groups over few threads: each has a leader, a log and a state of its own; leaders are spread; idle groups send
 * nothing, and yet notice that the thread of their leader has ended; kills cost no command; one group fails alone.
 * Method: the shipped code on virtual threads; messages are counted by the runtime's own counters, time is virtual.
 */
import { describe, expect, it } from "vitest";
import { raftClientLayouts } from "../../../actors/participant/index.ts";
import { RaftGroups, type RaftGroupsEvent, type RaftGroupsOptions } from "../../../actors/raft-groups/index.ts";
import type { SwarmBackend } from "../../../actors/swarm/index.ts";
import { raftLayouts } from "../../../protocols/raft/index.ts";
import type { ActorContext } from "../../../runtime/actor/index.ts";
import { Simulation, type SimulationOptions } from "../../../runtime/simulation/index.ts";
import { SimulatedDisk, StorageActor, type StorageEngine, storageLayouts } from "../../../runtime/storage/index.ts";

const storageModule = "file:///simulated/storage.js";
const applicationModule = "file:///simulated/application.js";

class DiskStorage extends StorageActor {
	constructor() {
		const open = ({ clock, generator }: ActorContext): StorageEngine =>
			new SimulatedDisk({ clock, generator: generator.fork("disk") });
		super({ engine: { type: "provided", open } });
	}
}

/** A list that throws at the command "throw". */
class FragileList {
	#list: unknown[] = [];
	apply(command: unknown): number {
		if (command === "throw") throw new Error("as it was told");
		return this.#list.push(command);
	}
	query(): unknown {
		return this.#list;
	}
	takeSnapshot(): unknown {
		return this.#list;
	}
	restoreSnapshot(list: unknown[]): void {
		this.#list = list;
	}
}
const fragileList = { module: applicationModule, export: "FragileList" };

interface Running {
	readonly groups: RaftGroups;
	readonly simulation: Simulation;
	readonly events: RaftGroupsEvent[];
	settle<T>(promise: Promise<T>): Promise<T>;
	run(ms: number): Promise<void>;
	/** Messages that the nodes' threads have told so far, of all their lives. */
	told(): number;
	leaders(): (string | undefined)[];
}

async function running(
	seed: number,
	options: Partial<RaftGroupsOptions>,
	simulated: Partial<SimulationOptions> = {},
): Promise<Running> {
	const simulation = new Simulation({
		seed,
		modules: new Map<string, Record<string, unknown>>([
			[storageModule, { DiskStorage }],
			[applicationModule, { FragileList }],
		]),
		codec: { layouts: [raftLayouts, raftClientLayouts, storageLayouts], records: [] },
		...simulated,
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
	const groups = await simulation.complete(
		RaftGroups.start({ nodes: 3, groups: 6, seed, backend, warmSpares: 0, ...options }),
	);
	const events: RaftGroupsEvent[] = [];
	groups.events$.subscribe((event) => events.push(event));
	return {
		groups,
		simulation,
		events,
		settle: (promise) => simulation.complete(promise),
		run: async (ms) => {
			await simulation.run({ untilMs: simulation.nowMs + ms });
		},
		told: () => {
			const nodes = simulation.threads.status().filter(({ spec }) => spec.name.startsWith("node:"));
			expect(nodes).toHaveLength(groups.nodes.length);
			return nodes.reduce((sum, { slot }) => {
				const reading = simulation.metrics(slot)?.read().get("actor.told");
				return sum + (reading !== undefined && "value" in reading ? reading.value : 0);
			}, 0);
		},
		leaders: () => groups.names.map((name) => groups.group(name).leader?.leader),
	};
}

const append = (value: number): object => ({ type: "append", key: "list", value });
const list = { type: "get", key: "list" };
const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe("many groups", () => {
	it("have each a leader, a log and a state of their own, on as many threads as there are nodes", async () => {
		const { groups, settle, simulation, leaders } = await running(1, { groups: ["orders", "stock", "users"] });
		expect(groups.names).toEqual(["orders", "stock", "users"]);
		await settle(groups.group("orders").propose(append(1)));
		await settle(groups.group("stock").propose(append(2)));
		expect(await settle(groups.group("orders").read(list))).toEqual({ value: [1] });
		expect(await settle(groups.group("stock").read(list))).toEqual({ value: [2] });
		expect(await settle(groups.group("users").read(list))).toEqual({ value: null });
		const names = simulation.threads.status().map(({ spec }) => spec.name);
		expect(names.filter((name) => name !== "main").sort()).toEqual([
			"node:node-1",
			"node:node-2",
			"node:node-3",
			"storage",
		]);
		expect(leaders()).toEqual(["node-1", "node-2", "node-3"]);
		const statuses = await settle(groups.group("orders").status());
		expect(statuses.map(({ state, lastIndex }) => [state, lastIndex])).toEqual(range(3).map(() => ["running", 3]));
		await settle(groups.stop());
	});

	it("spread their leaders over the nodes", async () => {
		const { groups, settle, leaders } = await running(2, { groups: 12 });
		for (const node of groups.nodes) expect(leaders().filter((leader) => leader === node)).toHaveLength(4);
		await settle(groups.stop());
	});

	it("send nothing at all while they are idle: 200 groups, 30 election timeouts", async () => {
		const { groups, settle, run, told } = await running(3, { groups: 200 });
		await run(5_000);
		const before = told();
		expect(before).toBeGreaterThan(200);
		await run(60_000);
		expect(told() - before).toBe(0);
		// One of them has work, and the others stay as they are: 200 groups that woke up would say thousands.
		await settle(groups.group("group-77").propose(append(1)));
		await run(5_000);
		const forOne = told() - before;
		expect(forOne).toBeGreaterThan(0);
		expect(forOne).toBeLessThan(100);
		await settle(groups.stop());
	});

	it("notice in their silence that the thread of their leader has ended, while nobody asks and it stays away", async () => {
		// A thread takes longer to start than all of this: whoever leads next was no member on the dead one.
		const startupMs = { min: 8_000, max: 8_000 };
		const { groups, settle, run, told, leaders } = await running(4, { groups: 12 }, { startupMs });
		await run(5_000);
		const silent = told();
		await run(5_000);
		expect(told()).toBe(silent);
		const before = leaders();
		await settle(groups.kill("node-2"));
		await run(10);
		expect(leaders().filter((leader) => leader === undefined)).toHaveLength(4);
		await run(4_000);
		expect(leaders()).not.toContain("node-2");
		expect(leaders()).not.toContain(undefined);
		// The others did not have to move.
		for (const [at, leader] of before.entries()) if (leader !== "node-2") expect(leaders()[at]).toBe(leader);
		await settle(groups.stop());
	});

	it("are silent again when the dead node is back", async () => {
		const { groups, settle, run, told } = await running(5, { groups: 12 });
		await run(5_000);
		await settle(groups.kill("node-1"));
		await run(10_000);
		const before = told();
		await run(30_000);
		expect(told()).toBe(before);
		const statuses = await settle(groups.group("group-1").status());
		expect(statuses.map(({ state }) => state)).toEqual(["running", "running", "running"]);
		await settle(groups.stop());
	});

	it("lose no command and do none twice, whichever node is killed; the same seed is the same run", async () => {
		const hashes = new Set<string>();
		for (let repetition = 1; repetition <= 2; repetition++) {
			const { groups, settle, run, simulation } = await running(6, { groups: 3 });
			const generator = simulation.generator("kills");
			const pause = (ms: number): Promise<void> => new Promise<void>((goOn) => simulation.clock.schedule(ms, goOn));
			let isOver = false;
			const load = groups.names.map(async (name) => {
				const client = groups.group(name).client({ timeoutMs: 120_000 });
				let sent = 0;
				for (; !isOver; await pause(60)) {
					await Promise.all([client.propose(append(sent)), client.propose(append(sent + 1))]);
					sent += 2;
				}
				return sent;
			});
			for (let kill = 0; kill < 4; kill++) {
				await run(4_000 * generator.fraction());
				await settle(groups.kill(generator.pick(groups.nodes)));
			}
			isOver = true;
			const sent = await settle(Promise.all(load));
			for (const [at, name] of groups.names.entries()) {
				expect(sent[at]).toBeGreaterThan(20);
				const { value } = await settle(groups.group(name).read<{ value: number[] }>(list));
				expect([...value].sort((a, b) => a - b)).toEqual(range(sent[at] ?? 0));
				if (at === 0) await run(5_000);
				for (const node of groups.nodes) {
					expect(await settle(groups.group(name).inspect(node, list))).toEqual({ value });
				}
			}
			await settle(groups.stop());
			hashes.add(simulation.traceHash);
		}
		expect(hashes.size).toBe(1);
	});

	it("fail alone: a command that no member can apply ends its group, and the others go on", async () => {
		const { groups, settle, events } = await running(8, { groups: 3, application: fragileList });
		const [failing, other] = [groups.group("group-2"), groups.group("group-3")];
		const lost = failing.propose("throw").catch((error: unknown) => error);
		const failure = await settle(failing.failed);
		expect(failure).toMatchObject({ code: "group-failed", details: { group: "group-2" } });
		expect(String(failure.message)).toContain("as it was told");
		expect(await settle(lost)).toMatchObject({ code: "outcome-unknown" });
		await expect(settle(failing.propose("x"))).rejects.toMatchObject({ code: "group-failed" });
		expect(() => failing.client()).toThrow(expect.objectContaining({ code: "group-failed" }));
		expect(await settle(other.propose("a"))).toBe(1);
		await settle(groups.kill("node-3"));
		expect(await settle(other.propose("b"))).toBe(2);
		expect(await settle(other.read(null))).toEqual(["a", "b"]);
		expect(events.filter(({ type }) => type === "group-failed")).toMatchObject([{ group: "group-2" }]);
		expect(events.filter(({ type }) => type === "swarm-failed")).toEqual([]);
		await settle(groups.stop());
	});

	it("fail together when their storage is gone", async () => {
		const { groups, settle, simulation } = await running(9, { groups: 4 });
		const { slot } = simulation.threads.status().find(({ spec }) => spec.name === "storage") ?? expect.fail("it runs");
		await settle(simulation.endThread(slot, { cause: "crashed" } as Parameters<Simulation["endThread"]>[1]));
		expect(await settle(groups.failed)).toMatchObject({ code: "swarm-failed" });
		await expect(settle(groups.group("group-1").propose(append(1)))).rejects.toMatchObject({ code: "swarm-failed" });
		await expect(settle(groups.kill("node-1"))).rejects.toMatchObject({ code: "swarm-failed" });
		await settle(groups.stop());
	});

	it("hand their leadership over one by one", async () => {
		const { groups, settle } = await running(10, { groups: 3 });
		const group = groups.group("group-1");
		expect(await settle(group.transferLeadership("node-3"))).toMatchObject({ leader: "node-3" });
		expect(groups.group("group-2").leader).toMatchObject({ leader: "node-2" });
		expect(await settle(group.membership())).toMatchObject({ leader: "node-3", voters: groups.nodes });
		await settle(groups.stop());
		await expect(settle(group.propose(append(1)))).rejects.toMatchObject({ code: "swarm-stopped" });
	});
});
