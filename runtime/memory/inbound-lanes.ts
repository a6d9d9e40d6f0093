/** All lanes into one thread: which have something, in which order they are drained, and large messages made whole. */
import { assert } from "../../protocols/core/index.ts";
import type { ControlBlock } from "./control-block.ts";
import { THREADS_MAX } from "./control-layout.ts";
import { AssemblyBudget, FragmentAssembler } from "./fragments.ts";
import { type RecordHeader, recordKinds } from "./lane-layout.ts";
import { type DrainVerdict, LaneReader, type LaneReaderOptions, type OnRecord } from "./lane-reader.ts";
import type { LanePair } from "./outbound-lanes.ts";

/** System records in one turn, so that they can not starve the users. */
export const SYSTEM_RECORDS_MAX = 64;
/** Default of {@link DrainLimits.sliceRecords}. */
export const SLICE_RECORDS = 64;
/** Default of {@link DrainLimits.turnRecords}. */
export const TURN_RECORDS = 256;
/** Default of {@link DrainLimits.sliceBytes}. */
export const SLICE_BYTES: number = 64 * 1024;

/** How much one turn takes before timers and I/O get theirs. */
export interface DrainLimits {
	/** User records from one lane before the next has its go. Default {@link SLICE_RECORDS}. */
	readonly sliceRecords?: number;
	/** Bytes from one lane before the next has its go. Default {@link SLICE_BYTES}. */
	readonly sliceBytes?: number;
	/** User records in the turn. Default {@link TURN_RECORDS}. */
	readonly turnRecords?: number;
}

/** `idle`: nothing is left. `more`: the turn's limit was reached. `held`: what is left waits for its receivers. */
export type DrainOutcome = "idle" | "more" | "held";

/** Why a message could not be put together, for dead letters: its producer, or its consumer, died in the middle. */
export type OnTorn = (header: RecordHeader) => void;

export interface InboundLanesOptions extends Omit<LaneReaderOptions, "onRoom"> {
	/** Told of each torn message, with the header of the record that showed it. Default: only counted. */
	readonly onTorn?: OnTorn;
	/**
	 * Frees what a slice handed out when it ends: for threads whose actors have taken their records over by then. Soon, so
	 * that the producer goes on meanwhile. Default false: the receiver frees what it has processed.
	 */
	readonly freeTaken?: boolean;
	/** Memory for messages in fragments. Default: its own, of the default size. */
	readonly budget?: AssemblyBudget;
}

/** The two lanes from one producer. */
export class Inbound {
	readonly user: LaneReader;
	readonly system: LaneReader;
	/** @internal */
	readonly userAssembler: FragmentAssembler;
	/** @internal */
	readonly systemAssembler: FragmentAssembler;

	constructor(lanes: LanePair, options: LaneReaderOptions, budget: AssemblyBudget) {
		this.user = new LaneReader(lanes.user, options);
		this.system = new LaneReader(lanes.system, options);
		this.userAssembler = new FragmentAssembler(budget);
		this.systemAssembler = new FragmentAssembler(budget);
	}
}

/**
 * The consumer's side of one thread. {@link drain} serves the system lanes first, at most
 * {@link SYSTEM_RECORDS_MAX} records a turn, and then the user lanes in turns of a slice each. Space is freed by the
 * caller after processing, `lanes.from(header.producer)?.user.free(header.sequence)`, or with `freeTaken` by the drain.
 */
export class InboundLanes {
	readonly #control: ControlBlock;
	readonly #options: InboundLanesOptions;
	readonly #readerOptions: LaneReaderOptions;
	readonly #budget: AssemblyBudget;
	readonly #lanes: (Inbound | undefined)[] = new Array(THREADS_MAX).fill(undefined);
	/** Producers whose lanes may hold something, one bit each, two words each. */
	readonly #systemPending: Int32Array = new Int32Array(2);
	readonly #userPending: Int32Array = new Int32Array(2);
	/** The user bits still open in this turn: a lane that is held keeps its pending bit for the next. */
	readonly #userOpen: Int32Array = new Int32Array(2);
	/** The producer whose turn is next. */
	#cursor = 0;
	#torn = 0;
	/** What the receiver said last in this slice. */
	#verdict: DrainVerdict = "next";
	#assembler: FragmentAssembler | undefined;
	#receiver: OnRecord = () => "leave";

	/** @param control the block of the thread that reads */
	constructor(control: ControlBlock, options: InboundLanesOptions = {}) {
		this.#control = control;
		this.#options = options;
		const onRoom = (producer: number): void => control.peer(producer).announceRoom(control.slot);
		this.#readerOptions = { ...options, onRoom };
		this.#budget = options.budget ?? new AssemblyBudget();
	}

	/** Attaches to the lanes from a slot, at the first record that was not freed. @throws QuorateError as {@link LaneReader} */
	attach(producer: number, lanes: LanePair): Inbound {
		assert(this.#lanes[producer] === undefined, "one reader for each producer", { producer });
		const inbound = new Inbound(lanes, this.#readerOptions, this.#budget);
		this.#lanes[producer] = inbound;
		// The producer may have announced itself before this thread knew the lane.
		mark(this.#systemPending, producer);
		mark(this.#userPending, producer);
		return inbound;
	}

	/** The lanes from a slot, if attached. */
	from(producer: number): Inbound | undefined {
		return this.#lanes[producer];
	}

	/** Messages lost because their producer or their earlier consumer died between two fragments. */
	get torn(): number {
		return this.#torn;
	}

	/** One turn. `onSystem` and `onUser` get whole messages; see {@link OnRecord} for what they may keep. */
	drain(onSystem: OnRecord, onUser: OnRecord, limits: DrainLimits = {}): DrainOutcome {
		const system = this.drainSystem(onSystem);
		const user = this.drainUsers(onUser, limits);
		if (system === "more" || user === "more") return "more";
		return system === "held" || user === "held" ? "held" : "idle";
	}

	/** Moves the dirty bits to the private ones. After it, whatever is published announces itself anew. */
	#scan(): void {
		for (const half of [0, 1] as const) {
			const dirty = this.#control.takeDirty(half);
			this.#systemPending[half] = (this.#systemPending[half] as number) | dirty;
			this.#userPending[half] = (this.#userPending[half] as number) | dirty;
		}
	}

	/** The first half of a turn: looks what has been published, and takes at most `recordsMax` records of the system lanes. */
	drainSystem(onSystem: OnRecord, recordsMax: number = SYSTEM_RECORDS_MAX): DrainOutcome {
		this.#scan();
		let left = recordsMax;
		let outcome: DrainOutcome = "idle";
		for (
			let producer = next(this.#systemPending, 0);
			producer >= 0;
			producer = next(this.#systemPending, producer + 1)
		) {
			if (left === 0) return "more";
			const inbound = this.#lanes[producer];
			if (inbound !== undefined) {
				left -= this.#slice(inbound.system, inbound.systemAssembler, left, SLICE_BYTES, onSystem);
				if (inbound.system.hasMore) {
					if (this.#isHeld(inbound.system)) outcome = "held";
					// Its slice was all that was left of the turn's.
					else return "more";
					continue;
				}
			}
			unmark(this.#systemPending, producer);
		}
		return outcome;
	}

	/**
	 * The second half: records of the user lanes, in turns of a slice each. It must not look anew: what it saw of the system
	 * lanes would be marked here, where the thread does not look before it sleeps, and nobody would come for it.
	 */
	drainUsers(onUser: OnRecord, limits: DrainLimits = {}): DrainOutcome {
		const { sliceRecords = SLICE_RECORDS, sliceBytes = SLICE_BYTES, turnRecords = TURN_RECORDS } = limits;
		let left = turnRecords;
		const open = this.#userOpen;
		open.set(this.#userPending);
		let outcome: DrainOutcome = "idle";
		for (;;) {
			let producer = next(open, this.#cursor);
			if (producer < 0) producer = next(open, 0);
			if (producer < 0) return outcome;
			if (left === 0) return "more";
			this.#cursor = (producer + 1) % THREADS_MAX;
			const inbound = this.#lanes[producer];
			if (inbound === undefined) {
				unmark(open, producer);
				unmark(this.#userPending, producer);
				continue;
			}
			left -= this.#slice(inbound.user, inbound.userAssembler, Math.min(left, sliceRecords), sliceBytes, onUser);
			if (!inbound.user.hasMore) {
				unmark(open, producer);
				unmark(this.#userPending, producer);
			} else if (this.#isHeld(inbound.user)) {
				outcome = "held";
				unmark(open, producer);
			}
			if (this.#verdict === "stop") return next(this.#userPending, 0) < 0 ? "idle" : "held";
		}
	}

	/** Drains one lane and notes what ended it. */
	#slice(
		reader: LaneReader,
		assembler: FragmentAssembler,
		recordsMax: number,
		bytesMax: number,
		receiver: OnRecord,
	): number {
		this.#assembler = assembler;
		this.#receiver = receiver;
		this.#verdict = "next";
		const drained = reader.drain(recordsMax, bytesMax, this.#receive);
		if (this.#options.freeTaken) reader.freeTaken();
		return drained;
	}

	/** Whether the last slice ended because of its receiver, or of a lane that is being replaced, and not by its limit. */
	#isHeld(reader: LaneReader): boolean {
		return this.#verdict === "leave" || this.#verdict === "stop" || reader.awaitsMove;
	}

	readonly #receive: OnRecord = (header, bytes, start, end) => {
		const assembler = this.#assembler as FragmentAssembler;
		if (header.kind === recordKinds.fragment) return this.#receiveFragment(assembler, header, bytes, start, end);
		if (assembler.isOpen) {
			assembler.abandon();
			this.#tear(header);
		}
		this.#verdict = this.#receiver(header, bytes, start, end);
		return this.#verdict;
	};

	#receiveFragment(
		assembler: FragmentAssembler,
		header: RecordHeader,
		bytes: Buffer,
		start: number,
		end: number,
	): DrainVerdict {
		switch (assembler.accept(bytes, start, end)) {
			case "more":
				return "absorb";
			case "wait":
				this.#verdict = "leave";
				return "leave";
			case "orphan":
				this.#tear(header);
				return "absorb";
			case "complete": {
				const { kind, bytes: whole } = assembler.whole;
				header.kind = kind;
				this.#verdict = this.#receiver(header, whole, 0, whole.length);
				// What was left, its last fragment brings again.
				if (this.#verdict !== "leave") assembler.abandon();
				return this.#verdict;
			}
		}
	}

	#tear(header: RecordHeader): void {
		this.#torn++;
		this.#options.onTorn?.(header);
	}
}

function mark(bits: Int32Array, producer: number): void {
	bits[producer >>> 5] = (bits[producer >>> 5] as number) | (1 << (producer & 31));
}

function unmark(bits: Int32Array, producer: number): void {
	bits[producer >>> 5] = (bits[producer >>> 5] as number) & ~(1 << (producer & 31));
}

/** The first marked producer from `from` on, or −1. */
function next(bits: Int32Array, from: number): number {
	for (let half = from >>> 5; half < 2; half++) {
		const word = (bits[half] as number) & (half === from >>> 5 ? -1 << (from & 31) : -1);
		if (word !== 0) return (half << 5) + 31 - Math.clz32(word & -word);
	}
	return -1;
}
