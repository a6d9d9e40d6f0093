/** What a security manager answers when it can not do what it is asked. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	noKey: [
		"no-group-key",
		(_: Record<string, never>) => "there is no key yet: call generateDistributedKeys(participants, threshold) first",
	],
	ceremonyFailed: [
		"ceremony-failed",
		(d: { ceremony: string; reason: string; suspects: readonly string[] }) =>
			`the key ceremony ${d.ceremony} failed: ${d.reason}${d.suspects.length === 0 ? "" : ` (${d.suspects.join(", ")})`}`,
	],
	signingFailed: [
		"signing-failed",
		(d: { reason: string; culprits: readonly string[] }) =>
			`no signature came about: ${d.reason}${d.culprits.length === 0 ? "" : ` (${d.culprits.join(", ")})`}`,
	],
	shareMissing: [
		"share-missing",
		(d: { node: string; publicKey: string; epoch: number }) =>
			`${d.node} holds no share of ${d.publicKey} in epoch ${d.epoch}`,
	],
	participantsInvalid: [
		"participants-invalid",
		(d: { reason: string }) => `these participants can not share a key: ${d.reason}`,
	],
	backupInvalid: [
		"backup-invalid",
		(d: { reason: string; custodians: readonly string[] }) =>
			`the backup does not give the share: ${d.reason}${d.custodians.length === 0 ? "" : ` (${d.custodians.join(", ")})`}`,
	],
	signingRefused: [
		"signing-refused",
		(d: { node: string; reason: string }) => `${d.node} does not sign this: ${d.reason}`,
	],
	managerStopped: ["security-manager-stopped", (_: Record<string, never>) => "the security manager was shut down"],
});

/** `no-group-key` */
export const noKey: ErrorMaker<Record<string, never>> = defined.noKey;
/** `ceremony-failed`: `suspects` are who was left out, or why it failed. */
export const ceremonyFailed: ErrorMaker<{ ceremony: string; reason: string; suspects: readonly string[] }> =
	defined.ceremonyFailed;
/** `signing-failed`: `culprits` have sent wrong shares; the silent are not among them. */
export const signingFailed: ErrorMaker<{ reason: string; culprits: readonly string[] }> = defined.signingFailed;
/** `share-missing` */
export const shareMissing: ErrorMaker<{ node: string; publicKey: string; epoch: number }> = defined.shareMissing;
/** `participants-invalid` */
export const participantsInvalid: ErrorMaker<{ reason: string }> = defined.participantsInvalid;
/** `backup-invalid`: `custodians` have given pieces that are wrong. */
export const backupInvalid: ErrorMaker<{ reason: string; custodians: readonly string[] }> = defined.backupInvalid;
/** `signing-refused`: what is asked for is not what the key may be used for. */
export const signingRefused: ErrorMaker<{ node: string; reason: string }> = defined.signingRefused;
/** `security-manager-stopped` */
export const managerStopped: ErrorMaker<Record<string, never>> = defined.managerStopped;
