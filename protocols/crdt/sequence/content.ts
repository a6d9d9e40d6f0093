/** What the elements of sequences are, by id, in pages: splitting and joining runs moves no content. */
import type { Value } from "../encoding/value.ts";
import { DELETED } from "./run-arena.ts";

const PAGE_BITS = 10;
const PAGE = 1 << PAGE_BITS;
const PAGE_MASK = PAGE - 1;

/** Runs as they were loaded, in order of their places. */
export interface LoadedRuns {
	readonly replica: Int32Array;
	readonly sequence: Int32Array;
	readonly length: Int32Array;
	readonly flags: Uint8Array;
}

/**
 * UTF-16 units of texts. What is loaded stays as it came, one text in order, until something asks for units by their ids: who only shows
 * it never pays for that.
 */
export class TextContent {
	/** By replica, then by page; absent where a replica has written no text. */
	readonly #pages: (Uint16Array | undefined)[][] = [];
	/** By the number of their sequence. */
	#loaded: Map<number, { readonly units: Uint16Array; readonly runs: LoadedRuns }> | null = null;

	/** The visible units of a whole sequence; nothing of it is here yet. */
	load(sequenceNumber: number, units: Uint16Array, runs: LoadedRuns): void {
		this.#loaded ??= new Map();
		this.#loaded.set(sequenceNumber, { units, runs });
	}

	/** The units of a sequence as it was loaded, or null if that is not at hand. */
	loadedUnits(sequenceNumber: number): Uint16Array | null {
		return this.#loaded?.get(sequenceNumber)?.units ?? null;
	}

	/** The units of a text become those of the ids from `sequence` on. */
	write(replica: number, sequence: number, text: string): void {
		if (this.#loaded !== null) this.#spread();
		for (let i = 0; i < text.length; i++) {
			const at = sequence + i;
			const page = this.#pages[replica]?.[at >> PAGE_BITS] ?? this.#addPage(replica, at >> PAGE_BITS);
			page[at & PAGE_MASK] = text.charCodeAt(i);
		}
	}

	unit(replica: number, sequence: number): number {
		if (this.#loaded !== null) this.#spread();
		return this.#pages[replica]![sequence >> PAGE_BITS]![sequence & PAGE_MASK]!;
	}

	/** The unit of an id; 0 where none is held. */
	heldUnit(replica: number, sequence: number): number {
		if (this.#loaded !== null) this.#spread();
		return this.#pages[replica]?.[sequence >> PAGE_BITS]?.[sequence & PAGE_MASK] ?? 0;
	}

	/** The text of consecutive ids. */
	read(replica: number, sequence: number, length: number): string {
		if (this.#loaded !== null) this.#spread();
		const pages = this.#pages[replica]!;
		let text = "";
		let at = sequence;
		const end = sequence + length;
		while (at < end) {
			const from = at & PAGE_MASK;
			const to = Math.min(PAGE, from + end - at);
			text += decodeUnits(pages[at >> PAGE_BITS]!, from, to);
			at += to - from;
		}
		return text;
	}

	/** Copies units of consecutive ids into a buffer. */
	copyTo(units: Uint16Array, at: number, replica: number, sequence: number, length: number): void {
		if (this.#loaded !== null) this.#spread();
		const pages = this.#pages[replica]!;
		if (length < COPY_BY_UNIT_BELOW) {
			for (let i = 0; i < length; i++) {
				units[at + i] = pages[(sequence + i) >> PAGE_BITS]![(sequence + i) & PAGE_MASK]!;
			}
			return;
		}
		for (let done = 0; done < length; ) {
			const from = (sequence + done) & PAGE_MASK;
			const to = Math.min(PAGE, from + length - done);
			units.set(pages[(sequence + done) >> PAGE_BITS]!.subarray(from, to), at + done);
			done += to - from;
		}
	}

	/** Drops everything. */
	clear(): void {
		this.#loaded = null;
		this.#pages.length = 0;
	}

	/** Puts what was loaded under its ids. */
	#spread(): void {
		const loaded = [...this.#loaded!.values()];
		this.#loaded = null;
		for (const { units, runs } of loaded) {
			let from = 0;
			for (let run = 0; run < runs.length.length; run++) {
				if ((runs.flags[run]! & DELETED) !== 0) continue;
				this.#writeUnits(runs.replica[run]!, runs.sequence[run]!, units, from, runs.length[run]!);
				from += runs.length[run]!;
			}
		}
	}

	/** Units of a buffer become those of the ids from `sequence` on. */
	#writeUnits(replica: number, sequence: number, units: Uint16Array, from: number, length: number): void {
		for (let done = 0; done < length; ) {
			const number = (sequence + done) >> PAGE_BITS;
			const page = this.#pages[replica]?.[number] ?? this.#addPage(replica, number);
			const at = (sequence + done) & PAGE_MASK;
			const count = Math.min(PAGE - at, length - done);
			if (count < COPY_BY_UNIT_BELOW) for (let i = 0; i < count; i++) page[at + i] = units[from + done + i]!;
			else page.set(units.subarray(from + done, from + done + count), at);
			done += count;
		}
	}

	#addPage(replica: number, page: number): Uint16Array {
		while (this.#pages.length <= replica) this.#pages.push([]);
		const pages = this.#pages[replica]!;
		while (pages.length <= page) pages.push(undefined);
		const added = new Uint16Array(PAGE);
		pages[page] = added;
		return added;
	}
}

/** Shorter stretches are copied unit by unit: a view of a page costs more. */
const COPY_BY_UNIT_BELOW = 12;
/** Arguments of one call. */
const UNITS_PER_CALL = 4096;

/** The text of units, without the limits of a single call. */
export function decodeUnits(units: Uint16Array, from: number, to: number): string {
	if (to - from === 1) return String.fromCharCode(units[from]!);
	let text = "";
	for (let at = from; at < to; at += UNITS_PER_CALL) {
		text += String.fromCharCode.apply(null, units.subarray(at, Math.min(to, at + UNITS_PER_CALL)) as never);
	}
	return text;
}

/** The values of lists. */
export class ListContent {
	readonly #values: Map<number, Value>[] = [];

	put(replica: number, sequence: number, value: Value): void {
		while (this.#values.length <= replica) this.#values.push(new Map());
		this.#values[replica]!.set(sequence, value);
	}

	value(replica: number, sequence: number): Value {
		return this.#values[replica]!.get(sequence)!;
	}

	/** The value of an id, if one is held. */
	heldValue(replica: number, sequence: number): Value | undefined {
		return this.#values[replica]?.get(sequence);
	}

	/** Drops everything. */
	clear(): void {
		this.#values.length = 0;
	}
}
