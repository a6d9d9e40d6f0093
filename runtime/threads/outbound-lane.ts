/** This thread's sending end of one lane: encodes into the ring, cuts what is too large, moves on when it is too small. */
import { assert } from "../../protocols/core/index.ts";
import type { LaneKind, TellVerdict } from "../actor/index.ts";
import type { MessageCodec, ProtocolLayouts } from "../codec/index.ts";
import {
	FragmentSender,
	LANE_FULL,
	type LaneWriter,
	RECORD_HEADER_BYTES,
	RecordHeader,
	recordBytesMax,
} from "../memory/index.ts";
import { systemLaneOverflow } from "./errors.ts";
import { GROWTH_REFUSALS, LANE_GROWTH_BYTES_MAX, SYSTEM_BACKLOG_BYTES_MAX } from "./thread-limits.ts";

/** A message of the system lane that waits in this thread for room. */
interface Waiting {
	readonly header: RecordHeader;
	readonly bytes: Uint8Array;
}

/** Makes a lane to continue one, or says that there is no memory left for it. */
export type MakeSuccessor = (capacityBytes: number) => SharedArrayBuffer | null;

export class OutboundLane {
	readonly kind: LaneKind;
	/** Fill this before {@link encode} or {@link copyLast}; the schema is theirs. */
	readonly header: RecordHeader = new RecordHeader();
	readonly #writer: LaneWriter;
	readonly #makeSuccessor: MakeSuccessor;
	/** A large message that is half sent; nothing else may be written before it is through. */
	#fragments: FragmentSender | null = null;
	/** System lane only: what waits behind a full ring, oldest first. */
	readonly #backlog: Waiting[] = [];
	#backlogBytes = 0;
	/** Refusals since this ring was made. */
	#refusals = 0;
	/** Where the payload of the last record stands in the ring; empty if it is not one record. */
	#lastStart = 0;
	#lastEnd = 0;

	constructor(kind: LaneKind, writer: LaneWriter, makeSuccessor: MakeSuccessor) {
		this.kind = kind;
		this.#writer = writer;
		this.#makeSuccessor = makeSuccessor;
	}

	/** Behind the last message sent, see `Transport.sentThrough`. */
	get sequence(): number {
		return this.#writer.sequence;
	}

	/** Whether something waits in this thread for room in the ring. */
	get hasBacklog(): boolean {
		return this.#fragments !== null || this.#backlog.length > 0;
	}

	/** Whether a sender that was refused should try again: a quarter of the ring is free. */
	get hasRoom(): boolean {
		return !this.hasBacklog && this.#writer.reserve(this.#writer.bytes.length / 4) >= 0;
	}

	/**
	 * Encodes a message into the ring.
	 * @throws QuorateError `message-unencodable`, `message-too-large`, `system-lane-overflow`
	 */
	encode(codec: MessageCodec, payload: unknown, layouts: ProtocolLayouts | undefined): TellVerdict {
		const writer = this.#writer;
		this.#lastEnd = this.#lastStart;
		if (this.hasBacklog) return this.#withoutRoom(codec, payload, layouts);
		const bound = codec.prepare(payload, layouts);
		let at = writer.reserve(bound);
		if (at < 0) {
			if (at === LANE_FULL) this.#refusals++;
			if (this.#grow(at === LANE_FULL ? 0 : bound)) at = writer.reserve(bound);
			if (at === LANE_FULL) return this.#withoutRoom(codec, payload, layouts);
			if (at < 0) return this.#sendLarge(codec, payload, layouts);
		}
		this.header.schema = codec.schema;
		const end = codec.write(writer.bytes, writer.view, at);
		writer.commit(this.header, end - at);
		this.#lastStart = at;
		this.#lastEnd = end;
		return "ok";
	}

	/** Sends what another lane has just encoded, by copying its bytes; false if that is not possible. */
	copyLast(source: OutboundLane): boolean {
		const length = source.#lastEnd - source.#lastStart;
		if (length === 0 || this.hasBacklog) return false;
		const writer = this.#writer;
		const at = writer.reserve(length);
		if (at < 0) return false;
		this.header.schema = source.header.schema;
		writer.bytes.set(source.#writer.bytes.subarray(source.#lastStart, source.#lastEnd), at);
		writer.commit(this.header, length);
		return true;
	}

	/** Moves what waits in this thread into the ring, as far as it has room. Returns whether anything moved. */
	pump(): boolean {
		const from = this.#writer.sequence;
		while (this.hasBacklog) {
			if (this.#fragments !== null) {
				if (this.#fragments.send(this.#writer) === "full") break;
				this.#fragments = null;
				continue;
			}
			const { header, bytes } = this.#backlog[0] as Waiting;
			const verdict = this.#writer.append(header, bytes);
			if (verdict === "full") break;
			this.#backlog.shift();
			this.#backlogBytes -= bytes.length;
			if (verdict === "too-large") this.#fragments = new FragmentSender(header, bytes);
		}
		return this.#writer.sequence !== from;
	}

	/** The user lane refuses; the system lane, which must not, keeps the message here. */
	#withoutRoom(codec: MessageCodec, payload: unknown, layouts: ProtocolLayouts | undefined): TellVerdict {
		if (this.kind === "user") return "full";
		const { schema, bytes } = codec.encode(payload, layouts);
		const waitingBytes = this.#backlogBytes + bytes.length;
		if (waitingBytes > SYSTEM_BACKLOG_BYTES_MAX) {
			throw systemLaneOverflow({ waitingBytes, maxBytes: SYSTEM_BACKLOG_BYTES_MAX });
		}
		this.#backlog.push({ header: Object.assign(new RecordHeader(), this.header, { schema }), bytes });
		this.#backlogBytes = waitingBytes;
		return "ok";
	}

	#sendLarge(codec: MessageCodec, payload: unknown, layouts: ProtocolLayouts | undefined): TellVerdict {
		assert(this.#fragments === null, "large messages of one lane follow each other");
		const { schema, bytes } = codec.encode(payload, layouts);
		this.header.schema = schema;
		const sender = new FragmentSender(this.header, bytes);
		if (sender.send(this.#writer) === "full") this.#fragments = sender;
		return "ok";
	}

	/**
	 * Goes on in a larger lane: of twice the size, when this one has refused several times (its traffic comes in larger
	 * bursts than it holds), or of the size that takes a large record. False if it stays.
	 */
	#grow(recordBytes: number): boolean {
		const capacityBytes = this.#writer.bytes.length;
		if (recordBytes === 0 && this.#refusals < GROWTH_REFUSALS) return false;
		let wantedBytes = capacityBytes * 2;
		while (recordBytes > 0 && recordBytesMax(wantedBytes) < recordBytes + RECORD_HEADER_BYTES) wantedBytes *= 2;
		if (wantedBytes > LANE_GROWTH_BYTES_MAX) return false;
		const successor = this.#makeSuccessor(wantedBytes);
		if (successor === null) return false;
		this.#refusals = 0;
		this.#writer.moveTo(successor);
		return true;
	}
}
