/** What a manager answers when it can not join its members. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	notAMember: [
		"not-a-member",
		(d: { node: string; members: readonly string[] }) => `${d.node} is not among the members ${d.members.join(", ")}`,
	],
	membersOverlap: [
		"members-overlap",
		(d: { members: readonly string[]; running: readonly string[] }) =>
			`the members ${d.members.join(", ")} overlap with the running group of ${d.running.join(", ")}, but are not the same`,
	],
	settingsDiffer: [
		"manager-settings-differ",
		(d: { members: readonly string[]; setting: string }) =>
			`the group of ${d.members.join(", ")} runs already, with another ${d.setting}`,
	],
	notInitialized: [
		"manager-not-initialized",
		(d: { node: string; state: string }) => `the manager of ${d.node} is ${d.state}: call initialize() first`,
	],
});

/** `not-a-member` */
export const notAMember: ErrorMaker<{ node: string; members: readonly string[] }> = defined.notAMember;
/** `members-overlap` */
export const membersOverlap: ErrorMaker<{ members: readonly string[]; running: readonly string[] }> =
	defined.membersOverlap;
/** `manager-settings-differ` */
export const settingsDiffer: ErrorMaker<{ members: readonly string[]; setting: string }> = defined.settingsDiffer;
/** `manager-not-initialized` */
export const notInitialized: ErrorMaker<{ node: string; state: string }> = defined.notInitialized;
