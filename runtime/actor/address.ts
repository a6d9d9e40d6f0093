/** Who is who: thread slots, actors, incarnations. */
import type { Brand } from "../../protocols/core/index.ts";

/**
 * A place for a thread, `0` (the thread that started the system) to `63`. A slot outlives the threads that fill it:
 * when a thread dies, its replacement takes the same slot, its lanes and its actors' addresses.
 */
export type ThreadSlot = Brand<number, "ThreadSlot">;

/** The slot of the thread that started the system: it hosts the supervision tree and, by default, `local` actors. */
export const MAIN_SLOT: ThreadSlot = 0 as ThreadSlot;

/** Slots in all, the main thread's and the storage thread's included. One more thread is refused with `too-many-threads`. */
export const THREADS_MAX = 64;

/**
 * The address of an actor. It stays the same over supervised restarts (the mailbox outlives the actor); an actor
 * that is stopped for good and spawned anew gets another incarnation, and what is sent to the old one goes to
 * dead letters, never to the successor.
 */
export interface Address {
	readonly slot: ThreadSlot;
	/** Chosen by the system, unique in the slot; 1 to 2^31 − 1. */
	readonly actor: number;
	/** Counts the actors that have used this number, from 1. */
	readonly incarnation: number;
}

/** Equal addresses name the same incarnation of the same actor. */
export function sameAddress(a: Address, b: Address): boolean {
	return a.slot === b.slot && a.actor === b.actor && a.incarnation === b.incarnation;
}

/** The readable form of an address, `slot/actor#incarnation`; also a map key. */
export function addressText(address: Address): string {
	return `${address.slot}/${address.actor}#${address.incarnation}`;
}
