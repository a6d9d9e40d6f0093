/**
 * Goal: the simulated disk keeps the contract of engines, loses what a crash may lose and nothing else, and fails as told.
 * Method: the suite of `engine-compliance.ts` on a scripted clock, and random crashes against what had settled before.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import { SimulatedDisk } from "../../../runtime/storage/simulated-disk.ts";
import { commitOn, loadFrom, testEngine } from "./engine-compliance.ts";
import { ScriptedClock } from "./scripted-clock.ts";

testEngine("simulated", () => {
	const clock = new ScriptedClock();
	return {
		open: async () => new SimulatedDisk({ clock, generator: new Generator(1) }),
		reopen: async (engine) => {
			(engine as SimulatedDisk).crash("s");
			await loadFrom(engine, "s");
			return engine;
		},
		settle: async (promise) => {
			while (clock.step());
			return promise;
		},
		cleanUp: async () => undefined,
	};
});

const append = (
	index: number,
): { store: string; operations: { type: "append"; firstIndex: number; records: Uint8Array[] }[] } => ({
	store: "s",
	operations: [{ type: "append", firstIndex: index, records: [Uint8Array.of(index)] }],
});

describe("a crash", () => {
	it("keeps what had settled, and of the rest a prefix, of any length", async () => {
		const survivors = new Set<number>();
		for (let seed = 1; seed <= 60; seed++) {
			const clock = new ScriptedClock();
			const disk = new SimulatedDisk({ clock, generator: new Generator(seed) });
			let settled = 0;
			for (let index = 1; index <= 4; index++) {
				disk.commit([append(index), { store: "t", operations: append(index).operations }], () => {
					settled = index;
				});
			}
			clock.step();
			expect(settled).toBe(1);
			disk.crash("s");
			// From the dead: on its way when the power went.
			disk.commit([append(5)], () => undefined);
			while (clock.step());
			const { records } = await loadFrom(disk, "s");
			expect(records.map((record) => record[0])).toEqual(Array.from(records, (_, i) => i + 1));
			survivors.add(records.length);
			expect((await loadFrom(disk, "t")).records).toHaveLength(4);
			disk.commit([append(records.length + 1)], () => undefined);
			while (clock.step());
			expect((await loadFrom(disk, "s")).records).toHaveLength(records.length + 1);
		}
		expect([...survivors].sort()).toEqual([1, 2, 3, 4]);
	});

	it("lets nothing settle before its flush, and settles in order", () => {
		const clock = new ScriptedClock();
		const disk = new SimulatedDisk({ clock, generator: new Generator(7), flushMs: { min: 1, max: 2 } });
		const settled: [number, number][] = [];
		for (let index = 1; index <= 3; index++) {
			disk.commit([append(index)], () => settled.push([index, Math.floor(clock.nowMs())]));
		}
		expect(settled).toEqual([]);
		while (clock.step());
		expect(settled.map(([index]) => index)).toEqual([1, 2, 3]);
		expect(settled.every(([index, atMs]) => atMs >= index)).toBe(true);
	});
});

describe("a failing flush", () => {
	for (const code of ["disk-full", "disk-failed"] as const) {
		it(`is told as ${code} and makes the disk unusable`, async () => {
			const clock = new ScriptedClock();
			const disk = new SimulatedDisk({ clock, generator: new Generator(1) });
			const commits = [commitOn(disk, [append(1)]), commitOn(disk, [append(2)])];
			disk.failNextFlush(code);
			while (clock.step());
			for (const commit of commits) await expect(commit).rejects.toMatchObject({ code });
			const unusable = { code: "storage-unusable", details: { failure: code } };
			await expect(commitOn(disk, [append(1)])).rejects.toMatchObject(unusable);
			await expect(loadFrom(disk, "s")).rejects.toMatchObject(unusable);
		});
	}
});
