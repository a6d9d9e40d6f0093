/**
 * Goal: a process that is killed at once, storage thread and all, has lost nothing that it acknowledged, and its directory
 * can be used again.
 * Method: another process acknowledges commands until it gets SIGKILL; this one starts a swarm on the same directory. The
 * page cache survives such a kill, so this proves recovery, not flushing; that is the simulated disk's part.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Swarm } from "quorate";
import { expect, it } from "vitest";

const program = fileURLToPath(new URL("../../../dist/test/fixtures/acknowledging-process.js", import.meta.url));
const KILL_AFTER = 300;

it("keeps what a killed process has acknowledged, once", { timeout: 120_000 }, async () => {
	const directory = await mkdtemp(join(tmpdir(), "quorate-kill-"));
	try {
		const child = spawn(process.execPath, [program, directory], { stdio: ["ignore", "pipe", "inherit"] });
		const acknowledged: number[] = [];
		for await (const line of createInterface({ input: child.stdout })) {
			acknowledged.push(Number(line));
			if (acknowledged.length === KILL_AFTER) child.kill("SIGKILL");
		}
		if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
		expect(child.signalCode).toBe("SIGKILL");
		expect(acknowledged.length).toBeGreaterThanOrEqual(KILL_AFTER);

		const swarm = await Swarm.start({
			raft: { nodes: 3 },
			storage: { type: "lmdb", directory },
			startTimeoutMs: 30_000,
		});
		try {
			const { value } = await swarm.read<{ value: number[] }>({ type: "get", key: "acknowledged" });
			expect(new Set(value).size).toBe(value.length);
			const kept = new Set(value);
			expect(acknowledged.filter((number) => !kept.has(number))).toEqual([]);
			await swarm.propose({ type: "append", key: "acknowledged", value: -1 });
		} finally {
			await swarm.stop();
		}
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
});
