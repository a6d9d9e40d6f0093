/** What can go wrong when a swarm is under experiment, beside what the experiments themselves refuse. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	faultsTooLarge: [
		"faults-too-large",
		(d: { bytes: number; limit: number }) => `the faults in force take ${d.bytes} bytes as text (limit ${d.limit})`,
	],
	injectedFailure: [
		"injected-failure",
		(d: { actor: number }) => `actor ${d.actor} of the main thread fails, as an experiment says`,
	],
});

/** An actor fails because an experiment wants it to: `{actor}`. */
export const injectedFailure: ErrorMaker<{ actor: number }> = defined.injectedFailure;
/** More network faults are in force than the board for the members' threads holds: `{bytes, limit}`. */
export const faultsTooLarge: ErrorMaker<{ bytes: number; limit: number }> = defined.faultsTooLarge;
