/**
 * Goal: each fault of the simulated disk does what its name says, to the stores it is of, until it is removed; what is
 * damaged is found by its checksum when it is read, and never more of it than the run's fault model allows.
 * Method: a disk on a scripted clock with flushes of 10 ms; each fault beside a store or a moment that it does not concern.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import type { StoreOperation } from "../../../runtime/storage/contract.ts";
import { type DiskFault, diskFaultKinds } from "../../../runtime/storage/disk-faults.ts";
import { SimulatedDisk } from "../../../runtime/storage/simulated-disk.ts";
import { commitOn, loadFrom, readFrom } from "./engine-compliance.ts";
import { ScriptedClock } from "./scripted-clock.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const put = (key: string, ...values: number[]): StoreOperation => ({ type: "put", key, value: bytes(...values) });
const append = (firstIndex: number, ...records: number[]): StoreOperation => ({
	type: "append",
	firstIndex,
	records: records.map((record) => bytes(record, record, record)),
});

class Setup {
	readonly clock = new ScriptedClock();
	readonly disk: SimulatedDisk;

	constructor(damagedStoresMax = 0, seed = 1) {
		const generator = new Generator(seed, "disk");
		this.disk = new SimulatedDisk({ clock: this.clock, generator, flushMs: { min: 10, max: 10 }, damagedStoresMax });
	}

	/** When the write was flushed, or the code of its failure; `waiting` if neither happens. */
	async write(store: string, ...operations: StoreOperation[]): Promise<number | string> {
		const { clock } = this;
		let outcome: number | string = "waiting";
		commitOn(this.disk, [{ store, operations }]).then(
			() => {
				outcome = clock.nowMs();
			},
			(error: { readonly code: string }) => {
				outcome = error.code;
			},
		);
		await this.settle();
		return outcome;
	}

	async settle(): Promise<void> {
		do await new Promise((resolve) => setImmediate(resolve));
		while (this.clock.step());
	}

	async load(store: string): Promise<string> {
		return loadFrom(this.disk, store).then(
			({ values, records }) => `${values.size} values, ${records.length} records`,
			(error: { readonly code: string }) => error.code,
		);
	}

	/** A published snapshot of four bytes in two chunks. */
	async publish(store: string): Promise<void> {
		const name = "snap";
		await this.write(
			store,
			{ type: "stage-snapshot", name, offset: 0, data: bytes(1, 2) },
			{ type: "stage-snapshot", name, offset: 2, data: bytes(3, 4) },
			{ type: "publish-snapshot", name, sizeBytes: 4, description: bytes(9) },
		);
	}
}

describe("a slow disk", () => {
	it("takes so many times longer, for the stores it is slow for", async () => {
		const setup = new Setup();
		const slow = setup.disk.add({ kind: "slow", factor: 7, stores: ["s"] });
		expect(await setup.write("t", put("a", 1))).toBe(10);
		expect(await setup.write("s", put("a", 1))).toBe(80);
		slow.remove();
		expect(await setup.write("s", put("a", 1))).toBe(90);
		expect(setup.disk.faultCounts).toEqual(new Map([["slow", 1]]));
	});
});

describe("a stalled disk", () => {
	it("ends no flush before the stall is over", async () => {
		const setup = new Setup();
		const stall = setup.disk.add({ kind: "stall" });
		let flushed = false;
		void commitOn(setup.disk, [{ store: "s", operations: [put("a", 1)] }]).then(() => {
			flushed = true;
		});
		await setup.settle();
		expect(flushed).toBe(false);
		expect(await setup.load("s")).toBe("0 values, 0 records");
		expect(setup.disk.activeFaults).toEqual([{ kind: "stall" }]);
		stall.remove();
		await setup.settle();
		expect(flushed).toBe(true);
		expect(await setup.load("s")).toBe("1 values, 0 records");
		expect(await setup.write("s", put("a", 1))).toBe(setup.clock.nowMs());
	});

	it("of another store stalls nothing; clearing all faults ends it", async () => {
		const setup = new Setup();
		setup.disk.add({ kind: "stall", stores: ["t"] });
		expect(await setup.write("s", put("a", 1))).toBe(10);
		expect(await setup.write("t", put("a", 1))).toBe("waiting");
		setup.disk.clearFaults();
		await setup.settle();
		expect(await setup.load("t")).toBe("1 values, 0 records");
		expect(setup.disk.activeFaults).toEqual([]);
	});
});

describe("a flush that fails", () => {
	it.each(["disk-full", "disk-failed"] as const)("by %s is the n-th one, and the disk's last", async (code) => {
		const setup = new Setup();
		setup.disk.add({ kind: "fail-flush", code, nth: 2, stores: ["s"] });
		expect(await setup.write("s", put("a", 1))).toBe(10);
		expect(await setup.write("t", put("a", 1))).toBe(20);
		expect(await setup.write("s", put("a", 1))).toBe(code);
		expect(await setup.write("t", put("a", 1))).toBe("storage-unusable");
		expect(await setup.load("t")).toBe("storage-unusable");
		expect(setup.disk.faultCounts.get("fail-flush")).toBe(1);
	});

	it("does not when it is called off", async () => {
		const setup = new Setup();
		setup.disk.add({ kind: "fail-flush", code: "disk-full" }).remove();
		expect(await setup.write("s", put("a", 1))).toBe(10);
	});
});

describe("a read error", () => {
	it("is of the n-th read of that store, and ends the disk with all that is on its way", async () => {
		const setup = new Setup();
		setup.disk.add({ kind: "read-error", nth: 2, stores: ["s"] });
		expect(await setup.load("s")).toBe("0 values, 0 records");
		expect(await setup.load("t")).toBe("0 values, 0 records");
		let outcome = "waiting";
		commitOn(setup.disk, [{ store: "t", operations: [put("a", 1)] }]).catch((error: { readonly code: string }) => {
			outcome = error.code;
		});
		expect(await setup.load("s")).toBe("disk-failed");
		expect(await setup.load("t")).toBe("storage-unusable");
		await setup.settle();
		expect(outcome).toBe("disk-failed");
		await setup.disk.close();
	});
});

describe("a stale snapshot", () => {
	it("is answered as if it were not the published one any more", async () => {
		const setup = new Setup();
		await setup.publish("s");
		const stale = setup.disk.add({ kind: "stale-snapshot", probability: 1, stores: ["s"] });
		expect(await readFrom(setup.disk, "s", "snap", 0, 4)).toBeNull();
		stale.remove();
		expect(await readFrom(setup.disk, "s", "snap", 0, 4)).toEqual(bytes(1, 2, 3, 4));
	});
});

describe("a store that is wiped", () => {
	it("is empty when it is loaded next, and takes nothing from the life before", async () => {
		const setup = new Setup();
		await setup.write("s", put("a", 1), append(1, 5));
		await setup.write("t", put("a", 1));
		void commitOn(setup.disk, [{ store: "s", operations: [append(2, 6)] }]);
		setup.disk.add({ kind: "wipe", store: "s" });
		await setup.settle();
		expect(await setup.write("s", append(3, 7))).toEqual(expect.any(Number));
		expect(await setup.load("s")).toBe("0 values, 0 records");
		expect(await setup.load("t")).toBe("1 values, 0 records");
		expect(await setup.write("s", append(1, 5))).toEqual(expect.any(Number));
		expect(setup.disk.faultCounts).toEqual(new Map([["wipe", 1]]));
	});
});

describe("damage", () => {
	it.each(["bit-rot", "misdirected-write"] as const)(
		"by %s is found when the store is loaded, and nowhere else",
		async (kind) => {
			for (let seed = 1; seed <= 20; seed++) {
				const setup = new Setup(1, seed);
				for (const store of ["s", "t"]) await setup.write(store, put("a", 1, 2), put("b", 3, 4), append(1, 5, 6, 7));
				const place = setup.disk.damage("s", kind);
				expect(place).toMatch(/^(value [ab]|record [123])$/);
				expect(setup.disk.damagedStores).toEqual(["s"]);
				const found = await loadFrom(setup.disk, "s").catch((thrown: unknown) => thrown);
				const [part, key] = place.split(" ");
				const damagedFrom = Number(key);
				if (part === "value")
					expect(found).toMatchObject({ code: "store-corrupt", details: { store: "s", part, key } });
				else expect(found).toMatchObject({ damagedFrom, records: { length: damagedFrom - 1 } });
				expect(await setup.load("t")).toBe("2 values, 3 records");
				// The engine stays usable, as its contract has it.
				expect(await setup.write("t", append(4, 8))).toEqual(expect.any(Number));
			}
		},
	);

	it("of a snapshot is found when those bytes are read, and not before", async () => {
		const setup = new Setup(1);
		await setup.publish("s");
		const place = setup.disk.damage("s", "bit-rot");
		expect(place).toMatch(/^snapshot [01]$/);
		const [bad, good] = place === "snapshot 0" ? [0, 2] : [2, 0];
		expect(await setup.load("s")).toBe("0 values, 0 records");
		expect(await readFrom(setup.disk, "s", "snap", good, 2)).toEqual(good === 0 ? bytes(1, 2) : bytes(3, 4));
		await expect(readFrom(setup.disk, "s", "snap", bad, 2)).rejects.toMatchObject({ code: "store-corrupt" });
	});

	it("is gone when the place is written anew, or its record is no more", async () => {
		const setup = new Setup(1);
		await setup.write("s", put("a", 1));
		setup.disk.damage("s", "bit-rot");
		await setup.write("s", put("a", 2));
		expect(await setup.load("s")).toBe("1 values, 0 records");
		expect(setup.disk.damagedStores).toEqual([]);
		const log = new Setup(1);
		await log.write("s", append(1, 5));
		log.disk.damage("s", "bit-rot");
		await log.write("s", append(2, 6), { type: "compact-through", index: 1 });
		expect(await log.load("s")).toBe("0 values, 1 records");
	});

	it("that is damaged twice is still found, even if the same bit flips back or not", async () => {
		for (let seed = 1; seed <= 20; seed++) {
			const setup = new Setup(1, seed);
			await setup.write("s", put("a", 0));
			for (let i = 0; i < 3; i++) setup.disk.damage("s", "bit-rot");
			// Three flips of the bits of one byte never give that byte again.
			expect(await setup.load("s")).toBe("store-corrupt");
		}
	});

	it("stays within the budget: no more stores than told, but the same one again", async () => {
		const setup = new Setup(1);
		for (const store of ["s", "t"]) await setup.write(store, put("a", 1), put("b", 2));
		setup.disk.add({ kind: "bit-rot", store: "s" });
		setup.disk.add({ kind: "misdirected-write", store: "s" });
		expect(() => setup.disk.add({ kind: "bit-rot", store: "t" })).toThrow(
			expect.objectContaining({
				code: "fault-over-budget",
				details: { kind: "bit-rot", store: "t", damaged: ["s"], copiesMax: 1 },
			}),
		);
		expect(await setup.load("t")).toBe("2 values, 0 records");
	});

	it("is refused unless the run's fault model has it, and where there is nothing", async () => {
		const none = new Setup();
		await none.write("s", put("a", 1));
		expect(() => none.disk.damage("s", "bit-rot")).toThrow(expect.objectContaining({ code: "fault-over-budget" }));
		const empty = new Setup(1);
		expect(() => empty.disk.damage("s", "bit-rot")).toThrow(expect.objectContaining({ code: "disk-fault-invalid" }));
		await empty.write("s", put("a", 1));
		expect(() => empty.disk.damage("s", "misdirected-write")).toThrow(
			expect.objectContaining({ code: "disk-fault-invalid" }),
		);
	});
});

describe("a fault that can not be", () => {
	const bad: readonly (readonly [string, object])[] = [
		["by no factor", { kind: "slow", factor: 0 }],
		["of the zeroth flush", { kind: "fail-flush", code: "disk-full", nth: 0 }],
		["by half a read", { kind: "read-error", nth: 0.5 }],
		["of more than always", { kind: "stale-snapshot", probability: 2 }],
		["of a kind that is none", { kind: "rust" }],
	];
	it.each(bad)("is refused: %s", (_, fault) => {
		const { disk } = new Setup();
		expect(() => disk.add(fault as DiskFault)).toThrow(expect.objectContaining({ code: "disk-fault-invalid" }));
		expect(disk.activeFaults).toEqual([]);
	});

	it("is none of the catalogue's", () => {
		expect(new Set(diskFaultKinds).size).toBe(diskFaultKinds.length);
	});
});

describe("a fault with a probability", () => {
	it("strikes at about that part of the occasions, until it is removed", async () => {
		let failures = 0;
		for (let seed = 1; seed <= 200; seed++) {
			const setup = new Setup(0, seed);
			setup.disk.add({ kind: "fail-flush", code: "disk-failed", probability: 0.3 });
			if ((await setup.write("s", put("a", 1))) === "disk-failed") failures += 1;
		}
		expect(failures).toBeGreaterThan(35);
		expect(failures).toBeLessThan(85);
	});

	it("of 0 never strikes, and of 1 always: also after the disk was reopened", async () => {
		const setup = new Setup();
		setup.disk.add({ kind: "read-error", probability: 0 });
		expect(await setup.write("s", put("a", 1))).toBe(10);
		expect(await setup.load("s")).toBe("1 values, 0 records");
		const error = setup.disk.add({ kind: "read-error", probability: 1, stores: ["s"] });
		for (let time = 0; time < 2; time++) {
			expect(await setup.load("s")).toBe("disk-failed");
			expect(await setup.load("t")).toBe("storage-unusable");
			setup.disk.reopen();
			expect(await setup.load("t")).toBe("0 values, 0 records");
		}
		error.remove();
		expect(await setup.load("s")).toBe("1 values, 0 records");
		expect(() => setup.disk.add({ kind: "read-error", probability: 1.5 })).toThrow(
			expect.objectContaining({ code: "disk-fault-invalid" }),
		);
	});

	it("a disk that is reopened holds what was flushed, and takes writes that continue that", async () => {
		const setup = new Setup();
		expect(await setup.write("s", append(1, 1, 2))).toBe(10);
		setup.disk.failNextFlush("disk-full");
		expect(await setup.write("s", append(3, 3))).toBe("disk-full");
		expect(setup.disk.failure?.code).toBe("disk-full");
		setup.disk.reopen();
		setup.disk.reopen();
		expect(setup.disk.failure).toBeNull();
		expect(await setup.write("s", append(4, 4))).toBe("log-gap");
		expect(await setup.write("s", append(3, 5))).toBe(setup.clock.nowMs());
		expect(await setup.load("s")).toBe("0 values, 3 records");
	});
});
