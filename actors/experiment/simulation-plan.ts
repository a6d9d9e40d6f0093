/** What `quorate simulate` does with a seed: the experiment that it becomes. */
import { Generator } from "../../protocols/core/index.ts";
import type { RaftMessage } from "../../protocols/raft/index.ts";
import { type Experiment, planExperiment, selectFaults } from "../../supervisors/index.ts";
import { KEY_VALUE_WORKLOAD } from "./key-value-workload.ts";
import { drawOptions, withinPromises } from "./seed-options.ts";
import { drawReturns } from "./seed-script.ts";
import { KILL_POINTS, simulationFaultKinds } from "./simulation-faults.ts";

export interface SimulationPlan {
	readonly protocol: "raft";
	readonly nodes: number;
	/** So many of them, the last ones, are witnesses; fewer than a majority. Default 0. */
	readonly witnesses?: number;
	/** Virtual milliseconds in which operations and faults begin. */
	readonly forMs: number;
	/** Kinds of faults that may be drawn; see {@link plannedFaults}. */
	readonly faults: readonly string[];
}

/**
 * These are in no plan: experiments name them where they are meant. A supervisor takes all members with it, which is beyond
 * every budget; a wiped member is replaced in a change of members, which other faults of the plan may rightly keep from being
 * done in time.
 */
const unplannedKinds: ReadonlySet<string> = new Set(["supervisor-kill", "wipe"]);
/** On a disk that all members share these end the whole group: no seed is better for having drawn them. */
const sharedDiskFatal: ReadonlySet<string> = new Set(["disk-full", "failed-flush", "read-error"]);

const messageKinds: Readonly<Record<RaftMessage["type"], true>> = {
	"request-vote": true,
	vote: true,
	"append-entries": true,
	"append-response": true,
	"install-snapshot": true,
	"snapshot-response": true,
	"timeout-now": true,
	"read-index-request": true,
	"read-index-response": true,
	"forwarded-proposals": true,
	"forward-response": true,
	"forward-refusal": true,
	"repair-request": true,
	"repair-response": true,
	"snapshot-request": true,
	quiesce: true,
};

const CLIENTS = 8;
const LIVENESS_MS = 30_000;

/** What `--faults` selects. @throws QuorateError `experiment-unsupported` */
export function plannedFaults(selection: string): readonly string[] {
	const possible = [...simulationFaultKinds].filter((kind) => !unplannedKinds.has(kind));
	return selectFaults(selection, "simulation", new Set(possible));
}

/** The experiment of a seed. */
export function planSeed(seed: number, { protocol, nodes, witnesses = 0, forMs, faults }: SimulationPlan): Experiment {
	const { config: drawn, workload, faults: possible, isScripted } = drawOptions(seed, faults);
	// Members on one disk share flushes, members on their own can lose one: half of the seeds see either.
	const onShared = possible.filter((kind) => !sharedDiskFatal.has(kind));
	const disks = onShared.length > 0 && new Generator(seed, "disks").chance(0.5) ? "shared" : "own";
	const minority = Math.floor((nodes - 1) / 2);
	const config = witnesses === 0 ? drawn : { ...drawn, witnesses };
	// A witness is no copy: of what a quorum has, so many fewer members have it.
	const damage = Math.max(0, minority - witnesses);
	const planned = planExperiment({
		seed,
		topology: { protocol, nodes, storage: "durable", disks, config },
		budget: { crash: minority, byzantine: 0, damage },
		workload: { kind: KEY_VALUE_WORKLOAD, clients: CLIENTS, forMs, ...workload },
		faults: disks === "own" ? possible : onShared,
		steadyState: {
			title: "one leader, all members run",
			probes: [
				{ probe: "leader-count", arguments: {}, tolerance: { type: "equals", value: 1 } },
				{ probe: "running-members", arguments: {}, tolerance: { type: "equals", value: nodes } },
			],
		},
		guards: [],
		livenessMs: LIVENESS_MS,
		properties: { always: ["all"], sometimes: ["leader-elected"] },
		// Nobody reads a wall clock; and who has lost its term and vote is out for good.
		values: {
			message: Object.keys(messageKinds),
			point: KILL_POINTS,
			clock: ["monotonic"],
			part: ["any", "log", "snapshot"],
		},
	});
	return isScripted ? scripted(planned) : withinPromises(planned);
}

function scripted(planned: Experiment): Experiment {
	const { topology, workload, budget, seed } = planned;
	const order = { nodes: topology.nodes, forMs: workload.forMs, crash: budget.crash };
	const method = drawReturns(new Generator(seed, "script"), order);
	return { ...planned, description: "Leaders that come back with a log of their own.", method };
}
