/**
 * Counters. Each replica adds to what it has added itself; the value is the sum over all replicas.
 *
 * A counter that can not be removed keeps one total a replica. One below a map can be removed while others increment it; what
 * the remover saw must go and nothing else, so there each increment is an entry of its own, until a collection folds them.
 */
import type { Container } from "../document/container.ts";
import { supersededBy } from "../document/entry.ts";
import { amountInvalid } from "../errors.ts";
import { amountOf } from "./entry-values.ts";
import { Part } from "./part.ts";

export class Counter extends Part {
	get value(): number {
		return counterValue(this.container);
	}

	/**
	 * @param amount a positive safe integer; default 1
	 * @throws QuorateError `crdt-amount-invalid`, also if the total would leave the safe integers
	 */
	increment(amount = 1): void {
		requireAmount(amount);
		this.#add(amount);
	}

	/**
	 * As {@link increment}, downwards.
	 * @throws QuorateError `crdt-amount-invalid`, always for a `g-counter`
	 */
	decrement(amount = 1): void {
		requireAmount(amount);
		if (this.container.type === "g-counter") {
			throw amountInvalid({ amount: -amount, expected: "an increment: a g-counter only grows" });
		}
		this.#add(-amount);
	}

	#add(amount: number): void {
		const core = this.core;
		const container = this.container;
		const own = container.entries.get(core.replica);
		const total = sumOf(container, core.replica) + amount;
		if (!Number.isSafeInteger(total)) {
			throw amountInvalid({ amount, expected: "an amount that keeps the total a safe integer" });
		}
		if (container.inMap) core.own.entry(container, core.replica, amount, null);
		else core.own.entry(container, core.replica, total, supersededBy(own));
	}
}

/** The sum over all replicas. */
export function counterValue(container: Container): number {
	let sum = 0;
	for (const key of container.entries.keys()) sum += sumOf(container, key);
	return sum;
}

function sumOf(container: Container, key: string): number {
	let sum = 0;
	for (let entry = container.entries.get(key) ?? null; entry !== null; entry = entry.next) sum += amountOf(entry.value);
	return sum;
}

/** @throws QuorateError `crdt-amount-invalid` */
export function requireAmount(amount: number): void {
	if (!Number.isSafeInteger(amount) || amount < 1) throw amountInvalid({ amount, expected: "a positive safe integer" });
}
