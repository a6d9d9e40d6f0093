/**
 * Goal: the ledger's hashes tell apart what a run must tell apart, its statistics are those of a plain sum, and a
 * snapshot carries all of it. Method: pairs of ledgers that differ in one thing only; random records against sums done
 * by another way.
 */
import { expect, test } from "vitest";
import { FlightLedger, type FlightRecord, type HourStatistics } from "../../../actors/console/flight-ledger.ts";
import { generateRecords } from "../../../actors/console/flight-records.ts";

const early: FlightRecord = { delay: -3, distance: 400, time: 6.5 };
const late: FlightRecord = { delay: 90, distance: 1_200, time: 17.25 };

function append(ledger: FlightLedger, index: number, record: FlightRecord, run = 1): number {
	return ledger.apply(["append", run, index, record.delay, record.distance, record.time]);
}

function begun(): FlightLedger {
	const ledger = new FlightLedger();
	expect(ledger.apply(["begin", 1, 2, "f"])).toBe(1);
	return ledger;
}

test("another order: another order hash, the same set hash", () => {
	const [a, b] = [begun(), begun()];
	append(a, 0, early);
	append(a, 1, late);
	append(b, 1, late);
	append(b, 0, early);
	expect(a.summary().orderHash).not.toBe(b.summary().orderHash);
	expect(a.summary().setHash).toBe(b.summary().setHash);
});

test("an order that differs before its last record: another order hash", () => {
	const orders = [
		[0, 1, 2],
		[1, 0, 2],
	].map((indices) => {
		const ledger = begun();
		for (const index of indices) append(ledger, index, late);
		return ledger.summary();
	});
	expect(orders[0]?.orderHash).not.toBe(orders[1]?.orderHash);
	expect(orders[0]?.setHash).toBe(orders[1]?.setHash);
});

test("the same record under another index, twice, or not at all: another set hash", () => {
	const ledgers = [[0, 1], [0, 2], [0, 1, 1], [0], []].map((indices) => {
		const ledger = begun();
		for (const index of indices) append(ledger, index, early);
		return ledger.summary().setHash;
	});
	expect(new Set(ledgers).size).toBe(ledgers.length);
});

test("each field of a record is in both hashes", () => {
	const variants = [early, { ...early, delay: -4 }, { ...early, distance: 401 }, { ...early, time: 6.6 }];
	const summaries = variants.map((record) => {
		const ledger = begun();
		append(ledger, 0, record);
		return ledger.summary();
	});
	expect(new Set(summaries.map((summary) => summary.orderHash)).size).toBe(variants.length);
	expect(new Set(summaries.map((summary) => summary.setHash)).size).toBe(variants.length);
});

test("hour statistics and lists are those of a sum per hour", () => {
	const records = generateRecords(2_000, 7);
	const ledger = begun();
	for (let i = 0; i < records.length; i++) expect(append(ledger, i, records.at(i))).toBe(i + 1);
	const all = Array.from({ length: records.length }, (_, i) => ({ index: i, ...records.at(i) }));
	for (let hour = 0; hour < 24; hour++) {
		const flights = all.filter(({ time }) => Math.trunc(time) === hour);
		const delays = flights.map(({ delay }) => delay);
		expect(ledger.query({ type: "hour", hour })).toEqual({
			count: flights.length,
			delaySum: delays.reduce((a, b) => a + b, 0),
			delayMin: flights.length === 0 ? 0 : Math.min(...delays),
			delayMax: flights.length === 0 ? 0 : Math.max(...delays),
			distanceSum: flights.reduce((sum, { distance }) => sum + distance, 0),
		} satisfies HourStatistics);
		expect(ledger.query({ type: "hour-records", hour })).toEqual(flights.map(({ index }) => index));
	}
});

test("an hour without an early flight has its least delay above zero, one without a late flight its greatest below", () => {
	const ledger = begun();
	append(ledger, 0, late);
	append(ledger, 1, early);
	expect(ledger.query({ type: "hour", hour: 17 })).toMatchObject({ delayMin: 90, delayMax: 90 });
	expect(ledger.query({ type: "hour", hour: 6 })).toMatchObject({ delayMin: -3, delayMax: -3 });
});

test("a run empties all but the order hash, and only the next number begins one", () => {
	const ledger = begun();
	append(ledger, 0, early);
	const before = ledger.summary();
	expect(ledger.apply(["begin", 1, 5, "g"])).toBe(0);
	expect(ledger.apply(["begin", 3, 5, "g"])).toBe(0);
	expect(ledger.summary()).toEqual(before);
	expect(ledger.apply(["begin", 2, 5, "g"])).toBe(2);
	const after = ledger.summary();
	expect(after).toMatchObject({ run: 2, total: 5, fingerprint: "g", applied: 0, setHash: "0".repeat(32) });
	expect(after.orderHash).not.toBe(before.orderHash);
	expect(ledger.query({ type: "hour-records", hour: 6 })).toEqual([]);
});

test("a record of another run is refused without effect", () => {
	const ledger = begun();
	const before = ledger.summary();
	expect(append(ledger, 0, early, 2)).toBe(0);
	expect(ledger.summary()).toEqual(before);
});

test("a restored ledger goes on exactly like the one it was taken from, and says that it was restored", () => {
	const records = generateRecords(500, 3);
	const original = begun();
	for (let i = 0; i < 300; i++) append(original, i, records.at(i));
	const snapshot = original.takeSnapshot();
	const restored = new FlightLedger();
	append(original, 300, records.at(300));
	// As a decoder hands it over: views into one larger buffer, at any offset.
	const decoded = (bytes: Uint8Array): Uint8Array => Buffer.concat([Buffer.of(7), bytes, Buffer.of(7)]).subarray(1, -1);
	restored.restoreSnapshot({ ...structuredClone(snapshot), hourRecords: snapshot.hourRecords.map(decoded) });
	for (let i = 301; i < 500; i++) append(original, i, records.at(i));
	for (let i = 300; i < 500; i++) append(restored, i, records.at(i));
	expect(original.summary().restoredFromSnapshot).toBe(false);
	expect(restored.summary()).toEqual({ ...original.summary(), restoredFromSnapshot: true });
	expect(restored.takeSnapshot()).toEqual(original.takeSnapshot());
});
