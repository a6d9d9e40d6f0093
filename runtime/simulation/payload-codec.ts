/**
 * The real codec, as virtual lanes use it: messages are encoded one behind the other into slabs and decoded from where they
 * lie. A slab lives as long as a message in it.
 */
import { type CodecSpec, MessageCodec } from "../codec/index.ts";

const SLAB_BYTES = 64 * 1024;
const WORD_BYTES = 4;

/** Memory that messages lie in, each from the beginning of a word on; what follows a message in its last word is zero. */
interface Slab {
	readonly bytes: Buffer;
	readonly view: DataView;
	readonly words: Int32Array;
}

/** A message in bytes, with what tells these bytes from others. */
export interface EncodedPayload {
	readonly schema: number;
	readonly slab: Slab;
	readonly start: number;
	readonly lengthBytes: number;
	/** 32 bits: any one changed bit changes it. What a link would send along, and what a trace knows of the bytes. */
	readonly hash: number;
}

export class PayloadCodec {
	readonly #codec: MessageCodec;
	/** One buffer for many: making a buffer for each message costs as much as encoding it. */
	#slab: Slab = newSlab(SLAB_BYTES);
	#used = 0;

	constructor(spec: CodecSpec) {
		this.#codec = new MessageCodec(spec);
	}

	/** @throws QuorateError `message-unencodable`, `message-too-large` */
	encode(payload: unknown, protocol: string | null): EncodedPayload {
		const codec = this.#codec;
		const bound = codec.prepare(payload, protocol === null ? undefined : codec.protocol(protocol));
		const slab = this.#slabFor(bound);
		const start = this.#used;
		const lengthBytes = codec.write(slab.bytes, slab.view, start) - start;
		const { schema } = codec;
		codec.release();
		return this.#take(schema, slab, start, lengthBytes);
	}

	/** The same message with some bits flipped, counted from its first byte on and around. */
	flipped({ schema, slab, start, lengthBytes }: EncodedPayload, flips: readonly number[]): EncodedPayload {
		const copy = this.#slabFor(lengthBytes);
		const at = this.#used;
		slab.bytes.copy(copy.bytes, at, start, start + lengthBytes);
		for (const flip of lengthBytes === 0 ? [] : flips) {
			const bit = flip % (lengthBytes * 8);
			const place = at + (bit >> 3);
			copy.bytes[place] = (copy.bytes[place] as number) ^ (1 << (bit & 7));
		}
		return this.#take(schema, copy, at, lengthBytes);
	}

	/** A new value each time, which shares no memory with the bytes. @throws QuorateError `message-undecodable` */
	decode({ schema, slab, start, lengthBytes }: EncodedPayload): unknown {
		return this.#codec.decode(schema, slab.bytes, start, start + lengthBytes);
	}

	/** The slab that has so much room from `#used` on. */
	#slabFor(bytes: number): Slab {
		if (this.#used + bytes + WORD_BYTES <= this.#slab.bytes.length) return this.#slab;
		this.#slab = newSlab(Math.max(SLAB_BYTES, bytes + WORD_BYTES));
		this.#used = 0;
		return this.#slab;
	}

	#take(schema: number, slab: Slab, start: number, lengthBytes: number): EncodedPayload {
		const end = start + lengthBytes;
		const next = (end + WORD_BYTES - 1) & -WORD_BYTES;
		// An encoder may have written more than it kept.
		for (let at = end; at < next; at++) slab.bytes[at] = 0;
		this.#used = next;
		return { schema, slab, start, lengthBytes, hash: hashWords(slab.words, start / WORD_BYTES, lengthBytes) };
	}
}

/** Each step is a bijection of the hash so far, and of the word it takes in. */
function hashWords(words: Int32Array, from: number, lengthBytes: number): number {
	const to = from + ((lengthBytes + 3) >> 2);
	let hash = lengthBytes;
	for (let i = from; i < to; i++) {
		hash = Math.imul(hash ^ (words[i] as number), 0xcc9e2d51);
		hash ^= hash >>> 15;
	}
	return hash >>> 0;
}

function newSlab(bytes: number): Slab {
	const buffer = new ArrayBuffer((bytes + WORD_BYTES - 1) & -WORD_BYTES);
	return { bytes: Buffer.from(buffer), view: new DataView(buffer), words: new Int32Array(buffer) };
}
