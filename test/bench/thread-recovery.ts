/**
 * How long an actor is away when its thread is killed: from the order to kill until its replacement has handled a message
 * that was told while nobody lived there. The supervisor restarts without delay, as it does after a first failure.
 *
 * By itself: `node dist/test/bench/thread-recovery.js`.
 */
import { fileURLToPath } from "node:url";
import { assert, QuorateError } from "../../protocols/core/index.ts";
import { type ActorContext, type ActorRef, ActorSystem, createThreadBackend } from "../../runtime/index.ts";
import type { BenchRow } from "./row.ts";

const KILLS = 11;

export default async function benchThreadRecovery(): Promise<readonly BenchRow[]> {
	const cold = await recovery(0);
	const warm = await recovery(1);
	const row = (name: string, ms: readonly number[], target: number | null, stretch: number | null): BenchRow => ({
		name,
		ours: ms[ms.length >> 1] as number,
		unit: "ms",
		target,
		stretch,
		better: "lower",
		note: `${KILLS} kills, ${(ms[0] as number).toFixed(1)} to ${(ms.at(-1) as number).toFixed(1)} ms, no message lost`,
	});
	return [
		row("a killed thread's actor handles messages again, without a warm spare", cold, 150, null),
		row("the same with a warm spare", warm, 150, 40),
	];
}

/** Milliseconds of each kill, sorted. */
async function recovery(warmSpares: 0 | 1): Promise<readonly number[]> {
	const backend = await createThreadBackend({ warmSpares });
	const system = new ActorSystem(backend);
	const words = new SharedArrayBuffer(4);
	const handled = new Int32Array(words);
	backend.threads.observe((event) => {
		if (event.type === "thread-ended" && event.end.cause === "killed") void backend.threads.replace(event.slot);
	});
	try {
		const keeper = await system.spawn({
			name: "keeper",
			behaviour: {
				local: () => ({
					receive() {},
					async signal(signal, context) {
						if (signal.type === "child-failed") await restart(context, signal.child);
					},
				}),
			},
		});
		const module = new URL("../fixtures/bench-recovery.js", import.meta.url);
		const marker: ActorRef = await system.spawn(
			{ name: "marker", behaviour: { module, export: "Marker", args: words }, placement: "dedicated" },
			keeper,
		);
		const taken: number[] = [];
		for (let number = 1; number <= KILLS; number++) {
			while (backend.inspectThreads().sparesReady < warmSpares) await pass();
			const startMs = performance.now();
			const killed = backend.threads.kill(marker.address.slot, "killed");
			assert(marker.tell({ type: "mark", number }) === "ok", "a mailbox outlives its thread");
			while (Atomics.load(handled, 0) !== number) await pass();
			taken.push(performance.now() - startMs);
			await killed;
		}
		return taken.sort((a, b) => a - b);
	} finally {
		await system.stop();
	}
}

/** The next kill may come before this restart is known to be done: it is then tried again, on the next thread. */
async function restart(context: ActorContext, child: ActorRef): Promise<void> {
	for (;;) {
		try {
			await context.restart(child);
			return;
		} catch (error) {
			if (!(error instanceof QuorateError) || error.code !== "thread-died") throw error;
		}
	}
}

function pass(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await benchThreadRecovery());
