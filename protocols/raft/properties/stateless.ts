/** Properties that a single observation shows. */
import type { Finding, Property, Watcher } from "../../verification/index.ts";
import type { RaftObservation } from "./observation.ts";

/** A watcher that remembers nothing. */
export function stateless(observe: (observation: RaftObservation) => Finding | null): Watcher<RaftObservation> {
	const watcher: Watcher<RaftObservation> = { observe, state: null, copy: () => watcher };
	return watcher;
}

/** A `sometimes` property that a single observation witnesses. */
export function sometimes(
	told: Pick<Property<RaftObservation>, "id" | "statement" | "source" | "needs">,
	isWitness: (observation: RaftObservation) => boolean,
): Property<RaftObservation> {
	const watcher = stateless((observation) => (isWitness(observation) ? witnessed : null));
	return { ...told, kind: "sometimes", watch: () => watcher };
}

const witnessed: Finding = { type: "holds" };
