/** What many groups in one process answer when something is not possible. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	groupCountInvalid: [
		"group-count-invalid",
		(d: { groups: string; limit: number; reason: string }) =>
			`there are 1 to ${d.limit} groups of different names, not ${d.groups}: ${d.reason}`,
	],
	tooManyMembers: [
		"too-many-members",
		(d: { groups: number; nodes: number; limit: number }) =>
			`${d.groups} groups of ${d.nodes} nodes are ${d.groups * d.nodes} members, more than ${d.limit}`,
	],
	groupUnknown: [
		"group-unknown",
		(d: { group: string; groups: number }) => `none of the ${d.groups} groups is named ${d.group}`,
	],
	groupFailed: [
		"group-failed",
		(d: { group: string; reason: string }) =>
			`the group ${d.group} has failed and makes no progress any more: ${d.reason}`,
	],
});

/** `group-count-invalid` */
export const groupCountInvalid: ErrorMaker<{ groups: string; limit: number; reason: string }> =
	defined.groupCountInvalid;
/** `too-many-members`: fewer groups or fewer nodes */
export const tooManyMembers: ErrorMaker<{ groups: number; nodes: number; limit: number }> = defined.tooManyMembers;
/** `group-unknown` */
export const groupUnknown: ErrorMaker<{ group: string; groups: number }> = defined.groupUnknown;
/** `group-failed`: one group alone; the others go on */
export const groupFailed: ErrorMaker<{ group: string; reason: string }> = defined.groupFailed;
