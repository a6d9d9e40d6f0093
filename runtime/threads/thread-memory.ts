/**
 * The words that all threads of a system share beside lanes and wake-up: who lives in a slot, what its thread is at,
 * which message was interrupted how often, and how many messages wait in an actor's private mailbox. They exist so
 * that the main thread can still read them when the thread that wrote them is gone.
 *
 * ```
 * system words
 *   +0  lane-id       last lane id given                              atomic add, any thread
 *   +1  lane-kib      KiB of all lanes                                atomic add, any thread
 * one block per slot, of three lines: senders read the first for each message, the owner writes the second for each
 *   line 0  state         free, starting, running, dead               atomic store, main
 *        +1 life          see KernelPorts.life                        atomic store, main
 *   line 1  dispatch: the hook that is running                        plain stores, the slot's thread
 *        +0 active        1 while it runs
 *        +1 actor         +2 incarnation   +3 kind
 *        +4 message type  its index in the slot's table, 0 none
 *        +5 sender slot   −1 none; +6 sender actor, +7 sender incarnation
 *        +8 progress      hooks entered, modulo 2^32
 *   line 2  redelivery: the record that a death cut off               plain stores, main, while no thread lives there
 *        +0 lane          0 none, else lane key                       +1 sequence   +2 interruptions
 * ```
 *
 * The plain stores are read after the thread has ended, when they are settled; the watchdog reads them while they
 * change and may name the message before or after: it only names what has stood for seconds.
 */
import { assert } from "../../protocols/core/index.ts";
import type { Address, EnvelopeKind, LaneKind, LostMessages, ThreadSlot } from "../actor/index.ts";
import { LINE_WORDS, THREADS_MAX } from "../memory/index.ts";
import { laneMemoryExhausted } from "./errors.ts";
import { LANE_BYTES_MAX } from "./thread-limits.ts";

const SYSTEM_WORDS = 32;
const SLOT_WORDS: number = 3 * LINE_WORDS;
const words = {
	state: 0,
	life: 1,
	active: LINE_WORDS,
	actor: LINE_WORDS + 1,
	incarnation: LINE_WORDS + 2,
	kind: LINE_WORDS + 3,
	messageType: LINE_WORDS + 4,
	senderSlot: LINE_WORDS + 5,
	senderActor: LINE_WORDS + 6,
	senderIncarnation: LINE_WORDS + 7,
	progress: LINE_WORDS + 8,
	redeliveryLane: 2 * LINE_WORDS,
	redeliverySequence: 2 * LINE_WORDS + 1,
	interruptions: 2 * LINE_WORDS + 2,
} as const;
/** Message types of one thread that get a name; those met later are reported without one. */
const MESSAGE_TYPES_MAX = 127;
/** A name, one byte of length first; longer ones are cut. */
const MESSAGE_TYPE_BYTES = 64;
/** Actors of one thread whose waiting messages are counted apart; the rest is counted together as actor 0. */
const WAITING_ROWS = 1024;

const STATES_BYTES = (SYSTEM_WORDS + SLOT_WORDS * THREADS_MAX) * 4;
const TYPES_BYTES = (MESSAGE_TYPES_MAX + 1) * MESSAGE_TYPE_BYTES;
const WAITING_BYTES = WAITING_ROWS * 2 * 4;
const WAITING_FROM = STATES_BYTES + TYPES_BYTES * THREADS_MAX;
const TOTAL_BYTES = WAITING_FROM + WAITING_BYTES * THREADS_MAX;

const slotStates = ["free", "starting", "running", "dead"] as const;
export type SlotState = (typeof slotStates)[number];

const dispatchKinds = ["tell", "ask", "reply", "failure", "signal", "timer", "hook"] as const;
export type DispatchKind = EnvelopeKind | "timer" | "hook";

/** What a thread was, or is, at. */
export interface Dispatch {
	readonly actor: number;
	readonly incarnation: number;
	readonly kind: DispatchKind;
	readonly messageType: string | null;
	readonly sender: Address | null;
}

/** A record in a lane. */
export interface RecordPlace {
	readonly from: ThreadSlot;
	readonly kind: LaneKind;
	readonly sequence: number;
}

/** Makes the shared memory of a system: all zeroes, and only the pages that are used cost memory. */
export function createThreadMemory(): SharedArrayBuffer {
	return new SharedArrayBuffer(TOTAL_BYTES);
}

/** The words of the whole system. */
export class ThreadMemory {
	readonly #buffer: SharedArrayBuffer;
	readonly #words: Int32Array;

	constructor(buffer: SharedArrayBuffer) {
		assert(buffer.byteLength === TOTAL_BYTES, "thread memory has one size");
		this.#buffer = buffer;
		this.#words = new Int32Array(buffer, 0, STATES_BYTES / 4);
	}

	/** A lane id, never given before. */
	nextLaneId(): number {
		return Atomics.add(this.#words, 0, 1) + 1;
	}

	/** Books the bytes of a new lane. @throws QuorateError `lane-memory-exhausted` */
	bookLane(sizeBytes: number): void {
		const kib = Math.ceil(sizeBytes / 1024);
		const before = Atomics.add(this.#words, 1, kib);
		if ((before + kib) * 1024 <= LANE_BYTES_MAX) return;
		Atomics.sub(this.#words, 1, kib);
		throw laneMemoryExhausted({ wantedBytes: sizeBytes, usedBytes: before * 1024, maxBytes: LANE_BYTES_MAX });
	}

	/** Gives back what {@link bookLane} took. */
	unbookLane(sizeBytes: number): void {
		Atomics.sub(this.#words, 1, Math.ceil(sizeBytes / 1024));
	}

	get laneBytes(): number {
		return Atomics.load(this.#words, 1) * 1024;
	}

	stateOf(slot: ThreadSlot): SlotState {
		return slotStates[Atomics.load(this.#words, SYSTEM_WORDS + slot * SLOT_WORDS)] as SlotState;
	}

	/** Cheap form of `stateOf(slot) === "free"`: it is asked for each message. */
	isFree(slot: ThreadSlot): boolean {
		return Atomics.load(this.#words, SYSTEM_WORDS + slot * SLOT_WORDS) === 0;
	}

	lifeOf(slot: ThreadSlot): number {
		return Atomics.load(this.#words, SYSTEM_WORDS + slot * SLOT_WORDS + words.life);
	}

	slot(slot: ThreadSlot): SlotWords {
		assert(slot >= 0 && slot < THREADS_MAX, "a slot is in range", { slot });
		return new SlotWords(
			slot,
			new Int32Array(this.#buffer, (SYSTEM_WORDS + slot * SLOT_WORDS) * 4, SLOT_WORDS),
			new Uint8Array(this.#buffer, STATES_BYTES + slot * TYPES_BYTES, TYPES_BYTES),
			new Int32Array(this.#buffer, WAITING_FROM + slot * WAITING_BYTES, WAITING_ROWS * 2),
		);
	}
}

/** The words of one slot. */
export class SlotWords {
	readonly slot: ThreadSlot;
	readonly #words: Int32Array;
	readonly #types: Uint8Array;
	readonly #waiting: Int32Array;
	/** The writer's own index of its table of types. */
	readonly #typeIds = new Map<string, number>();
	#lastType: string | null = null;
	#lastTypeId = 0;
	readonly #rows = new Map<number, number>();
	readonly #rowsFree: number[] = [];
	#rowsUsed = 1;

	constructor(slot: ThreadSlot, words: Int32Array, types: Uint8Array, waiting: Int32Array) {
		this.slot = slot;
		this.#words = words;
		this.#types = types;
		this.#waiting = waiting;
	}

	/** Main: the slot's state and life change. */
	setState(state: SlotState, life: number): void {
		Atomics.store(this.#words, words.life, life);
		Atomics.store(this.#words, words.state, slotStates.indexOf(state));
	}

	/** Main, before a new life: nothing runs and nothing waits. */
	clear(): void {
		this.#words.fill(0, words.active, words.progress + 1);
		this.#types.fill(0);
		this.#waiting.fill(0);
	}

	/** The thread: this hook runs from here. */
	enter(actor: Address, kind: DispatchKind, messageType: string | null, sender: Address | null): void {
		const own = this.#words;
		own[words.actor] = actor.actor;
		own[words.incarnation] = actor.incarnation;
		own[words.kind] = dispatchKinds.indexOf(kind);
		own[words.messageType] = messageType === this.#lastType ? this.#lastTypeId : this.#typeId(messageType);
		if (sender === null) own[words.senderSlot] = -1;
		else {
			own[words.senderSlot] = sender.slot;
			own[words.senderActor] = sender.actor;
			own[words.senderIncarnation] = sender.incarnation;
		}
		own[words.active] = 1;
		own[words.progress] = ((own[words.progress] as number) + 1) | 0;
	}

	/** The thread: its synchronous part is over. */
	leave(): void {
		this.#words[words.active] = 0;
	}

	/** What runs, or ran when the thread ended; null between hooks. */
	dispatch(): Dispatch | null {
		const word = (index: number): number => this.#words[index] as number;
		if (word(words.active) !== 1) return null;
		const slot = word(words.senderSlot) as ThreadSlot;
		return {
			actor: word(words.actor),
			incarnation: word(words.incarnation),
			kind: dispatchKinds[word(words.kind)] as DispatchKind,
			messageType: this.#typeName(word(words.messageType)),
			sender: slot < 0 ? null : { slot, actor: word(words.senderActor), incarnation: word(words.senderIncarnation) },
		};
	}

	/** Grows with each hook: a thread whose number stands still while it runs is stuck in one. */
	get progress(): number {
		return this.#words[words.progress] as number;
	}

	/** Main: the interrupted record and how often it has been interrupted by now; null when the thread was between records. */
	setRedelivery(place: RecordPlace | null, interruptions: number): void {
		this.#words[words.redeliveryLane] = place === null ? 0 : laneKey(place.from, place.kind);
		this.#words[words.redeliverySequence] = place?.sequence ?? 0;
		this.#words[words.interruptions] = interruptions;
	}

	/** How often the record behind which the lane's sequence is this one was interrupted. */
	interruptionsOf(key: number, sequence: number): number {
		const own = this.#words;
		if (own[words.redeliveryLane] !== key || own[words.redeliverySequence] !== sequence) return 0;
		return own[words.interruptions] as number;
	}

	/** The thread: so many messages wait in the private mailbox of this actor. */
	setWaiting(actor: number, messages: number): void {
		let row = this.#rows.get(actor);
		if (row === undefined) {
			if (messages === 0) return;
			row = this.#rowsFree.pop() ?? (this.#rowsUsed < WAITING_ROWS ? this.#rowsUsed++ : 0);
			this.#rows.set(actor, row);
			if (row !== 0) this.#waiting[row * 2] = actor;
		}
		if (row === 0) {
			// One row for all who came too late: what they hold together is lost together.
			this.#waiting[1] = Math.max(this.#waiting[1] as number, messages);
			return;
		}
		this.#waiting[row * 2 + 1] = messages;
		if (messages === 0) {
			this.#rows.delete(actor);
			this.#rowsFree.push(row);
		}
	}

	/** Main: what waited when the thread ended. */
	waiting(): readonly LostMessages[] {
		const lost: LostMessages[] = [];
		for (let row = 0; row < WAITING_ROWS; row++) {
			const messages = this.#waiting[row * 2 + 1] as number;
			if (messages > 0) lost.push({ actor: this.#waiting[row * 2] as number, messages });
		}
		return lost;
	}

	#typeId(messageType: string | null): number {
		let id = 0;
		if (messageType !== null) {
			id = this.#typeIds.get(messageType) ?? this.#addType(messageType);
		}
		this.#lastType = messageType;
		this.#lastTypeId = id;
		return id;
	}

	#addType(messageType: string): number {
		const id = this.#typeIds.size + 1;
		if (id > MESSAGE_TYPES_MAX) return 0;
		this.#typeIds.set(messageType, id);
		const bytes = Buffer.from(messageType).subarray(0, MESSAGE_TYPE_BYTES - 1);
		this.#types.set(bytes, id * MESSAGE_TYPE_BYTES + 1);
		this.#types[id * MESSAGE_TYPE_BYTES] = bytes.length;
		return id;
	}

	#typeName(id: number): string | null {
		if (id <= 0 || id > MESSAGE_TYPES_MAX) return null;
		const from = id * MESSAGE_TYPE_BYTES + 1;
		// Copied out first: text is never decoded from shared memory.
		const bytes = Buffer.from(this.#types.slice(from, from + (this.#types[from - 1] as number)));
		return bytes.toString("utf8");
	}
}

/** A lane into a slot as one word, never 0. */
export function laneKey(from: ThreadSlot, kind: LaneKind): number {
	return 1 + from * 2 + (kind === "system" ? 1 : 0);
}
