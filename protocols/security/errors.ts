/** What the cryptographic protocols refuse, as typed errors: malformed foreign input, misuse of secrets, and proven misbehaviour. */
import { defineErrors, type ErrorMaker } from "../core/index.ts";

const defined = defineErrors({
	scalarMalformed: ["scalar-malformed", (d: { what: string; reason: string }) => `${d.what} is no scalar: ${d.reason}`],
	pointMalformed: [
		"point-malformed",
		(d: { what: string; reason: string }) => `${d.what} is no group element: ${d.reason}`,
	],
	bytesMalformed: [
		"bytes-malformed",
		(d: { what: string; expected: string; actual: string }) => `${d.what}: expected ${d.expected}, got ${d.actual}`,
	],
	identifierInvalid: [
		"identifier-invalid",
		(d: { identifier: number; reason: string }) => `identifier ${d.identifier} ${d.reason}`,
	],
	thresholdInvalid: [
		"threshold-invalid",
		(d: { threshold: number; members: number }) =>
			`a threshold of ${d.threshold} is outside 1 to ${d.members}, the number of members`,
	],
	tooFewShares: [
		"too-few-shares",
		(d: { needed: number; given: number }) => `${d.needed} shares are needed, ${d.given} were given`,
	],
	keyShareInvalid: [
		"key-share-invalid",
		(d: { identifier: number; reason: string }) => `the key share of ${d.identifier} is not usable: ${d.reason}`,
	],
	noncesSpent: [
		"nonces-spent",
		(d: { identifier: number }) => `the nonces of ${d.identifier} have signed already, or are a copy: make new ones`,
	],
	signingPackageInvalid: [
		"signing-package-invalid",
		(d: { reason: string }) => `the signing package is refused: ${d.reason}`,
	],
	signatureSharesInvalid: [
		"signature-shares-invalid",
		(d: { culprits: readonly string[] }) => `signature shares do not verify: those of ${d.culprits.join(", ")}`,
	],
	statementInvalid: [
		"statement-invalid",
		(d: { reason: string }) => `what is to be proven does not hold or can not be proven: ${d.reason}`,
	],
	ceremonyConfigInvalid: [
		"ceremony-config-invalid",
		(d: { field: string; expected: string; actual: string }) =>
			`key ceremony: ${d.field} must be ${d.expected}, got ${d.actual}`,
	],
	limitExceeded: [
		"security-limit-exceeded",
		(d: { what: string; limit: number; actual: number }) => `${d.what}: at most ${d.limit}, got ${d.actual}`,
	],
	detectorConfigInvalid: [
		"detector-config-invalid",
		(d: { field: string; expected: string; actual: number }) => `${d.field} must be ${d.expected}, got ${d.actual}`,
	],
});

/** `scalar-malformed`: not canonical, of another length, or zero where zero is not allowed. */
export const scalarMalformed: ErrorMaker<{ what: string; reason: string }> = defined.scalarMalformed;
/** `point-malformed`: not canonical, outside the prime-order group, or the identity. */
export const pointMalformed: ErrorMaker<{ what: string; reason: string }> = defined.pointMalformed;
/** `bytes-malformed` */
export const bytesMalformed: ErrorMaker<{ what: string; expected: string; actual: string }> = defined.bytesMalformed;
/** `identifier-invalid` */
export const identifierInvalid: ErrorMaker<{ identifier: number; reason: string }> = defined.identifierInvalid;
/** `threshold-invalid` */
export const thresholdInvalid: ErrorMaker<{ threshold: number; members: number }> = defined.thresholdInvalid;
/** `too-few-shares` */
export const tooFewShares: ErrorMaker<{ needed: number; given: number }> = defined.tooFewShares;
/** `key-share-invalid` */
export const keyShareInvalid: ErrorMaker<{ identifier: number; reason: string }> = defined.keyShareInvalid;
/** `nonces-spent` */
export const noncesSpent: ErrorMaker<{ identifier: number }> = defined.noncesSpent;
/** `signing-package-invalid` */
export const signingPackageInvalid: ErrorMaker<{ reason: string }> = defined.signingPackageInvalid;
/** `signature-shares-invalid`: `culprits` are the members whose shares are wrong. */
export const signatureSharesInvalid: ErrorMaker<{ culprits: readonly string[] }> = defined.signatureSharesInvalid;
/** `statement-invalid` */
export const statementInvalid: ErrorMaker<{ reason: string }> = defined.statementInvalid;
/** `ceremony-config-invalid` */
export const ceremonyConfigInvalid: ErrorMaker<{ field: string; expected: string; actual: string }> =
	defined.ceremonyConfigInvalid;
/** `security-limit-exceeded` */
export const limitExceeded: ErrorMaker<{ what: string; limit: number; actual: number }> = defined.limitExceeded;
/** `detector-config-invalid` */
export const detectorConfigInvalid: ErrorMaker<{ field: string; expected: string; actual: number }> =
	defined.detectorConfigInvalid;
