/** What the entries of each type may hold: what comes from outside is checked before it is applied. */

import type { Stamp } from "../causality/hybrid-clock.ts";
import { isReplicaId } from "../causality/replica.ts";
import type { Container } from "../document/container.ts";
import type { ByteReader } from "../encoding/byte-reader.ts";
import type { Value } from "../encoding/value.ts";
import { isElementKey } from "./element.ts";

/** The entry of a last-writer-wins register: `[milliseconds, counter, value]`. */
export type StampedValue = readonly [number, number, Value];

/** @throws QuorateError `crdt-update-damaged` for a value that the container's type does not write */
export function checkEntryValue(reader: ByteReader, container: Container, key: string, value: Value): void {
	if (!accepts(container, key, value)) throw reader.damaged(`no entry of a ${container.type}`);
}

function accepts({ type, inMap }: Container, key: string, value: Value): boolean {
	switch (type) {
		case "g-counter":
			return isReplicaId(key) && isAmount(value, inMap) && amountOf(value) >= 0;
		case "pn-counter":
			return isReplicaId(key) && isAmount(value, inMap);
		case "bounded-counter":
			return Number.isSafeInteger(value) && (value as number) >= 0;
		case "enable-wins-flag":
		case "disable-wins-flag":
			return key === "" && typeof value === "boolean";
		case "lww-register":
			return key === "" && stampOf(value) !== null;
		case "mv-register":
			return key === "";
		case "add-wins-set":
			return value === true && isElementKey(key);
		case "remove-wins-set":
			return typeof value === "boolean" && isElementKey(key);
		case "text":
		case "list":
			return false;
	}
}

function isAmount(value: Value, inMap: boolean): boolean {
	if (Number.isSafeInteger(value)) return true;
	return inMap && Array.isArray(value) && value.length === 2 && value.every((item) => Number.isSafeInteger(item));
}

/** The amount of a counter's entry: a number, or `[amount, entries]` if entries that every replica has seen were folded. */
export function amountOf(value: Value | undefined): number {
	return typeof value === "number" ? value : Array.isArray(value) ? (value[0] as number) : 0;
}

/** How many entries a counter's entry stands for. */
export function foldedOf(value: Value | undefined): number {
	return Array.isArray(value) ? (value[1] as number) : 1;
}

/** The stamp of a last-writer-wins entry; null if the value is none. */
export function stampOf(value: Value | undefined): Stamp | null {
	if (!Array.isArray(value) || value.length !== 3) return null;
	const [ms, counter] = value as [Value, Value, Value];
	if (!Number.isSafeInteger(ms) || !Number.isSafeInteger(counter)) return null;
	return (ms as number) >= 0 && (counter as number) >= 0 ? { ms: ms as number, counter: counter as number } : null;
}
