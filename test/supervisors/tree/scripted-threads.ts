/** A clock and a thread directory in the hand of a test: time moves when told to, threads end and start as scripted. */
import { Generator } from "../../../protocols/core/index.ts";
import type { ThreadSlot } from "../../../runtime/actor/address.ts";
import type { Clock, TimerHandle } from "../../../runtime/actor/clock.ts";
import type {
	KernelControl,
	ThreadDirectory,
	ThreadEvent,
	ThreadSpec,
	ThreadStatus,
} from "../../../runtime/actor/ports.ts";
import type { ThreadEnd } from "../../../runtime/actor/signal.ts";
import {
	type ThreadSupervisionEvent,
	ThreadSupervisor,
	type ThreadSupervisorOptions,
} from "../../../supervisors/index.ts";

interface Timer {
	readonly atMs: number;
	readonly callback: () => void;
}

export class ScriptedClock implements Clock {
	#nowMs = 0;
	readonly #timers = new Set<Timer>();

	nowMs(): number {
		return this.#nowMs;
	}

	schedule(afterMs: number, callback: () => void): TimerHandle {
		const timer: Timer = { atMs: this.#nowMs + afterMs, callback };
		this.#timers.add(timer);
		return timer as unknown as TimerHandle;
	}

	cancel(handle: TimerHandle): void {
		this.#timers.delete(handle as unknown as Timer);
	}

	get waiting(): number {
		return this.#timers.size;
	}

	/** Lets time pass; what falls due runs in order, and what it promises settles before the next. */
	async pass(ms: number): Promise<void> {
		const endMs = this.#nowMs + ms;
		for (;;) {
			await settle();
			const due = [...this.#timers].filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
			if (due === undefined) break;
			this.#timers.delete(due);
			this.#nowMs = due.atMs;
			due.callback();
		}
		this.#nowMs = endMs;
	}
}

/** Lets promises that are settled by now have their consequences. */
export function settle(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

export class ScriptedThreads implements ThreadDirectory {
	readonly #clock: Clock;
	readonly #threads = new Map<ThreadSlot, ThreadStatus>();
	readonly #listeners = new Set<(event: ThreadEvent) => void>();
	/** What the next replacements do: take so long, or fail. Afterwards: at once. */
	readonly script: ({ readonly afterMs: number } | { readonly failsWith: Error })[] = [];
	readonly released: ThreadSlot[] = [];
	readonly replaced: ThreadSlot[] = [];

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	start(spec: ThreadSpec): Promise<ThreadSlot> {
		const slot = (this.#threads.size + 1) as ThreadSlot;
		this.#threads.set(slot, { slot, spec, state: "running", lives: 1 });
		return Promise.resolve(slot);
	}

	async replace(slot: ThreadSlot): Promise<void> {
		this.replaced.push(slot);
		const step = this.script.shift() ?? { afterMs: 0 };
		if ("failsWith" in step) throw step.failsWith;
		this.#set(slot, "starting");
		if (step.afterMs > 0) {
			await new Promise<void>((resolve) => {
				this.#clock.schedule(step.afterMs, resolve);
			});
		}
		this.#set(slot, "running");
		const { spec, lives } = this.#at(slot);
		this.#tell({ type: "thread-started", slot, name: spec.name, lives });
	}

	async kill(slot: ThreadSlot, cause: "killed" | "stalled" | "stopped"): Promise<void> {
		this.end(slot, cause);
	}

	/** The thread ends now. */
	end(slot: ThreadSlot, cause: ThreadEnd["cause"]): void {
		this.#set(slot, "dead");
		const end: ThreadEnd = { cause, exitCode: null, error: null };
		this.#tell({ type: "thread-ended", slot, name: this.#at(slot).spec.name, end, interrupted: null, lost: [] });
	}

	release(slot: ThreadSlot): void {
		this.released.push(slot);
	}

	control(): KernelControl {
		throw new Error("these threads run no kernel");
	}

	status(): readonly ThreadStatus[] {
		return [...this.#threads.values()];
	}

	observe(listener: (event: ThreadEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#at(slot: ThreadSlot): ThreadStatus {
		const status = this.#threads.get(slot);
		if (status === undefined) throw new Error(`no thread in slot ${slot}`);
		return status;
	}

	#set(slot: ThreadSlot, state: ThreadStatus["state"]): void {
		const status = this.#at(slot);
		this.#threads.set(slot, { ...status, state, lives: status.lives + (state === "starting" ? 1 : 0) });
	}

	#tell(event: ThreadEvent): void {
		for (const listener of this.#listeners) listener(event);
	}
}

/** A supervisor over scripted threads, and what it has published. */
export interface SupervisedThreads {
	readonly clock: ScriptedClock;
	readonly threads: ScriptedThreads;
	readonly supervisor: ThreadSupervisor;
	readonly events: ThreadSupervisionEvent[];
	/** Starts one more thread. */
	thread(name: string): Promise<ThreadSlot>;
}

export function supervisedThreads(options: Partial<ThreadSupervisorOptions> = {}): SupervisedThreads {
	const clock = new ScriptedClock();
	const threads = new ScriptedThreads(clock);
	const events: ThreadSupervisionEvent[] = [];
	const publish = (event: ThreadSupervisionEvent): void => void events.push(event);
	const supervisor = new ThreadSupervisor({ threads, clock, generator: new Generator(1), publish, ...options });
	supervisor.start();
	const thread = (name: string): Promise<ThreadSlot> => threads.start({ name, waiting: "async", dedicated: true });
	return { clock, threads, supervisor, events, thread };
}
