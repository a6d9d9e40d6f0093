/** Verification of what a group has signed: a Schnorr signature, to a verifier the same as a single signer's. */
import { concat } from "../bytes.ts";
import { ciphersuite, ELEMENT_BYTES, SIGNATURE_BYTES, type SuiteName } from "../ciphersuite.ts";

/**
 * Whether `signature` is the group's on `message`: s·G = R + c·PK. False for anything malformed; it never throws. For `ed25519`
 * this is RFC 8032 §5.1.7 with the strict choices: canonical R and s, both R and the key of prime order, no cofactor.
 */
export function verifySignature(
	suiteName: SuiteName,
	publicKey: Uint8Array,
	message: Uint8Array,
	signature: Uint8Array,
): boolean {
	if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) return false;
	if (!(message instanceof Uint8Array)) return false;
	const suite = ciphersuite(suiteName);
	try {
		const commitment = signature.slice(0, ELEMENT_BYTES);
		const response = suite.decodeScalar(signature.slice(ELEMENT_BYTES), "the response");
		const r = suite.decodeElement(commitment, "the commitment");
		const key = suite.decodeElement(publicKey, "the public key");
		const challenge = suite.h2(concat(commitment, publicKey, message));
		return suite.generator.multiplyUnsafe(response).equals(r.add(key.multiplyUnsafe(challenge)));
	} catch {
		// What can not be decoded is no signature.
		return false;
	}
}
