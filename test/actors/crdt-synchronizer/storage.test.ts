/**
 * Goal: a synchronizer on a directory goes on as the replica that it was (CRDT-26), sends nothing that is not durable, and can be
 * collected with its group (CRDT-29); one in memory can not.
 * Method: the LMDB engine in temporary directories, messages within the process; each step waits for what must happen.
 */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstValueFrom } from "rxjs";
import { afterEach, describe, expect, it } from "vitest";
import { CRDTSynchronizer } from "../../../actors/crdt-synchronizer/index.ts";

const directories: string[] = [];
const open: CRDTSynchronizer[] = [];

function directory(): string {
	const path = mkdtempSync(join(tmpdir(), "quorate-crdt-"));
	directories.push(path);
	return path;
}

async function started(node: string, members: readonly string[], path: string): Promise<CRDTSynchronizer> {
	const synchronizer = await CRDTSynchronizer.open(node, members, { directory: path });
	open.push(synchronizer);
	return synchronizer;
}

afterEach(async () => {
	for (const synchronizer of open.splice(0)) await synchronizer.shutdown();
	for (const path of directories.splice(0)) await rm(path, { recursive: true });
});

describe("a synchronizer on a directory", () => {
	it("goes on from what was durable, as the same replica, without anybody else there", async () => {
		const path = directory();
		const first = await started("a", ["a", "b"], path);
		first.registerCRDT("hits", "G_COUNTER").increment(3);
		first.registerCRDT("jobs", "RGA").insert(0, "one", "two");
		await first.durable();
		await first.shutdown();
		const again = await started("a", ["a", "b"], path);
		// Readable before anybody registers anything.
		expect(again.values).toEqual({ hits: 3, jobs: ["one", "two"] });
		const hits = again.registerCRDT("hits", "G_COUNTER");
		hits.increment();
		// A new replica would have an entry of its own; the same one goes on with the one it has.
		expect(hits.value).toBe(4);
		expect(() => again.registerCRDT("jobs", "OR_SET")).toThrow(
			expect.objectContaining({ code: "crdt-name-taken" }) as Error,
		);
	});

	it("gives what it has to members that were not there, and takes in what they did", async () => {
		const paths = [directory(), directory()];
		const members = ["a", "b"];
		const a = await started("a", members, paths[0]!);
		a.registerCRDT("users", "OR_SET").add("ann");
		await a.durable();
		await a.shutdown();
		const b = await started("b", members, paths[1]!);
		b.registerCRDT("users", "OR_SET").add("bob");
		const back = await started("a", members, paths[0]!);
		expect(await back.synchronize()).toEqual({ members: ["b"], missing: [] });
		expect(back.values).toEqual({ users: ["ann", "bob"] });
		expect(b.values).toEqual({ users: ["ann", "bob"] });
	});

	it("collects when all agree, keeps the value, and goes on after a restart", async () => {
		const members = ["a", "b"];
		const paths = [directory(), directory()];
		const [a, b] = [await started("a", members, paths[0]!), await started("b", members, paths[1]!)];
		const [list, other] = [a.registerCRDT("jobs", "RGA"), b.registerCRDT("jobs", "RGA")];
		list.insert(0, 1, 2, 3, 4, 5);
		list.remove(1, 3);
		await a.synchronize();
		expect(await b.collect()).toBe(true);
		await a.synchronize();
		other.insert(1, "after");
		await b.synchronize();
		expect(list.values).toEqual([1, "after", 5]);
		await a.durable();
		await a.shutdown();
		const back = await started("a", members, paths[0]!);
		expect(back.values).toEqual({ jobs: [1, "after", 5] });
		expect((await back.synchronize()).members).toEqual(["b"]);
	});

	it("refuses a directory that is in use, and one of another node", async () => {
		const path = directory();
		const first = await started("a", ["a", "b"], path);
		first.registerCRDT("hits", "G_COUNTER").increment();
		await expect(CRDTSynchronizer.open("a", ["a", "b"], { directory: path })).rejects.toMatchObject({
			code: "data-directory-in-use",
		});
		await first.durable();
		await first.shutdown();
		await expect(CRDTSynchronizer.open("b", ["a", "b"], { directory: path })).rejects.toMatchObject({
			code: "data-directory-foreign",
		});
	});
});

describe("a synchronizer in memory", () => {
	it("can not be collected, and is durable at once as far as it ever is", async () => {
		const one = new CRDTSynchronizer("a", ["a"]);
		open.push(one);
		await one.durable();
		await expect(one.collect()).rejects.toMatchObject({ code: "crdt-collection-needs-storage" });
	});

	it("tells its metrics as a stream (CRDT-27)", async () => {
		const one = new CRDTSynchronizer("a", ["a"]);
		open.push(one);
		one.registerCRDT("hits", "G_COUNTER").increment();
		const metrics = await firstValueFrom(one.metrics$);
		expect(metrics.delta_generation_time.count).toBe(1);
		expect(Object.keys(metrics.memory_usage_per_crdt)).toEqual(["hits"]);
	});
});
