/**
 * Identifiers that more than one room speaks of. They are branded, so that one can not be passed for another;
 * the brand exists at compile time only.
 */
import { invalidArgument } from "./errors.ts";

declare const brand: unique symbol;
/** A value of type `T` that is not interchangeable with other `T`s. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Names one member of a group: 1 to {@link NODE_ID_LENGTH_MAX} characters of `A-Z a-z 0-9 . _ -`. */
export type NodeId = Brand<string, "NodeId">;
/** Names one group of participants that agree with each other; same characters as a {@link NodeId}. */
export type GroupId = Brand<string, "GroupId">;

export const NODE_ID_LENGTH_MAX = 64;
const idPattern = /^[A-Za-z0-9._-]+$/;

/**
 * Checks and brands a node id.
 * @throws QuorateError `invalid-argument` if it is empty, too long or holds other characters.
 * @example nodeId("node-1")
 */
export function nodeId(text: string): NodeId {
	return checkId("node id", text) as NodeId;
}

/**
 * Checks and brands a list of node ids.
 * @param argument names the list in the error
 * @throws QuorateError `invalid-argument` if it is no list, or as {@link nodeId}
 */
export function nodeIds(argument: string, texts: readonly string[]): NodeId[] {
	if (Array.isArray(texts)) return texts.map(nodeId);
	throw invalidArgument({ argument, expected: "a list of node ids", actual: String(texts).slice(0, 80) });
}

/** Whether a value is a node id. */
export function isNodeId(value: unknown): value is NodeId {
	return typeof value === "string" && value.length <= NODE_ID_LENGTH_MAX && idPattern.test(value);
}

/**
 * Checks and brands a group id.
 * @throws QuorateError `invalid-argument`, as {@link nodeId}.
 */
export function groupId(text: string): GroupId {
	return checkId("group id", text) as GroupId;
}

function checkId(what: string, text: string): string {
	if (typeof text !== "string" || text.length > NODE_ID_LENGTH_MAX || !idPattern.test(text)) {
		throw invalidArgument({
			argument: what,
			expected: `1 to ${NODE_ID_LENGTH_MAX} characters of A-Z a-z 0-9 . _ -`,
			actual: String(text).slice(0, 80),
		});
	}
	return text;
}

/** Code-unit order: the one order of ids that every host computes alike (a locale's order is not). */
export function compareIds(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
