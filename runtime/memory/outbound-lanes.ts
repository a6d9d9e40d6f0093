/** All lanes out of one thread, and the one flush that makes a turn's records visible. */
import { assert } from "../../protocols/core/index.ts";
import { ControlBlock } from "./control-block.ts";
import { THREADS_MAX } from "./control-layout.ts";
import type { WordsOf } from "./lane.ts";
import { LaneWriter, type LaneWriterOptions } from "./lane-writer.ts";

/**
 * A target for which so much has gathered is flushed at once: its consumer works while the producer still writes.
 * Without it a lane is filled, emptied, filled by turns, at the pace of the wake-ups.
 */
export const FLUSH_BYTES: number = 8 * 1024;

/** The two lanes from one thread to another. */
export interface LanePair {
	/** Messages between actors. */
	readonly user: SharedArrayBuffer;
	/** Stops, death notices, probes: small, never dropped, drained first. */
	readonly system: SharedArrayBuffer;
}

/** The way to one other thread. */
export class Outbound {
	readonly slot: number;
	readonly user: LaneWriter;
	readonly system: LaneWriter;
	readonly #control: ControlBlock;
	readonly #owner: number;
	/** In the owner's list of those to flush. @internal */
	isTouched = false;

	constructor(owner: number, control: ControlBlock, lanes: LanePair, options: LaneWriterOptions) {
		this.slot = control.slot;
		this.user = new LaneWriter(lanes.user, options);
		this.system = new LaneWriter(lanes.system, options);
		this.#control = control;
		this.#owner = owner;
	}

	/** Whether the consumer sleeps: a flush would have to wake it. */
	get isAsleep(): boolean {
		return this.#control.isParked;
	}

	/** Publishes both lanes, then tells the consumer. Returns whether there was anything. */
	flush(): boolean {
		if (!this.publish()) return false;
		this.ring();
		return true;
	}

	/** Publishes both lanes; returns whether there was anything. A consumer that sleeps has to be {@link ring rung} then, some time. */
	publish(): boolean {
		const system = this.system.publish();
		const user = this.user.publish();
		if (!system && !user) return false;
		this.#control.announceQuietly(this.#owner);
		return true;
	}

	/** Wakes the consumer if it sleeps. */
	ring(): void {
		this.#control.ring();
	}
}

export interface OutboundLanesOptions extends LaneWriterOptions {
	readonly wordsOf?: WordsOf;
}

/**
 * The producer's side of one thread. Commit records to a target's writer, {@link touch} it, and {@link flush} at the
 * end of the turn: a flush costs a lane three atomic operations, however many records it got. When a writer
 * answers that it is full, flush before you wait, or the consumer never learns what it is to free.
 */
export class OutboundLanes {
	readonly #control: SharedArrayBuffer;
	readonly #slot: number;
	readonly #own: ControlBlock;
	readonly #options: OutboundLanesOptions;
	readonly #targets: (Outbound | undefined)[] = new Array(THREADS_MAX).fill(undefined);
	/** At most {@link THREADS_MAX}. */
	readonly #touched: Outbound[] = [];

	/** @param slot of the thread that writes */
	constructor(control: SharedArrayBuffer, slot: number, options: OutboundLanesOptions = {}) {
		this.#control = control;
		this.#slot = slot;
		this.#own = new ControlBlock(control, slot, options.wordsOf);
		this.#options = options;
	}

	/** Attaches to the lanes to a slot, after its last published records. @throws QuorateError as {@link LaneWriter} */
	attach(target: number, lanes: LanePair): Outbound {
		assert(this.#targets[target] === undefined, "one writer for each target", { target });
		const block = new ControlBlock(this.#control, target, this.#options.wordsOf);
		const outbound = new Outbound(this.#slot, block, lanes, this.#options);
		this.#targets[target] = outbound;
		// A predecessor may have died between publishing and saying so.
		block.announce(this.#slot);
		return outbound;
	}

	/** The way to a slot, if it is attached. */
	to(target: number): Outbound | undefined {
		return this.#targets[target];
	}

	/** Notes that something was committed for this target; flushes it if that has become much ({@link FLUSH_BYTES}). */
	touch(outbound: Outbound): void {
		if (outbound.user.unpublishedBytes >= FLUSH_BYTES) {
			outbound.flush();
			return;
		}
		if (outbound.isTouched) return;
		outbound.isTouched = true;
		this.#touched.push(outbound);
	}

	/**
	 * Calls back for each target that has made the room a writer asked for with `awaitRoom`: send what waits for it. Call
	 * it in every turn; a thread with a room bit set does not park. Returns how many there were.
	 */
	takeRoom(onRoom: (outbound: Outbound) => void): number {
		let found = 0;
		for (const half of [0, 1] as const) {
			for (let bits = this.#own.takeRoom(half); bits !== 0; bits &= bits - 1) {
				const outbound = this.#targets[(half << 5) + 31 - Math.clz32(bits & -bits)];
				if (outbound === undefined) continue;
				found++;
				onRoom(outbound);
			}
		}
		return found;
	}

	/** Whether a flush has anything to do. */
	get hasTouched(): boolean {
		return this.#touched.length > 0;
	}

	/**
	 * Publishes what was touched, and then rings those who sleep: whoever is rung may take this thread's core, and those who are awake
	 * should have theirs by then. Returns how many targets got something.
	 */
	flush(): number {
		const touched = this.#touched;
		let flushed = 0;
		for (const outbound of touched) {
			outbound.isTouched = false;
			if (outbound.publish()) touched[flushed++] = outbound;
		}
		for (let i = 0; i < flushed; i++) (touched[i] as Outbound).ring();
		touched.length = 0;
		return flushed;
	}
}
