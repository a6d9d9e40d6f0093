/** A simulation: the runtime on virtual time, in one thread, decided by one seed. */
import { Generator, type QuorateError } from "../../protocols/core/index.ts";
import {
	type Backend,
	type Clock,
	exportMissing,
	type KernelDriver,
	type LocalMetrics,
	loadModule,
	type ModuleLoader,
	type ModuleSource,
	moduleHref,
	type ThreadDirectory,
	type ThreadEnd,
	type ThreadSlot,
} from "../actor/index.ts";
import type { CodecSpec } from "../codec/index.ts";
import type { DecisionOracle } from "./decision-oracle.ts";
import type { TraceObserver } from "./divergence.ts";
import { GlobalGuard } from "./global-guard.ts";
import { Lanes } from "./lanes.ts";
import type { NetworkPolicy } from "./network.ts";
import { PayloadCodec } from "./payload-codec.ts";
import { ProcessFaults } from "./process-faults.ts";
import { type KillRule, VirtualThreads } from "./threads.ts";
import { type DurationRange, Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";
import { callWaiters, type Fabric } from "./transport.ts";
import { type Scheduling, turnSchedule } from "./turn-schedule.ts";

export interface SimulationOptions {
	/** Decides everything; any safe integer. */
	readonly seed: number;
	/** Cores that the system believes it has; default 4. */
	readonly parallelism?: number;
	/** What a flush takes to another thread; default 0.002 to 0.2 virtual ms. */
	readonly latencyMs?: DurationRange;
	/** From a wake-up to the turn; default 0 to 0.05 virtual ms. */
	readonly turnMs?: DurationRange;
	/** What a thread takes to start; default 20 to 60 virtual ms. */
	readonly startupMs?: DurationRange;
	/** From the end of a thread until the main thread hears of it; default 0.1 to 2 virtual ms. */
	readonly noticeMs?: DurationRange;
	/** A control call, one way; default 0.05 to 0.5 virtual ms. */
	readonly controlMs?: DurationRange;
	/** Messages that one lane holds before it is full; default 4,096. */
	readonly laneCapacity?: number;
	/** Layouts and record shapes with which every payload is encoded on its way between threads; default: none. */
	readonly codec?: CodecSpec;
	/** Modules by href, instead of importing them. */
	readonly modules?: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
	readonly network?: NetworkPolicy;
	/** Records, replays or overrides what is drawn; default: nobody does. */
	readonly oracle?: DecisionOracle;
	/** Default `random`. */
	readonly scheduling?: Scheduling;
	/** Hears every event of the trace, while the event is handled: it must not act on the system. */
	readonly observe?: TraceObserver;
	/**
	 * While the simulation runs, an actor that calls `Date.now`, `new Date()`, `performance.now`, `Math.random`, a random
	 * function of `crypto`, a timer of Node or `process.hrtime` gets a `hidden-nondeterminism` thrown instead of an answer, also
	 * after an `await`. See {@link Simulation.nondeterminism}. Default false: it makes promises slower.
	 */
	readonly guardGlobals?: boolean;
}

/** When {@link Simulation.run} is to return; the first that holds. */
export interface RunLimits {
	/** Virtual time, from the start of the simulation. */
	readonly untilMs?: number;
	/** Looked at after each event. */
	readonly until?: () => boolean;
	/** Events of this run; default 50,000,000, so that a system that never comes to rest is found. */
	readonly stepsMax?: number;
}

/** Why a run has ended. `idle`: nothing more will ever happen by itself. */
export type RunEnd = "time" | "condition" | "idle" | "steps";

const STEPS_MAX_DEFAULT = 50_000_000;
/** Turns of the real event loop that an idle simulation waits for promises of the test's own. */
const IDLE_TURNS = 3;
/** Events after which the real event loop has a turn: its timers and I/O are not starved by a long run. */
const EVENTS_PER_LOOP_TURN = 4_096;

/**
 * The deterministic backend. Pass {@link backend} to an `ActorSystem` and let time pass with {@link run} or
 * {@link complete}. The same seed and the same program give the same events in the same order: compare {@link traceHash}.
 *
 * Events happen one by one, and between two of them all continuations of promises run that have been settled. What a
 * behaviour awaits must come from its context (asks, timers, spawns); real I/O in a behaviour is outside of the simulation's
 * knowledge.
 */
export class Simulation {
	readonly backend: Backend;
	readonly seed: number;
	readonly #timeline: Timeline;
	readonly #threads: VirtualThreads;
	readonly #fabric: Fabric;
	readonly #trace: Trace;
	readonly #guard: GlobalGuard | null;
	readonly #oracle: DecisionOracle | null;
	/** Kills, pauses, slowness and clocks of single threads. */
	readonly processes: ProcessFaults;
	#killRule: KillRule | null = null;
	#isRunning = false;
	/** Modules that are being imported: time stands still. */
	readonly #loading = new Set<Promise<unknown>>();

	constructor(options: SimulationOptions) {
		this.seed = options.seed;
		this.#oracle = options.oracle ?? null;
		this.#trace = new Trace(options.observe ?? null);
		this.#guard = options.guardGlobals === true ? new GlobalGuard() : null;
		const generator = this.generator("simulation");
		this.#timeline = new Timeline(generator.fork("ties"));
		const lanes = new Lanes();
		const threads = (): VirtualThreads => this.#threads;
		this.#fabric = {
			timeline: this.#timeline,
			trace: this.#trace,
			lanes,
			codec: new PayloadCodec(options.codec ?? { layouts: [], records: [] }),
			net: generator.fork("net"),
			schedule: generator.fork("schedule"),
			latencyMs: options.latencyMs ?? { min: 0.002, max: 0.2 },
			laneCapacity: options.laneCapacity ?? 4096,
			network: options.network ?? null,
			isGone: (slot) => threads().isGone(slot),
			wake: (slot) => threads().wake(slot),
		};
		this.#threads = new VirtualThreads({
			fabric: this.#fabric,
			generator: generator.fork("threads"),
			guard: this.#guard,
			turns: turnSchedule(
				options.scheduling ?? { type: "random" },
				generator.fork("turns"),
				options.turnMs ?? { min: 0, max: 0.05 },
			),
			loadModule: this.#loader(options.modules ?? new Map()),
			startupMs: options.startupMs ?? { min: 20, max: 60 },
			noticeMs: options.noticeMs ?? { min: 0.1, max: 2 },
			controlMs: options.controlMs ?? { min: 0.05, max: 0.5 },
		});
		this.processes = new ProcessFaults({
			timeline: this.#timeline,
			generator: generator.fork("processes"),
			killRules: this.#threads.killRules,
			failRules: this.#threads.failRules,
			slotOf: (thread) => this.#threads.slotOf(thread),
			machine: (slot) => this.#threads.machine(slot),
			isAlive: (slot) => this.#threads.isAlive(slot),
			end: (slot, end) => this.#threads.end(slot, end),
			observe: (listener) => this.#threads.observe(listener),
			stopLanes: (slot, direction) => {
				const end = lanes.stop(slot, direction);
				return () => {
					for (const lane of end()) callWaiters(this.#fabric, lane);
				};
			},
		});
		this.backend = {
			ports: this.#threads.mainPorts,
			threads: this.#threads,
			parallelism: options.parallelism ?? 4,
			attach: (kernel: KernelDriver) => this.#threads.attachMain(kernel),
			publishedThrough: (from, to) => lanes.between(from, to, "user").published,
			close: () => Promise.resolve(),
		};
	}

	/** Virtual time. */
	get nowMs(): number {
		return this.#timeline.nowMs;
	}

	/**
	 * A generator for what belongs to the run but not to the runtime: network, disk, faults, workload. Its draws are of this
	 * seed and pass through the oracle. The same label gives the same stream.
	 */
	generator(label: string): Generator {
		return new Generator(this.seed, label, this.#oracle);
	}

	/** Calls of actors that no seed decides, as they were found; each was thrown to its caller. Only with `guardGlobals`. */
	get nondeterminism(): readonly QuorateError[] {
		return this.#guard?.findings ?? [];
	}

	/** Virtual time as the main thread's clock. */
	get clock(): Clock {
		return this.backend.ports.clock;
	}

	get threads(): ThreadDirectory {
		return this.#threads;
	}

	/** Events so far. */
	get steps(): number {
		return this.#timeline.steps;
	}

	/**
	 * A fingerprint of everything that happened: each hook that ran and each message that left, with time, thread, actor, kind,
	 * type and a hash of the message's bytes.
	 */
	get traceHash(): string {
		return this.#trace.hash;
	}

	/** Decides the fate of messages between threads from now on; null: all arrive, in order. */
	set network(policy: NetworkPolicy | null) {
		this.#fabric.network = policy;
	}

	/** Lets threads die at points that it chooses; null: none does. Faults of {@link processes} have rules of their own. */
	set killRule(rule: KillRule | null) {
		const { killRules } = this.#threads;
		if (this.#killRule !== null) killRules.delete(this.#killRule);
		if (rule !== null) killRules.add(rule);
		this.#killRule = rule;
	}

	/** Ends a thread in any way in which threads end, between two events. */
	endThread(slot: ThreadSlot, end: ThreadEnd): Promise<void> {
		return this.#threads.end(slot, end);
	}

	/** The metrics of a worker thread, over all its lives; null if the slot is free. */
	metrics(slot: ThreadSlot): LocalMetrics | null {
		return this.#threads.metrics(slot);
	}

	/** Lets events happen. */
	async run(limits: RunLimits): Promise<RunEnd> {
		if (this.#isRunning) throw new Error("one run at a time: await the one before");
		this.#isRunning = true;
		const removeGuard = this.#guard?.install();
		try {
			return await this.#run(limits);
		} finally {
			removeGuard?.();
			this.#isRunning = false;
		}
	}

	/**
	 * Lets events happen until the promise settles, and returns what it resolved to.
	 * @throws what it rejected with; an Error when the simulation comes to rest first, since it never will settle then
	 */
	async complete<T>(promise: Promise<T>, limits: RunLimits = {}): Promise<T> {
		let isSettled = false;
		const settled = (): void => {
			isSettled = true;
		};
		promise.then(settled, settled);
		const until = limits.until;
		const end = await this.run({ ...limits, until: () => isSettled || until?.() === true });
		if (isSettled) return promise;
		throw new Error(`the simulation ended (${end}, at ${this.nowMs} ms) before the promise settled`);
	}

	async #run(limits: RunLimits): Promise<RunEnd> {
		const untilMs = limits.untilMs ?? Number.POSITIVE_INFINITY;
		const last = this.#timeline.steps + (limits.stepsMax ?? STEPS_MAX_DEFAULT);
		await this.#settlePromises();
		for (;;) {
			if (limits.until?.() === true) return "condition";
			if (this.#timeline.steps >= last) return "steps";
			if (this.#timeline.nextMs > untilMs) {
				this.#timeline.skipTo(untilMs);
				return "time";
			}
			if (this.#timeline.nextMs === Number.POSITIVE_INFINITY) {
				if (await this.#isIdle(limits)) return limits.until?.() === true ? "condition" : "idle";
				continue;
			}
			await this.#events(limits, untilMs, last);
			if (this.#isLoopTurnDue) await this.#settlePromises();
		}
	}

	/**
	 * Lets events happen until something else is due. Between two of them all continuations of settled promises run, however long
	 * their chains are: a tick's turn comes when the queue of microtasks is empty. But ticks that wait come before microtasks, so
	 * the next tick is asked for by a microtask. The tick brings the next event itself; to await a promise of it, each time, costs
	 * twice as much.
	 */
	#events({ until }: RunLimits, untilMs: number, last: number): Promise<void> {
		const timeline = this.#timeline;
		const settled = Promise.resolve();
		let happened = 0;
		return new Promise((resolve, reject) => {
			const tick = (): void => process.nextTick(next);
			const next = (): void => {
				try {
					while (happened === 0 || !this.#isLoopTurnDue) {
						const { nextMs } = timeline;
						if (nextMs > untilMs || nextMs === Number.POSITIVE_INFINITY) break;
						if (timeline.steps >= last || (happened > 0 && until?.() === true)) break;
						happened += 1;
						if (!timeline.step()) continue;
						void settled.then(tick);
						return;
					}
					resolve();
				} catch (error) {
					reject(error);
				}
			};
			next();
		});
	}

	/** Also when a continuation has begun to import a module. */
	get #isLoopTurnDue(): boolean {
		return this.#loading.size > 0 || this.#timeline.steps % EVENTS_PER_LOOP_TURN === 0;
	}

	/** Lets the continuations of settled promises run, and imports finish, while virtual time stands still. */
	async #settlePromises(): Promise<void> {
		await macrotask();
		while (this.#loading.size > 0) {
			await Promise.allSettled([...this.#loading]);
			await macrotask();
		}
	}

	/** Nothing is to happen, even after the test's own promises have had their turn. */
	async #isIdle(limits: RunLimits): Promise<boolean> {
		for (let turn = 0; turn < IDLE_TURNS; turn++) {
			await this.#settlePromises();
			if (this.#timeline.nextMs < Number.POSITIVE_INFINITY) return false;
			if (limits.until?.() === true) return true;
		}
		return true;
	}

	#loader(modules: ReadonlyMap<string, Readonly<Record<string, unknown>>>): ModuleLoader {
		return (source: ModuleSource) => {
			const preloaded = modules.get(moduleHref(source.module));
			const load = (): Promise<unknown> => (preloaded === undefined ? loadModule(source) : exportOf(preloaded, source));
			const loading = this.#guard === null ? load() : this.#guard.unguarded(load);
			this.#loading.add(loading);
			const done = (): void => {
				this.#loading.delete(loading);
			};
			loading.then(done, done);
			return loading;
		};
	}
}

async function exportOf(module: Readonly<Record<string, unknown>>, source: ModuleSource): Promise<unknown> {
	const value = module[source.export];
	if (value !== undefined) return value;
	throw exportMissing({ module: moduleHref(source.module), export: source.export, exports: Object.keys(module) });
}

function macrotask(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
