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
 * What a member's thread is told to do to itself. It takes the order by writing {@link TAKEN} over it, and a `stand` or a
 * `spin` is over as soon as the word says `none` again.
 */
export const memberOrders = { none: 0, exhaustMemory: 1, stand: 2, spin: 3 } as const;
export type MemberOrder = (typeof memberOrders)[keyof typeof memberOrders];
const TAKEN = 4;

/** What the disk is told: to work, to stand still, or to fail for good. */
export const diskOrders = { work: 0, stall: 1, full: 2, fail: 3 } as const;
export type DiskOrder = (typeof diskOrders)[keyof typeof diskOrders];

const BOARD_BYTES = 64 * 1024;
const VERSION = 0;
const LENGTH = 1;
const DISK_ORDER = 2;
/** Milliseconds that each flush takes longer. */
const DISK_DELAY = 3;
/** One word for each member, by its place in the group. */
const ORDERS_FROM = 4;
const TEXT_FROM_BYTES = (ORDERS_FROM + NODES_MAX + 1) * 4;

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
		this.#words = new Int32Array(memory, 0, ORDERS_FROM + NODES_MAX);
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

	orderDisk(order: DiskOrder): void {
		Atomics.store(this.#words, DISK_ORDER, order);
	}

	/** Each flush takes so much longer from now on; milliseconds, in whole. */
	delayDisk(delayMs: number): void {
		Atomics.store(this.#words, DISK_DELAY, Math.round(delayMs));
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
		this.#words = new Int32Array(memory, 0, ORDERS_FROM + NODES_MAX);
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
		else while (Atomics.load(this.#words, at) === TAKEN);
	}

	get diskOrder(): DiskOrder {
		return Atomics.load(this.#words, DISK_ORDER) as DiskOrder;
	}

	get diskDelayMs(): number {
		return Atomics.load(this.#words, DISK_DELAY);
	}
}
