/** What can be wrong with properties themselves, as typed errors. */
import { defineErrors, type ErrorMaker } from "../core/index.ts";

interface PropertyThrew {
	readonly property: string;
	readonly reason: string;
	readonly position?: number;
}

const verificationErrors = defineErrors({
	propertyThrew: [
		"property-threw",
		({ property, position, reason }: PropertyThrew) =>
			`property ${property} threw instead of judging${position === undefined ? "" : ` observation ${position}`}: ${reason}`,
	],
	propertyRepeated: ["property-repeated", (d: { property: string }) => `two properties are called ${d.property}`],
});

/**
 * A property threw: a fault of the property, which says nothing about what it watched: `{property, reason}`, with what it threw
 * as cause, and where observations come in one order its `position`, from 0.
 */
export const propertyThrew: ErrorMaker<PropertyThrew> = verificationErrors.propertyThrew;

/** Two properties of one list have the same id: `{property}`. */
export const propertyRepeated: ErrorMaker<{ property: string }> = verificationErrors.propertyRepeated;
