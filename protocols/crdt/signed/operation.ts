/**
 * A signed operation: one update, named by the hash of itself and of what its author had seen. Whoever has an operation has, by these
 * hashes, all that came before it, and its author can not say something else about that later (Kleppmann, "Making CRDTs Byzantine
 * fault tolerant", PaPoC 2022, §3).
 */
import type { CryptoPort, NodeId } from "../../core/index.ts";
import { isNodeId } from "../../core/index.ts";
import { ByteReader } from "../encoding/byte-reader.ts";
import { ByteWriter } from "../encoding/byte-writer.ts";
import { operationInvalid } from "../errors.ts";

/** The hash of an operation, in hexadecimal. */
export type OperationId = string;

export interface SignedOperation {
	readonly id: OperationId;
	readonly author: NodeId;
	/** Its author's operation before it; null for the first. */
	readonly previous: OperationId | null;
	/** Operations that its author had applied and that none of the others had before them, ascending. */
	readonly dependencies: readonly OperationId[];
	/** An update of `CrdtDocument`. */
	readonly update: Uint8Array;
	/** The author's, on everything above. */
	readonly signature: Uint8Array;
}

/** Operations that one names; a group has no more heads than members, but for those of liars. */
export const DEPENDENCIES_MAX = 256;
const HASH_BYTES_MAX = 64;
/** What is signed begins with this, so that a signature for another purpose is none here. */
const PURPOSE = "quorate-crdt-operation-1";

export function signOperation(
	crypto: CryptoPort,
	content: Pick<SignedOperation, "author" | "previous" | "dependencies" | "update">,
): SignedOperation {
	const body = encodeBody(content);
	return { ...content, id: hex(crypto.digest(body)), signature: crypto.sign(body) };
}

export function encodeOperation(operation: SignedOperation): Uint8Array {
	const writer = new ByteWriter();
	writer.sized(encodeBody(operation));
	writer.sized(operation.signature);
	return writer.take();
}

/**
 * Reads an operation and checks that its author has signed it.
 * @throws QuorateError `crdt-update-damaged`, `crdt-operation-invalid`
 */
export function decodeOperation(crypto: CryptoPort, bytes: Uint8Array): SignedOperation {
	const outer = new ByteReader(bytes);
	const body = outer.sized().slice();
	const signature = outer.sized().slice();
	outer.end();
	const reader = new ByteReader(body);
	const purpose = reader.text();
	const author = reader.text();
	if (purpose !== PURPOSE || !isNodeId(author)) throw operationInvalid({ author, reason: "it is no operation" });
	const previous = readHash(reader);
	const count = reader.count();
	if (count > DEPENDENCIES_MAX)
		throw operationInvalid({ author, reason: `it names more than ${DEPENDENCIES_MAX} others` });
	const dependencies = Array.from({ length: count }, () => readHash(reader) ?? "");
	const update = reader.sized().slice();
	reader.end();
	const isAscending = dependencies.every((id, at) => id !== "" && (at === 0 || dependencies[at - 1]! < id));
	if (!isAscending) throw operationInvalid({ author, reason: "what it names is not in order" });
	if (!crypto.verify(author, body, signature))
		throw operationInvalid({ author, reason: "its author has not signed it" });
	return { id: hex(crypto.digest(body)), author, previous, dependencies, update, signature };
}

function encodeBody({
	author,
	previous,
	dependencies,
	update,
}: Pick<SignedOperation, "author" | "previous" | "dependencies" | "update">): Uint8Array {
	const writer = new ByteWriter();
	writer.text(PURPOSE);
	writer.text(author);
	writeHash(writer, previous);
	writer.varint(dependencies.length);
	for (const id of dependencies) writeHash(writer, id);
	writer.sized(update);
	return writer.take();
}

function writeHash(writer: ByteWriter, id: OperationId | null): void {
	writer.sized(id === null ? new Uint8Array(0) : unhex(id));
}

function readHash(reader: ByteReader): OperationId | null {
	const bytes = reader.sized();
	if (bytes.length > HASH_BYTES_MAX) throw reader.damaged("a hash too long");
	return bytes.length === 0 ? null : hex(bytes);
}

function hex(bytes: Uint8Array): string {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unhex(text: string): Uint8Array {
	return Uint8Array.from({ length: text.length / 2 }, (_unused, at) =>
		Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
	);
}
