/** What keeps a penetration test from being run. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	scenarioUnknown: [
		"pentest-scenario-unknown",
		(d: { scenario: string; suggestion: string | null }) =>
			`there is no scenario ${d.scenario}${d.suggestion === null ? "" : ` (did you mean ${d.suggestion}?)`}; quorate pentest --list names them`,
	],
});

/** `pentest-scenario-unknown` */
export const scenarioUnknown: ErrorMaker<{ scenario: string; suggestion: string | null }> = defined.scenarioUnknown;
