/**
 * `runtime/crypto`: the crypto port of `protocols/core` on `node:crypto`: SHA-256, Ed25519 with one verification policy for the whole
 * cluster, HMAC-SHA-256 authenticators between each two participants, keys checked when they are enrolled.
 *
 * Place: beside the other rooms of `runtime`; it knows no protocol. A host makes a {@link KeyRing}, enrols everyone, and hands the
 * {@link NodeCryptoPort} to its machine.
 *
 * Not here: threshold signatures and proofs (`protocols/security`), key storage, rotation. What `node:crypto` does with secrets in
 * memory is OpenSSL's to say; nothing here is FIPS-validated.
 */
export { requirePrimeOrderKey } from "./ed25519-key.ts";
export { keyConflict, keyInvalid, keyShared } from "./errors.ts";
export {
	ENROLLED_MAX,
	type Enrolled,
	exportIdentity,
	generateIdentity,
	importIdentity,
	KeyRing,
	type OwnIdentity,
	type PublicIdentity,
	type SecretIdentity,
} from "./key-ring.ts";
export { NodeCryptoPort } from "./node-crypto-port.ts";
