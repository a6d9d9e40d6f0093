/** News of deaths that must not overtake what the dead had sent. */
import type { ThreadSlot } from "./address.ts";
import { sequenceReached, type Transport } from "./ports.ts";

interface HeldNotice {
	readonly slot: ThreadSlot;
	readonly through: number;
	readonly tell: () => void;
}

/**
 * Death notices travel on the system lane, which is drained first. A notice names the last user-lane sequence that the
 * dead actor's thread had sent here, and waits until that is drained. Bounded by the watches of the kernel.
 */
export class HeldNotices {
	readonly #transport: Transport;
	#bySequence: HeldNotice[] = [];
	/** Arrived in the drain that is under way, which may have passed the lanes it waits for already. */
	#arrived: (() => void)[] = [];
	/** Waits for a whole drain that finds the system lanes empty. */
	#untilQuiet: (() => void)[] = [];

	constructor(transport: Transport) {
		this.#transport = transport;
	}

	hold(slot: ThreadSlot, through: number, tell: () => void): void {
		if (slot === this.#transport.slot || sequenceReached(this.#transport.drainedThrough(slot), through)) tell();
		else this.#bySequence.push({ slot, through, tell });
	}

	/** Waits until the system lanes, which carry answers, have been seen empty. */
	holdUntilQuiet(tell: () => void): void {
		this.#arrived.push(tell);
	}

	/** A notice waits for nothing but one more drain. */
	get waitsForQuiet(): boolean {
		return this.#untilQuiet.length > 0;
	}

	/** After each drain: tells what need not be held any longer. */
	release(isQuiet: boolean): void {
		if (isQuiet && this.#untilQuiet.length > 0) {
			const due = this.#untilQuiet;
			this.#untilQuiet = [];
			for (const tell of due) tell();
		}
		if (this.#arrived.length > 0) this.#untilQuiet.push(...this.#arrived.splice(0));
		if (this.#bySequence.length === 0) return;
		const held = this.#bySequence;
		this.#bySequence = [];
		for (const { slot, through, tell } of held) this.hold(slot, through, tell);
	}
}
