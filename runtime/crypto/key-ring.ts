/** Whose keys are enrolled, and this participant's own. */
import {
	createPrivateKey,
	createPublicKey,
	diffieHellman,
	generateKeyPairSync,
	hkdfSync,
	type KeyObject,
	randomBytes,
} from "node:crypto";
import { isNodeId, type NodeId } from "../../protocols/core/index.ts";
import { requirePrimeOrderKey } from "./ed25519-key.ts";
import { keyConflict, keyInvalid, keyShared } from "./errors.ts";
import { HmacKey } from "./hmac-key.ts";

/** Ids that one ring may hold: members and clients. */
export const ENROLLED_MAX = 65_536;
/** Bytes of an authenticator's key: those of the digest behind it (RFC 2104 §3). */
const MAC_KEY_BYTES = 32;

/** What is public of a participant, as it travels: raw keys, 32 bytes each. */
export interface PublicIdentity {
	readonly id: NodeId;
	/** Ed25519 (RFC 8032), for signatures. */
	readonly signing: Uint8Array;
	/** X25519 (RFC 7748), for the keys that two participants share. */
	readonly agreement: Uint8Array;
}

/** A participant's own keys. The secret ones are handles of the platform: they are never printed and never sent. */
export interface OwnIdentity {
	readonly public: PublicIdentity;
	readonly signing: KeyObject;
	readonly agreement: KeyObject;
}

/** Fresh keys from the platform's generator. */
export function generateIdentity(id: NodeId): OwnIdentity {
	const signing = generateKeyPairSync("ed25519");
	const agreement = generateKeyPairSync("x25519");
	return {
		public: { id, signing: rawKey(signing.publicKey), agreement: rawKey(agreement.publicKey) },
		signing: signing.privateKey,
		agreement: agreement.privateKey,
	};
}

/** A participant's own keys as bytes, for the way to its thread or its safe. Whoever has them can speak as it. */
export interface SecretIdentity {
	readonly public: PublicIdentity;
	/** PKCS #8 in DER (RFC 8410 §7), both. */
	readonly signing: Uint8Array;
	readonly agreement: Uint8Array;
}

export function exportIdentity(own: OwnIdentity): SecretIdentity {
	const secret = (key: KeyObject): Uint8Array => Uint8Array.from(key.export({ format: "der", type: "pkcs8" }));
	return { public: own.public, signing: secret(own.signing), agreement: secret(own.agreement) };
}

/** @throws QuorateError `crypto-key-invalid` when the bytes are no keys, or not those of this identity */
export function importIdentity({ public: identity, signing, agreement }: SecretIdentity): OwnIdentity {
	const key = (bytes: Uint8Array, raw: Uint8Array): KeyObject => {
		let secret: KeyObject;
		try {
			secret = createPrivateKey({ key: Buffer.from(bytes), format: "der", type: "pkcs8" });
		} catch (cause) {
			throw keyInvalid({ node: identity.id, reason: "its secret key can not be read" }, { cause });
		}
		if (Buffer.compare(rawKey(createPublicKey(secret)), raw) === 0) return secret;
		throw keyInvalid({ node: identity.id, reason: "its secret key belongs to another public key" });
	};
	return { public: identity, signing: key(signing, identity.signing), agreement: key(agreement, identity.agreement) };
}

/** The last 32 bytes of the key's DER form are the key itself (RFC 8410 §4). */
function rawKey(key: KeyObject): Uint8Array {
	return Uint8Array.from(key.export({ format: "der", type: "spki" }).subarray(-32));
}

/** One enrolled participant, as the port uses it. */
export interface Enrolled {
	readonly signing: KeyObject;
	readonly raw: Uint8Array;
	/** Shared with this ring's owner alone, one in each direction, so that no authenticator can be sent back to its maker. */
	readonly macTo: HmacKey;
	readonly macFrom: HmacKey;
}

/**
 * The keys that one participant knows. Whoever is not in it can prove nothing to it.
 *
 * Keys between two participants come from X25519 and HKDF-SHA-256 (RFC 5869) over both ids, so they need no exchange beside enrolment.
 */
export class KeyRing {
	readonly own: OwnIdentity;
	/** Names the group in the derivation: the same two participants have other keys in another group. */
	readonly #cluster: string;
	readonly #enrolled = new Map<NodeId, Enrolled>();
	readonly #owners = new Map<string, NodeId>();

	constructor(cluster: string, own: OwnIdentity) {
		this.#cluster = cluster;
		this.own = own;
		this.enrol(own.public);
	}

	/**
	 * Checks a key and lets its owner take part. Enrolling the same again changes nothing.
	 * @throws QuorateError `crypto-key-invalid` `{node, reason}`, `crypto-key-conflict` `{node}`, `crypto-key-shared` `{node, other}`
	 */
	enrol({ id, signing, agreement }: PublicIdentity): void {
		if (!isNodeId(id)) throw keyInvalid({ node: String(id).slice(0, 80), reason: "it has no valid id" });
		const known = this.#enrolled.get(id);
		if (known !== undefined) {
			if (Buffer.compare(known.raw, signing) !== 0) throw keyConflict({ node: id });
			return;
		}
		if (this.#enrolled.size >= ENROLLED_MAX)
			throw keyInvalid({ node: id, reason: `${ENROLLED_MAX} keys are enrolled` });
		requirePrimeOrderKey(id, signing);
		const name = Buffer.from(signing).toString("hex");
		const owner = this.#owners.get(name);
		if (owner !== undefined) throw keyShared({ node: id, other: owner });
		const shared = this.#agree(id, agreement);
		this.#owners.set(name, id);
		this.#enrolled.set(id, {
			signing: publicKey("Ed25519", signing),
			raw: Uint8Array.from(signing),
			macTo: this.#derive(shared, this.own.public.id, id),
			macFrom: this.#derive(shared, id, this.own.public.id),
		});
	}

	get(id: NodeId): Enrolled | undefined {
		return this.#enrolled.get(id);
	}

	get ids(): readonly NodeId[] {
		return [...this.#enrolled.keys()];
	}

	#agree(id: NodeId, agreement: Uint8Array): Buffer {
		if (agreement.length !== 32)
			throw keyInvalid({ node: id, reason: `its agreement key has ${agreement.length} bytes, not 32` });
		// With itself a participant shares a key that nobody else needs to know.
		if (id === this.own.public.id) return randomBytes(32);
		try {
			return diffieHellman({ privateKey: this.own.agreement, publicKey: publicKey("X25519", agreement) });
		} catch (cause) {
			// OpenSSL refuses an all-zero result, which keys of small order give (RFC 7748 §6.1).
			throw keyInvalid({ node: id, reason: "its agreement key gives no shared secret" }, { cause });
		}
	}

	#derive(shared: Buffer, from: NodeId, to: NodeId): HmacKey {
		const info = `quorate/mac/1|${this.#cluster}|${from}|${to}`;
		const key = new Uint8Array(hkdfSync("sha256", shared, Buffer.alloc(0), info, MAC_KEY_BYTES));
		const derived = new HmacKey(key);
		key.fill(0);
		return derived;
	}
}

function publicKey(curve: "Ed25519" | "X25519", raw: Uint8Array): KeyObject {
	return createPublicKey({ key: { kty: "OKP", crv: curve, x: Buffer.from(raw).toString("base64url") }, format: "jwk" });
}
