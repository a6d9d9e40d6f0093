/** How a configuration's numbers are checked: refused, never repaired. */
import { configContradiction, configInvalid } from "./errors.ts";

/** Inclusive. */
export type Bounds = readonly [min: number, max: number];

/** @throws QuorateError `gossip-config-invalid` `{field, expected, actual}` */
export function requireIntegerField(field: string, value: number, [min, max]: Bounds): void {
	if (Number.isSafeInteger(value) && value >= min && value <= max) return;
	throw configInvalid({ field, expected: `an integer in [${min}, ${max}]`, actual: String(value).slice(0, 80) });
}

/** @throws QuorateError `gossip-config-invalid` `{field, expected, actual}` */
export function requireNumberField(field: string, value: number, [min, max]: Bounds): void {
	if (Number.isFinite(value) && value >= min && value <= max) return;
	throw configInvalid({ field, expected: `a number in [${min}, ${max}]`, actual: String(value).slice(0, 80) });
}

/** @throws QuorateError `gossip-config-contradiction` `{rule, left, right}` */
export function requireRelation(holds: boolean, rule: string, left: number, right: number): void {
	if (!holds) throw configContradiction({ rule, left, right });
}
