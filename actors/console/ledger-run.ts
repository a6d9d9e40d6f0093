/**
 * One run of the ledger, from its point of view: which records are still to be proposed, what a ledger that applied
 * exactly the acknowledged ones would hold, and whether the replicas hold that.
 */
import { assert, QuorateError } from "../../protocols/core/index.ts";
import type { Clock } from "../../runtime/index.ts";
import { FlightLedger, HOURS, type LedgerSummary } from "./flight-ledger.ts";
import type { FlightRecords } from "./flight-records.ts";
import type { HistoryWriter } from "./history.ts";
import type { LedgerClient, RunTarget } from "./run-target.ts";

/** How often a replica that is behind is asked again. */
const SETTLE_POLL_MS = 50;
/** How long replicas may take after the load to have applied all of it. */
export const SETTLE_MS = 30_000;
/** The same after an interruption or a failure: somebody waits for the end. */
export const SETTLE_BRIEFLY_MS = 1_000;

export interface OpenRun {
	readonly run: number;
	/** Names the input: the set hash of all its records. */
	readonly fingerprint: string;
	/** Records that an earlier process of this same run has applied already. */
	readonly earlier: Uint32Array;
	/** Records to propose, in the order of the input. */
	readonly missing: Uint32Array;
}

/** Applies records one after the other in this process, without any swarm: what a run is compared with. */
export function sequentialLedger(records: FlightRecords, indices: Iterable<number>): FlightLedger {
	const ledger = new FlightLedger();
	ledger.apply(["begin", 1, records.length, ""]);
	for (const index of indices) {
		const { delay, distance, time } = records.at(index);
		ledger.apply(["append", 1, index, delay, distance, time]);
	}
	return ledger;
}

/**
 * Continues the ledger's present run if it is about this input and incomplete, else begins the next.
 *
 * Why a continued run applies nothing twice: (1) the process that proposed the missing records is gone, so nobody else
 * can propose one now; (2) the read is linearizable, so it sees every record that was or will be decided from that
 * process's proposals: a new leader answers reads only when an entry of its own term is committed, and after that no
 * older entry can be; (3) only what this read does not show is proposed.
 */
export async function openRun(client: LedgerClient, records: FlightRecords): Promise<OpenRun> {
	const everything = Array.from({ length: records.length }, (_, index) => index);
	const fingerprint = sequentialLedger(records, everything).summary().setHash;
	const present = (await client.read({ type: "summary" })) as LedgerSummary;
	const isPresent = present.run > 0 && present.fingerprint === fingerprint && present.total === records.length;
	if (!isPresent || present.applied >= records.length) {
		const run = await client.propose(["begin", present.run + 1, records.length, fingerprint]);
		assert(run === present.run + 1, "this process is the ledger's only user", { run, present: present.run });
		return { run, fingerprint, earlier: new Uint32Array(0), missing: Uint32Array.from(everything) };
	}
	const lists = await appliedByHour(client);
	const applied = new Uint8Array(records.length);
	for (const index of lists.flat()) applied[index] = 1;
	const missing = Uint32Array.from(everything.filter((index) => applied[index] === 0));
	return { run: present.run, fingerprint, earlier: Uint32Array.from(lists.flat()), missing };
}

async function appliedByHour(client: LedgerClient): Promise<number[][]> {
	const lists: number[][] = [];
	for (let hour = 0; hour < HOURS; hour++) {
		lists.push((await client.read({ type: "hour-records", hour })) as number[]);
	}
	return lists;
}

/** A history of a continued run begins with what was there before it, as appends that ended before all others began. */
export function recordEarlier(history: HistoryWriter, records: FlightRecords, earlier: Uint32Array): void {
	if (earlier.length === 0) return;
	const client = history.newClient();
	for (const index of earlier)
		history.ok(history.invokeAppend(client, Math.floor(records.at(index).time), index), null);
}

/** What one replica holds at the end; null if it did not answer. */
export interface ReplicaResult {
	readonly node: string;
	readonly summary: LedgerSummary | null;
}

async function summaryOf(target: RunTarget, node: string): Promise<LedgerSummary | null> {
	try {
		return await target.inspectReplica(node);
	} catch (error) {
		// A replica that is being restarted does not answer now; it is asked again. Anything else is a bug.
		if (error instanceof QuorateError) return null;
		throw error;
	}
}

/** Asks every replica until all have applied `applied` records, for `limitMs` (asked anew each time) at most. */
export async function settledReplicas(
	target: RunTarget,
	applied: number,
	clock: Clock,
	limitMs: () => number,
): Promise<ReplicaResult[]> {
	const startMs = clock.nowMs();
	for (;;) {
		const replicas = await Promise.all(
			target.nodes.map(async ({ id }) => ({ node: id, summary: await summaryOf(target, id) })),
		);
		const isSettled = replicas.every(({ summary }) => summary !== null && summary.applied >= applied);
		if (isSettled || clock.nowMs() - startMs >= limitMs()) return replicas;
		await new Promise<void>((resume) => clock.schedule(SETTLE_POLL_MS, resume));
	}
}
