/**
 * Proof that two elements have the same logarithm to two bases (Chaum and Pedersen 1992), non-interactive. The challenge hashes both
 * bases, both elements, both commitments and a context, so the proof is of this statement alone.
 */
import { concat, frame, requireBytes } from "../bytes.ts";
import { type Ciphersuite, ELEMENT_BYTES, type GroupElement } from "../ciphersuite.ts";
import { statementInvalid } from "../errors.ts";
import { CONTEXT_BYTES_MAX } from "../limits.ts";
import { ScalarSource } from "../scalar-source.ts";

/** `first = x·base` and `second = x·otherBase`, for one x. */
export interface EqualLogarithms {
	readonly base: GroupElement;
	readonly first: GroupElement;
	readonly otherBase: GroupElement;
	readonly second: GroupElement;
}

/** Challenge and response. */
export const DLEQ_PROOF_BYTES = 64;

/**
 * Proves it, knowing x.
 * @throws QuorateError `statement-invalid` if it does not hold; `bytes-malformed`
 */
export function proveEqualLogarithms(
	suite: Ciphersuite,
	statement: EqualLogarithms,
	secret: bigint,
	context: Uint8Array,
	entropy: Uint8Array,
): Uint8Array {
	requireBytes("context", context, 0, CONTEXT_BYTES_MAX);
	const { base, first, otherBase, second } = statement;
	if (secret === 0n || !base.multiply(secret).equals(first) || !otherBase.multiply(secret).equals(second))
		throw statementInvalid({ reason: "the secret is not the logarithm of both" });
	const nonce = new ScalarSource(suite, "dleq", entropy, suite.encodeScalar(secret), context).next();
	const challenge = challengeOf(suite, statement, base.multiply(nonce), otherBase.multiply(nonce), context);
	return concat(suite.encodeScalar(challenge), suite.encodeScalar(suite.reduce(nonce - challenge * secret)));
}

/** Whether the proof shows it, in this context. False for anything malformed, and for a statement with the identity in it. */
export function verifyEqualLogarithms(
	suite: Ciphersuite,
	statement: EqualLogarithms,
	context: Uint8Array,
	proof: Uint8Array,
): boolean {
	const { base, first, otherBase, second } = statement;
	if (!(proof instanceof Uint8Array) || proof.length !== DLEQ_PROOF_BYTES || context.length > CONTEXT_BYTES_MAX)
		return false;
	if ([base, first, otherBase, second].some((element) => element.is0())) return false;
	try {
		const challenge = suite.decodeScalar(proof.slice(0, ELEMENT_BYTES), "the challenge");
		const response = suite.decodeScalar(proof.slice(ELEMENT_BYTES), "the response");
		const commitment = suite.sumOfProducts([base, first], [response, challenge]);
		const other = suite.sumOfProducts([otherBase, second], [response, challenge]);
		return challengeOf(suite, statement, commitment, other, context) === challenge;
	} catch {
		// What can not be decoded proves nothing.
		return false;
	}
}

function challengeOf(
	suite: Ciphersuite,
	{ base, first, otherBase, second }: EqualLogarithms,
	commitment: GroupElement,
	other: GroupElement,
	context: Uint8Array,
): bigint {
	const elements = [base, first, otherBase, second, commitment, other].map((element) => element.toBytes());
	return suite.hashToScalar("equal-logarithms", frame(...elements, context));
}
