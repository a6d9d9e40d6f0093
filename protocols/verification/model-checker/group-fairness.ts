/** What is fair in a group: every timer of every member, every member's disk, and every single message under way. */
import type { NodeId, ProtocolTypes } from "../../core/index.ts";
import { ARGUMENT_MASK, KIND, KIND_SHIFT, positionOf } from "./group-action.ts";
import type { GroupParts } from "./group-parts.ts";
import type { LivenessView } from "./state-space.ts";

export class GroupFairness<P extends ProtocolTypes, View> implements LivenessView {
	readonly isRecurrent = true;
	readonly #parts: GroupParts<P, View>;
	readonly #nodes: readonly NodeId[];
	readonly #ensembleAt: number;

	constructor(parts: GroupParts<P, View>, nodes: readonly NodeId[], ensembleAt: number) {
		this.#parts = parts;
		this.#nodes = nodes;
		this.#ensembleAt = ensembleAt;
	}

	holds(property: number, words: Uint32Array, at: number): boolean {
		return this.#parts.ensemble.isHolding(words[at + this.#ensembleAt]!, property);
	}

	/** Disks, then timers by member, then messages. */
	get fairClasses(): readonly string[] {
		const { table } = this.#parts;
		return [
			...this.#nodes.map((node) => `${node}: disk`),
			...this.#nodes.flatMap((node) => table.timers.map((timer) => `${node}: ${timer}`)),
			...Array.from({ length: table.messages.size }, (_, message) => table.describeMessage(message)),
		];
	}

	fairClassOf(action: number): number {
		const argument = action & ARGUMENT_MASK;
		const members = this.#nodes.length;
		const timers = this.#parts.table.timers.length;
		switch (action >>> KIND_SHIFT) {
			case KIND.disk:
				return positionOf(action);
			case KIND.timer:
				return members + positionOf(action) * timers + argument;
			case KIND.deliver:
				return members + members * timers + argument;
			default:
				return -1;
		}
	}
}
