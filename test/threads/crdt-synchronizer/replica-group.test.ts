/**
 * Goal: replicas in threads of their own keep what they have acknowledged when a thread is killed, come to the same bytes, collect, and go
 * on from the disk after everything was stopped (CRDT-26, CRDT-29, CRDT-30).
 * Method: real threads and LMDB; each step waits for what must happen, without a limit of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReplicaGroup } from "quorate/crdt-synchronizer";
import { filter, firstValueFrom, take, toArray } from "rxjs";
import { expect, test } from "vitest";

const options = { nodes: 3, schema: { text: "text", hits: "pn-counter" }, tuning: { undoGroupsMax: 10 } } as const;

async function sameDigests(group: ReplicaGroup): Promise<string> {
	for (;;) {
		const digests = await Promise.all(group.nodes.map(async (node) => (await group.summary(node)).digest));
		if (new Set(digests).size === 1) return digests[0]!;
	}
}

test("replicas in threads: killed, converged, collected, stopped and started again", async () => {
	const directory = await mkdtemp(join(tmpdir(), "quorate-crdt-"));
	const storage = { type: "lmdb", directory } as const;
	try {
		const group = await ReplicaGroup.start({ ...options, storage });
		let digest: string;
		try {
			const [a, b, c] = group.nodes;
			for (const [at, node] of group.nodes.entries()) {
				const content = `${at}${at}${at}`;
				const commands = [
					{ type: "insert", path: ["text"], position: 0, content },
					{ type: "increment", path: ["hits"], amount: 1 },
				] as const;
				expect(await group.request(node, { type: "change", commands })).toMatchObject({ type: "changed", through: 4 });
			}
			const back = firstValueFrom(group.eventsOf(b!).pipe(filter(({ type }) => type === "participant-started")));
			await group.kill(b!);
			await back;
			expect(
				await group.request(b!, { type: "change", commands: [{ type: "increment", path: ["hits"], amount: 1 }] }),
			).toMatchObject({
				type: "changed",
				through: 5,
			});
			await sameDigests(group);
			await group.request(c!, { type: "change", commands: [{ type: "undo" }] });
			const before = await sameDigests(group);
			const collected = firstValueFrom(
				group.events$.pipe(
					filter(({ event }) => event.type === "collected"),
					take(3),
					toArray(),
				),
			);
			expect(await group.request(c!, { type: "collect" })).toEqual({ type: "collecting", leader: a });
			await collected;
			digest = await sameDigests(group);
			expect(digest).not.toBe(before);
			const read = await group.request(a!, { type: "read" });
			expect(read).toMatchObject({ value: { hits: 3 } });
			expect(read.type === "value" && read.value["text"]).toHaveLength(6);
			expect(group.traffic().delta.bytes).toBeGreaterThan(0);
			await expect(group.summary("nobody")).rejects.toMatchObject({ code: "node-unknown" });
		} finally {
			await group.stop();
		}
		const again = await ReplicaGroup.start({ ...options, storage });
		try {
			expect(await sameDigests(again)).toBe(digest);
		} finally {
			await again.stop();
		}
	} finally {
		await rm(directory, { recursive: true });
	}
});
