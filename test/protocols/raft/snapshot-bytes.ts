/** An applier's snapshot as bytes, and back, for hosts of bare machines. */
import type { ApplierSnapshot } from "../../../protocols/raft/index.ts";

export function encodeSnapshot(snapshot: ApplierSnapshot): Uint8Array {
	const asText = (_key: string, value: unknown): unknown =>
		value instanceof Uint8Array ? { bytes: Array.from(value) } : value;
	return new TextEncoder().encode(JSON.stringify(snapshot, asText));
}
export function decodeSnapshot(bytes: Uint8Array): ApplierSnapshot {
	const asBytes = (_key: string, value: unknown): unknown =>
		typeof value === "object" && value !== null && "bytes" in value
			? Uint8Array.from((value as { bytes: number[] }).bytes)
			: value;
	return JSON.parse(new TextDecoder().decode(bytes), asBytes) as ApplierSnapshot;
}
