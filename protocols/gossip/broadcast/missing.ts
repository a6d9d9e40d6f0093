/**
 * Messages that were announced and have not come. One timer serves all of them and counts: whoever waits has so many ticks
 * left, so that nothing here holds a time and an announcement that is followed by its message costs no timer of its own.
 */
import type { NodeId } from "../../core/index.ts";

/** Announcers that are remembered of one missing message. */
const ANNOUNCERS_MAX = 16;
/** Missing messages that are waited for. */
const MISSING_MAX = 4_096;

export interface Announcement {
	readonly from: NodeId;
	readonly hops: number;
}

interface Missing {
	ticksLeft: number;
	/** In the order in which they are asked. */
	announcements: Announcement[];
}

export class MissingMessages {
	readonly #missing = new Map<string, Missing>();

	get size(): number {
		return this.#missing.size;
	}
	get state(): unknown {
		return this.#missing;
	}

	/** Notes who has announced it. What is new is waited for so many ticks. */
	announce(id: string, announcement: Announcement, ticks: number): void {
		const missing = this.#missing.get(id);
		if (missing === undefined) {
			if (this.#missing.size < MISSING_MAX) this.#missing.set(id, { ticksLeft: ticks, announcements: [announcement] });
		} else if (missing.announcements.length < ANNOUNCERS_MAX) {
			missing.announcements.push(announcement);
		}
	}

	/** It has come: who had announced it. */
	settle(id: string): readonly Announcement[] {
		if (this.#missing.size === 0) return NOBODY;
		const missing = this.#missing.get(id);
		if (missing === undefined) return NOBODY;
		this.#missing.delete(id);
		return missing.announcements;
	}

	/** One tick has passed: `ask` is called for each message whose time is over, and again a tick later with its next announcer. */
	tick(ask: (id: string, from: NodeId) => void): void {
		for (const [id, missing] of this.#missing) {
			missing.ticksLeft--;
			if (missing.ticksLeft > 0) continue;
			missing.ticksLeft = 1;
			const first = missing.announcements.shift();
			// All were asked in vain; whoever announces it anew is heard again.
			if (first === undefined) this.#missing.delete(id);
			else ask(id, first.from);
		}
	}

	/** A neighbour is gone, and what it has announced can not be had from it. */
	forget(node: NodeId): void {
		for (const missing of this.#missing.values()) {
			missing.announcements = missing.announcements.filter(({ from }) => from !== node);
		}
	}

	copy(): MissingMessages {
		const copy = new MissingMessages();
		for (const [id, { ticksLeft, announcements }] of this.#missing) {
			copy.#missing.set(id, { ticksLeft, announcements: [...announcements] });
		}
		return copy;
	}
}

const NOBODY: readonly Announcement[] = [];
