/**
 * Where an experiment on threads writes which network faults are in force, and each member's thread reads it: shared
 * memory, so that a thread that was just restarted knows at once, and no order has to pass the mailbox that a fault may
 * have filled.
 *
 * One writer. The text of the faults lies between two readings of a version that is odd while it is written: a reader that
 * finds it odd or changed reads again (a sequence lock, as Linux's seqlock_t).
 */
import type { NetworkFault } from "../../runtime/index.ts";
import { NODES_MAX } from "../swarm/index.ts";
import { faultsTooLarge } from "./errors.ts";

/** A fault in force; the number tells it from others of the same kind. */
export interface NumberedFault {
	readonly number: number;
	readonly fault: NetworkFault;
}

/**
 * What a member's thread is told to do to itself. It takes the order by writing {@link TAKEN} over it. A `stand`, a `spin` and
 * a `hold` (take no message out of the mailbox) are over as soon as the word says `none` again.
 */
export const memberOrders = { none: 0, exhaustMemory: 1, stand: 2, spin: 3, hold: 4 } as const;
export type MemberOrder = (typeof memberOrders)[keyof typeof memberOrders];
const TAKEN = 5;

/** What is wrong with the disk. */
export interface DiskState {
	/** Flushes wait until this is over. */
	readonly isStalled: boolean;
	/** Flushes fail for want of space. */
	readonly isFull: boolean;
	/** Milliseconds that each flush takes longer, in whole. */
	readonly delayMs: number;
	/** With these probabilities a flush, or a read, fails. */
	readonly flushFails: number;
	readonly readFails: number;
}

/** Of probabilities in words of the board. */
const MILLIONTHS = 1_000_000;

const BOARD_BYTES = 64 * 1024;
const VERSION = 0;
const LENGTH = 1;
/** 1: stalled; 2: full; their sum: both. */
const DISK_TROUBLE = 2;
const DISK_DELAY = 3;
const DISK_FLUSH_FAILS = 4;
const DISK_READ_FAILS = 5;
/** One word for each member, by its place in the group. */
const ORDERS_FROM = 6;
/** One word for each member: how many faults want the lanes to it full. */
const FILLED_FROM = ORDERS_FROM + NODES_MAX;
const WORDS = FILLED_FROM + NODES_MAX;
const TEXT_FROM_BYTES = WORDS * 4;

/** The memory of a board; it goes to threads as it is. */
export function createFaultBoard(): SharedArrayBuffer {
	return new SharedArrayBuffer(BOARD_BYTES);
}

/** The experiment's side. */
export class FaultBoardWriter {
	readonly #words: Int32Array;
	readonly #text: Uint8Array;
	#faults: readonly NumberedFault[] = [];
	#numbers = 0;

	constructor(memory: SharedArrayBuffer) {
		this.#words = new Int32Array(memory, 0, WORDS);
		this.#text = new Uint8Array(memory, TEXT_FROM_BYTES);
	}

	/** Puts a fault in force; returns what ends it. @throws QuorateError `faults-too-large` */
	add(fault: NetworkFault): () => void {
		this.#numbers += 1;
		const numbered: NumberedFault = { number: this.#numbers, fault };
		this.#write([...this.#faults, numbered]);
		return () => this.#write(this.#faults.filter((one) => one !== numbered));
	}

	/** Orders a member's thread to do something to itself. */
	order(member: number, order: MemberOrder): void {
		Atomics.store(this.#words, ORDERS_FROM + member, order);
		Atomics.notify(this.#words, ORDERS_FROM + member);
	}

	/** The members fill the lanes to this one, and keep them full, until what is returned is called. */
	fillLanes(member: number): () => void {
		Atomics.add(this.#words, FILLED_FROM + member, 1);
		return () => {
			Atomics.sub(this.#words, FILLED_FROM + member, 1);
		};
	}

	/** What is wrong with the disk from now on. */
	set disk({ isStalled, isFull, delayMs, flushFails, readFails }: DiskState) {
		Atomics.store(this.#words, DISK_TROUBLE, (isStalled ? 1 : 0) + (isFull ? 2 : 0));
		Atomics.store(this.#words, DISK_DELAY, Math.round(delayMs));
		Atomics.store(this.#words, DISK_FLUSH_FAILS, Math.round(flushFails * MILLIONTHS));
		Atomics.store(this.#words, DISK_READ_FAILS, Math.round(readFails * MILLIONTHS));
	}

	#write(faults: readonly NumberedFault[]): void {
		const bytes = Buffer.from(JSON.stringify(faults));
		if (bytes.length > this.#text.length) throw faultsTooLarge({ bytes: bytes.length, limit: this.#text.length });
		Atomics.add(this.#words, VERSION, 1);
		this.#text.set(bytes);
		Atomics.store(this.#words, LENGTH, bytes.length);
		Atomics.add(this.#words, VERSION, 1);
		this.#faults = faults;
	}
}

/** A member's side. */
export class FaultBoardReader {
	readonly #words: Int32Array;
	readonly #text: Uint8Array;
	#version = 0;

	constructor(memory: SharedArrayBuffer) {
		this.#words = new Int32Array(memory, 0, WORDS);
		this.#text = new Uint8Array(memory, TEXT_FROM_BYTES);
	}

	/** The faults in force if they are others than at the last call; null if not. Costs one load then. */
	changed(): readonly NumberedFault[] | null {
		for (;;) {
			const version = Atomics.load(this.#words, VERSION);
			if (version === this.#version) return null;
			// A plain copy may tear while the writer is at work; the second look at the version tells.
			const text = Buffer.from(this.#text.subarray(0, Atomics.load(this.#words, LENGTH))).toString();
			if (version % 2 === 1 || Atomics.load(this.#words, VERSION) !== version) continue;
			this.#version = version;
			return JSON.parse(text) as readonly NumberedFault[];
		}
	}

	/** The order that waits for this member, which is then taken. */
	takeOrder(member: number): MemberOrder {
		const at = ORDERS_FROM + member;
		const order = Atomics.load(this.#words, at);
		if (order === memberOrders.none || order === TAKEN) return memberOrders.none;
		Atomics.compareExchange(this.#words, at, order, TAKEN);
		return order as MemberOrder;
	}

	/** Stands still, or spins, until the order is withdrawn. */
	stand(member: number, order: MemberOrder): void {
		const at = ORDERS_FROM + member;
		if (order === memberOrders.stand) Atomics.wait(this.#words, at, TAKEN);
		else if (order === memberOrders.spin) while (Atomics.load(this.#words, at) === TAKEN);
	}

	/** Whether an order that was taken is still to be obeyed. */
	isTaken(member: number): boolean {
		return Atomics.load(this.#words, ORDERS_FROM + member) === TAKEN;
	}

	/** Whether the lanes to this member are to be full. */
	isFilled(member: number): boolean {
		return Atomics.load(this.#words, FILLED_FROM + member) > 0;
	}

	get disk(): DiskState {
		const trouble = Atomics.load(this.#words, DISK_TROUBLE);
		return {
			isStalled: trouble % 2 === 1,
			isFull: trouble >= 2,
			delayMs: Atomics.load(this.#words, DISK_DELAY),
			flushFails: Atomics.load(this.#words, DISK_FLUSH_FAILS) / MILLIONTHS,
			readFails: Atomics.load(this.#words, DISK_READ_FAILS) / MILLIONTHS,
		};
	}
}
