/** The asks of one thread that wait for an answer: who gets it, and until when. */
import type { ThreadSlot } from "./address.ts";
import type { Clock, TimerHandle } from "./clock.ts";
import { actorDead, asksExhausted, askTimeout } from "./errors.ts";

/** Asks of one thread that may wait at a time. */
export const ASKS_PENDING_MAX = 65_536;
const CORRELATION_MAX = 0x7fff_ffff;
/** Deadlines closer together than this share a sweep. */
const SWEEP_INTERVAL_MS_MIN = 1;

interface PendingAsk {
	readonly resolve: (value: unknown) => void;
	readonly reject: (error: unknown) => void;
	readonly actor: string;
	readonly slot: ThreadSlot;
	readonly timeoutMs: number;
	readonly deadlineMs: number;
}

/**
 * The correlation table. One timer serves all deadlines: it is set for the earliest one when the table was empty, and
 * sweeps; most asks are answered long before, so a timer for each would be the larger part of their cost.
 */
export class AskTable {
	readonly #clock: Clock;
	readonly #pending = new Map<number, PendingAsk>();
	#last = 0;
	#sweep: TimerHandle | null = null;
	#sweepAtMs = Number.POSITIVE_INFINITY;
	/** Answers that found nobody waiting. */
	lateReplies = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	get size(): number {
		return this.#pending.size;
	}

	/** Opens an ask and returns its correlation. @throws QuorateError `asks-exhausted` */
	open(
		actor: string,
		slot: ThreadSlot,
		timeoutMs: number,
		deadlineMs: number,
		resolve: (value: unknown) => void,
		reject: (error: unknown) => void,
	): number {
		if (this.#pending.size >= ASKS_PENDING_MAX) throw asksExhausted({ pendingMax: ASKS_PENDING_MAX });
		do {
			this.#last = this.#last === CORRELATION_MAX ? 1 : this.#last + 1;
		} while (this.#pending.has(this.#last));
		this.#pending.set(this.#last, { resolve, reject, actor, slot, timeoutMs, deadlineMs });
		if (deadlineMs < this.#sweepAtMs) this.#sweepAt(deadlineMs);
		return this.#last;
	}

	/** The answer to an ask. One that comes too late vanishes into {@link lateReplies}. */
	resolve(correlation: number, value: unknown): void {
		this.#take(correlation)?.resolve(value);
	}

	reject(correlation: number, error: unknown): void {
		this.#take(correlation)?.reject(error);
	}

	/** Fails an ask that could not be sent; nothing to do if it was answered on the way. */
	refuse(correlation: number, error: unknown): void {
		const ask = this.#pending.get(correlation);
		this.#pending.delete(correlation);
		ask?.reject(error);
	}

	/** The asks to a slot that wait now. */
	pendingTo(slot: ThreadSlot): readonly number[] {
		return [...this.#pending].filter(([, ask]) => ask.slot === slot).map(([correlation]) => correlation);
	}

	/** Fails those of these asks that still wait: their target is gone. */
	rejectDead(correlations: readonly number[], why: string): void {
		for (const correlation of correlations) {
			const ask = this.#pending.get(correlation);
			if (ask !== undefined) this.reject(correlation, actorDead({ actor: ask.actor, why }));
		}
	}

	/** Fails all asks: the kernel ends. */
	rejectAll(why: string): void {
		for (const [correlation, ask] of [...this.#pending]) {
			this.reject(correlation, actorDead({ actor: ask.actor, why }));
		}
		if (this.#sweep !== null) this.#clock.cancel(this.#sweep);
		this.#sweep = null;
		this.#sweepAtMs = Number.POSITIVE_INFINITY;
	}

	#take(correlation: number): PendingAsk | undefined {
		const ask = this.#pending.get(correlation);
		if (ask === undefined) this.lateReplies += 1;
		else this.#pending.delete(correlation);
		return ask;
	}

	#sweepAt(deadlineMs: number): void {
		if (this.#sweep !== null) this.#clock.cancel(this.#sweep);
		this.#sweepAtMs = deadlineMs;
		const afterMs = Math.max(SWEEP_INTERVAL_MS_MIN, deadlineMs - this.#clock.nowMs());
		this.#sweep = this.#clock.schedule(afterMs, () => this.#expire());
	}

	#expire(): void {
		this.#sweep = null;
		this.#sweepAtMs = Number.POSITIVE_INFINITY;
		const nowMs = this.#clock.nowMs();
		let earliestMs = Number.POSITIVE_INFINITY;
		for (const [correlation, ask] of [...this.#pending]) {
			if (ask.deadlineMs <= nowMs) {
				this.#pending.delete(correlation);
				ask.reject(askTimeout({ actor: ask.actor, timeoutMs: ask.timeoutMs }));
			} else if (ask.deadlineMs < earliestMs) earliestMs = ask.deadlineMs;
		}
		if (earliestMs < Number.POSITIVE_INFINITY) this.#sweepAt(earliestMs);
	}
}
