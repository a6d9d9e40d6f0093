/**
 * `runtime/crypto`: the crypto port of `protocols/core` on `node:crypto`: SHA-256, Ed25519 with one verification policy for the whole
 * cluster, HMAC-SHA-256 authenticators between each two participants, keys checked when they are enrolled.
 *
 * Place: beside the other rooms of `runtime`; it knows no protocol. A host makes a {@link KeyRing}, enrols everyone, and hands the
 * {@link NodeCryptoPort} to its machine.
 *
 * Beside it, where secrets are kept and sent: {@link KeyStore} (scrypt and AES-GCM), HPKE (RFC 9180), {@link SealedChannel} between two
 * participants, {@link PairwiseBox} for the shares of a key ceremony.
 *
 * Not here: threshold signatures and proofs (`protocols/security`), rotation. What `node:crypto` does with secrets in
 * memory is OpenSSL's to say; nothing here is FIPS-validated.
 */

export type { AeadName } from "./aead.ts";
export { requirePrimeOrderKey } from "./ed25519-key.ts";
export { keyConflict, keyInvalid, keyShared } from "./errors.ts";
export {
	deriveAgreementKey,
	type HpkeOptions,
	type HpkeRecipient,
	type HpkeSender,
	setupHpkeRecipient,
	setupHpkeSender,
} from "./hpke.ts";
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
export {
	KeyStore,
	readKeyStore,
	SCRYPT_COST_DEFAULT,
	type ScryptCost,
	type StoredKeys,
	writeKeyStore,
} from "./key-store.ts";
export { NodeCryptoPort } from "./node-crypto-port.ts";
export { PairwiseBox } from "./pairwise-box.ts";
export {
	type AnsweredChannel,
	answerChannel,
	type ChannelAnswer,
	type ChannelConfirm,
	type ChannelHello,
	type ChannelParty,
	type InitiatedChannel,
	initiateChannel,
	SealedChannel,
} from "./sealed-channel.ts";
export { type AgreementKey, agreementKeyFrom, generateAgreementKey } from "./x25519.ts";
