/** What `quorate simulate --protocol pbft` does with a seed: the experiment that it becomes, and who lies in it. */
import { assert, Generator, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import type { PbftMessage } from "../../../protocols/pbft/index.ts";
import { type Experiment, planExperiment, selectFaults } from "../../../supervisors/index.ts";
import { isAttack, knownAttacks, missingMode, type VotingModes } from "../../byzantine-coordinator/index.ts";
import { KEY_VALUE_WORKLOAD } from "../key-value-workload.ts";
import { simulationFaultKinds } from "../simulation-faults.ts";

export interface ByzantinePlan {
	readonly protocol: "pbft";
	readonly nodes: number;
	/** Members that lie, also more than can be borne; null: each seed draws how many, within what can. */
	readonly byzantine: number | null;
	/** How each of them lies, all at once; null: each seed draws attacks for each liar. */
	readonly attacks: readonly string[] | null;
	readonly modes: VotingModes;
	/** Virtual milliseconds in which operations and faults begin. */
	readonly forMs: number;
	/** Kinds of faults that may be drawn; see {@link byzantineFaults}. */
	readonly faults: readonly string[];
}

/** Two correct machines under one name, each shown to one half of the others; liars that do so keep together. */
export const TWINS = "twins";

/** Who lies, and how: names of attacks, or {@link TWINS}. */
export type Liars = ReadonlyMap<NodeId, readonly string[]>;

const ATTACKS_EACH_MAX = 2;

const messageKinds: Readonly<Record<PbftMessage["type"], true>> = {
	"pre-prepare": true,
	prepare: true,
	commit: true,
	checkpoint: true,
	"view-change": true,
	"view-change-ack": true,
	"vote-certificate": true,
	accusation: true,
	"new-key": true,
	"new-view": true,
	forward: true,
	unverifiable: true,
	"fetch-proposal": true,
	"proposal-shown": true,
	"fetch-batch": true,
	batch: true,
	"fetch-view-change": true,
	"view-change-body": true,
	status: true,
	decision: true,
	"fetch-decisions": true,
	"stable-checkpoint": true,
	"fetch-part": true,
	"state-part": true,
	"query-stable": true,
	"stable-report": true,
};

/** Where `kill-at` can strike, the most telling ones. */
const KILL_POINTS: readonly string[] = [
	"before",
	"after",
	"published",
	"after:pre-prepare",
	"published:prepare",
	"published:commit",
	"after:view-change",
	"published:new-view",
	"after:storage-durable",
];

/** Why a simulated group of PBFT can not be put under these faults. */
export const byzantineRefusals: ReadonlyMap<string, string> = new Map([
	["wipe", "a member whose data are gone may not come back under its name, and nobody stands in reserve"],
	["bit-rot", "a member does not get again what its disk has lost: it is replaced by one that starts anew"],
	["misdirected-write", "a member does not get again what its disk has lost: it is replaced by one that starts anew"],
	["transfer-leadership", "nobody hands a view over: a primary is left when it is not trusted any more"],
]);

/** The kinds that a simulated group of PBFT can be put under. */
export const byzantineFaultKinds: ReadonlySet<string> = new Set(
	[...simulationFaultKinds].filter((kind) => !byzantineRefusals.has(kind)),
);
/** Experiments name it where it is meant: it takes all members with it, which is beyond every budget. */
const UNPLANNED = "supervisor-kill";
/** On a disk that all members share these end the whole group: no seed is better for having drawn them. */
const sharedDiskFatal: ReadonlySet<string> = new Set(["disk-full", "failed-flush", "read-error"]);

/**
 * Small windows and parts, so that a minute of virtual time meets checkpoints and transfers; views that can be left in time, however
 * often in a row.
 */
const config = {
	checkpointInterval: 16,
	windowSize: 32,
	statePartBytes: 256,
	viewTimeoutMs: 250,
	viewTimeoutMaxMs: 4_000,
	transferTimeoutMs: 250,
};
const CLIENTS = 4;
const OPERATIONS_PER_SECOND = 20;
const KEYS = 5;
const LIVENESS_MS = 60_000;

/** f. */
export function faultsBorne(nodes: number): number {
	return Math.floor((nodes - 1) / 3);
}

/** What `--faults` selects. @throws QuorateError `experiment-unsupported` */
export function byzantineFaults(selection: string): readonly string[] {
	return selectFaults(
		selection,
		"simulation of pbft",
		new Set([...byzantineFaultKinds].filter((kind) => kind !== UNPLANNED)),
	);
}

/** The experiment of a seed. */
export function planByzantineSeed(seed: number, plan: ByzantinePlan): Experiment {
	const { protocol, nodes, forMs, faults } = plan;
	const correct = nodes - liarsOf(seed, plan).size;
	const onShared = faults.filter((kind) => !sharedDiskFatal.has(kind));
	const disks = onShared.length > 0 && new Generator(seed, "disks").chance(0.5) ? "shared" : "own";
	const borne = faultsBorne(nodes);
	return planExperiment({
		seed,
		topology: { protocol, nodes, storage: "durable", disks, config },
		// Nothing that a correct member lives through makes it lie: what is asked of the group is asked when it is over.
		budget: { crash: borne, byzantine: borne, damage: 0 },
		workload: { kind: KEY_VALUE_WORKLOAD, clients: CLIENTS, ratePerSecond: OPERATIONS_PER_SECOND, keys: KEYS, forMs },
		faults: disks === "own" ? faults : onShared,
		steadyState: {
			title: "all correct members run",
			probes: [{ probe: "running-members", arguments: {}, tolerance: { type: "equals", value: correct } }],
		},
		guards: [],
		livenessMs: LIVENESS_MS,
		properties: { always: ["all"], sometimes: ["something-decided"] },
		values: { message: Object.keys(messageKinds), point: KILL_POINTS, clock: ["monotonic"] },
	});
}

/**
 * Who lies in a seed's run. Liars lead the first views half of the time, so that what primaries can do is tried; more of them than can be
 * borne always do, and keep together as twins unless they are told what to do.
 */
export function liarsOf(seed: number, { nodes, byzantine, attacks, modes }: ByzantinePlan): Liars {
	const generator = new Generator(seed, "liars");
	const borne = faultsBorne(nodes);
	const count = byzantine ?? generator.between(0, borne);
	assert(count <= nodes, "nobody lies who is no member");
	const isBeyond = count > borne;
	const first = isBeyond || generator.chance(0.5) ? 0 : generator.below(nodes);
	const names = [...knownAttacks().map(({ name }) => name), TWINS].filter(
		(name) => name === TWINS || missingMode(name, modes) === null,
	);
	const drawn = (): readonly string[] => {
		if (isBeyond) return [TWINS];
		const chosen = Array.from({ length: generator.between(1, ATTACKS_EACH_MAX) }, () => generator.pick(names));
		return chosen.includes(TWINS) ? [TWINS] : [...new Set(chosen)];
	};
	return new Map(
		Array.from({ length: count }, (_, i) => [nodeId(`node-${((first + i) % nodes) + 1}`), attacks ?? drawn()]),
	);
}

/** Whether a simulated liar can do this. */
export function isSimulatedAttack(name: string): boolean {
	return name === TWINS || isAttack(name);
}
