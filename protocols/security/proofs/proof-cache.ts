/** Verdicts on proofs that were verified before, by everything that the verdict depends on: statement, context and proof. */
import { sha512 } from "@noble/hashes/sha2.js";
import { frame, textBytes, toHex } from "../bytes.ts";
import { detectorConfigInvalid } from "../errors.ts";

/** Proofs that a cache remembers by default. */
export const PROOF_CACHE_CAPACITY_DEFAULT = 1_024;
const PROOF_CACHE_CAPACITY_MAX = 1_048_576;

/** Forgets the verdict that was asked for least recently. */
export class ProofCache {
	readonly #capacity: number;
	readonly #verdicts = new Map<string, boolean>();
	#hits = 0;

	/** @throws QuorateError `detector-config-invalid` for a capacity outside 1 to 1,048,576 */
	constructor(capacity: number = PROOF_CACHE_CAPACITY_DEFAULT) {
		if (!Number.isInteger(capacity) || capacity < 1 || capacity > PROOF_CACHE_CAPACITY_MAX)
			throw detectorConfigInvalid({
				field: "capacity",
				expected: `an integer in 1 to ${PROOF_CACHE_CAPACITY_MAX}`,
				actual: capacity,
			});
		this.#capacity = capacity;
	}

	get size(): number {
		return this.#verdicts.size;
	}
	get hits(): number {
		return this.#hits;
	}

	/** The verdict on a proof of this kind, with these parts in full: statement, context, proof. Verifies what it does not know. */
	verdict(kind: string, parts: readonly Uint8Array[], verify: () => boolean): boolean {
		const name = toHex(sha512(frame(textBytes(kind), ...parts)));
		const known = this.#verdicts.get(name);
		if (known !== undefined) {
			this.#hits += 1;
			this.#verdicts.delete(name);
			this.#verdicts.set(name, known);
			return known;
		}
		const verdict = verify();
		if (this.#verdicts.size >= this.#capacity) {
			const [oldest] = this.#verdicts.keys();
			if (oldest !== undefined) this.#verdicts.delete(oldest);
		}
		this.#verdicts.set(name, verdict);
		return verdict;
	}
}
