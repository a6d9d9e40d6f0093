/** This thread's sending end of a lane: encodes into the ring, cuts what is too large, grows what is too small. */
import { assert } from "../../protocols/core/index.ts";
import type { ThreadSlot } from "../actor/address.ts";
import type { LaneKind } from "../actor/ports.ts";
import type { TellVerdict } from "../actor/ref.ts";
import type { MessageCodec, ProtocolLayouts } from "../codec/index.ts";
import {
	createLane,
	FragmentSender,
	LANE_FULL,
	LaneWriter,
	RecordHeader,
	SYSTEM_LANE_BYTES,
	USER_LANE_BYTES,
} from "../memory/index.ts";
import { systemLaneOverflow } from "./errors.ts";
import { SYSTEM_BACKLOG_BYTES_MAX } from "./thread-limits.ts";
import type { ThreadMemory } from "./thread-memory.ts";

/** A message of the system lane that waits in this thread for room. */
interface Waiting {
	readonly header: RecordHeader;
	readonly bytes: Uint8Array;
}

export class OutboundLane {
	readonly to: ThreadSlot;
	readonly kind: LaneKind;
	/** Fill this before {@link encode} or {@link copyLast}; the schema is theirs. */
	readonly header: RecordHeader = new RecordHeader();
	readonly #writer: LaneWriter;
	/** A large message that is half sent; nothing else may be written before it is through. */
	#fragments: FragmentSender | null = null;
	/** System lane only: what waits behind a full ring, oldest first. */
	readonly #backlog: Waiting[] = [];
	#backlogBytes = 0;
	/** Where the payload of the last record stands in the ring. */
	#lastStart = 0;
	#lastEnd = 0;

	/** Books and makes the memory of a lane. @throws QuorateError `lane-memory-exhausted` */
	static make(
		from: ThreadSlot,
		to: ThreadSlot,
		kind: LaneKind,
		memory: ThreadMemory,
		fingerprint: number,
		capacityBytes: number = kind === "user" ? USER_LANE_BYTES : SYSTEM_LANE_BYTES,
	): SharedArrayBuffer {
		memory.bookLane(capacityBytes);
		return createLane({ id: memory.nextLaneId(), producer: from, consumer: to, capacityBytes, fingerprint });
	}

	constructor(to: ThreadSlot, kind: LaneKind, lane: SharedArrayBuffer, fingerprint: number) {
		this.to = to;
		this.kind = kind;
		this.#writer = new LaneWriter(lane, { fingerprint });
	}

	/** Behind the last message sent, see `Transport.sentThrough`. */
	get sequence(): number {
		return this.#writer.sequence;
	}

	get hasUnpublished(): boolean {
		return this.#writer.hasUnpublished;
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
		this.#lastEnd = 0;
		if (this.hasBacklog) return this.#withoutRoom(codec, payload, layouts);
		const writer = this.#writer;
		const at = writer.reserve(codec.prepare(payload, layouts));
		if (at < 0) {
			return at === LANE_FULL ? this.#withoutRoom(codec, payload, layouts) : this.#sendLarge(codec, payload, layouts);
		}
		this.header.schema = codec.schema;
		const end = codec.write(writer.bytes, writer.view, at);
		writer.commit(this.header, end - at);
		this.#lastStart = at;
		this.#lastEnd = end;
		return "ok";
	}

	/** Sends the message that was just encoded into another lane: its bytes are copied. */
	copyLast(source: OutboundLane, codec: MessageCodec, payload: unknown, layouts: ProtocolLayouts): TellVerdict {
		const length = source.#lastEnd - source.#lastStart;
		if (source.#lastEnd === 0 || this.hasBacklog) return this.encode(codec, payload, layouts);
		const writer = this.#writer;
		const at = writer.reserve(length);
		if (at < 0) return this.encode(codec, payload, layouts);
		this.header.schema = source.header.schema;
		writer.bytes.set(source.#writer.bytes.subarray(source.#lastStart, source.#lastEnd), at);
		writer.commit(this.header, length);
		return "ok";
	}

	/** Makes what was sent visible. Returns whether there was anything. */
	publish(): boolean {
		return this.#writer.publish();
	}

	/** Moves what waits in this thread into the ring, as far as it has room. */
	pump(): void {
		if (this.#fragments !== null) {
			if (this.#fragments.send(this.#writer) === "full") return;
			this.#fragments = null;
		}
		while (this.#backlog.length > 0) {
			const { header, bytes } = this.#backlog[0] as Waiting;
			const verdict = this.#writer.append(header, bytes);
			if (verdict === "full") return;
			this.#backlog.shift();
			this.#backlogBytes -= bytes.length;
			if (verdict === "ok") continue;
			this.#fragments = new FragmentSender(header, bytes);
			if (this.#fragments.send(this.#writer) === "full") return;
			this.#fragments = null;
		}
	}

	/** The user lane refuses; the system lane, which must not, keeps the message here. */
	#withoutRoom(codec: MessageCodec, payload: unknown, layouts: ProtocolLayouts | undefined): TellVerdict {
		if (this.kind === "user") return "full";
		const { schema, bytes } = codec.encode(payload, layouts);
		const waitingBytes = this.#backlogBytes + bytes.length;
		if (waitingBytes > SYSTEM_BACKLOG_BYTES_MAX) {
			throw systemLaneOverflow({ to: this.to, waitingBytes, maxBytes: SYSTEM_BACKLOG_BYTES_MAX });
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
}
