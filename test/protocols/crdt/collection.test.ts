/**
 * Goal: after heavy churn, a collection brings a document back to the size of a fresh one, and brings back nothing that was deleted
 * (CRDT-29). It fails when tombstones, log records or values of removed elements stay.
 * Method: text, list, set and nested counters are filled and emptied many times at two replicas, then collected, and compared with a
 * document into which only what is left was written.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import { crc32 } from "../../../protocols/crdt/encoding/checksum.ts";
import { CrdtDocument, type DocumentSchema, replicaId } from "../../../protocols/crdt/index.ts";

const schema: DocumentSchema = {
	text: "text",
	list: "list",
	set: "add-wins-set",
	bans: "remove-wins-set",
	per: { map: "pn-counter" },
};

function document(node: string): CrdtDocument {
	return new CrdtDocument({ replica: replicaId(node, 0), schema });
}

function exchange(a: CrdtDocument, b: CrdtDocument): void {
	for (const [from, to] of [
		[a, b],
		[b, a],
	] as const) {
		const difference = from.differenceTo(to.context);
		if (difference.type === "update") to.apply(difference.bytes);
	}
}

function churn(a: CrdtDocument, b: CrdtDocument): void {
	for (let round = 0; round < 200; round++) {
		const one = round % 2 === 0 ? a : b;
		const text = one.text("text");
		text.insert(Math.floor(text.length / 2), `round ${round} `);
		if (text.length > 200) text.delete(Math.floor(text.length / 2), 8);
		one.list("list").insert(0, round, { round });
		if (one.list("list").length > 20) one.list("list").delete(5, 12);
		one.set("set").add(`e${round % 7}`);
		one.set("set").delete(`e${(round + 3) % 7}`);
	}
}

describe("a collection", () => {
	it("leaves a churned document within a tenth of a fresh one, with the same value", () => {
		const [a, b] = [document("a"), document("b")];
		const draw = new Generator(1, "words");
		const words = Array.from({ length: 4_000 }, () => `w${draw.below(100_000)}`);
		a.text("text").insert(0, words.join(" "));
		for (const word of words.slice(0, 2_000)) a.set("set").add(word);
		exchange(a, b);
		churn(a, b);
		for (const word of words) {
			for (const one of [a, b]) {
				const position = draw.below(one.text("text").length);
				one.text("text").insert(position, word);
				one.text("text").delete(position, word.length);
				one.set("set").add(`${word}!`);
				one.set("set").delete(`${word}!`);
			}
		}
		exchange(a, b);
		const { value } = a;
		const before = a.encode().length;
		const collected = [a, b].map((one) => one.collectAt(a.context));
		expect(collected[0]!.tombstones).toBeGreaterThan(1_000);
		expect(a.value).toEqual(value);
		expect(b.value).toEqual(value);
		expect(b.encodeShared()).toEqual(a.encodeShared());
		const fresh = document("fresh");
		fresh.text("text").insert(0, a.text("text").toString());
		fresh.list("list").insert(0, ...a.list("list").values);
		for (const element of a.set("set").values) fresh.set("set").add(element);
		fresh.collectAt(fresh.context);
		expect(a.size.logRecords).toBe(0);
		expect(before).toBeGreaterThan(2 * a.encode().length);
		expect(a.encode().length).toBeLessThan(fresh.encode().length * 1.1);
	});

	it("forgets who wrote what: five authors leave what one would", () => {
		const all = ["a", "b", "c", "d", "e"].map(document);
		const [first] = all as [CrdtDocument];
		const draw = new Generator(2, "authors");
		for (let round = 0; round < 12; round++) {
			for (const one of all) {
				for (let i = 0; i < 20; i++) {
					const text = one.text("text");
					text.insert(draw.below(text.length + 1), `w${draw.below(100_000)} `);
					if (draw.below(2) === 0) text.delete(draw.below(text.length - 3), 3);
					one.list("list").insert(draw.below(one.list("list").length + 1), i);
					one.set("set").add(`e${draw.below(1_000)}`);
					one.set("set").delete(`e${draw.below(1_000)}`);
				}
			}
			for (const one of all) for (const other of all) exchange(one, other);
		}
		const { value } = first;
		for (const one of all) one.collectAt(first.context);
		for (const one of all) expect(one.encodeShared()).toEqual(first.encodeShared());
		expect(first.value).toEqual(value);
		expect(first.size.runs).toBe(2);
		const fresh = document("fresh");
		fresh.text("text").insert(0, first.text("text").toString());
		fresh.list("list").insert(0, ...first.list("list").values);
		for (const element of first.set("set").values) fresh.set("set").add(element);
		fresh.collectAt(fresh.context);
		const heads = 5 * "a#0".length * 2;
		expect(first.encodeShared().length).toBeLessThan(fresh.encodeShared().length + heads);
		// Everybody goes on with elements that have new names, at once and after another collection.
		for (let epoch = 0; epoch < 2; epoch++) {
			for (const one of all) {
				one.text("text").insert(7, one.replica);
				one.text("text").delete(20, 5);
				one.list("list").delete(3, 2);
				one.set("set").delete(one.set("set").values[4]!);
			}
			for (const one of all) for (const other of all) exchange(one, other);
			for (const one of all) expect(one.encodeShared()).toEqual(first.encodeShared());
			for (const one of all) one.collectAt(first.context);
		}
	});

	it("is nothing that a state from before it could take back, and is taken over by who has done no more", () => {
		const [a, b] = [document("a"), document("b")];
		// From the first point on both have elements of nobody, which the second one names anew.
		for (let epoch = 0; epoch < 2; epoch++) {
			churn(a, b);
			exchange(a, b);
			if (epoch === 0) for (const one of [a, b]) one.collectAt(a.context);
		}
		// Who has taken its own updates can take over a state whole.
		b.takeUpdate();
		const before = b.encode();
		a.collectAt(a.context);
		const { value } = a;
		expect(a.merge(before)).toBe(false);
		expect(a.value).toEqual(value);
		expect(a.epoch).toBe(2);
		b.merge(a.encode());
		expect(b.epoch).toBe(2);
		expect(b.encodeShared()).toEqual(a.encodeShared());
		const back = CrdtDocument.load(b.encode(), { replica: replicaId("b", 0), schema });
		back.text("text").insert(1, "again");
		a.apply(back.takeUpdate()!);
		expect(a.encodeShared()).toEqual(back.encodeShared());
	});

	it("leaves ids of nobody, in whose name nobody may speak", () => {
		const settled = "-#0" as ReturnType<typeof replicaId>;
		expect(() => new CrdtDocument({ replica: settled, schema })).toThrow(
			expect.objectContaining({ code: "invalid-argument" }) as Error,
		);
		const [a, b] = [document("a"), document("b")];
		a.text("text").insert(0, "text");
		a.collectAt(a.context);
		expect(a.context.entries.map(([replica]) => replica)).toEqual(["a#0"]);
		const forger = document("z");
		forger.text("text").insert(0, "forged");
		// The name of the forger is of the same length: only it and the checksum change.
		const update = forger.takeUpdate()!;
		const forged = update.slice(0, -2);
		forged[forged.indexOf("z".charCodeAt(0))] = "-".charCodeAt(0);
		const sum = crc32(forged, 0, forged.length) & 0xffff;
		for (const one of [a, b]) {
			expect(() => one.apply(Uint8Array.from([...forged, sum & 0xff, sum >> 8]))).toThrow(
				expect.objectContaining({ code: "crdt-update-damaged", message: expect.stringContaining("nobody") }) as Error,
			);
		}
	});

	it("goes on afterwards: concurrent edits at both sides of it converge", () => {
		const [a, b] = [document("a"), document("b")];
		churn(a, b);
		exchange(a, b);
		a.collectAt(a.context);
		// a is ahead of the point: what it does now must wait at b until b has passed it.
		a.text("text").insert(0, "after ");
		expect(b.apply(a.takeUpdate()!)).toBe("waiting");
		expect(b.text("text").toString()).not.toContain("after");
		b.collectAt(b.context);
		expect(b.text("text").toString()).toContain("after ");
		b.text("text").insert(3, "!");
		a.text("text").delete(1, 4);
		exchange(a, b);
		expect(b.encodeShared()).toEqual(a.encodeShared());
	});

	it("is refused at any other point", () => {
		const [a, b] = [document("a"), document("b")];
		a.text("text").insert(0, "x");
		expect(() => a.collectAt(b.context)).toThrow(expect.objectContaining({ code: "crdt-behind-floor" }) as Error);
		expect(a.epoch).toBe(0);
	});

	it.each(["forwards", "backwards"])("keeps what is left of deletions that a cut goes through: %s", (direction) => {
		const [a, b, c] = [document("a"), document("b"), document("c")];
		a.text("text").insert(0, "0123456789");
		exchange(a, b);
		exchange(a, c);
		const deleteOne = (): void => a.text("text").delete(direction === "forwards" ? 2 : a.text("text").length - 2, 1);
		for (let i = 0; i < 3; i++) deleteOne();
		exchange(a, b);
		for (let i = 0; i < 2; i++) deleteOne();
		exchange(a, c);
		expect(a.size.logRecords).toBe(1);
		// Everyone has the first three of five deletions that are one record.
		a.cutLog(b.context);
		const back = CrdtDocument.load(a.encode(), { replica: replicaId("a", 0), schema });
		expect(back.value).toEqual(a.value);
		expect(back.differenceTo(b.context)).toEqual(a.differenceTo(b.context));
		exchange(back, b);
		expect(b.encodeShared()).toEqual(a.encodeShared());
		const late = document("late");
		late.merge(back.encode());
		expect(late.differenceTo(b.context)).toEqual({ type: "nothing" });
		expect(late.differenceTo(document("empty").context).type).toBe("behind");
	});

	it("cuts the log where all have acknowledged, and tells who is further behind", () => {
		const [a, b, late] = [document("a"), document("b"), document("late")];
		churn(a, b);
		exchange(a, b);
		expect(a.size.logRecords).toBeGreaterThan(100);
		a.cutLog(b.context);
		expect(a.size.logRecords).toBe(0);
		a.text("text").insert(0, "x");
		expect(a.differenceTo(b.context).type).toBe("update");
		expect(a.differenceTo(late.context).type).toBe("behind");
		late.merge(a.encode());
		expect(late.value).toEqual(a.value);
		// What was cut is not in the log of who got the whole state either.
		expect(late.differenceTo(document("empty").context).type).toBe("behind");
	});
});
