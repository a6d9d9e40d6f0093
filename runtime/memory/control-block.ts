/** One thread's block of the control memory: its own thread, its producers and its supervisor all look at it. */
import { assert } from "../../protocols/core/index.ts";
import {
	CONTROL_BLOCK_WORDS,
	CONTROL_BYTES,
	CONTROL_MARK,
	controlWords,
	THREADS_MAX,
	type ThreadState,
	threadStates,
} from "./control-layout.ts";
import { laneForeign } from "./errors.ts";
import { atomicWordsOf, type WordsOf } from "./lane.ts";
import type { RecordHeader } from "./lane-layout.ts";
import { LINE_WORDS, type SharedWords } from "./shared-words.ts";

/** The control memory of a process, for {@link THREADS_MAX} threads: 40 KiB. */
export function createControl(): SharedArrayBuffer {
	const control = new SharedArrayBuffer(CONTROL_BYTES);
	new Int32Array(control).set([CONTROL_MARK, THREADS_MAX]);
	return control;
}

/** The message that a thread is in, or was in when it died. */
export interface CurrentDispatch {
	readonly actor: number;
	readonly incarnation: number;
	/** The codec's number of the message's form. */
	readonly schema: number;
	readonly kind: number;
	/** Start of the dispatch, ms on the shared clock, modulo 2^32. */
	readonly startMs: number;
	/** Slot of the thread that sent it. */
	readonly producer: number;
	/** The sequence of its record in the lane from there. */
	readonly sequence: number;
	/** Times it was delivered before. */
	readonly attempts: number;
}

/** How often a reader looks again while the owner changes the dispatch; then it makes do with what it saw. */
const CONSISTENT_READS_MAX = 100;

/** The view of one slot. Any number of threads may have one; the methods say who may call them. */
export class ControlBlock {
	readonly slot: number;
	/** The words of the block, for the waiting strategies. @internal */
	readonly words: SharedWords;
	readonly #plain: Int32Array;
	readonly #control: SharedArrayBuffer;
	readonly #wordsOf: WordsOf;

	/** @throws QuorateError `lane-foreign` if the memory is not {@link createControl}'s */
	constructor(control: SharedArrayBuffer, slot: number, wordsOf: WordsOf = atomicWordsOf) {
		const mark = new Int32Array(control, 0, 1)[0] as number;
		if (mark !== CONTROL_MARK) throw laneForeign({ found: mark, expected: CONTROL_MARK });
		assert(Number.isInteger(slot) && slot >= 0 && slot < THREADS_MAX, "a thread slot", { slot });
		this.slot = slot;
		this.#control = control;
		this.#wordsOf = wordsOf;
		this.#plain = new Int32Array(control, (LINE_WORDS + slot * CONTROL_BLOCK_WORDS) * 4, CONTROL_BLOCK_WORDS);
		this.words = wordsOf(this.#plain);
	}

	/** The block of another slot of the same process. */
	peer(slot: number): ControlBlock {
		return new ControlBlock(this.#control, slot, this.#wordsOf);
	}

	get state(): ThreadState {
		const word = this.words.load(controlWords.state);
		const found = Object.entries(threadStates).find(([, value]) => value === word);
		assert(found !== undefined, "a thread state", { word });
		return found[0] as ThreadState;
	}

	/** Whether the owner sleeps, or has been rung and is not up yet. */
	get isParked(): boolean {
		const state = this.words.load(controlWords.state);
		return state === threadStates.parkedAsync || state === threadStates.parkedBlocking;
	}

	/** Lives of the slot so far, this one included. */
	get epoch(): number {
		return this.words.load(controlWords.epoch);
	}

	/**
	 * Owner: starts a life of the slot and returns its number, from 1. It forgets the last life's dispatch: the
	 * supervisor reads {@link currentDispatch} before it starts the replacement.
	 */
	beginLife(): number {
		const epoch = this.words.load(controlWords.epoch) + 1;
		this.#plain[controlWords.dispatchActive] = 0;
		this.words.store(controlWords.epoch, epoch);
		this.words.store(controlWords.state, threadStates.running);
		return epoch;
	}

	/** Supervisor, after the thread's `exit` event and never before: marks the slot dead. */
	markDead(): void {
		this.words.store(controlWords.state, threadStates.dead);
	}

	/**
	 * Producer, after it published to the owner's lanes: sets its bit, and rings if the owner sleeps. A supervisor calls it for
	 * a dead producer that has no successor: it may have died between publishing and announcing.
	 */
	announce(producer: number): void {
		this.announceQuietly(producer);
		this.ring();
	}

	/**
	 * The same without the bell: the owner finds it when it looks next, before it sleeps again; the producer owes it a {@link ring} if it
	 * {@link isParked sleeps} now.
	 */
	announceQuietly(producer: number): void {
		this.words.or(controlWords.dirty + (producer >>> 5), 1 << (producer & 31));
	}

	/**
	 * Rings the doorbell if the owner is parked; returns whether it rang. Anyone may call it; what the owner is to see must be
	 * stored before. Until the owner has come up each caller rings: to let only one of them do it would need a note that it
	 * is being done, and one that dies behind its note would leave the owner asleep.
	 */
	ring(): boolean {
		if (!this.isParked) return false;
		this.words.stampTime(controlWords.rungAt);
		this.words.add(controlWords.doorbell, 1);
		this.words.notify(controlWords.doorbell, 1);
		return true;
	}

	/** Owner, that was woken: microseconds since the last ring. What is not a wake-up's time (nobody rang) says nothing. */
	microsSinceRing(): number {
		return this.words.microsSince(controlWords.rungAt);
	}

	/**
	 * Watchdog: notifies a thread that sleeps, or was rung and did not come up, although something has arrived. If the
	 * handshake holds, this is never needed.
	 */
	ringAgain(): void {
		if (this.ring()) return;
		this.words.add(controlWords.doorbell, 1);
		this.words.notify(controlWords.doorbell, 1);
	}

	/** Consumer of one of the owner's lanes, after it freed what the owner waits for: sets its bit, and rings. */
	announceRoom(consumer: number): void {
		this.words.or(controlWords.room + (consumer >>> 5), 1 << (consumer & 31));
		this.ring();
	}

	/** Owner: takes 32 bits of the dirty bitmap, those of the producers `32 * half` and following. */
	takeDirty(half: 0 | 1): number {
		return this.#take(controlWords.dirty + half);
	}

	/** Owner: takes 32 bits of the room bitmap, those of the consumers `32 * half` and following. */
	takeRoom(half: 0 | 1): number {
		return this.#take(controlWords.room + half);
	}

	#take(index: number): number {
		return this.words.load(index) === 0 ? 0 : this.words.exchange(index, 0);
	}

	/** Whether anything was announced that the owner has not taken: what a parking thread looks at. */
	hasAnnounced(): boolean {
		const { words } = this;
		return (
			(words.load(controlWords.dirty) |
				words.load(controlWords.dirty + 1) |
				words.load(controlWords.room) |
				words.load(controlWords.room + 1)) !==
			0
		);
	}

	/** Owner, from a timer: it is alive at `nowMs` on the shared clock, and holds that much memory. */
	beat(nowMs: number, heapKib: number, externalKib: number): void {
		this.#plain[controlWords.heapKib] = heapKib;
		this.#plain[controlWords.externalKib] = externalKib;
		this.words.store(controlWords.heartbeat, nowMs | 0);
	}

	/** The last {@link beat}: its time modulo 2^32, and the owner's memory. */
	heartbeat(): { readonly atMs: number; readonly heapKib: number; readonly externalKib: number } {
		return {
			atMs: this.words.load(controlWords.heartbeat),
			heapKib: this.#plain[controlWords.heapKib] as number,
			externalKib: this.#plain[controlWords.externalKib] as number,
		};
	}

	/** Owner: a handler starts on this record. `attempts` counts earlier deliveries. */
	beginDispatch(header: RecordHeader, nowMs: number, attempts: number): void {
		const words = this.#plain;
		words[controlWords.dispatchCount] = ((words[controlWords.dispatchCount] as number) + 1) | 1;
		words[controlWords.dispatchActor] = header.target;
		words[controlWords.dispatchIncarnation] = header.targetIncarnation;
		words[controlWords.dispatchSchema] = header.schema;
		words[controlWords.dispatchKind] = header.kind;
		words[controlWords.dispatchStart] = nowMs;
		words[controlWords.dispatchProducer] = header.producer;
		words[controlWords.dispatchSequence] = header.sequence;
		words[controlWords.dispatchAttempts] = attempts;
		words[controlWords.dispatchActive] = 1;
		words[controlWords.dispatchCount] = ((words[controlWords.dispatchCount] as number) + 1) & ~1;
	}

	/** Owner: the handler is done. */
	endDispatch(): void {
		this.#plain[controlWords.dispatchActive] = 0;
	}

	/** What the owner is in now, or was in when it died; `undefined` if between messages. */
	currentDispatch(): CurrentDispatch | undefined {
		for (let reads = 1; ; reads++) {
			const before = this.words.load(controlWords.dispatchCount);
			const active = this.words.load(controlWords.dispatchActive) === 1;
			const dispatch = active ? this.#readDispatch() : undefined;
			const after = this.words.load(controlWords.dispatchCount);
			if ((before === after && (before & 1) === 0) || reads === CONSISTENT_READS_MAX) return dispatch;
		}
	}

	#readDispatch(): CurrentDispatch {
		const word = (index: number): number => this.#plain[index] as number;
		return {
			actor: word(controlWords.dispatchActor),
			incarnation: word(controlWords.dispatchIncarnation),
			schema: word(controlWords.dispatchSchema),
			kind: word(controlWords.dispatchKind),
			startMs: word(controlWords.dispatchStart),
			producer: word(controlWords.dispatchProducer),
			sequence: word(controlWords.dispatchSequence),
			attempts: word(controlWords.dispatchAttempts),
		};
	}
}
