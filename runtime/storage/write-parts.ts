/** Cuts a write into operations that fit in messages, and joins nothing: the actor performs the parts as one write. */
import type { StoreOperation } from "./contract.ts";
import { STORAGE_MESSAGE_BYTES } from "./limits.ts";
import { OPERATION_OVERHEAD_BYTES, operationBytes, RECORD_OVERHEAD_BYTES } from "./messages.ts";

/** The operations in order, in one or more parts of about {@link STORAGE_MESSAGE_BYTES}; a long append is cut between records. */
export function cutIntoParts(operations: readonly StoreOperation[]): readonly (readonly StoreOperation[])[] {
	const parts: StoreOperation[][] = [];
	let part: StoreOperation[] = [];
	let partBytes = 0;
	for (const piece of operations.flatMap(cutAppend)) {
		const bytes = operationBytes(piece);
		if (part.length > 0 && partBytes + bytes > STORAGE_MESSAGE_BYTES) {
			parts.push(part);
			part = [];
			partBytes = 0;
		}
		part.push(piece);
		partBytes += bytes;
	}
	parts.push(part);
	return parts;
}

function cutAppend(operation: StoreOperation): StoreOperation | readonly StoreOperation[] {
	if (operation.type !== "append" || operationBytes(operation) <= STORAGE_MESSAGE_BYTES) return operation;
	const { firstIndex, records } = operation;
	const pieces: StoreOperation[] = [];
	let from = 0;
	let bytes = OPERATION_OVERHEAD_BYTES;
	for (let i = 0; i < records.length; i++) {
		const recordBytes = RECORD_OVERHEAD_BYTES + (records[i]?.length ?? 0);
		if (i > from && bytes + recordBytes > STORAGE_MESSAGE_BYTES) {
			pieces.push({ type: "append", firstIndex: firstIndex + from, records: records.slice(from, i) });
			from = i;
			bytes = OPERATION_OVERHEAD_BYTES;
		}
		bytes += recordBytes;
	}
	pieces.push({ type: "append", firstIndex: firstIndex + from, records: records.slice(from) });
	return pieces;
}
