/** A mailbox: what waits for one actor, in the order in which it will be handled, with a bound and a policy for it. */
import { requireInteger } from "../../protocols/core/index.ts";
import type { MailboxSpec, OverflowPolicy } from "./behaviour.ts";
import type { EntryMeta } from "./entry.ts";
import { MessageRing } from "./message-ring.ts";

export const MAILBOX_CAPACITY_DEFAULT = 4096;
export const MAILBOX_CAPACITY_MAX = 1_000_000;
/** Messages one actor may have stashed. */
export const STASH_MAX = 1024;

/**
 * Five queues, emptied in this order: signals and timer ticks, unstashed messages, messages of high priority (where
 * the spec asks for priorities), all others. The fifth is the stash, which waits for {@link unstash}. The capacity
 * bounds messages; signals (few, one for each child and watch) and ticks (one for each timer) are never refused.
 */
export class Mailbox {
	readonly capacity: number;
	readonly overflow: OverflowPolicy;
	readonly priorities: boolean;
	readonly #urgent = new MessageRing();
	readonly #replay = new MessageRing();
	readonly #high = new MessageRing();
	readonly #normal = new MessageRing();
	readonly #stash = new MessageRing();

	constructor(spec: MailboxSpec | undefined) {
		this.capacity = spec?.capacity ?? MAILBOX_CAPACITY_DEFAULT;
		this.overflow = spec?.overflow ?? "reject";
		this.priorities = spec?.priorities ?? false;
		requireInteger("mailbox capacity", this.capacity, 1, MAILBOX_CAPACITY_MAX);
	}

	/** Messages that wait, without those stashed. */
	get waiting(): number {
		return this.#normal.length + this.#high.length + this.#replay.length;
	}

	get stashed(): number {
		return this.#stash.length;
	}

	get isEmpty(): boolean {
		return this.#urgent.length === 0 && this.waiting === 0;
	}

	/** True when something must be handled before a message that is yet to come. */
	get hasPrecedence(): boolean {
		return this.#urgent.length > 0 || this.#replay.length > 0;
	}

	get hasRoom(): boolean {
		return this.#normal.length + this.#high.length < this.capacity;
	}

	/** Adds a message; the caller has seen that there is room. */
	push(message: unknown, meta: EntryMeta, high: boolean): void {
		if (high && this.priorities) this.#high.push(message, meta);
		else this.#normal.push(message, meta);
	}

	/** Adds a signal or a tick: before all messages, never refused. */
	pushUrgent(meta: EntryMeta): void {
		this.#urgent.push(undefined, meta);
	}

	/** Adds a signal that must not overtake the messages that came before it; never refused. */
	pushInOrder(meta: EntryMeta): void {
		this.#normal.push(undefined, meta);
	}

	/** Takes the next entry: it lies in `message` and `meta` of the queue that is returned. Null when there is none. */
	next(): MessageRing | null {
		if (this.#urgent.shift()) return this.#urgent;
		if (this.#replay.shift()) return this.#replay;
		if (this.#high.shift()) return this.#high;
		return this.#normal.shift() ? this.#normal : null;
	}

	/** Takes the oldest message, of normal priority if there is one. A signal on the way there becomes urgent. */
	dropOldest(): MessageRing | null {
		while (this.#normal.shift()) {
			const { meta } = this.#normal;
			if (meta?.tag !== "notice") return this.#normal;
			this.#urgent.push(undefined, meta);
		}
		return this.#high.shift() ? this.#high : null;
	}

	/** The caller has checked {@link STASH_MAX}. */
	stash(message: unknown, meta: EntryMeta): void {
		this.#stash.push(message, meta);
	}

	/** Puts the stash before all messages that wait, in the order in which it was stashed. */
	unstash(): void {
		while (this.#stash.pop()) this.#replay.unshift(this.#stash.message, this.#stash.meta);
	}

	/** Empties everything, giving each message (signals and ticks just go). */
	clear(lost: (message: unknown, meta: EntryMeta) => void): void {
		this.unstash();
		for (let ring = this.next(); ring !== null; ring = this.next()) {
			const { message, meta } = ring;
			ring.forget();
			if (meta === null || meta.tag === "told" || meta.tag === "received") lost(message, meta);
		}
	}
}
