/**
 * Goal: the swarm itself, unchanged, on the simulated runtime: boot, clients, kills, status, metrics, failure and stop
 * are the same on virtual time, and the same seed gives the same run.
 * Method: a swarm whose backend is injected; its promises are completed by letting virtual time pass.
 */
import { describe, expect, it } from "vitest";
import { raftClientLayouts } from "../../../actors/participant/index.ts";
import {
	STORAGE_STALL_MS_MAX,
	Swarm,
	type SwarmBackend,
	type SwarmEvent,
	type SwarmMetrics,
	type SwarmOptions,
} from "../../../actors/swarm/index.ts";
import { nodeId } from "../../../protocols/core/index.ts";
import { raftLayouts } from "../../../protocols/raft/index.ts";
import type { ActorContext, ThreadDirectory } from "../../../runtime/actor/index.ts";
import { type NetworkPolicy, Simulation } from "../../../runtime/simulation/index.ts";
import { SimulatedDisk, StorageActor, type StorageEngine, storageLayouts } from "../../../runtime/storage/index.ts";

const storageModule = "file:///simulated/storage.js";

/** The disk of the swarm that was started last. */
let disk: SimulatedDisk | undefined;

class DiskStorage extends StorageActor {
	constructor() {
		const open = ({ clock, generator }: ActorContext): StorageEngine => {
			disk = new SimulatedDisk({ clock, generator: generator.fork("disk") });
			return disk;
		};
		super({ engine: { type: "provided", open } });
	}
}

interface Simulated {
	readonly simulation: Simulation;
	readonly backend: SwarmBackend;
	start(options?: SwarmOptions): Promise<Swarm>;
	/** Lets time pass until the promise settles. */
	settle<T>(promise: Promise<T>): Promise<T>;
}

function simulated(seed: number, network?: NetworkPolicy): Simulated {
	const simulation = new Simulation({
		seed,
		modules: new Map([[storageModule, { DiskStorage }]]),
		codec: { layouts: [raftLayouts, raftClientLayouts, storageLayouts], records: [] },
		...(network === undefined ? {} : { network }),
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
		backend,
		start: (options = {}) =>
			simulation.complete(Swarm.start({ raft: { nodes: 3 }, seed, backend, warmSpares: 0, ...options })),
		settle: (promise) => simulation.complete(promise),
	};
}

describe("a swarm in simulation", () => {
	it("answers a read as it asks to be, of the member that is asked; and refuses what makes no sense", async () => {
		const { start, settle, simulation } = simulated(3);
		const swarm = await start({ raft: { nodes: 3, config: { quiesceAfterHeartbeats: 4 } } });
		await settle(swarm.propose({ type: "put", key: "k", value: 1 }));
		const query = { type: "get", key: "k" };
		const { leader } = await settle(swarm.untilLeader(10_000));
		const members = swarm.nodes.map(({ node }) => node);
		const at = members.find((node) => node !== leader) ?? expect.fail("there are others");
		for (const level of ["linearizable", "follower"] as const) {
			expect(await settle(swarm.read(query, { level, at }))).toEqual({ value: 1 });
		}
		// Fresh since the question that it has just put: it needs nobody else any more.
		for (const other of members) if (other !== at) simulation.processes.add({ kind: "pause", thread: `raft/${other}` });
		const age = { level: "stale", maxStalenessMs: 1_000, at } as const;
		expect(await settle(swarm.read(query, age))).toEqual({ value: 1 });
		expect(await settle(swarm.read(query, { level: "stale", at }))).toEqual({ value: 1 });
		simulation.processes.clear();
		await expect(settle(swarm.read(query, { level: "lease" }))).rejects.toMatchObject({ code: "lease-off" });
		for (const wrong of [
			{ level: "fast" },
			{ maxStalenessMs: 5 },
			{ level: "stale", maxStalenessMs: -1 },
			{ at: "" },
		]) {
			await expect(swarm.read(query, wrong as never)).rejects.toMatchObject({ code: "invalid-argument" });
		}
		await expect(swarm.read(query, { levle: "stale" } as never)).rejects.toMatchObject({ code: "option-unknown" });
		await settle(swarm.stop());
	});

	it("with a witness bears the loss of a full member; the witness leads nobody, answers nobody and keeps no command", async () => {
		const { start, settle } = simulated(5);
		const config = { witnesses: ["node-3"], snapshotEveryEntries: 8, retainedEntries: 2 };
		const swarm = await start({ raft: { nodes: 3, config } });
		const leaders = new Set<string>();
		swarm.leader$.subscribe((leadership) => leadership !== null && leaders.add(leadership.leader));
		for (let round = 0; round < 8; round++) {
			for (let value = 0; value < 5; value++)
				await settle(swarm.propose({ type: "put", key: `k${value}`, value: round }));
			const { leader } = await settle(swarm.untilLeader(10_000));
			await settle(swarm.kill(leader));
			// Decided by the other full member and the witness.
			await settle(swarm.propose({ type: "put", key: "round", value: round }));
			expect(await settle(swarm.read({ type: "get", key: "k4" }))).toEqual({ value: round });
		}
		expect([...leaders].sort()).toEqual(["node-1", "node-2"]);
		const query = { type: "get", key: "round" };
		await expect(settle(swarm.inspect("node-3", query))).rejects.toMatchObject({
			code: "member-without-state",
			details: { node: "node-3" },
		});
		for (const level of ["follower", "stale"] as const)
			expect(await settle(swarm.read(query, { level, at: nodeId("node-3") }))).toEqual({ value: 7 });
		const status = await settle(swarm.status());
		expect(status.map(({ isWithoutState, appliedIndex }) => [isWithoutState, appliedIndex > 0])).toEqual([
			[false, true],
			[false, true],
			[true, false],
		]);
		await settle(swarm.stop());
	});

	it("refuses witnesses that are no members, or half of them", async () => {
		const { start } = simulated(6);
		const refused = (witnesses: readonly string[]) => start({ raft: { nodes: 4, config: { witnesses } } });
		await expect(refused(["node-9"])).rejects.toMatchObject({ code: "raft-config-invalid" });
		await expect(refused(["node-1", "node-2", "node-3"])).rejects.toMatchObject({ code: "raft-config-contradiction" });
	});

	it("agrees, survives the death of each leader, and stops in order", async () => {
		for (let seed = 1; seed <= 10; seed++) {
			const { start, settle, simulation } = simulated(seed);
			const swarm = await start();
			const events: SwarmEvent[] = [];
			swarm.events$.subscribe((event) => events.push(event));
			for (let round = 0; round < 3; round++) {
				const put = { type: "put", key: "round", value: round };
				await settle(swarm.propose(put));
				const { leader } = await settle(swarm.untilLeader(10_000));
				await settle(swarm.kill(leader));
				expect(swarm.leader?.leader).not.toBe(leader);
				expect(await settle(swarm.read({ type: "get", key: "round" }))).toEqual({ value: round });
			}
			await simulation.run({ untilMs: simulation.nowMs + 1_000 });
			const status = await settle(swarm.status());
			expect(status.every(({ state }) => state === "running")).toBe(true);
			expect(status.reduce((lives, node) => lives + node.threadLives, 0)).toBe(6);
			for (const { node } of status) {
				expect(await settle(swarm.inspect(node, { type: "get", key: "round" }))).toEqual({ value: 2 });
			}
			await settle(swarm.stop());
			const stopped = events.flatMap((event) => (event.type === "child-stopped" ? [event.child] : []));
			expect(stopped.slice(0, 3)).toEqual(["raft/node-3", "raft/node-2", "raft/node-1"]);
			expect(stopped.indexOf("storage")).toBeGreaterThan(stopped.indexOf("raft/node-1"));
			for (const event of events.filter(({ type }) => type === "thread-ended")) {
				if (event.origin !== "storage") expect(event.node).not.toBeNull();
			}
		}
	});

	it("may call its group as anything else in the tree is called", async () => {
		for (const group of ["storage", "user", "swarm", "group"]) {
			const { start, settle } = simulated(7);
			const swarm = await start({ raft: { nodes: 1, group } });
			await settle(swarm.propose({ type: "put", key: "k", value: group }));
			await settle(swarm.stop());
		}
	});

	it("does the same again for the same seed", async () => {
		const trace = async (): Promise<string> => {
			const { start, settle, simulation } = simulated(42);
			const swarm = await start();
			await settle(swarm.propose({ type: "put", key: "a", value: 1 }));
			await settle(swarm.kill(swarm.leader?.leader ?? "none"));
			await settle(swarm.propose({ type: "put", key: "b", value: 2 }));
			await settle(swarm.stop());
			return simulation.traceHash;
		};
		expect(await trace()).toBe(await trace());
	});

	it("rejects as no-leader when no quorum can speak, and leaves nothing running", async () => {
		const { start, simulation } = simulated(1, {
			deliveries: (head) => (head.kind === "tell" && head.sender !== null && head.target.slot > 1 ? [] : null),
		});
		await expect(start({ startTimeoutMs: 3_000 })).rejects.toMatchObject({
			code: "no-leader",
			details: { group: "raft", waitedMs: 3_000 },
		});
		expect(simulation.threads.status().map(({ spec }) => spec.name)).toEqual(["main"]);
	});

	it("gives the reason of a failed start, also when stopping fails too", async () => {
		const { start, backend } = simulated(1, {
			deliveries: (head) => (head.kind === "tell" && head.sender !== null && head.target.slot > 1 ? [] : null),
		});
		const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
		const dispose = () => Promise.reject(new Error("the directory is stuck"));
		const started = start({ startTimeoutMs: 3_000, backend: { ...backend, dispose } });
		await expect(started).rejects.toMatchObject({ code: "no-leader" });
		expect((await warned).message).toBe("the directory is stuck");
	});

	it("reads all members each second, while somebody listens", async () => {
		const { start, settle, simulation } = simulated(5);
		const swarm = await start();
		await settle(swarm.propose({ type: "put", key: "a", value: 1 }));
		const readings: SwarmMetrics[] = [];
		const subscription = swarm.metrics$.subscribe((reading) => readings.push(reading));
		await simulation.run({ untilMs: simulation.nowMs + 3_500 });
		subscription.unsubscribe();
		expect(readings).toHaveLength(4);
		expect(readings.at(-1)?.nodes.map(({ appliedIndex }) => appliedIndex)).toEqual([3, 3, 3]);
		await simulation.run({ untilMs: simulation.nowMs + 3_500 });
		expect(readings).toHaveLength(4);
		await settle(swarm.stop());
	});

	it("fails loudly when its storage dies: members are not brought back without what they promised", async () => {
		const { start, settle, simulation } = simulated(6);
		const swarm = await start();
		const client = swarm.client({ timeoutMs: 60_000 });
		const slot = simulation.threads.status().find(({ spec }) => spec.name === "storage")?.slot;
		const dead = simulation.endThread(slot as never, { cause: "crashed", exitCode: 1, error: null });
		const outcome = client.propose({ type: "put", key: "a", value: 1 }).catch((error: unknown) => error);
		await settle(dead);
		expect(await settle(swarm.failed)).toMatchObject({ code: "swarm-failed" });
		expect(await settle(outcome)).toMatchObject({
			code: expect.stringMatching(/outcome-unknown|swarm-failed|not-decided/),
		});
		await settle(swarm.stop());
		expect(simulation.threads.status().map(({ spec }) => spec.name)).toEqual(["main"]);
	});

	it.each(["disk-full", "disk-failed"] as const)(
		"fails loudly on %s, and acknowledges nothing that is not there",
		async (code) => {
			const { start, settle } = simulated(8);
			const swarm = await start();
			const client = swarm.client({ timeoutMs: 60_000 });
			await settle(client.propose({ type: "put", key: "a", value: 1 }));
			disk?.failNextFlush(code);
			const outcome = client.propose({ type: "put", key: "a", value: 2 }).catch((error: unknown) => error);
			const failure = await settle(swarm.failed);
			expect(failure).toMatchObject({ code: "swarm-failed", cause: { code } });
			expect(await settle(outcome)).toMatchObject({ code: "outcome-unknown" });
			await expect(client.propose({ type: "get", key: "a" })).rejects.toMatchObject({ code: "swarm-failed" });
			await settle(swarm.stop());
		},
	);

	describe("whose storage thread is reported stalled", () => {
		/** A swarm whose storage thread answers no inspection from `isStuck` on, and the way to report it as the watchdog does. */
		async function stalling(seed: number) {
			const { simulation, settle, backend } = simulated(seed);
			const stuck = { now: false, inspections: 0 };
			const { threads } = simulation;
			let report: Parameters<NonNullable<SwarmBackend["observeStalls"]>>[0] = () => undefined;
			const storageSlot = () =>
				threads.status().find(({ spec }) => spec.name === "storage")?.slot ?? expect.fail("the storage has a thread");
			const directory: ThreadDirectory = {
				start: (spec) => threads.start(spec),
				replace: (slot) => threads.replace(slot),
				kill: (slot, cause) => threads.kill(slot, cause),
				release: (slot) => threads.release(slot),
				status: () => threads.status(),
				observe: (listener) => threads.observe(listener),
				control: (slot) => {
					const control = threads.control(slot);
					if (slot !== storageSlot()) return control;
					return {
						spawn: (order) => control.spawn(order),
						suspend: (address, timeoutMs) => control.suspend(address, timeoutMs),
						stop: (address, reason, timeoutMs) => control.stop(address, reason, timeoutMs),
						adopt: (actors) => control.adopt(actors),
						inspect: () => {
							stuck.inspections += 1;
							return stuck.now ? new Promise(() => undefined) : control.inspect();
						},
					};
				},
			};
			const swarm = await simulation.complete(
				Swarm.start({
					raft: { nodes: 3 },
					seed,
					warmSpares: 0,
					backend: {
						...backend,
						backend: { ...simulation.backend, threads: directory },
						observeStalls: (listener) => {
							report = listener;
						},
					},
				}),
			);
			const events: SwarmEvent[] = [];
			swarm.events$.subscribe((event) => events.push(event));
			const stall = (): void =>
				report({
					type: "stalled",
					slot: storageSlot(),
					life: 1,
					actor: 1,
					kind: "tell",
					messageType: "append",
					stalledForMs: 2_000,
				});
			const pass = (ms: number) => simulation.run({ untilMs: simulation.nowMs + ms });
			return { swarm, settle, pass, stuck, stall, events };
		}

		it("fails loudly when it does not answer within the limit", async () => {
			const { swarm, settle, pass, stuck, stall, events } = await stalling(9);
			stuck.now = true;
			stall();
			await pass(STORAGE_STALL_MS_MAX - 2_000 - 1);
			expect(events.some(({ type }) => type === "swarm-failed")).toBe(false);
			await pass(2);
			expect(events.some(({ type }) => type === "swarm-failed")).toBe(true);
			expect(await settle(swarm.failed)).toMatchObject({
				code: "swarm-failed",
				details: { reason: `the storage thread has not answered for ${STORAGE_STALL_MS_MAX} ms` },
			});
			expect(stuck.inspections).toBeGreaterThan(3);
			await settle(swarm.stop());
		});

		it("goes on when it comes back, however often, and forgets what it was given before", async () => {
			const { swarm, settle, pass, stuck, stall, events } = await stalling(10);
			for (let round = 0; round < 3; round++) {
				stuck.now = true;
				stall();
				await pass(20_000);
				stuck.now = false;
				await pass(20_000);
			}
			const inspections = stuck.inspections;
			await pass(60_000);
			expect(stuck.inspections).toBe(inspections);
			await settle(swarm.propose({ type: "put", key: "a", value: 1 }));
			expect(events.some(({ type }) => type === "swarm-failed")).toBe(false);
			expect(events.filter(({ type }) => type === "thread-stalled")).toHaveLength(3);
			await settle(swarm.stop());
		});
	});

	it("refuses everything once it is stopped; what was under way may have been decided", async () => {
		const { start, settle, simulation } = simulated(13);
		const swarm = await start();
		await settle(swarm.propose({ type: "put", key: "a", value: 1 }));
		const underWay = swarm.propose({ type: "put", key: "a", value: 2 }).catch((error: unknown) => error);
		// It is sent, and time has not passed in which it could have been answered.
		await simulation.run({ untilMs: simulation.nowMs });
		const unsent = swarm.propose({ type: "put", key: "a", value: 3 }).catch((error: unknown) => error);
		const stopped = swarm.stop();
		expect(await settle(unsent)).toMatchObject({ code: "swarm-stopped" });
		expect(await settle(underWay)).toMatchObject({ code: "outcome-unknown", cause: { code: "swarm-stopped" } });
		await settle(stopped);
		const node = "node-1";
		for (const refused of [swarm.status(), swarm.kill(node), swarm.inspect(node, null), swarm.propose(1)]) {
			await expect(refused).rejects.toMatchObject({ code: "swarm-stopped" });
		}
	});

	it("tells what an actor of the user's has published under that actor's name", async () => {
		const { start, settle } = simulated(14);
		const told: SwarmEvent[] = [];
		const behaviour = {
			local: () => ({ receive: (_: unknown, context: ActorContext) => context.publish({ type: "beat" }) }),
		};
		const swarm = await start({ actors: [{ id: "heart", start: { name: "heart", behaviour } }] });
		swarm.events$.subscribe((event) => told.push(event));
		(await settle(swarm.lookup("heart")))?.tell("go");
		await settle(swarm.propose({ type: "put", key: "a", value: 1 }));
		expect(told.find(({ type }) => type === "published")).toMatchObject({
			origin: "heart",
			event: { type: "beat", publisher: "heart" },
		});
	});

	it("survives observers that throw, and tells of them", async () => {
		const { start, settle, simulation } = simulated(11);
		const swarm = await start();
		const [calls, failures] = [{ events: 0, leader: 0, metrics: 0 }, [] as unknown[]];
		const throwing = (stream: keyof typeof calls) => () => {
			calls[stream] += 1;
			throw new Error(`an observer of ${stream} is at fault`);
		};
		swarm.events$.subscribe((event) => {
			if (event.type === "published" && event.event.type === "observer-failed") failures.push(event.event);
		});
		swarm.events$.subscribe(throwing("events"));
		swarm.leader$.subscribe(throwing("leader"));
		swarm.metrics$.subscribe(throwing("metrics"));
		await settle(swarm.kill(swarm.leader?.leader ?? "none"));
		await settle(swarm.untilLeader(10_000));
		await simulation.run({ untilMs: simulation.nowMs + 3_000 });
		expect(calls).toEqual({ events: 1, leader: 1, metrics: 1 });
		expect(failures).toHaveLength(3);
		expect(failures).toContainEqual({
			type: "observer-failed",
			slot: 0,
			error: expect.objectContaining({ message: "an observer of leader is at fault" }),
		});
		await settle(swarm.propose({ type: "put", key: "a", value: 1 }));
		await settle(swarm.stop());
	});

	it("knows its members by name", async () => {
		const { start, settle } = simulated(7);
		const swarm = await start({ raft: { nodes: ["amsterdam", "berlin", "cairo"] } });
		expect(swarm.nodes.map(({ node }) => node)).toEqual(["amsterdam", "berlin", "cairo"]);
		await expect(swarm.kill("dakar")).rejects.toMatchObject({ code: "node-unknown" });
		await settle(swarm.stop());
	});
});
