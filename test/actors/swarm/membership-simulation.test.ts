/**
 * Goal: members join and leave a running swarm, leadership moves, and a start after a restart finds whoever is a member by
 * then; each promise of the swarm's API is kept on the way.
 * Method: the swarm itself on the simulated runtime, on virtual time, with a disk that outlives a swarm.
 */
import { describe, expect, it } from "vitest";
import { raftClientLayouts } from "../../../actors/participant/index.ts";
import {
	groupSupervisorName,
	Swarm,
	type SwarmBackend,
	type SwarmEvent,
	type SwarmOptions,
} from "../../../actors/swarm/index.ts";
import { raftLayouts } from "../../../protocols/raft/index.ts";
import type { ActorContext } from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import { SimulatedDisk, StorageActor, type StorageEngine, storageLayouts } from "../../../runtime/storage/index.ts";

const storageModule = "file:///simulated/storage.js";

/** The disk of the swarm that was started last. */
let disk: SimulatedDisk | null = null;

class DiskStorage extends StorageActor {
	constructor() {
		const open = ({ clock, generator }: ActorContext): StorageEngine => {
			disk = new SimulatedDisk({ clock, generator: generator.fork("disk") });
			return disk;
		};
		super({ engine: { type: "provided", open } });
	}
}

interface Running {
	readonly swarm: Swarm;
	readonly events: SwarmEvent[];
	readonly simulation: Simulation;
	/** Lets time pass until the promise settles. */
	settle<T>(promise: Promise<T>): Promise<T>;
	run(ms: number): Promise<void>;
	/** The names of the participants' threads. */
	threads(): string[];
}

async function running(seed: number, raft: NonNullable<SwarmOptions["raft"]> = { nodes: 3 }): Promise<Running> {
	const simulation = new Simulation({
		seed,
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
	const swarm = await simulation.complete(Swarm.start({ raft, seed, backend, warmSpares: 0 }));
	const events: SwarmEvent[] = [];
	swarm.events$.subscribe((event) => events.push(event));
	return {
		swarm,
		events,
		simulation,
		settle: (promise) => simulation.complete(promise),
		run: async (ms) => {
			await simulation.run({ untilMs: simulation.nowMs + ms });
		},
		threads: () =>
			simulation.threads
				.status()
				.filter(({ spec, state }) => spec.name.startsWith("raft/") && state === "running")
				.map(({ spec }) => spec.name)
				.sort(),
	};
}
const put = (value: number): object => ({ type: "put", key: "k", value });
const get = { type: "get", key: "k" };

describe("members of a swarm", () => {
	it("join on a thread of their own: they get everything, then they vote", async () => {
		for (let seed = 1; seed <= 5; seed++) {
			const { swarm, settle, threads, run } = await running(seed);
			await settle(swarm.propose(put(1)));
			expect(await settle(swarm.addMember())).toBe("node-4");
			expect(threads()).toEqual(["raft/node-1", "raft/node-2", "raft/node-3", "raft/node-4"]);
			const membership = await settle(swarm.membership());
			expect(membership).toMatchObject({
				voters: ["node-1", "node-2", "node-3", "node-4"],
				learners: [],
				isCommitted: true,
			});
			await run(200);
			expect(await settle(swarm.inspect("node-4", get))).toEqual({ value: 1 });
			expect(swarm.nodes.map(({ node }) => node)).toEqual(membership.voters);
			expect((await settle(swarm.status())).map(({ state }) => state)).toEqual(Array(4).fill("running"));
			await settle(swarm.stop());
		}
	});

	it("as learners follow and do not vote", async () => {
		const { swarm, settle, run } = await running(1);
		await settle(swarm.addMember("reader", { as: "learner" }));
		await settle(swarm.propose(put(2)));
		expect(await settle(swarm.membership())).toMatchObject({ learners: ["reader"] });
		await run(200);
		expect(await settle(swarm.inspect("reader", get))).toEqual({ value: 2 });
		const { peers } = await settle(swarm.membership());
		expect(peers.find(({ node }) => node === "reader")).toMatchObject({
			mode: "replicate",
			lagEntries: 0,
			isAlive: true,
		});
		await settle(swarm.stop());
	});

	it("leave, the leader too; their threads end, and the group goes on", async () => {
		for (let seed = 1; seed <= 5; seed++) {
			const { swarm, settle, threads, run, events } = await running(seed, { nodes: 5 });
			await settle(swarm.propose(put(3)));
			const gone = swarm.leader?.leader ?? "none";
			await settle(swarm.removeMember(gone));
			await settle(swarm.propose(put(4)));
			await run(500);
			expect(swarm.leader?.leader).not.toBe(gone);
			expect(threads()).toHaveLength(4);
			expect(threads()).not.toContain(`raft/${gone}`);
			expect(swarm.nodes.map(({ node }) => node)).not.toContain(gone);
			await expect(settle(swarm.inspect(gone, get))).rejects.toMatchObject({ code: "node-unknown" });
			expect(await settle(swarm.read(get))).toEqual({ value: 4 });
			expect(events.filter(({ type }) => type === "member-failed")).toEqual([]);
			await settle(swarm.stop());
		}
	});

	it("are replaced as a whole in one change, while clients go on", async () => {
		for (let seed = 1; seed <= 5; seed++) {
			const { swarm, settle, threads, run } = await running(seed);
			const client = swarm.client();
			const work = Promise.all(Array.from({ length: 50 }, (_, i) => client.propose(put(i))));
			await settle(swarm.changeMembers(["x", "y", "z"]));
			await settle(work);
			await run(500);
			expect(threads()).toEqual(["raft/x", "raft/y", "raft/z"]);
			expect(await settle(swarm.membership())).toMatchObject({ voters: ["x", "y", "z"], outgoing: [], learners: [] });
			const value = await settle(swarm.read(get));
			for (const node of ["x", "y", "z"]) expect(await settle(swarm.inspect(node, get))).toEqual(value);
			// The new ones know each other well enough to replace their leader.
			await settle(swarm.kill(swarm.leader?.leader ?? "none"));
			await settle(swarm.propose(put(99)));
			await settle(swarm.stop());
		}
	});

	it("that join survive the death of their thread, and of any other", async () => {
		const { swarm, settle, run, threads } = await running(3);
		await settle(swarm.addMember());
		await settle(swarm.addMember());
		await settle(swarm.removeMember("node-1"));
		for (const node of ["node-4", "node-5", "node-2", "node-3"]) {
			await settle(swarm.kill(node));
			await run(1_000);
			await settle(swarm.propose(put(5)));
		}
		await run(500);
		expect(threads()).toEqual(["raft/node-2", "raft/node-3", "raft/node-4", "raft/node-5"]);
		for (const { node } of swarm.nodes) expect(await settle(swarm.inspect(node, get))).toEqual({ value: 5 });
		await settle(swarm.stop());
	});

	it("may come back under the name that they had", async () => {
		const { swarm, settle, run, threads } = await running(4);
		await settle(swarm.removeMember("node-2"));
		await settle(swarm.propose(put(6)));
		expect(await settle(swarm.addMember("node-2"))).toBe("node-2");
		await run(500);
		expect(threads()).toHaveLength(3);
		expect(await settle(swarm.inspect("node-2", get))).toEqual({ value: 6 });
		await settle(swarm.stop());
	});

	it("that have lost what they held are refused under their name, for good; the others go on, and another one joins", async () => {
		const { swarm, events, settle, run, threads, simulation } = await running(3);
		const lose = async (node: string): Promise<void> => {
			disk?.wipe(`raft/raft/${node}`);
			simulation.processes.add({ kind: "kill", thread: `raft/${node}` });
			await run(1_000);
		};
		const refused = (): string[] =>
			events.flatMap(({ type, node }) => (type === "member-refused" ? [String(node)] : []));
		await settle(swarm.propose(put(1)));
		await lose("node-1");
		expect(refused()).toEqual(["node-1"]);
		expect(events.find(({ type }) => type === "member-refused")).toMatchObject({
			error: { code: "member-state-lost", details: { node: "node-1" } },
		});
		expect((await settle(swarm.status())).map(({ state }) => state)).toEqual(["refused", "running", "running"]);
		// Nobody tries it again and again: that would end the swarm.
		await run(30_000);
		expect(events.filter(({ type }) => type === "child-start-failed").length).toBeLessThan(4);
		expect(threads()).toEqual(["raft/node-2", "raft/node-3"]);
		await settle(swarm.propose(put(2)));

		await settle(swarm.removeMember("node-1"));
		await expect(settle(swarm.addMember("node-1"))).rejects.toMatchObject({ code: "member-state-lost" });
		expect(await settle(swarm.addMember())).toBe("node-4");
		await settle(swarm.propose(put(3)));
		await run(200);
		expect(await settle(swarm.inspect("node-4", get))).toEqual({ value: 3 });
		expect((await settle(swarm.membership())).voters).toEqual(["node-2", "node-3", "node-4"]);
		await settle(swarm.stop());
	});

	it("that were added or removed later are the ones that a supervisor starts which has failed", async () => {
		const { swarm, settle, run, threads, simulation } = await running(4);
		await settle(swarm.propose(put(1)));
		await settle(swarm.addMember());
		await settle(swarm.removeMember("node-2"));
		const supervisor = await settle(swarm.lookup(groupSupervisorName("raft")));
		simulation.processes.add({ kind: "fail-actor", thread: "main", actor: supervisor?.address.actor ?? 0 });
		await settle(swarm.kill("node-1"));
		await run(2_000);
		expect(threads()).toEqual(["raft/node-1", "raft/node-3", "raft/node-4"]);
		await settle(swarm.propose(put(2)));
		await run(200);
		for (const node of ["node-1", "node-3", "node-4"])
			expect(await settle(swarm.inspect(node, get))).toEqual({ value: 2 });
		expect(simulation.processes.counts.get("fail-actor")).toBe(1);
		await settle(swarm.stop());
	});

	it("are told apart by typed errors when something can not be", async () => {
		const { swarm, settle, threads } = await running(5);
		await expect(swarm.addMember("node-1")).rejects.toMatchObject({
			code: "member-exists",
			details: { node: "node-1" },
		});
		await expect(swarm.addMember("no name")).rejects.toMatchObject({ code: "invalid-argument" });
		await expect(swarm.removeMember("node-9")).rejects.toMatchObject({ code: "node-unknown" });
		await expect(swarm.changeMembers([])).rejects.toMatchObject({ code: "node-count-invalid" });
		await expect(swarm.changeMembers(["a", "a"])).rejects.toMatchObject({ code: "node-count-invalid" });
		await expect(swarm.addMember("x", { timeoutMs: 0 })).rejects.toMatchObject({ code: "invalid-argument" });
		await settle(swarm.removeMember("node-3"));
		await settle(swarm.removeMember("node-2"));
		await expect(settle(swarm.removeMember("node-1"))).rejects.toMatchObject({
			code: "membership-refused",
			details: { operation: "remove", reason: "no-voters" },
		});
		expect(threads()).toEqual(["raft/node-1"]);
		await settle(swarm.propose(put(7)));
		await settle(swarm.stop());
		await expect(swarm.addMember()).rejects.toMatchObject({ code: "swarm-stopped" });
	});

	it("that could not join in time are stopped again, or stay learners", async () => {
		const { swarm, settle, run, threads } = await running(6);
		for (const node of ["node-2", "node-3"]) await settle(swarm.kill(node));
		const joining = swarm.addMember("late", { timeoutMs: 1 });
		await expect(settle(joining)).rejects.toMatchObject({ code: "membership-not-done" });
		await run(2_000);
		const { voters, learners } = await settle(swarm.membership());
		const members = [...voters, ...learners].map((node) => `raft/${node}`).sort();
		expect(threads()).toEqual(members);
		await settle(swarm.stop());
	});

	it("a swarm that is stopped meanwhile says so", async () => {
		const { swarm, settle } = await running(7);
		const joining = swarm.addMember();
		const outcome = joining.catch((error: unknown) => error);
		await settle(swarm.stop());
		expect(await outcome).toMatchObject({ code: "swarm-stopped" });
	});
});

describe("leadership of a swarm", () => {
	it("is handed over to whom it is asked for, or to the best", async () => {
		const { swarm, settle, run, events } = await running(1);
		await settle(swarm.propose(put(1)));
		const first = swarm.leader?.leader;
		const target = swarm.nodes.map(({ node }) => node).find((node) => node !== first) ?? "none";
		const leadership = await settle(swarm.transferLeadership(target));
		expect(leadership.leader).toBe(target);
		await run(100);
		expect(swarm.leader).toEqual(leadership);
		expect(await settle(swarm.transferLeadership(target))).toEqual(leadership);
		expect((await settle(swarm.transferLeadership())).leader).not.toBe(target);
		const told = events.map(({ type }) => type).filter((type) => type.startsWith("transfer"));
		expect(told).toEqual(["transfer-begun", "transfer-completed", "transfer-begun", "transfer-completed"]);
		await settle(swarm.stop());
	});

	it("stays where it is when the target is no voter", async () => {
		const { swarm, settle } = await running(2);
		await settle(swarm.addMember("reader", { as: "learner" }));
		const before = swarm.leader;
		await expect(settle(swarm.transferLeadership("reader"))).rejects.toMatchObject({
			code: "membership-refused",
			details: { operation: "transfer", reason: "not-a-voter", detail: "node reader" },
		});
		await expect(swarm.transferLeadership("nobody")).rejects.toMatchObject({ code: "node-unknown" });
		expect(swarm.leader).toEqual(before);
		await settle(swarm.stop());
	});

	it("commands that come during a transfer are done after it", async () => {
		const { swarm, settle } = await running(3);
		const client = swarm.client();
		const work = Array.from({ length: 100 }, (_, i) => client.propose(put(i)));
		await settle(swarm.transferLeadership());
		await settle(Promise.all(work));
		await settle(swarm.stop());
	});
});
