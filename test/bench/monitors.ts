/**
 * What it costs to watch properties: the same work with and without watchers, in turns, as a ratio.
 *
 * Once on the bare Raft core (as in `raft-core.ts`), by the properties of published events, and by every property that
 * needs no disk, after every batch of every machine. And once on threads: a swarm as it is started by default against one
 * with `monitors: false`, storage in memory, 64 clients with one command outstanding each.
 */
import { fileURLToPath } from "node:url";
import { Swarm } from "quorate";
import { must } from "../../protocols/core/index.ts";
import { type RaftObservation, raftProperties } from "../../protocols/raft/properties/index.ts";
import { WatchList } from "../../protocols/verification/index.ts";
import { measureRaftCore } from "./raft-core.ts";
import type { BenchRow } from "./row.ts";

const ROUNDS = 5;
const OUTSTANDING = 64;
const CLIENTS = 64;
const KEYS = 10_000;
const WARM_UP_MS = 500;
const MEASURED_MS = 2_000;

type Observe = (observation: RaftObservation) => void;

/** Watches what needs no more than this depth; a violation ends the measurement. */
function watched(depth: "events" | "machine"): Observe {
	const list = new WatchList(raftProperties, depth);
	return (observation) => {
		list.observe(observation);
		if (list.violation !== null) throw new Error(`${list.violation.property} is violated`);
	};
}

/** As an observer that is shown no batches. */
function eventsAlone(): Observe {
	const observe = watched("events");
	return (observation) => {
		if (observation.type === "event") observe(observation);
	};
}

/** Commits for each second of CPU, all threads of the process together. */
async function commitsOnThreads(monitors: boolean): Promise<number> {
	const swarm = await Swarm.start({ raft: { nodes: 3 }, storage: { type: "memory" }, monitors });
	try {
		const clients = Array.from({ length: CLIENTS }, () => swarm.client({ window: 1 }));
		let running = true;
		let answered = 0;
		const loops = clients.map(async (client, number) => {
			for (let i = number; running; i += CLIENTS) {
				await client.propose({ type: "put", key: `key-${i % KEYS}`, value: i });
				answered += 1;
			}
		});
		await sleep(WARM_UP_MS);
		const [before, cpu] = [answered, process.cpuUsage()];
		await sleep(MEASURED_MS);
		const { user, system } = process.cpuUsage(cpu);
		const commits = answered - before;
		running = false;
		await Promise.all(loops);
		for (const client of clients) client.close();
		return (commits * 1e6) / (user + system);
	} finally {
		await swarm.stop();
	}
}

/** The ratio is the median of the rounds' ratios: what disturbs the machine disturbs both sides of a round alike. */
function row(name: string, rounds: readonly (readonly [ours: number, theirs: number])[]): BenchRow {
	const median = (values: readonly number[]): number =>
		must([...values].sort((a, b) => a - b)[values.length >> 1], "there is a round");
	return {
		name,
		ours: median(rounds.map(([ours]) => ours)),
		theirs: median(rounds.map(([, theirs]) => theirs)),
		unit: "commits/CPU s",
		ratio: median(rounds.map(([ours, theirs]) => ours / theirs)),
		target: null,
		stretch: null,
		note: `watched against unwatched, in turns; median of ${ROUNDS} rounds`,
	};
}

export default async function bench(): Promise<readonly BenchRow[]> {
	const core = (observe: Observe | null): number => measureRaftCore(OUTSTANDING, observe).commitsPerCpuSecond;
	const [events, machine, threads] = [0, 1, 2].map(() => [] as [number, number][]) as [
		[number, number][],
		[number, number][],
		[number, number][],
	];
	core(null);
	for (let round = 0; round < ROUNDS; round++) {
		const bare = core(null);
		events.push([core(eventsAlone()), bare]);
		machine.push([core(watched("machine")), bare]);
		const isFirst = round % 2 === 0;
		const first = await commitsOnThreads(isFirst);
		const second = await commitsOnThreads(!isFirst);
		threads.push(isFirst ? [first, second] : [second, first]);
	}
	return [
		row(`every property of events on the Raft core, ${OUTSTANDING} outstanding`, events),
		row(`every property but those of disks on the Raft core, ${OUTSTANDING} outstanding`, machine),
		row(`monitors of a swarm on threads, 3 nodes, memory, ${CLIENTS} clients`, threads),
	];
}

function sleep(durationMs: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, durationMs));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await bench());
