/**
 * Judges a set that is only added to: what became of each element (after Jepsen's `set-full`). Linear in the size of all
 * reads. An element is *known* from the end of its add, or of the first read that shows it, whichever is first.
 *
 * - `lost`: known before a read began that does not show it, and no read that begins later does;
 * - `stale`: the same, but a later read shows it again;
 * - `duplicated`: stands twice in one read;
 * - `phantom`: read, but never added, or only by operations that failed or began after the read had ended.
 *
 * All of them are faults of a set that is linearizable. It does not look at the order of concurrent adds.
 */
import type { History } from "./history-recorder.ts";
import { type Json, jsonText, mapKey } from "./json-value.ts";
import { anyValue, type OperationRule, refuseByRules, refusedOperation } from "./model.ts";
import { describeOperation, type Operation } from "./operation.ts";
import { type AnomalyLog, type AnomalyReport, reportAnomalies } from "./verdict.ts";

const rules: Readonly<Record<string, OperationRule>> = {
	add: { value: anyValue },
	get: { answer: ["the list of all elements", Array.isArray] },
};

/**
 * Checks every key of a history as a set of its own. `unknown` if nothing was read.
 * @throws QuorateError `history-operation-invalid`
 */
export function checkSet(history: History): AnomalyReport {
	const sets = new Map<string, SetOfKey>();
	for (const operation of history.operations) {
		const refusal = refuseByRules(rules, operation);
		if (refusal !== null) throw refusedOperation("set", operation, refusal);
		let set = sets.get(operation.key);
		if (set === undefined) {
			set = new SetOfKey();
			sets.set(operation.key, set);
		}
		set.take(operation);
	}
	return reportAnomalies(history, (log) => {
		for (const set of sets.values()) set.check(log);
		return [...sets.values()].some(({ reads }) => reads.length > 0);
	});
}

interface Element {
	readonly value: Json;
	readonly adds: Operation[];
	/** What made it known first; null if nothing has. */
	knownBy: Operation | null;
	/** How many of the reads that began after that show it, and the number of the last one. */
	shown: number;
	lastShown: number;
}

class SetOfKey {
	/** In the order of their beginning. */
	readonly reads: Operation[] = [];
	readonly #elements = new Map<unknown, Element>();

	take(operation: Operation): void {
		if (operation.op === "add") {
			const element = this.#element(operation.value as Json);
			element.adds.push(operation);
			if (operation.outcome === "ok") learn(element, operation);
		} else if (operation.outcome === "ok") {
			this.reads.push(operation);
		}
	}

	check(log: AnomalyLog): void {
		for (const read of this.reads) this.#checkShown(read, log);
		for (const [number, read] of this.reads.entries()) this.#countShown(number, read);
		for (const element of this.#elements.values()) this.#checkMissing(element, log);
	}

	#element(value: Json): Element {
		const key = mapKey(value);
		let element = this.#elements.get(key);
		if (element === undefined) {
			element = { value, adds: [], knownBy: null, shown: 0, lastShown: -1 };
			this.#elements.set(key, element);
		}
		return element;
	}

	#checkShown(read: Operation, log: AnomalyLog): void {
		const seen = new Set<unknown>();
		for (const value of read.answer as readonly Json[]) {
			const key = mapKey(value);
			if (seen.has(key)) {
				log.add("duplicated", () => ({
					description: `a read shows ${jsonText(value)} twice`,
					evidence: [describeOperation(read)],
				}));
			}
			seen.add(key);
			const element = this.#element(value);
			if (element.adds.some(({ outcome, begin }) => outcome !== "fail" && begin < read.end)) {
				learn(element, read);
				continue;
			}
			const reason = element.adds.length === 0 ? "was never added" : "had not been added, or in vain";
			log.add("phantom", () => ({
				description: `a read shows ${jsonText(value)}, which ${reason}`,
				evidence: [...element.adds, read].map(describeOperation),
			}));
		}
	}

	#countShown(number: number, read: Operation): void {
		for (const key of new Set((read.answer as readonly Json[]).map(mapKey))) {
			const element = this.#elements.get(key);
			if (element === undefined || element.knownBy === null || read.begin < element.knownBy.end) continue;
			element.shown++;
			element.lastShown = number;
		}
	}

	#checkMissing({ value, knownBy, shown, lastShown }: Element, log: AnomalyLog): void {
		if (knownBy === null) return;
		const first = firstBehind(this.reads, knownBy.end);
		if (shown === this.reads.length - first) return;
		const isLost = lastShown < this.reads.length - 1;
		const key = mapKey(value);
		const isMissingIn = (read: Operation): boolean =>
			!(read.answer as readonly Json[]).some((item) => mapKey(item) === key);
		log.add(isLost ? "lost" : "stale", () => {
			const missing = this.reads.slice(isLost ? Math.max(first, lastShown + 1) : first).find(isMissingIn);
			return {
				description: `${jsonText(value)} was known before a read began that does not show it${isLost ? ", nor does any later one" : ""}`,
				evidence: [knownBy, ...(missing === undefined ? [] : [missing])].map(describeOperation),
			};
		});
	}
}

function learn(element: Element, operation: Operation): void {
	if (element.knownBy === null || operation.end < element.knownBy.end) element.knownBy = operation;
}

/** The number of the first read that begins behind this place. */
function firstBehind(reads: readonly Operation[], place: number): number {
	let [low, high] = [0, reads.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (reads[middle]!.begin > place) high = middle;
		else low = middle + 1;
	}
	return low;
}
