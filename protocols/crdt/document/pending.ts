/**
 * Updates that came before what they depend on. They wait here, bounded, and are part of the encoded state, so that a crash
 * loses none of them; nothing of them is shown until all they need is there.
 */
import { bufferFull } from "../errors.ts";

export interface PendingLimits {
	/** Updates that wait. Default 1,000. */
	readonly updatesMax: number;
	/** Their bytes in all. Default 4 MiB. */
	readonly bytesMax: number;
}

export const pendingLimitsDefault: PendingLimits = { updatesMax: 1000, bytesMax: 4 * 1024 * 1024 };

export class PendingUpdates {
	readonly #limits: PendingLimits;
	#updates: Uint8Array[] = [];
	#bytes = 0;

	constructor(limits: PendingLimits = pendingLimitsDefault) {
		this.#limits = limits;
	}

	/** How many wait. */
	get size(): number {
		return this.#updates.length;
	}

	/** Those that wait, in order of arrival. */
	get updates(): readonly Uint8Array[] {
		return this.#updates;
	}

	/**
	 * Keeps a copy of an update, once.
	 * @throws QuorateError `crdt-buffer-full`: the update is not kept, and has to come again
	 */
	add(update: Uint8Array): void {
		if (this.#updates.some((other) => sameBytes(other, update))) return;
		const { updatesMax, bytesMax } = this.#limits;
		if (this.#updates.length >= updatesMax) {
			throw bufferFull({ buffered: this.#updates.length, limit: updatesMax, unit: "updates" });
		}
		if (this.#bytes + update.length > bytesMax) {
			throw bufferFull({ buffered: this.#bytes, limit: bytesMax, unit: "bytes" });
		}
		this.#updates.push(update.slice());
		this.#bytes += update.length;
	}

	/**
	 * Goes through those that wait until none is taken any more; `take` says whether an update is done with. One for which it throws
	 * is done with, too, and the first error comes out in the end.
	 */
	drain(take: (update: Uint8Array) => boolean): void {
		const failures: unknown[] = [];
		const stays = (update: Uint8Array): boolean => {
			try {
				return !take(update);
			} catch (failure) {
				failures.push(failure);
				return false;
			}
		};
		for (let before = -1; before !== this.#updates.length && this.#updates.length > 0; ) {
			before = this.#updates.length;
			this.#updates = this.#updates.filter(stays);
		}
		this.#bytes = this.#updates.reduce((sum, update) => sum + update.length, 0);
		if (failures.length > 0) throw failures[0];
	}
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
