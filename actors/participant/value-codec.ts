/** Users' values at the edges of a group: commands, results, queries, answers and snapshots as bytes and back. */
import { QuorateError } from "../../protocols/core/index.ts";
import { RecordTable } from "../../runtime/codec/index.ts";

// No frozen shapes: these bytes outlive the process in logs and snapshots, so each value carries its own.
const table = new RecordTable([]);

/**
 * Encodes plain data: numbers, strings, booleans, null, byte arrays, arrays, records, maps and sets.
 * Throws for functions, symbols and cycles.
 */
export function encodeValue(value: unknown): Uint8Array {
	const { buffer, byteOffset, length } = table.pack(value);
	return new Uint8Array(buffer, byteOffset, length);
}

/**
 * Decodes the result of a command, which may be a value of any kind.
 * @throws QuorateError `result-too-large`, which travels as the result
 */
export function decodeResult(bytes: Uint8Array): unknown {
	const result = decodeValue(bytes);
	if (result instanceof QuorateError && result.code === "result-too-large") throw result;
	return result;
}

/**
 * Decodes an answer to a query.
 * @throws QuorateError `query-failed` or `result-too-large`, which travel as the answer
 */
export function decodeAnswer(bytes: Uint8Array): unknown {
	const answer = decodeValue(bytes);
	if (answer instanceof QuorateError) throw answer;
	return answer;
}

/** Decodes what {@link encodeValue} made. Throws when the bytes are something else. */
export function decodeValue(bytes: Uint8Array): unknown {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	return table.unpack(buffer, 0, buffer.length);
}
