/**
 * Encryption to the holder of a public key: HPKE (RFC 9180) with DHKEM(X25519, HKDF-SHA256) and HKDF-SHA256, in base mode and, where
 * the sender shall be known to the recipient, auth mode.
 */
import { AEAD_NONCE_BYTES, type AeadName, aeadOpen, aeadProperties, aeadSeal } from "./aead.ts";
import { hkdfExpand, hkdfExtract } from "./hkdf.ts";
import { hpkeRefused } from "./secrecy-errors.ts";
import { type AgreementKey, agree, agreementKeyFrom, generateAgreementKey } from "./x25519.ts";

const HASH_BYTES = 32;
/** Messages of one context: far below what AEADs bear, and exact in a double. */
const SEQUENCE_MAX = 2 ** 48;
const kemSuite = Buffer.concat([Buffer.from("KEM"), Uint8Array.of(0x00, 0x20)]);
const none = new Uint8Array();

/** What both sides must say alike. */
export interface HpkeOptions {
	/** Default `chacha20-poly1305`. */
	readonly aead?: AeadName;
	/** Binds the context to its use; default empty. */
	readonly info?: Uint8Array;
}

/** The sending side; messages are numbered by their order. */
export interface HpkeSender {
	/** The encapsulated key, for the recipient. */
	readonly encapsulated: Uint8Array;
	seal(plaintext: Uint8Array, associated?: Uint8Array): Uint8Array;
	exportSecret(context: Uint8Array, length: number): Uint8Array;
}

/** The receiving side; messages open in the order in which they were sealed. */
export interface HpkeRecipient {
	/** @throws QuorateError `hpke-refused`; the place in the order stays then */
	open(sealed: Uint8Array, associated?: Uint8Array): Uint8Array;
	exportSecret(context: Uint8Array, length: number): Uint8Array;
}

/**
 * A context to a recipient. With `sender`, its key authenticates it to the recipient alone. `ephemeral` is fresh unless a test that
 * repeats known answers gives it.
 * @throws QuorateError `agreement-key-invalid`
 */
export function setupHpkeSender(
	recipient: Uint8Array,
	options: HpkeOptions = {},
	sender: AgreementKey | null = null,
	ephemeral: AgreementKey = generateAgreementKey(),
): HpkeSender {
	const secrets = [agree(ephemeral, recipient), ...(sender === null ? [] : [agree(sender, recipient)])];
	const publics = [ephemeral.publicKey, recipient, ...(sender === null ? [] : [sender.publicKey])];
	const schedule = new KeySchedule(encapsulatedSecret(secrets, publics), sender === null ? 0 : 2, options);
	return {
		encapsulated: ephemeral.publicKey,
		seal: (plaintext, associated = none) => schedule.seal(plaintext, associated),
		exportSecret: (context, length) => schedule.exportSecret(context, length),
	};
}

/** The other side. With `sender`, opens only what the holder of that key has sealed. @throws QuorateError `agreement-key-invalid` */
export function setupHpkeRecipient(
	own: AgreementKey,
	encapsulated: Uint8Array,
	options: HpkeOptions = {},
	sender: Uint8Array | null = null,
): HpkeRecipient {
	const secrets = [agree(own, encapsulated), ...(sender === null ? [] : [agree(own, sender)])];
	const publics = [encapsulated, own.publicKey, ...(sender === null ? [] : [sender])];
	const schedule = new KeySchedule(encapsulatedSecret(secrets, publics), sender === null ? 0 : 2, options);
	return {
		open: (sealed, associated = none) => schedule.open(sealed, associated),
		exportSecret: (context, length) => schedule.exportSecret(context, length),
	};
}

/** A key pair from input of at least 32 secret bytes (RFC 9180 §7.1.3). */
export function deriveAgreementKey(input: Uint8Array): AgreementKey {
	const key = labeledExtract(kemSuite, none, "dkp_prk", input);
	return agreementKeyFrom(labeledExpand(kemSuite, key, "sk", none, 32));
}

function encapsulatedSecret(secrets: readonly Uint8Array[], publics: readonly Uint8Array[]): Uint8Array {
	const key = labeledExtract(kemSuite, none, "eae_prk", Buffer.concat(secrets));
	return labeledExpand(kemSuite, key, "shared_secret", Buffer.concat(publics), HASH_BYTES);
}

class KeySchedule {
	readonly #aead: AeadName;
	readonly #suite: Uint8Array;
	readonly #key: Uint8Array;
	readonly #baseNonce: Uint8Array;
	readonly #exporter: Uint8Array;
	#sequence = 0;

	constructor(shared: Uint8Array, mode: 0 | 2, { aead = "chacha20-poly1305", info = none }: HpkeOptions) {
		const { keyBytes, hpkeId } = aeadProperties(aead);
		this.#aead = aead;
		this.#suite = Buffer.concat([Buffer.from("HPKE"), Uint8Array.of(0x00, 0x20, 0x00, 0x01, 0x00, hpkeId)]);
		const context = Buffer.concat([
			Uint8Array.of(mode),
			labeledExtract(this.#suite, none, "psk_id_hash", none),
			labeledExtract(this.#suite, none, "info_hash", info),
		]);
		const secret = labeledExtract(this.#suite, shared, "secret", none);
		this.#key = labeledExpand(this.#suite, secret, "key", context, keyBytes);
		this.#baseNonce = labeledExpand(this.#suite, secret, "base_nonce", context, AEAD_NONCE_BYTES);
		this.#exporter = labeledExpand(this.#suite, secret, "exp", context, HASH_BYTES);
	}

	seal(plaintext: Uint8Array, associated: Uint8Array): Uint8Array {
		const sealed = aeadSeal(this.#aead, this.#key, this.#nonce(), associated, plaintext);
		this.#sequence += 1;
		return sealed;
	}

	open(sealed: Uint8Array, associated: Uint8Array): Uint8Array {
		const opened = aeadOpen(this.#aead, this.#key, this.#nonce(), associated, sealed);
		if (opened === null) throw hpkeRefused({ reason: "it is not what was sealed for this recipient at this place" });
		this.#sequence += 1;
		return opened;
	}

	exportSecret(context: Uint8Array, length: number): Uint8Array {
		return labeledExpand(this.#suite, this.#exporter, "sec", context, length);
	}

	#nonce(): Uint8Array {
		if (this.#sequence >= SEQUENCE_MAX) throw hpkeRefused({ reason: "the context is used up" });
		const nonce = Buffer.from(this.#baseNonce);
		const counter = Buffer.alloc(AEAD_NONCE_BYTES);
		counter.writeUIntBE(this.#sequence, AEAD_NONCE_BYTES - 6, 6);
		return nonce.map((byte, at) => byte ^ (counter[at] as number));
	}
}

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, input: Uint8Array): Uint8Array {
	return hkdfExtract(salt, Buffer.concat([Buffer.from("HPKE-v1"), suite, Buffer.from(label), input]));
}

function labeledExpand(
	suite: Uint8Array,
	key: Uint8Array,
	label: string,
	info: Uint8Array,
	length: number,
): Uint8Array {
	const size = Uint8Array.of(length >> 8, length & 255);
	return hkdfExpand(key, Buffer.concat([size, Buffer.from("HPKE-v1"), suite, Buffer.from(label), info]), length);
}
