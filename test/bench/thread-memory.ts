/**
 * What an idle thread costs: the growth of the process's resident memory over a number of dedicated threads, divided by that
 * number; once with a small actor each that has handled a message, once with a Raft participant each, in a group that
 * nobody gives work (heartbeats go on). What all threads share is paid with threads that are not counted.
 *
 * By itself: `node dist/test/bench/thread-memory.js`.
 */
import { fileURLToPath } from "node:url";
import { Swarm } from "quorate";
import { ActorSystem, createThreadBackend } from "../../runtime/index.ts";
import type { BenchRow } from "./row.ts";

const THREADS = 12;
/** Members of the two swarms whose growth is compared: they differ by participants alone. */
const MEMBERS_FEW = 3;
const MEMBERS_MANY = 11;
const SETTLE_MS = 1_000;
const MIB = 1024 * 1024;

export default async function benchThreadMemory(): Promise<readonly BenchRow[]> {
	// The row with a target first: what ended threads leave behind in the process would flatter the second.
	const participant = await participantThread();
	return [participant, ...(await actorThread())];
}

async function participantThread(): Promise<BenchRow> {
	const swarms: Swarm[] = [];
	const growth = async (nodes: number): Promise<number> => {
		const beforeMb = await settledMb();
		swarms.push(await Swarm.start({ raft: { nodes, group: `of-${nodes}` }, warmSpares: 0, startTimeoutMs: 60_000 }));
		return (await settledMb()) - beforeMb;
	};
	try {
		const fewMb = await growth(MEMBERS_FEW);
		const manyMb = await growth(MEMBERS_MANY);
		return {
			name: "memory per idle participant thread",
			ours: (manyMb - fewMb) / (MEMBERS_MANY - MEMBERS_FEW),
			unit: "MB",
			target: 16,
			stretch: 13,
			better: "lower",
			note: `resident, Raft members without clients, ${MEMBERS_MANY} against ${MEMBERS_FEW}`,
		};
	} finally {
		await Promise.all(swarms.map((swarm) => swarm.stop()));
	}
}

async function actorThread(): Promise<readonly BenchRow[]> {
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
				name: "memory per idle thread with a small actor",
				ours,
				unit: "MB",
				target: null,
				stretch: null,
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
