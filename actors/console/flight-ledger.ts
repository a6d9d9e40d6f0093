/**
 * The flight ledger: the replicated application of `quorate run`. It keeps statistics per hour of day and, so that
 * replicas can be compared, two hashes: one chained over the order in which records were applied, and one over the
 * set of what was applied, whatever the order.
 *
 * A ledger lives through several runs (a second run over the same data directory goes on with it). Each run is
 * announced by a `begin` command, which empties everything but the order hash and the number of the run; so a run's
 * statistics, lists and set hash are about that run alone, while the order hash chains over all of them.
 *
 * It does not refuse a record that was applied before: the exactly-once promise is the client session's, and a
 * ledger that repaired a broken promise would hide it.
 */
import type { Application } from "../../protocols/core/index.ts";
import { assert } from "../../protocols/core/index.ts";
import { HASH_WORDS, hashFromHex, hashHex, hashInto } from "./ledger-hash.ts";

export const HOURS = 24;

/** One flight. */
export interface FlightRecord {
	/** Minutes; negative when it left early. */
	readonly delay: number;
	/** Miles. */
	readonly distance: number;
	/** Time of day in hours, `0` to below `24`, with a fraction. */
	readonly time: number;
}

/** The hour of day in which a record is counted, 0 to 23. */
export function hourOf(record: FlightRecord): number {
	return Math.floor(record.time);
}

/** Commands are tuples, because each of them is stored by every replica: names would double their size. */
export type LedgerCommand =
	/** Starts run `run`; `total` and `fingerprint` (the set hash of all of them) name the records it will bring. */
	| readonly [type: "begin", run: number, total: number, fingerprint: string]
	/** Record number `index` of the input, counted from 0, as part of run `run`. */
	| readonly [type: "append", run: number, index: number, delay: number, distance: number, time: number];

/**
 * What a command is answered with. A `begin`: the run's number. An `append`: how many records the run now has.
 * 0: refused, without effect, because it does not belong to the present run.
 */
export type LedgerResult = number;

export type LedgerQuery =
	| { readonly type: "summary" }
	/** Statistics of one hour. */
	| { readonly type: "hour"; readonly hour: number }
	/** The indices of the records of one hour, in the order they were applied. */
	| { readonly type: "hour-records"; readonly hour: number };

export interface HourStatistics {
	readonly count: number;
	readonly delaySum: number;
	/** 0 while the hour has no record. */
	readonly delayMin: number;
	readonly delayMax: number;
	readonly distanceSum: number;
}

export interface LedgerSummary {
	/** 0 before the first run. */
	readonly run: number;
	readonly total: number;
	readonly fingerprint: string;
	/** Records applied in the present run. */
	readonly applied: number;
	/** Over every record of every run, in order. */
	readonly orderHash: string;
	/** Over the records of the present run, as a set in which one may stand several times. */
	readonly setHash: string;
	readonly hours: readonly HourStatistics[];
	/** This replica's state came, in this life, through a snapshot. */
	readonly restoredFromSnapshot: boolean;
}

/** A ledger as plain data. */
export interface LedgerSnapshot extends Omit<LedgerSummary, "restoredFromSnapshot"> {
	/** For each hour its record indices, as the bytes of 32-bit words. */
	readonly hourRecords: readonly Uint8Array[];
}

/**
 * previous order hash (16 bytes) · index (4) · tag (4) · delay (8) · distance (8) · time (8)
 *
 * The order hash is of the whole block, the set hash of the item without the first field: their lengths keep them apart.
 */
const BLOCK_BYTES = 48;
const ITEM_OFFSET = 16;
const TAG_APPEND = 1;
const TAG_BEGIN = 2;

type MutableHour = { -readonly [K in keyof HourStatistics]: HourStatistics[K] };

/** See the head of this file. */
export class FlightLedger implements Application<LedgerCommand, LedgerResult, LedgerQuery, unknown, LedgerSnapshot> {
	#run = 0;
	#total = 0;
	#fingerprint = "";
	#applied = 0;
	/** `H(previous, record index, record)`: equal for two replicas only if they applied the same in the same order. */
	#orderHash: Uint32Array = new Uint32Array(HASH_WORDS);
	/**
	 * The sum of the items' 128-bit hashes, in four words of 32 bits that wrap. Two different multisets collide when the
	 * differences in multiplicity, times the items' hashes, cancel out in all four words: for hashes that behave like
	 * random ones, once in 2^128 (once in 2^(128 − 4k) if every multiplicity differs by a multiple of 2^k).
	 */
	#setHash: Uint32Array = new Uint32Array(HASH_WORDS);
	#hours: MutableHour[] = emptyHours();
	#hourRecords: number[][] = emptyLists();
	/** About this instance, not about the state: it is not part of a snapshot. */
	#restoredFromSnapshot = false;

	readonly #block = new Uint8Array(BLOCK_BYTES);
	readonly #blockView = new DataView(this.#block.buffer);
	readonly #item = this.#block.subarray(ITEM_OFFSET);
	readonly #itemHash = new Uint32Array(HASH_WORDS);

	apply(command: LedgerCommand): LedgerResult {
		switch (command[0]) {
			case "begin": {
				const [, run, total, fingerprint] = command;
				return run === this.#run + 1 ? this.#begin(run, total, fingerprint) : 0;
			}
			case "append": {
				const [, run, index, delay, distance, time] = command;
				return run === this.#run ? this.#append(index, { delay, distance, time }) : 0;
			}
			default:
				return 0;
		}
	}

	query(query: LedgerQuery): LedgerSummary | HourStatistics | readonly number[] | null {
		switch (query.type) {
			case "summary":
				return this.summary();
			case "hour":
				return { ...(this.#hours[query.hour] ?? emptyHour()) };
			case "hour-records":
				return this.#hourRecords[query.hour]?.slice() ?? [];
			default:
				return null;
		}
	}

	summary(): LedgerSummary {
		return {
			run: this.#run,
			total: this.#total,
			fingerprint: this.#fingerprint,
			applied: this.#applied,
			orderHash: hashHex(this.#orderHash),
			setHash: hashHex(this.#setHash),
			hours: this.#hours.map((hour) => ({ ...hour })),
			restoredFromSnapshot: this.#restoredFromSnapshot,
		};
	}

	takeSnapshot(): LedgerSnapshot {
		const { restoredFromSnapshot: _, ...state } = this.summary();
		const hourRecords = this.#hourRecords.map((list) => new Uint8Array(Uint32Array.from(list).buffer));
		return { ...state, hourRecords };
	}

	restoreSnapshot(snapshot: LedgerSnapshot): void {
		this.#run = snapshot.run;
		this.#total = snapshot.total;
		this.#fingerprint = snapshot.fingerprint;
		this.#applied = snapshot.applied;
		this.#orderHash = hashFromHex(snapshot.orderHash);
		this.#setHash = hashFromHex(snapshot.setHash);
		this.#hours = snapshot.hours.map((hour) => ({ ...hour }));
		// A copy first: decoded bytes may be a view into a larger buffer, not aligned to words. (`slice` of Node's Buffer
		// is no copy.)
		this.#hourRecords = snapshot.hourRecords.map((bytes) => Array.from(new Uint32Array(new Uint8Array(bytes).buffer)));
		this.#restoredFromSnapshot = true;
		const listed = this.#hourRecords.reduce((sum, list) => sum + list.length, 0);
		assert(listed === this.#applied, "each applied record stands in one list", { listed, applied: this.#applied });
	}

	#begin(run: number, total: number, fingerprint: string): LedgerResult {
		this.#run = run;
		this.#total = total;
		this.#fingerprint = fingerprint;
		this.#applied = 0;
		this.#setHash.fill(0);
		this.#hours = emptyHours();
		this.#hourRecords = emptyLists();
		this.#writeItem(TAG_BEGIN, run, { delay: total, distance: 0, time: 0 });
		this.#chainOrder();
		return run;
	}

	#append(index: number, record: FlightRecord): LedgerResult {
		this.#writeItem(TAG_APPEND, index, record);
		this.#chainOrder();
		hashInto(this.#item, this.#itemHash);
		for (let word = 0; word < HASH_WORDS; word++) this.#setHash[word]! += this.#itemHash[word]!;
		this.#count(index, record);
		this.#applied++;
		return this.#applied;
	}

	#count(index: number, record: FlightRecord): void {
		const number = hourOf(record);
		const hour = this.#hours[number];
		const list = this.#hourRecords[number];
		assert(hour !== undefined && list !== undefined, "the input was checked: a time of day is in [0, 24)", { index });
		hour.delayMin = hour.count === 0 ? record.delay : Math.min(hour.delayMin, record.delay);
		hour.delayMax = hour.count === 0 ? record.delay : Math.max(hour.delayMax, record.delay);
		hour.count++;
		hour.delaySum += record.delay;
		hour.distanceSum += record.distance;
		list.push(index);
	}

	#writeItem(tag: number, index: number, record: FlightRecord): void {
		const view = this.#blockView;
		view.setUint32(ITEM_OFFSET, index, true);
		view.setUint32(ITEM_OFFSET + 4, tag, true);
		view.setFloat64(ITEM_OFFSET + 8, record.delay, true);
		view.setFloat64(ITEM_OFFSET + 16, record.distance, true);
		view.setFloat64(ITEM_OFFSET + 24, record.time, true);
	}

	#chainOrder(): void {
		for (let word = 0; word < HASH_WORDS; word++) this.#blockView.setUint32(word * 4, this.#orderHash[word]!, true);
		hashInto(this.#block, this.#orderHash);
	}
}

function emptyHour(): MutableHour {
	return { count: 0, delaySum: 0, delayMin: 0, delayMax: 0, distanceSum: 0 };
}

function emptyHours(): MutableHour[] {
	return Array.from({ length: HOURS }, emptyHour);
}

function emptyLists(): number[][] {
	return Array.from({ length: HOURS }, () => []);
}
