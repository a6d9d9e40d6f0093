/** Fiat and Shamir's transform as a running hash: each challenge depends on everything said before it, in order, each under its label. */
import { sha512 } from "@noble/hashes/sha2.js";
import { frame, textBytes } from "../bytes.ts";
import type { Ciphersuite, GroupElement } from "../ciphersuite.ts";

export class Transcript {
	readonly #suite: Ciphersuite;
	#state: Uint8Array;

	/** `protocol` names what is proven, `context` what for and by whom. */
	constructor(suite: Ciphersuite, protocol: string, context: Uint8Array) {
		this.#suite = suite;
		this.#state = sha512(frame(textBytes("quorate/transcript/v1"), textBytes(protocol), context));
	}

	append(label: string, ...values: Uint8Array[]): this {
		this.#state = sha512(frame(this.#state, textBytes(label), ...values));
		return this;
	}

	appendElements(label: string, ...elements: readonly GroupElement[]): this {
		return this.append(label, ...elements.map((element) => element.toBytes()));
	}

	appendScalars(label: string, ...scalars: readonly bigint[]): this {
		return this.append(label, ...scalars.map((scalar) => this.#suite.encodeScalar(scalar)));
	}

	/** A scalar that is not zero, save with a probability of 2^-252. */
	challenge(label: string): bigint {
		this.append(`challenge/${label}`);
		return this.#suite.hashToScalar("challenge", this.#state);
	}
}
