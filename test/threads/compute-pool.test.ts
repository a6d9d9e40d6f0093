// Goal: the pool computes for real in other threads, keeps its bounds, and every task settles, whatever becomes of its thread.
// Method: hashing against this thread's own hash; tasks that throw, exit, hoard memory or hold their thread on a gate.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ComputePool, digestBatchTask, digestFileTask } from "quorate/runtime";
import { afterEach, expect, test } from "vitest";

const tasks = new URL("../../dist/test/fixtures/compute-tasks.js", import.meta.url);
const pools: ComputePool[] = [];
function pool(options: ConstructorParameters<typeof ComputePool>[0] = {}): ComputePool {
	const made = new ComputePool({ threadsMax: 1, ...options });
	pools.push(made);
	return made;
}
afterEach(async () => {
	await Promise.all(pools.splice(0).map((made) => made.close()));
});

function sha256(bytes: Uint8Array): string {
	return createHash("sha256").update(bytes).digest("hex");
}

test("a file and a batch are hashed as this thread would", async () => {
	const folder = mkdtempSync(join(tmpdir(), "quorate-digest-"));
	try {
		const bytes = Buffer.alloc(3_000_000, "snapshot ");
		const path = join(folder, "snapshot");
		writeFileSync(path, bytes);
		const computing = pool();
		expect(await computing.run(digestFileTask(path))).toEqual({ sha256: sha256(bytes), sizeBytes: bytes.length });
		const batch = Array.from({ length: 500 }, (_, index) => Buffer.from(`record ${index}`));
		const digests = Buffer.from(await computing.run<Uint8Array>(digestBatchTask(batch)));
		batch.forEach((record, index) => {
			expect(digests.toString("hex", index * 32, index * 32 + 32)).toBe(sha256(record));
		});
		await expect(computing.run(digestFileTask(join(folder, "none")))).rejects.toMatchObject({ code: "internal" });
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});

test("errors keep their code, and what can not be loaded says so", async () => {
	const computing = pool();
	expect(await computing.run({ module: tasks, export: "refuseOdd", args: 4 })).toBe(4);
	await expect(computing.run({ module: tasks, export: "refuseOdd", args: 5 })).rejects.toMatchObject({
		code: "too-odd",
		details: { number: 5 },
	});
	await expect(computing.run({ module: tasks, export: "nothing" })).rejects.toMatchObject({ code: "export-missing" });
	await expect(computing.run({ module: tasks, export: "notCallable" })).rejects.toMatchObject({
		code: "invalid-argument",
	});
	const typescript = new URL("../fixtures/compute-tasks.ts", import.meta.url);
	await expect(computing.run({ module: typescript, export: "refuseOdd" })).rejects.toMatchObject({
		code: "module-not-loadable",
		details: { hint: expect.stringContaining("can not load TypeScript") },
	});
	await expect(computing.run({ module: tasks, export: "refuseOdd", args: () => 1 })).rejects.toMatchObject({
		code: "invalid-argument",
	});
});

test("a task whose thread ends rejects, and the pool goes on", async () => {
	const computing = pool({ heapLimitMb: 32 });
	await expect(computing.run({ module: tasks, export: "exitInstead", args: 0 })).rejects.toMatchObject({
		code: "compute-thread-died",
	});
	await expect(computing.run({ module: tasks, export: "hoard" })).rejects.toMatchObject({
		code: "compute-thread-died",
		cause: { code: "ERR_WORKER_OUT_OF_MEMORY" },
	});
	expect(await computing.run({ module: tasks, export: "refuseOdd", args: 2 })).toBe(2);
});

test("the queue is bounded, and close settles what is left", async () => {
	const computing = pool({ maxQueue: 2 });
	const gate = new Int32Array(new SharedArrayBuffer(4));
	const held = computing.run({ module: tasks, export: "waitFor", args: gate });
	const waiting = [4, 6].map((args) => computing.run({ module: tasks, export: "refuseOdd", args }));
	await expect(computing.run({ module: tasks, export: "refuseOdd", args: 8 })).rejects.toMatchObject({
		code: "compute-queue-full",
		details: { maxQueue: 2 },
	});
	Atomics.store(gate, 0, 1);
	Atomics.notify(gate, 0);
	expect(await held).toBe("released");
	expect(await Promise.all(waiting)).toEqual([4, 6]);
	Atomics.store(gate, 0, 0);
	const cut = expect(computing.run({ module: tasks, export: "waitFor", args: gate })).rejects.toMatchObject({
		code: "compute-pool-closed",
	});
	await computing.close();
	await cut;
	await expect(computing.run(digestBatchTask([]))).rejects.toMatchObject({ code: "compute-pool-closed" });
});
