/** What a swarm and its clients answer when something is not possible. */
import { defineErrors, type ErrorMaker, QuorateError } from "../../protocols/core/index.ts";

const defined = defineErrors({
	nodeCountInvalid: [
		"node-count-invalid",
		(d: { nodes: string; limit: number; reason: string }) =>
			`a group has 1 to ${d.limit} members of different names, not ${d.nodes}: ${d.reason}`,
	],
	optionUnknown: [
		"option-unknown",
		(d: { option: string; known: readonly string[] }) =>
			`there is no option ${d.option}; in its place there may be ${d.known.join(", ")}`,
	],
	noLeader: [
		"no-leader",
		(d: { group: string; waitedMs: number }) => `the group ${d.group} has had no leader for ${d.waitedMs} ms`,
	],
	nodeUnknown: [
		"node-unknown",
		(d: { node: string; members: readonly string[] }) =>
			`there is no member ${d.node}; the members are ${d.members.join(", ")}`,
	],
	nodeDown: ["node-down", (d: { node: string }) => `${d.node} is not running now`],
	valueTooLarge: [
		"value-too-large",
		(d: { sizeBytes: number; limitBytes: number }) =>
			`the encoded value has ${d.sizeBytes} bytes, ${d.limitBytes} are allowed`,
	],
	valueNotEncodable: [
		"value-not-encodable",
		(d: { reason: string }) => `the value is no plain data that could be encoded: ${d.reason}`,
	],
	outcomeUnknown: [
		"outcome-unknown",
		(d: { operation: string; waitedMs: number; attempts: number; reason: string }) =>
			`no answer to the ${d.operation} in ${d.waitedMs} ms and ${d.attempts} attempts (${d.reason}): it may yet be decided, once`,
	],
	notDecided: [
		"not-decided",
		(d: { operation: string; waitedMs: number; attempts: number; reason: string }) =>
			`the ${d.operation} was refused for ${d.waitedMs} ms in ${d.attempts} attempts (${d.reason}): it has certainly no effect`,
	],
	leaseOff: [
		"lease-off",
		(_: Record<string, never>) => "a read by lease needs a group with leases: raft.config.lease of the swarm's options",
	],
	resultForgotten: [
		"result-forgotten",
		(d: { session: number; serial: number }) =>
			`command ${d.serial} of session ${d.session} is older than what the group remembers: it was applied, or never will be`,
	],
	clientOverloaded: [
		"client-overloaded",
		(d: { waiting: number; limit: number }) =>
			`${d.waiting} commands wait for a place in this client's window (limit ${d.limit})`,
	],
	memberExists: ["member-exists", (d: { node: string }) => `${d.node} is a member already`],
	memberStateLost: [
		"member-state-lost",
		(d: { node: string }) =>
			`${d.node} has lost what it durably held, and with it its promises to the others: it may not take part under this name any more`,
	],
	membershipRefused: [
		"membership-refused",
		(d: { operation: string; reason: string; detail: string }) =>
			`the leader refused the ${d.operation}: ${d.reason}${d.detail === "" ? "" : ` (${d.detail})`}`,
	],
	membershipNotDone: [
		"membership-not-done",
		(d: { operation: string; waitedMs: number; reason: string }) =>
			`the ${d.operation} was not done in ${d.waitedMs} ms (${d.reason}): it may yet be`,
	],
	transferGivenUp: [
		"transfer-given-up",
		(d: { to: string; failure: string }) => `leadership was not handed over to ${d.to}: ${d.failure}`,
	],
	clientClosed: ["client-closed", (_: Record<string, never>) => "this client is closed"],
	swarmStopped: ["swarm-stopped", (_: Record<string, never>) => "the swarm has been stopped"],
	swarmFailed: [
		"swarm-failed",
		(d: { reason: string }) => `the swarm has failed and makes no progress any more: ${d.reason}`,
	],
	commandFatal: [
		"command-fatal",
		(d: { node: string; index: number; deaths: number; cause: string }) =>
			`${d.deaths} threads of ${d.node}, one after the other, ended (${d.cause}) while the application applied the command at index ${d.index}`,
	],
	answerUnexpected: ["answer-unexpected", (d: { type: string }) => `the group answered ${d.type}`],
	noGroup: ["no-raft-group", (_: Record<string, never>) => "this swarm was started without a Raft group"],
});

/** `node-count-invalid` */
export const nodeCountInvalid: ErrorMaker<{ nodes: string; limit: number; reason: string }> = defined.nodeCountInvalid;
/** `option-unknown` */
export const optionUnknown: ErrorMaker<{ option: string; known: readonly string[] }> = defined.optionUnknown;
/** `no-leader` */
export const noLeader: ErrorMaker<{ group: string; waitedMs: number }> = defined.noLeader;
/** `node-unknown` */
export const nodeUnknown: ErrorMaker<{ node: string; members: readonly string[] }> = defined.nodeUnknown;
/** `value-too-large` */
export const valueTooLarge: ErrorMaker<{ sizeBytes: number; limitBytes: number }> = defined.valueTooLarge;
/** `value-not-encodable` */
export const valueNotEncodable: ErrorMaker<{ reason: string }> = defined.valueNotEncodable;
/** `outcome-unknown` */
export const outcomeUnknown: ErrorMaker<{ operation: string; waitedMs: number; attempts: number; reason: string }> =
	defined.outcomeUnknown;
/** `not-decided` */
export const notDecided: ErrorMaker<{ operation: string; waitedMs: number; attempts: number; reason: string }> =
	defined.notDecided;
/** `client-overloaded` */
export const clientOverloaded: ErrorMaker<{ waiting: number; limit: number }> = defined.clientOverloaded;
/** `member-exists` */
export const memberExists: ErrorMaker<{ node: string }> = defined.memberExists;
/** `member-state-lost`: remove it, and add a member under a name that was never in use */
export const memberStateLost: ErrorMaker<{ node: string }> = defined.memberStateLost;
/** `membership-refused` */
export const membershipRefused: ErrorMaker<{ operation: string; reason: string; detail: string }> =
	defined.membershipRefused;
/** `membership-not-done` */
export const membershipNotDone: ErrorMaker<{ operation: string; waitedMs: number; reason: string }> =
	defined.membershipNotDone;
/** `transfer-given-up` */
export const transferGivenUp: ErrorMaker<{ to: string; failure: string }> = defined.transferGivenUp;
/** `client-closed` */
export const clientClosed: ErrorMaker<Record<string, never>> = defined.clientClosed;
/** `swarm-stopped` */
export const swarmStopped: ErrorMaker<Record<string, never>> = defined.swarmStopped;
/** `swarm-failed` */
export const swarmFailed: ErrorMaker<{ reason: string }> = defined.swarmFailed;
/** `command-fatal`: a command that ends every thread that applies it */
export const commandFatal: ErrorMaker<{ node: string; index: number; deaths: number; cause: string }> =
	defined.commandFatal;
/** `answer-unexpected`: an answer of another version of this protocol */
export const answerUnexpected: ErrorMaker<{ type: string }> = defined.answerUnexpected;
/** `no-raft-group` */
export const noGroup: ErrorMaker<Record<string, never>> = defined.noGroup;
/** `lease-off` */
export const leaseOff: ErrorMaker<Record<string, never>> = defined.leaseOff;
/** `result-forgotten` */
export const resultForgotten: ErrorMaker<{ session: number; serial: number }> = defined.resultForgotten;
/** `node-down` */
export const nodeDown: ErrorMaker<{ node: string }> = defined.nodeDown;

/** What went wrong at the bottom of the tree: each supervisor on the way up says only that a child did not start. */
export function startReason(error: unknown): unknown {
	let reason = error;
	while (reason instanceof QuorateError && reason.code === "child-start-failed" && reason.cause !== undefined) {
		reason = reason.cause;
	}
	return reason;
}
