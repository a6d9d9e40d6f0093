/** What can go wrong for a host of many groups, as typed errors. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	groupCountInvalid: [
		"group-count-invalid",
		(d: { groups: string; nodes: number; limit: number; reason: string }) =>
			`groups of ${d.nodes} nodes are 1 to ${d.limit} of different names, not ${d.groups}: ${d.reason}`,
	],
	groupUnknown: [
		"group-unknown",
		(d: { group: string; groups: number; first: string }) =>
			`there is no group ${d.group} among the ${d.groups}, of which the first is ${d.first}`,
	],
	groupFailed: [
		"group-failed",
		(d: { group: string; reason: string }) =>
			`the group ${d.group} has failed and makes no progress any more: ${d.reason}`,
	],
});

/** `group-count-invalid`: `{groups, nodes, limit, reason}`; the limit is of groups with so many nodes. */
export const groupCountInvalid: ErrorMaker<{ groups: string; nodes: number; limit: number; reason: string }> =
	defined.groupCountInvalid;
/** `group-unknown`: `{group, groups, first}` */
export const groupUnknown: ErrorMaker<{ group: string; groups: number; first: string }> = defined.groupUnknown;
/** `group-failed`: its members failed again and again; the other groups go on. */
export const groupFailed: ErrorMaker<{ group: string; reason: string }> = defined.groupFailed;
