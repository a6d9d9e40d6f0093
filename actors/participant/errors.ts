/** What can go wrong in a participant. All but refused requests and queries stop it; its supervisor decides what comes next. */
import { defineErrors, type ErrorMaker, QuorateError } from "../../protocols/core/index.ts";

const defined = defineErrors({
	heldEffectsOverflow: [
		"held-effects-overflow",
		(d: { held: number; limit: number }) =>
			`${d.held} effects wait for the disk (limit ${d.limit}): the storage has fallen too far behind`,
	],
	deliveriesOverflow: [
		"deliveries-overflow",
		(d: { waiting: number; limit: number }) =>
			`${d.waiting} deliveries wait for a snapshot to be loaded (limit ${d.limit})`,
	],
	storageFailed: [
		"participant-storage-failed",
		(d: { store: string; code: string }) => `the storage of ${d.store} failed (${d.code}): it can promise nothing more`,
	],
	storeForeign: [
		"store-foreign",
		(d: { store: string; reason: string }) => `the store ${d.store} can not be read: ${d.reason}`,
	],
	applicationFailed: [
		"application-failed",
		(d: { application: string; hook: string; index: number; reason: string }) =>
			`the application ${d.application} failed in ${d.hook} at index ${d.index}: ${d.reason}`,
	],
	memberWithoutState: [
		"member-without-state",
		(d: { node: string }) => `${d.node} has no state to answer from: it is a witness, or waits for a snapshot`,
	],
	queryFailed: [
		"query-failed",
		(d: { application: string; reason: string }) => `the application ${d.application} failed at a query: ${d.reason}`,
	],
	resultTooLarge: [
		"result-too-large",
		(d: { application: string; hook: string; sizeBytes: number; limitBytes: number }) =>
			`${d.hook === "apply" ? "the command was applied, but its result" : "the answer"} has ${d.sizeBytes} bytes, ${d.limitBytes} are allowed (${d.hook} of ${d.application})`,
	],
	applicationInvalid: [
		"application-invalid",
		(d: { application: string; reason: string }) => `${d.application} is no application: ${d.reason}`,
	],
	requestUnknown: [
		"request-unknown",
		(d: { node: string }) => `${d.node} was asked something that its protocol does not know`,
	],
	snapshotLost: [
		"snapshot-lost",
		(d: { store: string; name: string; offset: number }) =>
			`the snapshot ${d.name} of the store ${d.store} ends at ${d.offset}, before its end`,
	],
});

/** `held-effects-overflow` */
export const heldEffectsOverflow: ErrorMaker<{ held: number; limit: number }> = defined.heldEffectsOverflow;
/** `deliveries-overflow` */
export const deliveriesOverflow: ErrorMaker<{ waiting: number; limit: number }> = defined.deliveriesOverflow;
/** `participant-storage-failed` */
export const storageFailed: ErrorMaker<{ store: string; code: string }> = defined.storageFailed;
/** `store-foreign` */
export const storeForeign: ErrorMaker<{ store: string; reason: string }> = defined.storeForeign;
/** `application-failed` */
export const applicationFailed: ErrorMaker<{ application: string; hook: string; index: number; reason: string }> =
	defined.applicationFailed;
/** `result-too-large`: of a command that was applied, or of a query */
export const resultTooLarge: ErrorMaker<{
	application: string;
	hook: string;
	sizeBytes: number;
	limitBytes: number;
}> = defined.resultTooLarge;
/** `application-invalid` */
export const applicationInvalid: ErrorMaker<{ application: string; reason: string }> = defined.applicationInvalid;
/** `request-unknown` */
export const requestUnknown: ErrorMaker<{ node: string }> = defined.requestUnknown;
/** `snapshot-lost` */
export const snapshotLost: ErrorMaker<{ store: string; name: string; offset: number }> = defined.snapshotLost;
/** `member-without-state` */
export const memberWithoutState: ErrorMaker<{ node: string }> = defined.memberWithoutState;
/** `query-failed` */
export const queryFailed: ErrorMaker<{ application: string; reason: string }> = defined.queryFailed;

/** Whether a read of the storage has failed since what stands there is not what was written, and all else of it is well. */
export function isDamage(error: unknown): boolean {
	return error instanceof QuorateError && error.code === "store-corrupt";
}
