/**
 * Goal: whatever is done to a stored log, verification names the first record that is not as it was written (SEC-30). Method: a log of
 * 40 records, and every kind of change at every place of it.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../../protocols/core/index.ts";
import {
	AuditLog,
	type AuditRecord,
	type AuditVerdict,
	AuditVerifier,
	verifyAuditHead,
	verifyAuditLog,
} from "../../../../protocols/security/index.ts";
import { cryptoOf } from "../ceremony/world.ts";

const author = nodeId("node-1");
const crypto = cryptoOf(author);
const log = new AuditLog({ author, crypto, signEvery: 4 });
const records = Array.from({ length: 40 }, (_, at) =>
	log.append({ type: "round", round: at, culprits: [] }, 1_000 + at),
);
const reader = cryptoOf(nodeId("node-9"));
const bad = (list: readonly (AuditRecord | null)[]): unknown => {
	const verdict = verifyAuditLog(list, reader);
	return verdict.isIntact ? "intact" : `${verdict.firstBad}: ${verdict.fault}`;
};

/** The log with one record replaced. */
const changed = (place: number, change: Partial<AuditRecord>): AuditRecord[] =>
	records.map((record) => (record.sequence === place ? { ...record, ...change } : record));

describe("SEC-30: an audit log", () => {
	it("is intact as it was written, and says how far it is signed", () => {
		expect(verifyAuditLog(records, reader)).toEqual({ isIntact: true, records: 40, signedThrough: 40 });
		expect(verifyAuditLog(records.slice(0, 39), reader)).toEqual({ isIntact: true, records: 39, signedThrough: 36 });
		expect(verifyAuditLog([], reader)).toEqual({ isIntact: true, records: 0, signedThrough: 0 });
	});

	it("a changed field is found in its record, wherever it is", () => {
		for (let place = 1; place <= 40; place++) {
			expect(bad(changed(place, { event: { type: "round", round: 99, culprits: [] } }))).toBe(`${place}: digest`);
			expect(bad(changed(place, { atMs: 0 }))).toBe(`${place}: digest`);
			expect(bad(changed(place, { digest: new Uint8Array(32) }))).toBe(`${place}: digest`);
			expect(bad(changed(place, { previous: new Uint8Array(32).fill(1) }))).toBe(`${place}: link`);
			expect(bad(changed(place, { sequence: place + 1 }))).toBe(`${place}: sequence`);
			if (place > 1) expect(bad(changed(place, { author: nodeId("node-2") }))).toBe(`${place}: author`);
		}
	});

	it("a removed, repeated, moved or foreign record is found at its place", () => {
		for (let place = 1; place < 40; place++) {
			expect(bad(records.filter(({ sequence }) => sequence !== place))).toBe(`${place}: sequence`);
			expect(bad([...records.slice(0, place), records[place - 1]!, ...records.slice(place)])).toBe(
				`${place + 1}: sequence`,
			);
			expect(bad([...records.slice(0, place - 1), null, ...records.slice(place)])).toBe(`${place}: malformed`);
		}
		expect(bad([records[1]!, records[0]!])).toBe("1: sequence");
		expect(bad([{ ...records[0]!, digest: "x" } as never])).toBe("1: malformed");
	});

	it("a record rewritten with all digests after it made to fit is caught by the next signed head", () => {
		const forger = new AuditLog({ author, crypto: { ...crypto, sign: () => new Uint8Array(32) }, signEvery: 4 });
		const forged = records.map(({ event, atMs }, at) =>
			forger.append(at === 9 ? { type: "round", round: 0, culprits: [] } : event, atMs),
		);
		expect(bad(forged)).toBe("4: signature");
		const kept = forged.map((record, at) => (at < 9 ? records[at]! : record));
		expect(bad(kept)).toBe("12: signature");
	});

	it("a tail that was cut off, or a log written anew by the signer itself, is caught by whoever keeps a head", () => {
		const head = records[35]!;
		const judge = (list: readonly AuditRecord[]): AuditVerdict => verifyAuditLog(list, reader, head);
		expect(judge(records).isIntact).toBe(true);
		expect(judge(records.slice(0, 20))).toMatchObject({ isIntact: false, firstBad: 21, fault: "head" });
		const again = new AuditLog({ author, crypto, signEvery: 4 });
		const rewritten = records.map(({ event, atMs }) => again.append({ ...event, culprits: ["nobody"] }, atMs));
		expect(verifyAuditLog(rewritten, reader).isIntact).toBe(true);
		expect(judge(rewritten)).toMatchObject({ isIntact: false, firstBad: 36, fault: "head" });
		expect(verifyAuditHead(head, reader)).toBe(true);
		expect(verifyAuditHead({ ...head, sequence: 35 }, reader)).toBe(false);
	});

	it("goes on where it stopped, and is verified record by record", () => {
		const further = new AuditLog({ author, crypto, signEvery: 4, last: records[39]! });
		const next = further.append({ type: "restart" }, 5_000);
		const verifier = new AuditVerifier(reader);
		for (const record of [...records, next]) verifier.feed(record);
		expect(verifier.end()).toEqual({ isIntact: true, records: 41, signedThrough: 40 });
	});

	it("refuses records over their bound and settings out of theirs", () => {
		expect(() => log.append({ type: "large", text: "x".repeat(70_000) }, 0)).toThrow("at most 65536");
		expect(() => new AuditLog({ author, crypto, signEvery: 0 })).toThrow("signEvery");
	});
});
