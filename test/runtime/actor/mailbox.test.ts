/**
 * Goal: a mailbox keeps its order, its bound and its precedence on every path into it.
 * Method: the mailbox alone, and a deque compared with an array over random operations.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAIN_SLOT } from "../../../runtime/actor/address.ts";
import { Notice, Received, Tick } from "../../../runtime/actor/entry.ts";
import { Mailbox } from "../../../runtime/actor/mailbox.ts";
import { MessageRing } from "../../../runtime/actor/message-ring.ts";

function drain(mailbox: Mailbox): unknown[] {
	const all: unknown[] = [];
	for (let taken = mailbox.next(); taken !== null; taken = mailbox.next()) {
		all.push(taken.meta === null ? taken.message : taken.meta.tag);
	}
	return all;
}

const notice = new Notice({ type: "terminated", ref: null as never, reason: { type: "normal" } }, null, null);

describe("MessageRing", () => {
	it("is a deque", () => {
		const operation = fc.oneof(
			fc.record({ at: fc.constantFrom("push", "unshift"), value: fc.integer() }),
			fc.record({ at: fc.constantFrom("shift", "pop"), value: fc.constant(0) }),
		);
		fc.assert(
			fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
				const ring = new MessageRing();
				const model: number[] = [];
				for (const { at, value } of operations) {
					if (at === "push" || at === "unshift") {
						ring[at](value, null);
						model[at](value);
						continue;
					}
					const expected = model[at as "shift" | "pop"]();
					const taken = ring[at as "shift" | "pop"]();
					expect(taken ? ring.message : undefined).toBe(expected);
				}
				expect(ring.length).toBe(model.length);
			}),
		);
	});
});

describe("Mailbox", () => {
	it("gives signals and ticks first, then unstashed, then high, then normal", () => {
		const mailbox = new Mailbox({ priorities: true });
		mailbox.stash("stashed 1", null);
		mailbox.stash("stashed 2", null);
		mailbox.push("normal", null, false);
		mailbox.push("high", null, true);
		mailbox.pushUrgent(new Tick("key", undefined, null));
		mailbox.pushUrgent(notice);
		mailbox.unstash();
		expect(drain(mailbox)).toEqual(["tick", "notice", "stashed 1", "stashed 2", "high", "normal"]);
	});

	it("knows no priorities unless it is told to", () => {
		const mailbox = new Mailbox({});
		mailbox.push("first", null, false);
		mailbox.push("second", null, true);
		expect(drain(mailbox)).toEqual(["first", "second"]);
	});

	it("keeps signals in their place among messages", () => {
		const mailbox = new Mailbox({});
		mailbox.push("before", null, false);
		mailbox.pushInOrder(notice);
		mailbox.push("after", null, false);
		expect(drain(mailbox)).toEqual(["before", "notice", "after"]);
	});

	it("puts what is stashed while replaying before the rest of the replay", () => {
		const mailbox = new Mailbox({});
		for (const message of ["a", "b", "c"]) mailbox.stash(message, null);
		mailbox.unstash();
		mailbox.stash(mailbox.next()?.message, null);
		mailbox.unstash();
		expect(drain(mailbox)).toEqual(["a", "b", "c"]);
	});

	it("drops the oldest message, never a signal", () => {
		const mailbox = new Mailbox({ capacity: 2, overflow: "drop-old" });
		mailbox.pushInOrder(notice);
		mailbox.push("old", null, false);
		expect(mailbox.dropOldest()?.message).toBe("old");
		expect(mailbox.dropOldest()).toBeNull();
		expect(drain(mailbox)).toEqual(["notice"]);
	});

	it("gives back all messages when it is cleared, the stash included, and no ticks or signals", () => {
		const mailbox = new Mailbox({});
		mailbox.stash("stashed", null);
		mailbox.push("waiting", new Received(null, MAIN_SLOT, 1, 0, null, 0), false);
		mailbox.pushUrgent(notice);
		const lost: unknown[] = [];
		mailbox.clear((message) => lost.push(message));
		expect(lost).toEqual(["stashed", "waiting"]);
		expect(mailbox.isEmpty).toBe(true);
	});

	it.each([0, 1.5, 1_000_001, Number.NaN])("refuses a capacity of %s", (capacity) => {
		expect(() => new Mailbox({ capacity })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
	});
});
