/**
 * The states that a PBFT member can show parts of: those it has captured, in memory, and the one on its disk. What is being
 * received from others is gathered here too, and goes to the store only when it is complete: a store stages one snapshot at a time,
 * and a member that restarts begins its transfer anew.
 */
import {
	type CapturedState,
	type CheckpointState,
	type PbftReadResult,
	type PbftWrite,
	partsOf,
	StateTree,
} from "../../protocols/pbft/index.ts";
import type { StoreOperation } from "../../runtime/storage/index.ts";
import { encodeValue } from "./value-codec.ts";

/** Bytes of one staged chunk. */
const STAGE_CHUNK_BYTES = 1024 * 1024;

type Digest = (bytes: Uint8Array) => Uint8Array;

/** The state on the disk: where its bytes are, and the tree over its parts. */
interface Published {
	readonly sequence: number;
	readonly name: string;
	readonly sizeBytes: number;
	/** Null until the bytes have been read after a restart. */
	tree: StateTree | null;
}

export class PbftCheckpoints {
	readonly #digest: Digest;
	readonly #partBytes: number;
	/** By sequence number; at most those between the durable base and the window's end, one each checkpoint interval. */
	readonly #captures = new Map<number, CapturedState>();
	#received: Uint8Array[] = [];
	#published: Published | null = null;

	constructor(digest: Digest, partBytes: number) {
		this.#digest = digest;
		this.#partBytes = partBytes;
	}

	/** The store has this snapshot. */
	found(name: string, { sequence, sizeBytes }: CheckpointState): void {
		this.#published = { sequence, name, sizeBytes, tree: null };
	}

	captured(state: CapturedState): void {
		this.#captures.set(state.snapshot.sequence, state);
	}

	/** Takes parts of a state that is being received, in order; index 0 begins anew. */
	receive(parts: NonNullable<PbftWrite["parts"]>): void {
		for (const { index, data } of parts) {
			if (index === 0) this.#received = [];
			this.#received.push(data);
		}
	}

	/** Publishes a base: of the state that was captured, or received. */
	publish({ isReceived, ...base }: NonNullable<PbftWrite["base"]>): StoreOperation[] {
		const { sequence } = base.certificate;
		const bytes = isReceived ? Buffer.concat(this.#received) : this.#captures.get(sequence)?.bytes;
		if (bytes === undefined) throw new Error(`the state at ${sequence} was neither captured nor received`);
		const name = `${isReceived ? "received" : "own"}-${sequence}`;
		const tree = this.#captures.get(sequence)?.tree ?? this.#treeOf(bytes);
		this.#received = [];
		this.#published = { sequence, name, sizeBytes: bytes.length, tree };
		for (const earlier of this.#captures.keys()) if (earlier <= sequence) this.#captures.delete(earlier);
		const description = encodeValue(base);
		return [...stageOf(name, bytes), { type: "publish-snapshot", name, sizeBytes: bytes.length, description }];
	}

	/** The name of the durable snapshot at a sequence number; one that no store has, if it is another. */
	nameAt(sequence: number): string {
		return this.#published?.sequence === sequence ? this.#published.name : `none-${sequence}`;
	}

	/** The bytes of the durable snapshot have been read. */
	restored(sequence: number, bytes: Uint8Array): void {
		if (this.#published?.sequence === sequence) this.#published.tree ??= this.#treeOf(bytes);
	}

	/** A part of a captured state, or of the durable one, whose bytes are given. */
	part(sequence: number, index: number, read: Uint8Array | null): PbftReadResult {
		const named = { sequence, index } as Pick<PbftReadResult, "sequence" | "index">;
		const capture = this.#captures.get(sequence);
		if (capture !== undefined) {
			const data = partsOf(capture.bytes, this.#partBytes)[index];
			if (data !== undefined) return { type: "part", ...named, data, path: capture.tree.pathOf(index) };
		}
		const published = this.#published;
		if (published?.sequence !== sequence || published.tree === null || read === null || read.length === 0) {
			return { type: "missing", ...named };
		}
		return { type: "part", ...named, data: read, path: published.tree.pathOf(index) };
	}

	#treeOf(bytes: Uint8Array): StateTree {
		return new StateTree(this.#digest, partsOf(bytes, this.#partBytes));
	}
}

function stageOf(name: string, bytes: Uint8Array): StoreOperation[] {
	const operations: StoreOperation[] = [];
	// An empty state has one empty chunk, so that there is something to publish.
	for (let offset = 0; offset === 0 || offset < bytes.length; offset += STAGE_CHUNK_BYTES) {
		const data = bytes.subarray(offset, offset + STAGE_CHUNK_BYTES);
		operations.push({ type: "stage-snapshot", name, offset, data });
	}
	return operations;
}
