/**
 * Proof of knowledge of a discrete logarithm, non-interactive (RFC 8235 §3, over an elliptic group as in §4). The challenge hashes
 * generator, public element, commitment and a context (who proves, for what), and the verifier computes it itself: a proof is of
 * this statement, by this prover, for this use, and can not be put together from a challenge chosen first.
 */
import { concat, frame, requireBytes } from "../bytes.ts";
import { type Ciphersuite, ELEMENT_BYTES, type GroupElement } from "../ciphersuite.ts";
import { statementInvalid } from "../errors.ts";
import { CONTEXT_BYTES_MAX } from "../limits.ts";
import { ScalarSource } from "../scalar-source.ts";
import { generatorTimes } from "../shamir.ts";

/** Commitment and response, encoded. */
export const SCHNORR_PROOF_BYTES = 64;

/**
 * Proves knowledge of the logarithm of `secret`·G.
 * @throws QuorateError `statement-invalid` for a secret of zero; `bytes-malformed` for entropy under 32 bytes
 */
export function proveKnowledge(
	suite: Ciphersuite,
	secret: bigint,
	context: Uint8Array,
	entropy: Uint8Array,
): Uint8Array {
	requireBytes("context", context, 0, CONTEXT_BYTES_MAX);
	if (secret === 0n) throw statementInvalid({ reason: "the secret is zero" });
	const publicElement = generatorTimes(suite, secret);
	const nonce = new ScalarSource(suite, "schnorr", entropy, suite.encodeScalar(secret), context).next();
	const commitment = generatorTimes(suite, nonce).toBytes();
	const response = suite.reduce(nonce + challengeOf(suite, publicElement, commitment, context) * secret);
	return concat(commitment, suite.encodeScalar(response));
}

/** Whether the proof shows knowledge of `publicElement`'s logarithm, in this context. False for anything malformed. */
export function verifyKnowledge(
	suite: Ciphersuite,
	publicElement: GroupElement,
	context: Uint8Array,
	proof: Uint8Array,
): boolean {
	if (!(proof instanceof Uint8Array) || proof.length !== SCHNORR_PROOF_BYTES) return false;
	if (context.length > CONTEXT_BYTES_MAX || publicElement.is0()) return false;
	const encoded = proof.slice(0, ELEMENT_BYTES);
	try {
		const commitment = suite.decodeElement(encoded, "the commitment");
		const response = suite.decodeScalar(proof.slice(ELEMENT_BYTES), "the response");
		const challenge = challengeOf(suite, publicElement, encoded, context);
		return suite.generator.multiplyUnsafe(response).equals(commitment.add(publicElement.multiplyUnsafe(challenge)));
	} catch {
		// What can not be decoded proves nothing.
		return false;
	}
}

function challengeOf(
	suite: Ciphersuite,
	publicElement: GroupElement,
	commitment: Uint8Array,
	context: Uint8Array,
): bigint {
	return suite.hashToScalar(
		"schnorr-proof",
		frame(suite.generator.toBytes(), publicElement.toBytes(), commitment, context),
	);
}
