/**
 * One run from the first record to the verdict, against a target that is already started: load and leader kills side by
 * side, then the comparison of all replicas with each other and with a plain sequential run.
 */
import { errorToObject } from "../../protocols/core/index.ts";
import type { Clock } from "../../runtime/index.ts";
import type { FlightRecords } from "./flight-records.ts";
import type { HistoryWriter } from "./history.ts";
import { type LeaderKill, LeaderKiller } from "./leader-killer.ts";
import {
	openRun,
	type ReplicaResult,
	recordEarlier,
	SETTLE_BRIEFLY_MS,
	SETTLE_MS,
	sequentialLedger,
	settledReplicas,
} from "./ledger-run.ts";
import type { Progress } from "./progress.ts";
import type { Findings, LedgerClient, RunTarget } from "./run-target.ts";
import { formatMs, formatNumber } from "./table.ts";
import { interruptExitCode, judge, type Verdict } from "./verdict.ts";
import { type Latency, Workload } from "./workload.ts";

/** Commands that each client may have outstanding. */
export const CLIENT_WINDOW = 64;
/** How long the last killed node may take to come back after the load. */
const MEND_MS = 15_000;

export interface RunPlan {
	readonly records: FlightRecords;
	readonly rate: number | "max";
	readonly clients: number;
	readonly killLeaderMs: number | null;
	readonly forMs: number | null;
}

export interface RunPorts {
	readonly target: RunTarget;
	readonly clock: Clock;
	readonly progress: Progress;
	/** Null writes none. It is closed at the end of the load. */
	readonly history: HistoryWriter | null;
	/** Ends the run in order. */
	readonly interrupt: AbortSignal;
}

/** What a run has shown. */
export interface RunReport {
	readonly verdict: Verdict;
	/** The ledger's number of this run, 1 for the first on a data directory. */
	readonly run: number;
	readonly total: number;
	/** Records that an earlier process had applied. */
	readonly earlier: number;
	/** Records acknowledged in this process. */
	readonly acknowledged: number;
	readonly loadMs: number;
	readonly recordsPerSecond: number;
	readonly appendLatency: Latency;
	readonly readLatency: Latency;
	readonly kills: readonly LeaderKill[];
	readonly restarts: number;
	readonly replicas: readonly ReplicaResult[];
	/** Replicas whose state, and so whose hash, came through a snapshot. */
	readonly replicasThroughSnapshot: number;
	/** Null where the protocol finds out nothing about its members. */
	readonly findings: Findings | null;
}

/**
 * Performs a run. What goes wrong under load is part of the report, not thrown.
 * @throws QuorateError when the run can not even begin, because no leader answers
 */
export async function performRun(plan: RunPlan, ports: RunPorts): Promise<RunReport> {
	const { target, clock, progress, history, interrupt } = ports;
	const clients = await openClients(target, plan.clients);
	const open = await openRun(clients[0]!, plan.records);
	if (history !== null) recordEarlier(history, plan.records, open.earlier);
	if (open.earlier.length > 0) {
		progress.event(0, `run ${open.run} goes on: ${formatNumber(open.earlier.length)} records are applied already`);
	}

	const workload = new Workload(
		{ ...plan, missing: open.missing, run: open.run, window: CLIENT_WINDOW },
		{ clients, clock, history },
	);
	const killer =
		plan.killLeaderMs === null
			? null
			: new LeaderKiller(plan.killLeaderMs, {
					target,
					clock,
					isLoadOn: () => workload.isBeginning,
					observe: (step, kill) => announce(progress, step, kill),
				});
	const stop = (): void => workload.stop();
	interrupt.addEventListener("abort", stop, { once: true });
	if (interrupt.aborted) stop();

	const failure = await underObservation(workload, killer, open.earlier.length, plan.records.length, ports);
	await history?.close().catch((error: unknown) => {
		failure.push(error);
	});
	interrupt.removeEventListener("abort", stop);

	const applied = new Uint8Array(plan.records.length);
	for (const index of open.earlier) applied[index] = 1;
	for (const index of open.missing) if (workload.isAcknowledged(index)) applied[index] = 1;
	const indices = Array.from(applied.keys()).filter((index) => applied[index] === 1);
	const reference = sequentialLedger(plan.records, indices).summary();
	const replicas = await settledReplicas(target, reference.applied, clock, () =>
		interrupt.aborted || failure.length > 0 ? SETTLE_BRIEFLY_MS : SETTLE_MS,
	);
	const findings = (await target.findings?.()) ?? null;
	const verdict = judge({
		replicas,
		findingFaults: findings?.faults ?? [],
		total: plan.records.length,
		reference,
		unresolved: workload.unresolved,
		loadMs: workload.elapsedMs,
		killIntervalMs: plan.killLeaderMs,
		killsHeldUpMs: killer?.heldUpMs ?? 0,
		killsSurvived: killer?.survived ?? 0,
		interrupted: interrupt.aborted ? interruptExitCode(interrupt) : null,
		failure: failure.length === 0 ? null : errorToObject(failure[0]),
	});
	return {
		verdict,
		run: open.run,
		total: plan.records.length,
		earlier: open.earlier.length,
		acknowledged: workload.acknowledged,
		loadMs: workload.elapsedMs,
		recordsPerSecond: (workload.acknowledged * 1_000) / Math.max(1, workload.elapsedMs),
		appendLatency: workload.appendLatency,
		readLatency: workload.readLatency,
		kills: killer?.kills ?? [],
		restarts: restartsOf(target),
		replicas,
		replicasThroughSnapshot: replicas.filter(({ summary }) => summary?.restoredFromSnapshot === true).length,
		findings,
	};
}

function openClients(target: RunTarget, count: number): Promise<LedgerClient[]> {
	return Promise.all(Array.from({ length: count }, () => target.openClient(CLIENT_WINDOW)));
}

/** Runs the load to its end, with killer and progress beside it. Returns what went wrong, the first thing first. */
async function underObservation(
	workload: Workload,
	killer: LeaderKiller | null,
	earlier: number,
	total: number,
	{ target, clock, progress, interrupt }: RunPorts,
): Promise<unknown[]> {
	const failures: unknown[] = [];
	const load = workload.run();
	killer?.start();
	const commits = new CommitRate(target, clock);
	const show = (): void => {
		const latency = workload.takeRecentLatency();
		progress.show({
			elapsedMs: workload.elapsedMs,
			done: earlier + workload.acknowledged,
			total,
			leader: target.leader,
			commitsPerSecond: commits.perSecond(),
			latency: latency.count === 0 ? null : latency,
			restarts: restartsOf(target),
		});
		timer = clock.schedule(progress.intervalMs, show);
	};
	let timer = clock.schedule(progress.intervalMs, show);
	const notes = target.events$.subscribe((event) => {
		if (event.type === "noted") progress.event(workload.elapsedMs, event.text);
	});
	try {
		await load;
		if (workload.failure !== null) failures.push(workload.failure);
	} catch (error) {
		failures.push(error);
	}
	await killer?.stop(interrupt.aborted ? 0 : MEND_MS);
	clock.cancel(timer);
	notes.unsubscribe();
	progress.clear();
	return failures;
}

function announce(progress: Progress, step: "killed" | "elected" | "recovered", kill: LeaderKill): void {
	const { atMs, node, term, newLeader, newTerm, electionMs, restartMs } = kill;
	if (step === "killed") progress.event(atMs, `killed the thread of ${node}, leader of term ${term}`);
	if (step === "elected" && electionMs !== null) {
		progress.event(atMs + electionMs, `${newLeader} leads term ${newTerm}, ${formatMs(electionMs)} after the kill`);
	}
	if (step === "recovered" && restartMs !== null) {
		progress.event(atMs + restartMs, `${node} is back, ${formatMs(restartMs)} after the kill`);
	}
}

/** After so long without a new figure nothing is being committed. */
const COMMIT_RATE_VALID_MS = 3_000;

/** Commits per second, from a commit index that is heard of only now and then. */
class CommitRate {
	readonly #target: RunTarget;
	readonly #clock: Clock;
	#commit: number;
	#heardMs: number;
	#perSecond: number | null = null;

	constructor(target: RunTarget, clock: Clock) {
		this.#target = target;
		this.#clock = clock;
		this.#commit = this.#highest();
		this.#heardMs = clock.nowMs();
	}

	/** Null until the first figure. */
	perSecond(): number | null {
		const commit = this.#highest();
		const nowMs = this.#clock.nowMs();
		if (commit > this.#commit) {
			this.#perSecond = ((commit - this.#commit) * 1_000) / Math.max(1, nowMs - this.#heardMs);
			this.#commit = commit;
			this.#heardMs = nowMs;
		}
		return nowMs - this.#heardMs > COMMIT_RATE_VALID_MS ? 0 : this.#perSecond;
	}

	#highest(): number {
		return this.#target.nodes.reduce((highest, { commit }) => Math.max(highest, commit), 0);
	}
}

function restartsOf(target: RunTarget): number {
	return target.nodes.reduce((sum, { restarts }) => sum + restarts, 0);
}
