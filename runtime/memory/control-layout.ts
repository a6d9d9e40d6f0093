/**
 * The layout of the control memory: one SharedArrayBuffer for the process, one line of identity and then one block
 * for each thread slot. Who writes what:
 *
 * ```
 * identity   mark, slots                                               written once, by createControl
 * block of a slot, five lines
 *   line 0   state            see {@link threadStates}; the owner stores it, the supervisor stores dead; atomic
 *   line 1   doorbell         producers add one and notify; the owner waits on it; atomic
 *            rung at          µs of the last ring, stamped by whoever rings; plain, since it only teaches the owner what being
 *                             woken costs
 *   line 2   dirty 0, 1       bit p: the producer in slot p has published since the owner last looked; producers
 *                             set bits, the owner exchanges with 0; atomic
 *            room 0, 1        bit c: the consumer in slot c has made the room that the owner's lane to it waits for;
 *                             consumers set bits, the owner exchanges with 0; atomic
 *   line 3   epoch            lives of the slot so far; written at the start of a life
 *            heartbeat        ms on the shared clock, stored by the owner's timer
 *            heap, external   KiB of the owner's V8 heap, and of its memory outside (buffers), which Node's
 *                             `resourceLimits` do not cover
 *   line 4   the dispatch that the owner is in: active, actor, incarnation, schema, start (ms), producer,
 *            sequence, attempts, kind, count
 * ```
 *
 * Lines 3 and 4 have one writer, the owner, and are written with plain stores: they cost a dispatch nothing. That is
 * enough for their readers. After the thread's `exit` event all its stores are visible; a thread that hangs made
 * them long ago; and while it runs, `count` (odd while the words change) tells a reader to look again.
 */
import { assert } from "../../protocols/core/index.ts";
import { LINE_WORDS } from "./shared-words.ts";

/** "QCT" and the version of this layout. */
export const CONTROL_MARK = 0x5143_5401;
/** Thread slots of a process; slot 0 is the main thread. Bounded by the 64 bits of a dirty bitmap. */
export const THREADS_MAX = 64;

/** Words within a block. */
export const controlWords = {
	state: 0,
	doorbell: 32,
	rungAt: 33,
	dirty: 64,
	room: 66,
	epoch: 96,
	heartbeat: 97,
	heapKib: 98,
	externalKib: 99,
	dispatchActive: 128,
	dispatchActor: 129,
	dispatchIncarnation: 130,
	dispatchSchema: 131,
	dispatchStart: 132,
	dispatchProducer: 133,
	dispatchSequence: 134,
	dispatchAttempts: 135,
	dispatchKind: 136,
	dispatchCount: 137,
} as const;

export const CONTROL_BLOCK_WORDS: number = 5 * LINE_WORDS;
export const CONTROL_BYTES: number = (LINE_WORDS + THREADS_MAX * CONTROL_BLOCK_WORDS) * 4;

/** The states of a thread slot. */
export const threadStates = {
	/** No thread has had this slot yet. */
	vacant: 0,
	running: 1,
	/** Waits in `Atomics.waitAsync`: its event loop serves timers and I/O meanwhile. */
	parkedAsync: 2,
	/** Blocked in `Atomics.wait`. */
	parkedBlocking: 3,
	/** Its thread has exited. */
	dead: 4,
} as const;
export type ThreadState = keyof typeof threadStates;

assert(
	controlWords.doorbell === LINE_WORDS &&
		controlWords.dirty === 2 * LINE_WORDS &&
		controlWords.epoch === 3 * LINE_WORDS &&
		controlWords.dispatchActive === 4 * LINE_WORDS,
	"each hot word has a line of its own",
);
