/**
 * Many Raft groups over three threads, beside one group with three threads of its own: commands in all with as many of them
 * outstanding, and what both say while nobody has work. Storage in memory, so that no disk is measured. Rounds alternate; every
 * command counted was answered, and at the end each list has exactly what was answered.
 */
import { deepStrictEqual } from "node:assert/strict";
import { RaftGroups, Swarm, type SwarmClient } from "quorate";
import { firstValueFrom } from "rxjs";
import type { BenchRow } from "./row.ts";

const NODES = 3;
const GROUPS = 200;
const ROUNDS = 3;
/** The threads' code is compiled meanwhile. */
const WARM_UP_MS = 3_000;
const ROUND_MS = 1_500;
/** Until all groups are silent: some times what it takes. */
const SETTLE_MS = 4_000;
const IDLE_MS = 5_000;

/** A system under load: one client for each command that is outstanding. */
interface Side {
	readonly clients: readonly SwarmClient[];
	readonly counts: number[];
	readonly told: () => Promise<number>;
}

interface Round {
	readonly perSecond: number;
	readonly cpuUsEach: number;
}

export default async function raftGroups(): Promise<readonly BenchRow[]> {
	const startedMs = performance.now();
	await using groups = await RaftGroups.start({ nodes: NODES, groups: GROUPS });
	const startMs = performance.now() - startedMs;
	await using swarm = await Swarm.start({ raft: { nodes: NODES } });
	const many: Side = {
		clients: groups.names.map((name) => groups.group(name).client({ window: 1 })),
		counts: Array<number>(GROUPS).fill(0),
		told: () => Promise.resolve(groups.measure()?.counters.get("actor.told")?.total ?? Number.NaN),
	};
	const one: Side = {
		clients: Array.from({ length: GROUPS }, () => swarm.client({ window: 1 })),
		counts: Array<number>(GROUPS).fill(0),
		told: async () => {
			const { measured } = await firstValueFrom(swarm.metrics$);
			return measured?.counters.get("actor.told")?.total ?? Number.NaN;
		},
	};
	await load(many, WARM_UP_MS);
	await load(one, WARM_UP_MS);
	const rounds: { readonly many: Round; readonly one: Round }[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		rounds.push({ many: await load(many, ROUND_MS), one: await load(one, ROUND_MS) });
	}
	await expectAll(many);
	await expectAll(one);
	await sleep(SETTLE_MS);
	const before = [await many.told(), await one.told()] as const;
	await sleep(IDLE_MS);
	const idle = [await many.told(), await one.told()] as const;
	const perSecond = (at: 0 | 1): number => ((idle[at] - before[at]) * 1_000) / IDLE_MS;
	const name = `${GROUPS} Raft groups on ${NODES} threads, memory, ${GROUPS} commands outstanding`;
	const cpu = (side: "many" | "one"): string => median(rounds.map((round) => round[side].cpuUsEach)).toFixed(0);
	return [
		{
			name: `${name}: commits, against one group with as many`,
			ours: median(rounds.map((round) => round.many.perSecond)),
			theirs: median(rounds.map((round) => round.one.perSecond)),
			ratio: median(rounds.map((round) => round.many.perSecond / round.one.perSecond)),
			unit: "/s",
			target: null,
			stretch: null,
			note: `one group batches all ${GROUPS} commands, ${GROUPS} groups batch none; ${cpu("many")} us of CPU each against ${cpu("one")}; median of ${ROUNDS} rounds; the groups took ${startMs.toFixed(0)} ms to start`,
		},
		{
			name: `${GROUPS} idle Raft groups: messages, against one group with heartbeats`,
			ours: perSecond(0),
			theirs: perSecond(1),
			unit: "/s",
			target: 0,
			stretch: 0,
			better: "lower",
			note: "all messages between actors of the process",
		},
	];
}

/** Each client appends to a list of its own, one command after the other, for so long. */
async function load({ clients, counts }: Side, ms: number): Promise<Round> {
	const before = process.cpuUsage();
	const startedMs = performance.now();
	let done = 0;
	const loops = clients.map(async (client, number) => {
		while (performance.now() - startedMs < ms) {
			const value = counts[number] ?? 0;
			await client.propose({ type: "append", key: `list-${number}`, value });
			counts[number] = value + 1;
			done += 1;
		}
	});
	await Promise.all(loops);
	const seconds = (performance.now() - startedMs) / 1_000;
	const { user, system } = process.cpuUsage(before);
	return { perSecond: done / seconds, cpuUsEach: (user + system) / done };
}

async function expectAll({ clients, counts }: Side): Promise<void> {
	for (const [number, client] of clients.entries()) {
		const { value } = await client.read<{ value: number[] }>({ type: "get", key: `list-${number}` });
		deepStrictEqual(
			value,
			Array.from({ length: counts[number] ?? 0 }, (_, at) => at),
		);
	}
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
