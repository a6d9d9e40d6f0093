/**
 * The cryptography that a host lends to a protocol: synchronous functions, keyed for one participant. A protocol holds no key
 * and no group arithmetic; who it speaks as, and whose keys are enrolled, is the host's to know.
 *
 * On threads the port is `node:crypto` (`runtime/crypto`). The simulator and the model checker use one that is cheap, keyed and
 * unforgeable by construction, so that states stay small and a Byzantine participant can say only what it could sign.
 */
import type { NodeId } from "./ids.ts";

/** What a participant can prove, and can check of others. Every function is deterministic and never throws for foreign input. */
export interface CryptoPort {
	/** The collision-resistant digest that all members use: SHA-256 on threads. */
	digest(bytes: Uint8Array): Uint8Array;
	/** Signs as this participant; anyone can check it, and show it to others. */
	sign(bytes: Uint8Array): Uint8Array;
	/** Whether `signer`, by the key enrolled for it, has signed exactly these bytes. False for whoever is not enrolled. */
	verify(signer: NodeId, bytes: Uint8Array, signature: Uint8Array): boolean;
	/** Proves to one member that this participant says these bytes: a MAC. It proves nothing to a third. */
	authenticate(to: NodeId, bytes: Uint8Array): Uint8Array;
	/** Whether `from` has authenticated these bytes to this participant. */
	isAuthentic(from: NodeId, bytes: Uint8Array, authenticator: Uint8Array): boolean;
}
