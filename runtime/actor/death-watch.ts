/** Who hears of whose end, and when: watching over threads that come and go. */
import { type Address, addressText, type ThreadSlot } from "./address.ts";
import type { Cell } from "./cell.ts";
import { Notice } from "./entry.ts";
import { HeldNotices } from "./held-notices.ts";
import type { KernelPost } from "./kernel-post.ts";
import type { Transport } from "./ports.ts";
import type { ActorRef } from "./ref.ts";
import type { StopReason } from "./signal.ts";
import { WatchTable } from "./watches.ts";

/** What watching needs of its kernel. */
export interface DeathWatchHost {
	readonly transport: Transport;
	readonly post: KernelPost;
	cellAt(address: Address): Cell | null;
	endOf(address: Address): StopReason | null;
	ref(address: Address, name: string | null, owner: Cell | null, protocol: string | null): ActorRef;
}

/**
 * A watch is known in two places: the watcher's kernel knows who watches, and outlives the target's thread; the target's
 * kernel knows only which slots to tell. When the target's thread is replaced its new kernel is told again.
 */
export class DeathWatch {
	readonly #host: DeathWatchHost;
	readonly #slot: ThreadSlot;
	readonly #watches = new WatchTable();
	readonly #held: HeldNotices;

	constructor(host: DeathWatchHost) {
		this.#host = host;
		this.#slot = host.transport.slot;
		this.#held = new HeldNotices(host.transport);
	}

	get held(): HeldNotices {
		return this.#held;
	}

	watch(watcher: Cell, { address, name }: ActorRef, link: boolean): void {
		if (!this.#watches.add(watcher, address, name, link)) return;
		if (address.slot === this.#slot) {
			this.watchedFrom(address, this.#slot);
		} else if (this.#host.post.signal(address.slot, { type: "watch", target: address }) === "dead") {
			this.#tell(address, name, { type: "normal" });
		}
	}

	unwatch(watcher: Cell, target: Address): void {
		if (this.#watches.remove(watcher, target)) this.#sendUnwatch(target);
	}

	/** Somebody in that slot watches an actor of this thread; a dead one is answered at once. */
	watchedFrom(target: Address, slot: ThreadSlot): void {
		const cell = this.#host.cellAt(target);
		if (cell !== null) cell.watcherSlots.add(slot);
		else this.#announce(slot, target, addressText(target), this.#host.endOf(target) ?? { type: "normal" });
	}

	/** Nobody in that slot watches the actor any more. */
	unwatchedFrom(target: Address, slot: ThreadSlot): void {
		this.#host.cellAt(target)?.watcherSlots.delete(slot);
	}

	/** An actor of this thread has ended: it watches nobody any more, and who watched it is told. */
	ended(cell: Cell, reason: StopReason): void {
		const { address, name, watcherSlots } = cell;
		for (const target of this.#watches.removeAll(cell)) this.#sendUnwatch(target);
		for (const slot of watcherSlots) this.#announce(slot, address, name, reason);
	}

	/** News of an end: the watchers here are told once all is drained that the dead actor's thread had sent before. */
	terminated(target: Address, name: string, reason: StopReason, through: number): void {
		this.#held.hold(target.slot, through, () => this.#tell(target, name, reason));
	}

	/** A new thread, which knows nothing of who watches its actors. */
	threadReplaced(slot: ThreadSlot): void {
		for (const { address } of this.#watches.targetsIn(slot)) {
			this.#host.post.signal(slot, { type: "watch", target: address });
		}
	}

	/** Nothing of that slot comes back, and nobody knows more. */
	slotGone(slot: ThreadSlot): void {
		for (const { address, name } of this.#watches.targetsIn(slot)) this.#tell(address, name, { type: "normal" });
	}

	#sendUnwatch(target: Address): void {
		if (target.slot === this.#slot) this.unwatchedFrom(target, this.#slot);
		else this.#host.post.signal(target.slot, { type: "unwatch", target });
	}

	#announce(slot: ThreadSlot, target: Address, name: string, reason: StopReason): void {
		if (slot === this.#slot) {
			this.#tell(target, name, reason);
			return;
		}
		const through = this.#host.transport.sentThrough(slot);
		this.#host.post.signal(slot, { type: "terminated", target, name, reason, through });
	}

	/** Each watcher gets its one notice, in its place among the messages it has received. */
	#tell(target: Address, name: string, reason: StopReason): void {
		for (const [watcher, watch] of this.#watches.take(target)) {
			const ref = this.#host.ref(target, name, watcher, null);
			watcher.acceptInOrder(new Notice({ type: "terminated", ref, reason }, watch, null));
		}
	}
}
