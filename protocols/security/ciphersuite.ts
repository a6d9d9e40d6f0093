/**
 * The two groups that keys, signatures and proofs live in, as the ciphersuites of RFC 9591 §6: element and scalar encodings with
 * their checks, and the five hash functions. The curve arithmetic is `@noble/curves`; nothing here depends on secrets save
 * `multiply`, which is the library's constant-time path. JavaScript gives no hardware guarantee of constant time.
 */
import { mulAddUnsafe, pippenger } from "@noble/curves/abstract/curve.js";
import { ed25519, ristretto255 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concat, textBytes } from "./bytes.ts";
import { pointMalformed, scalarMalformed } from "./errors.ts";

/** An element of a suite's group. */
export interface GroupElement {
	add(other: GroupElement): GroupElement;
	subtract(other: GroupElement): GroupElement;
	negate(): GroupElement;
	/** By a secret scalar in 1 to order − 1. */
	multiply(scalar: bigint): GroupElement;
	/** By a public scalar in 0 to order − 1: faster, and its time tells the scalar. */
	multiplyUnsafe(scalar: bigint): GroupElement;
	equals(other: GroupElement): boolean;
	is0(): boolean;
	toBytes(): Uint8Array;
}

export type SuiteName = "ristretto255" | "ed25519";

/** The encoded length of an element and of a scalar, in both suites. */
export const ELEMENT_BYTES = 32;
/** The length of a signature: an element and a scalar. */
export const SIGNATURE_BYTES = 64;

/** One group with its encodings and hash functions. */
export interface Ciphersuite {
	readonly name: SuiteName;
	/** RFC 9591 §6: the domain of its hash functions. */
	readonly contextString: string;
	/** The prime order of the group. */
	readonly order: bigint;
	readonly generator: GroupElement;
	readonly identity: GroupElement;

	/**
	 * An element from its canonical encoding, never the identity, always of prime order (RFC 9591 §3.1).
	 * @throws QuorateError `point-malformed`
	 */
	decodeElement(bytes: Uint8Array, what: string): GroupElement;
	/**
	 * A scalar in 0 to order − 1 from its canonical encoding.
	 * @throws QuorateError `scalar-malformed`
	 */
	decodeScalar(bytes: Uint8Array, what: string): bigint;
	encodeScalar(scalar: bigint): Uint8Array;
	/** Any integer, reduced into the scalar field. */
	reduce(value: bigint): bigint;
	/** The inverse of a scalar that is not zero. */
	invert(scalar: bigint): bigint;
	/** The sum of elements times public scalars. */
	sumOfProducts(elements: readonly GroupElement[], scalars: readonly bigint[]): GroupElement;

	/** Binding factors. */
	h1(bytes: Uint8Array): bigint;
	/** Challenges: for Ed25519 without a domain, as RFC 8032 has it. */
	h2(bytes: Uint8Array): bigint;
	/** Nonces. */
	h3(bytes: Uint8Array): bigint;
	/** Messages. */
	h4(bytes: Uint8Array): Uint8Array;
	/** Lists of commitments. */
	h5(bytes: Uint8Array): Uint8Array;
	/** A scalar for a use of this project's own, apart from all others by its label. */
	hashToScalar(label: string, bytes: Uint8Array): bigint;
}

/** From so many products on Pippenger's buckets cost less than Straus's tables; measured with Node 20. */
const PIPPENGER_FROM = 48;

interface CurveBinding {
	readonly BASE: GroupElement;
	readonly ZERO: GroupElement;
	readonly Fn: { readonly ORDER: bigint; inv(scalar: bigint): bigint; create(value: bigint): bigint };
	fromBytes(bytes: Uint8Array): GroupElement & { isTorsionFree(): boolean };
}

function defineSuite(
	name: SuiteName,
	contextString: string,
	point: CurveBinding,
	challengePrefix: string,
	sumOfProducts: Ciphersuite["sumOfProducts"],
): Ciphersuite {
	const { ORDER: order } = point.Fn;
	const toScalar = (prefix: string, bytes: Uint8Array): bigint =>
		littleEndian(sha512(concat(textBytes(prefix), bytes))) % order;
	const digest = (prefix: string, bytes: Uint8Array): Uint8Array => sha512(concat(textBytes(prefix), bytes));
	return {
		name,
		contextString,
		order,
		generator: point.BASE,
		identity: point.ZERO,
		decodeElement(bytes, what) {
			if (!(bytes instanceof Uint8Array) || bytes.length !== ELEMENT_BYTES)
				throw pointMalformed({ what, reason: `it is not ${ELEMENT_BYTES} bytes long` });
			const element = decode(point, bytes);
			if (element === null) throw pointMalformed({ what, reason: "it is no canonical encoding" });
			if (element.is0()) throw pointMalformed({ what, reason: "it is the identity" });
			if (!element.isTorsionFree()) throw pointMalformed({ what, reason: "it is not in the prime-order group" });
			return element;
		},
		decodeScalar(bytes, what) {
			if (!(bytes instanceof Uint8Array) || bytes.length !== ELEMENT_BYTES)
				throw scalarMalformed({ what, reason: `it is not ${ELEMENT_BYTES} bytes long` });
			const scalar = littleEndian(bytes);
			if (scalar >= order) throw scalarMalformed({ what, reason: "it is not reduced" });
			return scalar;
		},
		encodeScalar: toLittleEndian,
		reduce: (value) => point.Fn.create(value),
		invert: (scalar) => point.Fn.inv(scalar),
		sumOfProducts,
		h1: (bytes) => toScalar(`${contextString}rho`, bytes),
		h2: (bytes) => toScalar(challengePrefix, bytes),
		h3: (bytes) => toScalar(`${contextString}nonce`, bytes),
		h4: (bytes) => digest(`${contextString}msg`, bytes),
		h5: (bytes) => digest(`${contextString}com`, bytes),
		hashToScalar: (label, bytes) => toScalar(`quorate/${name}/${label}/`, bytes),
	};
}

/** The library's decoding throws for malformed input; the caller says what the input was. */
function decode(point: CurveBinding, bytes: Uint8Array): ReturnType<CurveBinding["fromBytes"]> | null {
	try {
		return point.fromBytes(bytes);
	} catch {
		return null;
	}
}

function littleEndian(bytes: Uint8Array): bigint {
	let hex = "0x";
	for (let at = bytes.length - 1; at >= 0; at--) hex += (bytes[at] as number).toString(16).padStart(2, "0");
	return BigInt(hex);
}

function toLittleEndian(scalar: bigint): Uint8Array {
	const bytes = new Uint8Array(ELEMENT_BYTES);
	let rest = scalar;
	for (let at = 0; at < ELEMENT_BYTES; at++) {
		bytes[at] = Number(rest & 255n);
		rest >>= 8n;
	}
	return bytes;
}

type RistrettoPoint = typeof ristretto255.Point.BASE;
type EdwardsPoint = typeof ed25519.Point.BASE;

/** FROST(ristretto255, SHA-512), RFC 9591 §6.2: the default, some five times cheaper, as decoding needs no subgroup check. */
const ristrettoSuite = defineSuite(
	"ristretto255",
	"FROST-RISTRETTO255-SHA512-v1",
	ristretto255.Point as unknown as CurveBinding,
	"FROST-RISTRETTO255-SHA512-v1chal",
	(elements, scalars) =>
		(elements.length < PIPPENGER_FROM ? mulAddUnsafe : pippenger)(
			ristretto255.Point,
			elements as RistrettoPoint[],
			scalars as bigint[],
		),
);

/** FROST(Ed25519, SHA-512), RFC 9591 §6.1: its signatures verify as those of RFC 8032. */
const ed25519Suite = defineSuite(
	"ed25519",
	"FROST-ED25519-SHA512-v1",
	ed25519.Point as unknown as CurveBinding,
	"",
	(elements, scalars) =>
		(elements.length < PIPPENGER_FROM ? mulAddUnsafe : pippenger)(
			ed25519.Point,
			elements as EdwardsPoint[],
			scalars as bigint[],
		),
);

const suites: Readonly<Record<SuiteName, Ciphersuite>> = { ristretto255: ristrettoSuite, ed25519: ed25519Suite };

/** The suite of a name. */
export function ciphersuite(name: SuiteName): Ciphersuite {
	return suites[name];
}

export function isSuiteName(value: unknown): value is SuiteName {
	return value === "ristretto255" || value === "ed25519";
}
