/** The names of nodes inside plain data, exchanged for others. */
import type { NodeId } from "../../core/index.ts";

/** A copy of a value of plain data in which every node of `names` has its new name; keys of records and maps too. */
export function renameNodes<Value>(value: Value, names: ReadonlyMap<NodeId, NodeId>): Value {
	return renamed(value, names) as Value;
}

function renamed(value: unknown, names: ReadonlyMap<NodeId, NodeId>): unknown {
	if (typeof value === "string") return names.get(value as NodeId) ?? value;
	if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
	if (Array.isArray(value)) return value.map((item) => renamed(item, names));
	if (value instanceof Set) return new Set([...value].map((item) => renamed(item, names)));
	const pair = ([key, item]: readonly [unknown, unknown]): [unknown, unknown] => [
		renamed(key, names),
		renamed(item, names),
	];
	if (value instanceof Map) return new Map([...value].map(pair));
	return Object.fromEntries(Object.entries(value).map(pair));
}
