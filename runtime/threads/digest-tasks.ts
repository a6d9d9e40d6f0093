/** Compute tasks that hash: verifying a file or a batch of byte strings without holding up an actor's thread. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { ComputeTask } from "./pool.ts";

/** What {@link digestFileTask} found. */
export interface FileDigest {
	/** SHA-256, 64 hex digits. */
	readonly sha256: string;
	readonly sizeBytes: number;
}

/** The task that hashes the file at an absolute path; its result is a {@link FileDigest}. */
export function digestFileTask(path: string): ComputeTask {
	return { module: import.meta.url, export: "digestFile", args: path };
}

/** The task that hashes each of many byte strings; its result is one 32-byte SHA-256 after the other. */
export function digestBatchTask(batch: readonly Uint8Array[]): ComputeTask {
	return { module: import.meta.url, export: "digestBatch", args: batch };
}

export async function digestFile(path: string): Promise<FileDigest> {
	const hash = createHash("sha256");
	let sizeBytes = 0;
	for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
		hash.update(chunk);
		sizeBytes += chunk.length;
	}
	return { sha256: hash.digest("hex"), sizeBytes };
}

export function digestBatch(batch: readonly Uint8Array[]): Uint8Array {
	const digests = new Uint8Array(batch.length * 32);
	batch.forEach((bytes, index) => {
		digests.set(createHash("sha256").update(bytes).digest(), index * 32);
	});
	return digests;
}
