/** Many properties watched over one stream of observations, and the account of what each has found. */
import { propertyRepeated, propertyThrew } from "./errors.ts";
import type { Finding, FindingDetails, ObservationDepth, Property, Watcher } from "./property.ts";

/**
 * What has become of a property so far.
 *
 * - `holds`: evaluated, and not violated (`always`), witnessed (`sometimes`), or true at its last evaluation
 *   (`eventually`).
 * - `violated`: an `always` was violated once, an `eventually` was false at its last evaluation.
 * - `vacuous`: an `always` or `eventually` was never evaluated, a `sometimes` never witnessed: nothing is shown.
 * - `out-of-sight`: it needs a deeper view than this observer has, and was not watched.
 */
export type PropertyVerdict = "holds" | "violated" | "vacuous" | "out-of-sight";

/** Where a property was found violated. */
export interface Violation {
	/** The property's id. */
	readonly property: string;
	/** The observation at which it was found; the first of the stream is 0. */
	readonly position: number;
	/** The values that show it. */
	readonly details: FindingDetails;
}

/** One property's account. */
export interface PropertyResult<Observation> {
	readonly property: Property<Observation>;
	readonly verdict: PropertyVerdict;
	/** How often it was evaluated; of a `sometimes`, how often it was witnessed. */
	readonly evaluations: number;
	/** Of an `always` the first violation, of an `eventually` the one it ended with; else null. */
	readonly violation: Violation | null;
}

/** One property under watch. */
interface Watch<Observation> {
	readonly property: Property<Observation>;
	readonly watcher: Watcher<Observation>;
	evaluations: number;
	violation: Violation | null;
}

const depths: readonly ObservationDepth[] = ["events", "machine", "disk"];

/**
 * Shows each observation to the watchers of all properties whose depth the observer has. It judges, and stops nothing:
 * the host looks at {@link WatchList.violation} when it likes. An `always` that is violated is not watched further.
 */
export class WatchList<Observation> {
	readonly #watches: readonly Watch<Observation>[];
	/** Those that look at a type of observation, found when it is first shown. */
	readonly #byType = new Map<unknown, readonly Watch<Observation>[]>();
	readonly #outOfSight: readonly Property<Observation>[];
	readonly #decided: ((property: Property<Observation>, finding: Finding) => void) | null;
	#observations = 0;
	#violation: Violation | null = null;

	/**
	 * `depth` is how deep the observer sees. `decided` hears of each finding that decides a property, at once: the first
	 * violation of an `always`, the first witness of a `sometimes`.
	 * @throws QuorateError `property-repeated` `{property}`
	 */
	constructor(
		properties: readonly Property<Observation>[],
		depth: ObservationDepth = "disk",
		decided: ((property: Property<Observation>, finding: Finding) => void) | null = null,
	) {
		this.#decided = decided;
		const ids = new Set<string>();
		for (const { id } of properties) {
			if (ids.has(id)) throw propertyRepeated({ property: id });
			ids.add(id);
		}
		const isSeen = ({ needs }: Property<Observation>): boolean => depths.indexOf(needs) <= depths.indexOf(depth);
		this.#watches = properties
			.filter(isSeen)
			.map((property) => ({ property, watcher: property.watch(), evaluations: 0, violation: null }));
		this.#outOfSight = properties.filter((property) => !isSeen(property));
	}

	/** @throws QuorateError `property-threw` `{property, position, reason}` if a watcher throws */
	observe(observation: Observation): void {
		const position = this.#observations++;
		const watches = this.#watchesOf(observation);
		let shown = 0;
		try {
			for (; shown < watches.length; shown++) this.#show(watches[shown] as Watch<Observation>, observation, position);
		} catch (cause) {
			const { property } = watches[shown] as Watch<Observation>;
			const reason = cause instanceof Error ? cause.message : String(cause);
			throw propertyThrew({ property: property.id, position, reason }, { cause });
		}
	}

	/** How many observations were shown. */
	get observations(): number {
		return this.#observations;
	}

	/** The first violation of an `always`, or null. */
	get violation(): Violation | null {
		return this.#violation;
	}

	/** The account of each property, in the order of the list, those out of sight last. */
	get results(): readonly PropertyResult<Observation>[] {
		const outOfSight = this.#outOfSight.map((property) => {
			return { property, verdict: "out-of-sight", evaluations: 0, violation: null } as const;
		});
		const watched = this.#watches.map((watch) => {
			const { property, evaluations, violation } = watch;
			return { property, verdict: verdictOf(watch), evaluations, violation };
		});
		return [...watched, ...outOfSight];
	}

	#watchesOf(observation: Observation): readonly Watch<Observation>[] {
		const { type } = observation as { readonly type?: unknown };
		let watches = this.#byType.get(type);
		if (watches === undefined) {
			watches = this.#watches.filter(({ property }) => {
				const observes: readonly unknown[] | undefined = property.observes;
				return observes === undefined || observes.includes(type);
			});
			this.#byType.set(type, watches);
		}
		return watches;
	}

	#show(watch: Watch<Observation>, observation: Observation, position: number): void {
		const { property } = watch;
		if (watch.violation !== null && property.kind === "always") return;
		const finding = watch.watcher.observe(observation);
		if (finding === null) return;
		if (finding.type === "holds") {
			watch.evaluations++;
			watch.violation = null;
			if (property.kind === "sometimes" && watch.evaluations === 1) this.#decided?.(property, finding);
			return;
		}
		// A `sometimes` knows witnesses only.
		if (property.kind === "sometimes") return;
		watch.evaluations++;
		watch.violation = { property: property.id, position, details: finding.details };
		if (property.kind !== "always") return;
		this.#violation ??= watch.violation;
		this.#decided?.(property, finding);
	}
}

function verdictOf<Observation>({ evaluations, violation }: Watch<Observation>): PropertyVerdict {
	if (evaluations === 0) return "vacuous";
	return violation === null ? "holds" : "violated";
}
