/** A key that t of n members hold: what everybody may know of it, and the one share that a member keeps. */
import { compareIds, isNodeId, type NodeId } from "../../core/index.ts";
import { equalBytes, frame, requireBytes, textBytes, uint53 } from "../bytes.ts";
import {
	type Ciphersuite,
	ciphersuite,
	ELEMENT_BYTES,
	type GroupElement,
	isSuiteName,
	type SuiteName,
} from "../ciphersuite.ts";
import { bytesMalformed, keyShareInvalid, limitExceeded } from "../errors.ts";
import { MEMBERS_MAX } from "../limits.ts";
import {
	generatorTimes,
	type Identifier,
	lagrangeCoefficient,
	requireIdentifiers,
	requireThreshold,
} from "../shamir.ts";

/** One member of a key. */
export interface KeyMember {
	readonly node: NodeId;
	readonly identifier: Identifier;
	/** The member's share times the generator, encoded. */
	readonly verifyingShare: Uint8Array;
}

/** Everything public about a key, as plain data that can be sent and stored. */
export interface GroupKeyData {
	readonly suite: SuiteName;
	/** Counts the sharings of this key: 0 after its generation, one more with each refresh and resharing. */
	readonly epoch: number;
	/** Shares that a signature needs; 1 to the number of members. */
	readonly threshold: number;
	/** The public key under which signatures verify, encoded. */
	readonly publicKey: Uint8Array;
	/** Ascending by identifier. */
	readonly members: readonly KeyMember[];
}

/** {@link GroupKeyData}, checked once and with its elements decoded. */
export class GroupKey {
	readonly data: GroupKeyData;
	readonly suite: Ciphersuite;
	readonly publicElement: GroupElement;
	readonly #shares: ReadonlyMap<Identifier, GroupElement>;
	readonly #nodes: ReadonlyMap<NodeId, Identifier>;

	/**
	 * Checks form, encodings, identifiers, threshold, and that the members' verifying shares do lie on one polynomial over the
	 * public key (over the first `threshold` and each of the others). The last is left out for a key that was `derived` right here from
	 * one polynomial.
	 * @throws QuorateError `bytes-malformed`, `point-malformed`, `identifier-invalid`, `threshold-invalid`,
	 *   `security-limit-exceeded`, `key-share-invalid`
	 */
	constructor(data: GroupKeyData, origin: "foreign" | "derived" = "foreign") {
		checkForm(data);
		this.suite = ciphersuite(data.suite);
		this.publicElement = this.suite.decodeElement(data.publicKey, "the public key");
		const members = [...data.members].sort((a, b) => a.identifier - b.identifier);
		this.data = { ...data, members };
		this.#nodes = new Map(members.map(({ node, identifier }) => [node, identifier]));
		this.#shares = new Map(
			members.map(({ identifier, verifyingShare }) => [
				identifier,
				this.suite.decodeElement(verifyingShare, `the verifying share of ${identifier}`),
			]),
		);
		if (origin === "foreign") this.#checkPolynomial();
	}

	get epoch(): number {
		return this.data.epoch;
	}
	get threshold(): number {
		return this.data.threshold;
	}
	get members(): readonly KeyMember[] {
		return this.data.members;
	}
	get identifiers(): readonly Identifier[] {
		return this.data.members.map(({ identifier }) => identifier);
	}

	/** Undefined for who is no member. */
	identifierOf(node: NodeId): Identifier | undefined {
		return this.#nodes.get(node);
	}

	/** Undefined for an identifier that no member has. */
	nodeOf(identifier: Identifier): NodeId | undefined {
		return this.data.members.find((member) => member.identifier === identifier)?.node;
	}

	/** Undefined for an identifier that no member has. */
	verifyingShare(identifier: Identifier): GroupElement | undefined {
		return this.#shares.get(identifier);
	}

	/** The bytes that name this sharing of this key: what signing sessions and transcripts are bound to. */
	get canonicalBytes(): Uint8Array {
		const { suite, epoch, threshold, publicKey, members } = this.data;
		return frame(
			textBytes("quorate/group-key"),
			textBytes(suite),
			uint53(epoch),
			uint53(threshold),
			publicKey,
			...members.flatMap(({ node, identifier, verifyingShare }) => [
				textBytes(node),
				uint53(identifier),
				verifyingShare,
			]),
		);
	}

	/**
	 * Interpolates the public key and each further verifying share from the first `threshold`: shares off the polynomial would
	 * make valid signers look like cheaters, and cheaters valid.
	 */
	#checkPolynomial(): void {
		const base = this.identifiers.slice(0, this.threshold);
		const elements = base.map((identifier) => this.#shares.get(identifier) as GroupElement);
		const weights = base.map((identifier) => lagrangeCoefficient(this.suite, identifier, base));
		if (!this.suite.sumOfProducts(elements, weights).equals(this.publicElement))
			throw keyShareInvalid({ identifier: 0, reason: "the verifying shares do not give the public key" });
		for (const identifier of this.identifiers.slice(this.threshold)) {
			// The value at 0 of the polynomial through t − 1 of the base and this one is the same, so is the polynomial.
			const others = [...base.slice(1), identifier];
			const through = others.map((other) => this.#shares.get(other) as GroupElement);
			const at = others.map((other) => lagrangeCoefficient(this.suite, other, others));
			if (!this.suite.sumOfProducts(through, at).equals(this.publicElement))
				throw keyShareInvalid({ identifier, reason: "its verifying share is off the polynomial" });
		}
	}
}

function checkForm(data: GroupKeyData): void {
	if (typeof data !== "object" || data === null || !isSuiteName(data.suite))
		throw bytesMalformed({ what: "group key", expected: "one of a known suite", actual: String(data?.suite) });
	requireBytes("the public key", data.publicKey, ELEMENT_BYTES);
	if (!Array.isArray(data.members) || data.members.length > MEMBERS_MAX)
		throw limitExceeded({ what: "members of a key", limit: MEMBERS_MAX, actual: data.members?.length ?? 0 });
	requireThreshold(data.threshold, data.members.length);
	requireIdentifiers(data.members.map(({ identifier }) => identifier));
	if (!Number.isSafeInteger(data.epoch) || data.epoch < 0)
		throw bytesMalformed({ what: "epoch", expected: "a safe integer from 0 on", actual: String(data.epoch) });
	const nodes = new Set(data.members.map(({ node }) => node));
	if (nodes.size !== data.members.length || ![...nodes].every(isNodeId))
		throw bytesMalformed({
			what: "members",
			expected: "distinct node ids",
			actual: [...nodes].sort(compareIds).join(", "),
		});
	for (const { verifyingShare } of data.members) requireBytes("a verifying share", verifyingShare, ELEMENT_BYTES);
}

/**
 * One member's share of a key. It stays in the actor that owns it: the secret is in a private field, so that printing, JSON,
 * `structuredClone` and `postMessage` do not carry it. {@link exportSecret} is the one way out, for the key store.
 */
export class KeyShare {
	readonly key: GroupKey;
	readonly identifier: Identifier;
	#secret: bigint;

	/** @throws QuorateError `key-share-invalid` if the secret is not the one of `identifier`; `scalar-malformed` */
	constructor(key: GroupKey, identifier: Identifier, secret: Uint8Array) {
		const scalar = key.suite.decodeScalar(secret, "a key share");
		const expected = key.verifyingShare(identifier);
		if (expected === undefined) throw keyShareInvalid({ identifier, reason: "it is no member of this key" });
		if (!generatorTimes(key.suite, scalar).equals(expected))
			throw keyShareInvalid({ identifier, reason: "the secret does not belong to its verifying share" });
		this.key = key;
		this.identifier = identifier;
		this.#secret = scalar;
	}

	/**
	 * The secret, for arithmetic inside this room.
	 * @throws QuorateError `key-share-invalid` after {@link erase}
	 */
	get secret(): bigint {
		if (this.#secret === 0n) throw keyShareInvalid({ identifier: this.identifier, reason: "it was erased" });
		return this.#secret;
	}

	/** The secret as bytes, to be encrypted at once and overwritten after. */
	exportSecret(): Uint8Array {
		return this.key.suite.encodeScalar(this.secret);
	}

	/** Forgets the secret, as far as JavaScript lets one: the garbage collector decides when its memory is overwritten. */
	erase(): void {
		this.#secret = 0n;
	}

	/** Whether two shares are of the same sharing of the same key. */
	isSiblingOf(other: KeyShare): boolean {
		return equalBytes(this.key.canonicalBytes, other.key.canonicalBytes);
	}
}
