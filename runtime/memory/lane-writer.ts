/** The producer's end of a lane. One per lane at a time, in the producing thread. */
import { assert } from "../../protocols/core/index.ts";
import { atomicWordsOf, type LaneLookup, openLane, type WordsOf } from "./lane.ts";
import {
	LANE_HEADER_BYTES,
	LANE_HEADER_WORDS,
	laneWords,
	MOVED_RESERVE_BYTES,
	RECORD_HEADER_BYTES,
	RecordHeader,
	recordBytesMax,
	recordKinds,
	spanOf,
} from "./lane-layout.ts";
import type { SharedWords } from "./shared-words.ts";

/** {@link LaneWriter.reserve}: no room now; publish what is written, and try again when the consumer has freed some. */
export const LANE_FULL = -1;
/** {@link LaneWriter.reserve}: over half the capacity; send it in fragments, or in a larger lane. */
export const LANE_TOO_LARGE = -2;

export interface LaneWriterOptions {
	/** Refuse a lane made for another codec. Default: not checked. */
	readonly fingerprint?: number;
	/** Finds the lane that a replaced one went on in. Needed to attach to a lane that a predecessor moved away from. */
	readonly laneOf?: LaneLookup;
	readonly wordsOf?: WordsOf;
}

/**
 * Writes records straight into the ring: {@link reserve} room, encode the payload to {@link bytes} there,
 * {@link commit} the header; many of these, then one {@link publish}. What is not published does not exist: a thread
 * that dies before leaves no trace, and its successor attaches at the last published record.
 */
export class LaneWriter {
	/** The ring. The payload of a reservation goes to `[reserved, reserved + payloadBytes)`. */
	bytes!: Uint8Array;
	/** The same memory. */
	view!: DataView;
	/** Bytes of the largest record, with its header, that this lane takes. */
	recordBytesMax!: number;

	#lane!: SharedArrayBuffer;
	#header!: Int32Array;
	#words!: SharedWords;
	#ring!: Int32Array;
	#capacity!: number;
	/** Last stored `tail`. */
	#published!: number;
	/** Behind the last committed record; `published` to here are written but not visible. */
	#written!: number;
	/** A head that was true once: the real one is here or further. */
	#headSeen!: number;
	/** Start byte and payload bound of the open reservation; −1 if none. */
	#reservedAt = -1;
	#reservedBytes = 0;
	/** `roomWanted` is not 0: perhaps a predecessor's. */
	#awaitsRoom!: boolean;
	readonly #options: LaneWriterOptions;

	/** @throws QuorateError `lane-foreign`, `lane-fingerprint-mismatch` */
	constructor(lane: SharedArrayBuffer, options: LaneWriterOptions = {}) {
		this.#options = options;
		this.#open(lane);
		this.#finishMove();
	}

	get lane(): SharedArrayBuffer {
		return this.#lane;
	}

	/** The position behind the last committed record: its sequence in the lane. */
	get sequence(): number {
		return this.#written;
	}

	/** Whether something is committed and not yet published. */
	get hasUnpublished(): boolean {
		return this.#written !== this.#published;
	}

	/** Bytes written and not yet published, with headers and padding. */
	get unpublishedBytes(): number {
		return (this.#written - this.#published) | 0;
	}

	/**
	 * Finds room for a payload of at most `payloadBytes`. Returns where in {@link bytes} it goes, or
	 * {@link LANE_FULL} or {@link LANE_TOO_LARGE}. A reservation without {@link commit} is simply forgotten.
	 */
	reserve(payloadBytes: number): number {
		const need = spanOf(RECORD_HEADER_BYTES + payloadBytes);
		if (need > this.recordBytesMax) return LANE_TOO_LARGE;
		let at = this.#written & (this.#capacity - 1);
		const total = this.#bytesFor(need);
		if (!this.#hasRoom(total + MOVED_RESERVE_BYTES)) {
			const header = this.#header;
			header[laneWords.refusals] = ((header[laneWords.refusals] as number) + 1) | 0;
			return LANE_FULL;
		}
		if (this.#awaitsRoom) this.#stopAwaiting();
		if (total > need) {
			this.#pad(at, total - need);
			at = 0;
		}
		this.#reservedAt = at;
		this.#reservedBytes = payloadBytes;
		return at + RECORD_HEADER_BYTES;
	}

	/**
	 * Asks the consumer to say when there is room for such a payload; to be called, after a {@link publish}, when
	 * {@link reserve} found none. True: there is, after all; reserve again. False: the consumer will set its
	 * room bit in this thread's control block and ring, once half of the lane is free, or as much as the payload needs.
	 */
	awaitRoom(payloadBytes: number): boolean {
		assert(!this.hasUnpublished, "a writer publishes before it waits");
		const total = this.#bytesFor(spanOf(RECORD_HEADER_BYTES + payloadBytes)) + MOVED_RESERVE_BYTES;
		assert(total <= this.#capacity, "what is awaited fits into the empty lane", { payloadBytes });
		this.#words.store(laneWords.roomWanted, total);
		this.#awaitsRoom = true;
		this.#headSeen = this.#words.load(laneWords.head);
		if (!this.#hasRoom(total)) return false;
		this.#stopAwaiting();
		return true;
	}

	#stopAwaiting(): void {
		this.#awaitsRoom = false;
		this.#words.store(laneWords.roomWanted, 0);
	}

	/**
	 * Completes the reservation with the header and the payload's real length. Returns the record's sequence; it
	 * becomes visible with the next {@link publish}.
	 */
	commit(header: RecordHeader, payloadBytes: number): number {
		assert(this.#reservedAt >= 0, "a commit follows a reservation");
		assert(payloadBytes <= this.#reservedBytes, "a payload fits its reservation");
		const ring = this.#ring;
		const at = this.#reservedAt >> 2;
		const length = RECORD_HEADER_BYTES + payloadBytes;
		ring[at] = length;
		ring[at + 1] = header.kind | (header.flags << 8) | (header.schema << 16);
		ring[at + 2] = header.target;
		ring[at + 3] = header.targetIncarnation;
		ring[at + 4] = header.sender;
		ring[at + 5] = header.senderIncarnation;
		ring[at + 6] = header.correlation;
		ring[at + 7] = header.deadlineMs;
		this.#reservedAt = -1;
		this.#written = (this.#written + spanOf(length)) | 0;
		const counters = this.#header;
		counters[laneWords.records] = ((counters[laneWords.records] as number) + 1) | 0;
		return this.#written;
	}

	/**
	 * Reserve, copy and commit in one: for a payload that is already encoded, as in a broadcast. Returns the
	 * record's sequence, which may be any int32, so the verdict comes apart: see {@link reserve} for the codes.
	 */
	append(header: RecordHeader, payload: Uint8Array): "ok" | "full" | "too-large" {
		const at = this.reserve(payload.length);
		if (at < 0) return at === LANE_FULL ? "full" : "too-large";
		this.bytes.set(payload, at);
		this.commit(header, payload.length);
		return "ok";
	}

	/** Makes everything committed visible, with one store. Returns whether there was anything. */
	publish(): boolean {
		if (this.#written === this.#published) return false;
		this.#published = this.#written;
		this.#words.store(laneWords.tail, this.#published);
		const held = (this.#published - this.#headSeen) | 0;
		const header = this.#header;
		if (held > (header[laneWords.highWater] as number)) header[laneWords.highWater] = held;
		return true;
	}

	/**
	 * Goes on in another lane, usually a larger one: new, empty, and between the same threads. Everything committed
	 * is published, and then one record tells the reader, who finishes the old lane first. Sequences go on. Dying in
	 * the middle is harmless: whoever attaches to the old lane next completes the move.
	 */
	moveTo(next: SharedArrayBuffer): void {
		this.publish();
		const id = openLane(next, this.#options.fingerprint).header[laneWords.id] as number;
		const finalTail = (this.#written + this.#bytesFor(RECORD_HEADER_BYTES)) | 0;
		// In this order: who sees `replacedBy` knows the final tail, and whether the old lane has it.
		this.#words.store(laneWords.finalTail, finalTail);
		this.#words.store(laneWords.replacedBy, id);
		this.#writeMoved(id, next);
		this.#open(next);
	}

	/** A predecessor may have moved away from this lane, or died while it did. */
	#finishMove(): void {
		for (;;) {
			const id = this.#words.load(laneWords.replacedBy);
			if (id === 0) return;
			const next = this.#options.laneOf?.(id);
			assert(next !== undefined, "a writer finds the lane that replaced its own", { id });
			if (this.#published !== this.#words.load(laneWords.finalTail)) this.#writeMoved(id, next);
			this.#open(next);
		}
	}

	/** Writes and publishes the last record; the reserve has room for it. */
	#writeMoved(id: number, next: SharedArrayBuffer): void {
		const at = this.#written & (this.#capacity - 1);
		if (this.#capacity - at < RECORD_HEADER_BYTES) this.#pad(at, this.#capacity - at);
		const moved = new RecordHeader();
		moved.kind = recordKinds.moved;
		moved.correlation = id;
		this.#reservedAt = this.#written & (this.#capacity - 1);
		this.#reservedBytes = 0;
		const sequence = this.commit(moved, 0);
		// The reader opens the next lane only after it saw the moved record, so plain stores are early enough.
		const header = new Int32Array(next, 0, LANE_HEADER_WORDS);
		header[laneWords.tail] = sequence;
		header[laneWords.head] = sequence;
		this.publish();
	}

	#open(lane: SharedArrayBuffer): void {
		const { header, capacity } = openLane(lane, this.#options.fingerprint);
		this.#lane = lane;
		this.#header = header;
		this.#words = (this.#options.wordsOf ?? atomicWordsOf)(header);
		this.#capacity = capacity;
		this.#ring = new Int32Array(lane, LANE_HEADER_BYTES, capacity / 4);
		this.bytes = new Uint8Array(lane, LANE_HEADER_BYTES, capacity);
		this.view = new DataView(lane, LANE_HEADER_BYTES, capacity);
		this.recordBytesMax = recordBytesMax(capacity);
		this.#published = this.#words.load(laneWords.tail);
		this.#written = this.#published;
		this.#headSeen = this.#words.load(laneWords.head);
		this.#reservedAt = -1;
		this.#awaitsRoom = this.#words.load(laneWords.roomWanted) !== 0;
	}

	/** What a record of this span takes: with padding before it, if it would wrap. */
	#bytesFor(span: number): number {
		const toEnd = this.#capacity - (this.#written & (this.#capacity - 1));
		return span <= toEnd ? span : toEnd + span;
	}

	#hasRoom(bytes: number): boolean {
		const limit = this.#capacity - bytes;
		if (((this.#written - this.#headSeen) | 0) <= limit) return true;
		this.#headSeen = this.#words.load(laneWords.head);
		return ((this.#written - this.#headSeen) | 0) <= limit;
	}

	#pad(at: number, bytes: number): void {
		this.#ring[at >> 2] = bytes;
		this.#ring[(at >> 2) + 1] = recordKinds.padding;
		this.#written = (this.#written + bytes) | 0;
	}
}
