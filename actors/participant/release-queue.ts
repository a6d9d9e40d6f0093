/**
 * Durable before sent, as a value. The queue takes the effects of a protocol in the order in which they were emitted
 * and says which of them may be performed now. It performs nothing itself, so the rule can be tested alone.
 *
 * Why it is safe: (1) a held effect remembers the last persist emitted before it; (2) it is given out only when that
 * persist, and so every earlier one, is durable; (3) held effects wait in one queue in the order of their emission and
 * the persists before them only grow, so the head of the queue is always the first that may leave.
 */
import { assert, type Effect, type ProtocolTypes, type WriteId } from "../../protocols/core/index.ts";
import * as errors from "./errors.ts";

/** Effects that may wait for the disk at once; more mean that the disk has been silent for far too long. */
export const HELD_EFFECTS_MAX = 131_072;

interface Held<P extends ProtocolTypes> {
	readonly effect: Effect<P>;
	/** Leaves when this persist is durable. */
	readonly after: WriteId;
}

/** One life's queue of effects between a protocol and the world. */
export class ReleaseQueue<P extends ProtocolTypes> {
	/** Held effects from `#head` on; the front is cut off now and then, so that taking one costs nothing. */
	#held: Held<P>[] = [];
	#head = 0;
	/** The last persist that was emitted. Never below `#durable`. */
	#persisted: WriteId = 0;
	/** The last persist that is durable. */
	#durable: WriteId = 0;

	/** Effects that wait for the disk. */
	get waiting(): number {
		return this.#held.length - this.#head;
	}

	/** True while a persist is on its way. */
	get pending(): boolean {
		return this.#durable < this.#persisted;
	}

	/**
	 * Takes emitted effects and appends to `released` those that may be performed now, in order.
	 * @throws QuorateError `held-effects-overflow` over {@link HELD_EFFECTS_MAX}
	 */
	emit(effects: readonly Effect<P>[], released: Effect<P>[]): void {
		for (const effect of effects) {
			if (effect.type === "persist") {
				assert(effect.writeId > this.#persisted, "write ids grow", {
					before: this.#persisted,
					now: effect.writeId,
				});
				this.#persisted = effect.writeId;
			}
			if (this.pending && mustWait(effect)) this.#hold(effect);
			else released.push(effect);
		}
	}

	/** The persist of this id is durable: appends to `released` the effects that have waited for it, in order. */
	durable(writeId: WriteId, released: Effect<P>[]): void {
		assert(writeId <= this.#persisted, "only an emitted persist becomes durable", {
			emitted: this.#persisted,
			durable: writeId,
		});
		assert(writeId > this.#durable, "persists become durable in order, each once", {
			before: this.#durable,
			now: writeId,
		});
		this.#durable = writeId;
		for (;;) {
			const head = this.#held[this.#head];
			if (head === undefined || head.after > writeId) break;
			released.push(head.effect);
			this.#head += 1;
		}
		if (this.#head === this.#held.length) {
			this.#held = [];
			this.#head = 0;
		} else if (this.#head >= 1_024) {
			this.#held = this.#held.slice(this.#head);
			this.#head = 0;
		}
	}

	#hold(effect: Effect<P>): void {
		if (this.waiting >= HELD_EFFECTS_MAX) {
			throw errors.heldEffectsOverflow({ held: this.waiting + 1, limit: HELD_EFFECTS_MAX });
		}
		this.#held.push({ effect, after: this.#persisted });
	}
}

/** Sends, deliveries and replies tell somebody something; the rest stays inside and is never held. */
function mustWait<P extends ProtocolTypes>(effect: Effect<P>): boolean {
	switch (effect.type) {
		case "send":
		case "apply":
		case "reply":
			return effect.release === "after-durable";
		default:
			return false;
	}
}
