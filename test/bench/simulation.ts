/**
 * How much virtual time one core simulates: five whole Raft participants (kernel, mailbox, codec, storage actor, simulated
 * disk, supervisors) with heartbeats of 50 ms and 20 client operations each virtual second. Once undisturbed, once on a
 * network that loses, copies and delays while a leader is killed every five virtual seconds. Every operation must be
 * answered, and in the end all replicas must hold the same. And once as `quorate simulate` does it: all kinds of faults, every
 * property of the room watched after each step of each member and its disk, the clients' history judged for linearizability.
 *
 * Time is CPU time of the process, so that a busy machine does not change the figure. By itself it runs as
 * `node dist/test/bench/simulation.js`.
 */
import { fileURLToPath } from "node:url";
import { type SeedPool, threadPool } from "../../actors/console/simulate-command.ts";
import { plannedFaults } from "../../actors/experiment/simulation-plan.ts";
import { assert, must, QuorateError } from "../../protocols/core/index.ts";
import { QUIET, World } from "../actors/participant/world.ts";
import type { BenchRow } from "./row.ts";

const NODES = 5;
const ROUNDS = 3;
const VIRTUAL_SECONDS = 60;
const OPERATIONS_PER_SECOND = 20;
const KILL_EVERY_MS = 5_000;
/** Of `quorate simulate`, in one measurement. */
const SEEDS = 3;
const FAULTS = { loss: 0.02, duplication: 0.02, delayMsMax: 5 };
const tuning = { electionTimeoutMs: { min: 150, max: 300 }, heartbeatMs: 50 };

/** One measured run. */
export interface SimulationRow {
	readonly faults: boolean;
	/** Virtual seconds per second of CPU. */
	readonly speedUp: number;
	readonly eventsPerSecond: number;
	readonly eventsPerVirtualSecond: number;
	readonly operations: number;
	readonly kills: number;
}

async function measure(seed: number, faults: boolean): Promise<SimulationRow> {
	const world = new World({ seed, nodes: NODES, tuning });
	const { simulation } = world;
	await world.start();
	await simulation.run({ untilMs: simulation.nowMs + 1_000, until: () => world.view.leader !== null });
	if (faults) world.faults = FAULTS;
	const client = world.client(10_000);
	const answers: Promise<unknown>[] = [];
	let kills = 0;
	const [cpu, steps, fromMs] = [process.cpuUsage(), simulation.steps, simulation.nowMs];
	const endMs = fromMs + VIRTUAL_SECONDS * 1_000;
	let killAtMs = fromMs + KILL_EVERY_MS;
	for (let operation = 0; simulation.nowMs < endMs; operation++) {
		answers.push(client.propose({ id: `${operation}` }).catch(refusal));
		await simulation.run({ untilMs: simulation.nowMs + 1_000 / OPERATIONS_PER_SECOND });
		const leader = world.view.leader?.leader;
		if (!faults || simulation.nowMs < killAtMs || leader === undefined) continue;
		world.kill(leader);
		kills += 1;
		killAtMs += KILL_EVERY_MS;
	}
	const { user, system } = process.cpuUsage(cpu);
	const cpuSeconds = (user + system) / 1e6;
	const events = simulation.steps - steps;
	const virtualSeconds = (simulation.nowMs - fromMs) / 1_000;
	await settle(world, answers);
	return {
		faults,
		speedUp: virtualSeconds / cpuSeconds,
		eventsPerSecond: events / cpuSeconds,
		eventsPerVirtualSecond: events / virtualSeconds,
		operations: answers.length,
		kills,
	};
}

/** A killed leader may leave an operation open: that is an answer too. */
function refusal(error: unknown): string {
	if (error instanceof QuorateError && (error.code === "outcome-unknown" || error.code === "not-decided")) {
		return error.code;
	}
	throw error;
}

/** Whole seeds in a thread of `quorate simulate`, preparation and judgement included. */
async function measureSeeds(
	pool: SeedPool,
	first: number,
): Promise<Omit<SimulationRow, "kills" | "operations" | "faults">> {
	const faults = plannedFaults("all");
	const from = { protocol: "raft", nodes: NODES, forMs: VIRTUAL_SECONDS * 1_000, faults } as const;
	let [virtualSeconds, events] = [0, 0];
	const cpu = process.cpuUsage();
	for (let seed = first; seed < first + SEEDS; seed++) {
		const { verdict, virtualMs, steps } = await pool.run({ seed, from });
		assert(verdict === "pass", "every seed passes", { seed, verdict });
		virtualSeconds += virtualMs / 1_000;
		events += steps;
	}
	const { user, system } = process.cpuUsage(cpu);
	const cpuSeconds = (user + system) / 1e6;
	return {
		speedUp: virtualSeconds / cpuSeconds,
		eventsPerSecond: events / cpuSeconds,
		eventsPerVirtualSecond: events / virtualSeconds,
	};
}

/** Everything is answered, all replicas are equal, and nothing was simulated for nothing. */
async function settle(world: World, answers: readonly Promise<unknown>[]): Promise<void> {
	const { simulation } = world;
	world.faults = QUIET;
	const outcomes = await simulation.complete(Promise.all(answers));
	const answered = outcomes.filter((outcome) => typeof outcome === "number").length;
	assert(answered >= 0.98 * outcomes.length, "hardly any operation is left open", { answered, of: outcomes.length });
	await simulation.complete(world.client(10_000).propose({ id: "last" }));
	await simulation.run({ untilMs: simulation.nowMs + 2_000 });
	const replicas = await simulation.complete(Promise.all(world.nodes.map((node) => world.replica(node))));
	const first = JSON.stringify(must(replicas[0], "there is a replica"));
	assert(
		replicas.every((replica) => JSON.stringify(replica) === first),
		"all replicas hold the same",
	);
	await world.stop();
}

/** Medians over several seeds, quiet and disturbed, after a round to warm up. */
export async function benchSimulation(): Promise<readonly SimulationRow[]> {
	const rounds: SimulationRow[][] = [];
	for (let round = 0; round <= ROUNDS; round++) {
		const rows = [await measure(round + 1, false), await measure(round + 1, true)];
		if (round > 0) rounds.push(rows);
	}
	return [0, 1].map((setting) => {
		const rows = rounds.map((round) => must(round[setting], "every round has both"));
		return must(rows.sort((a, b) => a.speedUp - b.speedUp)[ROUNDS >> 1], "in range");
	});
}

export default async function bench(): Promise<readonly BenchRow[]> {
	const rows = (await benchSimulation()).map((row) => ({
		name: `simulated Raft, ${NODES} participants, ${row.faults ? "faults on" : "undisturbed"}`,
		ours: row.speedUp,
		unit: "virtual s/CPU s",
		target: 100,
		stretch: 400,
		note:
			`${Math.round(row.eventsPerSecond)} events per CPU second, ${Math.round(row.eventsPerVirtualSecond)} per virtual second, ` +
			`${row.operations} operations, ${row.kills} leaders killed in ${VIRTUAL_SECONDS} virtual s`,
	}));
	const pool = threadPool(1);
	await measureSeeds(pool, 1);
	const seeds = await measureSeeds(pool, SEEDS + 1);
	await pool.close();
	const whole = {
		name: `quorate simulate, ${NODES} nodes, all faults, all invariants, history judged`,
		ours: seeds.speedUp,
		unit: "virtual s/CPU s",
		target: 100,
		stretch: 400,
		note: `${Math.round(seeds.eventsPerSecond)} events per CPU second, ${Math.round(seeds.eventsPerVirtualSecond)} per virtual second`,
	};
	return [...rows, whole];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await benchSimulation());
