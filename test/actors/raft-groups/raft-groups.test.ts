/**
 * Goal: many Raft groups over few threads: each decides for itself, idle ones cost nothing and still notice the death of their leader,
 * one that fails takes nobody with it, and wrong options are refused before anything starts.
 * Method: the host itself on the simulated runtime, on virtual time; messages between members are counted where they travel.
 */
import { describe, expect, it } from "vitest";
import { raftClientLayouts } from "../../../actors/participant/index.ts";
import {
	GROUP_MEMBERS_MAX,
	type GroupsEvent,
	RaftGroups,
	type RaftGroupsOptions,
} from "../../../actors/raft-groups/index.ts";
import { raftLayouts } from "../../../protocols/raft/index.ts";
import type { ActorContext } from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import { SimulatedDisk, StorageActor, storageLayouts } from "../../../runtime/storage/index.ts";

const storageModule = "file:///simulated/storage.js";
const fragileModule = "file:///simulated/fragile.js";

class DiskStorage extends StorageActor {
	constructor() {
		const open = ({ clock, generator }: ActorContext): SimulatedDisk =>
			new SimulatedDisk({ clock, generator: generator.fork("disk") });
		super({ engine: { type: "provided", open } });
	}
}

/** Counts, and throws at one command. */
class Fragile {
	#count = 0;
	apply(command: unknown): number {
		if (command === "break") throw new Error("it was dropped");
		return ++this.#count;
	}
	query(): number {
		return this.#count;
	}
	takeSnapshot(): number {
		return this.#count;
	}
	restoreSnapshot(count: number): void {
		this.#count = count;
	}
}

interface Simulated {
	readonly simulation: Simulation;
	/** Messages between members so far. */
	sent(): number;
	start(options: RaftGroupsOptions): Promise<RaftGroups>;
	settle<T>(promise: Promise<T>): Promise<T>;
	pass(ms: number): Promise<unknown>;
}

function simulated(seed: number): Simulated {
	let sent = 0;
	const simulation = new Simulation({
		seed,
		modules: new Map<string, Record<string, unknown>>([
			[storageModule, { DiskStorage }],
			[fragileModule, { Fragile }],
		]),
		codec: { layouts: [raftLayouts, raftClientLayouts, storageLayouts], records: [] },
		network: {
			deliveries: ({ sender, target, kind }) => {
				// Slot 0 is main's, and 1 the storage's.
				if (kind === "tell" && sender !== null && sender.slot > 1 && target.slot > 1) sent += 1;
				return null;
			},
		},
	});
	const backend = {
		backend: simulation.backend,
		storage: {
			name: "storage",
			behaviour: { module: storageModule, export: "DiskStorage" },
			placement: "dedicated",
			neverKilled: true,
		},
	} as const;
	return {
		simulation,
		sent: () => sent,
		start: (options) => simulation.complete(RaftGroups.start({ seed, backend, warmSpares: 0, ...options })),
		settle: (promise) => simulation.complete(promise),
		pass: (ms) => simulation.run({ untilMs: simulation.nowMs + ms }),
	};
}

describe("many Raft groups", () => {
	it("each decide for themselves, with leaders spread over the nodes", async () => {
		const { start, settle } = simulated(1);
		const groups = await start({ groups: 20 });
		expect(groups.nodes).toEqual(["node-1", "node-2", "node-3"]);
		expect([...groups.leaders.values()].sort()).toEqual([6, 7, 7]);
		await settle(
			Promise.all(groups.names.map((name) => groups.group(name).propose({ type: "put", key: "name", value: name }))),
		);
		for (const name of groups.names) {
			expect(await settle(groups.group(name).read({ type: "get", key: "name" }))).toEqual({ value: name });
			const status = await settle(groups.group(name).status());
			expect(status.map(({ commitIndex }) => commitIndex).every((index) => index >= 2)).toBe(true);
		}
		await settle(groups.stop());
		await expect(groups.group("group-1").propose("late")).rejects.toMatchObject({ code: "swarm-stopped" });
	});

	it("send nothing while there is nothing to do, and wake for a command", async () => {
		const { start, settle, pass, sent } = simulated(2);
		const groups = await start({ groups: 12 });
		await pass(2_000);
		const before = sent();
		await pass(600_000);
		expect(sent()).toBe(before);
		await settle(groups.group("group-3").propose({ type: "put", key: "k", value: 1 }));
		expect(sent()).toBeGreaterThan(before);
		await settle(groups.stop());
	});

	it("elect another leader while a node is down, though they were silent, and spread again when asked", async () => {
		const { start, settle, pass } = simulated(3);
		const groups = await start({ groups: 9 });
		const told: GroupsEvent[] = [];
		groups.events$.subscribe((event) => told.push(event));
		const back = (): Promise<void> =>
			new Promise((resolve) => {
				const heard = groups.events$.subscribe(({ node, event }) => {
					if (event.type !== "thread-started" || node !== "node-1") return;
					heard.unsubscribe();
					resolve();
				});
			});
		// The first death costs no time, later ones do: long enough at last to be led by somebody else meanwhile.
		for (let death = 0; death < 5; death++) {
			const started = back();
			await settle(groups.kill("node-1"));
			await settle(started);
			await pass(200);
		}
		await settle(groups.balance());
		expect([...groups.leaders.values()]).toEqual([3, 3, 3]);
		const led = groups.names.filter((name) => groups.group(name).leader?.leader === "node-1");
		await pass(1_500);
		const started = back();
		await settle(groups.kill("node-1"));
		const killedAtMs =
			told.findLast(({ event, node }) => event.type === "thread-ended" && node === "node-1")?.atMs ?? 0;
		await settle(started);
		const backAtMs = told.at(-1)?.atMs ?? 0;
		for (const name of led) {
			const elected = told.find(
				({ atMs, group, event }) =>
					atMs > killedAtMs && group === name && "role" in event && (event as { role: string }).role === "leader",
			);
			expect(elected?.atMs).toBeLessThan(backAtMs);
			expect(elected?.node).not.toBe("node-1");
		}
		await pass(1_000);
		expect([...(await settle(groups.balance())).values()]).toEqual([3, 3, 3]);
		await settle(groups.stop());
	});

	it("keep what was acknowledged over the death of each node in turn", async () => {
		const { start, settle, pass } = simulated(4);
		const groups = await start({ groups: ["orders", "stock", "mail"] });
		for (const [round, node] of groups.nodes.entries()) {
			const appended = groups.names.map((name) =>
				groups.group(name).propose({ type: "append", key: "rounds", value: round }),
			);
			await settle(groups.kill(node));
			await settle(Promise.all(appended));
			await pass(1_000);
		}
		for (const name of groups.names) {
			expect(await settle(groups.group(name).read({ type: "get", key: "rounds" }))).toEqual({ value: [0, 1, 2] });
		}
		await settle(groups.stop());
	});

	it("go on when the application of one of them fails", async () => {
		const { start, settle, pass } = simulated(5);
		const application = { module: fragileModule, export: "Fragile" };
		const groups = await start({ groups: ["good", "bad"], application });
		const lost = groups.group("bad").propose("break");
		const outcome = expect(lost).rejects.toMatchObject({ code: "outcome-unknown" });
		const failed = await settle(groups.group("bad").failed);
		await outcome;
		expect(failed).toMatchObject({ code: "group-failed", details: { group: "bad" } });
		expect(failed.message).toContain("it was dropped");
		await expect(groups.group("bad").propose("more")).rejects.toMatchObject({ code: "group-failed" });
		expect(() => groups.group("bad").client()).toThrow(expect.objectContaining({ code: "group-failed" }));
		await pass(1_000);
		expect(await settle(groups.group("good").propose("fine"))).toBe(1);
		await settle(groups.stop());
	});

	it.each<[unknown, string]>([
		[{ groups: 0 }, "group-count-invalid"],
		[{ groups: 1.5 }, "group-count-invalid"],
		[{ groups: [] }, "group-count-invalid"],
		[{ groups: ["a", "b", "a"] }, "group-count-invalid"],
		[{ groups: Math.floor(GROUP_MEMBERS_MAX / 3) + 1 }, "group-count-invalid"],
		[{ groups: ["a/b"] }, "invalid-argument"],
		[{}, "group-count-invalid"],
		[{ groups: 2, nodes: 0 }, "node-count-invalid"],
		[{ groups: 2, node: 3 }, "option-unknown"],
		[{ groups: 2, config: { heartbeatMs: 0 } }, "raft-config-invalid"],
	])("refuses %j as %s", async (options, code) => {
		await expect(RaftGroups.start(options as RaftGroupsOptions)).rejects.toMatchObject({ code });
	});

	it("refuses groups and nodes that there are not", async () => {
		const { start, settle } = simulated(6);
		const groups = await start({ groups: ["a", "b"] });
		expect(() => groups.group("c")).toThrow(
			expect.objectContaining({ code: "group-unknown", details: { group: "c", groups: 2, first: "a" } }),
		);
		await expect(groups.kill("node-9")).rejects.toMatchObject({ code: "node-unknown" });
		await settle(groups.stop());
	});
});
