/**
 * Round one of FROST (RFC 9591 §5.1). Two signatures with the same nonces give the key share away, so nonces exist once: in a
 * private field of one object, in memory, until they have signed.
 */
import { concat, requireBytes } from "../bytes.ts";
import { ELEMENT_BYTES } from "../ciphersuite.ts";
import { noncesSpent } from "../errors.ts";
import { generatorTimes, type Identifier } from "../shamir.ts";
import type { KeyShare } from "./key-share.ts";

/** What a signer tells the others of its nonces. */
export interface NonceCommitment {
	readonly identifier: Identifier;
	/** Encoded elements. */
	readonly hiding: Uint8Array;
	readonly binding: Uint8Array;
}

/** Two nonces as scalars, in the hands of the one computation that spends them. */
export interface SpentNonces {
	readonly hiding: bigint;
	readonly binding: bigint;
}

/** Bytes of randomness that each of the two nonces takes. */
export const NONCE_RANDOMNESS_BYTES = 32;

/**
 * The nonces of one signature. A structured clone, a JSON text or a message holds the commitment alone, and a proxy or a forged
 * object is refused: only the very object that {@link commitNonces} gave can sign, and once.
 */
export class SigningNonces {
	readonly commitment: NonceCommitment;
	#values: SpentNonces | null;

	constructor(commitment: NonceCommitment, values: SpentNonces) {
		this.commitment = commitment;
		this.#values = values;
	}

	get isSpent(): boolean {
		return this.#values === null;
	}

	/**
	 * Takes the nonces out, for good.
	 * @throws QuorateError `nonces-spent` the second time, and for any object that is not these nonces
	 */
	static spend(nonces: SigningNonces): SpentNonces {
		const isOwn = typeof nonces === "object" && nonces !== null && #values in nonces;
		const values = isOwn ? nonces.#values : null;
		if (values === null) throw noncesSpent({ identifier: nonces?.commitment?.identifier ?? 0 });
		nonces.#values = null;
		return values;
	}

	/** Gives them up unused. */
	discard(): void {
		this.#values = null;
	}
}

/**
 * Fresh nonces of this share. `randomness` is 64 bytes from a cryptographic generator, the first half for the hiding nonce, never
 * used again and never derived from anything that can repeat (a restored disk, a cloned machine, a counter).
 * @throws QuorateError `bytes-malformed`
 */
export function commitNonces(share: KeyShare, randomness: Uint8Array): SigningNonces {
	requireBytes("nonce randomness", randomness, 2 * NONCE_RANDOMNESS_BYTES);
	const { suite } = share.key;
	const secret = share.exportSecret();
	const nonce = (from: number): bigint =>
		suite.h3(concat(randomness.subarray(from, from + NONCE_RANDOMNESS_BYTES), secret));
	const values = { hiding: nonce(0), binding: nonce(NONCE_RANDOMNESS_BYTES) };
	secret.fill(0, 0, ELEMENT_BYTES);
	const commitment = {
		identifier: share.identifier,
		hiding: generatorTimes(suite, values.hiding).toBytes(),
		binding: generatorTimes(suite, values.binding).toBytes(),
	};
	return new SigningNonces(commitment, values);
}
