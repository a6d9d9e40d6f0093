/**
 * PBFT on real threads, end to end: each member on a thread of its own, clients that authenticate their requests by HMAC and believe f + 1
 * equal answers. Every request counted was answered with its result, and in the end the members' chains of decisions are compared.
 *
 * The bound is what cryptography and transport allow on the cores of this machine, all of them busy with nothing else: the members'
 * signatures and checks, the HMACs that clients make (they share the cores), and a `postMessage` for each message. Members, clients,
 * codecs and the application have to live on the rest.
 */
import { availableParallelism } from "node:os";
import { ByzantineGroup, type ByzantineGroupOptions } from "quorate";
import { filter, firstValueFrom, take, toArray } from "rxjs";
import { cpuUs, decisionUs, describe, measureMessage, measurePrimitives, transportUs } from "./pbft/bound.ts";
import type { BenchRow } from "./row.ts";

const BATCH = 100;
const VALUE = "x".repeat(64);
const CLIENTS = 16;
const WINDOW = 32;
/** Requests until the members' code is compiled, and how long a busy machine is given for them. */
const WARM_UP_REQUESTS = 60_000;
const WARM_UP_MS_MAX = 30_000;
const ROUND_MS = 2_000;
const ROUNDS = 3;
const LOW_LOAD_REQUESTS = 400;
/** As above, where each request is a slot of its own. */
const LOW_LOAD_WARM_UP_REQUESTS = 4_000;
const VIEW_CHANGES = 7;
const VIEW_CHANGE_ATTEMPTS = 30;
const VIEW_CHANGE_WAIT_MS = 2_000;

export default async function pbftThreads(): Promise<readonly BenchRow[]> {
	const rows: BenchRow[] = [];
	for (const [nodes, faults] of [
		[4, 1],
		[7, 2],
	] as const) {
		for (const type of ["memory", "lmdb"] as const) rows.push(await throughput(nodes, faults, type));
	}
	return [...rows, await lowLoad(), await viewChanges()];
}

async function throughput(nodes: number, faults: number, type: "memory" | "lmdb"): Promise<BenchRow> {
	const options: ByzantineGroupOptions = {
		nodes,
		storage: { type },
		config: { batchMaxRequests: BATCH },
	};
	let viewChanges = 0;
	let requestUs = 0;
	const perSecond = await withGroup(options, async (group) => {
		const changed = group.events$.pipe(filter(({ type }) => type === "primary-changed"));
		changed.subscribe(() => {
			viewChanges++;
		});
		let answered = 0;
		let isOver = false;
		const loops = Array.from({ length: CLIENTS }, async (_, number) => {
			const client = group.client({ window: WINDOW });
			const one = async (at: number): Promise<void> => {
				for (let i = at; !isOver; i += WINDOW) {
					await client.propose({ type: "put", key: `${number}/${i % 100}`, value: VALUE });
					answered++;
				}
			};
			await Promise.all(Array.from({ length: WINDOW }, (_each, at) => one(at)));
		});
		const warmFromMs = performance.now();
		while (answered < WARM_UP_REQUESTS && performance.now() - warmFromMs < WARM_UP_MS_MAX) await sleep(100);
		const rounds: number[] = [];
		const [cpuFromUs, answeredBefore] = [cpuUs(), answered];
		for (let round = 0; round < ROUNDS; round++) {
			const [startedMs, before] = [performance.now(), answered];
			await sleep(ROUND_MS);
			rounds.push(((answered - before) * 1_000) / (performance.now() - startedMs));
		}
		requestUs = (cpuUs() - cpuFromUs) / (answered - answeredBefore);
		isOver = true;
		await Promise.all(loops);
		await expectEqualChains(group);
		return median(rounds);
	});
	const primitives = measurePrimitives();
	const messageUs = await measureMessage();
	const shape = { members: nodes, faults, batch: BATCH };
	const us = decisionUs(shape, primitives) + BATCH * nodes * primitives.mac + transportUs(shape, messageUs);
	const bound = (availableParallelism() * BATCH * 1e6) / us;
	return {
		name: `PBFT on threads, n = ${nodes}, signed votes, HMAC clients, batch ${BATCH}, ${type}`,
		ours: perSecond,
		theirs: bound,
		unit: "requests/s",
		ratio: perSecond / bound,
		target: 0.5,
		stretch: 0.75,
		note: `${CLIENTS} clients, ${WINDOW} requests of each under way, ${viewChanges} view changes; ${requestUs.toFixed(0)} us of CPU a request, of which the bound is ${(us / BATCH).toFixed(0)}; ${describe(primitives)}, message ${messageUs.toFixed(1)} us, ${availableParallelism()} cores`,
	};
}

/** One request at a time, votes and requests with authenticators. */
async function lowLoad(): Promise<BenchRow> {
	const options: ByzantineGroupOptions = { nodes: 4, config: { votes: "authenticated" } };
	const latenciesMs = await withGroup(options, async (group) => {
		const client = group.client({ window: 1 });
		const taken: number[] = [];
		for (let i = 0; i < LOW_LOAD_WARM_UP_REQUESTS + LOW_LOAD_REQUESTS; i++) {
			const startedMs = performance.now();
			await client.propose({ type: "put", key: `${i % 100}`, value: VALUE });
			taken.push(performance.now() - startedMs);
		}
		await expectEqualChains(group);
		return taken;
	});
	const cold = median(latenciesMs.slice(LOW_LOAD_REQUESTS, 2 * LOW_LOAD_REQUESTS));
	const sorted = latenciesMs.slice(-LOW_LOAD_REQUESTS).sort((a, b) => a - b);
	return {
		name: "PBFT on threads, n = 4, authenticated votes, memory, one request at a time: p50",
		ours: median(sorted),
		unit: "ms",
		target: 2,
		stretch: 0.8,
		better: "lower",
		note: `${LOW_LOAD_REQUESTS} requests after ${LOW_LOAD_WARM_UP_REQUESTS}, p99 ${(sorted[Math.floor(sorted.length * 0.99)] ?? 0).toFixed(2)} ms; after ${LOW_LOAD_REQUESTS}, while code is compiled, p50 ${cold.toFixed(2)} ms; five message delays on ${availableParallelism()} cores`,
	};
}

/**
 * The primary's thread is killed while a request comes in. From the f + 1st member that asks for another view, which is when the last
 * timeout that counts is over and all others join, until a quorum has entered it.
 */
async function viewChanges(): Promise<BenchRow> {
	// The timeout is shorter than a thread takes to start: else the primary would be back before anybody misses it.
	const options: ByzantineGroupOptions = { nodes: 4, warmSpares: 0, config: { viewTimeoutMs: 40 } };
	const takenMs = await withGroup(options, async (group) => {
		const client = group.client({ window: 8 });
		const taken: number[] = [];
		// What is still waited for when the group ends.
		const none = { defaultValue: [] };
		let attempts = 0;
		while (taken.length < VIEW_CHANGES) {
			if (++attempts > VIEW_CHANGE_ATTEMPTS)
				throw new Error("the primary is back before it is missed, again and again");
			const i = attempts;
			const { view } = group.primary;
			const begun = firstValueFrom(
				group.events$.pipe(
					filter((event) => event.type === "view-change-started" && event.view > view),
					take(2),
					toArray(),
				),
				none,
			);
			const entered = firstValueFrom(
				group.events$.pipe(
					filter((event) => event.type === "view-entered" && event.view > view),
					take(3),
					toArray(),
				),
				none,
			);
			await group.kill(group.primary.primary);
			await client.propose({ type: "put", key: "view", value: i });
			// On a busy machine its thread may be back before anybody misses it.
			const all = await Promise.race([entered, sleep(VIEW_CHANGE_WAIT_MS).then(() => [])]);
			if (all.length === 0) continue;
			const ofLast = (events: readonly { readonly atMs: number }[]): number => events.at(-1)?.atMs ?? Number.NaN;
			taken.push(ofLast(all) - ofLast(await begun));
			await client.propose({ type: "put", key: "settled", value: i });
			await expectEqualChains(group);
		}
		return taken;
	});
	return {
		name: "PBFT on threads, n = 4: view change after the primary's thread is killed, without the timeout",
		ours: median(takenMs),
		unit: "ms",
		target: 50,
		stretch: 15,
		better: "lower",
		note: `until the third member is in the new view; median of ${VIEW_CHANGES}, the worst ${Math.max(...takenMs).toFixed(1)} ms`,
	};
}

async function withGroup<T>(options: ByzantineGroupOptions, run: (group: ByzantineGroup) => Promise<T>): Promise<T> {
	const group = await ByzantineGroup.start({ ...options, clientsMax: CLIENTS, seed: 1 });
	try {
		return await run(group);
	} finally {
		await group.stop();
	}
}

/** Members that have executed the same have decided the same in the same order. */
async function expectEqualChains(group: ByzantineGroup): Promise<void> {
	for (;;) {
		const status = await group.status();
		const last = Math.max(...status.map(({ executed }) => executed));
		if (status.some(({ executed, state }) => executed < last || state !== "running")) continue;
		if (new Set(status.map(({ chain }) => chain)).size > 1) throw new Error("members have decided differently");
		return;
	}
}

function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
