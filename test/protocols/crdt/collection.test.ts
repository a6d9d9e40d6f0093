/**
 * Goal: after heavy churn, a collection brings a document back to the size of a fresh one, and brings back nothing that was deleted
 * (CRDT-29). It fails when tombstones, log records or values of removed elements stay.
 * Method: text, list, set and nested counters are filled and emptied many times at two replicas, then collected, and compared with a
 * document into which only what is left was written.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
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
