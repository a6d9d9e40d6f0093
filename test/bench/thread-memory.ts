/**
 * What an idle thread costs: the growth of the process's resident memory over a number of dedicated threads, each with one
 * actor that has handled a message, divided by that number. What all threads share (watchdog, metrics, control blocks)
 * is paid with a first thread that is not counted.
 *
 * By itself: `node dist/test/bench/thread-memory.js`.
 */
import { fileURLToPath } from "node:url";
import { ActorSystem, createThreadBackend } from "../../runtime/index.ts";
import type { BenchRow } from "./row.ts";

const THREADS = 12;
const SETTLE_MS = 1_000;
const MIB = 1024 * 1024;

export default async function benchThreadMemory(): Promise<readonly BenchRow[]> {
	const backend = await createThreadBackend({ warmSpares: 0 });
	const system = new ActorSystem(backend);
	const module = new URL("../fixtures/bench-actors.js", import.meta.url);
	const spawn = async (name: string): Promise<void> => {
		const ref = await system.spawn({ name, behaviour: { module, export: "Echo" }, placement: "dedicated" });
		await ref.ask("once");
	};
	try {
		await spawn("first");
		const beforeMb = await settledMb();
		for (let i = 0; i < THREADS; i++) await spawn(`idle-${i}`);
		const ours = ((await settledMb()) - beforeMb) / THREADS;
		const { heapLimitMb, youngGenerationMb } = backend.inspectThreads();
		return [
			{
				name: "memory per idle participant thread",
				ours,
				unit: "MB",
				target: 16,
				stretch: 13,
				better: "lower",
				note: `resident, over ${THREADS} threads; heap limits: old generation ${heapLimitMb} MB, young ${youngGenerationMb} MB`,
			},
		];
	} finally {
		await system.stop();
	}
}

async function settledMb(): Promise<number> {
	await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
	return process.memoryUsage.rss() / MIB;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await benchThreadMemory());
