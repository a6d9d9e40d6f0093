/** What others may do with an actor. */
import type { Address } from "./address.ts";

/**
 * What became of a `tell`. Only `ok` means that the message is in a queue; each other verdict has also been counted.
 * - `full`: the lane or the mailbox has no room now; nothing was sent.
 * - `dead`: the target is known to be gone; the message went to dead letters.
 * - `too-large`: over the limit of one message (8 MiB encoded); nothing was sent.
 */
export type TellVerdict = "ok" | "full" | "dead" | "too-large";

export interface TellOptions {
	/** Overtakes normal messages where the mailbox has priorities. Default `normal`. */
	readonly priority?: "normal" | "high";
}

export interface AskOptions {
	/** Milliseconds, 1 to 2^31 − 1; default 5,000. The receiver drops the ask unseen once this has passed. */
	readonly timeoutMs?: number;
}

/**
 * A handle on an actor. Messages of one sender to one actor keep their order. The sender is the actor whose hook is
 * running; after an `await`, the actor whose context gave this ref; for refs of the system itself, nobody.
 */
export interface ActorRef<Message = unknown> {
	readonly address: Address;
	readonly name: string;
	/**
	 * Sends without waiting; at most once. On the same thread the receiver gets the very object: do not change it afterwards.
	 * @throws QuorateError `message-unencodable` if it has to travel and can not
	 */
	tell(message: Message, options?: TellOptions): TellVerdict;
	/**
	 * Makes visible at once what was told. True if all of it is where it outlives the sender's thread: the receiver gets it whatever becomes of
	 * the sender, before anything that the sender's next life tells. Always false on one thread, and in simulation, whose threads are machines.
	 * @param wake a receiver's thread that sleeps: `now` (default), or `soon`, within some milliseconds and not while this turn lasts, for what
	 *   hurries nobody: several turns then cost one wake-up
	 */
	handOver(wake?: "now" | "soon"): boolean;
	/** Waits for credit when the verdict would be `full`. Rejects with `actor-dead` or `message-too-large`. */
	tellWhenReady(message: Message): Promise<void>;
	/**
	 * Sends and waits for the reply. Rejects with `ask-timeout`, `actor-dead` (at once when the target or its thread dies,
	 * outcome unknown), `mailbox-full`, or with the error that the receiver's handler threw.
	 * A reply that comes too late vanishes into a counter. A reply may overtake tells that its sender sent before it.
	 */
	ask<Reply = unknown>(message: Message, options?: AskOptions): Promise<Reply>;
	/** The same actor, spoken to in a protocol whose messages have compiled layouts (see `LayoutTable.protocol`). */
	speaking<Spoken = Message>(protocol: string): ActorRef<Spoken>;
}
