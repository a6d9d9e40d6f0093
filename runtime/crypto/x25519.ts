/** X25519 (RFC 7748) with raw 32-byte keys on `node:crypto`. */
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from "node:crypto";
import { agreementKeyInvalid } from "./secrecy-errors.ts";

export const X25519_KEY_BYTES = 32;

/** A key pair; the secret half is the platform's handle. */
export interface AgreementKey {
	readonly publicKey: Uint8Array;
	readonly privateKey: KeyObject;
}

/** PKCS #8 of an X25519 key up to the key itself (RFC 8410 §7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");

export function generateAgreementKey(): AgreementKey {
	const { privateKey } = generateKeyPairSync("x25519");
	return { publicKey: publicOf(privateKey), privateKey };
}

/** The pair of a raw secret key, as from a key store. @throws QuorateError `agreement-key-invalid` */
export function agreementKeyFrom(secret: Uint8Array): AgreementKey {
	if (!(secret instanceof Uint8Array) || secret.length !== X25519_KEY_BYTES)
		throw agreementKeyInvalid({ reason: `a secret key has ${X25519_KEY_BYTES} bytes` });
	const encoded = Buffer.concat([PKCS8_PREFIX, secret]);
	const privateKey = createPrivateKey({ key: encoded, format: "der", type: "pkcs8" });
	encoded.fill(0);
	return { publicKey: publicOf(privateKey), privateKey };
}

/**
 * The secret that two keys share.
 * @throws QuorateError `agreement-key-invalid` for a public key of another length, and for one of small order, which would give a
 *   secret that everybody knows (RFC 7748 §6.1)
 */
export function agree(own: AgreementKey, peer: Uint8Array): Uint8Array {
	if (!(peer instanceof Uint8Array) || peer.length !== X25519_KEY_BYTES)
		throw agreementKeyInvalid({ reason: `a public key has ${X25519_KEY_BYTES} bytes` });
	const x = Buffer.from(peer).toString("base64url");
	const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
	try {
		const secret = Uint8Array.from(diffieHellman({ privateKey: own.privateKey, publicKey }));
		if (secret.every((byte) => byte === 0)) throw agreementKeyInvalid({ reason: "it is of small order" });
		return secret;
	} catch (cause) {
		throw agreementKeyInvalid({ reason: "it is of small order" }, { cause });
	}
}

/** The last 32 bytes of the key's DER form are the key itself (RFC 8410 §4). */
function publicOf(privateKey: KeyObject): Uint8Array {
	const encoded = createPublicKey(privateKey).export({ format: "der", type: "spki" });
	return Uint8Array.from(encoded.subarray(-X25519_KEY_BYTES));
}
