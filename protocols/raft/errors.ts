/** What can be wrong about a Raft participant's surroundings, as typed errors. */
import { defineErrors, type QuorateError } from "../core/index.ts";

const raftErrors = defineErrors({
	configInvalid: [
		"raft-config-invalid",
		(d: { field: string; expected: string; actual: string }) =>
			`raft config: ${d.field} must be ${d.expected}, got ${d.actual}`,
	],
	configContradiction: [
		"raft-config-contradiction",
		(d: { rule: string; left: number; right: number }) =>
			`raft config: must hold: ${d.rule}; given are ${d.left} and ${d.right}`,
	],
});

/** One field of a {@link RaftConfig} is outside its bounds: `{field, expected, actual}`. */
export const configInvalid: (details: { field: string; expected: string; actual: string }) => QuorateError =
	raftErrors.configInvalid;

/** Two fields are each in bounds but contradict each other: `{rule, left, right}`. */
export const configContradiction: (details: { rule: string; left: number; right: number }) => QuorateError =
	raftErrors.configContradiction;
