/** What can go wrong for a gossip coordinator, as typed errors. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const coordinatorErrors = defineErrors({
	notInitialized: [
		"gossip-not-initialized",
		(d: { node: string; state: string }) => `the coordinator of ${d.node} is ${d.state}: initialize() it first`,
	],
	memberRuns: [
		"gossip-member-runs",
		(d: { node: string; group: string }) => `${d.node} runs in the group ${d.group} already`,
	],
	memberMissing: [
		"gossip-member-missing",
		(d: { node: string; group: string }) => `no member ${d.node} runs in the group ${d.group}`,
	],
	threadMissing: [
		"gossip-thread-missing",
		(d: { thread: string; group: string }) => `no members of the group ${d.group} share a thread ${d.thread}`,
	],
	requestRefused: [
		"gossip-request-refused",
		(d: { node: string; request: string; reason: string }) => `${d.node} refused ${d.request}: ${d.reason}`,
	],
	coordinatesMissing: [
		"gossip-coordinates-missing",
		(d: { group: string }) => `the group ${d.group} measures no round trips: start it with coordinates`,
	],
	valuesMissing: [
		"gossip-values-missing",
		(d: { group: string }) => `the group ${d.group} shares no values: give it a schema (values)`,
	],
	valuesBusy: [
		"gossip-values-busy",
		(d: { node: string; limit: number }) => `${d.limit} changes wait for the disk of ${d.node} already`,
	],
	valuesTooLarge: [
		"gossip-values-too-large",
		(d: { node: string; sizeBytes: number; limitBytes: number }) =>
			`the shared values of ${d.node} would take ${d.sizeBytes} bytes, and ${d.limitBytes} are the most`,
	],
	storageLost: [
		"gossip-storage-lost",
		(d: { node: string }) => `${d.node} keeps nothing any more: its storage has failed, and a change may be lost`,
	],
	groupSettingsDiffer: [
		"gossip-settings-differ",
		(d: { group: string; setting: string }) => `the group ${d.group} runs with another ${d.setting}`,
	],
});

/** Nothing can be asked before `initialize()`: `{node, state}`. */
export const notInitialized: ErrorMaker<{ node: string; state: string }> = coordinatorErrors.notInitialized;
/** One node id is one member: `{node, group}`. */
export const memberRuns: ErrorMaker<{ node: string; group: string }> = coordinatorErrors.memberRuns;
/** The member was never started, was killed, or has left: `{node, group}`. */
export const memberMissing: ErrorMaker<{ node: string; group: string }> = coordinatorErrors.memberMissing;
/** No such thread runs members: `{thread, group}`. */
export const threadMissing: ErrorMaker<{ thread: string; group: string }> = coordinatorErrors.threadMissing;
/** The member said no: `{node, request, reason}`. */
export const requestRefused: ErrorMaker<{ node: string; request: string; reason: string }> =
	coordinatorErrors.requestRefused;
/** All coordinators of a group give the same settings, or leave them out: `{group, setting}`. */
export const groupSettingsDiffer: ErrorMaker<{ group: string; setting: string }> =
	coordinatorErrors.groupSettingsDiffer;
/** Members of the group have no network coordinates: `{group}`. */
export const coordinatesMissing: ErrorMaker<{ group: string }> = coordinatorErrors.coordinatesMissing;
/** Members of the group hold no values: `{group}`. */
export const valuesMissing: ErrorMaker<{ group: string }> = coordinatorErrors.valuesMissing;
/** Too many changes wait: `{node, limit}`. */
export const valuesBusy: ErrorMaker<{ node: string; limit: number }> = coordinatorErrors.valuesBusy;
/** The state would get too large: `{node, sizeBytes, limitBytes}`. */
export const valuesTooLarge: ErrorMaker<{ node: string; sizeBytes: number; limitBytes: number }> =
	coordinatorErrors.valuesTooLarge;
/** The storage has failed; a change that was under way may be made, and is lost with the member: `{node}`. */
export const storageLost: ErrorMaker<{ node: string }> = coordinatorErrors.storageLost;
