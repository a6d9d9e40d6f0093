/**
 * An ideal crypto port for simulator, model checker and tests: cheap and short, and unforgeable by construction, since only the
 * authority that makes the ports holds the secrets and each port speaks as its owner alone. It is worth nothing against somebody who
 * computes: digests are not collision-resistant.
 */
import type { CryptoPort, NodeId } from "../core/index.ts";

const DIGEST_WORDS = 4;
const PROOF_WORDS = 2;
/** Purposes whose hash is kept; a liar may ask about any name. */
const PURPOSES_MAX = 1024;

/** Gives out the ports of all who take part, and knows who they are. */
export class IdealAuthority {
	readonly #secrets = new Map<NodeId, number>();
	/** By the name of the purpose: a word for signatures, and who an authenticator is for. Hashing it took longer than the rest. */
	readonly #purposes = new Map<string, number>();
	readonly #seed: number;

	/** @param seed any integer; authorities of different seeds do not know each other's signatures */
	constructor(seed: number, enrolled: readonly NodeId[]) {
		this.#seed = seed | 0;
		for (const id of enrolled) this.enrol(id);
	}

	/** Lets one more take part. */
	enrol(id: NodeId): void {
		this.#secrets.set(id, mix(textBytes(id), this.#seed ^ 0x51ed270b));
	}

	/** The port of one participant. Whoever holds it, and nobody else, signs in its name. */
	portOf(owner: NodeId): CryptoPort {
		return {
			digest,
			sign: (bytes) => this.#prove(owner, "signature", bytes),
			verify: (signer, bytes, signature) => isEqual(signature, this.#prove(signer, "signature", bytes)),
			authenticate: (to, bytes) => this.#prove(owner, to, bytes),
			isAuthentic: (from, bytes, authenticator) => isEqual(authenticator, this.#prove(from, owner, bytes)),
		};
	}

	/** Empty for whoever is not enrolled: nobody has such a proof. */
	#prove(owner: NodeId, purpose: string, bytes: Uint8Array): Uint8Array {
		const secret = this.#secrets.get(owner);
		if (secret === undefined) return new Uint8Array(0);
		return words(bytes, PROOF_WORDS, secret ^ this.#purposeOf(purpose));
	}

	#purposeOf(name: string): number {
		let purpose = this.#purposes.get(name);
		if (purpose === undefined) {
			purpose = mix(textBytes(name), 0x2545f491);
			if (this.#purposes.size < PURPOSES_MAX) this.#purposes.set(name, purpose);
		}
		return purpose;
	}
}

function digest(bytes: Uint8Array): Uint8Array {
	return words(bytes, DIGEST_WORDS, 0x6a09e667);
}

function words(bytes: Uint8Array, count: number, seed: number): Uint8Array {
	const result = new Uint8Array(4 * count);
	for (let word = 0; word < count; word++) {
		const value = mix(bytes, Math.imul(seed + word, 0x9e3779b1));
		for (let i = 0; i < 4; i++) result[4 * word + i] = value >>> (8 * i);
	}
	return result;
}

/** A murmur3-like hash of 32 bits. */
function mix(bytes: Uint8Array, seed: number): number {
	let hash = seed | 0;
	for (const byte of bytes) {
		hash = Math.imul(hash ^ byte, 0xcc9e2d51);
		hash = (hash << 13) | (hash >>> 19);
		hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
	}
	hash ^= bytes.length;
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
	return (hash ^ (hash >>> 16)) >>> 0;
}

/** Never for the empty string of bytes, which is nobody's proof. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
	return a.length > 0 && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function textBytes(text: string): Uint8Array {
	return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
