/**
 * Supervises threads as a supervisor does actors, in a tree of its own: one crash of a thread is one event, however many
 * actors lived there. Each slot has its own restart intensity and backoff, because slots fail for reasons of their own
 * (the actors placed there) and giving one up must not take the others' threads away.
 *
 * It is a plain class on the thread directory's events and the clock, not an actor. The actor tree waits for it: a
 * supervisor's restart of a lost child resolves when the thread is back, so this must not stand behind a mailbox that
 * such a supervisor, or anything else on its thread, may fill or hold up. And there is nobody to restart it: an actor
 * below the threads would need a supervisor that needs threads. It holds no state that a failure could corrupt but a few
 * numbers per slot, and runs alike on both backends.
 *
 * A lost heartbeat is found elsewhere (only the backend can see it); {@link ThreadSupervisor.stalled} acts on it.
 */
import { errorToObject, type Generator, must, type QuorateError } from "../../protocols/core/index.ts";
import type {
	Clock,
	ThreadDirectory,
	ThreadEnd,
	ThreadEvent,
	ThreadSlot,
	TimerHandle,
} from "../../runtime/actor/index.ts";
import { attemptsLeft, type BackoffSpec, restartDelayMs } from "./backoff.ts";
import { invalidSupervisorSpec } from "./errors.ts";
import type { ThreadSupervisionEvent } from "./events.ts";
import { EMPTY_WINDOW, type RestartWindow, recordRestart } from "./restart-intensity.ts";
import { checkBackoff, checkInteger } from "./spec-validation.ts";

export interface ThreadSupervisorOptions {
	readonly threads: ThreadDirectory;
	readonly clock: Clock;
	readonly generator: Generator;
	/** Puts an event on the system's event stream. */
	readonly publish: (event: ThreadSupervisionEvent) => void;
	/** Restarts of one slot tolerated within {@link periodMs}; 0 to 1,000; default 10. One more gives the slot up. */
	readonly intensity?: number;
	/** Milliseconds, 1 to 86,400,000; default 60,000. */
	readonly periodMs?: number;
	/** Default {@link THREAD_BACKOFF}: the first restart comes at once, since a warm spare may be waiting. */
	readonly backoff?: BackoffSpec;
	/** The same after an out-of-memory, whose cause is likely still there; default {@link OUT_OF_MEMORY_BACKOFF}. */
	readonly outOfMemoryBackoff?: BackoffSpec;
	/** Which threads it restarts, by name. Default: all but `storage`, whose loss must end the process. */
	readonly supervises?: (name: string) => boolean;
}

/**
 * The longest delays stay, with their jitter, below the 10,000 ms that a restart of an actor waits for its thread by
 * default (`ActorSystemOptions.threadReplacementTimeoutMs`): whoever sets longer ones raises that too, or the actors
 * count the thread as given up and are started anew elsewhere.
 */
export const THREAD_BACKOFF: BackoffSpec = { minMs: 100, maxMs: 8_000, jitter: 0.2, stableMs: 3_000, immediate: 1 };
export const OUT_OF_MEMORY_BACKOFF: BackoffSpec = { minMs: 1_000, maxMs: 8_000, jitter: 0.2, stableMs: 60_000 };

/** A slot that has failed at least once. Bounded by the number of slots. */
interface SlotRecord {
	readonly slot: ThreadSlot;
	readonly name: string;
	window: RestartWindow;
	/** Restarts in a row without a stable time between them. */
	attempts: number;
	/** When its thread last started to run; null before its first restart by this supervisor. */
	runningSinceMs: number | null;
	/** When the present outage began; null while the thread runs. */
	downSinceMs: number | null;
	/** What ended the thread last. */
	cause: ThreadEnd["cause"];
	delay: TimerHandle | null;
}

/** What a slot has been through, for consoles and tests. */
export interface SlotHistory {
	readonly slot: ThreadSlot;
	readonly name: string;
	readonly state: "running" | "down";
	/** Failures within the present period. */
	readonly recentFailures: number;
	readonly attempts: number;
}

export class ThreadSupervisor {
	readonly #threads: ThreadDirectory;
	readonly #clock: Clock;
	readonly #generator: Generator;
	readonly #publish: (event: ThreadSupervisionEvent) => void;
	readonly #intensity: number;
	readonly #periodMs: number;
	readonly #backoff: BackoffSpec;
	readonly #outOfMemoryBackoff: BackoffSpec;
	readonly #supervises: (name: string) => boolean;
	readonly #records = new Map<ThreadSlot, SlotRecord>();
	#unobserve: (() => void) | null = null;

	/** @throws QuorateError `invalid-supervisor-spec` */
	constructor(options: ThreadSupervisorOptions) {
		const { threads, clock, generator, publish, intensity = 10, periodMs = 60_000 } = options;
		const reject = (field: string, expected: string, actual: unknown): QuorateError =>
			invalidSupervisorSpec({ supervisor: "threads", field, expected, actual: String(actual) });
		checkInteger(intensity, 0, 1_000, "intensity", reject);
		checkInteger(periodMs, 1, 86_400_000, "periodMs", reject);
		this.#backoff = options.backoff ?? THREAD_BACKOFF;
		this.#outOfMemoryBackoff = options.outOfMemoryBackoff ?? OUT_OF_MEMORY_BACKOFF;
		checkBackoff(this.#backoff, reject);
		checkBackoff(this.#outOfMemoryBackoff, reject);
		this.#threads = threads;
		this.#clock = clock;
		this.#generator = generator;
		this.#publish = publish;
		this.#intensity = intensity;
		this.#periodMs = periodMs;
		this.#supervises = options.supervises ?? ((name) => name !== "storage");
	}

	/** Supervises from now on. */
	start(): void {
		this.#unobserve ??= this.#threads.observe((event) => this.#observe(event));
	}

	/** Supervises no longer: restarts that wait are given up, threads are left as they are. */
	stop(): void {
		this.#unobserve?.();
		this.#unobserve = null;
		for (const record of this.#records.values()) this.#cancelDelay(record);
		this.#records.clear();
	}

	/**
	 * The thread's heartbeat stood still while it was at work: kills it, and it is restarted as after a crash. `detail`
	 * names what it was doing. Without effect on a thread that does not run; one that is never killed is only told of.
	 */
	async stalled(slot: ThreadSlot, detail: string): Promise<void> {
		const status = this.#threads.status().find((thread) => thread.slot === slot);
		if (status?.state !== "running") return;
		this.#publish({ type: "thread-stalled", slot, name: status.spec.name, detail });
		if (status.spec.neverKilled !== true) await this.#threads.kill(slot, "stalled");
	}

	/** The slots that have failed since the start and were not given up. */
	history(): readonly SlotHistory[] {
		const nowMs = this.#clock.nowMs();
		return [...this.#records.values()].map((record) => ({
			slot: record.slot,
			name: record.name,
			state: record.downSinceMs === null ? "running" : "down",
			recentFailures: record.window.filter((atMs) => nowMs - atMs <= this.#periodMs).length,
			attempts: record.attempts,
		}));
	}

	#observe(event: ThreadEvent): void {
		if (event.type === "thread-started" || !this.#supervises(event.name)) return;
		if (event.type === "thread-released" || event.end.cause === "stopped") {
			// It was ended on purpose, by whoever gives the slot back or has just done so.
			this.#forget(event.slot);
			return;
		}
		const record = this.#record(event.slot, event.name);
		record.cause = event.end.cause;
		// While a replacement is under way its promise tells how that went, so that one crash stays one event.
		if (record.downSinceMs === null) this.#down(record);
	}

	#record(slot: ThreadSlot, name: string): SlotRecord {
		const known = this.#records.get(slot);
		if (known?.name === name) return known;
		if (known !== undefined) this.#forget(slot);
		const record: SlotRecord = {
			slot,
			name,
			window: EMPTY_WINDOW,
			attempts: 0,
			runningSinceMs: null,
			downSinceMs: null,
			cause: "crashed",
			delay: null,
		};
		this.#records.set(slot, record);
		return record;
	}

	/** A running thread ended. */
	#down(record: SlotRecord): void {
		const nowMs = this.#clock.nowMs();
		record.downSinceMs = nowMs;
		const ranMs = record.runningSinceMs === null ? 0 : nowMs - record.runningSinceMs;
		record.attempts = attemptsLeft(this.#backoffFor(record), record.attempts, ranMs);
		this.#count(record);
	}

	/** One more failure of this slot: restarts it now or later, or gives it up. */
	#count(record: SlotRecord): void {
		const { window, exceeded } = recordRestart(record.window, this.#clock.nowMs(), this.#intensity, this.#periodMs);
		record.window = window;
		if (exceeded) {
			this.#giveUp(record);
			return;
		}
		const delayMs = restartDelayMs(this.#backoffFor(record), record.attempts, this.#generator);
		record.attempts++;
		if (delayMs === 0) {
			this.#replace(record);
			return;
		}
		const { slot, name, attempts, cause } = record;
		this.#publish({ type: "thread-restart-delayed", slot, name, delayMs, attempts, cause });
		record.delay = this.#clock.schedule(delayMs, () => {
			record.delay = null;
			this.#replace(record);
		});
	}

	#replace(record: SlotRecord): void {
		this.#threads.replace(record.slot).then(
			() => this.#replaced(record),
			(error: unknown) => this.#startFailed(record, error),
		);
	}

	#replaced(record: SlotRecord): void {
		if (this.#records.get(record.slot) !== record) return;
		const status = this.#threads.status().find((thread) => thread.slot === record.slot);
		if (status === undefined || status.state === "dead") {
			// The new thread ended before anybody heard that it had started.
			this.#count(record);
			return;
		}
		const nowMs = this.#clock.nowMs();
		const afterMs = nowMs - must(record.downSinceMs ?? undefined, "a slot that is replaced was down");
		record.downSinceMs = null;
		record.runningSinceMs = nowMs;
		this.#publish({ type: "thread-restarted", slot: record.slot, name: record.name, afterMs, cause: record.cause });
	}

	#startFailed(record: SlotRecord, error: unknown): void {
		if (this.#records.get(record.slot) !== record) return;
		this.#publish({ type: "thread-start-failed", slot: record.slot, name: record.name, error: errorToObject(error) });
		this.#count(record);
	}

	#giveUp(record: SlotRecord): void {
		const { slot, name } = record;
		this.#forget(slot);
		this.#threads.release(slot);
		this.#publish({ type: "thread-gave-up", slot, name, intensity: this.#intensity, periodMs: this.#periodMs });
	}

	#forget(slot: ThreadSlot): void {
		const record = this.#records.get(slot);
		if (record === undefined) return;
		this.#cancelDelay(record);
		this.#records.delete(slot);
	}

	#cancelDelay(record: SlotRecord): void {
		if (record.delay !== null) this.#clock.cancel(record.delay);
		record.delay = null;
	}

	#backoffFor(record: SlotRecord): BackoffSpec {
		return record.cause === "out-of-memory" ? this.#outOfMemoryBackoff : this.#backoff;
	}
}
