/** Tells a thread that died from a command that kills every thread that applies it: a loop, a full heap, an exit. */
import type { NodeId, QuorateError } from "../../protocols/core/index.ts";
import type { ThreadEnd } from "../../runtime/actor/index.ts";
import * as errors from "./errors.ts";

/**
 * So many threads of one member may end at the same command, one after the other. The log brings it back to each next one, so
 * nothing else would end that; a thread that ended there by chance gets past it at the second time.
 */
export const APPLY_DEATHS_MAX = 3;

/** Counts, for each member, the threads in sequence that ended while they applied the same command. */
export class ApplyWatch {
	readonly #applyingIndexOf: (node: NodeId) => number;
	readonly #deaths = new Map<NodeId, { readonly index: number; readonly count: number }>();

	/** @param applyingIndexOf the command a member's thread was applying when it ended; 0 if none */
	constructor(applyingIndexOf: (node: NodeId) => number) {
		this.#applyingIndexOf = applyingIndexOf;
	}

	/** A member's thread has ended; why the group can not go on, if it can not. */
	ended(node: NodeId, { cause }: ThreadEnd): QuorateError | null {
		// Somebody wanted it so: the command has nothing to do with it.
		if (cause === "killed") return null;
		const index = this.#applyingIndexOf(node);
		if (index === 0) return null;
		const before = this.#deaths.get(node);
		const count = before?.index === index ? before.count + 1 : 1;
		this.#deaths.set(node, { index, count });
		return count < APPLY_DEATHS_MAX ? null : errors.commandFatal({ node, index, deaths: count, cause });
	}
}
