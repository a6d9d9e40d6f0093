/** Authenticated encryption on `node:crypto`: AES-GCM (SP 800-38D) and ChaCha20-Poly1305 (RFC 8439). */
import { createCipheriv, createDecipheriv } from "node:crypto";

export const AEAD_NONCE_BYTES = 12;
export const AEAD_TAG_BYTES = 16;

const aeads = {
	"aes-128-gcm": { keyBytes: 16, hpkeId: 1 },
	"aes-256-gcm": { keyBytes: 32, hpkeId: 2 },
	"chacha20-poly1305": { keyBytes: 32, hpkeId: 3 },
} as const;

export type AeadName = keyof typeof aeads;

/** Bytes of a key, and the number that HPKE gives the algorithm (RFC 9180 §7.3). */
export function aeadProperties(name: AeadName): { readonly keyBytes: number; readonly hpkeId: number } {
	return aeads[name];
}

/** Ciphertext with its tag behind it. A nonce is used once under one key. */
export function aeadSeal(
	name: AeadName,
	key: Uint8Array,
	nonce: Uint8Array,
	associated: Uint8Array,
	plaintext: Uint8Array,
): Uint8Array {
	// The types of Node tell the algorithms apart; their calls are the same.
	const cipher = createCipheriv(name as "aes-256-gcm", key, nonce, { authTagLength: AEAD_TAG_BYTES });
	cipher.setAAD(associated, { plaintextLength: plaintext.length });
	const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
	return new Uint8Array(sealed.buffer, sealed.byteOffset, sealed.length);
}

/** Null if it does not authenticate. */
export function aeadOpen(
	name: AeadName,
	key: Uint8Array,
	nonce: Uint8Array,
	associated: Uint8Array,
	sealed: Uint8Array,
): Uint8Array | null {
	if (sealed.length < AEAD_TAG_BYTES) return null;
	const ciphertext = sealed.subarray(0, sealed.length - AEAD_TAG_BYTES);
	const decipher = createDecipheriv(name as "aes-256-gcm", key, nonce, { authTagLength: AEAD_TAG_BYTES });
	decipher.setAAD(associated, { plaintextLength: ciphertext.length });
	decipher.setAuthTag(sealed.subarray(sealed.length - AEAD_TAG_BYTES));
	try {
		const opened = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
		return new Uint8Array(opened.buffer, opened.byteOffset, opened.length);
	} catch {
		// The one reason that OpenSSL has here: the tag does not fit.
		return null;
	}
}
