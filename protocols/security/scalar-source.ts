/**
 * Scalars out of randomness that the host gives. Each is the SHA-512 of the seed, the secret that it protects, a label and a
 * counter, reduced: a bias of 2^-250. The secret takes part so that a weak generator alone does not give nonces away (RFC 9591
 * §4.1 does the same).
 */
import { frame, requireBytes, textBytes, uint32 } from "./bytes.ts";
import type { Ciphersuite } from "./ciphersuite.ts";
import { ENTROPY_BYTES_MIN } from "./limits.ts";

const ENTROPY_BYTES_MAX = 4_096;

/** A sequence of scalars, none of them zero. Made anew, with fresh entropy, for each proof or ceremony: never stored. */
export class ScalarSource {
	readonly #suite: Ciphersuite;
	readonly #label: string;
	readonly #seed: Uint8Array;
	#drawn = 0;

	/**
	 * `entropy` is at least 32 bytes that nobody else knows and that are used for nothing else.
	 * @throws QuorateError `bytes-malformed`
	 */
	constructor(suite: Ciphersuite, label: string, entropy: Uint8Array, ...secrets: readonly Uint8Array[]) {
		requireBytes("entropy", entropy, ENTROPY_BYTES_MIN, ENTROPY_BYTES_MAX);
		this.#suite = suite;
		this.#label = label;
		this.#seed = frame(textBytes(label), entropy, ...secrets);
	}

	next(): bigint {
		for (;;) {
			this.#drawn += 1;
			const scalar = this.#suite.hashToScalar(`scalar/${this.#label}`, frame(this.#seed, uint32(this.#drawn)));
			if (scalar !== 0n) return scalar;
		}
	}

	take(count: number): bigint[] {
		return Array.from({ length: count }, () => this.next());
	}
}
