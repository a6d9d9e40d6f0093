/**
 * The private channels of a key ceremony, as a port: a participant's key of this one ceremony, announced under its signature, and
 * encryption under the secret that two such keys give. On threads it is X25519, HKDF and ChaCha20-Poly1305 (`runtime/crypto`).
 */

/** Encrypts for and decrypts from other participants. Deterministic: each pair, direction and context is used once. */
export interface ShareChannel {
	/** Fresh for each ceremony, so that shares stay secret even if long-lived keys are lost later. */
	readonly publicKey: Uint8Array;
	/**
	 * Null when the recipient's key is unusable (such as one of low order). `context` is authenticated, and names ceremony, dealer
	 * and receiver.
	 */
	seal(recipientKey: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Uint8Array | null;
	/** Null when it does not authenticate. */
	open(senderKey: Uint8Array, context: Uint8Array, sealed: Uint8Array): Uint8Array | null;
}

/** The length of a channel key. */
export const CHANNEL_KEY_BYTES = 32;
/** What a sealed share may be long: a scalar with nonce and tag. */
export const SEALED_SHARE_BYTES_MAX = 96;
