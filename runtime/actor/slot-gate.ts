/** Which slots have a running thread, and who waits for one to be replaced. */
import type { ThreadSlot } from "./address.ts";
import type { Clock, TimerHandle } from "./clock.ts";
import { threadGone } from "./errors.ts";

interface GateWaiter {
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
	readonly deadline: TimerHandle;
}

interface Gate {
	isRunning: boolean;
	/** Threads that have run here. */
	lives: number;
	readonly waiters: GateWaiter[];
}

/** Waiters are the restarts under way, so they are bounded by the actors. */
export class SlotGate {
	readonly #clock: Clock;
	readonly #timeoutMs: number;
	readonly #gates = new Map<ThreadSlot, Gate>();

	constructor(clock: Clock, timeoutMs: number) {
		this.#clock = clock;
		this.#timeoutMs = timeoutMs;
	}

	isRunning(slot: ThreadSlot): boolean {
		return this.#gates.get(slot)?.isRunning === true;
	}

	/** Which thread of this slot runs; null while none does. Two equal answers speak of one that has run all the time between. */
	lifeOf(slot: ThreadSlot): number | null {
		const gate = this.#gates.get(slot);
		return gate?.isRunning === true ? gate.lives : null;
	}

	/** It has a thread, dead or alive. */
	isKnown(slot: ThreadSlot): boolean {
		return this.#gates.has(slot);
	}

	/** Resolves when the slot has a running thread; rejects with `thread-gone` when it never will, or not in time. */
	whenRunning(slot: ThreadSlot): Promise<void> {
		const gate = this.#gates.get(slot);
		if (gate === undefined) return Promise.reject(threadGone({ slot, why: "its slot was given back" }));
		if (gate.isRunning) return Promise.resolve();
		return new Promise((resolve, reject) => {
			const deadline = this.#clock.schedule(this.#timeoutMs, () => {
				gate.waiters.splice(gate.waiters.indexOf(waiter), 1);
				reject(threadGone({ slot, why: `nobody replaced it within ${this.#timeoutMs} ms` }));
			});
			const waiter: GateWaiter = { resolve, reject, deadline };
			gate.waiters.push(waiter);
		});
	}

	opened(slot: ThreadSlot): void {
		const gate = this.#gates.get(slot) ?? { isRunning: true, lives: 0, waiters: [] };
		gate.isRunning = true;
		gate.lives += 1;
		this.#gates.set(slot, gate);
		for (const { resolve, deadline } of gate.waiters.splice(0)) {
			this.#clock.cancel(deadline);
			resolve();
		}
	}

	closed(slot: ThreadSlot): void {
		const gate = this.#gates.get(slot);
		if (gate !== undefined) gate.isRunning = false;
	}

	gone(slot: ThreadSlot, why: string): void {
		const gate = this.#gates.get(slot);
		this.#gates.delete(slot);
		for (const { reject, deadline } of gate?.waiters.splice(0) ?? []) {
			this.#clock.cancel(deadline);
			reject(threadGone({ slot, why }));
		}
	}
}
