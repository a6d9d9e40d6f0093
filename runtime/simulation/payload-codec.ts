/** The real codec, as virtual lanes use it: each message in bytes of its own, decoded from one private scratch. */
import { crc32 } from "node:zlib";
import { type CodecSpec, type EncodedMessage, MessageCodec } from "../codec/index.ts";

const SCRATCH_BYTES_FIRST = 64 * 1024;

export class PayloadCodec {
	readonly #codec: MessageCodec;
	/** One buffer for all: making a buffer for each message costs more than decoding it. */
	#scratch: Buffer = Buffer.alloc(SCRATCH_BYTES_FIRST);

	constructor(spec: CodecSpec) {
		this.#codec = new MessageCodec(spec);
	}

	/** @throws QuorateError `message-unencodable`, `message-too-large` */
	encode(payload: unknown, protocol: string | null): EncodedMessage {
		return this.#codec.encode(payload, protocol === null ? undefined : this.#codec.protocol(protocol));
	}

	/** A new value each time. @throws QuorateError `message-undecodable` */
	decode({ schema, bytes }: EncodedMessage): unknown {
		if (bytes.length > this.#scratch.length) this.#scratch = Buffer.alloc(bytes.length * 2);
		this.#scratch.set(bytes, 0);
		return this.#codec.decode(schema, this.#scratch, 0, bytes.length);
	}
}

/** The CRC-32 of a message's bytes: what a link would send along, and what a trace knows of a message's content. */
export function payloadHash(bytes: Uint8Array): number {
	return bytes.length === 0 ? 0 : crc32(bytes);
}
