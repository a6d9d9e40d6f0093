/** Faults between named actors, for protocols that must bear them. */
import type { EnvelopeHead } from "../actor/index.ts";

/** One copy of a message that will arrive. */
export interface NetworkDelivery {
	/** Virtual milliseconds from now. Copies and later messages overtake by their delays. */
	readonly afterMs: number;
}

/**
 * Decides the fate of messages between threads. Lanes themselves lose nothing; a policy is how a simulation tests what
 * a protocol promises on a network that loses, delays, duplicates, reorders and partitions.
 */
export interface NetworkPolicy {
	/**
	 * The copies of this tell or ask that arrive; an empty list loses it. Null leaves it to the lane, in order and without
	 * loss, which is right for all traffic that is not between participants.
	 */
	deliveries(head: EnvelopeHead, payload: unknown, nowMs: number): readonly NetworkDelivery[] | null;
}
