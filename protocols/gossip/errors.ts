/** What can be wrong about a gossip member's surroundings, as typed errors. */
import { defineErrors, type ErrorMaker } from "../core/index.ts";

const gossipErrors = defineErrors({
	configInvalid: [
		"gossip-config-invalid",
		(d: { field: string; expected: string; actual: string }) =>
			`gossip config: ${d.field} must be ${d.expected}, got ${d.actual}`,
	],
	configContradiction: [
		"gossip-config-contradiction",
		(d: { rule: string; left: number; right: number }) =>
			`gossip config: must hold: ${d.rule}; given are ${d.left} and ${d.right}`,
	],
	tooLarge: [
		"gossip-too-large",
		(d: { what: string; sizeBytes: number; limitBytes: number }) =>
			`${d.what} has ${d.sizeBytes} bytes, at most ${d.limitBytes} are allowed`,
	],
	tagsInvalid: [
		"gossip-tags-invalid",
		(d: { tag: string; expected: string; actual: string }) => `tag ${d.tag}: must be ${d.expected}, got ${d.actual}`,
	],
	symbolsInconsistent: [
		"gossip-symbols-inconsistent",
		(d: { symbols: number; items: number }) =>
			`${d.symbols} coded symbols give ${d.items} items: they are not of one set, or not in order`,
	],
});

/** One field of a configuration is outside its bounds: `{field, expected, actual}`. */
export const configInvalid: ErrorMaker<{ field: string; expected: string; actual: string }> =
	gossipErrors.configInvalid;

/** Two fields are each in bounds but contradict each other: `{rule, left, right}`. */
export const configContradiction: ErrorMaker<{ rule: string; left: number; right: number }> =
	gossipErrors.configContradiction;

/** What is to be spread does not fit: `{what, sizeBytes, limitBytes}`. */
export const tooLarge: ErrorMaker<{ what: string; sizeBytes: number; limitBytes: number }> = gossipErrors.tooLarge;

/** A tag, or a pattern for one, is none: `{tag, expected, actual}`. */
export const tagsInvalid: ErrorMaker<{ tag: string; expected: string; actual: string }> = gossipErrors.tagsInvalid;

/** Coded symbols that no set has: `{symbols, items}`. */
export const symbolsInconsistent: ErrorMaker<{ symbols: number; items: number }> = gossipErrors.symbolsInconsistent;
