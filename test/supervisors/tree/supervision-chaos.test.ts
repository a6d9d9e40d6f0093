/**
 * Goal: whatever comes together (failures, ends, lost threads, starts that fail, requests), a supervisor comes to rest
 * with exactly the children that it says it has.
 * Method: random supervisors in virtual time, random trouble without waiting for its effects; then quiet, and the
 * supervisor's word is compared with the actors that are alive. `SEEDS=n` runs more of them, `SEED=n` starts elsewhere.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import { type ActorRef, ActorSystem, type Placement } from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import {
	type ChildReport,
	type ChildSpec,
	type RestartType,
	type Strategy,
	SupervisorClient,
	supervisorActor,
	ThreadSupervisor,
} from "../../../supervisors/index.ts";
import * as supervisedWorker from "../../fixtures/supervised-worker.ts";

const MODULE = "file:///fixtures/supervised-worker.js";
const SEEDS = Number(process.env["SEEDS"] ?? 40);
const FIRST_SEED = Number(process.env["SEED"] ?? 1);
const TROUBLES = 60;
const QUIET_MS = 120_000;
/** What a request may be refused with here; anything else is a fault. */
const REFUSALS = new Set(["child-running", "child-restarting", "child-not-found", "child-start-failed"]);

class Trouble {
	readonly seed: number;
	readonly generator: Generator;
	readonly simulation: Simulation;
	readonly system: ActorSystem;
	readonly gates = new Map<string, Int32Array>();
	readonly specs: ChildSpec[];
	readonly faults: unknown[] = [];
	readonly terminated = new Set<string>();
	#client: SupervisorClient | null = null;

	constructor(seed: number) {
		this.seed = seed;
		this.generator = new Generator(seed, "trouble");
		const modules = new Map([[MODULE, supervisedWorker]]);
		this.simulation = new Simulation({ seed, modules });
		this.system = new ActorSystem(this.simulation.backend);
		const count = this.generator.between(2, 6);
		this.specs = Array.from({ length: count }, (_, index) => this.#spec(`child-${index}`));
	}

	#spec(id: string): ChildSpec {
		const placement = this.generator.pick<Placement>(["local", "dedicated", { group: "g" }, { group: "g" }]);
		const gate = new SharedArrayBuffer(4);
		this.gates.set(id, new Int32Array(gate));
		const behaviour = { module: MODULE, export: "SupervisedWorker", args: { failingStarts: gate } };
		const restart = this.generator.pick<RestartType>(["permanent", "permanent", "transient", "temporary"]);
		return { id, start: { name: id, behaviour, placement }, restart, shutdownMs: 100 };
	}

	get client(): SupervisorClient {
		if (this.#client === null) throw new Error("not started yet");
		return this.#client;
	}

	async start(): Promise<void> {
		const { simulation, system, generator } = this;
		new ThreadSupervisor({
			threads: system.threads,
			clock: simulation.clock,
			generator: generator.fork("threads"),
			publish: (event) => system.publish(event),
			intensity: 1_000,
		}).start();
		const strategy = generator.pick<Strategy>(["one-for-one", "one-for-all", "rest-for-one"]);
		const backoff = { minMs: 5, maxMs: 200, jitter: 0.5, stableMs: 1_000, immediate: generator.below(3) };
		const flags = { name: "supervisor", strategy, intensity: 1_000, ...(generator.chance(0.5) ? { backoff } : {}) };
		const spawned = system.spawn(supervisorActor({ ...flags, children: this.specs }));
		this.#client = new SupervisorClient(await simulation.complete(spawned));
	}

	/** One misfortune; its effects are not waited for. */
	async strike(reports: readonly ChildReport[]): Promise<void> {
		const { generator, system } = this;
		const { id, address } = generator.pick(reports);
		const ref: ActorRef | null = address === null ? null : system.ref(address);
		switch (generator.below(7)) {
			case 0:
			case 1:
				ref?.tell({ type: "fail" });
				break;
			case 2:
				ref?.tell({ type: "end" });
				break;
			case 3:
				if (address !== null && address.slot !== 0) this.#watch(system.threads.kill(address.slot, "killed"));
				break;
			case 4:
				Atomics.store(this.gates.get(id) as Int32Array, 0, generator.between(1, 3));
				break;
			case 5:
				this.#watch(this.client.terminateChild(id).then(() => this.terminated.add(id)));
				break;
			case 6:
				this.#watch(this.client.restartChild(id).then(() => this.terminated.delete(id)));
				break;
		}
		await this.simulation.run({ untilMs: this.simulation.nowMs + generator.between(0, 40) });
	}

	#watch(promise: Promise<unknown>): void {
		promise.catch((error: { code?: string }) => {
			if (!REFUSALS.has(error.code ?? "")) this.faults.push(error);
		});
	}

	async rest(): Promise<void> {
		for (const gate of this.gates.values()) Atomics.store(gate, 0, 0);
		await this.simulation.run({ untilMs: this.simulation.nowMs + QUIET_MS });
	}
}

async function run(seed: number): Promise<void> {
	const trouble = new Trouble(seed);
	const { simulation, system } = trouble;
	await trouble.start();
	let reports = await simulation.complete(trouble.client.whichChildren());
	for (let i = 0; i < TROUBLES && reports.length > 0; i++) {
		await trouble.strike(reports);
		reports = await simulation.complete(trouble.client.whichChildren());
	}
	await trouble.rest();
	expect(trouble.faults).toEqual([]);
	const final = await simulation.complete(trouble.client.whichChildren());
	const alive = (await simulation.complete(system.inspect())).filter(({ name }) => name.startsWith("child-"));
	// Who is said to run, and nobody else, is alive at the address that is told, and answers.
	const running = final.filter((child) => child.state === "running");
	expect(alive.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(
		running.map(({ id }) => `${id} running`).sort(),
	);
	expect(alive.map(({ address }) => address)).toEqual(expect.arrayContaining(running.map(({ address }) => address)));
	for (const { address } of running) {
		if (address === null) throw new Error("a running child has an address");
		await simulation.complete(system.ref(address).ask({ type: "report" }));
	}
	// Nobody is forgotten on the way back, and permanent children run unless someone has ended them.
	expect(final.filter((child) => child.state === "restarting")).toEqual([]);
	const down = final.filter((child) => child.state === "stopped").map((child) => child.id);
	const permanent = trouble.specs.filter((spec) => spec.restart === "permanent").map((spec) => spec.id);
	for (const id of down) if (permanent.includes(id)) expect(trouble.terminated).toContain(id);
	await simulation.complete(system.stop());
}

describe("a supervisor in trouble", () => {
	const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index);
	it.each(seeds)("comes to rest with the children it says it has (seed %i)", run);
});
