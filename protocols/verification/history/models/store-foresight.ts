/**
 * What a whole history of a key-value store says about the order of its updates. Three conditions; where there is a
 * linearization at all, there is one that keeps them:
 *
 * 1. A list changes only at its end, or as a whole. So a read that shows `b`, which entered the list by one append and in
 *    no other way, shows before it exactly the list to which it was appended.
 * 2. A value that only one operation ever puts there does not come back. So it can not be replaced while an operation that
 *    needs it there has not even begun.
 * 3. Under a key that is only appended to, a value that the longest read does not show was appended after all that it
 *    shows, and after all reads. Where nothing else is in the partition, all values are different and no append was answered
 *    its length, the order of such appends shows nowhere: they take effect in the order of their ends, those of unknown
 *    outcome never.
 */
import { type Json, mapKey, sameJson } from "../json-value.ts";
import type { Foresight } from "../model.ts";
import type { Operation } from "../operation.ts";
import { EMPTY_HASH, emptyList, extendHash } from "../persistent-list.ts";
import { type Cell, cellOf, type StoreState } from "./store-state.ts";

/** One thing that an operation does to one key. */
interface Access {
	readonly operation: Operation;
	readonly key: string;
	readonly type: "read" | "append" | "write";
	/** What was read or written; of an append, what was added. */
	readonly value: Json | undefined;
	/** The first of its operation on this key: what is true before the operation is true before it. */
	readonly isFirst: boolean;
}

/** What a list must be like before an append. */
interface Precondition {
	readonly key: string;
	readonly lengthMin: number;
	readonly lengthMax: number;
	/** Null: any. */
	readonly hash: number | null;
}

export function foreseeStore(operations: readonly Operation[]): Foresight<StoreState> {
	const byKey = new Map<string, Access[]>();
	for (const access of operations.flatMap(accessesOf)) {
		const own = byKey.get(access.key);
		if (own === undefined) byKey.set(access.key, [access]);
		else own.push(access);
	}
	const preconditions = new Map<Operation, readonly Precondition[]>();
	const lastNeeds = new Map<string, ReadonlyMap<unknown, number>>();
	for (const [key, own] of byKey) {
		lastNeeds.set(key, lastNeedsOf(own));
		for (const [operation, precondition] of preconditionsOf(own, byKey.size === 1)) {
			preconditions.set(operation, [...(preconditions.get(operation) ?? []), precondition]);
		}
	}
	const isNeeded = (state: StoreState, key: string, now: number): boolean =>
		(lastNeeds.get(key)?.get(identityOf(cellOf(state, key))) ?? -1) > now;
	return (state, operation, now) => {
		const { steps, key } = operation;
		const replacesNeeded =
			steps === null
				? isNeeded(state, key, now)
				: steps.some((step) => step.op !== "get" && isNeeded(state, step.key, now));
		if (replacesNeeded) return false;
		return preconditions.get(operation)?.every((precondition) => isMet(precondition, state)) ?? true;
	};
}

function isMet({ key, lengthMin, lengthMax, hash }: Precondition, state: StoreState): boolean {
	const cell = cellOf(state, key);
	const list = cell === undefined ? emptyList : "list" in cell ? cell.list : null;
	if (list === null) return false;
	return list.length >= lengthMin && list.length <= lengthMax && (hash === null || hash === list.hash);
}

function accessesOf(operation: Operation): Access[] {
	const { op, key, steps, value, answer, outcome } = operation;
	if (steps === null) {
		if (op === "get") return outcome === "ok" ? [{ operation, key, type: "read", value: answer, isFirst: true }] : [];
		return [{ operation, key, type: op === "append" ? "append" : "write", value, isFirst: true }];
	}
	return steps.flatMap((step, at) => {
		if (step.op === "get" && outcome !== "ok") return [];
		const type = step.op === "get" ? "read" : step.op === "append" ? "append" : "write";
		const isFirst = steps.findIndex((other) => other.key === step.key) === at;
		return [{ operation, key: step.key, type, value: step.value, isFirst } as const];
	});
}

const NO_VALUE = "none";

/** What tells the values of a key apart for condition 2: a list by its last item, since only a change brings another. */
function identityOf(cell: Cell | undefined): unknown {
	if (cell === undefined) return NO_VALUE;
	if ("value" in cell) return `value ${String(mapKey(cell.value))} ${typeof cell.value}`;
	return cell.list.length === 0 ? NO_VALUE : listIdentity(cell.list.value);
}

function identityOfValue(value: Json | undefined): unknown {
	if (!Array.isArray(value)) return identityOf(value === undefined || value === null ? undefined : { value });
	return value.length === 0 ? NO_VALUE : listIdentity(value.at(-1) as Json);
}

function listIdentity(last: Json): string {
	return `list ${String(mapKey(last))} ${typeof last}`;
}

/** Of each value that does not come back: where the last operation that needs it begins. */
function lastNeedsOf(accesses: readonly Access[]): Map<unknown, number> {
	// Nothing stands there in the beginning.
	const installed = new Map<unknown, number>([[NO_VALUE, 1]]);
	const needs = new Map<unknown, number>();
	for (const { operation, type, value, isFirst } of accesses) {
		const needed = type === "read" ? (isFirst ? value : undefined) : neededBy(operation);
		if (needed !== undefined) {
			const identity = identityOfValue(needed);
			needs.set(identity, Math.max(needs.get(identity) ?? -1, operation.begin));
		}
		if (type === "read") continue;
		const identity = type === "append" ? listIdentity(value as Json) : identityOfValue(value);
		installed.set(identity, (installed.get(identity) ?? 0) + 1);
	}
	for (const identity of needs.keys()) if ((installed.get(identity) ?? 0) > 1) needs.delete(identity);
	return needs;
}

/** What an update has found, if its answer says so. */
function neededBy({ op, outcome, accepted, from, answer, steps }: Operation): Json | undefined {
	if (outcome !== "ok" || steps !== null || op === "append") return undefined;
	return op === "cas" && accepted === true ? from : answer;
}

function preconditionsOf(accesses: readonly Access[], isAlone: boolean): (readonly [Operation, Precondition])[] {
	const key = accesses[0]?.key ?? "";
	const writes = accesses.filter(({ type }) => type === "write");
	const appends = appendsByValue(accesses, writes);
	const reads = accesses
		.flatMap(({ type, value }) => (type === "read" && Array.isArray(value) ? [value as readonly Json[]] : []))
		.sort((a, b) => b.length - a.length);
	const longest = reads[0] ?? [];
	const found: (readonly [Operation, Precondition])[] = [];
	for (const list of reads) {
		if (list !== longest && list.every((value, at) => sameJson(value, longest[at]))) continue;
		let hash = EMPTY_HASH;
		for (const [length, value] of list.entries()) {
			const append = appends.get(mapKey(value));
			appends.delete(mapKey(value));
			if (append?.isFirst === true) found.push([append.operation, { key, lengthMin: length, lengthMax: length, hash }]);
			hash = extendHash(hash, value);
		}
	}
	if (writes.length > 0) return found;
	const unseen = [...appends.values()].filter(({ isFirst }) => isFirst).map(({ operation }) => operation);
	return [...found, ...unseenPreconditions(unseen, key, longest.length, isAlone && isOrderHidden(accesses))];
}

function unseenPreconditions(
	unseen: readonly Operation[],
	key: string,
	seen: number,
	isHidden: boolean,
): (readonly [Operation, Precondition])[] {
	if (!isHidden) {
		const behind = { key, lengthMin: seen, lengthMax: Number.POSITIVE_INFINITY, hash: null };
		return unseen.map((operation) => [operation, behind]);
	}
	const inOrder = unseen.filter(({ outcome }) => outcome === "ok").sort((a, b) => a.end - b.end);
	const never = { key, lengthMin: Number.POSITIVE_INFINITY, lengthMax: -1, hash: null };
	return [
		...inOrder.map((operation, at) => {
			const length = seen + at;
			return [operation, { key, lengthMin: length, lengthMax: length, hash: null }] as const;
		}),
		...unseen.filter(({ outcome }) => outcome !== "ok").map((operation) => [operation, never] as const),
	];
}

/** Only reads show the order of the appends: they are answered no lengths, and their values are all different. */
function isOrderHidden(accesses: readonly Access[]): boolean {
	const appends = accesses.filter(({ type }) => type === "append");
	const values = new Set(appends.map(({ value }) => mapKey(value as Json)));
	return (
		values.size === appends.length &&
		appends.every(({ operation }) => operation.answer === undefined && operation.steps === null)
	);
}

/** The appends of values that can have entered the key's list by that append only. */
function appendsByValue(accesses: readonly Access[], writes: readonly Access[]): Map<unknown, Access> {
	const appends = new Map<unknown, Access>();
	const ambiguous = new Set<unknown>();
	for (const access of accesses) {
		if (access.type !== "append") continue;
		const key = mapKey(access.value as Json);
		if (appends.has(key)) ambiguous.add(key);
		appends.set(key, access);
	}
	for (const { value } of writes) {
		if (Array.isArray(value)) for (const item of value as readonly Json[]) ambiguous.add(mapKey(item));
	}
	for (const key of ambiguous) appends.delete(key);
	return appends;
}
