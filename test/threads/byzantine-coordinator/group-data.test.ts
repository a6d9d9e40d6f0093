/**
 * Goal: what a Byzantine group has acknowledged is there when another process's start, or this one's, opens its directory again, under
 * the same keys; another group, another passphrase or a lost half of it is refused before a thread starts.
 * Method: the built package on LMDB, started and stopped in turn.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ByzantineGroup, type ByzantineGroupOptions } from "quorate";
import { filter, firstValueFrom } from "rxjs";
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

test("BYZ-13: whoever was isolated stays out, convicted, and the next start comes up with the present members", async () => {
	const kept = { type: "lmdb", directory: join(root, "isolated"), passphrase: "open sesame" } as const;
	const changing: ByzantineGroupOptions = {
		...options,
		config: { ...options.config, checkpointInterval: 8, windowSize: 16 },
		storage: kept,
		standbys: 1,
		attackers: { "node-1": "equivocate" },
	};
	let evidence = "";
	for (const start of [0, 1]) {
		const group = await ByzantineGroup.start(changing);
		try {
			const client = group.client({ timeoutMs: 40_000 });
			if (start === 0) {
				const convicted = firstValueFrom(group.events$.pipe(filter(({ type }) => type === "member-convicted")));
				await Promise.all(
					Array.from({ length: 20 }, (_, i) => client.propose({ type: "put", key: `k${i}`, value: i })),
				);
				await convicted;
				await group.isolate("node-1", { replacement: "node-5" });
				evidence = group.evidenceFile();
			}
			expect(group.nodes).toEqual(["node-2", "node-3", "node-4", "node-5"]);
			expect(group.configuration.epoch).toBe(1);
			expect(group.standbys).toEqual([]);
			expect(group.convictions.map(({ culprit }) => culprit)).toEqual(["node-1"]);
			expect(group.evidenceFile()).toBe(evidence);
			expect((await group.status()).map(({ node, state }) => `${node} ${state}`)).toEqual(
				group.nodes.map((node) => `${node} running`),
			);
			await expect(group.isolate("node-1")).rejects.toMatchObject({ code: "node-unknown" });
			await client.propose({ type: "put", key: `start-${start}`, value: start });
			expect(await client.read({ type: "size" })).toEqual({ size: 21 + start });
		} finally {
			await group.stop();
		}
	}
	await expect(ByzantineGroup.start({ ...changing, standbys: 0 })).rejects.toMatchObject({
		code: "byzantine-data-foreign",
		details: { field: "standbys" },
	});
});

test.each([
	[{ storage: { type: "lmdb", directory: "d" } }, "passphrase"],
	[{ storage: { type: "memory", passphrase: "open sesame" } as never }, "passphrase"],
] as const)("refuses %j", async (changed, argument) => {
	const start = ByzantineGroup.start({ nodes: 4, ...changed });
	await expect(start).rejects.toThrowError(new RegExp(argument));
});
