/** Faults between named actors, for protocols that must bear them. */
import type { EnvelopeHead } from "../actor/index.ts";
import type { Gate } from "./gate.ts";

/** One copy of a message that will arrive. */
export interface NetworkDelivery {
	/** Virtual milliseconds from now, or from the opening of the gate. Copies and later messages overtake by their delays. */
	readonly afterMs: number;
	/** It does not leave before this is open; what finds the gate's queue full is lost. */
	readonly gate?: Gate;
	readonly corruption?: Corruption;
}

/** What happens to the bytes of a message on its way. */
export interface Corruption {
	/** Bits that are flipped: bit `n modulo the message's bits` for each of these. */
	readonly flips: readonly number[];
	/**
	 * True: the link has a checksum, as real links do; the receiver refuses the message as undecodable. False: the
	 * receiver gets whatever the changed bytes decode to, and refuses them only if they decode to nothing. That is no
	 * network of a crash-fault protocol any more.
	 */
	readonly isChecked: boolean;
}

/**
 * Decides the fate of messages between threads. Lanes themselves lose nothing; a policy is how a simulation tests what
 * a protocol promises on a network that loses, delays, duplicates, reorders and partitions. Only tells and asks reach it:
 * answers and signals travel on system lanes, which are never dropped.
 */
export interface NetworkPolicy {
	/**
	 * The copies of this tell or ask that arrive; an empty list loses it. Null leaves it to the lane, in order and without
	 * loss, which is right for all traffic that is not between participants. `sizeBytes` is its encoded length.
	 */
	deliveries(head: EnvelopeHead, payload: unknown, nowMs: number, sizeBytes: number): readonly NetworkDelivery[] | null;
}
