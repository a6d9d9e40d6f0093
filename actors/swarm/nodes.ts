/** The members of a group, from what the user said. */
import { compareIds, type NodeId, nodeId } from "../../protocols/core/index.ts";
import { NODES_MAX } from "./contract.ts";
import * as errors from "./errors.ts";
import { described } from "./given-options.ts";

/** Members in code-unit order, and what should be said about their number. */
export interface Membership {
	readonly nodes: readonly NodeId[];
	readonly notes: readonly string[];
}

/**
 * Checks a count or a list of names.
 * @throws QuorateError `node-count-invalid`, or `invalid-argument` for a name with other characters
 */
export function membershipOf(nodes: number | readonly string[]): Membership {
	if (typeof nodes !== "number" && !Array.isArray(nodes)) {
		const reason = "a whole number or a list of names is expected";
		throw errors.nodeCountInvalid({ nodes: described(nodes), limit: NODES_MAX, reason });
	}
	const ids = typeof nodes === "number" ? numbered(nodes) : named(nodes);
	return { nodes: [...ids].sort(compareIds), notes: notesOn(ids.length) };
}

function numbered(count: number): NodeId[] {
	const refuse = (reason: string): Error => errors.nodeCountInvalid({ nodes: String(count), limit: NODES_MAX, reason });
	if (!Number.isInteger(count)) throw refuse("not a whole number");
	if (count < 1) throw refuse("nobody would be left to decide");
	if (count > NODES_MAX) throw refuse("each member has a thread of its own");
	return Array.from({ length: count }, (_, position) => nodeId(`node-${position + 1}`));
}

function named(names: readonly string[]): NodeId[] {
	const refuse = (reason: string): Error =>
		errors.nodeCountInvalid({ nodes: described(names), limit: NODES_MAX, reason });
	if (names.length === 0) throw refuse("nobody would be left to decide");
	if (names.length > NODES_MAX) throw refuse("each member has a thread of its own");
	const ids = names.map(nodeId);
	const twice = ids.find((id, position) => ids.indexOf(id) !== position);
	if (twice !== undefined) throw refuse(`${twice} is listed twice`);
	return ids;
}

function notesOn(count: number): string[] {
	if (count % 2 === 1) return count === 1 ? ["1 member tolerates no failure"] : [];
	const tolerated = count / 2 - 1;
	const failures = tolerated === 1 ? "1 failure" : `${tolerated} failures`;
	return [`${count} members tolerate ${failures}, no more than ${count - 1} would: prefer an odd number`];
}
