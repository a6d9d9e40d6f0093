/** The properties of an experiment under watch: what each came to, and when it first did. */
import { QuorateError } from "../../protocols/core/index.ts";
import {
	type FindingDetails,
	type ObservationDepth,
	type Property,
	WatchList,
} from "../../protocols/verification/index.ts";
import type { PropertyFinding } from "../../supervisors/index.ts";

type First = NonNullable<PropertyFinding["first"]>;

export class PropertyAccount<Observation> {
	readonly #list: WatchList<Observation>;
	readonly #nowMs: () => number;
	readonly #firsts = new Map<string, First>();
	#failure: QuorateError | null = null;

	/**
	 * @param nowMs stamps what is found
	 * @param violated hears of each violated `always`, once
	 */
	constructor(
		properties: readonly Property<Observation>[],
		depth: ObservationDepth,
		nowMs: () => number,
		violated: (property: string, text: string) => void,
	) {
		this.#nowMs = nowMs;
		this.#list = new WatchList(properties, depth, ({ id }, finding) => {
			const text = finding.type === "holds" ? "witnessed" : detailsText(finding.details);
			this.#firsts.set(id, { atMs: nowMs(), text });
			if (finding.type === "violated") violated(id, text);
		});
	}

	observe(observation: Observation): void {
		if (this.#failure !== null) return;
		try {
			this.#list.observe(observation);
		} catch (error) {
			// It happened inside of the member that was observed, whose fault it is not.
			if (!(error instanceof QuorateError)) throw error;
			this.#failure = error;
		}
	}

	/** @throws QuorateError `property-threw` if a watcher has */
	check(): void {
		if (this.#failure !== null) throw this.#failure;
	}

	/** In the order of the properties. */
	findings(): readonly PropertyFinding[] {
		return this.#list.results.map(({ property: { id, kind }, evaluations, violation }) => {
			const atEnd = kind === "eventually" && violation !== null ? detailsText(violation.details) : null;
			const first = atEnd === null ? (this.#firsts.get(id) ?? null) : { atMs: this.#nowMs(), text: atEnd };
			return { id, kind, evaluations, first };
		});
	}
}

function detailsText(details: FindingDetails): string {
	return Object.entries(details)
		.map(([name, value]) => `${name} ${String(value)}`)
		.join(", ");
}
