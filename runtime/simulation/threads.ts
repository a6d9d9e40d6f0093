/** Virtual threads: each with a kernel, a clock and a transport for each of its lives. */
import { assert, errorToObject, type Generator, must } from "../../protocols/core/index.ts";
import {
	type Activity,
	type Address,
	type InterruptedDelivery,
	Kernel,
	type KernelControl,
	type KernelDriver,
	type KernelPorts,
	LocalMetrics,
	MAIN_SLOT,
	type Metrics,
	type ModuleLoader,
	messageType,
	THREADS_MAX,
	type ThreadDirectory,
	type ThreadEnd,
	type ThreadEvent,
	type ThreadSlot,
	type ThreadSpec,
	type ThreadStatus,
	threadNeverKilled,
	threadNotRunning,
	tooManyThreads,
} from "../actor/index.ts";
import { VirtualControl } from "./control.ts";
import { injectedFailure } from "./errors.ts";
import type { GlobalGuard } from "./global-guard.ts";
import type { LaneRecord } from "./lanes.ts";
import { Machine, ThreadClock } from "./thread-clock.ts";
import { type DurationRange, drawMs } from "./timeline.ts";
import { type Fabric, VirtualTransport } from "./transport.ts";
import type { TurnSchedule } from "./turn-schedule.ts";

/** Interruptions after which a message is not delivered any more. */
export const REDELIVERIES_MAX = 2;

/**
 * A point at which a thread can be made to die.
 * - `before`: a message is about to be handled;
 * - `after`: it has just been, and nothing of what it caused has left the thread;
 * - `published`: a message that the thread sent has just become visible to another one, what it sent to others perhaps
 *   not yet. Messages that a {@link NetworkPolicy} carries have left before, when they were sent.
 */
export interface KillPoint {
	readonly phase: "before" | "after" | "published";
	readonly slot: ThreadSlot;
	readonly thread: string;
	/** Who handles the message; null at `published`. */
	readonly actor: Address | null;
	readonly messageType: string | null;
	/** Null at `published`. */
	readonly message: unknown;
}

/** Names the cause when the thread is to die at this point; null lets it live. */
export type KillRule = (point: KillPoint) => ThreadEnd["cause"] | null;

/** Whether the actor is to fail now: it is about to handle a signal or a timer. */
export type FailRule = (slot: ThreadSlot, actor: number) => boolean;

export interface ThreadsOptions {
	readonly fabric: Fabric;
	readonly generator: Generator;
	readonly turns: TurnSchedule;
	readonly guard: GlobalGuard | null;
	readonly loadModule: ModuleLoader;
	readonly startupMs: DurationRange;
	readonly noticeMs: DurationRange;
	readonly controlMs: DurationRange;
}

/** Unwinds a kernel whose thread dies in the middle of its work. */
class ThreadDeath {
	readonly cause: ThreadEnd["cause"];

	constructor(cause: ThreadEnd["cause"]) {
		this.cause = cause;
	}
}

type Ended = Extract<ThreadEvent, { type: "thread-ended" }>;

/** One life of a thread. */
interface Life {
	readonly machine: Machine;
	readonly turn: () => void;
	readonly clock: ThreadClock;
	readonly transport: VirtualTransport;
	driver: KernelDriver | null;
	kernel: Kernel | null;
	isTurnDue: boolean;
	isOver: boolean;
	/** What a hook is at work on, for the report of an interruption on a shared thread. */
	atWork: { actor: Address; message: unknown; sender: Address | null } | null;
}

interface VirtualThread {
	readonly slot: ThreadSlot;
	readonly spec: ThreadSpec;
	/** Outlives its lives, so that no counter goes down. */
	readonly metrics: LocalMetrics;
	state: ThreadStatus["state"];
	lives: number;
	life: Life | null;
	readonly controls: Set<VirtualControl>;
	/** Its end has happened; the main thread has not heard of it yet. */
	isDying: boolean;
	readonly deathWaiters: (() => void)[];
}

export class VirtualThreads implements ThreadDirectory {
	readonly #options: ThreadsOptions;
	readonly #threads = new Map<ThreadSlot, VirtualThread>();
	/** Lives of each slot over all its occupants: part of local addresses, so it never repeats. */
	readonly #slotLives = new Map<ThreadSlot, number>();
	readonly #listeners = new Set<(event: ThreadEvent) => void>();
	readonly #machines = new Map<ThreadSlot, Machine>();
	readonly #main: Life;
	readonly mainMetrics: Metrics = new LocalMetrics();
	/** Asked in order at each point; the first that names a cause decides. */
	readonly killRules: Set<KillRule> = new Set();
	readonly failRules: Set<FailRule> = new Set();

	constructor(options: ThreadsOptions) {
		this.#options = options;
		this.#main = this.#newLife(MAIN_SLOT, "main");
	}

	/** The ports of the main thread's kernel. */
	get mainPorts(): KernelPorts {
		return this.#ports(MAIN_SLOT, "main", this.#main, 1, false, this.mainMetrics);
	}

	attachMain(driver: KernelDriver): void {
		assert(this.#main.driver === null, "a simulation has one main kernel");
		this.#main.driver = driver;
		if (driver instanceof Kernel) this.#main.kernel = driver;
	}

	isGone(slot: ThreadSlot): boolean {
		return slot !== MAIN_SLOT && !this.#threads.has(slot);
	}

	wake(slot: ThreadSlot): void {
		const life = slot === MAIN_SLOT ? this.#main : this.#threads.get(slot)?.life;
		if (life !== undefined && life !== null) this.#requestTurn(slot, life);
	}

	/** The metrics of a thread, of all its lives. */
	metrics(slot: ThreadSlot): LocalMetrics | null {
		return this.#threads.get(slot)?.metrics ?? null;
	}

	/** The machine under a slot's threads, with its faults. */
	machine(slot: ThreadSlot): Machine {
		const known = this.#machines.get(slot);
		if (known !== undefined) return known;
		const machine = new Machine(this.#options.fabric.timeline);
		this.#machines.set(slot, machine);
		return machine;
	}

	/** The slot of a living or dead thread; null if there is none of this name. */
	slotOf(thread: string): ThreadSlot | null {
		for (const { slot, spec } of this.#threads.values()) if (spec.name === thread) return slot;
		return thread === "main" ? MAIN_SLOT : null;
	}

	/** It runs, or is about to. */
	isAlive(slot: ThreadSlot): boolean {
		const thread = this.#threads.get(slot);
		return thread !== undefined && thread.state !== "dead" && !thread.isDying;
	}

	// --- the directory ---

	start(spec: ThreadSpec): Promise<ThreadSlot> {
		const slot = this.#freeSlot();
		if (slot === null) return Promise.reject(tooManyThreads({ name: spec.name, threadsMax: THREADS_MAX }));
		const thread: VirtualThread = {
			slot,
			spec,
			metrics: new LocalMetrics(),
			state: "starting",
			lives: 0,
			life: null,
			controls: new Set(),
			isDying: false,
			deathWaiters: [],
		};
		this.#threads.set(slot, thread);
		return this.#boot(thread).then(() => slot);
	}

	replace(slot: ThreadSlot): Promise<void> {
		const thread = this.#threads.get(slot);
		if (thread?.state !== "dead") {
			return Promise.reject(threadNotRunning({ slot, state: thread?.state ?? "free" }));
		}
		thread.state = "starting";
		return this.#boot(thread);
	}

	async kill(slot: ThreadSlot, cause: "killed" | "stalled" | "stopped"): Promise<void> {
		const spec = this.#threads.get(slot)?.spec;
		if (spec?.neverKilled === true && cause !== "stopped") throw threadNeverKilled({ slot, name: spec.name, cause });
		return this.end(slot, { cause, exitCode: 1, error: null });
	}

	/** Ends a thread in any way in which threads end. */
	async end(slot: ThreadSlot, end: ThreadEnd): Promise<void> {
		const thread = this.#threads.get(slot);
		if (thread === undefined || thread.state === "dead") return;
		await new Promise<void>((resolve) => {
			thread.deathWaiters.push(resolve);
			this.#die(thread, end);
		});
	}

	release(slot: ThreadSlot): void {
		const thread = must(this.#threads.get(slot), "a slot is released once");
		assert(thread.state === "dead", "only the slot of a dead thread is released", { slot, state: thread.state });
		this.#threads.delete(slot);
		this.#machines.delete(slot);
		const { lanes } = this.#options.fabric;
		let undelivered = 0;
		for (const lane of lanes.inbox(slot, "user").lanes) undelivered += lane.clear();
		for (const lane of lanes.inbox(slot, "system").lanes) lane.clear();
		this.#emit({ type: "thread-released", slot, name: thread.spec.name, undelivered });
	}

	control(slot: ThreadSlot): KernelControl {
		const thread = this.#threads.get(slot);
		const kernel = thread?.life?.kernel;
		if (thread === undefined || thread.state !== "running" || kernel === undefined || kernel === null) {
			throw threadNotRunning({ slot, state: thread?.state ?? "free" });
		}
		const { fabric, controlMs } = this.#options;
		const control = new VirtualControl(slot, thread.spec.name, kernel, {
			after: (run) => fabric.timeline.after(drawMs(fabric.schedule, controlMs), run),
			arrive: (run) => this.machine(slot).whenAwake(run),
		});
		// Nobody knows yet that it is dead: the order is taken, and reaches nobody.
		if (thread.isDying) control.cut();
		thread.controls.add(control);
		return control;
	}

	status(): readonly ThreadStatus[] {
		const main: ThreadStatus = {
			slot: MAIN_SLOT,
			spec: { name: "main", waiting: "async", dedicated: false },
			state: "running",
			lives: 1,
		};
		const others = [...this.#threads.values()].map(({ slot, spec, state, lives }) => ({ slot, spec, state, lives }));
		return [main, ...others];
	}

	observe(listener: (event: ThreadEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#emit(event: ThreadEvent): void {
		for (const listener of [...this.#listeners]) listener(event);
	}

	#freeSlot(): ThreadSlot | null {
		for (let slot = 1; slot < THREADS_MAX; slot++) {
			if (!this.#threads.has(slot as ThreadSlot)) return slot as ThreadSlot;
		}
		return null;
	}

	// --- life ---

	async #boot(thread: VirtualThread): Promise<void> {
		const { fabric, generator, startupMs } = this.#options;
		await new Promise<void>((resolve) => {
			fabric.timeline.after(drawMs(generator, startupMs), resolve);
		});
		// It may have been killed while it started; then its end has been told already.
		if (thread.state === "starting" && !thread.isDying) this.#begin(thread);
	}

	#begin(thread: VirtualThread): void {
		const { slot, spec } = thread;
		const number = (this.#slotLives.get(slot) ?? 0) + 1;
		this.#slotLives.set(slot, number);
		const life = this.#newLife(slot, spec.name);
		thread.lives += 1;
		thread.life = life;
		thread.state = "running";
		const ports = this.#ports(slot, spec.name, life, number, spec.dedicated, thread.metrics);
		const kernel = new Kernel({ ...ports, inherits: thread.lives > 1 });
		life.kernel = kernel;
		life.driver = kernel;
		this.#requestTurn(slot, life);
		this.#emit({ type: "thread-started", slot, name: spec.name, lives: thread.lives });
	}

	#newLife(slot: ThreadSlot, thread: string): Life {
		const { fabric } = this.#options;
		const machine = this.machine(slot);
		const life: Life = {
			machine,
			turn: () => this.#turn(slot, life),
			clock: new ThreadClock(fabric.timeline, machine),
			transport: new VirtualTransport(fabric, slot, machine, (messageType) => {
				if (this.killRules.size === 0) return;
				this.#judge({ phase: "published", slot, thread, actor: null, messageType, message: null });
			}),
			driver: null,
			kernel: null,
			isTurnDue: false,
			isOver: false,
			atWork: null,
		};
		return life;
	}

	#ports(
		slot: ThreadSlot,
		name: string,
		life: Life,
		number: number,
		dedicated: boolean,
		metrics: Metrics,
	): KernelPorts {
		return {
			clock: life.clock,
			generator: this.#options.generator.fork("actors"),
			transport: life.transport,
			loadModule: this.#options.loadModule,
			requestTurn: () => this.#requestTurn(slot, life),
			life: number,
			inherits: false,
			dedicated,
			metrics,
			activity: this.#activity(slot, name, life),
		};
	}

	#requestTurn(slot: ThreadSlot, life: Life): void {
		if (life.isTurnDue || life.isOver) return;
		life.isTurnDue = true;
		const { fabric, turns } = this.#options;
		fabric.timeline.after(turns.delayMs(slot) * life.machine.slowness, life.turn);
	}

	#turn(slot: ThreadSlot, life: Life): void {
		if (life.isOver || life.driver === null) return;
		if (life.machine.isPaused) {
			life.machine.whenAwake(life.turn);
			return;
		}
		life.isTurnDue = false;
		let more: boolean;
		try {
			more = life.driver.turn();
		} catch (thrown) {
			this.#crashed(slot, thrown);
			return;
		} finally {
			this.#options.guard?.reset();
		}
		if (more) this.#requestTurn(slot, life);
	}

	/** A kernel does not throw: its thread dies by order of a kill rule, or by a fault of the kernel itself. */
	#crashed(slot: ThreadSlot, thrown: unknown): void {
		const thread = this.#threads.get(slot);
		if (thread === undefined) throw thrown;
		const end: ThreadEnd =
			thrown instanceof ThreadDeath
				? { cause: thrown.cause, exitCode: 1, error: null }
				: { cause: "crashed", exitCode: 1, error: errorToObject(thrown) };
		this.#die(thread, end);
	}

	/**
	 * The thread is over at once; the main thread learns of it a little later, and until then takes it for alive: its
	 * orders find nobody.
	 */
	#die(thread: VirtualThread, end: ThreadEnd): void {
		if (thread.isDying) return;
		thread.isDying = true;
		const { life } = thread;
		const { fabric, noticeMs } = this.#options;
		const loss = life === null ? { interrupted: null, lost: [] } : this.#loss(thread, life, end);
		if (life !== null) {
			life.isOver = true;
			life.machine.died();
			life.clock.mute();
			life.transport.mute();
		}
		// What it had published lies in memory that others see: no news of its death can be faster.
		for (const lane of fabric.lanes.outbound(thread.slot)) {
			if (lane.land()) fabric.wake(lane.to);
		}
		for (const control of thread.controls) control.cut();
		fabric.timeline.after(drawMs(fabric.schedule, noticeMs), () => this.#noticeDeath(thread, end, loss));
	}

	#noticeDeath(thread: VirtualThread, end: ThreadEnd, loss: Pick<Ended, "interrupted" | "lost">): void {
		thread.isDying = false;
		thread.state = "dead";
		thread.life = null;
		this.#emit({ type: "thread-ended", slot: thread.slot, name: thread.spec.name, end, ...loss });
		for (const control of thread.controls) control.close(end);
		thread.controls.clear();
		for (const told of thread.deathWaiters.splice(0)) told();
	}

	#loss(thread: VirtualThread, life: Life, end: ThreadEnd): Pick<Ended, "interrupted" | "lost"> {
		const record = life.transport.atWork;
		const lost = [...(life.kernel?.holdings() ?? [])];
		if (record !== null && thread.spec.dedicated) return { interrupted: this.#interrupt(record, end), lost };
		if (life.atWork === null) return { interrupted: null, lost };
		const { actor, message, sender } = life.atWork;
		return {
			interrupted: { actor: actor.actor, message: { messageType: messageType(message), sender, deliveries: 1 } },
			lost,
		};
	}

	/** The record stays in its lane, for the replacement: marked, and given up when it has done this too often. */
	#interrupt(record: LaneRecord, end: ThreadEnd): InterruptedDelivery {
		record.redelivered += 1;
		record.isQuarantined = end.cause === "out-of-memory" || record.redelivered > REDELIVERIES_MAX;
		return {
			actor: record.head.target.actor,
			message: { messageType: record.messageType, sender: record.head.sender, deliveries: record.redelivered },
		};
	}

	// --- what the threads are at ---

	#judge(point: KillPoint): void {
		if (point.slot === MAIN_SLOT) return;
		for (const rule of this.killRules) {
			const cause = rule(point);
			if (cause !== null) throw new ThreadDeath(cause);
		}
	}

	#activity(slot: ThreadSlot, thread: string, life: Life): Activity {
		const { fabric, guard } = this.#options;
		const { trace, timeline } = fabric;
		const judge = (phase: "before" | "after"): void => {
			if (this.killRules.size === 0 || life.atWork === null) return;
			const { actor, message } = life.atWork;
			this.#judge({ phase, slot, thread, actor, message, messageType: messageType(message) });
		};
		return {
			enter: (actor, kind, message, sender) => {
				const type = typeof message === "string" ? message : (messageType(message) ?? "");
				trace.add(timeline.nowMs, "handled", slot, actor.slot, actor.actor, kind, type, 0, 1);
				guard?.enter({ thread, actor, kind, type });
				if (kind === "signal" || kind === "timer") {
					for (const rule of this.failRules) {
						if (rule(slot, actor.actor)) throw injectedFailure({ thread, actor: actor.actor });
					}
				}
				if (kind !== "tell" && kind !== "ask") return;
				life.atWork = { actor, message, sender };
				judge("before");
			},
			leave: () => {
				guard?.leave();
				judge("after");
				life.atWork = null;
			},
			holds: () => {
				// The kernel itself is at hand when its thread dies; see #loss.
			},
		};
	}
}
