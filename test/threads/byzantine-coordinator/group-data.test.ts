/**
 * Goal: what a Byzantine group has acknowledged is there when another process's start, or this one's, opens its directory again, under
 * the same keys; another group, another passphrase or a lost half of it is refused before a thread starts.
 * Method: the built package on LMDB, started and stopped in turn.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ByzantineGroup, type ByzantineGroupOptions } from "quorate";
import { afterAll, expect, test } from "vitest";

const root = mkdtempSync(join(tmpdir(), "quorate-group-data-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const directory = join(root, "data");
const storage = { type: "lmdb", directory, passphrase: "open sesame" } as const;
const options: ByzantineGroupOptions = {
	nodes: 4,
	// A busy machine must not be taken for a slow primary; small windows, so that a start begins with a checkpoint and a log.
	config: { viewTimeoutMs: 2_000, checkpointInterval: 4, windowSize: 8 },
	storage,
};

test("a group goes on where the last process left it, with the same keys", async () => {
	const trust: unknown[] = [];
	for (const start of [0, 1]) {
		const group = await ByzantineGroup.start(options);
		try {
			const client = group.client({ timeoutMs: 40_000 });
			expect(await client.read({ type: "size" })).toEqual({ size: 11 * start });
			// Answers are those of these requests, and none of requests that an earlier process's client has named alike.
			const puts = Array.from({ length: 11 }, (_, i) =>
				client.propose({ type: "put", key: `k${start}-${i}`, value: start }),
			);
			expect(await Promise.all(puts)).toEqual(puts.map(() => ({ value: null })));
			expect(await client.propose({ type: "put", key: "k0-0", value: 7 })).toEqual({ value: start === 0 ? 0 : 7 });
			trust.push(group.trust);
		} finally {
			await group.stop();
		}
	}
	expect(trust[1]).toEqual(trust[0]);
	const keys = join(directory, "keys.json");
	expect(statSync(keys).mode & 0o777).toBe(0o600);
	expect(readFileSync(keys, "utf8")).not.toMatch(/PRIVATE/);

	const started = (changed: Partial<ByzantineGroupOptions>): Promise<unknown> =>
		ByzantineGroup.start({ ...options, ...changed });
	const foreign = (field: string) => ({ code: "byzantine-data-foreign", details: { field } });
	await expect(started({ nodes: 7 })).rejects.toMatchObject(foreign("nodes"));
	await expect(started({ faults: 0 })).rejects.toMatchObject(foreign("faults"));
	await expect(started({ group: "other" })).rejects.toMatchObject(foreign("cluster"));
	await expect(started({ config: { votes: "authenticated" } })).rejects.toMatchObject(foreign("votes"));
	await expect(started({ attackers: { "node-1": "equivocate" } })).rejects.toMatchObject(foreign("attackers"));
	const wrong = { ...storage, passphrase: "open barley" };
	await expect(started({ storage: wrong })).rejects.toMatchObject({ code: "key-store-locked" });
	renameSync(join(directory, "log"), join(root, "log"));
	await expect(started({})).rejects.toMatchObject({ code: "byzantine-data-incomplete", details: { missing: "log" } });
	renameSync(join(root, "log"), join(directory, "log"));
	rmSync(keys);
	await expect(started({})).rejects.toMatchObject({
		code: "byzantine-data-incomplete",
		details: { missing: "keys.json" },
	});
});

test.each([
	[{ storage: { type: "lmdb", directory: "d" } }, "passphrase"],
	[{ storage, standbys: 1 }, "standbys"],
	[{ storage, isolateConvicted: true }, "isolateConvicted"],
] as const)("refuses %j", async (changed, argument) => {
	const start = ByzantineGroup.start({ nodes: 4, ...changed });
	await expect(start).rejects.toThrowError(new RegExp(argument));
});
