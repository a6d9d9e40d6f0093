/**
 * Judges the four session guarantees (Terry et al., "Session Guarantees for Weakly Consistent Replicated Data", 1994) for
 * each key by itself; a client is a session. Histories of registers (`put`, `get`) or of lists (`append`, `get`), every
 * value written once. Linear.
 *
 * Each guarantee orders versions of a key: what a session wrote or read before its next read or write is not newer than
 * that. Lists show more of the order. The guarantees hold together if and only if some order of the versions satisfies all
 * of this; a cycle is the proof that none does, and is named by the guarantees that it breaks. Besides: `phantom`, a
 * read of what nobody wrote, and `diverging-order`, lists of which neither is the beginning of the other.
 */
import { must } from "../../core/index.ts";
import { DependencyGraph, type Edge } from "./dependency-graph.ts";
import { historyErrors } from "./errors.ts";
import type { History } from "./history-recorder.ts";
import { type Json, jsonText, mapKey, sameJson } from "./json-value.ts";
import { anyValue, type OperationRule, refuseByRules, refusedOperation, someValue } from "./model.ts";
import { describeOperation, type Operation } from "./operation.ts";
import { type AnomalyLog, type AnomalyReport, reportAnomalies } from "./verdict.ts";

const rules: Readonly<Record<string, OperationRule>> = {
	put: { value: someValue },
	append: { value: someValue },
	get: { answer: anyValue },
};

const OBSERVED = 1;
const guarantees: readonly (readonly [name: string, type: number])[] = [
	["read-your-writes", 2],
	["monotonic-reads", 4],
	["monotonic-writes", 8],
	["writes-follow-reads", 16],
];
const ALL = OBSERVED | 2 | 4 | 8 | 16;
const [READ_YOUR_WRITES, MONOTONIC_READS, MONOTONIC_WRITES, WRITES_FOLLOW_READS] = [2, 4, 8, 16];

/** The two operations of a session that order two versions; none where lists or the beginning show the order. */
type Reason = readonly [earlier: Operation, later: Operation] | null;

/**
 * Checks all sessions. `unknown` if nothing was read.
 * @throws QuorateError `history-operation-invalid`; `history-ambiguous`: a value written twice, or puts and appends, or
 *   lists and other values, under one key
 */
export function checkSessions(history: History): AnomalyReport {
	const byKey = new Map<string, Operation[]>();
	for (const operation of history.operations) {
		const refusal = refuseByRules(rules, operation);
		if (refusal !== null) throw refusedOperation("sessions", operation, refusal);
		const own = byKey.get(operation.key);
		if (own === undefined) byKey.set(operation.key, [operation]);
		else own.push(operation);
	}
	return reportAnomalies(history, (log) => {
		for (const [key, own] of byKey) new KeySessions(key, own).check(log);
		return history.operations.some(({ op, outcome }) => op === "get" && outcome === "ok");
	});
}

class KeySessions {
	readonly #key: string;
	readonly #operations: readonly Operation[];
	readonly #graph = new DependencyGraph<Reason>();
	readonly #initial: number;
	/** Writes by value, and the node of each version. */
	readonly #writes = new Map<unknown, Operation>();
	readonly #versions = new Map<unknown, number>();
	/** A version's name, by its node. */
	readonly #names: string[] = ["the initial value"];
	readonly #isList: boolean;

	constructor(key: string, operations: readonly Operation[]) {
		this.#key = key;
		this.#operations = operations;
		this.#initial = this.#graph.node();
		this.#isList = operations.some(({ op }) => op === "append");
		for (const operation of operations) {
			if (operation.op !== "get") this.#takeWrite(operation);
			else if (this.#isList) this.#requireList(operation);
		}
	}

	check(log: AnomalyLog): void {
		if (this.#isList) this.#orderByLists(log);
		const sessions = new Map<number, Operation[]>();
		for (const operation of this.#operations) {
			if (operation.outcome === "fail" || (operation.op === "get" && operation.outcome !== "ok")) continue;
			const own = sessions.get(operation.client);
			if (own === undefined) sessions.set(operation.client, [operation]);
			else own.push(operation);
		}
		for (const own of sessions.values()) this.#orderBySession(own, log);
		this.#reportCycles(log);
	}

	#takeWrite(write: Operation): void {
		const key = mapKey(write.value as Json);
		const refuse = (reason: string): Error =>
			historyErrors.ambiguous({ line: write.line, model: "sessions", key: this.#key, reason });
		if ((write.op === "append") !== this.#isList) throw refuse("puts and appends under one key");
		const earlier = this.#writes.get(key);
		if (earlier !== undefined) throw refuse(`${jsonText(write.value)} was written in line ${earlier.line} already`);
		const node = this.#graph.node();
		this.#writes.set(key, write);
		this.#versions.set(key, node);
		this.#names.push(jsonText(write.value));
		this.#graph.edge(this.#initial, node, OBSERVED, null);
	}

	#requireList({ outcome, answer, endLine, line }: Operation): void {
		if (outcome !== "ok" || answer === null || Array.isArray(answer)) return;
		const reason = `${jsonText(answer)} was read where lists are appended to`;
		throw historyErrors.ambiguous({ line: endLine ?? line, model: "sessions", key: this.#key, reason });
	}

	/** The longest list is the order of what it shows; all else comes behind it. */
	#orderByLists(log: AnomalyLog): void {
		const reads = this.#operations.filter(
			({ op, outcome, answer }) => op === "get" && outcome === "ok" && answer !== null,
		);
		const longest = reads.reduce<readonly Json[]>((best, { answer }) => {
			const list = listIn(answer);
			return list.length > best.length ? list : best;
		}, []);
		for (const read of reads) {
			if (listIn(read.answer).every((value, at) => sameJson(value, longest[at]))) continue;
			log.add("diverging-order", () => ({
				description: `lists under ${JSON.stringify(this.#key)} of which neither is the beginning of the other`,
				evidence: [describeOperation(read)],
			}));
		}
		let last = this.#initial;
		const seen = new Set<unknown>();
		for (const value of longest) {
			const version = this.#versions.get(mapKey(value));
			if (version === undefined || seen.has(mapKey(value))) continue;
			seen.add(mapKey(value));
			this.#graph.edge(last, version, OBSERVED, null);
			last = version;
		}
		for (const [key, version] of this.#versions) {
			if (!seen.has(key)) this.#graph.edge(last, version, OBSERVED, null);
		}
	}

	#orderBySession(operations: readonly Operation[], log: AnomalyLog): void {
		let read: readonly [Operation, number] | null = null;
		let write: readonly [Operation, number] | null = null;
		/** Since the last read, and the last write. */
		let writes: (readonly [Operation, number])[] = [];
		let reads: (readonly [Operation, number])[] = [];
		for (const operation of operations) {
			const version = operation.op === "get" ? this.#versionRead(operation, log) : this.#versionOf(operation.value);
			if (version === null) continue;
			if (operation.op === "get") {
				for (const [earlier, node] of writes) this.#graph.edge(node, version, READ_YOUR_WRITES, [earlier, operation]);
				if (read !== null) this.#graph.edge(read[1], version, MONOTONIC_READS, [read[0], operation]);
				read = [operation, version];
				reads.push(read);
				writes = [];
			} else {
				for (const [earlier, node] of reads) this.#graph.edge(node, version, WRITES_FOLLOW_READS, [earlier, operation]);
				if (write !== null) this.#graph.edge(write[1], version, MONOTONIC_WRITES, [write[0], operation]);
				write = [operation, version];
				writes.push(write);
				reads = [];
			}
		}
	}

	/** The version that a read shows; null if nobody can have written it. */
	#versionRead(read: Operation, log: AnomalyLog): number | null {
		const list = this.#isList ? listIn(read.answer) : null;
		const shown = list === null ? (read.answer as Json) : list.length === 0 ? null : (list.at(-1) as Json);
		if (shown === null) return this.#initial;
		for (const value of list ?? [shown]) {
			const write = this.#writes.get(mapKey(value));
			if (write !== undefined && write.outcome !== "fail" && write.begin < read.end) continue;
			log.add("phantom", () => ({
				description: `a read of ${JSON.stringify(this.#key)} shows ${jsonText(value)}, which ${write === undefined ? "nobody wrote" : "had not been written, or in vain"}`,
				evidence: [...(write === undefined ? [] : [write]), read].map(describeOperation),
			}));
			return null;
		}
		return this.#versionOf(shown);
	}

	#versionOf(value: Json | undefined): number {
		return must(this.#versions.get(mapKey(value as Json)), "every write has a version");
	}

	/** First what breaks one guarantee by itself, then what breaks several together. */
	#reportCycles(log: AnomalyLog): void {
		const reported = new Set<number>();
		for (const types of [...guarantees.map(([, type]) => type | OBSERVED), ALL]) {
			for (const component of this.#graph.components(types)) {
				if (component.some((node) => reported.has(node))) continue;
				for (const node of component) reported.add(node);
				const edges = this.#graph.edgesWithin(component, types & ~OBSERVED);
				const cycle = this.#graph.cycle(edges, component, types, types & ~OBSERVED);
				const broken = guarantees.filter(([, type]) => cycle.some((edge) => edge.type === type)).map(([name]) => name);
				log.add(broken.join(" and "), () => ({
					description: `the versions of ${JSON.stringify(this.#key)} have no order`,
					evidence: cycle.map((edge) => this.#describeEdge(edge)),
				}));
			}
		}
	}

	#describeEdge({ from, to, type, reason }: Edge<Reason>): string {
		const order = `${this.#names[from]} is older than ${this.#names[to]}`;
		if (reason === null) return `${order}, as reads show`;
		const name = guarantees.find(([, own]) => own === type)?.[0];
		return `${order} by ${name}: ${reason.map(describeOperation).join(", then ")}`;
	}
}

function listIn(answer: Json | undefined): readonly Json[] {
	return Array.isArray(answer) ? answer : [];
}
