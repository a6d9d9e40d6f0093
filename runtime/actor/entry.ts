/** What lies in a mailbox beside the message itself: how it came, so that a plain tell costs no object. */
import type { Address, ThreadSlot } from "./address.ts";
import type { TimerHandle } from "./clock.ts";
import type { Signal } from "./signal.ts";

/** A plain tell on the same thread: the sender is all there is to know. One object for each actor, shared by its tells. */
export class ActorIdentity {
	readonly tag = "told";
	readonly address: Address;
	readonly name: string;

	constructor(address: Address, name: string) {
		this.address = address;
		this.name = name;
	}
}

/** A message from another thread, or an ask. */
export class Received {
	readonly tag = "received";
	readonly sender: Address | null;
	readonly from: ThreadSlot;
	/** 0 for a tell. */
	readonly correlation: number;
	readonly deadlineMs: number;
	readonly protocol: string | null;
	readonly redelivered: number;
	/** An ask is answered once. */
	answered = false;

	constructor(
		sender: Address | null,
		from: ThreadSlot,
		correlation: number,
		deadlineMs: number,
		protocol: string | null,
		redelivered: number,
	) {
		this.sender = sender;
		this.from = from;
		this.correlation = correlation;
		this.deadlineMs = deadlineMs;
		this.protocol = protocol;
		this.redelivered = redelivered;
	}
}

/** A timer of the actor itself. */
export class Tick {
	readonly tag = "tick";
	/** Null for the timers of the context's scheduler. */
	readonly key: string | null;
	readonly message: unknown;
	/** Runs instead of `receive`. */
	readonly callback: (() => void | Promise<void>) | null;
	/** False once it ran, was cancelled or replaced, or its instance ended: it must not be handled then. */
	live = true;
	handle: TimerHandle | null = null;

	constructor(key: string | null, message: unknown, callback: (() => void | Promise<void>) | null) {
		this.key = key;
		this.message = message;
		this.callback = callback;
	}
}

/** A signal of the system. */
export class Notice {
	readonly tag = "notice";
	readonly signal: Signal;
	/** Of a `terminated`: the watch it answers. It is not delivered any more once that watch was given up. */
	readonly watch: Watch | null;
	/** Of a child's failure or end: the life of the parent to which that child belongs. No other life hears of it. */
	readonly life: object | null;

	constructor(signal: Signal, watch: Watch | null, life: object | null) {
		this.signal = signal;
		this.watch = watch;
		this.life = life;
	}
}

/** One actor's watch on another. */
export interface Watch {
	active: boolean;
	readonly link: boolean;
}

/** Null: a plain tell by no actor. */
export type EntryMeta = ActorIdentity | Received | Tick | Notice | null;

/** Who sent an entry. */
export function senderOf(meta: EntryMeta): Address | null {
	if (meta === null) return null;
	if (meta.tag === "told") return meta.address;
	return meta.tag === "received" ? meta.sender : null;
}

/** The `type` of a message, where it has one: how reports name it without carrying it. */
export function messageType(message: unknown): string | null {
	if (typeof message !== "object" || message === null || !("type" in message)) return null;
	return typeof message.type === "string" ? message.type : null;
}
