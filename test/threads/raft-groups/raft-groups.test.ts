/**
 * Goal: many Raft groups on real threads and a real disk: few threads carry them, nothing acknowledged is lost with a node, and the
 * next start goes on. Method: the built package, one story; it waits for events and never for time.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GroupsEvent, RaftGroups } from "quorate";
import { filter, firstValueFrom } from "rxjs";
import { expect, it } from "vitest";

const names = ["orders", "stock", "mail", "audit", "users", "prices"];

it("keeps what each group acknowledged over the death of a node and over the end of the process's groups", async () => {
	const directory = await mkdtemp(join(tmpdir(), "quorate-groups-"));
	const options = { groups: names, storage: { type: "lmdb", directory }, startTimeoutMs: 120_000 } as const;
	const append = (groups: RaftGroups, value: string): Promise<unknown> =>
		Promise.all(names.map((name) => groups.group(name).propose({ type: "append", key: name, value })));
	try {
		const first = await RaftGroups.start(options);
		try {
			const back = (event: GroupsEvent): boolean => event.event.type === "thread-started" && event.node === "node-1";
			const returned = firstValueFrom(first.events$.pipe(filter(back)));
			const appended = append(first, "before");
			await first.kill("node-1");
			await appended;
			await returned;
			const [member] = await first.group("orders").status();
			expect(member).toMatchObject({ node: "node-1", threadLives: 2 });
			await append(first, "after");
		} finally {
			await first.stop();
		}
		const second = await RaftGroups.start(options);
		try {
			for (const name of names) {
				expect(await second.group(name).read({ type: "get", key: name })).toEqual({ value: ["before", "after"] });
			}
		} finally {
			await second.stop();
		}
		await expect(RaftGroups.start({ ...options, nodes: 5 })).rejects.toMatchObject({ code: "data-directory-foreign" });
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
});
