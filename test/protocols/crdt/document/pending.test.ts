/** Goal: updates that came early wait within their bounds, and what has left makes room (CRDT-9). Method: the buffer by itself. */
import { describe, expect, it } from "vitest";
import { PendingUpdates } from "../../../../protocols/crdt/document/pending.ts";

const update = (value: number, length = 10): Uint8Array => new Uint8Array(length).fill(value);

describe("early updates", () => {
	it("wait once each, up to a number", () => {
		const pending = new PendingUpdates({ updatesMax: 2, bytesMax: 1_000 });
		for (const value of [1, 1, 2]) pending.add(update(value));
		expect(pending.size).toBe(2);
		expect(() => pending.add(update(3))).toThrow("updates");
	});

	it("wait up to so many bytes, the last one included", () => {
		const pending = new PendingUpdates({ updatesMax: 10, bytesMax: 20 });
		pending.add(update(1));
		expect(() => pending.add(update(2, 11))).toThrow("bytes");
		pending.add(update(2));
		expect(() => pending.add(update(3, 1))).toThrow("bytes");
	});

	it("make room when they are taken", () => {
		const pending = new PendingUpdates({ updatesMax: 10, bytesMax: 20 });
		for (const value of [1, 2]) pending.add(update(value));
		pending.drain(([first]) => first === 1);
		pending.add(update(3));
		expect(pending.updates.map(([first]) => first)).toEqual([2, 3]);
	});
});
