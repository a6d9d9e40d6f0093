/**
 * One seed of simulated replicas from beginning to end: typists write at all of them while the seed's faults happen; then all is
 * mended, and they must come to the same bytes with every acknowledged edit. A task for a compute thread, data in and data out.
 */
import { Generator, QuorateError } from "../../../protocols/core/index.ts";
import type { ComputeTask } from "../../../runtime/index.ts";
import type { CrdtFaultPlan } from "./replica-faults.ts";
import { CrdtRun, type CrdtRunReport } from "./replica-run.ts";
import { judgeCrdtRun } from "./replica-verdict.ts";
import { type ReplicaFault, ReplicaWorld } from "./simulated-replicas.ts";
import { Typist } from "./typing.ts";

export interface ReplicaSeedOrder {
	readonly seed: number;
	readonly nodes: number;
	/** Virtual milliseconds of writing and faults. */
	readonly forMs: number;
	readonly faults: readonly ReplicaFault[];
}

export interface ReplicaSeedResult {
	readonly seed: number;
	/** `vacuous`: all is well, but nothing was written. */
	readonly verdict: "pass" | "fail" | "vacuous";
	/** Why, one sentence each. */
	readonly reasons: readonly string[];
	readonly edits: CrdtRunReport["edits"];
	/** Virtual ms from the last edit until all had the same; null if they never had. */
	readonly convergenceMs: number | null;
	/** The state of the first replica in the end. */
	readonly digest: string;
	readonly traceHash: string;
	readonly virtualMs: number;
	readonly steps: number;
	/** What shall happen in some seed, and how often it has in this one. */
	readonly sometimes: Readonly<Record<string, number>>;
}

/** One line of what happens. */
export type ReplicaNote = (atMs: number, text: string) => void;

/** Edits a second of all typists together: exchanges, not edits, are what is looked into. */
const RATE_MIN = 20;
const RATE_MAX = 200;

export function replicaSeedTask(order: ReplicaSeedOrder): ComputeTask {
	return { module: import.meta.url, export: "runReplicaSeed", args: order };
}

/** Runs a seed. */
export async function runReplicaSeed(
	order: ReplicaSeedOrder,
	note: ReplicaNote = () => undefined,
): Promise<ReplicaSeedResult> {
	const { seed, nodes, forMs } = order;
	const faults = new Set(order.faults);
	const world = new ReplicaWorld({ seed, nodes, faults });
	const { simulation, links } = world;
	const draw = new Generator(seed, "replica-plan");
	const every = (fault: ReplicaFault, minMs: number, maxMs: number): number | null =>
		faults.has(fault) ? minMs + draw.below(maxMs - minMs) : null;
	const plan: CrdtFaultPlan = {
		killMs: every("kill", 500, 4_000),
		cutMs: every("cut", 500, 5_000),
		collectMs: every("collect", 300, 3_000),
	};
	const group = await world.start();
	const happened = new Map<string, number>();
	group.events$.subscribe(({ event: { type } }) => happened.set(type, (happened.get(type) ?? 0) + 1));
	world.disturb();
	simulation.clock.schedule(forMs, () => world.mend());
	const writers = Array.from({ length: nodes }, (_unused, place) => new Typist(seed, `${place}`));
	const setting = { ...plan, writers, editsMax: Number.MAX_SAFE_INTEGER, forMs, seed };
	const rate = RATE_MIN + draw.below(RATE_MAX - RATE_MIN);
	const run = new CrdtRun(
		{ ...setting, rate },
		{ group, links, clock: simulation.clock, note, interrupt: new AbortController().signal },
	);
	try {
		const end = await simulation.complete(Promise.race([run.perform(), group.failed]));
		if (end instanceof QuorateError) return { ...endOf(order, world), ...nothingSeen, reasons: [end.message] };
		return { ...endOf(order, world), ...seenBy(end, world, happened) };
	} finally {
		await simulation.complete(group.stop());
	}
}

/** Of a group that could not go on, nothing more is known. */
const nothingSeen = {
	verdict: "fail",
	edits: { acknowledged: 0, unresolved: 0, refused: 0 },
	convergenceMs: null,
	digest: "",
	sometimes: {},
} as const;

function endOf(
	{ seed }: ReplicaSeedOrder,
	{ simulation }: ReplicaWorld,
): Pick<ReplicaSeedResult, "seed" | "traceHash" | "virtualMs" | "steps"> {
	return { seed, traceHash: simulation.traceHash, virtualMs: simulation.nowMs, steps: simulation.steps };
}

function seenBy(
	report: CrdtRunReport,
	{ messages, networkCounts, powerLosses }: ReplicaWorld,
	happened: ReadonlyMap<string, number>,
): Omit<ReplicaSeedResult, "seed" | "traceHash" | "virtualMs" | "steps"> {
	// Whether each fault has met something is asked of all seeds together.
	const { name, faults } = judgeCrdtRun(report, { killMs: null, cutMs: null, collectMs: null });
	const reasons = [...faults];
	const { edits, convergenceMs, kills, restarts, cuts, lostMessages, collections } = report;
	if (convergenceMs !== null && report.after === null)
		reasons.push("with all mended, the group could not be collected");
	const isVacuous = name === "vacuous" && reasons.length === faults.length;
	return {
		verdict: reasons.length === 0 ? "pass" : isVacuous ? "vacuous" : "fail",
		reasons,
		edits,
		convergenceMs,
		digest: report.replicas[0]?.digest ?? "",
		sometimes: {
			"a replica's thread is killed": kills,
			"a killed replica comes back": restarts,
			"a killed machine loses power": powerLosses,
			"links are cut": cuts,
			"a message is lost to a cut": lostMessages,
			"a message is lost": networkCounts.get("loss") ?? 0,
			"a message comes twice": networkCounts.get("duplicate") ?? 0,
			"an old message comes again": networkCounts.get("replay") ?? 0,
			"a message is overtaken": networkCounts.get("reorder") ?? 0,
			"an edit's outcome is unknown": edits.unresolved,
			"a delta is sent": messages.get("delta") ?? 0,
			"a whole state is sent": happened.get("state-sent") ?? 0,
			"the log is cut": happened.get("log-cut") ?? 0,
			"the group is collected": happened.get("collected") ?? 0,
			"a collection comes to nothing": collections.aborted,
		},
	};
}
