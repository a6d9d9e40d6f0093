/** The records of a run, in columns: 24 bytes each instead of an object each. */
import { assert, Generator } from "../../protocols/core/index.ts";
import type { FlightRecord } from "./flight-ledger.ts";

/** More records than this are refused (240 MB of columns). */
export const RECORDS_MAX = 10_000_000;
const INITIAL_CAPACITY = 1_024;

export class FlightRecords {
	#columns: Float64Array = new Float64Array(INITIAL_CAPACITY * 3);
	#length = 0;

	get length(): number {
		return this.#length;
	}

	push(record: FlightRecord): void {
		assert(this.#length < RECORDS_MAX, "the caller bounds the number of records");
		if (this.#length * 3 === this.#columns.length) {
			const larger = new Float64Array(this.#columns.length * 2);
			larger.set(this.#columns);
			this.#columns = larger;
		}
		const at = this.#length * 3;
		// Adding 0 turns −0, which a wire format may not keep, into 0.
		this.#columns[at] = record.delay + 0;
		this.#columns[at + 1] = record.distance + 0;
		this.#columns[at + 2] = record.time + 0;
		this.#length++;
	}

	at(index: number): FlightRecord {
		assert(index >= 0 && index < this.#length, "the record exists", { index, length: this.#length });
		const at = index * 3;
		return { delay: this.#columns[at]!, distance: this.#columns[at + 1]!, time: this.#columns[at + 2]! };
	}
}

/** Flights that leave in each hour of day, out of a thousand: a night's quiet and two rushes. */
const departuresByHour = [3, 2, 1, 1, 2, 13, 65, 66, 65, 61, 56, 62, 60, 64, 57, 60, 58, 67, 58, 58, 52, 36, 26, 7];

/**
 * Records that look like a day of flights, in the order of their departure; the same seed gives the same records.
 * For where no data set is at hand.
 */
export function generateRecords(count: number, seed: number): FlightRecords {
	const generator = new Generator(seed, "flights");
	const times = new Float64Array(count);
	for (let i = 0; i < count; i++) times[i] = drawHour(generator) + generator.below(60) / 60;
	times.sort();
	const records = new FlightRecords();
	for (const time of times) {
		const late = generator.chance(0.15);
		const delay = late ? Math.floor(-45 * Math.log(1 - generator.fraction())) : generator.between(-20, 12);
		records.push({ delay, distance: 30 + Math.floor(generator.fraction() ** 2 * 2_600), time });
	}
	return records;
}

function drawHour(generator: Generator): number {
	let left = generator.below(departuresByHour.reduce((sum, share) => sum + share, 0));
	for (const [hour, share] of departuresByHour.entries()) {
		if (left < share) return hour;
		left -= share;
	}
	return 0;
}
