/**
 * Goal: undo and redo take back and restore this replica's own changes and nobody else's, and replicas still converge. It fails when an
 * undo touches what others did, loses their text, or brings an element back twice.
 * Method: single cases, and random typing, undoing and redoing at several replicas that exchange everything now and then.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Generator } from "../../../../protocols/core/index.ts";
import { CrdtDocument, type DocumentSchema, replicaId } from "../../../../protocols/crdt/index.ts";

const schema: DocumentSchema = {
	text: "text",
	list: "list",
	n: "pn-counter",
	set: "add-wins-set",
	title: "lww-register",
	opinions: "mv-register",
	on: "enable-wins-flag",
};

function document(node: string): CrdtDocument {
	return new CrdtDocument({ replica: replicaId(node, 0), schema });
}

function exchange(...documents: readonly CrdtDocument[]): void {
	const states = documents.map((one) => {
		one.takeUpdate();
		return one.encode();
	});
	for (const one of documents) for (const state of states) one.merge(state);
}

describe("undo", () => {
	it("takes back and restores changes of every type, group by group", () => {
		const a = document("a");
		const history = a.undoHistory();
		const values = [a.value];
		const changes = [
			() => a.text("text").insert(0, "hello"),
			() => a.text("text").delete(1, 3),
			() => a.list("list").insert(0, 1, { two: 2 }),
			() => a.list("list").delete(0, 1),
			() => a.counter("n").increment(5),
			() => a.counter("n").decrement(7),
			() => a.set("set").add("x"),
			() => a.set("set").delete("x"),
			() => a.lwwRegister("title").set("first"),
			() => a.lwwRegister("title").set("second"),
			() => a.mvRegister("opinions").set(1),
			() => a.flag("on").enable(),
			() => a.flag("on").disable(),
		];
		for (const change of changes) {
			change();
			history.separate();
			values.push(a.value);
		}
		for (let at = changes.length - 1; at >= 0; at--) {
			expect(history.undo()).toBe(true);
			expect(a.value).toEqual(values[at]);
		}
		expect([history.undo(), history.canUndo, history.canRedo]).toEqual([false, false, true]);
		for (let at = 1; at <= changes.length; at++) {
			expect(history.redo()).toBe(true);
			expect(a.value).toEqual(values[at]);
		}
		expect(history.redo()).toBe(false);
	});

	it("leaves alone what others did meanwhile", () => {
		const [a, b] = [document("a"), document("b")];
		const history = a.undoHistory();
		a.text("text").insert(0, "one two");
		a.set("set").add("x");
		history.separate();
		exchange(a, b);
		a.text("text").delete(0, 7);
		exchange(a, b);
		b.text("text").insert(0, "BB");
		b.set("set").add("x");
		b.counter("n").increment(3);
		exchange(a, b);
		history.undo();
		expect(a.text("text").toString().replace("BB", "")).toBe("one two");
		history.undo();
		exchange(a, b);
		expect(b.value).toMatchObject({ text: "BB", set: ["x"], n: 3 });
		expect(b.encodeShared()).toEqual(a.encodeShared());
	});

	it("keeps a bounded number of groups, and none after a collection", () => {
		const a = document("a");
		const history = a.undoHistory(2);
		for (const character of "abc") {
			a.text("text").insert(a.text("text").length, character);
			history.separate();
		}
		expect([history.undo(), history.undo(), history.undo()]).toEqual([true, true, false]);
		expect(a.text("text").toString()).toBe("a");
		a.collectAt(a.context);
		expect(history.redo()).toBe(false);
	});

	it("converges, and leaves of each writer's text what that writer has not undone", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 0x7fff_ffff }), (seed) => {
				const draw = new Generator(seed, "undo");
				const documents = ["a", "b", "c"].map(document);
				const histories = documents.map((one) => one.undoHistory());
				for (let step = 0; step < 60; step++) {
					const index = draw.below(3);
					const text = documents[index]!.text("text");
					const kind = draw.below(10);
					if (kind < 5) text.insert(draw.below(text.length + 1), "abc"[index]!.repeat(1 + draw.below(3)));
					else if (kind < 6 && text.length > 0) text.delete(draw.below(text.length), 1);
					else if (kind < 7) histories[index]!.undo();
					else if (kind < 8) histories[index]!.redo();
					else exchange(...documents);
					histories[index]!.separate();
				}
				for (const history of histories) while (history.undo());
				exchange(...documents);
				// A deletion that is undone brings its element back even if its writer has undone it, so texts need not be empty.
				expect(documents[1]!.encodeShared()).toEqual(documents[0]!.encodeShared());
				expect(documents[2]!.encodeShared()).toEqual(documents[0]!.encodeShared());
				for (const history of histories) expect(history.canUndo).toBe(false);
			}),
			{ numRuns: 25 },
		);
	});
});
