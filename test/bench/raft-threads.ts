/**
 * Raft on real threads, end to end: three members on threads of their own, LMDB flushed before anything is acknowledged,
 * 64 clients with a session and one command of a 256-byte value outstanding each. Every command counted was answered with
 * its result, and at the end the members' keys and a sample of their values are compared.
 *
 * The three replicas share one disk, so one flush serves the writes of all that come together: three machines would each pay
 * their own, at the same time. A file system in memory is refused, since a flush to it says nothing.
 */
import { deepStrictEqual } from "node:assert/strict";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Swarm } from "quorate";
import { filter, firstValueFrom } from "rxjs";
import type { BenchRow } from "./row.ts";

const NODES = 3;
const CLIENTS = 64;
const VALUE_BYTES = 256;
const KEYS = 10_000;
const SAMPLED_KEYS = 500;
const WARM_UP_MS = 1_000;
const ROUND_MS = 3_000;
const ROUNDS = 3;
const RESTARTS = 5;
/** etcd 3.4 with a Node client on the same kind of machine; `npm run bench:peers` measures it beside us. */
const ETCD_NODE_CLIENT_PER_SECOND = 2_413;
const ETCD_GO_CLIENT_PER_SECOND = 5_623;

/** By the magic numbers of `statfs(2)`. */
const fileSystems: Readonly<Record<number, string>> = {
	61267: "ext4",
	1481003842: "xfs",
	2435016766: "btrfs",
	2035054128: "overlay",
	16914836: "tmpfs",
	2240043254: "ramfs",
};

interface Round {
	readonly perSecond: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
	/** Group commits of the storage: each is two syncs in LMDB, one of the pages and one of the head. */
	readonly groupsPerSecond: number;
}

export default async function raftThreads(): Promise<readonly BenchRow[]> {
	const directory = await mkdtemp(join(process.env["QUORATE_BENCH_DIR"] ?? tmpdir(), "quorate-bench-"));
	try {
		const fileSystem = await fileSystemOf(directory);
		const syncsPerSecond = measureSyncs(join(directory, "probe"));
		const swarm = await Swarm.start({
			raft: { nodes: NODES },
			storage: { type: "lmdb", directory: join(directory, "data") },
			startTimeoutMs: 30_000,
		});
		try {
			const note = `${NODES} replicas share one ${fileSystem} disk and its flush (${Math.round(syncsPerSecond)} fdatasync/s in a probe before)`;
			return [...(await throughput(swarm, note)), ...(await restarts(swarm))];
		} finally {
			await swarm.stop();
		}
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
}

async function fileSystemOf(directory: string): Promise<string> {
	const { type } = await statfs(directory);
	const name = fileSystems[type] ?? `0x${type.toString(16)}`;
	if (name === "tmpfs" || name === "ramfs") {
		throw new Error(`${directory} is on ${name}, where a flush is nothing: name a disk with QUORATE_BENCH_DIR`);
	}
	return name;
}

function measureSyncs(path: string): number {
	const file = openSync(path, "w");
	const page = Buffer.alloc(4_096);
	const startedMs = performance.now();
	let syncs = 0;
	while (performance.now() - startedMs < 1_000) {
		writeSync(file, page, 0, page.length, (syncs % 64) * page.length);
		fdatasyncSync(file);
		syncs += 1;
	}
	closeSync(file);
	return (syncs * 1_000) / (performance.now() - startedMs);
}

async function throughput(swarm: Swarm, note: string): Promise<BenchRow[]> {
	// Of one length and all different, so that replicas can differ.
	const contentOf = (i: number): string => String(i).padStart(VALUE_BYTES, "x");
	const clients = Array.from({ length: CLIENTS }, () => swarm.client({ window: 1 }));
	let latenciesMs: number[] = [];
	let running = true;
	let acknowledged = 0;
	const loops = clients.map(async (client, number) => {
		for (let i = number; running; i += CLIENTS) {
			const startedMs = performance.now();
			await client.propose({ type: "put", key: keyOf(i), value: contentOf(i) });
			latenciesMs.push(performance.now() - startedMs);
			acknowledged += 1;
		}
	});
	await sleep(WARM_UP_MS);
	const rounds: Round[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const groupsBefore = await groupCommits(swarm);
		latenciesMs = [];
		const startedMs = performance.now();
		await sleep(ROUND_MS);
		const seconds = (performance.now() - startedMs) / 1_000;
		const sorted = latenciesMs.sort((a, b) => a - b);
		rounds.push({
			perSecond: sorted.length / seconds,
			p50Ms: quantile(sorted, 0.5),
			p99Ms: quantile(sorted, 0.99),
			groupsPerSecond: ((await groupCommits(swarm)) - groupsBefore) / seconds,
		});
	}
	running = false;
	await Promise.all(loops);
	for (const client of clients) client.close();
	await expectEqualReplicas(swarm, acknowledged);
	const perSecond = median(rounds.map((round) => round.perSecond));
	const name = `Raft on threads, ${NODES} nodes, LMDB, ${VALUE_BYTES}-byte values, ${CLIENTS} clients`;
	return [
		{
			name: `${name}: commits`,
			ours: perSecond,
			unit: "/s",
			target: 3 * ETCD_NODE_CLIENT_PER_SECOND,
			stretch: Math.max(3 * ETCD_NODE_CLIENT_PER_SECOND, ETCD_GO_CLIENT_PER_SECOND),
			note: `${note}; ${Math.round(median(rounds.map((r) => r.groupsPerSecond)))} group commits/s of two syncs each; median of ${ROUNDS} rounds of ${ROUND_MS / 1_000} s; the aim is 3 x etcd 3.4 with a Node client`,
		},
		{
			name: `${name}: p50`,
			ours: median(rounds.map((r) => r.p50Ms)),
			unit: "ms",
			target: null,
			stretch: null,
			better: "lower",
		},
		{
			name: `${name}: p99`,
			ours: median(rounds.map((r) => r.p99Ms)),
			unit: "ms",
			target: null,
			stretch: null,
			better: "lower",
		},
	];
}

/** From the kill of a leader's thread until its actor handles messages again, a warm spare being there. */
async function restarts(swarm: Swarm): Promise<BenchRow[]> {
	const actorMs: number[] = [];
	const leaderMs: number[] = [];
	for (let i = 0; i < RESTARTS; i++) {
		const { leader } = await swarm.untilLeader(10_000);
		// The spare is made ready in the background.
		await sleep(1_000);
		const started = filter(({ type, node }: { readonly type: string; readonly node: string | null }) => {
			return type === "participant-started" && node === leader;
		});
		const back = firstValueFrom(swarm.events$.pipe(started));
		const startedMs = performance.now();
		await swarm.kill(leader);
		const elected = swarm.untilLeader(10_000).then(() => leaderMs.push(performance.now() - startedMs));
		await back;
		actorMs.push(performance.now() - startedMs);
		await elected;
	}
	return [
		{
			name: "a killed leader's actor handles messages again, with a warm spare",
			ours: median(actorMs),
			unit: "ms",
			target: 150,
			stretch: 40,
			better: "lower",
			note: `median of ${RESTARTS}; the worst ${Math.max(...actorMs).toFixed(0)} ms; the group has a new leader after ${median(leaderMs).toFixed(0)} ms`,
		},
	];
}

async function groupCommits(swarm: Swarm): Promise<number> {
	const { measured } = await firstValueFrom(swarm.metrics$);
	return measured?.counters.get("storage.commits")?.total ?? 0;
}

async function expectEqualReplicas(swarm: Swarm, acknowledged: number): Promise<void> {
	const last = await swarm.client().commit({ type: "put", key: "last", value: acknowledged });
	for (;;) {
		const status = await swarm.status();
		if (status.every(({ appliedIndex }) => appliedIndex >= last.index)) break;
	}
	const queries = [
		{ type: "keys" },
		...Array.from({ length: SAMPLED_KEYS }, (_, i) => ({ type: "get", key: keyOf(i) })),
	];
	for (const query of queries) {
		const answers = await Promise.all(swarm.nodes.map(({ node }) => swarm.inspect(node, query)));
		for (const answer of answers) deepStrictEqual(answer, answers[0], "the replicas differ");
	}
	if (last.index < acknowledged) throw new Error("more was acknowledged than the log holds");
}

function keyOf(i: number): string {
	return `key-${(i * 7_919) % KEYS}`;
}

function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

function quantile(sorted: readonly number[], fraction: number): number {
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}

function median(values: readonly number[]): number {
	return quantile(
		[...values].sort((a, b) => a - b),
		0.5,
	);
}
