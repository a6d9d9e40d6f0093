/** The crypto port of `protocols/core` on `node:crypto`. */
import { sign, verify } from "node:crypto";
import type { CryptoPort, NodeId } from "../../protocols/core/index.ts";
import { sha256 } from "./hmac-key.ts";
import type { KeyRing } from "./key-ring.ts";

/** Bytes of an Ed25519 signature (RFC 8032 §5.1.6). */
const SIGNATURE_BYTES = 64;

/**
 * SHA-256 digests, Ed25519 signatures by one verifier (OpenSSL's), HMAC-SHA-256 authenticators; synchronous, in the thread of the
 * caller: at these sizes a hop to another thread costs more than the work.
 *
 * One policy for the whole cluster: keys are points of the prime-order group (checked at enrolment), S is below the group's order
 * (RFC 8032 §5.1.7), the equation is the one without cofactor, and R is compared by its bytes. A key that is not enrolled verifies
 * nothing. No other verifier may take part: it could see a signature differently, and the cluster would be split.
 */
export class NodeCryptoPort implements CryptoPort {
	readonly #ring: KeyRing;

	constructor(ring: KeyRing) {
		this.#ring = ring;
	}

	// Bound, since protocols pass it on as a function.
	readonly digest: CryptoPort["digest"] = sha256;

	sign(bytes: Uint8Array): Uint8Array {
		return sign(null, bytes, this.#ring.own.signing);
	}

	verify(signer: NodeId, bytes: Uint8Array, signature: Uint8Array): boolean {
		if (signature.length !== SIGNATURE_BYTES) return false;
		const enrolled = this.#ring.get(signer);
		return enrolled !== undefined && verify(null, bytes, enrolled.signing, signature);
	}

	authenticate(to: NodeId, bytes: Uint8Array): Uint8Array {
		const enrolled = this.#ring.get(to);
		// For somebody unknown there is no key, and so no authenticator that could be good.
		if (enrolled === undefined) return new Uint8Array(0);
		return enrolled.macTo.of(bytes);
	}

	isAuthentic(from: NodeId, bytes: Uint8Array, authenticator: Uint8Array): boolean {
		return this.#ring.get(from)?.macFrom.isOf(authenticator, bytes) ?? false;
	}
}
