/** What can go wrong with a Byzantine group in this process, as typed errors. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	clientsExhausted: [
		"clients-exhausted",
		(d: { limit: number }) =>
			`all ${d.limit} clients whose keys the members know are in use: start with a higher clientsMax`,
	],
	certificateGone: [
		"certificate-gone",
		(d: { sequence: number }) =>
			`the decision of slot ${d.sequence} is covered by a checkpoint, and its certificate is not kept any more`,
	],
	certificatesNone: [
		"certificates-none",
		(d: { votes: string }) =>
			`votes are ${d.votes}, for members alone, so no decision has a certificate: start with votes "signed", or propose without one`,
	],
	certificateInvalid: ["certificate-invalid", (d: { fault: string }) => `this certificate proves nothing: ${d.fault}`],
	proofFileInvalid: [
		"proof-file-invalid",
		(d: { file: string; reason: string }) => `${d.file} is no file of proofs: ${d.reason}`,
	],
	groupHalted: [
		"byzantine-group-halted",
		(d: { sequence: number; culprits: readonly string[] }) =>
			`slot ${d.sequence} was decided twice: more members are faulty than the group can bear${d.culprits.length === 0 ? "" : ` (${d.culprits.join(", ")} signed both)`}`,
	],
	dataForeign: [
		"byzantine-data-foreign",
		(d: { directory: string; field: string; expected: string; found: string }) =>
			`the group in ${d.directory} is another one: its ${d.field} are ${d.found}, not ${d.expected}`,
	],
	dataIncomplete: [
		"byzantine-data-incomplete",
		(d: { directory: string; missing: string }) =>
			`${d.directory} has lost ${d.missing}: keys and logs belong together, and members without both must not speak again`,
	],
	membersGivenUp: [
		"byzantine-members-given-up",
		(d: { members: readonly string[]; faults: number }) =>
			`${d.members.join(", ")} failed more often than is tolerated: the group bears ${d.faults} that are out`,
	],
	dataRefuted: [
		"byzantine-data-refuted",
		(d: { culprit: string }) => `what is kept of the group convicts ${d.culprit} by evidence that proves nothing`,
	],
	notConvicted: [
		"member-not-convicted",
		(d: { node: string }) => `there is no proof against ${d.node}: a member is isolated on evidence alone`,
	],
	membershipRefused: [
		"membership-change-refused",
		(d: { reason: string; details: Readonly<Record<string, unknown>> }) =>
			`the members have refused to change who they are: ${d.reason}`,
	],
	notInitialized: [
		"coordinator-not-initialized",
		(d: { node: string; state: string }) => `the coordinator of ${d.node} is ${d.state}: call initializeNode() first`,
	],
	notAMember: [
		"not-a-member",
		(d: { node: string; members: readonly string[] }) => `${d.node} is not among the members ${d.members.join(", ")}`,
	],
});

/** `clients-exhausted` */
export const clientsExhausted: ErrorMaker<{ limit: number }> = defined.clientsExhausted;
/** `certificate-gone` */
export const certificateGone: ErrorMaker<{ sequence: number }> = defined.certificateGone;
/** `certificates-none` */
export const certificatesNone: ErrorMaker<{ votes: string }> = defined.certificatesNone;
/** `certificate-invalid` */
export const certificateInvalid: ErrorMaker<{ fault: string }> = defined.certificateInvalid;
/** `proof-file-invalid` */
export const proofFileInvalid: ErrorMaker<{ file: string; reason: string }> = defined.proofFileInvalid;
/** `byzantine-group-halted` */
export const groupHalted: ErrorMaker<{ sequence: number; culprits: readonly string[] }> = defined.groupHalted;
/** `byzantine-data-foreign` */
export const dataForeign: ErrorMaker<{ directory: string; field: string; expected: string; found: string }> =
	defined.dataForeign;
/** `byzantine-data-incomplete` */
export const dataIncomplete: ErrorMaker<{ directory: string; missing: string }> = defined.dataIncomplete;
/** `byzantine-members-given-up` */
export const membersGivenUp: ErrorMaker<{ members: readonly string[]; faults: number }> = defined.membersGivenUp;
/** `coordinator-not-initialized` */
export const notInitialized: ErrorMaker<{ node: string; state: string }> = defined.notInitialized;
/** `byzantine-data-refuted` */
export const dataRefuted: ErrorMaker<{ culprit: string }> = defined.dataRefuted;
/** `member-not-convicted` */
export const notConvicted: ErrorMaker<{ node: string }> = defined.notConvicted;
/** `membership-change-refused`; the reasons and their details are those of `MembershipRefusal`. */
export const membershipRefused: ErrorMaker<{ reason: string; details: Readonly<Record<string, unknown>> }> =
	defined.membershipRefused;
/** `not-a-member` */
export const notAMember: ErrorMaker<{ node: string; members: readonly string[] }> = defined.notAMember;
