/**
 * The private channels of one key ceremony: a fresh X25519 key for each participant and ceremony, and ChaCha20-Poly1305 under a key
 * of its own for each pair, direction and context, so that no nonce is ever used twice. It has the shape of the `ShareChannel` that
 * `protocols/security` asks its host for.
 */
import { AEAD_NONCE_BYTES, aeadOpen, aeadSeal } from "./aead.ts";
import { hkdfExpand, hkdfExtract } from "./hkdf.ts";
import { type AgreementKey, agree, generateAgreementKey } from "./x25519.ts";

const AEAD = "chacha20-poly1305";
const KEY_BYTES = 32;

export class PairwiseBox {
	readonly #own: AgreementKey;

	constructor(own: AgreementKey = generateAgreementKey()) {
		this.#own = own;
	}

	get publicKey(): Uint8Array {
		return this.#own.publicKey;
	}

	/** One plaintext a context. Null for a key that can not be agreed with. */
	seal(recipientKey: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Uint8Array | null {
		const key = this.#key(recipientKey, this.publicKey, recipientKey, context);
		return key === null ? null : aeadSeal(AEAD, key, new Uint8Array(AEAD_NONCE_BYTES), context, plaintext);
	}

	/** Null for what this sender has not sealed for this key in this context. */
	open(senderKey: Uint8Array, context: Uint8Array, sealed: Uint8Array): Uint8Array | null {
		const key = this.#key(senderKey, senderKey, this.publicKey, context);
		return key === null ? null : aeadOpen(AEAD, key, new Uint8Array(AEAD_NONCE_BYTES), context, sealed);
	}

	#key(peer: Uint8Array, from: Uint8Array, to: Uint8Array, context: Uint8Array): Uint8Array | null {
		try {
			const secret = hkdfExtract(Buffer.from("quorate/pairwise-box/v1"), agree(this.#own, peer));
			return hkdfExpand(secret, Buffer.concat([from, to, context]), KEY_BYTES);
		} catch {
			// A key of small order or of another length: its owner has no secret to share.
			return null;
		}
	}
}
