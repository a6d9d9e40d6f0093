/** What a search has found of each property, and the result that it comes to. */
import type { FindingDetails } from "../property.ts";
import { collisionProbability } from "./fingerprint-set.ts";
import type { Counterexample, PropertyOutcome, SearchProgress, SearchResult } from "./search-result.ts";
import { NO_FINDINGS, type SpaceProperty, type StateSpace } from "./state-space.ts";

/** The first violation that was found. */
export interface Violation {
	readonly property: number;
	readonly details: FindingDetails;
	/** The state before, or null of an initial state. */
	readonly from: number | null;
	readonly action: number;
}

export class Judge {
	readonly #space: Pick<StateSpace, "properties" | "findingsOf" | "witnessed">;
	/** Findings numbers that were looked at. */
	readonly #known: boolean[] = [];
	readonly #evaluated: boolean[];
	#violation: Violation | null = null;

	constructor(space: Pick<StateSpace, "properties" | "findingsOf" | "witnessed">) {
		this.#space = space;
		this.#evaluated = space.properties.map(() => false);
	}

	get violation(): Violation | null {
		return this.#violation;
	}

	/** Takes note of what was found at an action that was taken in the state `from` (null: at an initial state). */
	look(findings: number, action: number, from: number | null): void {
		if (findings === NO_FINDINGS || this.#known[findings] === true) return;
		this.#known[findings] = true;
		for (const { property, finding } of this.#space.findingsOf(findings)) {
			if (this.#evaluated[property] !== true) {
				this.#evaluated[property] = true;
				this.#space.witnessed(property);
			}
			if (finding.type === "holds" || this.#violation !== null) continue;
			this.#violation = { property, details: finding.details, from, action };
		}
	}

	/** `isComplete`: everything within the bounds was explored. */
	result(
		progress: SearchProgress,
		boundaryHits: number,
		isComplete: boolean,
		counterexample: Counterexample | null,
	): SearchResult {
		const properties = this.#space.properties.map((property, at) => ({
			...property,
			...this.#outcomeOf(property, at, isComplete, counterexample),
		}));
		const isVacuous = properties.some(({ outcome }) => outcome === "not-witnessed" || outcome === "not-evaluated");
		return {
			...progress,
			verdict: counterexample !== null ? "violated" : isVacuous ? "vacuous" : isComplete ? "proved" : "bounded",
			exhausted: isComplete,
			boundaryHits,
			collisionProbability: collisionProbability(progress.distinct),
			properties,
			counterexample,
		};
	}

	#outcomeOf(
		{ id, kind }: SpaceProperty,
		at: number,
		isComplete: boolean,
		counterexample: Counterexample | null,
	): { readonly outcome: PropertyOutcome; readonly details: FindingDetails | null } {
		if (counterexample?.property === id) return { outcome: "violated", details: counterexample.details };
		const isEvaluated = this.#evaluated[at] === true;
		if (kind === "sometimes") return { outcome: isEvaluated ? "witnessed" : "not-witnessed", details: null };
		if (kind === "always") return { outcome: isEvaluated ? "holds" : "not-evaluated", details: null };
		return { outcome: isComplete && counterexample === null ? "holds" : "undecided", details: null };
	}
}
