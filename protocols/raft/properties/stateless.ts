/** For properties that a single observation shows. */
import type { Finding, Watcher } from "../../verification/index.ts";
import type { RaftObservation } from "./observation.ts";

/** A watcher that remembers nothing. */
export function stateless(observe: (observation: RaftObservation) => Finding | null): Watcher<RaftObservation> {
	const watcher: Watcher<RaftObservation> = { observe, state: null, copy: () => watcher };
	return watcher;
}
