/**
 * Which 32 bytes are a public key here. Verifiers of Ed25519 disagree about points of small order, non-canonical encodings and points
 * outside the prime-order group ("Taming the many EdDSAs", SSR 2020), and a cluster in which they do can be split by one bad signer.
 * So a key is checked once, when it is enrolled, and only points of the prime-order group pass. What verifiers may still see
 * differently is a signature's own point R, and for that there is one verifier. OpenSSL checks no keys, so the arithmetic here is
 * `@noble/curves`'.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { keyInvalid } from "./errors.ts";

type Point = InstanceType<typeof ed25519.Point>;

/**
 * Checks that these bytes encode a point of the prime-order group, in the one canonical way (RFC 8032 §5.1.3). It costs a
 * millisecond or two, once a key.
 * @throws QuorateError `crypto-key-invalid` `{node, reason}`
 */
export function requirePrimeOrderKey(node: string, key: Uint8Array): void {
	if (!(key instanceof Uint8Array) || key.length !== 32) throw keyInvalid({ node, reason: "it has not 32 bytes" });
	let point: Point;
	try {
		point = ed25519.Point.fromBytes(key);
	} catch (cause) {
		throw keyInvalid({ node, reason: "it is no canonical encoding of a point" }, { cause });
	}
	if (point.isSmallOrder()) throw keyInvalid({ node, reason: "it is a point of small order" });
	if (!point.isTorsionFree()) throw keyInvalid({ node, reason: "it is not in the prime-order group" });
}
