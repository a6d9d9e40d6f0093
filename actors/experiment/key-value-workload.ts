/**
 * The workload `key-value`: clients that put, get, compare-and-set and append on few keys of the key-value store, so that
 * they meet, and whose history is judged afterwards.
 *
 * It is an open loop: operations are due at drawn times that nothing delays, and latency counts from when an operation was
 * due, so that a pause of the system shows in all that had to wait for it. A client has one operation at a time, as
 * linearizability means it; what is due while all are busy waits for the first that is free.
 *
 * Keys with an even number hold a single value (put, get, cas), the others a list (append, get). Each value is written
 * once in a run, so a read says which write it has seen.
 */
import { type Generator, QuorateError, requireInteger } from "../../protocols/core/index.ts";
import type { Clock } from "../../runtime/index.ts";
import type { Workload, WorkloadJudgement, WorkloadSpec } from "../../supervisors/index.ts";
import type { KeyValueCommand, KeyValueResult, SwarmClient } from "../swarm/index.ts";
import { OperationHistory } from "./operation-history.ts";

/** What experiments call it. */
export const KEY_VALUE_WORKLOAD = "key-value";

/** Clients of one workload: the more operations are under way at once, the longer judging takes. */
const CLIENTS_MAX = 64;
const KEYS_MAX = 1_024;
/** Operations of one workload: a bound on the memory of its history. */
export const OPERATIONS_MAX = 2_000_000;

/** Of so many operations on a key … */
const SHARES = 10;
/** … so many read. */
const GETS = 4;
/** On a key with a single value, so many compare and set; the rest put. */
const SWAPS = 2;

/** What a client rejects with when the operation certainly had no effect. */
const codesWithoutEffect: ReadonlySet<string> = new Set(["not-decided", "client-overloaded"]);

export interface KeyValueWorkloadOptions {
	readonly spec: WorkloadSpec;
	/** A client with a session of its own. */
	readonly client: () => SwarmClient;
	readonly clock: Clock;
	readonly generator: Generator;
	/** Time 0 of the figures. */
	readonly originMs: number;
	/** Hears of operations that ended without an answer. */
	readonly unanswered: (client: number, text: string) => void;
}

interface Due {
	readonly dueMs: number;
}

/** One client and what it knows. */
interface WorkloadClient {
	readonly number: number;
	readonly client: SwarmClient;
	/** What it has last seen under a key, for compare-and-set. */
	readonly seen: Map<string, unknown>;
}

export class KeyValueWorkload implements Workload {
	readonly #options: KeyValueWorkloadOptions;
	readonly #history = new OperationHistory();
	readonly #free: WorkloadClient[] = [];
	/** What is due and has no client yet; the front is cut off now and then. */
	#waiting: Due[] = [];
	#nextValue = 1;
	#outstanding = 0;
	readonly #endMs: number;
	#hasFinished = false;
	readonly #counts = { begun: 0, ok: 0, failed: 0, unknown: 0 };
	readonly #latencies: { readonly atMs: number; readonly latencyMs: number }[] = [];

	/** Begins. @throws QuorateError `invalid-argument` */
	constructor(options: KeyValueWorkloadOptions) {
		this.#options = options;
		const { spec, client, clock } = options;
		requireInteger("workload.clients", spec.clients, 1, CLIENTS_MAX);
		requireInteger("workload.keys", spec.keys, 1, KEYS_MAX);
		requireInteger("workload operations", Math.ceil((spec.ratePerSecond * spec.forMs) / 1_000), 1, OPERATIONS_MAX);
		for (let number = 0; number < spec.clients; number++) {
			this.#free.push({ number, client: client(), seen: new Map() });
		}
		this.#endMs = clock.nowMs() + spec.forMs;
		this.#scheduleNext();
	}

	finish(): void {
		this.#hasFinished = true;
		this.#waiting = [];
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

	judge(): WorkloadJudgement {
		return this.#history.judge();
	}

	/** Times between two operations are uniform in [0, 2 / rate]: no powers or logarithms, which engines round differently. */
	#scheduleNext(): void {
		const { spec, clock, generator } = this.#options;
		const afterMs = (generator.fraction() * 2_000) / spec.ratePerSecond;
		const dueMs = clock.nowMs() + afterMs;
		if (dueMs > this.#endMs) {
			clock.schedule(Math.max(0, this.#endMs - clock.nowMs()), () => {
				this.#hasFinished = true;
			});
			return;
		}
		clock.schedule(afterMs, () => {
			if (this.#hasFinished) return;
			this.#waiting.push({ dueMs });
			this.#beginDue();
			this.#scheduleNext();
		});
	}

	#beginDue(): void {
		while (this.#waiting.length > 0 && this.#free.length > 0) {
			const due = this.#waiting.shift() as Due;
			const [client] = this.#free.splice(this.#options.generator.below(this.#free.length), 1);
			this.#begin(client as WorkloadClient, due);
		}
	}

	#begin(client: WorkloadClient, { dueMs }: Due): void {
		const command = this.#draw(client);
		const id = this.#history.invoked(client.number, command, this.#nowMs());
		this.#counts.begun += 1;
		this.#outstanding += 1;
		const operation = command.type === "get" ? client.client.read(command) : client.client.propose(command);
		operation.then(
			(result) => {
				this.#history.answered(id, result as KeyValueResult, this.#nowMs());
				this.#remember(client, command, result as KeyValueResult);
				this.#counts.ok += 1;
				const atMs = this.#nowMs();
				this.#latencies.push({ atMs, latencyMs: atMs - (dueMs - this.#options.originMs) });
				this.#ended(client);
			},
			(error: unknown) => this.#failed(client, id, error),
		);
	}

	#failed(client: WorkloadClient, id: number, error: unknown): void {
		const code = error instanceof QuorateError ? error.code : String(error);
		if (codesWithoutEffect.has(code)) {
			this.#history.failed(id, this.#nowMs());
			this.#counts.failed += 1;
		} else {
			this.#history.unknown(id, this.#nowMs());
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
		if (number % 2 === 1) {
			const key = `list-${number}`;
			return share < GETS ? { type: "get", key } : { type: "append", key, value: this.#nextValue++ };
		}
		const key = `value-${number}`;
		if (share < GETS) return { type: "get", key };
		const value = this.#nextValue++;
		return share < GETS + SWAPS
			? { type: "cas", key, expected: seen.get(key) ?? null, value }
			: { type: "put", key, value };
	}

	#remember({ seen }: WorkloadClient, command: KeyValueCommand, result: KeyValueResult): void {
		if (command.type === "put") seen.set(command.key, command.value);
		else if (command.type === "cas" && "swapped" in result) {
			seen.set(command.key, result.swapped ? command.value : result.value);
		} else if (command.type === "get" && "value" in result) seen.set(command.key, result.value);
	}

	#nowMs(): number {
		return this.#options.clock.nowMs() - this.#options.originMs;
	}
}
