/** A dealer's part in a key ceremony: its polynomial, what it announces of it, and what others check of that. */
import type { NodeId } from "../../core/index.ts";
import { frame, textBytes } from "../bytes.ts";
import type { Ciphersuite, GroupElement } from "../ciphersuite.ts";
import type { GroupKey, KeyShare } from "../frost/key-share.ts";
import { proveKnowledge, verifyKnowledge } from "../proofs/schnorr.ts";
import { ScalarSource } from "../scalar-source.ts";
import { commitPolynomial, evaluate, type Identifier, isShareOf } from "../shamir.ts";
import type { CeremonyPlan } from "./config.ts";
import type { Introduction } from "./messages.ts";

/** Why an introduction does not count. */
export type IntroductionFault = "commitment-invalid" | "proof-invalid" | "constant-differs";

/** The secret polynomial of one dealer in one ceremony. */
export class Dealing {
	readonly #suite: Ciphersuite;
	readonly #coefficients: readonly bigint[];
	readonly #proof: Uint8Array;

	/** `previous` is the dealer's share of the key that is shared anew; its secret is then the constant. */
	constructor(
		suite: Ciphersuite,
		ceremony: Uint8Array,
		dealer: NodeId,
		threshold: number,
		entropy: Uint8Array,
		previous: KeyShare | null,
	) {
		this.#suite = suite;
		const source = new ScalarSource(suite, "key-ceremony", entropy, ceremony, textBytes(dealer));
		const constant = previous === null ? source.next() : previous.secret;
		this.#coefficients = [constant, ...source.take(threshold - 1)];
		this.#proof = proveKnowledge(suite, constant, possessionContext(ceremony, dealer), entropy);
	}

	/** What everybody is told. */
	get announcement(): Pick<Introduction, "commitment" | "proof"> {
		const commitment = commitPolynomial(this.#suite, this.#coefficients);
		return { commitment: commitment.map((element) => element.toBytes()), proof: this.#proof };
	}

	/** What one receiver is told. */
	shareOf(receiver: Identifier): bigint {
		return evaluate(this.#suite, this.#coefficients, receiver);
	}

	/** Stands for the polynomial where states are compared: equal for equal polynomials, and tells nothing else. */
	get fingerprint(): string {
		const bytes = frame(...this.#coefficients.map((coefficient) => this.#suite.encodeScalar(coefficient)));
		return this.#suite.hashToScalar("fingerprint", bytes).toString(16);
	}
}

/**
 * A dealer's commitment, decoded, or what is wrong with it: it has another length than the threshold, holds a malformed element,
 * its constant is not the dealer's share of the previous key, or the dealer does not prove that it knows the constant. Without that
 * proof a dealer who speaks last could pick a constant that cancels the others' (a rogue key).
 */
export function checkIntroduction(
	plan: CeremonyPlan,
	suite: Ciphersuite,
	ceremony: Uint8Array,
	dealer: NodeId,
	{ commitment, proof }: Introduction,
): readonly GroupElement[] | IntroductionFault {
	if (commitment.length !== plan.threshold) return "commitment-invalid";
	const elements = decodeAll(suite, commitment);
	if (elements === null) return "commitment-invalid";
	const constant = elements[0] as GroupElement;
	if (plan.previous !== null && !isPreviousShare(plan.previous, plan.dealers.get(dealer), constant))
		return "constant-differs";
	return verifyKnowledge(suite, constant, possessionContext(ceremony, dealer), proof) ? elements : "proof-invalid";
}

function isPreviousShare(previous: GroupKey, identifier: Identifier | undefined, constant: GroupElement): boolean {
	const expected = identifier === undefined ? undefined : previous.verifyingShare(identifier);
	return expected?.equals(constant) ?? false;
}

function decodeAll(suite: Ciphersuite, encoded: readonly Uint8Array[]): readonly GroupElement[] | null {
	try {
		return encoded.map((bytes) => suite.decodeElement(bytes, "a commitment"));
	} catch {
		// Whoever sent it is told apart by name; which of the elements is malformed does not matter.
		return null;
	}
}

/** A share from its encoding, if it lies on the dealer's committed polynomial; else null. */
export function checkShare(
	suite: Ciphersuite,
	commitment: readonly GroupElement[],
	identifier: Identifier,
	encoded: Uint8Array,
): bigint | null {
	try {
		const value = suite.decodeScalar(encoded, "a share");
		return isShareOf(suite, commitment, { identifier, value }) ? value : null;
	} catch {
		// A malformed share is a bad share.
		return null;
	}
}

function possessionContext(ceremony: Uint8Array, dealer: NodeId): Uint8Array {
	return frame(textBytes("possession"), ceremony, textBytes(dealer));
}
