/**
 * The load: proposes records through several clients, at a steady rate or as fast as they go.
 *
 * At a steady rate the load is open: record `i` is due at `i / rate`, whether or not earlier ones are answered, and its
 * latency counts from when it was due, not from when a window had room for it. So a pause of the system (an election)
 * shows in the latency of everything that had to wait for it: coordinated omission is not hidden. At rate `max` the
 * load is closed: each client keeps its window full, and latency counts from the send.
 *
 * Of each 100 operations of a client one is a linearizable read of the hour that it appended to last.
 */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { assert, QuorateError } from "../../protocols/core/index.ts";
import type { Clock, TimerHandle } from "../../runtime/index.ts";
import { runErrors } from "./errors.ts";
import { hourOf } from "./flight-ledger.ts";
import type { FlightRecords } from "./flight-records.ts";
import type { HistoryWriter } from "./history.ts";
import type { LedgerClient } from "./run-target.ts";

/** One operation of so many is a read. */
const OPERATIONS_PER_READ = 100;
/** How often the load looks at the clock. */
const TICK_MS = 1;
/** So many failed operations end the load. */
const FAILED_OPERATIONS_MAX = 100;
/** No answer for so long, while some are awaited, ends the load. */
const STALL_MS = 30_000;
/** After `stop` somebody waits for the end, so answers are awaited only for so long. */
const DRAIN_MS = 2_000;

/** What a client rejects with when the operation certainly had no effect. */
const codesWithoutEffect: ReadonlySet<string> = new Set(["not-decided", "value-too-large", "client-overloaded"]);

/** What a load consists of. */
export interface WorkloadPlan {
	readonly records: FlightRecords;
	/** The indices of the records to propose, in this order. */
	readonly missing: Uint32Array;
	/** The ledger's number of this run. */
	readonly run: number;
	/** Records per second over all clients. */
	readonly rate: number | "max";
	/** Operations that each client may have outstanding. */
	readonly window: number;
	/** Begin no operation after this time; null is no limit. */
	readonly forMs: number | null;
}

export interface WorkloadPorts {
	readonly clients: readonly LedgerClient[];
	readonly clock: Clock;
	readonly history: HistoryWriter | null;
}

/** Percentiles in milliseconds. */
export interface Latency {
	readonly count: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly p999Ms: number;
	readonly maxMs: number;
}

/** One client's part of the load. */
interface ClientShare {
	readonly client: LedgerClient;
	/** Position in `missing` of its next record; its records are every n-th one. */
	next: number;
	operations: number;
	outstanding: number;
	lastHour: number;
	/** Numbers of history clients that have no operation outstanding. */
	readonly idleHistoryClients: number[];
}

interface Operation {
	readonly share: ClientShare;
	/** When it was due (steady rate) or sent (`max`). */
	readonly sinceMs: number;
	readonly historyClient: number;
	readonly historyId: number;
}

export class Workload {
	readonly #plan: WorkloadPlan;
	readonly #ports: WorkloadPorts;
	readonly #shares: ClientShare[];
	/** One flag for each record: acknowledged in this load. */
	readonly #acknowledged: Uint8Array;
	readonly #appendLatency: RecordableHistogram = createHistogram();
	readonly #readLatency: RecordableHistogram = createHistogram();
	readonly #recentLatency: RecordableHistogram = createHistogram();

	#acknowledgedCount = 0;
	#outstanding = 0;
	#failed = 0;
	#lastFailure: unknown = null;
	#startMs = 0;
	#endMs = 0;
	#lastAnswerMs = 0;
	/** When sending was stopped; null while it goes on. */
	#interruptedMs: number | null = null;
	#timer: TimerHandle | null = null;
	#settle: { resolve(): void; reject(error: unknown): void } | null = null;

	constructor(plan: WorkloadPlan, ports: WorkloadPorts) {
		assert(ports.clients.length > 0 && plan.window > 0, "a load has clients with room for an operation");
		this.#plan = plan;
		this.#ports = ports;
		this.#acknowledged = new Uint8Array(plan.records.length);
		this.#shares = ports.clients.map((client, number) => ({
			client,
			next: number,
			operations: 0,
			outstanding: 0,
			lastHour: 0,
			idleHistoryClients: [],
		}));
	}

	/**
	 * Performs the load; resolves when all of it is answered, or after `stop` or the time limit what was begun.
	 * @throws QuorateError `load-failed`, `load-stalled`, `history-unwritable`
	 */
	run(): Promise<void> {
		this.#startMs = this.#ports.clock.nowMs();
		this.#lastAnswerMs = this.#startMs;
		return new Promise((resolve, reject) => {
			this.#settle = { resolve, reject };
			this.#tick();
		});
	}

	/** Begins no more operations. What is outstanding has two seconds to be answered. */
	stop(): void {
		this.#interruptedMs ??= this.#ports.clock.nowMs();
	}

	/** Operations are still begun: neither `stop` nor the time that was given has ended that. */
	get isBeginning(): boolean {
		const { forMs } = this.#plan;
		const isInTime = forMs === null || this.#ports.clock.nowMs() - this.#startMs < forMs;
		return this.#interruptedMs === null && isInTime;
	}

	/** Records acknowledged so far. */
	get acknowledged(): number {
		return this.#acknowledgedCount;
	}

	/** Whether this record was acknowledged. */
	isAcknowledged(index: number): boolean {
		return this.#acknowledged[index] === 1;
	}

	/** Operations that failed, or that had no answer when the load ended: they may or may not have taken effect. */
	get unresolved(): number {
		return this.#failed + this.#outstanding;
	}

	/** How long the load took, or has taken so far. */
	get elapsedMs(): number {
		return (this.#settle === null ? this.#endMs : this.#ports.clock.nowMs()) - this.#startMs;
	}

	get appendLatency(): Latency {
		return latencyOf(this.#appendLatency);
	}

	get readLatency(): Latency {
		return latencyOf(this.#readLatency);
	}

	/** The latency of appends since the last call. */
	takeRecentLatency(): Latency {
		const latency = latencyOf(this.#recentLatency);
		this.#recentLatency.reset();
		return latency;
	}

	#tick(): void {
		this.#timer = null;
		if (this.#settle === null) return;
		const { clock, history } = this.#ports;
		const nowMs = clock.nowMs();
		if (history?.failure != null) {
			this.#end(history.failure);
		} else if (this.#outstanding > 0 && nowMs - this.#lastAnswerMs > STALL_MS) {
			this.#end(runErrors.loadStalled({ seconds: STALL_MS / 1_000, outstanding: this.#outstanding }));
		} else {
			for (const share of this.#shares) this.#pump(share, nowMs);
			if (this.#isOver(nowMs)) this.#end(null);
			else this.#timer = clock.schedule(TICK_MS, () => this.#tick());
		}
	}

	#isOver(nowMs: number): boolean {
		if (this.#interruptedMs !== null && nowMs - this.#interruptedMs > DRAIN_MS) return true;
		if (!this.isBeginning) return this.#outstanding === 0;
		return this.#outstanding === 0 && this.#shares.every((share) => share.next >= this.#plan.missing.length);
	}

	#end(error: unknown): void {
		const settle = this.#settle;
		if (settle === null) return;
		this.#settle = null;
		this.#endMs = this.#ports.clock.nowMs();
		if (this.#timer !== null) this.#ports.clock.cancel(this.#timer);
		if (error === null) settle.resolve();
		else settle.reject(error);
	}

	/** Begins what is due and fits the client's window. */
	#pump(share: ClientShare, nowMs: number): void {
		const { missing, rate, window } = this.#plan;
		while (this.isBeginning && this.#settle !== null && share.outstanding < window && share.next < missing.length) {
			const dueMs = rate === "max" ? nowMs : this.#startMs + (share.next * 1_000) / rate;
			if (dueMs > nowMs || this.#ports.history?.full === true) return;
			share.operations++;
			if (share.operations % OPERATIONS_PER_READ === 0) this.#read(share, dueMs);
			else this.#append(share, dueMs);
		}
	}

	#append(share: ClientShare, sinceMs: number): void {
		const index = this.#plan.missing[share.next]!;
		const record = this.#plan.records.at(index);
		share.next += this.#shares.length;
		share.lastHour = hourOf(record);
		const historyClient = this.#takeHistoryClient(share);
		const historyId = this.#ports.history?.invokeAppend(historyClient, share.lastHour, index) ?? 0;
		const operation = { share, sinceMs, historyClient, historyId };
		this.#begin(share);
		share.client.propose(["append", this.#plan.run, index, record.delay, record.distance, record.time]).then(
			(position) => {
				// The ledger has refused: the run is not the present one any more. Nothing that goes on makes sense.
				if (position === 0) {
					this.#fail(operation, new Error("the ledger has begun another run"));
					return;
				}
				assert(this.#acknowledged[index] === 0, "a record is proposed once", { index });
				this.#acknowledged[index] = 1;
				this.#acknowledgedCount++;
				this.#succeed(operation, null, [this.#appendLatency, this.#recentLatency]);
			},
			(error: unknown) => this.#fail(operation, error),
		);
	}

	#read(share: ClientShare, sinceMs: number): void {
		const hour = share.lastHour;
		const historyClient = this.#takeHistoryClient(share);
		const historyId = this.#ports.history?.invokeGet(historyClient, hour) ?? 0;
		const operation = { share, sinceMs, historyClient, historyId };
		this.#begin(share);
		const type = this.#ports.history === null ? "hour" : "hour-records";
		share.client.read({ type, hour }).then(
			(answer) => this.#succeed(operation, answer as readonly number[], [this.#readLatency]),
			(error: unknown) => this.#fail(operation, error),
		);
	}

	#begin(share: ClientShare): void {
		// The first operation after a quiet time must not look like the end of a long stall.
		if (this.#outstanding === 0) this.#lastAnswerMs = this.#ports.clock.nowMs();
		share.outstanding++;
		this.#outstanding++;
	}

	#succeed(operation: Operation, list: readonly number[] | null, histograms: readonly RecordableHistogram[]): void {
		if (this.#settle === null) return;
		const nowMs = this.#answered(operation);
		const micros = Math.max(1, Math.round((nowMs - operation.sinceMs) * 1_000));
		for (const histogram of histograms) histogram.record(micros);
		this.#ports.history?.ok(operation.historyId, list);
		operation.share.idleHistoryClients.push(operation.historyClient);
		this.#pump(operation.share, nowMs);
	}

	#fail(operation: Operation, error: unknown): void {
		if (this.#settle === null) return;
		this.#answered(operation);
		if (error instanceof QuorateError && codesWithoutEffect.has(error.code)) {
			this.#ports.history?.fail(operation.historyId);
			operation.share.idleHistoryClients.push(operation.historyClient);
		} else {
			this.#ports.history?.info(operation.historyId);
		}
		this.#failed++;
		this.#lastFailure = error;
		if (this.#failed >= FAILED_OPERATIONS_MAX) this.#end(this.failure);
	}

	/** The failed operations as an error; null if none has failed. */
	get failure(): Error | null {
		if (this.#failed === 0) return null;
		const last = this.#lastFailure;
		const cause = last instanceof Error ? last.cause : undefined;
		// That no answer came follows from its cause, if there is one.
		const isExplained = last instanceof QuorateError && last.code === "outcome-unknown" && cause !== undefined;
		const reason = (isExplained ? [cause] : [last, cause])
			.filter((error) => error !== undefined)
			.map((error) => (error instanceof Error ? error.message : String(error)))
			.join(": ");
		return runErrors.loadFailed({ failed: this.#failed, reason }, { cause: last });
	}

	#answered(operation: Operation): number {
		operation.share.outstanding--;
		this.#outstanding--;
		this.#lastAnswerMs = this.#ports.clock.nowMs();
		return this.#lastAnswerMs;
	}

	#takeHistoryClient(share: ClientShare): number {
		return share.idleHistoryClients.pop() ?? this.#ports.history?.newClient() ?? 0;
	}
}

function latencyOf(histogram: RecordableHistogram): Latency {
	if (histogram.count === 0) return { count: 0, p50Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 };
	const ms = (percentile: number): number => histogram.percentile(percentile) / 1_000;
	return { count: histogram.count, p50Ms: ms(50), p99Ms: ms(99), p999Ms: ms(99.9), maxMs: histogram.max / 1_000 };
}
