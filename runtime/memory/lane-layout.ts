/**
 * The layout of a lane: offsets, sizes, and who writes what with which ordering. A lane is one SharedArrayBuffer,
 * a header of four lines and then a ring of bytes, for one ordered pair of threads.
 *
 * ```
 * line 0  written once, by createLane, before any other thread has the lane
 *   +0  mark            LANE_MARK: format and version
 *   +1  capacity        bytes of the ring, a power of two
 *   +2  producer        slot of the writing thread
 *   +3  consumer        slot of the reading thread
 *   +4  fingerprint     hash of the codec both sides must share
 *   +5  id              names the lane within the process; never 0
 * line 1  written by the producer
 *   +0  tail            position behind the last published record        atomic store, read by both
 *   +1  replaced-by     id of the lane that continues this one, or 0     atomic store before the last tail
 *   +2  final-tail      the tail behind the `moved` record               atomic store before replaced-by
 *   +3  room-wanted     free bytes the producer waits for, or 0          atomic store, read by both
 * line 2  written by the consumer
 *   +0  head            position behind the last freed record            atomic store, read by both
 * line 3  written by the producer, for observers; plain stores, one writer
 *   +0  refusals        reservations that found no room
 *   +1  high-water      most bytes ever held
 *   +2  records         records committed, modulo 2^32
 * ```
 *
 * Positions count bytes since the first lane of the pair, modulo 2^32, in Int32: compare them as `(a - b) | 0`. The
 * byte of a position is `position & (capacity - 1)`. The position behind a record is its sequence in the lane:
 * it grows with each record, it survives both threads, and no header word has to carry it.
 *
 * Safety of the single producer, single consumer ring:
 * 1. Only the producer stores `tail`, only the consumer stores `head`; all these accesses are sequentially consistent.
 * 2. The producer writes a record with plain stores and only then stores `tail`; the consumer loads `tail` and only
 *    then copies. So the consumer sees whole records only, and a producer that dies between leaves nothing visible.
 * 3. The producer overwrites a byte only after it loaded a `head` behind it; the consumer stores that `head` only
 *    after it is done with the bytes. So no record is overwritten before it is freed, and a consumer that dies
 *    before freeing leaves its records for its successor.
 *
 * Waiting for room is the wake-up handshake of `parking.ts` the other way round:
 * 1. The producer stores `room-wanted`, then loads `head` again, and goes to sleep only if there is still no room.
 * 2. The consumer stores `head`, then loads `room-wanted`. One of the two sees the other's store.
 */
import { assert } from "../../protocols/core/index.ts";
import { LINE_WORDS } from "./shared-words.ts";

/** "QLN" and the version of this layout. */
export const LANE_MARK = 0x514c_4e01;

/** Words of the header. */
export const laneWords = {
	mark: 0,
	capacity: 1,
	producer: 2,
	consumer: 3,
	fingerprint: 4,
	id: 5,
	tail: 32,
	replacedBy: 33,
	finalTail: 34,
	roomWanted: 35,
	head: 64,
	refusals: 96,
	highWater: 97,
	records: 98,
} as const;

export const LANE_HEADER_WORDS: number = 4 * LINE_WORDS;
export const LANE_HEADER_BYTES: number = LANE_HEADER_WORDS * 4;

export const LANE_CAPACITY_BYTES_MIN = 4096;
export const LANE_CAPACITY_BYTES_MAX: number = 2 ** 26;
/** Default capacity of a lane for the messages of actors. */
export const USER_LANE_BYTES: number = 64 * 1024;
/** Default capacity of a lane for stops, death notices and probes. */
export const SYSTEM_LANE_BYTES: number = 16 * 1024;

/** Records start at multiples of this. */
export const RECORD_ALIGNMENT_BYTES = 8;
/**
 * A record, 8-byte aligned, never wrapping; a padding record fills the end of the ring and has only the first two words.
 *
 * ```
 * +0  length               header and payload in bytes, without the alignment behind
 * +4  kind:8 | flags:8 | schema:16
 * +8  target               local id of the actor at the consumer
 * +12 target incarnation   of that actor; a message to an earlier one goes to dead letters
 * +16 sender               local id of the actor at the producer, 0 if none
 * +20 sender incarnation
 * +24 correlation          pairs a reply with its ask
 * +28 deadline             ms on the clock all threads share, 0 if none; see {@link deadlineAfter}
 * +32 payload
 * ```
 */
export const RECORD_HEADER_BYTES = 32;

/** Room that ordinary records leave free, so that a full lane can still say `moved` (with padding before it). */
export const MOVED_RESERVE_BYTES = 64;

/** What a record is. */
export const recordKinds = {
	tell: 1,
	ask: 2,
	reply: 3,
	failure: 4,
	signal: 5,
	/** A part of a message that is too large for one record; see `fragments.ts`. */
	fragment: 6,
	/** The last record of a lane: `correlation` is the id of the lane that continues. */
	moved: 7,
	padding: 8,
} as const;
export type RecordKind = (typeof recordKinds)[keyof typeof recordKinds];

/** Bits of a record's flags; the lane carries them and looks at none. */
export const recordFlags = {
	/** The payload ends with a trace context. */
	traced: 1,
	/** The sender marked it urgent: mailboxes with priorities put it first. */
	urgent: 2,
} as const;

/** The header of a record, as the reader sees it and the writer takes it. One object is used again and again: copy what you keep. */
export class RecordHeader {
	kind: number = recordKinds.tell;
	flags = 0;
	/** The codec's number for the payload's form. */
	schema = 0;
	target = 0;
	targetIncarnation = 0;
	sender = 0;
	senderIncarnation = 0;
	correlation = 0;
	deadlineMs = 0;
	/** Set by the reader: the slot of the producing thread. */
	producer = 0;
	/** Set by the reader: where the record starts in the lane. */
	position = 0;
	/** Set by the reader: the position behind the record, its sequence in the lane; give it to `free`. */
	sequence = 0;
}

/**
 * The word for a deadline `timeoutMs` after `nowMs`, on a clock of whole milliseconds that all threads share. It
 * wraps after 2^32 ms; a timeout is at most 2^31 − 1 ms (24 days). Never 0, which means none.
 */
export function deadlineAfter(nowMs: number, timeoutMs: number): number {
	assert(timeoutMs >= 0 && timeoutMs < 2 ** 31, "a deadline lies within 2^31 ms", { timeoutMs });
	return (Math.ceil(nowMs) + Math.ceil(timeoutMs)) | 0 || 1;
}

/** Whether the deadline has passed. */
export function isPastDeadline(deadlineMs: number, nowMs: number): boolean {
	return deadlineMs !== 0 && ((deadlineMs - Math.floor(nowMs)) | 0) < 0;
}

/** Rounds a record's length up to the alignment. */
export function spanOf(lengthBytes: number): number {
	return (lengthBytes + (RECORD_ALIGNMENT_BYTES - 1)) & -RECORD_ALIGNMENT_BYTES;
}

/** The largest record of a lane: with the padding it may need, and the reserve, it fits into the empty ring. */
export function recordBytesMax(capacityBytes: number): number {
	return capacityBytes / 2 - MOVED_RESERVE_BYTES;
}

assert(RECORD_HEADER_BYTES % RECORD_ALIGNMENT_BYTES === 0, "payloads are aligned");
assert(
	MOVED_RESERVE_BYTES >= RECORD_HEADER_BYTES + RECORD_HEADER_BYTES - RECORD_ALIGNMENT_BYTES,
	"the reserve holds a moved record and the largest padding before it",
);
assert(
	laneWords.tail === LINE_WORDS && laneWords.head === 2 * LINE_WORDS && laneWords.refusals === 3 * LINE_WORDS,
	"each writer has lines of its own",
);
