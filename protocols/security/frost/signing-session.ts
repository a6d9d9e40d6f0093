/**
 * Round two of FROST and what follows it (RFC 9591 §5.2 to §5.4): one object holds what signers and coordinator compute alike for
 * one message and one list of commitments, so that it is computed once.
 */
import { concat, equalBytes, frame, requireBytes, textBytes } from "../bytes.ts";
import { ELEMENT_BYTES, type GroupElement } from "../ciphersuite.ts";
import { signatureSharesInvalid, signingPackageInvalid } from "../errors.ts";
import { MESSAGE_BYTES_MAX } from "../limits.ts";
import { type Identifier, lagrangeCoefficient, requireIdentifiers } from "../shamir.ts";
import type { GroupKey, KeyShare } from "./key-share.ts";
import { type NonceCommitment, SigningNonces } from "./nonces.ts";
import { verifySignature } from "./signature.ts";

/** What the coordinator asks the signers for. */
export interface SigningPackage {
	readonly message: Uint8Array;
	/** One of each signer, at least the key's threshold of them. */
	readonly commitments: readonly NonceCommitment[];
}

/** One signer's answer: a scalar, encoded. */
export interface SignatureShare {
	readonly identifier: Identifier;
	readonly share: Uint8Array;
}

interface Signer {
	readonly commitment: NonceCommitment;
	readonly hiding: GroupElement;
	readonly binding: GroupElement;
	readonly bindingFactor: bigint;
	readonly lagrange: bigint;
}

/** One signature in the making. */
export class SigningSession {
	readonly key: GroupKey;
	readonly message: Uint8Array;
	readonly #signers: ReadonlyMap<Identifier, Signer>;
	/** R, encoded: the first half of the signature. */
	readonly #groupCommitment: Uint8Array;
	readonly #challenge: bigint;
	/** Shares that were found right: whoever checks each as it comes does not pay again when they are summed. */
	readonly #right = new Map<Identifier, Uint8Array>();

	/**
	 * Checks the package before any group arithmetic, then decodes it.
	 * @throws QuorateError `signing-package-invalid`, `identifier-invalid`, `bytes-malformed`, `point-malformed`
	 */
	constructor(key: GroupKey, { message, commitments }: SigningPackage) {
		this.key = key;
		this.message = requireBytes("message", message, 0, MESSAGE_BYTES_MAX);
		const sorted = sortedCommitments(key, commitments);
		const identifiers = sorted.map(({ identifier }) => identifier);
		const { suite } = key;
		const prefix = concat(key.data.publicKey, suite.h4(message), suite.h5(encodeCommitments(key, sorted)));
		const signers = sorted.map((commitment): Signer => {
			const { identifier } = commitment;
			return {
				commitment,
				hiding: suite.decodeElement(commitment.hiding, `the hiding commitment of ${identifier}`),
				binding: suite.decodeElement(commitment.binding, `the binding commitment of ${identifier}`),
				bindingFactor: suite.h1(concat(prefix, suite.encodeScalar(BigInt(identifier)))),
				lagrange: lagrangeCoefficient(suite, identifier, identifiers),
			};
		});
		this.#signers = new Map(signers.map((signer) => [signer.commitment.identifier, signer]));
		const sum = suite.sumOfProducts(
			signers.map(({ binding }) => binding),
			signers.map(({ bindingFactor }) => bindingFactor),
		);
		const groupCommitment = signers.reduce((total, { hiding }) => total.add(hiding), sum);
		if (groupCommitment.is0()) throw signingPackageInvalid({ reason: "the commitments cancel each other" });
		this.#groupCommitment = groupCommitment.toBytes();
		this.#challenge = suite.h2(concat(this.#groupCommitment, key.data.publicKey, message));
	}

	get identifiers(): readonly Identifier[] {
		return [...this.#signers.keys()];
	}

	/** The binding factor of a signer (RFC 9591 §4.4). @throws QuorateError `signing-package-invalid` */
	bindingFactor(identifier: Identifier): bigint {
		return this.#signer(identifier).bindingFactor;
	}

	/**
	 * This member's signature share. Spends the nonces, after the session has been found to be of this share and to hold exactly
	 * their commitment.
	 * @throws QuorateError `signing-package-invalid`, `nonces-spent`, `key-share-invalid`
	 */
	sign(share: KeyShare, nonces: SigningNonces): SignatureShare {
		if (!equalBytes(share.key.canonicalBytes, this.key.canonicalBytes))
			throw signingPackageInvalid({ reason: "it is of another key or another epoch" });
		const { commitment, bindingFactor, lagrange } = this.#signer(share.identifier);
		if (!isSameCommitment(commitment, nonces.commitment))
			throw signingPackageInvalid({ reason: `it holds another commitment of ${share.identifier}` });
		const { suite } = this.key;
		const { secret } = share;
		const { hiding, binding } = SigningNonces.spend(nonces);
		const response = hiding + binding * bindingFactor + lagrange * secret * this.#challenge;
		return { identifier: share.identifier, share: suite.encodeScalar(suite.reduce(response)) };
	}

	/** Whether a signature share is right (RFC 9591 §5.4). False for malformed ones and for who does not sign. */
	isShareValid({ identifier, share }: SignatureShare): boolean {
		const signer = this.#signers.get(identifier);
		const verifyingShare = this.key.verifyingShare(identifier);
		if (signer === undefined || verifyingShare === undefined) return false;
		const scalar = this.#scalarOf(share);
		if (scalar === null) return false;
		const known = this.#right.get(identifier);
		if (known !== undefined && equalBytes(known, share)) return true;
		const { suite } = this.key;
		const expected = suite.sumOfProducts(
			[signer.binding, verifyingShare],
			[signer.bindingFactor, suite.reduce(this.#challenge * signer.lagrange)],
		);
		const isRight = suite.generator.multiplyUnsafe(scalar).equals(expected.add(signer.hiding));
		if (isRight) this.#right.set(identifier, share.slice());
		return isRight;
	}

	/**
	 * The signature out of one share of each signer. Every share is checked, not their sum alone: shares that are wrong and cancel
	 * out would give a valid signature and hide who sent them.
	 * @throws QuorateError `signature-shares-invalid` with the culprits, also those that are missing
	 */
	aggregate(shares: readonly SignatureShare[]): Uint8Array {
		requireIdentifiers(shares.map(({ identifier }) => identifier));
		const given = new Map(shares.map((share) => [share.identifier, share]));
		const culprits = this.identifiers.filter((identifier) => {
			const share = given.get(identifier);
			return share === undefined || !this.isShareValid(share);
		});
		if (culprits.length > 0 || given.size > this.#signers.size)
			throw signatureSharesInvalid({ culprits: culprits.map((identifier) => this.#nameOf(identifier)) });
		const { suite } = this.key;
		const sum = shares.reduce((total, { share }) => total + suite.decodeScalar(share, "a signature share"), 0n);
		const signature = concat(this.#groupCommitment, suite.encodeScalar(suite.reduce(sum)));
		if (!verifySignature(suite.name, this.key.data.publicKey, this.message, signature))
			throw signatureSharesInvalid({ culprits: this.identifiers.map((identifier) => this.#nameOf(identifier)) });
		return signature;
	}

	/** The bytes that name this session: key, epoch, message, commitments. */
	get canonicalBytes(): Uint8Array {
		const commitments = [...this.#signers.values()].map(({ commitment }) => commitment);
		return frame(
			textBytes("quorate/signing-session"),
			this.key.canonicalBytes,
			this.message,
			encodeCommitments(this.key, commitments),
		);
	}

	#signer(identifier: Identifier): Signer {
		const signer = this.#signers.get(identifier);
		if (signer === undefined) throw signingPackageInvalid({ reason: `${identifier} is not among its signers` });
		return signer;
	}

	#scalarOf(share: Uint8Array): bigint | null {
		try {
			return this.key.suite.decodeScalar(share, "a signature share");
		} catch {
			// Malformed is as wrong as false: both name the sender.
			return null;
		}
	}

	#nameOf(identifier: Identifier): string {
		return this.key.nodeOf(identifier) ?? String(identifier);
	}
}

function sortedCommitments(key: GroupKey, commitments: readonly NonceCommitment[]): readonly NonceCommitment[] {
	if (!Array.isArray(commitments)) throw signingPackageInvalid({ reason: "it holds no list of commitments" });
	if (commitments.length < key.threshold || commitments.length > key.members.length)
		throw signingPackageInvalid({
			reason: `it has ${commitments.length} signers, not ${key.threshold} to ${key.members.length}`,
		});
	requireIdentifiers(commitments.map(({ identifier }) => identifier));
	for (const { identifier, hiding, binding } of commitments) {
		if (key.verifyingShare(identifier) === undefined)
			throw signingPackageInvalid({ reason: `${identifier} is no member of the key` });
		requireBytes("a hiding commitment", hiding, ELEMENT_BYTES);
		requireBytes("a binding commitment", binding, ELEMENT_BYTES);
	}
	return [...commitments].sort((a, b) => a.identifier - b.identifier);
}

/** RFC 9591 §4.3: identifier, hiding and binding commitment of each, ascending. */
function encodeCommitments(key: GroupKey, commitments: readonly NonceCommitment[]): Uint8Array {
	return concat(
		...commitments.flatMap(({ identifier, hiding, binding }) => [
			key.suite.encodeScalar(BigInt(identifier)),
			hiding,
			binding,
		]),
	);
}

function isSameCommitment(a: NonceCommitment, b: NonceCommitment | undefined): boolean {
	return (
		b !== undefined &&
		a.identifier === b.identifier &&
		equalBytes(a.hiding, b.hiding) &&
		equalBytes(a.binding, b.binding)
	);
}
