/**
 * A counter that never goes below 0 (escrow; Balegas et al., "Extending eventually consistent cloud databases for enforcing
 * numeric invariants", SRDS 2015). Each increment gives its replica the right to as many decrements; rights can be passed
 * on. Nobody spends rights that it does not hold, so the bound holds everywhere without coordination.
 *
 * Entries are totals under `from>to`: what `from` has passed to `to`, `r>r` what it has added, and under `r` what it has spent. Only
 * `from` (or `r`) writes them.
 */
import { isReplicaId, type ReplicaId } from "../causality/replica.ts";
import type { Container } from "../document/container.ts";
import { supersededBy } from "../document/entry.ts";
import { amountInvalid, rightsInsufficient } from "../errors.ts";
import { requireAmount } from "./counter.ts";
import { amountOf } from "./entry-values.ts";
import { Part } from "./part.ts";

const ARROW = ">";

export class BoundedCounter extends Part {
	get value(): number {
		return boundedValue(this.container);
	}

	/** How much a replica may still take off, as far as is known here; of this one exactly. */
	rights(replica: ReplicaId = this.core.replica): number {
		let rights = -this.#total(replica);
		for (const [key, entry] of this.container.entries) {
			const cut = key.indexOf(ARROW);
			if (cut < 0) continue;
			const from = key.slice(0, cut);
			const to = key.slice(cut + 1);
			if (to === replica) rights += amountOf(entry.value);
			if (from === replica && to !== replica) rights -= amountOf(entry.value);
		}
		return rights;
	}

	/** @throws QuorateError `crdt-amount-invalid` */
	increment(amount = 1): void {
		requireAmount(amount);
		this.#add(`${this.core.replica}${ARROW}${this.core.replica}`, amount);
	}

	/** @throws QuorateError `crdt-amount-invalid`, `crdt-rights-insufficient` */
	decrement(amount = 1): void {
		this.#requireRights(amount);
		this.#add(this.core.replica, amount);
	}

	/**
	 * Passes rights on to another replica.
	 * @throws QuorateError `crdt-amount-invalid`, `crdt-rights-insufficient`
	 */
	transfer(to: ReplicaId, amount: number): void {
		if (!isReplicaId(to) || to === this.core.replica) {
			throw amountInvalid({ amount, expected: "a transfer to another replica" });
		}
		this.#requireRights(amount);
		this.#add(`${this.core.replica}${ARROW}${to}`, amount);
	}

	#requireRights(amount: number): void {
		requireAmount(amount);
		const available = this.rights();
		if (amount > available) throw rightsInsufficient({ wanted: amount, available });
	}

	#add(key: string, amount: number): void {
		const total = this.#total(key) + amount;
		if (!Number.isSafeInteger(total)) {
			throw amountInvalid({ amount, expected: "an amount that keeps the total a safe integer" });
		}
		this.core.own.entry(this.container, key, total, supersededBy(this.container.entries.get(key)));
	}

	#total(key: string): number {
		return amountOf(this.container.entries.get(key)?.value);
	}
}

/** What all have added, less what all have spent. */
export function boundedValue(container: Container): number {
	let value = 0;
	for (const [key, entry] of container.entries) {
		const cut = key.indexOf(ARROW);
		if (cut < 0) value -= amountOf(entry.value);
		else if (key.slice(0, cut) === key.slice(cut + 1)) value += amountOf(entry.value);
	}
	return value;
}
