/** Making a lane, and what both ends do when they attach to one. */
import { assert } from "../../protocols/core/index.ts";
import { laneCapacityInvalid, laneFingerprintMismatch, laneForeign } from "./errors.ts";
import {
	LANE_CAPACITY_BYTES_MAX,
	LANE_CAPACITY_BYTES_MIN,
	LANE_HEADER_BYTES,
	LANE_HEADER_WORDS,
	LANE_MARK,
	laneWords,
	USER_LANE_BYTES,
} from "./lane-layout.ts";
import { AtomicWords, type SharedWords } from "./shared-words.ts";

export interface LaneOptions {
	/** Names the lane within the process: a positive 31-bit integer, never used twice. */
	readonly id: number;
	/** Slot of the writing thread. */
	readonly producer: number;
	/** Slot of the reading thread. */
	readonly consumer: number;
	/** Bytes of the ring: a power of two in [4 KiB, 64 MiB]. Default {@link USER_LANE_BYTES}. */
	readonly capacityBytes?: number;
	/** Hash of the codec that both ends must have. Default 0. */
	readonly fingerprint?: number;
}

/**
 * A new, empty lane.
 * @throws QuorateError `lane-capacity-invalid`
 */
export function createLane(options: LaneOptions): SharedArrayBuffer {
	const { id, producer, consumer, capacityBytes = USER_LANE_BYTES, fingerprint = 0 } = options;
	if (
		!Number.isInteger(Math.log2(capacityBytes)) ||
		capacityBytes < LANE_CAPACITY_BYTES_MIN ||
		capacityBytes > LANE_CAPACITY_BYTES_MAX
	) {
		throw laneCapacityInvalid({ capacityBytes, minBytes: LANE_CAPACITY_BYTES_MIN, maxBytes: LANE_CAPACITY_BYTES_MAX });
	}
	assert(Number.isInteger(id) && id > 0 && id < 2 ** 31, "a lane id is a positive 31-bit integer", { id });
	const lane = new SharedArrayBuffer(LANE_HEADER_BYTES + capacityBytes);
	const header = new Int32Array(lane, 0, LANE_HEADER_WORDS);
	header[laneWords.mark] = LANE_MARK;
	header[laneWords.capacity] = capacityBytes;
	header[laneWords.producer] = producer;
	header[laneWords.consumer] = consumer;
	header[laneWords.fingerprint] = fingerprint;
	header[laneWords.id] = id;
	return lane;
}

/** What an observer may know of a lane without disturbing it. */
export interface LaneStatus {
	readonly id: number;
	readonly producer: number;
	readonly consumer: number;
	readonly capacityBytes: number;
	/** The tail: the sequence of the last published record. */
	readonly publishedThrough: number;
	/** Bytes published and not yet freed. */
	readonly heldBytes: number;
	/** Another lane continues this one, and its consumer has gone there: nobody will look here again. */
	readonly isLeft: boolean;
	readonly highWaterBytes: number;
	readonly refusals: number;
	readonly records: number;
}

/** Reads a lane's counters from any thread. */
export function laneStatus(lane: SharedArrayBuffer): LaneStatus {
	const { header } = openLane(lane, undefined);
	const word = (index: number): number => header[index] as number;
	const head = Atomics.load(header, laneWords.head);
	const tail = Atomics.load(header, laneWords.tail);
	return {
		id: word(laneWords.id),
		producer: word(laneWords.producer),
		consumer: word(laneWords.consumer),
		capacityBytes: word(laneWords.capacity),
		// Head before tail: the other order could show fewer than none.
		heldBytes: (tail - head) | 0,
		publishedThrough: tail,
		isLeft: Atomics.load(header, laneWords.replacedBy) !== 0 && head === word(laneWords.finalTail),
		highWaterBytes: word(laneWords.highWater),
		refusals: word(laneWords.refusals) >>> 0,
		records: word(laneWords.records) >>> 0,
	};
}

/** Finds a lane of this process by its id; `undefined` if this thread has not been given it yet. */
export type LaneLookup = (id: number) => SharedArrayBuffer | undefined;

/** How a test puts its scheduler between the lane and the memory. */
export type WordsOf = (words: Int32Array) => SharedWords;
export const atomicWordsOf: WordsOf = (words) => new AtomicWords(words);

/** Checks the header of a lane and returns it. @internal */
export function openLane(
	lane: SharedArrayBuffer,
	fingerprint: number | undefined,
): { readonly header: Int32Array; readonly capacity: number } {
	const header = new Int32Array(lane, 0, LANE_HEADER_WORDS);
	const mark = header[laneWords.mark] as number;
	if (mark !== LANE_MARK) throw laneForeign({ found: mark, expected: LANE_MARK });
	const capacity = header[laneWords.capacity] as number;
	assert(lane.byteLength === LANE_HEADER_BYTES + capacity, "a lane is as long as its header says");
	const found = header[laneWords.fingerprint] as number;
	if (fingerprint !== undefined && found !== fingerprint)
		throw laneFingerprintMismatch({ found, expected: fingerprint });
	return { header, capacity };
}
