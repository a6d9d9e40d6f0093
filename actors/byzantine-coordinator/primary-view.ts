/** Which view the group is in, from what members say of themselves: f of them may say anything. */
import type { NodeId } from "../../protocols/core/index.ts";
import type { Primacy } from "./contract.ts";

export class PrimaryView {
	readonly #members: readonly NodeId[];
	readonly #faults: number;
	readonly #views = new Map<NodeId, number>();
	#view = 0;

	/** @param members in code-unit order */
	constructor(members: readonly NodeId[], faults: number) {
		this.#members = members;
		this.#faults = faults;
	}

	get present(): Primacy {
		return { primary: this.#members[this.#view % this.#members.length] as NodeId, view: this.#view };
	}

	/** A member says that it has entered a view. Returns the primacy if f + 1 members are now in a later view. */
	entered(member: NodeId, view: number): Primacy | null {
		if (!this.#members.includes(member) || !Number.isSafeInteger(view) || view < 0) return null;
		this.#views.set(member, view);
		const views = [...this.#views.values()].sort((a, b) => b - a);
		// Of f + 1 members at least one is correct.
		const reached = views[this.#faults] ?? 0;
		if (reached <= this.#view) return null;
		this.#view = reached;
		return this.present;
	}
}
