/** What keeps a penetration test from being run. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	scenarioUnknown: [
		"pentest-scenario-unknown",
		(d: { scenario: string; suggestion: string | null }) =>
			`there is no scenario ${d.scenario}${d.suggestion === null ? "" : ` (did you mean ${d.suggestion}?)`}; quorate pentest --list names them`,
	],
	scenarioOfOtherMode: [
		"pentest-scenario-other-mode",
		(d: { scenario: string; mode: string }) =>
			`${d.scenario} is not tried in groups of the mode ${d.mode}, where it does nothing or is nothing else; leave --votes and --certificates out`,
	],
});

/** `pentest-scenario-unknown` */
export const scenarioUnknown: ErrorMaker<{ scenario: string; suggestion: string | null }> = defined.scenarioUnknown;
/** `pentest-scenario-other-mode` */
export const scenarioOfOtherMode: ErrorMaker<{ scenario: string; mode: string }> = defined.scenarioOfOtherMode;
