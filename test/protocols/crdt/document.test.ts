/**
 * Goal: what bad input and bad order get (CRDT-1, CRDT-9, CRDT-14, CRDT-19): refused with a typed error and no trace, or kept visibly
 * until it can be applied; and replica ids are never used twice. It fails when something is taken silently or lost silently.
 * Method: small documents, one rule a test.
 */
import { describe, expect, it } from "vitest";
import { CLOCK_TOLERANCE_MS_DEFAULT } from "../../../protocols/crdt/causality/hybrid-clock.ts";
import { CrdtDocument, type DocumentSchema, type ReplicaId, replicaId } from "../../../protocols/crdt/index.ts";

const schema: DocumentSchema = {
	n: "g-counter",
	stock: "bounded-counter",
	text: "text",
	list: "list",
	set: "add-wins-set",
	title: "lww-register",
	map: { map: "pn-counter" },
};

function document(node: string, incarnation = 0): CrdtDocument {
	return new CrdtDocument({ replica: replicaId(node, incarnation), schema });
}

function thrownCode(act: () => unknown): string {
	try {
		act();
	} catch (error) {
		return (error as { code: string }).code;
	}
	return "nothing thrown";
}

function typed(to: CrdtDocument, text: string): Uint8Array {
	to.text("text").insert(to.text("text").length, text);
	return to.takeUpdate()!;
}

describe("updates", () => {
	it("that come too early wait, are shown, and are applied in the end, whatever the order", () => {
		const [a, b] = [document("a"), document("b")];
		const updates = [typed(a, "one "), typed(a, "two "), typed(a, "three")];
		expect(updates.toReversed().map((update) => b.apply(update))).toEqual(["waiting", "waiting", "applied"]);
		expect(b.waiting).toBe(0);
		expect(b.text("text").toString()).toBe("one two three");
	});

	it("that wait survive a restart", () => {
		const [a, b] = [document("a"), document("b")];
		const [first, second] = [typed(a, "one "), typed(a, "two")];
		b.apply(second!);
		const restarted = CrdtDocument.load(b.encode(), { replica: b.replica, schema });
		expect(restarted.waiting).toBe(1);
		restarted.apply(first!);
		expect(restarted.text("text").toString()).toBe("one two");
	});

	it("wait for what their author had seen of others", () => {
		const [a, b, c] = [document("a"), document("b"), document("c")];
		const first = typed(a, "question");
		b.apply(first);
		b.set("set").add("answer");
		const answer = b.takeUpdate()!;
		expect(c.apply(answer)).toBe("waiting");
		expect(c.set("set").has("answer")).toBe(false);
		expect(c.apply(first)).toBe("applied");
		expect(c.set("set").has("answer")).toBe(true);
	});

	it("are refused when the buffer is full, and can come again", () => {
		const pendingLimits = { updatesMax: 1, bytesMax: 1000 };
		const b = new CrdtDocument({ replica: replicaId("b", 0), schema, pendingLimits });
		const a = document("a");
		const updates = [typed(a, "1"), typed(a, "2"), typed(a, "3")];
		b.apply(updates[1]!);
		b.apply(updates[1]!);
		expect(thrownCode(() => b.apply(updates[2]!))).toBe("crdt-buffer-full");
		for (const update of updates) b.apply(update);
		b.apply(updates[2]!);
		expect(b.text("text").toString()).toBe("123");
	});

	it("are applied once, however often they come", () => {
		const [a, b] = [document("a"), document("b")];
		const update = typed(a, "once");
		expect([b.apply(update), b.apply(update)]).toEqual(["applied", "known"]);
		expect(b.text("text").toString()).toBe("once");
	});

	it("that are cut or changed anywhere are refused without a trace", () => {
		const [a, b] = [document("a"), document("b")];
		a.set("set").add({ deep: ["value", 1.5, null] });
		a.counter("map", "k").increment(300);
		const update = typed(a, "text");
		const before = b.encode();
		for (let length = 0; length < update.length; length++) {
			expect(thrownCode(() => b.apply(update.subarray(0, length)))).toBe("crdt-update-damaged");
		}
		for (let at = 0; at < update.length; at++) {
			const changed = update.slice();
			changed[at]! ^= 0x10;
			expect(thrownCode(() => b.apply(changed))).toBe("crdt-update-damaged");
		}
		expect(b.encode()).toEqual(before);
	});

	it("for a part that the schema does not have are refused", () => {
		const other = new CrdtDocument({ replica: replicaId("a", 0), schema: { unknown: "text" } });
		other.text("unknown").insert(0, "x");
		expect(thrownCode(() => document("b").apply(other.takeUpdate()!))).toBe("crdt-container-unknown");
	});

	it("with a stamp too far in the future are refused", () => {
		const [a, b] = [document("a"), document("b")];
		a.advanceClock(10_000_000);
		a.lwwRegister("title").set("from the future");
		const update = a.takeUpdate()!;
		b.advanceClock(1_000);
		expect(thrownCode(() => b.apply(update))).toBe("crdt-clock-ahead");
		expect(b.lwwRegister("title").value).toBeUndefined();
		b.advanceClock(10_000_000 - CLOCK_TOLERANCE_MS_DEFAULT - 1);
		expect(thrownCode(() => b.apply(update))).toBe("crdt-clock-ahead");
		b.advanceClock(10_000_000 - CLOCK_TOLERANCE_MS_DEFAULT);
		expect(b.apply(update)).toBe("applied");
	});
});

describe("a difference", () => {
	it("waits at whoever lacks what its asker had", () => {
		const [a, b, d] = [document("a"), document("b"), document("d")];
		a.apply(typed(b, "first"));
		const asker = a.context.copy();
		a.counter("n").increment();
		a.takeUpdate();
		const difference = a.differenceTo(asker);
		if (difference.type !== "update") throw new Error("the log has it all");
		expect(d.apply(difference.bytes)).toBe("waiting");
		expect(d.counter("n").value).toBe(0);
	});

	it("is not to be had by who lacks one record that has left the log: only the whole state helps", () => {
		const [a, b] = [document("a"), document("b")];
		a.counter("n").increment();
		b.apply(a.takeUpdate()!);
		const behind = b.context.copy();
		a.counter("n").increment();
		b.apply(a.takeUpdate()!);
		a.cutLog(a.context);
		expect(a.differenceTo(behind)).toEqual({ type: "behind" });
		expect(a.differenceTo(b.context)).toEqual({ type: "nothing" });
	});
});

describe("replica ids", () => {
	it("are refused when operations arrive that this replica has not made", () => {
		const [impostor, b] = [document("b"), document("b")];
		expect(thrownCode(() => b.apply(typed(impostor, "x")))).toBe("crdt-replica-reused");
		expect(thrownCode(() => b.merge(impostor.encode()))).toBe("crdt-replica-reused");
	});

	it("are refused with another replica's state that has their operations, and go on with their own", () => {
		const [a, b] = [document("a"), document("b")];
		b.apply(typed(a, "x"));
		const options = { replica: a.replica, schema };
		expect(thrownCode(() => CrdtDocument.load(b.encode(), options))).toBe("crdt-replica-reused");
		expect(CrdtDocument.load(a.encode(), options).text("text").toString()).toBe("x");
		const next: ReplicaId = replicaId("a", 1);
		expect(CrdtDocument.load(b.encode(), { replica: next, schema }).text("text").toString()).toBe("x");
	});

	it("that two use are found out by whoever is told other operations under numbers that it knows, of any type", () => {
		const acts: readonly ((to: CrdtDocument) => unknown)[] = [
			(to) => to.text("text").insert(0, "one"),
			(to) => to.text("text").insert(0, "two"),
			(to) => to.text("text").insert(0, "three, which is longer"),
			(to) => to.list("list").insert(0, 1, 2, 3),
			(to) => to.list("list").insert(0, 1, 2, 4),
			(to) => to.set("set").add("x"),
			(to) => to.set("set").add("y"),
			(to) => to.counter("n").increment(),
			(to) => to.counter("n").increment(2),
			(to) => to.lwwRegister("title").set("x"),
			(to) => to.counter("map", "key").increment(),
			// Of two that begin alike, the second operation differs.
			(to) => [to.text("text").insert(0, "z"), to.text("text").delete(0, 1)],
			(to) => [to.text("text").insert(0, "z"), to.text("text").insert(1, "y")],
			(to) => [to.text("text").insert(0, "z"), to.set("set").add("y")],
			(to) => [to.text("text").insert(0, "z"), to.list("list").insert(0, 7)],
		];
		const update = (act: (to: CrdtDocument) => unknown): Uint8Array => {
			const made = document("a");
			act(made);
			return made.takeUpdate()!;
		};
		for (const [i, first] of acts.entries()) {
			for (const [j, second] of acts.entries()) {
				const reader = document("b");
				expect(reader.apply(update(first))).toBe("applied");
				const before = reader.encode();
				const again = (): unknown => reader.apply(update(second));
				if (i === j) expect(again()).toBe("known");
				else expect([i, j, thrownCode(again)]).toEqual([i, j, "crdt-replica-reused"]);
				expect(reader.encode()).toEqual(before);
			}
		}
		// The replica itself is told by its twin.
		const one = document("a");
		acts[0]!(one);
		one.takeUpdate();
		expect(thrownCode(() => one.apply(update(acts[1]!)))).toBe("crdt-replica-reused");
	});

	it("are refused below an incarnation that is known", () => {
		const [later, b] = [document("a", 5), document("b")];
		b.apply(typed(later, "x"));
		const options = { replica: replicaId("a", 4), schema };
		expect(thrownCode(() => CrdtDocument.load(b.encode(), options))).toBe("crdt-replica-reused");
	});
});

describe("states", () => {
	it("that are cut or changed anywhere are refused", () => {
		const a = document("a");
		typed(a, "some text that has some text in it");
		a.list("list").insert(0, 1, "two", { three: 3 });
		const state = a.encode();
		for (let at = 0; at < state.length; at++) {
			const changed = state.slice();
			changed[at]! ^= 0x40;
			const refused = ["crdt-update-damaged", "crdt-format-unsupported"];
			expect(refused).toContain(thrownCode(() => document("b").merge(changed)));
			expect(refused).toContain(thrownCode(() => document("b").merge(state.subarray(0, at))));
		}
	});

	it("are the same after encoding and decoding, for every type", () => {
		const a = document("a");
		a.counter("n").increment(7);
		a.boundedCounter("stock").increment(3);
		a.set("set").add(["nested", { value: true }]);
		a.lwwRegister("title").set("\ud800 alone, \u{1f600} whole");
		a.counter("map", "k").decrement(2);
		typed(a, "text with \u{1f600}");
		a.text("text").delete(1, 3);
		a.list("list").insert(0, null, false, new Uint8Array([1, 2]), -1e300);
		const loaded = CrdtDocument.load(a.encode(), { replica: a.replica, schema });
		expect(loaded.value).toEqual(a.value);
		expect(loaded.encode()).toEqual(a.encode());
	});

	it("of which only one was collected are joined only if nothing can go wrong", () => {
		const [a, b] = [document("a"), document("b")];
		const update = typed(a, "abc");
		b.apply(update);
		a.collectAt(a.context);
		// b has nothing that a has not, so it takes the collected state.
		const text = b.text("text");
		expect(b.merge(a.encode())).toBe(false);
		expect(b.epoch).toBe(1);
		// A handle from before is one of the document as it is now.
		text.insert(3, "!");
		text.delete(3, 1);
		expect(b.text("text").toString()).toBe("abc");
		a.apply(b.takeUpdate()!);
		a.collectAt(a.context);
		typed(b, "d");
		expect(thrownCode(() => b.merge(a.encode()))).toBe("nothing thrown");
		typed(a, "e");
		expect(thrownCode(() => b.merge(a.encode()))).toBe("crdt-behind-floor");
		expect(b.text("text").toString()).toBe("abcd");
	});
});

describe("calls", () => {
	it("out of range, of a wrong type or with a wrong value get a typed error and change nothing", () => {
		const a = document("a");
		const before = a.encode();
		const bad: readonly [string, () => unknown][] = [
			["crdt-position-out-of-range", () => a.text("text").insert(1, "x")],
			["crdt-position-out-of-range", () => a.text("text").delete(0, 1)],
			["crdt-position-out-of-range", () => a.list("list").insert(-1, 1)],
			["crdt-amount-invalid", () => a.counter("n").increment(0)],
			["crdt-amount-invalid", () => a.counter("n").increment(Number.NaN)],
			["crdt-amount-invalid", () => a.counter("n").decrement()],
			["crdt-rights-insufficient", () => a.boundedCounter("stock").decrement()],
			["crdt-value-unencodable", () => a.set("set").add(undefined as never)],
			["crdt-value-unencodable", () => a.lwwRegister("title").set(Number.NaN)],
			["crdt-value-unencodable", () => a.list("list").insert(0, new Date(0) as never)],
			["crdt-container-unknown", () => a.text("nowhere")],
			["crdt-container-unknown", () => a.text("n")],
			["crdt-container-unknown", () => a.map("n")],
			["crdt-schema-invalid", () => new CrdtDocument({ replica: a.replica, schema: { x: "rga" as never } })],
			[
				"crdt-schema-invalid",
				() => new CrdtDocument({ replica: a.replica, schema: { x: { map: "bounded-counter" } } }),
			],
		];
		for (const [code, act] of bad) expect(thrownCode(act)).toBe(code);
		expect(a.encode()).toEqual(before);
	});

	it("with what is no text, or no bytes, say so and change nothing", () => {
		const one = document("a");
		const before = one.encode();
		const text = one.text("text");
		for (const wrong of [5, null, undefined, ["x"], { length: 2 }])
			expect(thrownCode(() => text.insert(0, wrong as unknown as string))).toBe("invalid-argument");
		for (const wrong of [null, undefined, "abc", [1, 2], new ArrayBuffer(8)]) {
			const bytes = wrong as unknown as Uint8Array;
			expect(thrownCode(() => one.apply(bytes))).toBe("invalid-argument");
			expect(thrownCode(() => one.merge(bytes))).toBe("invalid-argument");
			expect(thrownCode(() => one.scopeOf(bytes))).toBe("invalid-argument");
			expect(thrownCode(() => CrdtDocument.load(bytes, { replica: replicaId("b", 0), schema }))).toBe(
				"invalid-argument",
			);
		}
		expect(one.encode()).toEqual(before);
		expect(one.takeUpdate()).toBeNull();
	});

	it("on a counter below a map are removed exactly as far as the remover has seen them", () => {
		const [a, b] = [document("a"), document("b")];
		a.counter("map", "k").increment(5);
		b.apply(a.takeUpdate()!);
		a.counter("map", "k").increment(1);
		expect(b.map("map").delete("k")).toBe(true);
		expect(b.map("map").keys).toEqual([]);
		a.apply(b.takeUpdate()!);
		b.apply(a.takeUpdate()!);
		expect([a.counter("map", "k").value, b.counter("map", "k").value]).toEqual([1, 1]);
	});

	it("spend only rights that are held, and rights can be passed on", () => {
		const [a, b] = [document("a"), document("b")];
		a.boundedCounter("stock").increment(5);
		a.boundedCounter("stock").transfer(b.replica, 2);
		b.apply(a.takeUpdate()!);
		expect([a.boundedCounter("stock").rights(), b.boundedCounter("stock").rights()]).toEqual([3, 2]);
		expect(thrownCode(() => b.boundedCounter("stock").decrement(3))).toBe("crdt-rights-insufficient");
		b.boundedCounter("stock").decrement(2);
		a.boundedCounter("stock").decrement(3);
		a.apply(b.takeUpdate()!);
		expect(a.boundedCounter("stock").value).toBe(0);
	});

	it("are told to the observer, and remote changes by the position they have here (CRDT-17)", () => {
		const [a, b] = [document("a"), document("b")];
		b.apply(typed(a, "held"));
		typed(b, "__");
		const changes: unknown[] = [];
		b.observer = (change) => changes.push(change);
		a.text("text").insert(2, "ll");
		a.text("text").delete(0, 1);
		a.set("set").add("x");
		b.apply(a.takeUpdate()!);
		b.text("text").insert(0, "!");
		const remote = { source: "remote", path: ["text"] };
		expect(changes).toEqual([
			{ type: "inserted", ...remote, position: 2, content: "ll" },
			{ type: "deleted", ...remote, position: 0, count: 1 },
			{ type: "updated", source: "remote", path: ["set"], key: "x" },
			{ type: "inserted", source: "own", path: ["text"], position: 0, content: "!" },
		]);
	});

	it("of a joined state are told by key, what has gone as what has come", () => {
		const [a, b] = [document("a"), document("b")];
		a.set("set").add("gone");
		a.set("set").add("stays");
		b.apply(a.takeUpdate()!);
		const changes: unknown[] = [];
		b.observer = (change) => changes.push(change);
		a.set("set").delete("gone");
		a.set("set").add("new");
		expect(b.merge(a.encode())).toBe(true);
		const remote = { type: "updated", source: "remote", path: ["set"] };
		expect(changes).toEqual([
			{ ...remote, key: "new" },
			{ ...remote, key: "gone" },
		]);
		expect(b.set("set").values).toEqual(["new", "stays"]);
	});

	it("go on where a state was loaded, whatever of its text was asked for before", () => {
		const a = document("a");
		a.text("text").insert(0, "hallo, wörld");
		a.text("text").delete(1, 1);
		const states = [a.encode(), a.encode()];
		const [shown, unseen] = states.map((state) => {
			const options = { replica: replicaId("b", 0), schema: a.schema };
			return CrdtDocument.load(state, options);
		});
		expect(shown!.text("text").toString()).toBe("hllo, wörld");
		for (const one of [shown!, unseen!]) {
			one.text("text").delete(0, 1);
			one.text("text").insert(0, "Ha");
			expect(one.text("text").toString()).toBe("Hallo, wörld");
			one.text("text").delete(0, 6);
			expect(one.text("text").toString()).toBe(" wörld");
		}
		expect(shown!.encodeShared()).toEqual(unseen!.encodeShared());
	});
});
