/** What a kernel counts: plain numbers during a turn, written to the metrics at its end. */
import type { Metrics } from "./metrics.ts";
import type { DeadLetterReason } from "./ports.ts";

export class KernelMeter {
	readonly #metrics: Metrics;
	readonly #told: { add(count: number): void };
	readonly #handled: { add(count: number): void };
	readonly #asked: { add(count: number): void };
	readonly #full: { add(count: number): void };
	readonly #failures: { add(count: number): void };
	readonly #lateReplies: { add(count: number): void };
	readonly #pending: { set(value: number): void };
	#lateRepliesWritten = 0;
	handled = 0;
	toldRemotely = 0;
	asked = 0;
	full = 0;
	failures = 0;

	constructor(metrics: Metrics) {
		this.#metrics = metrics;
		this.#told = metrics.counter("actor.told");
		this.#handled = metrics.counter("actor.handled");
		this.#asked = metrics.counter("actor.asked");
		this.#full = metrics.counter("actor.full");
		this.#failures = metrics.counter("actor.failures");
		this.#lateReplies = metrics.counter("actor.late_replies");
		this.#pending = metrics.gauge("actor.asks_pending");
	}

	deadLetter(reason: DeadLetterReason, count: number): void {
		this.#metrics.counter(`actor.dead_letters.${reason}`).add(count);
	}

	flush(localTells: number, lateReplies: number, asksPending: number): void {
		const told = localTells + this.toldRemotely;
		if (told > 0) this.#told.add(told);
		if (this.handled > 0) this.#handled.add(this.handled);
		if (this.asked > 0) this.#asked.add(this.asked);
		if (this.full > 0) this.#full.add(this.full);
		if (this.failures > 0) this.#failures.add(this.failures);
		if (lateReplies > this.#lateRepliesWritten) this.#lateReplies.add(lateReplies - this.#lateRepliesWritten);
		this.#lateRepliesWritten = lateReplies;
		this.#pending.set(asksPending);
		this.handled = 0;
		this.toldRemotely = 0;
		this.asked = 0;
		this.full = 0;
		this.failures = 0;
	}
}
