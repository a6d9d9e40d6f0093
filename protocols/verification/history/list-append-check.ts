/**
 * Judges transactions over lists: finds cycles of dependencies between them (Kingsbury and Alvaro, "Elle: Inferring
 * Isolation Anomalies from Experimental Observations", VLDB 2020; the names are Adya's, 1999). Works on `txn` with `get`
 * and `append` steps, and takes a single `get` or `append` for a transaction of one step. Since every value is appended
 * once and a read shows the whole list, reads show the order of appends. Linear in the history's length.
 *
 * - `G0`: writes depend on each other in a cycle. `G1a`: read of a transaction that failed. `G1b`: read of what a
 *   transaction appended before its last append. `G1c`: a cycle of writes and reads-from.
 * - `G-single`: a cycle with one anti-dependency (read skew, lost update). `G2`: with several (write skew).
 * - Any of the cycles with `-realtime`: only together with the real-time order, so not strictly serializable. A stale
 *   read is a `G-single-realtime`.
 * - `internal`: a transaction does not see its own appends, or too early, or in another order, or its reads contradict each other. `phantom`: a value that
 *   nobody appended. `duplicated`: a value twice in a list. `incompatible-order`: lists of which neither is the
 *   beginning of the other.
 *
 * A transaction of unknown outcome counts as committed if something of it was read.
 */
import { must } from "../../core/index.ts";
import { DependencyGraph, type Edge } from "./dependency-graph.ts";
import { historyErrors } from "./errors.ts";
import type { History } from "./history-recorder.ts";
import { type Json, jsonText, mapKey, sameJson } from "./json-value.ts";
import { anyValue, type OperationRule, optionalValue, refuseByRules, refusedOperation } from "./model.ts";
import { describeOperation, type Operation, type TransactionStep } from "./operation.ts";
import { type AnomalyLog, type AnomalyReport, reportAnomalies } from "./verdict.ts";

const rules: Readonly<Record<string, OperationRule>> = {
	append: { value: anyValue, answer: optionalValue },
	get: { answer: ["a list or null", (value) => value === null || Array.isArray(value)] },
	txn: { value: anyValue, answer: anyValue },
};

const WRITE_WRITE = 1;
const WRITE_READ = 2;
const READ_WRITE = 4;
const REAL_TIME = 8;
const DATA = WRITE_WRITE | WRITE_READ | READ_WRITE;

/** What is looked for, the gravest first: in each level's cycles the last type takes part. */
const levels: readonly (readonly [name: string, types: number, last: number])[] = [
	["G0", WRITE_WRITE, WRITE_WRITE],
	["G1c", WRITE_WRITE | WRITE_READ, WRITE_READ],
	["G2", DATA, READ_WRITE],
	["G0-realtime", WRITE_WRITE | REAL_TIME, WRITE_WRITE],
	["G1c-realtime", WRITE_WRITE | WRITE_READ | REAL_TIME, WRITE_READ],
	["G2-realtime", DATA | REAL_TIME, READ_WRITE],
];

/**
 * A transaction that read the end of a list and appended to it unseen depends on every other one that did. So many of
 * them get an edge each: two are an anomaly already.
 */
const UNSEEN_RIVALS_MAX = 64;

/**
 * Checks all transactions of a history. `unknown` if nothing was read.
 * @throws QuorateError `history-operation-invalid`; `history-ambiguous`: a value appended twice under one key
 */
export function checkListAppend(history: History): AnomalyReport {
	for (const operation of history.operations) {
		const isStep = operation.steps?.every(({ op }) => op === "get" || op === "append") ?? true;
		const refusal = isStep
			? refuseByRules(rules, operation)
			: { key: "value", expected: "steps that get or append", found: jsonText(operation.value) };
		if (refusal !== null) throw refusedOperation("list-append", operation, refusal);
	}
	return reportAnomalies(history, (log) => {
		const check = new ListAppendCheck(history, log);
		check.run();
		return check.reads > 0;
	});
}

/** An append of a transaction. */
interface Append {
	readonly operation: Operation;
	readonly value: Json;
	/** Its place among the appends of its transaction. */
	readonly at: number;
	/** The last one of its transaction under this key. */
	readonly isFinal: boolean;
}

/** What a transaction found under a key before its own appends. */
interface ExternalRead {
	readonly operation: Operation;
	readonly list: readonly Json[];
}

interface KeyAccesses {
	/** By their value. */
	readonly appends: Map<unknown, Append>;
	readonly reads: ExternalRead[];
}

/** What is known of a key's appends. */
interface KeyOrder extends KeyAccesses {
	readonly key: string;
	/** The longest list that was read. */
	readonly longest: readonly Json[];
	/** The appends that it shows. */
	readonly order: readonly Append[];
}

/** Under which key, and what was there. */
type Reason = string;

class ListAppendCheck {
	readonly #operations: readonly Operation[];
	readonly #log: AnomalyLog;
	readonly #keys = new Map<string, KeyAccesses>();
	readonly #graph = new DependencyGraph<Reason>();
	readonly #nodes = new Map<Operation, number>();
	/** The operation of each node; none where a node only joins others. */
	readonly #operationOf = new Map<number, Operation>();
	/** Transactions that took effect: those that were answered, and those of which something was read. */
	readonly #committed = new Set<Operation>();
	reads = 0;

	constructor({ operations }: History, log: AnomalyLog) {
		this.#operations = operations;
		this.#log = log;
	}

	run(): void {
		for (const operation of this.#operations) this.#takeAppends(operation);
		for (const operation of this.#operations) if (operation.outcome === "ok") this.#takeReads(operation);
		for (const operation of this.#operations) {
			if (operation.outcome !== "ok") continue;
			this.#nodeOf(operation);
			this.#committed.add(operation);
		}
		const orders = [...this.#keys].map(([key, accesses]) => this.#orderOf(key, accesses));
		// What is known to have happened decides under every key, so all orders come first.
		for (const { order } of orders) for (const { operation } of order) this.#committed.add(operation);
		for (const order of orders) this.#orderKey(order);
		this.#orderByTime();
		this.#reportCycles();
	}

	#accessesOf(key: string): KeyAccesses {
		let accesses = this.#keys.get(key);
		if (accesses === undefined) {
			accesses = { appends: new Map(), reads: [] };
			this.#keys.set(key, accesses);
		}
		return accesses;
	}

	#nodeOf(operation: Operation): number {
		let node = this.#nodes.get(operation);
		if (node === undefined) {
			node = this.#graph.node();
			this.#nodes.set(operation, node);
			this.#operationOf.set(node, operation);
		}
		return node;
	}

	#takeAppends(operation: Operation): void {
		const steps = stepsOf(operation).filter(({ op }) => op === "append");
		for (const [at, { key, value }] of steps.entries()) {
			const { appends } = this.#accessesOf(key);
			const earlier = appends.get(mapKey(value as Json));
			if (earlier !== undefined) {
				const reason = `${jsonText(value)} was appended in line ${earlier.operation.line} already`;
				throw historyErrors.ambiguous({ line: operation.line, model: "list-append", key, reason });
			}
			const isFinal = !steps.slice(at + 1).some((later) => later.key === key);
			appends.set(mapKey(value as Json), { operation, value: value as Json, at, isFinal });
		}
	}

	#takeReads(operation: Operation): void {
		/** What the transaction must find under each key now: what was there, once that is known, and its own appends. */
		const found = new Map<string, { before: readonly Json[] | null; own: Json[] }>();
		for (const { op, key, value } of stepsOf(operation)) {
			let state = found.get(key);
			if (state === undefined) {
				state = { before: null, own: [] };
				found.set(key, state);
			}
			if (op === "append") {
				state.own.push(value as Json);
				continue;
			}
			this.reads++;
			const list = Array.isArray(value) ? (value as readonly Json[]) : [];
			const before = list.slice(0, Math.max(0, list.length - state.own.length));
			const isOwnSeen = state.own.every((item, at) => sameJson(item, list[before.length + at]));
			const ownValues = this.#ownAppends(operation, key);
			const isTooEarly = ownValues.size > 0 && before.some((item) => ownValues.has(mapKey(item)));
			if (!isOwnSeen || isTooEarly || (state.before !== null && !sameJson(before, state.before))) {
				this.#add("internal", `a transaction's reads of ${JSON.stringify(key)} contradict itself`, () => [operation]);
			} else if (state.before === null) {
				state.before = before;
				this.#accessesOf(key).reads.push({ operation, list: before });
			}
		}
	}

	/** What a transaction itself appends under a key. */
	#ownAppends(operation: Operation, key: string): ReadonlySet<unknown> {
		const own = stepsOf(operation).filter((step) => step.op === "append" && step.key === key);
		return new Set(own.map(({ value }) => mapKey(value as Json)));
	}

	#orderKey({ key, appends, reads, longest, order }: KeyOrder): void {
		for (const [at, append] of order.entries()) {
			const next = order[at + 1];
			if (next === undefined) break;
			this.#edge(
				append.operation,
				next.operation,
				WRITE_WRITE,
				`${key}: ${jsonText(append.value)} then ${jsonText(next.value)}`,
			);
		}
		const seen = new Set<unknown>(order.map(({ value }) => mapKey(value)));
		const unseen = [...appends].filter(([id, { operation }]) => !seen.has(id) && this.#committed.has(operation));
		const ends: Operation[] = [];
		for (const { operation, list } of reads) {
			if (!list.every((value, at) => sameJson(value, longest[at]))) {
				this.#add("incompatible-order", `lists under ${JSON.stringify(key)} do not continue each other`, () => [
					operation,
				]);
				continue;
			}
			const last = list.length === 0 ? undefined : appends.get(mapKey(list.at(-1) as Json));
			if (last !== undefined) {
				this.#edge(last.operation, operation, WRITE_READ, `${key}: read ${jsonText(last.value)}`);
				if (!last.isFinal && last.operation !== operation) {
					this.#add(
						"G1b",
						`a read of ${JSON.stringify(key)} ends with ${jsonText(last.value)}, which its transaction went on from`,
						() => [last.operation, operation],
					);
				}
			}
			const next = list.length < longest.length ? appends.get(mapKey(longest[list.length] as Json)) : undefined;
			if (next !== undefined)
				this.#edge(operation, next.operation, READ_WRITE, `${key}: did not see ${jsonText(next.value)}`);
			else if (list.length === longest.length) ends.push(operation);
		}
		this.#orderUnseen(
			key,
			order.at(-1)?.operation,
			ends,
			unseen.map(([, append]) => append),
		);
	}

	/** The appends that the longest list shows, in its order; what is wrong with it is reported. */
	#orderOf(key: string, { appends, reads }: KeyAccesses): KeyOrder {
		const longest = reads.reduce<readonly Json[]>((best, { list }) => (list.length > best.length ? list : best), []);
		const order: Append[] = [];
		const seen = new Set<unknown>();
		const readers = (value: Json): Operation[] =>
			reads
				.filter(({ list }) => list.some((item) => sameJson(item, value)))
				.slice(0, 1)
				.map(({ operation }) => operation);
		for (const value of longest) {
			const name = `${jsonText(value)} under ${JSON.stringify(key)}`;
			const append = appends.get(mapKey(value));
			if (seen.has(mapKey(value))) this.#add("duplicated", `a list shows ${name} twice`, () => readers(value));
			else if (append === undefined) this.#add("phantom", `nobody appended ${name}`, () => readers(value));
			else if (append.operation.outcome === "fail") {
				this.#add("G1a", `${name} was read, but its transaction failed`, () => [append.operation, ...readers(value)]);
			} else {
				const before = order.at(-1);
				if (before?.operation === append.operation && before.at > append.at) {
					this.#add("internal", `${name} stands behind what its transaction appended later`, () => [append.operation]);
				}
				order.push(append);
			}
			seen.add(mapKey(value));
		}
		return { key, appends, reads, longest, order };
	}

	/** What no read shows was appended after all that reads show. */
	#orderUnseen(key: string, last: Operation | undefined, ends: readonly Operation[], unseen: readonly Append[]): void {
		if (unseen.length === 0) return;
		const own = new Set(unseen.map(({ operation }) => operation));
		const behind = this.#graph.node();
		const reason = `${key}: did not see what came behind`;
		if (last !== undefined && !own.has(last))
			this.#graph.edge(this.#nodeOf(last), behind, WRITE_WRITE, `${key}: its last value that was read`);
		for (const operation of own)
			this.#graph.edge(behind, this.#nodeOf(operation), WRITE_WRITE, `${key}: what nobody read`);
		for (const reader of ends) {
			if (!own.has(reader)) {
				this.#graph.edge(this.#nodeOf(reader), behind, READ_WRITE, reason);
				continue;
			}
			for (const rival of [...own].slice(0, UNSEEN_RIVALS_MAX)) this.#edge(reader, rival, READ_WRITE, reason);
		}
	}

	/** A chain of nodes, one for each end, so that the real-time order needs no edge for each pair. */
	#orderByTime(): void {
		const ends = this.#operations.filter(({ outcome }) => outcome === "ok").sort((a, b) => a.end - b.end);
		let [passed, latest]: [number, number | null] = [0, null];
		for (const operation of this.#operations) {
			const node = this.#nodes.get(operation);
			if (node === undefined) continue;
			for (; passed < ends.length && must(ends[passed], "in range").end < operation.begin; passed++) {
				const next = this.#graph.node();
				this.#graph.edge(this.#nodeOf(must(ends[passed], "in range")), next, REAL_TIME, "ended before");
				if (latest !== null) this.#graph.edge(latest, next, REAL_TIME, "ended before");
				latest = next;
			}
			if (latest !== null) this.#graph.edge(latest, node, REAL_TIME, "began");
		}
	}

	#edge(from: Operation, to: Operation, type: number, reason: Reason): void {
		this.#graph.edge(this.#nodeOf(from), this.#nodeOf(to), type, reason);
	}

	#reportCycles(): void {
		const reported = new Set<number>();
		for (const [level, types, last] of levels) {
			for (const component of this.#graph.components(types)) {
				if (component.some((node) => reported.has(node))) continue;
				for (const node of component) reported.add(node);
				const cycle = this.#graph.cycle(this.#graph.edgesWithin(component, last), component, types, last);
				const isSingle = cycle.filter(({ type }) => type === READ_WRITE).length === 1;
				const name = isSingle ? level.replace("G2", "G-single") : level;
				this.#log.add(name, () => ({
					description: `${component.filter((node) => this.#operationOf.has(node)).length} transactions have no order`,
					evidence: this.#describeCycle(cycle),
				}));
			}
		}
	}

	/** One line for each dependency between two transactions; nodes that only join others are passed over. */
	#describeCycle(cycle: readonly Edge<Reason>[]): string[] {
		const start = cycle.findIndex(({ from }) => this.#operationOf.has(from));
		const turned = [...cycle.slice(start), ...cycle.slice(0, start)];
		const lines: string[] = [];
		let first = must(turned[0], "a cycle has edges");
		for (const edge of turned) {
			if (this.#operationOf.has(edge.from)) first = edge;
			const [from, to] = [this.#operationOf.get(first.from), this.#operationOf.get(edge.to)];
			if (from === undefined || to === undefined) continue;
			lines.push(
				`${describeOperation(from)} —${typeNames[first.type]}→ ${describeOperation(to)}${first.type === REAL_TIME ? "" : ` (${first.reason})`}`,
			);
		}
		return lines;
	}

	#add(name: string, description: string, operations: () => readonly Operation[]): void {
		this.#log.add(name, () => ({ description, evidence: operations().map(describeOperation) }));
	}
}

const typeNames: Readonly<Record<number, string>> = {
	[WRITE_WRITE]: "ww",
	[WRITE_READ]: "wr",
	[READ_WRITE]: "rw",
	[REAL_TIME]: "real time",
};

/** The steps of a transaction; a single operation is one of one step. */
function stepsOf({ op, key, value, answer, outcome, steps }: Operation): readonly TransactionStep[] {
	if (steps !== null) return steps;
	return op === "append" ? [{ op, key, value }] : [{ op: "get", key, value: outcome === "ok" ? answer : undefined }];
}
