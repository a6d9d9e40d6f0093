/** What can be wrong with properties themselves, as typed errors. */
import { defineErrors, type ErrorMaker } from "../core/index.ts";

const verificationErrors = defineErrors({
	propertyFailed: [
		"property-failed",
		(d: { property: string; position: number; reason: string }) =>
			`property ${d.property} threw at observation ${d.position}: ${d.reason}`,
	],
	propertyRepeated: ["property-repeated", (d: { property: string }) => `two properties are called ${d.property}`],
});

/**
 * A watcher threw: a fault of the property, which says nothing about what it watched. `position` counts observations
 * from 0: `{property, position, reason}`, with what it threw as cause.
 */
export const propertyFailed: ErrorMaker<{ property: string; position: number; reason: string }> =
	verificationErrors.propertyFailed;

/** Two properties of one list have the same id: `{property}`. */
export const propertyRepeated: ErrorMaker<{ property: string }> = verificationErrors.propertyRepeated;
