/** Who is convicted: what members tell is evidence only after it was checked here, with the members' keys. */
import type { NodeId } from "../../protocols/core/index.ts";
import {
	type Conflict,
	type Evidence,
	type ViewChangeContext,
	verifyConflict,
	verifyEvidence,
} from "../../protocols/pbft/index.ts";
import type { Conviction } from "./contract.ts";

export class Convictions {
	readonly #context: ViewChangeContext;
	/** The first proof against each; at most as many as there are members. */
	readonly #convicted = new Map<NodeId, Conviction>();
	/** Evidence that did not hold, by who told it. */
	readonly #falseAccusations = new Map<NodeId, number>();

	constructor(context: ViewChangeContext) {
		this.#context = context;
	}

	/** Takes what a member tells; the conviction, if it is a new one and the evidence holds. */
	told(toldBy: NodeId, evidence: Evidence, atMs: number): Conviction | null {
		const { culprit } = evidence;
		if (this.#convicted.has(culprit)) return null;
		if (!this.#holds(evidence)) {
			this.#falseAccusations.set(toldBy, (this.#falseAccusations.get(toldBy) ?? 0) + 1);
			return null;
		}
		const conviction = { culprit, evidence, atMs, toldBy };
		this.#convicted.set(culprit, conviction);
		return conviction;
	}

	/** Who signed both of two decisions of one slot; null if that is not what these are. */
	conflict(conflict: Conflict): readonly NodeId[] | null {
		try {
			return verifyConflict(conflict, this.#context);
		} catch {
			return null;
		}
	}

	get all(): readonly Conviction[] {
		return [...this.#convicted.values()];
	}

	/** How often each member has told evidence that proves nothing. */
	get falseAccusations(): ReadonlyMap<NodeId, number> {
		return this.#falseAccusations;
	}

	/** Whoever tells may be the liar, and tell something that is not even evidence. */
	#holds(evidence: Evidence): boolean {
		try {
			return verifyEvidence(evidence, this.#context);
		} catch {
			return false;
		}
	}
}
