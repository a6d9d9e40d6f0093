/**
 * The workload `key-value`: clients that put, get, compare-and-set and append on few keys of the key-value store, so that
 * they meet, and whose history is judged for linearizability afterwards.
 *
 * It is an open loop: operations are due at drawn times that nothing delays, and latency counts from when an operation was
 * due, so that a pause of the system shows in all that had to wait for it. A client has one operation at a time, as
 * linearizability means it; what is due while all are busy waits for the first that is free.
 *
 * Reads may be asked at several levels, and of any member. A `stale` one must not be older than {@link STALENESS_MS}; it
 * enters the history that much before it is asked, so that linearizability says just that.
 *
 * Keys with an even number hold a single value (put, get, cas), the others a list (append, get). Each value is written
 * once in a run, so a read says which write it has seen.
 */
import { type Generator, must, type NodeId, QuorateError, requireInteger } from "../../protocols/core/index.ts";
import { HistoryRecorder } from "../../protocols/verification/index.ts";
import type { Clock } from "../../runtime/index.ts";
import type { Workload, WorkloadJudgement, WorkloadSpec } from "../../supervisors/index.ts";
import type { KeyValueCommand, KeyValueResult, SwarmClient } from "../swarm/index.ts";
import { judgeKeyValueHistory } from "./history-judge.ts";

/** What experiments call it. */
export const KEY_VALUE_WORKLOAD = "key-value";

/** Clients of one workload: the more operations are under way at once, the longer judging takes. */
const CLIENTS_MAX = 64;
const KEYS_MAX = 1_024;
/** Operations of one workload: a bound on the memory of its history. */
const OPERATIONS_MAX = 1_000_000;

/** Of so many operations on a key … */
const SHARES = 10;
/** … so many read. */
const GETS = 4;
/** On a key with a single value, so many compare and set; the rest put. */
const SWAPS = 2;
/** How old the answer of a `stale` read may be. */
const STALENESS_MS = 400;
/** Timers of threads may fire so much early. */
const TIMER_MARGIN_MS = 2;

/** What a client rejects with when the operation certainly had no effect. */
const codesWithoutEffect: ReadonlySet<string> = new Set(["not-decided", "client-overloaded"]);

/** Who has commands ordered, and reads. */
export type KeyValueClient = Pick<SwarmClient, "propose" | "read">;

export interface KeyValueWorkloadOptions {
	readonly spec: WorkloadSpec;
	/** A client with a session of its own. */
	readonly client: () => KeyValueClient;
	/** The members that can be asked, and who of them leads. */
	readonly members: () => readonly string[];
	readonly leader: () => string | null;
	/** Whether this member says that it leads, whatever others have heard since. */
	readonly leads: (node: string) => boolean;
	readonly clock: Clock;
	readonly generator: Generator;
	/** Time 0 of the figures. */
	readonly originMs: number;
	/** Hears of operations that ended without an answer, and why. */
	readonly unanswered: (client: number, reason: string) => void;
}

/** One client and what it knows. */
interface WorkloadClient {
	readonly number: number;
	readonly client: KeyValueClient;
	/** Its name in the history: another one after each operation of unknown outcome. */
	historyClient: number;
	/** What it has last seen under a key, for compare-and-set. */
	readonly seen: Map<string, unknown>;
	/** Whom it knows to lead. */
	leader: string | null;
}

export class KeyValueWorkload implements Workload {
	readonly #options: KeyValueWorkloadOptions;
	readonly #history = new HistoryRecorder();
	readonly #free: WorkloadClient[] = [];
	/** When each operation was due that has no client yet. */
	readonly #waiting: number[] = [];
	readonly #endMs: number;
	#hasFinished = false;
	#outstanding = 0;
	#operations = 0;
	#historyClients = 0;
	#nextValue = 1;
	readonly #counts = { begun: 0, ok: 0, failed: 0, unknown: 0 };
	readonly #latencies: { readonly atMs: number; readonly latencyMs: number }[] = [];
	#judgement: WorkloadJudgement | null = null;

	/** Begins. @throws QuorateError `invalid-argument` */
	constructor(options: KeyValueWorkloadOptions) {
		this.#options = options;
		const { spec, client, clock } = options;
		requireInteger("workload.clients", spec.clients, 1, CLIENTS_MAX);
		requireInteger("workload.keys", spec.keys, 1, KEYS_MAX);
		requireInteger(
			"operations of the workload",
			Math.ceil((spec.ratePerSecond * spec.forMs) / 1_000),
			1,
			OPERATIONS_MAX,
		);
		for (let number = 0; number < spec.clients; number++) {
			this.#free.push({
				number,
				client: client(),
				historyClient: this.#historyClients++,
				seen: new Map(),
				leader: null,
			});
		}
		this.#endMs = clock.nowMs() + spec.forMs;
		this.#scheduleNext();
	}

	finish(): void {
		this.#hasFinished = true;
		this.#waiting.length = 0;
	}

	get isIdle(): boolean {
		return this.#hasFinished && this.#waiting.length === 0 && this.#outstanding === 0;
	}

	get counts(): Workload["counts"] {
		return { ...this.#counts };
	}

	get latencies(): Workload["latencies"] {
		return this.#latencies;
	}

	judge(): WorkloadJudgement | null {
		if (!this.#hasFinished) return null;
		this.#judgement ??= judgeKeyValueHistory(this.#history.history);
		return this.#judgement;
	}

	/** Times between two operations are uniform in [0, 2 / rate]: no logarithms, which engines may round differently. */
	#scheduleNext(): void {
		const { spec, clock, generator } = this.#options;
		const { burst = 1, ratePerSecond } = spec;
		const afterMs = (generator.fraction() * 2_000 * burst) / ratePerSecond;
		const dueMs = clock.nowMs() + afterMs;
		if (dueMs > this.#endMs) {
			clock.schedule(Math.max(0, this.#endMs - clock.nowMs()), () => {
				this.#hasFinished = true;
			});
			return;
		}
		clock.schedule(afterMs, () => {
			if (this.#hasFinished) return;
			for (let due = 0; due < burst; due++) this.#waiting.push(dueMs);
			this.#beginDue();
			this.#scheduleNext();
		});
	}

	#beginDue(): void {
		while (this.#waiting.length > 0 && this.#free.length > 0) {
			const dueMs = must(this.#waiting.shift(), "something is due");
			const place = this.#options.generator.below(this.#free.length);
			this.#begin(must(this.#free.splice(place, 1)[0], "a client is free"), dueMs);
		}
	}

	#begin(client: WorkloadClient, dueMs: number): void {
		const command = this.#draw(client);
		const id = this.#operations++;
		const { type: op, key, ...values } = command;
		const { expected: from, value } = values as { readonly expected?: never; readonly value?: never };
		const asked = { ...(from === undefined ? {} : { from }), ...(value === undefined ? {} : { value }) };
		this.#history.invoke({ id, client: client.historyClient, op, key, ...asked }, this.#nowNs());
		this.#counts.begun += 1;
		this.#outstanding += 1;
		const operation = op === "get" ? this.#read(client, command) : client.client.propose(command);
		operation.then(
			(result) => this.#answered(client, command, id, dueMs, result as KeyValueResult),
			(error: unknown) => this.#failed(client, id, error),
		);
	}

	/** Draws nothing where there is nothing to choose. */
	async #read(workloadClient: WorkloadClient, query: KeyValueCommand): Promise<unknown> {
		const { client } = workloadClient;
		const { spec, generator, members, clock } = this.#options;
		const { reads = ["as-configured"], ask = "leader" } = spec;
		const level = reads.length === 1 ? reads[0] : generator.pick(reads);
		const first =
			ask === "any" ? generator.pick(members()) : ask === "remembered" ? this.#remembered(workloadClient) : null;
		const at = first === null || !members().includes(first) ? {} : { at: first as NodeId };
		if (level === undefined || level === "as-configured") return client.read(query, at);
		if (level !== "stale") return client.read(query, { ...at, level });
		await new Promise<void>((resolve) => clock.schedule(STALENESS_MS + TIMER_MARGIN_MS, resolve));
		return client.read(query, { ...at, level, maxStalenessMs: STALENESS_MS });
	}

	#remembered(client: WorkloadClient): string | null {
		const { leads, leader } = this.#options;
		if (client.leader === null || !leads(client.leader)) client.leader = leader();
		return client.leader;
	}

	#answered(client: WorkloadClient, command: KeyValueCommand, id: number, dueMs: number, result: KeyValueResult): void {
		this.#history.ok(id, answerOf(command, result), this.#nowNs());
		remember(client.seen, command, result);
		this.#counts.ok += 1;
		const atMs = this.#options.clock.nowMs();
		this.#latencies.push({ atMs: atMs - this.#options.originMs, latencyMs: atMs - dueMs });
		this.#ended(client);
	}

	#failed(client: WorkloadClient, id: number, error: unknown): void {
		const code = error instanceof QuorateError ? error.code : String(error);
		if (codesWithoutEffect.has(code)) {
			this.#history.fail(id, this.#nowNs());
			this.#counts.failed += 1;
		} else {
			this.#history.info(id, this.#nowNs());
			client.historyClient = this.#historyClients++;
			this.#counts.unknown += 1;
		}
		this.#options.unanswered(client.number, code);
		this.#ended(client);
	}

	#ended(client: WorkloadClient): void {
		this.#outstanding -= 1;
		this.#free.push(client);
		this.#beginDue();
	}

	#draw({ seen }: WorkloadClient): KeyValueCommand {
		const { spec, generator } = this.#options;
		const number = generator.below(spec.keys);
		const share = generator.below(SHARES);
		const key = number % 2 === 0 ? `value-${number}` : `list-${number}`;
		if (share < GETS) return { type: "get", key };
		const value = this.#nextValue++;
		if (number % 2 === 1) return { type: "append", key, value };
		if (share < GETS + SWAPS) return { type: "cas", key, expected: seen.get(key) ?? null, value };
		return { type: "put", key, value };
	}

	#nowNs(): number {
		return Math.round((this.#options.clock.nowMs() - this.#options.originMs) * 1e6);
	}
}

/** An answer in the words of histories. */
function answerOf(
	{ type }: KeyValueCommand,
	result: KeyValueResult,
): { readonly value?: never; readonly ok?: boolean } {
	if (type === "get" && "value" in result) return { value: result.value as never };
	return "swapped" in result ? { ok: result.swapped } : {};
}

function remember(seen: Map<string, unknown>, command: KeyValueCommand, result: KeyValueResult): void {
	if (command.type === "get" && "value" in result) seen.set(command.key, result.value);
	else if (command.type === "put") seen.set(command.key, command.value);
	else if (command.type === "cas" && "swapped" in result) {
		seen.set(command.key, result.swapped ? command.value : result.value);
	}
}
