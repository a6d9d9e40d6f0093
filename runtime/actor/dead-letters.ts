/** Messages that nobody handled: counted by reason, the last of them kept, all of them on a stream. */
import type { Address } from "./address.ts";
import type { Clock } from "./clock.ts";
import { EventStream } from "./event-stream.ts";
import type { DeadLetterReason } from "./ports.ts";

/** Dead letters that are kept for whoever looks later. */
export const DEAD_LETTERS_KEPT = 1024;
/** Dead letters that are published as events before silence, and how long that lasts. */
export const DEAD_LETTER_EVENTS_MAX = 10;
export const DEAD_LETTER_SILENCE_MS: number = 5 * 60_000;

/** A message that was not handled: what is known of it, without the message itself. */
export interface DeadLetter {
	readonly reason: DeadLetterReason;
	readonly target: Address;
	readonly sender: Address | null;
	/** The message's `type` field, if it has one. */
	readonly messageType: string | null;
	/** Messages that this report stands for: 1, or the number lost together. */
	readonly count: number;
	readonly atMs: number;
}

/** The dead letters of the whole system; kept on the main thread. */
export class DeadLetters {
	readonly #clock: Clock;
	readonly #publish: (event: { readonly type: string }) => void;
	readonly #counts = new Map<DeadLetterReason, number>();
	readonly #kept: DeadLetter[] = [];
	#next = 0;
	#published = 0;
	#silentUntilMs = 0;
	readonly #stream: EventStream<DeadLetter>;

	constructor(clock: Clock, publish: (event: { readonly type: string }) => void, thrown: (error: unknown) => void) {
		this.#clock = clock;
		this.#publish = publish;
		this.#stream = new EventStream<DeadLetter>(thrown);
	}

	get stream$(): EventStream<DeadLetter>["stream$"] {
		return this.#stream.stream$;
	}

	/** Messages not handled since the start, by reason. */
	get counts(): ReadonlyMap<DeadLetterReason, number> {
		return this.#counts;
	}

	/** The last {@link DEAD_LETTERS_KEPT}, oldest first. */
	recent(): readonly DeadLetter[] {
		return [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)];
	}

	add(letter: DeadLetter): void {
		this.#counts.set(letter.reason, (this.#counts.get(letter.reason) ?? 0) + letter.count);
		this.#kept[this.#next] = letter;
		this.#next = (this.#next + 1) % DEAD_LETTERS_KEPT;
		this.#stream.next(letter);
		this.#announce(letter);
	}

	complete(): void {
		this.#stream.complete();
	}

	/** The first few become events; then silence for a while, as a flood of reports helps nobody. */
	#announce(letter: DeadLetter): void {
		const nowMs = this.#clock.nowMs();
		if (this.#published === DEAD_LETTER_EVENTS_MAX && nowMs >= this.#silentUntilMs) this.#published = 0;
		if (this.#published === DEAD_LETTER_EVENTS_MAX) return;
		this.#published += 1;
		this.#publish({ ...letter, type: "dead-letter" } as { readonly type: string });
		if (this.#published < DEAD_LETTER_EVENTS_MAX) return;
		this.#silentUntilMs = nowMs + DEAD_LETTER_SILENCE_MS;
		this.#publish({ type: "dead-letters-silenced", untilMs: this.#silentUntilMs } as { readonly type: string });
	}
}
