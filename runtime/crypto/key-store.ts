/**
 * Secrets at rest: each encrypted under a key that a passphrase gives through scrypt (RFC 7914), the whole bound together by a tag, so
 * that an entry can not be changed, exchanged, renamed or taken out. What it can not see is an older state of the whole store put back.
 */
import { createHmac, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { AEAD_NONCE_BYTES, aeadOpen, aeadSeal } from "./aead.ts";
import { hkdfExpand } from "./hkdf.ts";
import { keyStoreEntryMissing, keyStoreInvalid, keyStoreLocked } from "./secrecy-errors.ts";

/** What one guess at the passphrase costs: memory 128 · N · r bytes, time in proportion to N · r · p. */
export interface ScryptCost {
	/** A power of two, 2^14 to 2^20; default 2^17 (128 MiB with r = 8; OWASP's recommendation). */
	readonly N: number;
	/** 8 to 32; default 8. */
	readonly r: number;
	/** 1 to 16; default 1. */
	readonly p: number;
}

/** A store as it is written: JSON, binary parts in base64. */
export interface StoredKeys {
	readonly version: 1;
	readonly kdf: ScryptCost & { readonly name: "scrypt"; readonly salt: string };
	readonly entries: readonly { readonly name: string; readonly nonce: string; readonly sealed: string }[];
	/** Over version, kdf and all entries. */
	readonly tag: string;
}

export const SCRYPT_COST_DEFAULT: ScryptCost = { N: 2 ** 17, r: 8, p: 1 };
/** Entries of one store. */
export const ENTRIES_MAX = 4_096;
/** Bytes of one secret. */
export const SECRET_BYTES_MAX = 65_536;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const AEAD = "aes-256-gcm";
const NAME_LENGTH_MAX = 256;

interface Entry {
	readonly nonce: Buffer;
	readonly sealed: Buffer;
}

export class KeyStore {
	readonly #kdf: StoredKeys["kdf"];
	readonly #encryptionKey: Uint8Array;
	readonly #tagKey: Uint8Array;
	readonly #entries = new Map<string, Entry>();

	private constructor(kdf: StoredKeys["kdf"], passphrase: string) {
		const { N, r, p } = kdf;
		const salt = Buffer.from(kdf.salt, "base64");
		const derived = scryptSync(passphrase.normalize("NFKC"), salt, KEY_BYTES, { N, r, p, maxmem: 256 * N * r });
		this.#kdf = kdf;
		this.#encryptionKey = hkdfExpand(derived, Buffer.from("quorate/key-store/encrypt"), KEY_BYTES);
		this.#tagKey = hkdfExpand(derived, Buffer.from("quorate/key-store/tag"), KEY_BYTES);
		derived.fill(0);
	}

	/** An empty store. Takes as long as the cost says. @throws QuorateError `key-store-invalid` for a cost or passphrase out of bounds */
	static create(passphrase: string, cost: ScryptCost = SCRYPT_COST_DEFAULT): KeyStore {
		requireCost(cost);
		requirePassphrase(passphrase);
		return new KeyStore({ name: "scrypt", ...cost, salt: randomBytes(SALT_BYTES).toString("base64") }, passphrase);
	}

	/**
	 * Opens what {@link KeyStore.toJSON} gave.
	 * @throws QuorateError `key-store-invalid`, before any work, for what is no store or costs more than the bounds;
	 *   `key-store-locked` for a wrong passphrase or a changed store
	 */
	static open(stored: StoredKeys, passphrase: string): KeyStore {
		requireForm(stored);
		requirePassphrase(passphrase);
		const store = new KeyStore(stored.kdf, passphrase);
		for (const { name, nonce, sealed } of stored.entries)
			store.#entries.set(name, { nonce: Buffer.from(nonce, "base64"), sealed: Buffer.from(sealed, "base64") });
		const tag = Buffer.from(stored.tag, "base64");
		const expected = store.#tag();
		const isWhole = store.#entries.size === stored.entries.length && tag.length === expected.length;
		if (!isWhole || !timingSafeEqual(tag, expected)) throw keyStoreLocked({});
		return store;
	}

	get names(): readonly string[] {
		return [...this.#entries.keys()].sort();
	}

	/** Keeps a secret under a name, in place of what was there. @throws QuorateError `key-store-invalid` over the bounds */
	put(name: string, secret: Uint8Array): void {
		if (typeof name !== "string" || name.length === 0 || name.length > NAME_LENGTH_MAX)
			throw keyStoreInvalid({ reason: `a name has 1 to ${NAME_LENGTH_MAX} characters` });
		if (secret.length > SECRET_BYTES_MAX)
			throw keyStoreInvalid({ reason: `a secret has at most ${SECRET_BYTES_MAX} bytes` });
		if (!this.#entries.has(name) && this.#entries.size >= ENTRIES_MAX)
			throw keyStoreInvalid({ reason: `it holds ${ENTRIES_MAX} entries already` });
		const nonce = randomBytes(AEAD_NONCE_BYTES);
		const sealed = aeadSeal(AEAD, this.#encryptionKey, nonce, Buffer.from(name), secret);
		this.#entries.set(name, { nonce, sealed: Buffer.from(sealed) });
	}

	/** The secret of a name; overwrite it when it has been used. @throws QuorateError `key-store-entry-missing`, `key-store-locked` */
	get(name: string): Uint8Array {
		const entry = this.#entries.get(name);
		if (entry === undefined) throw keyStoreEntryMissing({ name });
		const secret = aeadOpen(AEAD, this.#encryptionKey, entry.nonce, Buffer.from(name), entry.sealed);
		if (secret === null) throw keyStoreLocked({});
		return secret;
	}

	has(name: string): boolean {
		return this.#entries.has(name);
	}

	remove(name: string): void {
		this.#entries.delete(name);
	}

	/** The store to be written. It holds nothing that is not encrypted but names and sizes. */
	toJSON(): StoredKeys {
		const entries = [...this.#entries].map(([name, { nonce, sealed }]) => ({
			name,
			nonce: nonce.toString("base64"),
			sealed: sealed.toString("base64"),
		}));
		return { version: 1, kdf: this.#kdf, entries, tag: this.#tag().toString("base64") };
	}

	#tag(): Buffer {
		const { name, N, r, p, salt } = this.#kdf;
		const mac = createHmac("sha256", this.#tagKey).update(JSON.stringify([1, name, N, r, p, salt]));
		for (const entryName of this.names) {
			const { nonce, sealed } = this.#entries.get(entryName) as Entry;
			mac.update(JSON.stringify([entryName, nonce.toString("base64"), sealed.toString("base64")]));
		}
		return mac.digest();
	}
}

/** Reads a store from a file. @throws QuorateError as {@link KeyStore.open}; errors of the file system as they are */
export function readKeyStore(path: string, passphrase: string): KeyStore {
	const text = readFileSync(path, "utf8");
	try {
		return KeyStore.open(JSON.parse(text) as StoredKeys, passphrase);
	} catch (cause) {
		if (cause instanceof SyntaxError) throw keyStoreInvalid({ reason: "it is no JSON" }, { cause });
		throw cause;
	}
}

/** Writes a store, readable by its owner alone, and whole or not at all. */
export function writeKeyStore(path: string, store: KeyStore): void {
	const temporary = `${path}.${randomBytes(6).toString("hex")}`;
	writeFileSync(temporary, `${JSON.stringify(store.toJSON(), null, "\t")}\n`, { mode: 0o600, flush: true, flag: "wx" });
	renameSync(temporary, path);
}

function requirePassphrase(passphrase: string): void {
	if (typeof passphrase !== "string" || passphrase.length === 0)
		throw keyStoreInvalid({ reason: "it has no passphrase" });
}

/** The lower bounds keep guessing expensive, the upper ones keep a foreign file from taking all memory. */
function requireCost({ N, r, p }: ScryptCost): void {
	const isPowerOfTwo = Number.isInteger(N) && N >= 2 ** 14 && N <= 2 ** 20 && (N & (N - 1)) === 0;
	const isInBounds = Number.isInteger(r) && r >= 8 && r <= 32 && Number.isInteger(p) && p >= 1 && p <= 16;
	if (!isPowerOfTwo || !isInBounds)
		throw keyStoreInvalid({ reason: `scrypt with N ${N}, r ${r} and p ${p} is outside the bounds` });
}

function requireForm(stored: StoredKeys): void {
	const isStore =
		typeof stored === "object" && stored !== null && stored.version === 1 && stored.kdf?.name === "scrypt";
	if (!isStore || !Array.isArray(stored.entries) || stored.entries.length > ENTRIES_MAX)
		throw keyStoreInvalid({ reason: "it has not the form of one" });
	requireCost(stored.kdf);
	const texts = [
		stored.kdf.salt,
		stored.tag,
		...stored.entries.flatMap((entry) => [entry?.name, entry?.nonce, entry?.sealed]),
	];
	if (!texts.every((text) => typeof text === "string")) throw keyStoreInvalid({ reason: "a part of it is no text" });
}
