/**
 * Goal: the LMDB engine keeps the contract of engines, finds damage, names a full disk, and refuses what is not its own.
 * Method: the suite of `engine-compliance.ts`; bytes flipped in the database file; a size limit on files in a child process.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LmdbEngine } from "../../../runtime/storage/lmdb-engine.ts";
import { commitOn, loadFrom, readFrom, testEngine } from "./engine-compliance.ts";

const owner = { clusterId: "test", nodeIds: ["node-1", "node-2"] };

testEngine("LMDB", () => {
	const directory = mkdtempSync(join(tmpdir(), "quorate-lmdb-"));
	return {
		open: async () => LmdbEngine.open(directory, owner),
		reopen: async (engine) => {
			await engine.close();
			return LmdbEngine.open(directory, owner);
		},
		settle: (promise) => promise,
		cleanUp: async () => rmSync(directory, { recursive: true }),
	};
});

function withDirectory(run: (directory: string) => Promise<void>): () => Promise<void> {
	return async () => {
		const directory = mkdtempSync(join(tmpdir(), "quorate-lmdb-"));
		try {
			await run(directory);
		} finally {
			rmSync(directory, { recursive: true });
		}
	};
}

/** Changes one byte where `content` stands in the database file. */
function damage(directory: string, content: string): void {
	const path = join(directory, "data.mdb");
	const bytes = readFileSync(path);
	let found = 0;
	for (let at = bytes.indexOf(content); at >= 0; at = bytes.indexOf(content, at + 1)) {
		bytes[at] = (bytes[at] ?? 0) ^ 1;
		found += 1;
	}
	expect(found).toBeGreaterThan(0);
	writeFileSync(path, bytes);
}

describe("a file that was cut off", () => {
	it(
		"is told as a corrupt directory, unless nothing refers to what is missing",
		withDirectory(async (directory) => {
			const path = join(directory, "data.mdb");
			const engine = LmdbEngine.open(directory, owner);
			const records = Array.from({ length: 300 }, (_, i) => new Uint8Array(300).fill(i));
			const append = { type: "append" as const, firstIndex: 1, records };
			const stage = (sizeBytes: number) =>
				({ type: "stage-snapshot", name: "s", offset: 0, data: new Uint8Array(sizeBytes).fill(7) }) as const;
			await commitOn(engine, [{ store: "s", operations: [append, stage(60_000)] }]);
			await commitOn(engine, [{ store: "s", operations: [stage(400_000)] }]);
			// The last pages are free from here on, and the first ones are used again.
			await commitOn(engine, [{ store: "s", operations: [stage(100)] }]);
			for (let i = 0; i < 20; i++) {
				await commitOn(engine, [{ store: "s", operations: [{ type: "put", key: "k", value: new Uint8Array(i) }] }]);
			}
			const before = await loadFrom(engine, "s");
			await engine.close();
			const whole = readFileSync(path);
			const pages = whole.length / 4_096;
			const openedAt = async (left: number): Promise<boolean> => {
				writeFileSync(path, whole.subarray(0, left * 4_096));
				let opened: LmdbEngine;
				try {
					opened = LmdbEngine.open(directory, owner);
				} catch (error) {
					expect(error).toMatchObject({ code: "data-directory-corrupt" });
					return false;
				}
				expect(await loadFrom(opened, "s")).toEqual(before);
				const put = { type: "put", key: "more", value: new Uint8Array(200_000) } as const;
				await commitOn(opened, [{ store: "s", operations: [put] }]);
				await opened.close();
				return true;
			};
			let left = 2;
			while (!(await openedAt(left))) left += 1;
			expect(left).toBeGreaterThan(10);
			expect(pages - left, "pages at the end that nothing refers to").toBeGreaterThan(10);
			for (left += 1; left <= pages; left += 32) expect(await openedAt(left)).toBe(true);
		}),
	);
});

describe("space", () => {
	it(
		"stays bounded while a log runs on and is compacted",
		withDirectory(async (directory) => {
			const engine = LmdbEngine.open(directory, owner);
			const records = Array.from({ length: 500 }, (_, i) => new Uint8Array(200).fill(i));
			const run = async (from: number, to: number): Promise<number> => {
				for (let i = from; i < to; i++) {
					const append = { type: "append" as const, firstIndex: i * 500 + 1, records };
					const compact = { type: "compact-through" as const, index: Math.max(0, i * 500 - 250) };
					await commitOn(engine, [{ store: "s", operations: [append, compact] }]);
				}
				return statSync(join(directory, "data.mdb")).size;
			};
			const early = await run(0, 20);
			expect(await run(20, 100)).toBeLessThanOrEqual(2 * early);
			await engine.close();
		}),
	);
});

describe("damage", () => {
	const marks = { value: "the-value-of-term", record: "the-second-record", snapshot: "the-snapshot-bytes" };
	const text = (content: string): Uint8Array => new TextEncoder().encode(content);

	async function written(directory: string): Promise<void> {
		const engine = LmdbEngine.open(directory, owner);
		await commitOn(engine, [
			{
				store: "s",
				operations: [
					{ type: "put", key: "term", value: text(marks.value) },
					{ type: "append", firstIndex: 5, records: [text("first"), text(marks.record)] },
					{ type: "stage-snapshot", name: "n", offset: 0, data: text(marks.snapshot) },
					{ type: "publish-snapshot", name: "n", sizeBytes: marks.snapshot.length, description: text("d") },
				],
			},
			{ store: "t", operations: [{ type: "append", firstIndex: 1, records: [text("sound")] }] },
		]);
		await engine.close();
	}

	it(
		"of a value is found when the store is loaded; other stores are not touched by it",
		withDirectory(async (directory) => {
			await written(directory);
			damage(directory, marks.value);
			const engine = LmdbEngine.open(directory, owner);
			await expect(loadFrom(engine, "s")).rejects.toMatchObject({
				code: "store-corrupt",
				details: { store: "s", part: "value", key: "term", problem: "the checksum does not match" },
			});
			expect((await loadFrom(engine, "t")).records).toEqual([text("sound")]);
			await engine.close();
		}),
	);

	it(
		"of a record is told when the store is loaded, and gone when the log is cut there; other stores are not touched by it",
		withDirectory(async (directory) => {
			await written(directory);
			damage(directory, marks.record);
			const engine = LmdbEngine.open(directory, owner);
			expect(await loadFrom(engine, "s")).toMatchObject({ firstIndex: 5, records: [], damagedFrom: 5 });
			expect((await loadFrom(engine, "t")).records).toEqual([text("sound")]);
			const again = { type: "append" as const, firstIndex: 5, records: [text("again")] };
			await commitOn(engine, [{ store: "s", operations: [{ type: "truncate-from", index: 5 }, again] }]);
			const mended = await loadFrom(engine, "s");
			expect([mended.records, "damagedFrom" in mended]).toEqual([[text("again")], false]);
			await engine.close();
		}),
	);

	it(
		"of a record is found when the log is truncated before it: the group is refused whole and the rest stays usable",
		withDirectory(async (directory) => {
			await written(directory);
			damage(directory, marks.record);
			const engine = LmdbEngine.open(directory, owner);
			const group = [
				{ store: "t", operations: [{ type: "append" as const, firstIndex: 2, records: [text("more")] }] },
				{ store: "s", operations: [{ type: "truncate-from" as const, index: 6 }] },
			];
			await expect(commitOn(engine, group)).rejects.toMatchObject({
				code: "store-corrupt",
				details: { store: "s", part: "record", key: "5-6" },
			});
			expect((await loadFrom(engine, "t")).records).toEqual([text("sound")]);
			await commitOn(engine, group.slice(0, 1));
			expect((await loadFrom(engine, "t")).records).toEqual([text("sound"), text("more")]);
			await engine.close();
		}),
	);

	it(
		"of a covered record that is still on the disk is found too, and ends when its segment goes",
		withDirectory(async (directory) => {
			await written(directory);
			damage(directory, "first");
			const engine = LmdbEngine.open(directory, owner);
			await commitOn(engine, [{ store: "s", operations: [{ type: "compact-through", index: 5 }] }]);
			expect(await loadFrom(engine, "s")).toMatchObject({ firstIndex: 6, damagedFrom: 6 });
			await commitOn(engine, [{ store: "s", operations: [{ type: "compact-through", index: 6 }] }]);
			expect(await loadFrom(engine, "s")).toMatchObject({ firstIndex: 7, records: [] });
			await engine.close();
		}),
	);

	it(
		"of a snapshot is found when it is read",
		withDirectory(async (directory) => {
			await written(directory);
			damage(directory, marks.snapshot);
			const engine = LmdbEngine.open(directory, owner);
			expect((await loadFrom(engine, "s")).snapshot?.name).toBe("n");
			await expect(readFrom(engine, "s", "n", 0, 100)).rejects.toMatchObject({
				code: "store-corrupt",
				details: { part: "snapshot", key: "0" },
			});
			await engine.close();
		}),
	);

	const broken: Record<string, (whole: Buffer) => Buffer | null> = {
		"is missing": () => null,
		"is empty": () => Buffer.alloc(0),
		"is cut short": (whole) => whole.subarray(0, 4_100),
		"is no database": (whole) => Buffer.alloc(whole.length, 1),
		"has one bad head": (whole) => Buffer.concat([whole.subarray(0, 4_096), Buffer.alloc(whole.length - 4_096, 1)]),
	};
	for (const [problem, breakIt] of Object.entries(broken)) {
		it(
			`of the database file: one that ${problem} is told as a corrupt directory, never begun anew`,
			withDirectory(async (directory) => {
				await written(directory);
				const path = join(directory, "data.mdb");
				const after = breakIt(readFileSync(path));
				if (after === null) rmSync(path);
				else writeFileSync(path, after);
				expect(() => LmdbEngine.open(directory, owner)).toThrowError(
					expect.objectContaining({ code: "data-directory-corrupt" }),
				);
			}),
		);
	}
});
