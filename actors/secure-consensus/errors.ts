/** What keeps a secured consensus from giving a decision. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	proposalRefused: [
		"proposal-refused",
		(d: { reason: string }) => `this proposal is not put to the group: ${d.reason}`,
	],
	keyUnfit: [
		"group-key-unfit",
		(d: { reason: string }) => `the shared key can not vouch for this group's decisions: ${d.reason}`,
	],
	notAuthentic: ["decision-not-authentic", (d: { fault: string }) => `this is no decision of the group: ${d.fault}`],
});

/** `proposal-refused` */
export const proposalRefused: ErrorMaker<{ reason: string }> = defined.proposalRefused;
/** `group-key-unfit` */
export const keyUnfit: ErrorMaker<{ reason: string }> = defined.keyUnfit;
/** `decision-not-authentic` */
export const notAuthentic: ErrorMaker<{ fault: string }> = defined.notAuthentic;
