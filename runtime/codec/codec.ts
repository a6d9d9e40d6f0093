/** From message to bytes and back: layouts for the hot ones, records for the rest. */
import { hashText, type LayoutTable } from "../../protocols/core/index.ts";
import { type CompiledLayout, compileLayouts, type DecodeSource } from "./compiled-layout.ts";
import { layoutInvalid, messageTooLarge, messageUndecodable, messageUnencodable } from "./errors.ts";
import { type RecordShapes, RecordTable } from "./record-table.ts";

/** The `schema` of a message in msgpack. Layouts are numbered from 1. */
export const RECORD_SCHEMA = 0;
/** Schemas are 16 bits in a record's header. */
export const SCHEMA_MAX = 0xffff;
/** Default limit of one encoded message, even in fragments. */
export const MESSAGE_BYTES_MAX: number = 8 * 1024 * 1024;

/** What a codec is made from: plain data, so that `workerData` carries it to every thread. */
export interface CodecSpec {
	/** The order is part of the wire format. */
	readonly layouts: readonly LayoutTable[];
	/** Shapes of the records that are often sent without a layout; see `shapesOf`. */
	readonly records: RecordShapes;
	/** Limit of one encoded message. Default {@link MESSAGE_BYTES_MAX}. */
	readonly messageBytesMax?: number;
}

/** A message that is encoded once and sent to many. */
export interface EncodedMessage {
	readonly schema: number;
	/** Belongs to the caller. */
	readonly bytes: Uint8Array;
}

/** The layouts of one protocol, by message type. */
export type ProtocolLayouts = ReadonlyMap<string, CompiledLayout>;

/**
 * Encodes and decodes messages. One per thread, all from the same {@link CodecSpec}; lanes carry its
 * {@link fingerprint} so that two threads that differ refuse each other.
 *
 * Which form a message takes: a layout if the caller names the protocol and the protocol has one for
 * `message.type`, else msgpack. The type alone never chooses: two protocols may both have a `vote`, and an
 * application's own `vote` with other fields must not be cut to a protocol's. A reference to a participant knows
 * its protocol, so it passes {@link protocol} on; a reference to anything else passes nothing.
 *
 * Encoding straight into a lane takes three steps, without garbage:
 * ```ts
 * const at = writer.reserve(codec.prepare(message, layouts));
 * if (at < 0) return verdict;
 * header.schema = codec.schema;
 * writer.commit(header, codec.write(writer.bytes, writer.view, at) - at);
 * ```
 */
export class MessageCodec {
	/** Equal if layouts, shapes and their order are equal: 31 bits, never 0. */
	readonly fingerprint: number;
	readonly messageBytesMax: number;
	readonly #protocols = new Map<string, ProtocolLayouts>();
	/** By schema; index 0 is unused. */
	readonly #layouts: (CompiledLayout | undefined)[] = [undefined];
	readonly #records: RecordTable;

	/** What {@link prepare} left for {@link write}. */
	#message: unknown;
	#layout: CompiledLayout | undefined;
	#packed: Uint8Array | undefined;

	/** The views on the last source: the drain's scratch is the same buffer for many messages. */
	#source: DecodeSource | undefined;

	/** @throws QuorateError `layout-invalid`, `record-table-invalid` */
	constructor(spec: CodecSpec) {
		this.messageBytesMax = spec.messageBytesMax ?? MESSAGE_BYTES_MAX;
		this.#records = new RecordTable(spec.records);
		for (const table of spec.layouts) {
			const field = { protocol: table.protocol, type: "", field: "" };
			if (this.#protocols.has(table.protocol))
				throw layoutInvalid({ ...field, reason: "the protocol is listed twice" });
			const compiled = compileLayouts(table, this.#layouts.length);
			this.#layouts.push(...compiled);
			if (this.#layouts.length > SCHEMA_MAX + 1)
				throw layoutInvalid({ ...field, reason: `over ${SCHEMA_MAX} layouts` });
			this.#protocols.set(table.protocol, new Map(compiled.map((layout) => [layout.type, layout])));
		}
		const identity = JSON.stringify([spec.layouts, this.#records.hash]);
		this.fingerprint = Number.parseInt(hashText(identity).slice(0, 8), 16) >>> 1 || 1;
	}

	/** The layouts of a protocol, to pass to {@link prepare} and {@link encode}; `undefined` if it registered none. */
	protocol(name: string): ProtocolLayouts | undefined {
		return this.#protocols.get(name);
	}

	/** What stands behind a schema, for reports: `raft/vote`, or `record`. */
	nameOf(schema: number): string {
		return schema === RECORD_SCHEMA ? "record" : (this.#layouts[schema]?.form ?? "unknown");
	}

	/**
	 * Makes a message ready and returns the most bytes that {@link write} will need.
	 * @throws QuorateError `message-unencodable`, `message-too-large`
	 */
	prepare(message: unknown, layouts?: ProtocolLayouts): number {
		const layout = layouts?.get((message as { readonly type?: string } | null | undefined)?.type as string);
		this.#layout = layout;
		let size: number;
		if (layout === undefined) {
			this.#packed = this.#pack(message);
			size = this.#packed.length;
		} else {
			this.#message = message;
			size = layout.sizeBound(message);
		}
		if (size > this.messageBytesMax) {
			throw messageTooLarge({ form: this.nameOf(this.schema), sizeBytes: size, limitBytes: this.messageBytesMax });
		}
		return size;
	}

	/** The schema of the prepared message, for the record's header. */
	get schema(): number {
		return this.#layout === undefined ? RECORD_SCHEMA : this.#layout.schema;
	}

	/**
	 * Writes the prepared message at `at`, as often as wanted, and returns the position behind it. `bytes` and
	 * `view` are the same memory, with room for what {@link prepare} returned.
	 * @throws QuorateError `message-unencodable`
	 */
	write(bytes: Uint8Array, view: DataView, at: number): number {
		if (this.#layout !== undefined) return this.#layout.encode(this.#message, bytes, view, at);
		const packed = this.#packed as Uint8Array;
		bytes.set(packed, at);
		return at + packed.length;
	}

	/** Forgets the prepared message, so that it can be collected. */
	release(): void {
		this.#message = undefined;
		this.#packed = undefined;
	}

	/**
	 * Encodes into memory of its own: for a broadcast, whose bytes are then appended to each lane, and for storage.
	 * @throws QuorateError `message-unencodable`, `message-too-large`
	 */
	encode(message: unknown, layouts?: ProtocolLayouts): EncodedMessage {
		const bound = this.prepare(message, layouts);
		const { schema } = this;
		const target = new Uint8Array(bound);
		const length = this.write(target, new DataView(target.buffer), 0);
		this.release();
		return { schema, bytes: target.subarray(0, length) };
	}

	/**
	 * Decodes `bytes[start, end)`, which must be private memory, never a ring: another thread could change it under
	 * the decoder, and strings decode some twenty times slower from shared memory. The message shares no memory
	 * with `bytes`.
	 * @throws QuorateError `message-undecodable`
	 */
	decode(schema: number, bytes: Buffer, start: number, end: number): unknown {
		if (schema !== RECORD_SCHEMA) {
			const layout = this.#layouts[schema];
			if (layout === undefined) throw undecodable(schema, "unknown", end - start, "no layout has this schema");
			return layout.decode(this.#sourceOf(bytes), start, end);
		}
		if (end <= start) throw undecodable(schema, "record", end - start, "no bytes");
		try {
			return this.#records.unpack(bytes, start, end);
		} catch (cause) {
			throw messageUndecodable(
				{ schema, form: "record", lengthBytes: end - start, reason: String((cause as Error).message) },
				{ cause },
			);
		}
	}

	#pack(message: unknown): Uint8Array {
		try {
			return this.#records.pack(message);
		} catch (cause) {
			const actual = String((cause as Error).message);
			throw messageUnencodable({ form: "record", field: "", expected: "plain data without cycles", actual }, { cause });
		}
	}

	#sourceOf(bytes: Buffer): DecodeSource {
		let source = this.#source;
		if (source === undefined || source.bytes !== bytes) {
			const { buffer, byteOffset, length } = bytes;
			source = {
				bytes,
				view: new DataView(buffer, byteOffset, length),
				plain: new Uint8Array(buffer, byteOffset, length),
			};
			this.#source = source;
		}
		return source;
	}
}

function undecodable(schema: number, form: string, lengthBytes: number, reason: string): Error {
	return messageUndecodable({ schema, form, lengthBytes, reason });
}
