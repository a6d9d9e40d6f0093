/** A decision that a shared key vouches for: what it is, and how a third party checks it. */
import { createHash } from "node:crypto";
import type { DecisionProof } from "../../protocols/pbft/index.ts";
import { type SuiteName, verifySignature } from "../../protocols/security/index.ts";
import { type CertifiedDecision, verifyProofs } from "../byzantine-coordinator/index.ts";
import { decisionStatement } from "../security-manager/index.ts";

/** A signature of the shared key under the statement of one decision. */
export interface DecisionSignature {
	readonly suite: SuiteName;
	readonly publicKey: Uint8Array;
	/** The sharing that has signed; the public key is the same in all. */
	readonly keyEpoch: number;
	readonly signature: Uint8Array;
}

/** Decided, proved by the commits of a quorum, and signed by a threshold of those who hold the key. */
export interface SecuredDecision<Result = unknown> extends CertifiedDecision<Result> {
	readonly signature: DecisionSignature;
}

/** The key that a judge trusts, from wherever it knows it. */
export interface TrustedKey {
	readonly suite: SuiteName;
	readonly publicKey: Uint8Array;
}

/**
 * Whether that key vouches for that request's place in the order. It needs no key of a member: who holds a share has checked the commits.
 * What the application has returned is not covered; f + 1 members have said it.
 */
export function verifyDecisionSignature(
	proof: DecisionProof,
	{ publicKey, suite, signature }: DecisionSignature,
	trusted: TrustedKey,
): boolean {
	if (suite !== trusted.suite || !Buffer.from(publicKey).equals(trusted.publicKey)) return false;
	return verifySignature(trusted.suite, trusted.publicKey, decisionStatement(proof, sha256), signature);
}

/**
 * Checks everything of a decision: the signature under the trusted key, and the commits under the members' keys that come with it.
 * @returns null if it holds, or what is wrong with it
 */
export function verifySecuredDecision(decision: SecuredDecision, trusted: TrustedKey): string | null {
	try {
		const { proof, ...trust } = decision.certificate;
		const { sequence, view } = proof.certificate;
		if (decision.sequence !== sequence) return `it says slot ${decision.sequence}, its certificate slot ${sequence}`;
		if (!verifyDecisionSignature(proof, decision.signature, trusted)) {
			return "the shared key has not signed this decision";
		}
		const file = { cluster: proof.cluster, ...trust, windowSize: 0, decisions: [proof], evidence: [] };
		const [verdict] = verifyProofs(`slot ${sequence}, view ${view}`, file);
		const fault = verdict?.fault ?? null;
		return fault === null ? null : `the certificate proves nothing: ${fault}`;
	} catch (thrown) {
		// It comes from somebody else, and may be anything.
		return `it is malformed: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
	}
}

function sha256(bytes: Uint8Array): Uint8Array {
	return createHash("sha256").update(bytes).digest();
}
