/**
 * Commitments to numbers (Pedersen 1991) over ristretto255: value·G + blinding·H. They hide the value whatever the reader can compute,
 * and bind whoever can not find the logarithm of H. H and all further generators are hashed from public labels, so that nobody knows
 * a relation between them.
 */
import { ristretto255_hasher } from "@noble/curves/ed25519.js";
import { concat, textBytes, uint32 } from "../bytes.ts";
import { type Ciphersuite, ciphersuite, type GroupElement } from "../ciphersuite.ts";
import { statementInvalid } from "../errors.ts";

/** The one group of commitments and of the proofs over them. */
export const proofSuite: Ciphersuite = ciphersuite("ristretto255");

const GENERATOR_DOMAIN = "quorate/generators/v1";
/** The label from which all generators come. */
export const GENERATOR_SEED = "quorate/pedersen/ristretto255";

/** The element of a public label: RFC 9380 hashing, so its logarithm is nobody's. */
export function generatorFromLabel(label: string, index: number): GroupElement {
	const bytes = concat(textBytes(label), uint32(index));
	return ristretto255_hasher.hashToCurve(bytes, { DST: GENERATOR_DOMAIN }) as unknown as GroupElement;
}

let cachedBlindingGenerator: GroupElement | null = null;

/** H. */
export function blindingGenerator(): GroupElement {
	cachedBlindingGenerator ??= generatorFromLabel(`${GENERATOR_SEED}/blinding`, 0);
	return cachedBlindingGenerator;
}

/** A committed number: keep the blinding to open it or to prove something of it. */
export interface Opening {
	/** 0 to 2^64 − 1 for range proofs; any scalar for a commitment alone. */
	readonly value: bigint;
	/** A fresh uniform scalar. */
	readonly blinding: bigint;
}

/** The commitment to an opening. @throws QuorateError `statement-invalid` for scalars outside 0 to order − 1 */
export function commit({ value, blinding }: Opening): GroupElement {
	for (const scalar of [value, blinding])
		if (scalar < 0n || scalar >= proofSuite.order)
			throw statementInvalid({ reason: "an opening's scalar is not reduced" });
	return times(proofSuite.generator, value).add(times(blindingGenerator(), blinding));
}

/** Whether this opening is the commitment's. */
export function opens(commitment: GroupElement, opening: Opening): boolean {
	return commit(opening).equals(commitment);
}

/** A secret scalar times an element; zero gives the identity. */
export function times(element: GroupElement, scalar: bigint): GroupElement {
	return scalar === 0n ? proofSuite.identity : element.multiply(scalar);
}
