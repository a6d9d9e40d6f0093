/**
 * What of a protocol's options a seed runs with: swarm testing (Groce et al., ISSTA 2012) of settings and reads, as the plan
 * does it of faults. Options that exclude each other, or a fault, are then met in different seeds.
 */
import { Generator } from "../../protocols/core/index.ts";
import type { ASK_FIRST, Experiment, TimedFault, Topology, WorkloadSpec } from "../../supervisors/index.ts";
import { RETURN_KINDS } from "./seed-script.ts";

export interface SeedOptions {
	readonly config: Topology["config"];
	readonly workload: Pick<WorkloadSpec, "keys" | "ratePerSecond" | "burst" | "reads" | "ask">;
	/** The kinds of faults that are left: none that breaks a promise which these options make under conditions. */
	readonly faults: readonly string[];
	/** The seed's faults are those of `seed-script.ts`, and no others. */
	readonly isScripted: boolean;
}

/**
 * Logs and snapshots are small, so that a minute of virtual time meets compaction and transfers; the smaller, the more often a
 * member that was away needs a snapshot, and the likelier that its own log holds something else where the snapshot ends.
 */
const compactions: readonly Topology["config"][] = [
	{ snapshotEveryEntries: 64, retainedEntries: 16 },
	{ snapshotEveryEntries: 16, retainedEntries: 2 },
	{ snapshotEveryEntries: 4, retainedEntries: 0 },
];
/** Where little is written a snapshot for each entry costs little, and ends where a leader that was cut off has its own. */
const idleCompactions: readonly Topology["config"][] = [
	{ snapshotEveryEntries: 4, retainedEntries: 0 },
	{ snapshotEveryEntries: 1, retainedEntries: 0 },
];
const chunkBytes: readonly number[] = [64, 256, 1_024];
const appendEntries: readonly number[] = [1, 4, 16];
const appendWindows: readonly number[] = [1, 4];

/** Operations in a second of a group that has something to do most of the time … */
const BUSY_PER_SECOND: readonly number[] = [10, 20, 30];
/** … and of one that falls silent between them, after so many heartbeats. */
const IDLE_PER_SECOND = 3;
const QUIESCE_AFTER_HEARTBEATS: readonly number[] = [1, 2, 5];
/** In a burst all clients write at once: a leader that is cut off then has a long log that nobody else has. */
const bursts: readonly number[] = [1, 1, 16];
/** The fewer, the sooner a read meets a write that it must have seen. */
const keyCounts: readonly number[] = [1, 2, 5];

/**
 * Clocks that drift by what a fault's drift may be at most, and an election timeout that leaves a lease longer than a
 * heartbeat then.
 */
const LEASE = { leaseMaxClockDriftPpm: 110_000, electionTimeoutMinMs: 200, electionTimeoutMaxMs: 400 };
/** A leader that is cut off notices so long after the others have another one, and is asked meanwhile. */
const LONG_TERMS = { electionTimeoutMinMs: 500, electionTimeoutMaxMs: 600 };
/** A monotonic clock that leaps, or falls behind faster than it may, breaks what a lease rests on. */
const againstLeases: readonly string[] = ["clock-skew", "clock-jump"];
/** Whoever says how old its state is reads its clock, and has no allowance for drift. */
const againstStaleReads: readonly string[] = ["clock-skew", "clock-jump", "clock-drift"];

type Timing = "plain" | "lease" | "quiet";
const timings: readonly Timing[] = ["plain", "plain", "lease", "quiet"];

/** Leaders that come back with a log of their own. */
const RETURNS = "returns";
/**
 * Cut-off leaders, with clocks that let them believe in themselves; members that come back to logs that were compacted; disks
 * that lose what was on them, and what lets it be found.
 */
const themes: readonly (readonly string[] | typeof RETURNS | null)[] = [
	null,
	null,
	null,
	["partition"],
	["partition", "clock-skew", "clock-drift"],
	["partition", "pause", "crash", "loss", "restart-power-loss"],
	["bit-rot", "misdirected-write", "kill", "restart-power-loss", "partition", "loss"],
	RETURNS,
];
/** Many commands at once, on a member that hears nobody; a snapshot that ends within them, and long terms, in which it takes them in. */
const returnCompactions: readonly Topology["config"][] = [
	{ snapshotEveryEntries: 1, retainedEntries: 0 },
	{ snapshotEveryEntries: 4, retainedEntries: 0 },
];
const RETURN_BURST = 16;
/** Whoever is back a moment later than the others began to wait may still be the first to campaign. */
const RETURN_TERMS = { electionTimeoutMinMs: 300, electionTimeoutMaxMs: 900 };
/** Clients that hold on to their leader are the first to be told something old. */
const askFirst: readonly (typeof ASK_FIRST)[number][] = ["leader", "remembered", "remembered", "any"];

/** With restarts that come later and later, a crash loop of this length is some five deaths. */
const CRASH_LOOP_MS_MAX = 1_500;

/** The options of a seed that draws from these kinds of faults. */
export function drawOptions(seed: number, kinds: readonly string[]): SeedOptions {
	const generator = new Generator(seed, "options");
	const theme = generator.pick(themes);
	if (theme === RETURNS && RETURN_KINDS.every((kind) => kinds.includes(kind))) return returnOptions(generator);
	const faults = theme === null || theme === RETURNS ? kinds : ofTheme(kinds, theme);
	const drawn = generator.pick(timings);
	const timing = drawn === "lease" && !leavesOne(faults, againstLeases) ? "plain" : drawn;
	const isStale = generator.chance(0.25) && leavesOne(faults, againstStaleReads);
	return {
		config: drawConfig(generator, timing),
		workload: {
			keys: generator.pick(keyCounts),
			burst: generator.pick(bursts),
			ratePerSecond: timing === "quiet" ? IDLE_PER_SECOND : generator.pick(BUSY_PER_SECOND),
			reads: [
				...(["as-configured", "linearizable"] as const),
				...(timing === "lease" ? (["lease"] as const) : []),
				...(generator.chance(0.5) ? (["follower"] as const) : []),
				...(isStale ? (["stale"] as const) : []),
			],
			ask: generator.pick(askFirst),
		},
		faults: without(without(faults, timing === "lease" ? againstLeases : []), isStale ? againstStaleReads : []),
		isScripted: false,
	};
}

function returnOptions(generator: Generator): SeedOptions {
	return {
		config: { ...drawConfig(generator, "plain"), ...generator.pick(returnCompactions), ...RETURN_TERMS },
		workload: {
			keys: generator.pick(keyCounts),
			burst: RETURN_BURST,
			ratePerSecond: generator.pick(BUSY_PER_SECOND),
			reads: ["as-configured", "linearizable"],
			ask: generator.pick(askFirst),
		},
		faults: [],
		isScripted: true,
	};
}

/** A part of the seeds has one theme, and so much more of it than a mixture of everything could have. */
function ofTheme(kinds: readonly string[], theme: readonly string[]): readonly string[] {
	const left = kinds.filter((kind) => theme.includes(kind));
	return left.length === 0 ? kinds : left;
}

function drawConfig(generator: Generator, timing: Timing): Topology["config"] {
	const hasLongTerms = generator.chance(0.4);
	return {
		...generator.pick(timing === "quiet" ? idleCompactions : compactions),
		snapshotChunkBytes: generator.pick(chunkBytes),
		maxEntriesPerAppend: generator.pick(appendEntries),
		maxInflightAppends: generator.pick(appendWindows),
		...(timing === "lease" ? LEASE : hasLongTerms ? LONG_TERMS : {}),
		...(timing === "quiet" ? { quiesceAfterHeartbeats: generator.pick(QUIESCE_AFTER_HEARTBEATS) } : {}),
		...(generator.chance(0.2) ? { preVote: 0 } : {}),
		...(generator.chance(0.3) ? { followerReads: 1 } : {}),
		...(generator.chance(0.3) ? { forwardProposals: 1 } : {}),
	};
}

function without(kinds: readonly string[], against: readonly string[]): readonly string[] {
	return kinds.filter((kind) => !against.includes(kind));
}

/** Whether a seed that was to have faults still has some. */
function leavesOne(kinds: readonly string[], against: readonly string[]): boolean {
	return kinds.length === 0 || without(kinds, against).length > 0;
}

/**
 * The method without what no group promises to survive. Drifts of one clock multiply, so with leases one begins when the former
 * is over; and a member that dies again and again for longer than its supervisor tolerates ends the swarm, as it should.
 */
export function withinPromises(experiment: Experiment): Experiment {
	const hasLeases = experiment.topology.config["leaseMaxClockDriftPpm"] !== undefined;
	let driftsUntilMs = 0;
	const method = experiment.method.flatMap((timed): readonly TimedFault[] => {
		const { atMs, forMs, fault } = timed;
		if (fault.kind === "crash-loop")
			return [{ ...timed, forMs: Math.min(forMs ?? CRASH_LOOP_MS_MAX, CRASH_LOOP_MS_MAX) }];
		if (fault.kind !== "clock-drift" || !hasLeases) return [timed];
		if (atMs < driftsUntilMs) return [];
		driftsUntilMs = atMs + (forMs ?? Number.POSITIVE_INFINITY);
		return [timed];
	});
	return { ...experiment, method };
}
