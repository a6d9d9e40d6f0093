/** All properties of PBFT under watch, for tests: the first violation throws where it happens. */
import {
	type PbftObservation,
	pbftMembershipProperties,
	pbftProperties,
} from "../../../protocols/pbft/properties/index.ts";
import { WatchList } from "../../../protocols/verification/index.ts";

export class StrictWatch {
	readonly #list = new WatchList([...pbftProperties, ...pbftMembershipProperties]);

	/** @throws Error naming the violated property */
	observe(observation: PbftObservation): void {
		this.#list.observe(observation);
		const { violation } = this.#list;
		if (violation === null) return;
		const { property, position, details } = violation;
		throw new Error(`violated: ${property} at observation ${position} ${JSON.stringify(details)}`);
	}

	/** Whether everything that must hold in the end holds now. */
	get isRecovered(): boolean {
		return this.#list.results.every(({ property, verdict }) => property.kind !== "eventually" || verdict === "holds");
	}

	/** How often each property was evaluated or witnessed, by id. */
	get evaluations(): ReadonlyMap<string, number> {
		return new Map(this.#list.results.map(({ property, evaluations }) => [property.id, evaluations]));
	}
}
