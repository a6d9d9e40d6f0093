/** What a judge of histories says in the end. */
import type { History } from "./history-recorder.ts";

/**
 * - `ok`: the history is as it must be;
 * - `illegal`: it is not, whatever the operations of unknown outcome have done;
 * - `unknown`: not decided. Never to be taken for `ok`.
 */
export type Verdict = "ok" | "illegal" | "unknown";

/** Something that a checker of one kind of fault has found. */
export interface Anomaly {
	/** The field's name for it: `lost`, `G1a`, `monotonic-reads`. */
	readonly name: string;
	/** One sentence with the values that show it. */
	readonly description: string;
	/** The operations that show it, one line each. */
	readonly evidence: readonly string[];
}

/** So many anomalies of one name are described; all are counted. */
const DESCRIBED_MAX = 8;

/** Counts anomalies by name, and keeps the first of each. */
export class AnomalyLog {
	readonly #counts = new Map<string, number>();
	readonly #described: Anomaly[] = [];

	/** `describe` is only called for those that are kept. */
	add(name: string, describe: () => Omit<Anomaly, "name">): void {
		const count = (this.#counts.get(name) ?? 0) + 1;
		this.#counts.set(name, count);
		if (count <= DESCRIBED_MAX) this.#described.push({ name, ...describe() });
	}

	get counts(): ReadonlyMap<string, number> {
		return this.#counts;
	}

	get described(): readonly Anomaly[] {
		return this.#described;
	}
}

/** What the checkers of sets, sessions and transactions report. */
export interface AnomalyReport {
	readonly verdict: Verdict;
	/** Operations that were answered. */
	readonly answered: number;
	/** How often each anomaly was found, by its name. */
	readonly counts: ReadonlyMap<string, number>;
	/** The first few of each name. */
	readonly anomalies: readonly Anomaly[];
}

/** Runs a checker that says whether there was anything that it could have found wrong. */
export function reportAnomalies({ operations }: History, check: (log: AnomalyLog) => boolean): AnomalyReport {
	const log = new AnomalyLog();
	const isMeaningful = check(log);
	const verdict = log.counts.size > 0 ? "illegal" : isMeaningful ? "ok" : "unknown";
	const answered = operations.filter(({ outcome }) => outcome === "ok").length;
	return { verdict, answered, counts: log.counts, anomalies: log.described };
}
