/**
 * Members through which a restarted member finds the others again: a few that are there, replaced when they go. The last ones are
 * kept even when they are gone, since an old way back is better than none.
 */
import type { NodeId } from "../../protocols/core/index.ts";

/** Contacts that are kept. */
export const CONTACTS_MAX = 8;

export class MemberContacts {
	#nodes: readonly NodeId[];

	/** @param nodes what a former life had */
	constructor(nodes: readonly NodeId[]) {
		this.#nodes = nodes.slice(0, CONTACTS_MAX);
	}

	get nodes(): readonly NodeId[] {
		return this.#nodes;
	}

	/** Somebody is there; whether that makes a difference. */
	join(node: NodeId): boolean {
		if (this.#nodes.includes(node) || this.#nodes.length >= CONTACTS_MAX) return false;
		this.#nodes = [...this.#nodes, node];
		return true;
	}

	/** Somebody is gone, and these are there; whether that makes a difference. */
	leave(node: NodeId, present: () => readonly NodeId[]): boolean {
		if (!this.#nodes.includes(node)) return false;
		const others = this.#nodes.filter((other) => other !== node);
		const replacement = present().find((other) => other !== node && !others.includes(other));
		if (replacement !== undefined) this.#nodes = [...others, replacement];
		else if (others.length > 0) this.#nodes = others;
		else return false;
		return true;
	}
}
