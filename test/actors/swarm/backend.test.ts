/**
 * Goal: a backend that can not be made leaves nothing on the disk.
 * Method: options that the threads refuse, with a temporary directory of the test's own.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startBackend } from "../../../actors/swarm/backend.ts";
import { checkOptions } from "../../../actors/swarm/options.ts";

afterEach(() => vi.unstubAllEnvs());

describe("startBackend", () => {
	it("removes its fresh directory when the threads can not be made", async () => {
		const own = await mkdtemp(join(tmpdir(), "quorate-test-"));
		try {
			vi.stubEnv("TMPDIR", own);
			const checked = await checkOptions({ raft: { nodes: 1 }, storage: { type: "lmdb" } });
			await expect(startBackend({ ...checked, warmSpares: 99 })).rejects.toMatchObject({ code: "invalid-argument" });
			expect(await readdir(own)).toEqual([]);
		} finally {
			await rm(own, { recursive: true });
		}
	});
});
