/** Goal: who leaves a queue first, and who gives way in a full one (GOS-18). Method: the queue by itself. */
import { describe, expect, it } from "vitest";
import { BroadcastQueue } from "../../../../protocols/gossip/swim/broadcast-queue.ts";

const BYTES = 100;

function queue(itemsMax: number, ...keys: string[]): BroadcastQueue<string> {
	const made = new BroadcastQueue<string>(itemsMax);
	for (const key of keys) made.push(key, key, BYTES);
	return made;
}

function take(from: BroadcastQueue<string>, count: number): string {
	const taken: string[] = [];
	from.take(count * BYTES, 10, taken);
	return taken.join("");
}

describe("a queue", () => {
	it("keeps the newest first among those that were sent as often, in each round", () => {
		const waiting = queue(9, "a", "b", "c");
		expect([1, 2, 3].map(() => take(waiting, 3))).toEqual(["cba", "cba", "cba"]);
		expect(waiting.view().map(({ item, sends }) => `${item}${sends}`)).toEqual(["c3", "b3", "a3"]);
	});

	it("that is full gives up what was sent most often, the oldest of these", () => {
		const waiting = queue(3, "a", "b", "c");
		expect(take(waiting, 2)).toBe("cb");
		waiting.push("d", "d", BYTES);
		expect(waiting.size).toBe(3);
		expect(take(waiting, 3)).toBe("dac");
	});
});
