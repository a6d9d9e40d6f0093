/** The real codec, as virtual lanes use it: each message in bytes of its own, encoded and decoded in one private scratch. */
import { type CodecSpec, type EncodedMessage, MessageCodec } from "../codec/index.ts";

const SCRATCH_BYTES_FIRST = 64 * 1024;
const WORD_BYTES = 4;

/** A message in bytes, with what tells these bytes from others. */
export interface HashedMessage extends EncodedMessage {
	/** 32 bits; see {@link PayloadCodec.hash}. */
	readonly hash: number;
}

export class PayloadCodec {
	readonly #codec: MessageCodec;
	/** One buffer for all: making a buffer for each message costs more than decoding it. */
	#scratch: Buffer = Buffer.alloc(SCRATCH_BYTES_FIRST);
	#view: DataView = viewOf(this.#scratch);
	#words: Int32Array = wordsOf(this.#scratch);

	constructor(spec: CodecSpec) {
		this.#codec = new MessageCodec(spec);
	}

	/** @throws QuorateError `message-unencodable`, `message-too-large` */
	encode(payload: unknown, protocol: string | null): HashedMessage {
		const codec = this.#codec;
		const bound = codec.prepare(payload, protocol === null ? undefined : codec.protocol(protocol));
		const { schema } = codec;
		this.#makeRoom(bound);
		const length = codec.write(this.#scratch, this.#view, 0);
		codec.release();
		// From Node's pool: an array of its own for each message would cost as much as encoding it.
		const bytes = Buffer.allocUnsafe(length);
		this.#scratch.copy(bytes, 0, 0, length);
		return { schema, bytes, hash: this.#hashScratch(length) };
	}

	/** A new value each time. @throws QuorateError `message-undecodable` */
	decode({ schema, bytes }: EncodedMessage): unknown {
		this.#makeRoom(bytes.length);
		this.#scratch.set(bytes, 0);
		return this.#codec.decode(schema, this.#scratch, 0, bytes.length);
	}

	/** What a link would send along with the bytes, and what a trace knows of them: any one changed bit changes it. */
	hash(bytes: Uint8Array): number {
		this.#makeRoom(bytes.length);
		this.#scratch.set(bytes, 0);
		return this.#hashScratch(bytes.length);
	}

	/** Each step is a bijection of the hash so far, and of the word it takes in. */
	#hashScratch(length: number): number {
		const words = this.#words;
		const count = (length + 3) >> 2;
		for (let at = length; at < count * 4; at++) this.#scratch[at] = 0;
		let hash = length;
		for (let i = 0; i < count; i++) {
			hash = Math.imul(hash ^ (words[i] as number), 0xcc9e2d51);
			hash ^= hash >>> 15;
		}
		return hash >>> 0;
	}

	#makeRoom(bytes: number): void {
		if (bytes + WORD_BYTES <= this.#scratch.length) return;
		this.#scratch = Buffer.alloc(2 * WORD_BYTES * Math.ceil(bytes / WORD_BYTES + 1));
		this.#view = viewOf(this.#scratch);
		this.#words = wordsOf(this.#scratch);
	}
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
	return new DataView(buffer, byteOffset, length);
}

function wordsOf({ buffer, byteOffset, length }: Buffer): Int32Array {
	return new Int32Array(buffer, byteOffset, length >> 2);
}
