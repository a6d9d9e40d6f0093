/**
 * Gathers a history, event by event, in real-time order. The order of the calls is the clock: an operation that ends
 * before another begins precedes it. Whoever merges the events of several observers by their time must record, of equal
 * times, the invocations first; then operations that touch in time count as concurrent (closed intervals).
 */
import { must } from "../../core/index.ts";
import { historyErrors } from "./errors.ts";
import type { Json } from "./json-value.ts";
import type { Operation, Outcome } from "./operation.ts";
import { stepsAnswered, stepsAsked } from "./transaction.ts";

/** More would not fit the memory that a process has by default. */
const OPERATIONS_MAX = 4_000_000;

/** What an invocation says. */
export interface Invocation {
	/** Any safe integer from 0, unique in the history. */
	readonly id: number;
	/** A client has one operation at a time, and none after one of unknown outcome. */
	readonly client: number;
	readonly op: string;
	readonly key?: string;
	readonly value?: Json;
	readonly from?: Json;
}

/** What an operation was answered. */
export interface Answer {
	readonly value?: Json;
	/** Of an operation that may refuse: whether it did what it was asked. */
	readonly ok?: boolean;
}

/** Everything clients saw, in the order of invocations. */
export interface History {
	/** Those that failed included. */
	readonly operations: readonly Operation[];
	/** Invocations and ends. */
	readonly events: number;
	readonly clients: number;
}

type MutableOperation = { -readonly [K in keyof Operation]: Operation[K] };

export class HistoryRecorder {
	readonly #operations: MutableOperation[] = [];
	/** Every operation so far, by its id. */
	readonly #byId = new Map<number, MutableOperation>();
	/** What each client has begun last. */
	readonly #lastOfClient = new Map<number, MutableOperation>();
	#events = 0;
	#lastNs = 0;

	/**
	 * An operation begins.
	 * @param ns nanoseconds since the start of the run; null where there is no clock
	 * @param line where it stands in a file; without one, events are counted
	 * @throws QuorateError `history-hole`: the id or the client is in use, or time goes back; `history-line-invalid`: a
	 *   transaction is none; `history-too-large`
	 */
	invoke({ id, client, op, key = "", value, from }: Invocation, ns: number | null = null, line?: number): void {
		const place = line ?? this.#events + 1;
		this.#takeTime(ns, place);
		if (this.#operations.length === OPERATIONS_MAX) {
			throw historyErrors.tooLarge({ line: place, limit: OPERATIONS_MAX });
		}
		const earlier = this.#byId.get(id);
		if (earlier !== undefined) this.#refuse(place, "id", `${id} was invoked in line ${earlier.line} already`);
		const last = this.#lastOfClient.get(client);
		if (last?.outcome === "unknown") {
			const reason = last.endLine === null ? "is still open" : "has an unknown outcome";
			this.#refuse(place, "client", `operation ${last.id} of client ${client} ${reason} (line ${last.line})`);
		}
		const operation: MutableOperation = {
			id,
			client,
			op,
			key,
			value,
			from,
			steps: op === "txn" ? stepsAsked(value, place) : null,
			outcome: "unknown",
			answer: undefined,
			accepted: undefined,
			begin: this.#events++,
			end: Number.POSITIVE_INFINITY,
			beginNs: ns,
			endNs: null,
			line: place,
			endLine: null,
		};
		this.#operations.push(operation);
		this.#byId.set(id, operation);
		this.#lastOfClient.set(client, operation);
	}

	/** An operation was answered. @throws QuorateError `history-hole`, `history-line-invalid` */
	ok(id: number, { value, ok }: Answer = {}, ns: number | null = null, line?: number): void {
		const place = line ?? this.#events + 1;
		const operation = this.#endOf(id, "ok", ns, place);
		operation.answer = value;
		operation.accepted = ok;
		if (operation.steps !== null) operation.steps = stepsAnswered(operation.steps, value, place);
	}

	/** An operation certainly has no effect. @throws QuorateError `history-hole` */
	fail(id: number, ns: number | null = null, line?: number): void {
		this.#endOf(id, "fail", ns, line ?? this.#events + 1);
	}

	/**
	 * Nobody knows what became of an operation, and its client will not call again.
	 * @throws QuorateError `history-hole`
	 */
	info(id: number, ns: number | null = null, line?: number): void {
		this.#endOf(id, "unknown", ns, line ?? this.#events + 1);
	}

	/** What was recorded. Operations that have no end are of unknown outcome. */
	get history(): History {
		return { operations: this.#operations, events: this.#events, clients: this.#lastOfClient.size };
	}

	#endOf(id: number, outcome: Outcome, ns: number | null, place: number): MutableOperation {
		this.#takeTime(ns, place);
		const operation = this.#byId.get(id);
		if (operation === undefined) this.#refuse(place, "id", `operation ${id} was never invoked`);
		const known = must(operation, "refused otherwise");
		if (known.endLine !== null) this.#refuse(place, "id", `operation ${id} has ended in line ${known.endLine} already`);
		known.outcome = outcome;
		known.endLine = place;
		known.endNs = ns;
		if (outcome !== "unknown") known.end = this.#events;
		this.#events++;
		return known;
	}

	#takeTime(ns: number | null, place: number): void {
		if (ns === null) return;
		if (ns < this.#lastNs) this.#refuse(place, "ns", `time goes back from ${this.#lastNs} to ${ns}`);
		this.#lastNs = ns;
	}

	#refuse(line: number, key: string, reason: string): never {
		throw historyErrors.hole({ line, key, reason });
	}
}
