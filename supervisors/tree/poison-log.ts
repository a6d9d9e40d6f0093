/**
 * Finds messages that kill: the same type from the same sender, the same child, again and again. A restart does not
 * help there, since the sender will send it once more; a report names it.
 */

import type { InterruptedMessage } from "../../runtime/actor/index.ts";
import { addressText } from "../../runtime/actor/index.ts";

/** Suspects that one child's log remembers; over it the oldest is forgotten. */
export const SUSPECTS_MAX = 64;

export interface Suspect {
	readonly messageType: string;
	/** The sender's address as text, null when it was no actor. */
	readonly sender: string | null;
	/** How many times such a message has killed the child. */
	readonly deaths: number;
}

/** The suspects of one child. It outlives the child's restarts. */
export class PoisonLog {
	readonly #limit: number;
	readonly #suspects = new Map<string, Suspect>();

	constructor(limit: number) {
		this.#limit = limit;
	}

	/**
	 * Notes that the child died over this message; returns the suspect when its deaths have reached the limit, and
	 * starts counting it anew. Messages without a type are not told apart and not counted.
	 */
	record(interrupted: InterruptedMessage | null): Suspect | null {
		if (interrupted === null || interrupted.messageType === null) return null;
		const sender = interrupted.sender === null ? null : addressText(interrupted.sender);
		const key = JSON.stringify([interrupted.messageType, sender]);
		// Deaths that came while a restart was under way were told of with a later one: the message itself has counted them.
		const deaths = Math.max((this.#suspects.get(key)?.deaths ?? 0) + 1, interrupted.deliveries);
		const suspect: Suspect = { messageType: interrupted.messageType, sender, deaths };
		this.#suspects.delete(key);
		if (deaths >= this.#limit) return suspect;
		this.#suspects.set(key, suspect);
		if (this.#suspects.size > SUSPECTS_MAX) this.#forgetOldest();
		return null;
	}

	#forgetOldest(): void {
		for (const key of this.#suspects.keys()) {
			this.#suspects.delete(key);
			return;
		}
	}
}
