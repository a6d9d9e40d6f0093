/**
 * Goal: many groups on real threads: a killed thread takes one node of all groups down, and every group goes on at once and
 * whole; a directory keeps them; a command that ends every thread that applies it ends its group, and no other.
 * Method: real threads, memory and LMDB; each step waits for what must happen, without a limit of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RaftGroups, type RaftGroupsEvent } from "quorate";
import { filter, firstValueFrom, take, toArray } from "rxjs";
import { describe, expect, it } from "vitest";

const tally = {
	module: new URL("../../../dist/test/fixtures/tally-application.js", import.meta.url),
	export: "TallyApplication",
};
/** Sooner than the default, which is for more members than these threads have. */
const config = { electionTimeoutMs: { min: 150, max: 300 }, heartbeatMs: 50 };
const append = (value: number): object => ({ type: "append", key: "list", value });
const list = { type: "get", key: "list" };

describe("many groups on threads", () => {
	it("go on when a thread with a member of each is killed, and have that member back", async () => {
		await using groups = await RaftGroups.start({ nodes: 3, groups: 20, config });
		expect(() => groups.group("group-21")).toThrow(
			expect.objectContaining({ code: "group-unknown", details: { group: "group-21", groups: 20 } }),
		);
		await expect(groups.kill("node-4")).rejects.toMatchObject({ code: "node-unknown" });
		const each = <T>(work: (name: string) => Promise<T>): Promise<T[]> => Promise.all(groups.names.map(work));
		await each((name) => groups.group(name).propose(append(1)));
		const isBack = (event: RaftGroupsEvent): boolean =>
			event.type === "participant-started" && event.node === "node-2" && event.restarts > 0;
		const back = firstValueFrom(groups.events$.pipe(filter(isBack), take(groups.names.length), toArray()));
		const killed = groups.kill("node-2");
		await each((name) => groups.group(name).propose(append(2)));
		await killed;
		expect(new Set((await back).map(({ group }) => group))).toEqual(new Set(groups.names));
		await each((name) => groups.group(name).propose(append(3)));
		const answers = await each((name) => groups.group(name).read(list));
		expect(answers).toEqual(groups.names.map(() => ({ value: [1, 2, 3] })));
		expect(groups.measure()?.counters.get("actor.told")?.total).toBeGreaterThan(groups.names.length);
	});

	it("are kept in a directory, and may be more at the next start", async () => {
		const directory = await mkdtemp(join(tmpdir(), "quorate-groups-"));
		try {
			const storage = { type: "lmdb", directory } as const;
			{
				await using groups = await RaftGroups.start({ nodes: 3, groups: 3, storage, config });
				await Promise.all(groups.names.map((name, at) => groups.group(name).propose(append(at))));
			}
			await using groups = await RaftGroups.start({ nodes: 3, groups: 4, storage, config });
			const answers = await Promise.all(groups.names.map((name) => groups.group(name).read(list)));
			expect(answers).toEqual([{ value: [0] }, { value: [1] }, { value: [2] }, { value: null }]);
		} finally {
			await rm(directory, { recursive: true, force: true });
		}
	});

	it("lose the one whose command ends each thread that applies it, and no other", async () => {
		await using groups = await RaftGroups.start({ nodes: 3, groups: 3, application: tally, config });
		const [fatal, other] = [groups.group("group-1"), groups.group("group-2")];
		const client = other.client({ timeoutMs: 120_000 });
		await client.propose({ add: 1 });
		const outcome = fatal.client({ timeoutMs: 120_000 }).propose({ add: 1, exits: true });
		const ended = outcome.catch((error: unknown) => error);
		expect(await fatal.failed).toMatchObject({
			code: "group-failed",
			details: { group: "group-1" },
			cause: { code: "command-fatal", details: { deaths: 3 } },
		});
		expect(await ended).toMatchObject({ code: "outcome-unknown" });
		expect(await client.propose({ add: 1 })).toMatchObject({ total: 2 });
	});
});
