/**
 * Numbers for members, so that tables about them are packed arrays. Many machines of one process may share a directory: a
 * thousand of them then keep one map of names instead of a thousand. No decision depends on the numbers, only on names and
 * on the order in which a machine itself has met them.
 */
import { assert, must, type NodeId } from "../../core/index.ts";
import type { MemberUpdate } from "./messages.ts";

export class MemberDirectory {
	readonly #slots = new Map<NodeId, number>();
	readonly #ids: (NodeId | null)[] = [];
	/** How many tables use a slot; one that nobody uses is given away again. */
	readonly #users: number[] = [];
	readonly #free: number[] = [];
	/** The last plain statement of each that was asked for: exchanges of whole states ask for all, again and again. */
	readonly #statements: (MemberUpdate | undefined)[] = [];

	/** Slots there are, those that are free included; each is below it. */
	get slots(): number {
		return this.#ids.length;
	}

	/** The slot of a member, or −1 if no table has it. */
	find(id: NodeId): number {
		return this.#slots.get(id) ?? -1;
	}

	/** Takes the slot of a member, for one table. */
	acquire(id: NodeId): number {
		let slot = this.find(id);
		if (slot < 0) {
			slot = this.#free.pop() ?? this.#ids.length;
			this.#slots.set(id, slot);
			this.#ids[slot] = id;
			this.#users[slot] = 0;
		}
		this.#users[slot] = must(this.#users[slot], "a slot has a count") + 1;
		return slot;
	}

	/** Gives it back. */
	release(slot: number): void {
		const users = must(this.#users[slot], "a slot has a count") - 1;
		assert(users >= 0, "a slot is given back as often as it was taken");
		this.#users[slot] = users;
		if (users > 0) return;
		this.#slots.delete(this.idOf(slot));
		this.#ids[slot] = null;
		this.#statements[slot] = undefined;
		this.#free.push(slot);
	}

	/** That the member lives, at this incarnation; without tags and signature. */
	statementAt(slot: number, incarnation: number): MemberUpdate {
		const last = this.#statements[slot];
		if (last !== undefined && last.incarnation === incarnation) return last;
		const made = plainStatement(this.idOf(slot), incarnation);
		this.#statements[slot] = made;
		return made;
	}

	idOf(slot: number): NodeId {
		const id = this.#ids[slot];
		assert(id !== undefined && id !== null, "the slot is taken", { slot });
		return id;
	}
}

const NO_BYTES = new Uint8Array(0);

/** What a member says of itself that has no tags and does not sign. */
export function plainStatement(id: NodeId, incarnation: number): MemberUpdate {
	return { kind: "alive", node: id, incarnation, by: id, tags: NO_BYTES, signature: NO_BYTES };
}
