/**
 * Goal: what was typed in one go stays together (CRDT-7; maximal non-interleaving, Weidner and Kleppmann, TPDS 2025). It fails with
 * any order of the RGA or YATA families in at least one of the cases, for at least one order of ids.
 * Method: small cases in which those families are known to interleave or to leave the maximal order, each with every assignment of
 * ids to writers and every order of delivery.
 */
import { describe, expect, it } from "vitest";
import { CrdtDocument, replicaId } from "../../../protocols/crdt/index.ts";

const schema = { text: "text" } as const;
const orders: readonly (readonly [number, number, number])[] = [
	[0, 1, 2],
	[0, 2, 1],
	[1, 0, 2],
	[1, 2, 0],
	[2, 0, 1],
	[2, 1, 0],
];

function writer(id: number): CrdtDocument {
	return new CrdtDocument({ replica: replicaId(`w${id}`, 0), schema });
}

/** Gives everything that each has to each other, in both orders, and returns the one text. */
function converge(writers: readonly CrdtDocument[]): string {
	const states = writers.map((document) => document.encode());
	const texts = [states, [...states].reverse()].map((order) => {
		const reader = new CrdtDocument({ replica: replicaId("reader", 0), schema });
		for (const state of order) reader.merge(state);
		return reader.text("text").toString();
	});
	expect(texts[0]).toBe(texts[1]);
	return texts[0]!;
}

function share(from: CrdtDocument, ...to: readonly CrdtDocument[]): void {
	const update = from.takeUpdate()!;
	for (const document of to) document.apply(update);
}

describe("text typed concurrently at one place", () => {
	it.each([[[0, 1]], [[1, 0]]])("keeps runs together that were typed forwards, ids %j", ([a, b]) => {
		const writers = [writer(a!), writer(b!)];
		for (const [i, word] of ["milk", "eggs"].entries()) {
			for (const [at, character] of [...word].entries()) writers[i]!.text("text").insert(at, character);
		}
		expect(["milkeggs", "eggsmilk"]).toContain(converge(writers));
	});

	it.each([[[0, 1]], [[1, 0]]])("keeps runs together that were typed backwards, ids %j", ([a, b]) => {
		const writers = [writer(a!), writer(b!)];
		for (const [i, word] of ["milk", "eggs"].entries()) {
			for (const character of [...word].reverse()) writers[i]!.text("text").insert(0, character);
		}
		expect(["milkeggs", "eggsmilk"]).toContain(converge(writers));
	});

	it.each([[[0, 1]], [[1, 0]]])("keeps together what was typed after the cursor went back, ids %j", ([a, b]) => {
		const [first, second] = [writer(a!), writer(b!)];
		first.text("text").insert(0, "[]");
		share(first, second);
		first.text("text").insert(1, "cd");
		first.text("text").insert(1, "ab");
		second.text("text").insert(1, "yz");
		second.text("text").insert(1, "wx");
		expect(["[abcdwxyz]", "[wxyzabcd]"]).toContain(converge([first, second]));
	});

	it.each(orders)("puts the run first whose right end is further right, ids %d %d %d", (a, b, c) => {
		// Between "a" and "d", one writer puts "x"; another, who has not seen it, puts "b", then "y" before that and after "a".
		const writers = [writer(a), writer(b), writer(c)];
		const [first, second, third] = writers as [CrdtDocument, CrdtDocument, CrdtDocument];
		first.text("text").insert(0, "ad");
		share(first, second, third);
		second.text("text").insert(1, "b");
		share(second, third);
		first.text("text").insert(1, "xx");
		third.text("text").insert(1, "yy");
		const text = converge(writers);
		// "yy" was typed right before "b" by one who saw it, "xx" right before "d": the maximal order keeps both beside them.
		expect(["axxyybd", "ayybxxd"]).toContain(text);
		expect(text.indexOf("yyb")).toBeGreaterThan(0);
	});

	it("keeps the right origin of an element that goes on where a run has ended", () => {
		const [third, first, second] = [writer(0), writer(1), writer(2)];
		second.text("text").insert(0, "z");
		share(second, first, third);
		first.text("text").insert(0, "a");
		share(first, second, third);
		second.text("text").insert(1, "y");
		share(second, first, third);
		first.text("text").insert(1, "b");
		third.text("text").insert(1, "c");
		// "b" and "c" are both between "a" and "y", so the lower replica's comes first; "b" is no part of the run of "a", whose
		// right origin is "z".
		expect(converge([first, second, third])).toBe("acbyz");
	});

	it.each(permutations([0, 1, 2, 3]))(
		"keeps to the right what was put right before an element, ids %d %d %d %d",
		(...ids) => {
			// The case that tells FugueMax from Fugue and YATA. "A" and "B" are put before "." concurrently. Who sees both puts "x"
			// between them; who sees only the left one puts "y" between that and ".". Then "x" belongs beside the right one.
			const [first, second, both, one] = ids.map(writer) as [CrdtDocument, CrdtDocument, CrdtDocument, CrdtDocument];
			first.text("text").insert(0, ".");
			share(first, second, both, one);
			first.text("text").insert(0, "A");
			second.text("text").insert(0, "B");
			const updates = { A: first.takeUpdate()!, B: second.takeUpdate()! };
			both.apply(updates.A);
			both.apply(updates.B);
			const [left, right] = both.text("text").toString() as unknown as ["A" | "B", "A" | "B"];
			one.apply(updates[left]);
			both.text("text").insert(1, "x");
			one.text("text").insert(1, "y");
			expect(converge([first, second, both, one])).toBe(`${left}yx${right}.`);
		},
	);
});

function permutations(items: readonly number[]): number[][] {
	if (items.length === 0) return [[]];
	return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}
