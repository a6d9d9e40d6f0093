/** What can be wrong about a PBFT participant's surroundings, as typed errors. */
import { defineErrors, type QuorateError } from "../core/index.ts";

const pbftErrors = defineErrors({
	configInvalid: [
		"pbft-config-invalid",
		(d: { field: string; expected: string; actual: string }) =>
			`pbft config: ${d.field} must be ${d.expected}, got ${d.actual}`,
	],
	configContradiction: [
		"pbft-config-contradiction",
		(d: { rule: string; left: number; right: number }) =>
			`pbft config: must hold: ${d.rule}; given are ${d.left} and ${d.right}`,
	],
	tooFewMembers: [
		"pbft-too-few-members",
		(d: { members: number; faults: number; needed: number }) =>
			`${d.faults} faulty members need at least ${d.needed} members in all, there are ${d.members}`,
	],
});

/** One field of a `PbftConfig` is outside its bounds: `{field, expected, actual}`. */
export const configInvalid: (details: { field: string; expected: string; actual: string }) => QuorateError =
	pbftErrors.configInvalid;

/** Two fields are each in bounds but contradict each other: `{rule, left, right}`. */
export const configContradiction: (details: { rule: string; left: number; right: number }) => QuorateError =
	pbftErrors.configContradiction;

/** No protocol is safe with n < 3f + 1 (Pease, Shostak and Lamport 1980): `{members, faults, needed}`. */
export const tooFewMembers: (details: { members: number; faults: number; needed: number }) => QuorateError =
	pbftErrors.tooFewMembers;
