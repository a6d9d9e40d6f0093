/**
 * Goal: a start that fails before its thread has a task leaves no thread behind.
 * Method: the directory with a memory that can not be prepared and one spare that notes its end.
 */
import { describe, expect, it } from "vitest";
import type { SpareThreads } from "../../../runtime/threads/spare-threads.ts";
import { type SlotMemory, WorkerDirectory } from "../../../runtime/threads/thread-directory.ts";

describe("the directory of threads", () => {
	it("ends the thread it has taken when the slot can not be prepared, and frees the slot", async () => {
		const told: string[] = [];
		const thread = { end: null, terminate: async (cause: string) => told.push(`terminated ${cause}`) };
		const spares = { take: async () => thread, replenish: () => told.push("replenished") };
		const memory = {
			prepare: () => {
				throw new Error("no memory for lanes");
			},
			free: () => 0,
		};
		const directory = new WorkerDirectory(memory as unknown as SlotMemory, spares as unknown as SpareThreads, 4);
		const spec = { name: "a", waiting: "async", dedicated: true } as const;
		await expect(directory.start(spec)).rejects.toThrow("no memory for lanes");
		expect(told).toEqual(["terminated stopped", "replenished"]);
		expect(directory.status()).toEqual([]);
	});
});
