/**
 * Messages that are too large for one record of their lane: cut into fragment records by the producer, put together
 * again by the consumer. The fragments of a message follow each other in the lane, so that order between two
 * actors is kept; what follows something else is the rest of a message whose producer died, and is dropped.
 *
 * A fragment's payload starts with four words: total bytes, offset, the message's kind, and the number of the message
 * (the position of its first fragment). Its record header is the message's, but for the kind.
 *
 * Fragments are copied out as they come and may be freed at once, or a message larger than the lane could never
 * pass. So only the last one is found again by a replaced consumer: such a message dies with the thread that was receiving
 * it, as messages on shared threads do. Give a pair that sends many large messages a larger lane.
 */
import { assert } from "../../protocols/core/index.ts";
import { messageTooLarge } from "./errors.ts";
import { RECORD_HEADER_BYTES, RecordHeader, recordKinds } from "./lane-layout.ts";
import { LANE_FULL, type LaneWriter } from "./lane-writer.ts";

/** The largest message, in fragments. */
export const FRAGMENTED_BYTES_MAX: number = 8 * 1024 * 1024;
/** What one thread may hold in half-received messages; more wait in their lanes. */
export const ASSEMBLY_BYTES_MAX: number = 64 * 1024 * 1024;

const FRAGMENT_HEADER_BYTES = 16;
/** A fragment takes an eighth of its lane, so that producer and consumer work side by side. */
const FRAGMENTS_PER_LANE = 8;

/** One large message on its way into a lane. */
export class FragmentSender {
	readonly #header = new RecordHeader();
	readonly #kind: number;
	readonly #bytes: Uint8Array;
	#offset = 0;
	#number = 0;

	/**
	 * @param header of the whole message; copied
	 * @param bytes its payload; must not change until all is sent
	 * @throws QuorateError `message-too-large` over {@link FRAGMENTED_BYTES_MAX}
	 */
	constructor(header: RecordHeader, bytes: Uint8Array) {
		if (bytes.length > FRAGMENTED_BYTES_MAX) {
			throw messageTooLarge({ sizeBytes: bytes.length, limitBytes: FRAGMENTED_BYTES_MAX });
		}
		assert(bytes.length > 0, "a message in fragments has bytes");
		Object.assign(this.#header, header);
		this.#kind = header.kind;
		this.#header.kind = recordKinds.fragment;
		this.#bytes = bytes;
	}

	/** Bytes still to be sent. */
	get remainingBytes(): number {
		return this.#bytes.length - this.#offset;
	}

	/**
	 * Commits as many fragments as fit; the caller publishes. `full`: call again when the consumer has freed some,
	 * and write nothing else to this lane before.
	 */
	send(writer: LaneWriter): "sent" | "full" {
		const room = writer.bytes.length / FRAGMENTS_PER_LANE - RECORD_HEADER_BYTES - FRAGMENT_HEADER_BYTES;
		while (this.#offset < this.#bytes.length) {
			const length = Math.min(room, this.#bytes.length - this.#offset);
			const at = writer.reserve(FRAGMENT_HEADER_BYTES + length);
			if (at === LANE_FULL) return "full";
			assert(at >= 0, "a fragment is no larger than a record may be");
			if (this.#offset === 0) this.#number = writer.sequence;
			writer.view.setInt32(at, this.#bytes.length, true);
			writer.view.setInt32(at + 4, this.#offset, true);
			writer.view.setInt32(at + 8, this.#kind, true);
			writer.view.setInt32(at + 12, this.#number, true);
			writer.bytes.set(this.#bytes.subarray(this.#offset, this.#offset + length), at + FRAGMENT_HEADER_BYTES);
			writer.commit(this.#header, FRAGMENT_HEADER_BYTES + length);
			this.#offset += length;
		}
		return "sent";
	}
}

/** The memory that the assemblers of one thread share. */
export class AssemblyBudget {
	readonly limitBytes: number;
	#heldBytes = 0;

	constructor(limitBytes: number = ASSEMBLY_BYTES_MAX) {
		assert(limitBytes >= FRAGMENTED_BYTES_MAX, "one message of the largest size can be received", { limitBytes });
		this.limitBytes = limitBytes;
	}

	get heldBytes(): number {
		return this.#heldBytes;
	}

	/** Takes the bytes of a whole message at once, so that what has started can always end. */
	take(bytes: number): boolean {
		if (this.#heldBytes + bytes > this.limitBytes) return false;
		this.#heldBytes += bytes;
		return true;
	}

	giveBack(bytes: number): void {
		this.#heldBytes -= bytes;
		assert(this.#heldBytes >= 0, "no more is given back than was taken");
	}
}

/**
 * `more`: taken, goes on. `complete`: {@link FragmentAssembler.whole} has it. `wait`: no memory now, offer it again.
 * `orphan`: dropped, the message's beginning is missing; said once for a message.
 */
export type FragmentOutcome = "more" | "complete" | "wait" | "orphan";

/** Puts the fragments of one lane together. */
export class FragmentAssembler {
	readonly #budget: AssemblyBudget;
	#bytes: Buffer | undefined;
	#offset = 0;
	#number = 0;
	#kind = 0;
	/** Number of the last message that came without its beginning. */
	#rejected: number | undefined;

	constructor(budget: AssemblyBudget) {
		this.#budget = budget;
	}

	/** Whether a message is half received. */
	get isOpen(): boolean {
		return this.#bytes !== undefined;
	}

	/** Takes one fragment record's payload. */
	accept(bytes: Buffer, start: number, end: number): FragmentOutcome {
		const total = bytes.readInt32LE(start);
		const offset = bytes.readInt32LE(start + 4);
		const number = bytes.readInt32LE(start + 12);
		const length = end - start - FRAGMENT_HEADER_BYTES;
		assert(total > 0 && total <= FRAGMENTED_BYTES_MAX && offset + length <= total, "a fragment lies in its message");
		if (offset === 0) {
			if (this.isOpen) this.abandon();
			if (!this.#budget.take(total)) return "wait";
			this.#bytes = Buffer.allocUnsafeSlow(total);
			this.#number = number;
			this.#offset = 0;
			this.#kind = bytes.readInt32LE(start + 8);
		}
		const target = this.#bytes;
		const isSame = target !== undefined && number === this.#number && total === target.length;
		// The last fragment again: its receiver left the message, and takes it now.
		if (isSame && this.#offset === total && offset + length === total) return "complete";
		if (!isSame || offset !== this.#offset) return this.#reject(number);
		target.set(bytes.subarray(start + FRAGMENT_HEADER_BYTES, end), offset);
		this.#offset += length;
		return this.#offset === total ? "complete" : "more";
	}

	/** Reports the first fragment of a message whose beginning is missing, and skips the rest. */
	#reject(number: number): "orphan" | "more" {
		this.abandon();
		if (this.#rejected === number) return "more";
		this.#rejected = number;
		return "orphan";
	}

	/** The complete message and its kind. The bytes are whoever's takes them; {@link abandon} then ends it here. */
	get whole(): { readonly kind: number; readonly bytes: Buffer } {
		assert(this.#bytes !== undefined && this.#offset === this.#bytes.length, "the message is complete");
		return { kind: this.#kind, bytes: this.#bytes };
	}

	/** Forgets the message: it was taken over, or its producer died. */
	abandon(): void {
		if (this.#bytes === undefined) return;
		this.#budget.giveBack(this.#bytes.length);
		this.#bytes = undefined;
	}
}
