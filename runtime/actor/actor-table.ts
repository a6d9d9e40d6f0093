/** The actors of one kernel, and the last of those that were. */
import { type Address, addressText, sameAddress, type ThreadSlot } from "./address.ts";
import type { Cell } from "./cell.ts";
import type { LifeCycle } from "./life-cycle.ts";
import type { ActorInspection, LostMessages } from "./ports.ts";
import type { StopReason } from "./signal.ts";

/** Ended actors whose reason is remembered, for those who ask too late. */
export const ENDED_REMEMBERED = 1024;

export class ActorTable {
	readonly #slot: ThreadSlot;
	readonly #lives = new Map<number, LifeCycle>();
	/** Oldest first. */
	readonly #ended = new Map<string, StopReason>();

	constructor(slot: ThreadSlot) {
		this.#slot = slot;
	}

	add(life: LifeCycle): void {
		this.#lives.set(life.cell.address.actor, life);
	}

	/** The life at an address; null if that incarnation is not alive here. */
	lifeAt(address: Address): LifeCycle | null {
		if (address.slot !== this.#slot) return null;
		const life = this.#lives.get(address.actor);
		return life !== undefined && sameAddress(life.cell.address, address) ? life : null;
	}

	cellAt(address: Address): Cell | null {
		return this.lifeAt(address)?.cell ?? null;
	}

	/** The actor has ended for good. */
	remove(address: Address, reason: StopReason): void {
		this.#lives.delete(address.actor);
		this.#ended.set(addressText(address), reason);
		if (this.#ended.size <= ENDED_REMEMBERED) return;
		const [oldest] = this.#ended.keys();
		if (oldest !== undefined) this.#ended.delete(oldest);
	}

	/** Why it ended; null when nobody remembers, or it never lived. */
	endOf(address: Address): StopReason | null {
		return this.#ended.get(addressText(address)) ?? null;
	}

	/** What would be lost with this thread now. */
	holdings(): readonly LostMessages[] {
		return [...this.#lives.values()]
			.map(({ cell }) => ({ actor: cell.address.actor, messages: cell.holds }))
			.filter(({ messages }) => messages > 0);
	}

	inspection(): readonly ActorInspection[] {
		return [...this.#lives.values()].map(({ cell }) => ({
			address: cell.address,
			name: cell.name,
			state: cell.state === "ended" ? "stopping" : cell.state,
			waiting: cell.mailbox.waiting,
			stashed: cell.mailbox.stashed,
			handled: cell.handled,
			restarts: cell.restarts,
		}));
	}
}
