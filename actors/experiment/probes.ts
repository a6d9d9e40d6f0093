/** What an experiment may measure of a swarm, by name. */
import { QuorateError } from "../../protocols/core/index.ts";
import { type ProbeSpec, type ProbeValue, probeFailed, type Workload } from "../../supervisors/index.ts";

/** Of what was answered within this time figures of the workload are made, unless a probe says otherwise. */
const WINDOW_MS_DEFAULT = 2_000;
const QUANTILE_DEFAULT = 0.99;

/** What probes need of a group, whichever protocol it runs. */
export interface ProbedGroup {
	/** As last heard of; a group without terms tells the numbers that take their place. */
	readonly nodes: readonly {
		readonly state: string;
		readonly role: string | null;
		readonly term: number;
		readonly threadLives: number;
	}[];
	/** Asks every member. */
	status(): Promise<readonly { readonly state: string }[]>;
}

type Measure = (probes: ProbeSources, values: ProbeArguments) => ProbeValue | Promise<ProbeValue>;

interface ProbeSources {
	readonly swarm: ProbedGroup;
	readonly nowMs: number;
	readonly workload: Workload | null;
}

/** One probe: what it takes, and how it is measured. */
interface ProbeKind {
	readonly arguments: readonly string[];
	readonly measure: Measure;
}

const kinds: ReadonlyMap<string, ProbeKind> = new Map<string, ProbeKind>([
	["leader-count", { arguments: [], measure: leaderCount }],
	["term", { arguments: [], measure: ({ swarm }) => highestTerm(swarm) }],
	["running-members", { arguments: [], measure: runningMembers }],
	["restarts", { arguments: [], measure: restarts }],
	["commit-rate", { arguments: ["windowMs"], measure: commitRate }],
	["commit-latency", { arguments: ["quantile", "windowMs"], measure: commitLatency }],
]);

/** The names of all probes. */
export const probeNames: ReadonlySet<string> = new Set(kinds.keys());

/** Measures one running swarm. */
export class Probes {
	readonly #swarm: ProbedGroup;
	readonly #nowMs: () => number;
	readonly #workload: () => Workload | null;

	constructor(swarm: ProbedGroup, nowMs: () => number, workload: () => Workload | null) {
		this.#swarm = swarm;
		this.#nowMs = nowMs;
		this.#workload = workload;
	}

	/** @throws QuorateError `probe-failed` */
	async measure({ probe, arguments: given }: ProbeSpec): Promise<ProbeValue> {
		const kind = kinds.get(probe);
		if (kind === undefined) throw probeFailed({ probe, reason: `there is none of this name (${[...kinds.keys()]})` });
		const stray = Object.keys(given).find((name) => !kind.arguments.includes(name));
		if (stray !== undefined) throw probeFailed({ probe, reason: `it has no argument ${stray}` });
		try {
			const sources = { swarm: this.#swarm, nowMs: this.#nowMs(), workload: this.#workload() };
			return await kind.measure(sources, new ProbeArguments(probe, given));
		} catch (cause) {
			if (!(cause instanceof QuorateError) || cause.code === "probe-failed") throw cause;
			throw probeFailed({ probe, reason: cause.message }, { cause });
		}
	}
}

class ProbeArguments {
	readonly #probe: string;
	readonly #given: ProbeSpec["arguments"];

	constructor(probe: string, given: ProbeSpec["arguments"]) {
		this.#probe = probe;
		this.#given = given;
	}

	number(name: string, fallback: number, min: number, max: number): number {
		const value = this.#given[name] ?? fallback;
		if (typeof value === "number" && value >= min && value <= max) return value;
		throw probeFailed({ probe: this.#probe, reason: `${name} is a number from ${min} to ${max}, not ${value}` });
	}
}

/** Leaders of the highest term that any running member has told of; a deposed one that is cut off does not count. */
function leaderCount({ swarm }: ProbeSources): number {
	const term = highestTerm(swarm);
	return swarm.nodes.filter((node) => node.state === "running" && node.role === "leader" && node.term === term).length;
}

function highestTerm(swarm: ProbedGroup): number {
	return Math.max(0, ...swarm.nodes.map(({ term }) => term));
}

/** Members that answer a question now. */
async function runningMembers({ swarm }: ProbeSources): Promise<number> {
	return (await swarm.status()).filter(({ state }) => state === "running").length;
}

/** Threads that were started in the place of dead ones, over all members. */
function restarts({ swarm }: ProbeSources): number {
	return swarm.nodes.reduce((sum, { threadLives }) => sum + Math.max(0, threadLives - 1), 0);
}

function answeredWithin({ workload, nowMs }: ProbeSources, windowMs: number): readonly number[] {
	const latencies = workload?.latencies ?? [];
	let from = latencies.length;
	while (from > 0 && (latencies[from - 1]?.atMs ?? 0) > nowMs - windowMs) from -= 1;
	return latencies.slice(from).map(({ latencyMs }) => latencyMs);
}

/** Operations of the workload answered in a second. */
function commitRate(sources: ProbeSources, values: ProbeArguments): number {
	const windowMs = values.number("windowMs", WINDOW_MS_DEFAULT, 1, 3_600_000);
	return (answeredWithin(sources, windowMs).length * 1_000) / windowMs;
}

/** Milliseconds from due to answered; null if nothing was answered. */
function commitLatency(sources: ProbeSources, values: ProbeArguments): number | null {
	const quantile = values.number("quantile", QUANTILE_DEFAULT, 0, 1);
	const windowMs = values.number("windowMs", WINDOW_MS_DEFAULT, 1, 3_600_000);
	const sorted = [...answeredWithin(sources, windowMs)].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? null;
}
