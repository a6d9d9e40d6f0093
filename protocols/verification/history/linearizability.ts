/**
 * Linearizability (Herlihy and Wing 1990): whether each operation can have taken effect at one moment between its
 * invocation and its end, so that a {@link Model} would have answered as was answered.
 */
import type { History } from "./history-recorder.ts";
import { type Model, refusedOperation } from "./model.ts";
import { partitionByKey } from "./partition.ts";
import { PartitionCheck, type PartitionVerdict } from "./partition-check.ts";
import type { Verdict } from "./verdict.ts";

/** So many slices of some thousand steps a partition gets before the next one has its turn. */
const SLICES_PER_TURN = 256;

/** When a check gives up. Without any of these it goes on until it knows. */
export interface Budget {
	/** Steps of the model over all partitions. */
	readonly stepsMax?: number;
	/** Asked every few thousand steps; a checker has no clock of its own. */
	readonly isOver?: () => boolean;
}

export interface LinearizabilityReport {
	/** `unknown` if the budget ended, if memory would have, or if nothing was answered that could be wrong. */
	readonly verdict: Verdict;
	readonly partitions: readonly PartitionReport[];
}

export interface PartitionReport {
	readonly keys: readonly string[];
	/** Failed ones are left out. */
	readonly operations: number;
	/** How many of them have an unknown outcome. */
	readonly unknown: number;
	readonly verdict: PartitionVerdict;
	readonly steps: number;
	readonly configurations: number;
}

/** Checks a history at one go. @throws QuorateError `history-operation-invalid` */
export function checkLinearizability<State>(
	history: History,
	model: Model<State>,
	{ stepsMax = Number.POSITIVE_INFINITY, isOver = () => false }: Budget = {},
): LinearizabilityReport {
	const check = new LinearizabilityCheck(history, model);
	while (!check.advance()) if (check.steps >= stepsMax || isOver()) break;
	return check.end();
}

/** Checks a history in slices, for callers that have something else to do meanwhile. */
export class LinearizabilityCheck<State> {
	readonly #checks: readonly PartitionCheck<State>[];
	readonly #hasAnswers: boolean;
	/** Whose turn it is, from `#turn` on; those that need more than one turn stand in it again. */
	readonly #turns: PartitionCheck<State>[];
	#turn = 0;
	#decided = 0;
	#slicesLeft = SLICES_PER_TURN;
	#steps = 0;

	/**
	 * @throws QuorateError `history-operation-invalid`: the model does not know an operation, or one of its fields is not as
	 *   the model needs it
	 */
	constructor(history: History, model: Model<State>) {
		for (const operation of history.operations) {
			const refusal = model.refuse(operation);
			if (refusal !== null) throw refusedOperation(model.name, operation, refusal);
		}
		this.#hasAnswers = history.operations.some(({ outcome }) => outcome === "ok");
		this.#checks = partitionByKey(history).map((partition) => new PartitionCheck(model, partition));
		this.#turns = [...this.#checks];
	}

	/** Steps of the model so far. */
	get steps(): number {
		return this.#steps;
	}

	get partitions(): number {
		return this.#checks.length;
	}

	/** Partitions that have a verdict. */
	get decided(): number {
		return this.#decided;
	}

	/** The partition that is being judged, with how many of its operations are explained so far; null at the end. */
	get current(): { readonly keys: readonly string[]; readonly explained: number; readonly operations: number } | null {
		const check = this.#turns[this.#turn];
		if (check === undefined) return null;
		const { keys, operations } = check.partition;
		return { keys, explained: check.explained, operations: operations.length };
	}

	/** Goes on for some thousand steps; true once every partition has a verdict. */
	advance(): boolean {
		const check = this.#turns[this.#turn];
		if (check === undefined) return true;
		const stepsBefore = check.steps;
		const verdict = check.advance();
		this.#steps += check.steps - stepsBefore;
		if (verdict !== null) this.#decided++;
		if (verdict !== null || --this.#slicesLeft === 0) {
			// A hard one must not keep the others from their verdict.
			if (verdict === null) this.#turns.push(check);
			this.#turn++;
			this.#slicesLeft = SLICES_PER_TURN;
		}
		return this.#turn === this.#turns.length;
	}

	/** What is known now; partitions without a verdict are `unknown`. */
	end(): LinearizabilityReport {
		const partitions = this.#checks.map((check): PartitionReport => {
			const { keys, operations } = check.partition;
			const unknown = operations.filter(({ outcome }) => outcome === "unknown").length;
			const verdict = check.abandon();
			return {
				keys,
				operations: operations.length,
				unknown,
				verdict,
				steps: check.steps,
				configurations: check.configurations,
			};
		});
		this.#turn = this.#turns.length;
		return { verdict: this.#overall(partitions), partitions };
	}

	#overall(partitions: readonly PartitionReport[]): Verdict {
		if (partitions.some(({ verdict }) => verdict.type === "illegal")) return "illegal";
		const isDecided = partitions.every(({ verdict }) => verdict.type === "ok");
		return isDecided && this.#hasAnswers ? "ok" : "unknown";
	}
}
