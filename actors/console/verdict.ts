/** The verdict on a run: a pure function of what was seen. */
import type { LedgerSummary } from "./flight-ledger.ts";
import type { ReplicaResult } from "./ledger-run.ts";

/** What a run must show of kills, at most. */
const KILLS_REQUIRED_MAX = 3;

/** 128 and the number of the signal, as shells count: SIGINT (Ctrl-C), SIGPIPE (nobody reads the output any more) or SIGTERM. */
export type InterruptExitCode = 130 | 141 | 143;

/** The exit code after an interruption. The reason of its signal names SIGTERM or SIGPIPE; else it was Ctrl-C. */
export function interruptExitCode({ reason }: AbortSignal): InterruptExitCode {
	if (reason === "SIGTERM") return 143;
	return reason === "SIGPIPE" ? 141 : 130;
}

export interface RunFacts {
	readonly replicas: readonly ReplicaResult[];
	/** What the target found that must not be. */
	readonly findingFaults: readonly string[];
	/** Records of the input. */
	readonly total: number;
	/** A ledger that applied exactly what was acknowledged (in this process or an earlier one of the same run). */
	readonly reference: LedgerSummary;
	/** Operations that failed or had no answer. */
	readonly unresolved: number;
	readonly loadMs: number;
	/** Null when nobody was to be killed. */
	readonly killIntervalMs: number | null;
	/** Time in which a kill was due and the last one was not mended yet. */
	readonly killsHeldUpMs: number;
	/** Kills of a leader with a new leader after each. */
	readonly killsSurvived: number;
	/** The exit code of the signal that interrupted the run, if one did. */
	readonly interrupted: InterruptExitCode | null;
	/** What ended the load, if not its completion. */
	readonly failure: { readonly code: string; readonly message: string } | null;
}

/**
 * - `agreed`: all replicas hold the acknowledged records, each once, in one order;
 * - `disagreed`: they do not;
 * - `vacuous`: they do, but fewer leaders were killed than were to be;
 * - `failed`: the load ended with an error, or not all of its outcomes are known;
 * - `interrupted`: by Ctrl-C or SIGTERM, or because the reader of its output has gone.
 */
export type VerdictName = "agreed" | "disagreed" | "vacuous" | "failed" | "interrupted";

export interface Verdict {
	readonly name: VerdictName;
	readonly exitCode: 0 | 1 | InterruptExitCode;
	/** The last line of the run. */
	readonly line: string;
	/** What is wrong, one sentence each; empty when all is right. */
	readonly faults: readonly string[];
	readonly killsRequired: number;
}

/**
 * So many kills the schedule asked for: one less than the intervals that passed while the load ran, at most 3. Time does not
 * count in which a kill was due and had to wait for the last killed node: a slow machine is no fault.
 */
export function killsRequired(loadMs: number, killIntervalMs: number | null, heldUpMs: number): number {
	if (killIntervalMs === null) return 0;
	return Math.max(0, Math.min(KILLS_REQUIRED_MAX, Math.floor((loadMs - heldUpMs) / killIntervalMs) - 1));
}

export function judge(facts: RunFacts): Verdict {
	const required = killsRequired(facts.loadMs, facts.killIntervalMs, facts.killsHeldUpMs);
	const faults = [...replicaFaults(facts), ...facts.findingFaults];
	const agreement = agreementOf(facts);
	const verdict = (name: VerdictName, exitCode: Verdict["exitCode"], line: string): Verdict => ({
		name,
		exitCode,
		line: `${name}: ${line}`,
		faults,
		killsRequired: required,
	});
	if (facts.interrupted !== null) return verdict("interrupted", facts.interrupted, agreement);
	if (facts.failure !== null) return verdict("failed", 1, `${facts.failure.code}: ${facts.failure.message}`);
	if (facts.unresolved > 0) return verdict("failed", 1, `${facts.unresolved} operations have no known outcome`);
	if (faults.length > 0) return verdict("disagreed", 1, agreement);
	if (facts.killsSurvived < required) {
		return verdict(
			"vacuous",
			1,
			`leaders killed and replaced: ${facts.killsSurvived}, at least ${required} required; ${agreement}`,
		);
	}
	return verdict("agreed", 0, agreement);
}

/** How many replicas stand on the order hash that most of them have, and how many records they hold. */
function agreementOf({ replicas, total }: RunFacts): string {
	const counts = new Map<string, number>();
	for (const { summary } of replicas) {
		if (summary !== null) counts.set(summary.orderHash, (counts.get(summary.orderHash) ?? 0) + 1);
	}
	const [orderHash, count] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ["unknown", 0];
	const applied = replicas.find(({ summary }) => summary?.orderHash === orderHash)?.summary?.applied ?? 0;
	return `${count} of ${replicas.length} replicas, ${applied} of ${total} records, order ${orderHash}`;
}

function replicaFaults({ replicas, reference }: RunFacts): string[] {
	const faults: string[] = [];
	const orders = new Set<string>();
	for (const { node, summary } of replicas) {
		if (summary === null) {
			faults.push(`${node} did not answer`);
			continue;
		}
		orders.add(summary.orderHash);
		if (summary.applied !== reference.applied) {
			faults.push(`${node} applied ${summary.applied} records, ${reference.applied} were acknowledged`);
		} else if (summary.setHash !== reference.setHash) {
			faults.push(`${node} applied other records than the acknowledged ones, or some twice and others not at all`);
		}
	}
	if (orders.size > 1) faults.push(`${orders.size} different orders`);
	return faults;
}
