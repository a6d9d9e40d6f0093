/**
 * Shamir's secret sharing over a suite's scalars, with Feldman's commitments to the polynomial (Shamir 1979; Feldman 1987).
 * Identifiers are 1 to 65,535; zero is the secret's own place and is refused everywhere.
 */
import type { Ciphersuite, GroupElement } from "./ciphersuite.ts";
import { identifierInvalid, thresholdInvalid, tooFewShares } from "./errors.ts";

/** Names a share: a member's x-coordinate, an integer from 1 on. */
export type Identifier = number;

const IDENTIFIER_MAX = 65_535;

/** One point of the polynomial. */
export interface SecretShare {
	readonly identifier: Identifier;
	readonly value: bigint;
}

/** @throws QuorateError `identifier-invalid` for zero, fractions, what is too large, and duplicates */
export function requireIdentifiers(identifiers: readonly Identifier[]): void {
	const seen = new Set<number>();
	for (const identifier of identifiers) {
		if (!Number.isInteger(identifier) || identifier < 1 || identifier > IDENTIFIER_MAX)
			throw identifierInvalid({ identifier, reason: `is not an integer in 1 to ${IDENTIFIER_MAX}` });
		if (seen.has(identifier)) throw identifierInvalid({ identifier, reason: "is there twice" });
		seen.add(identifier);
	}
}

/** @throws QuorateError `threshold-invalid` outside 1 to `members` */
export function requireThreshold(threshold: number, members: number): void {
	if (!Number.isInteger(threshold) || threshold < 1 || threshold > members)
		throw thresholdInvalid({ threshold, members });
}

/** The polynomial with these coefficients, the constant first, at `identifier`. */
export function evaluate(suite: Ciphersuite, coefficients: readonly bigint[], identifier: Identifier): bigint {
	const x = BigInt(identifier);
	let value = 0n;
	for (let at = coefficients.length - 1; at >= 0; at--)
		value = (value * x + (coefficients[at] as bigint)) % suite.order;
	return value;
}

/** One share of the polynomial for each identifier. */
export function splitSecret(
	suite: Ciphersuite,
	coefficients: readonly bigint[],
	identifiers: readonly Identifier[],
): readonly SecretShare[] {
	requireIdentifiers(identifiers);
	requireThreshold(coefficients.length, identifiers.length);
	return identifiers.map((identifier) => ({ identifier, value: evaluate(suite, coefficients, identifier) }));
}

/**
 * The weight of `identifier`'s share in the sum that gives the polynomial's value at 0.
 * @throws QuorateError `identifier-invalid` if it is not among `identifiers`
 */
export function lagrangeCoefficient(
	suite: Ciphersuite,
	identifier: Identifier,
	identifiers: readonly Identifier[],
): bigint {
	if (!identifiers.includes(identifier)) throw identifierInvalid({ identifier, reason: "is not among the given ones" });
	let numerator = 1n;
	let denominator = 1n;
	for (const other of identifiers) {
		if (other === identifier) continue;
		numerator = (numerator * BigInt(other)) % suite.order;
		denominator = (denominator * suite.reduce(BigInt(other - identifier))) % suite.order;
	}
	return (numerator * suite.invert(denominator)) % suite.order;
}

/**
 * The secret from at least `threshold` shares. Shares from different polynomials give a wrong secret without a word: check the
 * result against what is known of it.
 * @throws QuorateError `too-few-shares`, `identifier-invalid`
 */
export function combineShares(suite: Ciphersuite, shares: readonly SecretShare[], threshold: number): bigint {
	const identifiers = shares.map(({ identifier }) => identifier);
	requireIdentifiers(identifiers);
	if (shares.length < threshold) throw tooFewShares({ needed: threshold, given: shares.length });
	let secret = 0n;
	for (const { identifier, value } of shares)
		secret = (secret + lagrangeCoefficient(suite, identifier, identifiers) * value) % suite.order;
	return secret;
}

/** Feldman's commitment to a polynomial: each coefficient, none of them zero, times the generator. */
export function commitPolynomial(suite: Ciphersuite, coefficients: readonly bigint[]): readonly GroupElement[] {
	return coefficients.map((coefficient) => suite.generator.multiply(coefficient));
}

/** The committed polynomial at `identifier`, times the generator: what a share must be the logarithm of. */
export function evaluateCommitment(
	suite: Ciphersuite,
	commitment: readonly GroupElement[],
	identifier: Identifier,
): GroupElement {
	// Horner's rule: identifiers are small, so each step costs a few additions instead of a whole multiplication.
	const x = BigInt(identifier);
	let value = suite.identity;
	for (let at = commitment.length - 1; at >= 0; at--)
		value = value.multiplyUnsafe(x).add(commitment[at] as GroupElement);
	return value;
}

/** Whether a share lies on the committed polynomial. */
export function isShareOf(suite: Ciphersuite, commitment: readonly GroupElement[], share: SecretShare): boolean {
	return generatorTimes(suite, share.value).equals(evaluateCommitment(suite, commitment, share.identifier));
}

/** A secret scalar times the generator; zero gives the identity. */
export function generatorTimes(suite: Ciphersuite, scalar: bigint): GroupElement {
	return scalar === 0n ? suite.identity : suite.generator.multiply(scalar);
}
