/** This thread's receiving end of a lane: whole messages in order, fragments put together. */
import type { ThreadSlot } from "../actor/address.ts";
import type { LaneKind } from "../actor/ports.ts";
import {
	type AssemblyBudget,
	type DrainVerdict,
	FragmentAssembler,
	LaneReader,
	type OnRecord,
	type RecordHeader,
	recordKinds,
} from "../memory/index.ts";

/** Hears of a large message whose beginning was lost with the thread that had received it. */
export type OnOrphan = (header: RecordHeader) => void;

export class InboundLane {
	readonly from: ThreadSlot;
	readonly kind: LaneKind;
	readonly #reader: LaneReader;
	readonly #assembler: FragmentAssembler;
	/** Free a fragment as soon as it is copied out: on dedicated threads nobody else does. */
	readonly #freeAtOnce: boolean;
	/** A whole large message that the receiver left for later; its last fragment is offered again. */
	#complete: { readonly kind: number; readonly bytes: Buffer } | null = null;
	#onRecord: OnRecord | null = null;
	#onOrphan: OnOrphan | null = null;

	constructor(
		from: ThreadSlot,
		kind: LaneKind,
		lane: SharedArrayBuffer,
		fingerprint: number,
		budget: AssemblyBudget,
		freeAtOnce: boolean,
	) {
		this.from = from;
		this.kind = kind;
		this.#reader = new LaneReader(lane, { fingerprint });
		this.#assembler = new FragmentAssembler(budget);
		this.#freeAtOnce = freeAtOnce;
	}

	get hasMore(): boolean {
		return this.#reader.hasMore;
	}

	/** Behind the last message handed out, see `Transport.drainedThrough`. */
	get taken(): number {
		return this.#reader.taken;
	}

	/** As {@link LaneReader.drain}; a message in fragments counts as one record and as many parts. */
	drain(recordsMax: number, bytesMax: number, onRecord: OnRecord, onOrphan: OnOrphan): number {
		this.#onRecord = onRecord;
		this.#onOrphan = onOrphan;
		return this.#reader.drain(recordsMax, bytesMax, this.#take);
	}

	freeThrough(sequence: number): void {
		this.#reader.free(sequence);
	}

	freeTaken(): void {
		this.#reader.freeTaken();
	}

	readonly #take: OnRecord = (header, bytes, start, end) => {
		if (header.kind !== recordKinds.fragment) return (this.#onRecord as OnRecord)(header, bytes, start, end);
		return this.#takeFragment(header, bytes, start, end);
	};

	#takeFragment(header: RecordHeader, bytes: Buffer, start: number, end: number): DrainVerdict {
		const { sequence } = header;
		if (this.#complete === null) {
			switch (this.#assembler.accept(bytes, start, end)) {
				case "wait":
					return "leave";
				case "orphan":
					this.#orphan(header, bytes, start, end);
					return this.#next(sequence);
				case "more":
					return this.#next(sequence);
				case "complete":
					this.#complete = this.#assembler.take();
			}
		}
		const { kind, bytes: message } = this.#complete;
		header.kind = kind;
		const verdict = (this.#onRecord as OnRecord)(header, message, 0, message.length);
		if (verdict !== "leave") this.#complete = null;
		return verdict;
	}

	#next(sequence: number): DrainVerdict {
		// What is being handed out is taken only when this returns, so free up to the one before.
		if (this.#freeAtOnce) this.#reader.freeTaken();
		void sequence;
		return "next";
	}

	/** Once for a message, with its last fragment. */
	#orphan(header: RecordHeader, bytes: Buffer, start: number, end: number): void {
		const totalBytes = bytes.readInt32LE(start);
		const offset = bytes.readInt32LE(start + 4);
		const isLast = offset + (end - start) >= totalBytes;
		header.kind = bytes.readInt32LE(start + 8);
		if (isLast) (this.#onOrphan as OnOrphan)(header);
	}
}
