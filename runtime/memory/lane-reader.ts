/** The consumer's end of a lane. One per lane at a time, in the consuming thread. */
import { assert } from "../../protocols/core/index.ts";
import { laneCorrupt } from "./errors.ts";
import { atomicWordsOf, type LaneLookup, openLane, type WordsOf } from "./lane.ts";
import {
	LANE_HEADER_BYTES,
	laneWords,
	RECORD_ALIGNMENT_BYTES,
	RECORD_HEADER_BYTES,
	RecordHeader,
	recordBytesMax,
	recordKinds,
	spanOf,
} from "./lane-layout.ts";
import type { SharedWords } from "./shared-words.ts";

/** One bulk copy takes at most this much (or one record, if that is larger): it stays in the CPU's first cache. */
export const DRAIN_COPY_BYTES: number = 16 * 1024;

/**
 * What the receiver of a record says:
 * - `next`: took it, go on. Its space is given back by `free`.
 * - `absorb`: needs no more of it, go on. Its space goes back as soon as that of all records before it has.
 * - `stop`: took it, end this drain.
 * - `leave`: did not take it, end this drain and offer it again in the next.
 */
export type DrainVerdict = "next" | "absorb" | "stop" | "leave";

/**
 * Receives one record. `bytes[start, end)` is the payload in a private copy that the next drain overwrites: decode
 * it at once. The header object is used again for the next record.
 */
export type OnRecord = (header: RecordHeader, bytes: Buffer, start: number, end: number) => DrainVerdict;

export interface LaneReaderOptions {
	/** Refuse a lane made for another codec. Default: not checked. */
	readonly fingerprint?: number;
	/** Finds the lane that this one goes on in, when its writer moved. Default: lanes are never replaced. */
	readonly laneOf?: LaneLookup;
	/** Told when a free has made the room that the writer waits for; it wakes the writer's thread. */
	readonly onRoom?: (producer: number) => void;
	readonly wordsOf?: WordsOf;
}

/**
 * Reads records in order. Taking and freeing are apart: {@link drain} hands records out, {@link free} gives their
 * space back once they are processed. Whoever attaches next, in a new thread, starts at the first record that was
 * not freed and finds every one of them again.
 */
export class LaneReader {
	#words!: SharedWords;
	#ring!: Uint8Array;
	#capacity!: number;
	/** A tail that was true once. */
	#tailSeen!: number;
	/** Last stored `head`. */
	#freed!: number;
	/** Behind the last record handed out. */
	#taken!: number;
	/** Behind the last record handed out that waits to be freed; what follows it was absorbed. */
	#delivered!: number;
	/** Behind the last absorbed record. */
	#absorbed!: number;
	/** The scratch holds positions `[copiedFrom, copiedTo)` from its start on. */
	#copiedFrom!: number;
	#copiedTo!: number;
	#scratch: Buffer = Buffer.alloc(0);
	#scratchWords: Int32Array = new Int32Array(0);
	#draining = false;
	#awaitsMove = false;
	readonly #record = new RecordHeader();
	readonly #options: LaneReaderOptions;

	/** @throws QuorateError `lane-foreign`, `lane-fingerprint-mismatch` */
	constructor(lane: SharedArrayBuffer, options: LaneReaderOptions = {}) {
		this.#options = options;
		this.#open(lane);
	}

	/** The position behind the last record handed out. */
	get taken(): number {
		return this.#taken;
	}

	/** The position behind the last record freed. */
	get freed(): number {
		return this.#freed;
	}

	/** Whether records are published that no drain has handed out. */
	get hasMore(): boolean {
		return this.#words.load(laneWords.tail) !== this.#taken;
	}

	/**
	 * Hands out at most `recordsMax` records, and stops after the one that reaches `bytesMax` (header and alignment
	 * counted). Returns how many. If `onRecord` throws, its record counts as not taken.
	 * @throws QuorateError `lane-corrupt`
	 */
	drain(recordsMax: number, bytesMax: number, onRecord: OnRecord): number {
		assert(!this.#draining, "a drain does not start within a drain of the same lane");
		this.#draining = true;
		try {
			return this.#drain(recordsMax, bytesMax, onRecord);
		} finally {
			this.#draining = false;
		}
	}

	#drain(recordsMax: number, bytesMax: number, onRecord: OnRecord): number {
		const record = this.#record;
		this.#awaitsMove = false;
		let records = 0;
		let bytes = 0;
		while (records < recordsMax && bytes < bytesMax && this.#bringRecord()) {
			const start = (this.#taken - this.#copiedFrom) | 0;
			const span = this.#readHeader(start);
			if (record.kind === recordKinds.padding) {
				this.#taken = (this.#taken + span) | 0;
				this.#absorb(this.#taken);
				continue;
			}
			if (record.kind === recordKinds.moved) {
				this.#awaitsMove = !this.#follow(record);
				if (this.#awaitsMove) break;
				continue;
			}
			const length = this.#scratchWords[start >> 2] as number;
			const verdict = onRecord(record, this.#scratch, start + RECORD_HEADER_BYTES, start + length);
			if (verdict === "leave") break;
			records++;
			bytes += span;
			this.#taken = record.sequence;
			if (verdict === "absorb") this.#absorb(record.sequence);
			else this.#delivered = record.sequence;
			if (verdict === "stop") break;
		}
		return records;
	}

	/** Whether the last drain ended before a lane that is not free of this one's records, or not known here, yet. */
	get awaitsMove(): boolean {
		return this.#awaitsMove;
	}

	/** Whether every record handed out and not absorbed has been freed. */
	get isSettled(): boolean {
		return ((this.#freed - this.#delivered) | 0) >= 0;
	}

	#absorb(sequence: number): void {
		this.#absorbed = sequence;
		if (this.isSettled) this.free(sequence);
	}

	/** Goes on in the lane that the writer moved to, once this one is done with. False: not yet. */
	#follow(moved: RecordHeader): boolean {
		if (!this.isSettled) return false;
		const next = this.#options.laneOf?.(moved.correlation);
		if (next === undefined) return false;
		this.#taken = moved.sequence;
		this.free(moved.sequence);
		this.#open(next);
		return true;
	}

	#open(lane: SharedArrayBuffer): void {
		const { header, capacity } = openLane(lane, this.#options.fingerprint);
		this.#words = (this.#options.wordsOf ?? atomicWordsOf)(header);
		this.#capacity = capacity;
		this.#ring = new Uint8Array(lane, LANE_HEADER_BYTES, capacity);
		this.#record.producer = header[laneWords.producer] as number;
		const head = this.#words.load(laneWords.head);
		this.#tailSeen = this.#words.load(laneWords.tail);
		this.#freed = head;
		this.#taken = head;
		this.#delivered = head;
		this.#absorbed = head;
		this.#copiedFrom = head;
		this.#copiedTo = head;
		// A predecessor may have died between freeing and saying so.
		this.#offerRoom();
	}

	/** Gives back the space of all records up to this sequence; they are lost to a successor from here on. */
	free(throughSequence: number): void {
		assert(((throughSequence - this.#freed) | 0) >= 0, "freeing goes forward");
		assert(((this.#taken - throughSequence) | 0) >= 0, "only what was handed out is freed");
		const settles = ((throughSequence - this.#delivered) | 0) >= 0;
		const through = settles && ((this.#absorbed - throughSequence) | 0) > 0 ? this.#absorbed : throughSequence;
		if (through === this.#freed) return;
		this.#freed = through;
		this.#words.store(laneWords.head, through);
		this.#offerRoom();
	}

	/**
	 * Not for every few bytes, or writer and reader would take turns at the pace of the wake-ups. It comes to it: a
	 * lane that is freed to its end has all the room there is. `tailSeen` may be old, and room then be offered early.
	 * Only the writer takes its wish back, so that a reader that dies here, or before, leaves it to its successor.
	 */
	#offerRoom(): void {
		const wanted = this.#words.load(laneWords.roomWanted);
		if (wanted === 0) return;
		const room = this.#capacity - ((this.#tailSeen - this.#freed) | 0);
		if (room >= Math.max(wanted, this.#capacity / 2)) this.#options.onRoom?.(this.#record.producer);
	}

	/** Frees everything handed out. */
	freeTaken(): void {
		this.free(this.#taken);
	}

	/** Counts what this lane holds that was not handed out, by walking it; padding is not counted as records. */
	backlog(): { readonly records: number; readonly bytes: number } {
		const taken = this.#taken;
		const bytes = (this.#words.load(laneWords.tail) - taken) | 0;
		let records = 0;
		const counted = (taken + bytes) | 0;
		while (this.#taken !== counted && this.#bringRecord()) {
			const span = this.#readHeader((this.#taken - this.#copiedFrom) | 0);
			if (this.#record.kind < recordKinds.moved) records++;
			this.#taken = (this.#taken + span) | 0;
		}
		this.#taken = taken;
		this.#copiedFrom = taken;
		this.#copiedTo = taken;
		return { records, bytes };
	}

	/** Sees to it that the record at `taken` is whole in the scratch. False if none is published. */
	#bringRecord(): boolean {
		const held = (this.#copiedTo - this.#taken) | 0;
		if (held > 0 && spanOf(this.#lengthAt(this.#taken)) <= held) return true;
		this.#tailSeen = this.#words.load(laneWords.tail);
		const available = (this.#tailSeen - this.#taken) | 0;
		if (available === 0) return this.#isLeftBehind() && this.#bringRecord();
		this.#copy(Math.min(available, Math.max(DRAIN_COPY_BYTES, this.#scratch.length)));
		const span = spanOf(this.#lengthAt(this.#taken));
		if (span < RECORD_ALIGNMENT_BYTES || span > available || span > recordBytesMax(this.#capacity) * 2) {
			throw laneCorrupt({ position: this.#taken, lengthBytes: span, availableBytes: available });
		}
		if (span > ((this.#copiedTo - this.#taken) | 0)) this.#copy(span);
		return true;
	}

	/**
	 * At the end of a lane whose moved record a predecessor has already freed. Then the next lane is opened here, since no
	 * record will say so again.
	 */
	#isLeftBehind(): boolean {
		const id = this.#words.load(laneWords.replacedBy);
		if (id === 0 || this.#words.load(laneWords.finalTail) !== this.#taken) return false;
		const next = this.#options.laneOf?.(id);
		if (next === undefined) return false;
		this.#open(next);
		return true;
	}

	#lengthAt(position: number): number {
		return this.#scratchWords[((position - this.#copiedFrom) | 0) >> 2] as number;
	}

	/** Copies `[taken, taken + bytes)` to the start of the scratch: in two parts where the ring wraps. */
	#copy(bytes: number): void {
		if (bytes > this.#scratch.length) {
			this.#scratch = Buffer.allocUnsafeSlow(
				Math.min(this.#capacity, Math.max(DRAIN_COPY_BYTES, 2 ** Math.ceil(Math.log2(bytes)))),
			);
			this.#scratchWords = new Int32Array(this.#scratch.buffer);
		}
		const at = this.#taken & (this.#capacity - 1);
		const first = Math.min(bytes, this.#capacity - at);
		this.#words.copyOut(this.#ring, at, at + first, this.#scratch, 0);
		if (first < bytes) this.#words.copyOut(this.#ring, 0, bytes - first, this.#scratch, first);
		this.#copiedFrom = this.#taken;
		this.#copiedTo = (this.#taken + bytes) | 0;
	}

	/** Fills the record from the scratch and returns its span. */
	#readHeader(start: number): number {
		const words = this.#scratchWords;
		const at = start >> 2;
		const length = words[at] as number;
		const kinds = words[at + 1] as number;
		const record = this.#record;
		const span = spanOf(length);
		record.kind = kinds & 0xff;
		if (record.kind === recordKinds.padding) return span;
		if (length < RECORD_HEADER_BYTES || record.kind === 0 || record.kind > recordKinds.padding) {
			throw laneCorrupt({
				position: this.#taken,
				lengthBytes: length,
				availableBytes: (this.#copiedTo - this.#taken) | 0,
			});
		}
		record.flags = (kinds >>> 8) & 0xff;
		record.schema = kinds >>> 16;
		record.target = words[at + 2] as number;
		record.targetIncarnation = words[at + 3] as number;
		record.sender = words[at + 4] as number;
		record.senderIncarnation = words[at + 5] as number;
		record.correlation = words[at + 6] as number;
		record.deadlineMs = words[at + 7] as number;
		record.position = this.#taken;
		record.sequence = (this.#taken + span) | 0;
		return span;
	}
}
