/**
 * The main thread's list of all lanes. A lane is made by the thread that first needs to send on it, announced here,
 * handed to its consumer and kept: the list is what lets a lane outlive both of its threads.
 */
import type { ThreadSlot } from "../actor/address.ts";
import type { LaneKind } from "../actor/ports.ts";
import { LaneReader, laneStatus } from "../memory/index.ts";
import type { LaneGrant } from "./thread-orders.ts";

export class LaneExchange {
	/** By pair and kind: the lanes that may still hold records, oldest first; the last one is being written. */
	readonly #lanes = new Map<string, LaneGrant[]>();
	readonly #deliver: (to: ThreadSlot, grant: LaneGrant) => void;
	readonly #dropped: (sizeBytes: number) => void;

	/**
	 * @param deliver hands a new lane to its consumer, if that thread lives
	 * @param dropped hears how many bytes an emptied, replaced lane gave back
	 */
	constructor(deliver: (to: ThreadSlot, grant: LaneGrant) => void, dropped: (sizeBytes: number) => void) {
		this.#deliver = deliver;
		this.#dropped = dropped;
	}

	/** Takes a lane that its producer has made. */
	add(grant: LaneGrant): void {
		const key = keyOf(grant.from, grant.to, grant.kind);
		const chain = this.#prune(key);
		chain.push(grant);
		this.#lanes.set(key, chain);
		this.#deliver(grant.to, grant);
	}

	/** The lanes from and to a slot, for the thread that takes it over. */
	of(slot: ThreadSlot): readonly LaneGrant[] {
		const found: LaneGrant[] = [];
		for (const key of [...this.#lanes.keys()]) {
			for (const grant of this.#prune(key)) if (grant.from === slot || grant.to === slot) found.push(grant);
		}
		return found;
	}

	/** The lane that is being written. */
	current(from: ThreadSlot, to: ThreadSlot, kind: LaneKind): LaneGrant | null {
		return this.#lanes.get(keyOf(from, to, kind))?.at(-1) ?? null;
	}

	/** Empties the user lanes to a slot whose thread is dead; returns how many records they still held. */
	discardInbound(slot: ThreadSlot): number {
		let records = 0;
		for (const chain of this.#lanes.values()) {
			for (const grant of chain) {
				if (grant.to !== slot) continue;
				const reader = new LaneReader(grant.lane);
				const discarded = reader.drain(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, () => "next");
				reader.freeTaken();
				if (grant.kind === "user") records += discarded;
			}
		}
		return records;
	}

	/** A replaced lane that is empty will never be written again. */
	#prune(key: string): LaneGrant[] {
		const chain = this.#lanes.get(key) ?? [];
		while (chain.length > 1) {
			const oldest = chain[0] as LaneGrant;
			if (laneStatus(oldest.lane).heldBytes > 0) break;
			chain.shift();
			this.#dropped(oldest.lane.byteLength);
		}
		return chain;
	}
}

function keyOf(from: ThreadSlot, to: ThreadSlot, kind: LaneKind): string {
	return `${from}>${to}/${kind}`;
}
