/**
 * Goal: secrets at rest open with their passphrase alone, and a store that was changed does not open (SEC-31). Method: a store written
 * and read back, and every single part of it changed; at the least cost that is allowed, to save time.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { QuorateError } from "../../../protocols/core/index.ts";
import { KeyStore, readKeyStore, type StoredKeys, writeKeyStore } from "../../../runtime/crypto/index.ts";

const cost = { N: 2 ** 14, r: 8, p: 1 };
const directory = mkdtempSync(join(tmpdir(), "quorate-key-store-"));
afterAll(() => rmSync(directory, { recursive: true }));
const secret = new Uint8Array(32).fill(9);
const store = KeyStore.create("correct horse", cost);
store.put("share/key-1/0", secret);
store.put("share/key-2/0", new Uint8Array([1, 2]));
const stored = JSON.parse(JSON.stringify(store)) as StoredKeys;
const codeOf = (action: () => unknown): string => {
	try {
		action();
	} catch (error) {
		return (error as QuorateError).code;
	}
	return "none";
};
const open = (changed: unknown, passphrase = "correct horse"): string =>
	codeOf(() => KeyStore.open(changed as StoredKeys, passphrase));

describe("SEC-31: a key store", () => {
	it("gives back what was put in, under the passphrase alone", () => {
		const opened = KeyStore.open(stored, "correct horse");
		expect(opened.names).toEqual(["share/key-1/0", "share/key-2/0"]);
		expect(opened.get("share/key-1/0")).toEqual(secret);
		expect(open(stored, "correct horsf")).toBe("key-store-locked");
		expect(codeOf(() => opened.get("share/key-9/0"))).toBe("key-store-entry-missing");
	});

	it("one passphrase in two spellings of the same letters is one", () => {
		const accented = KeyStore.create("caf\u00e9", cost);
		expect(codeOf(() => KeyStore.open(accented.toJSON(), "cafe\u0301"))).toBe("none");
	});

	it("holds nothing of a secret in the open, and encrypts the same secret differently each time", () => {
		const text = JSON.stringify(store);
		for (const encoding of ["hex", "base64"] as const)
			expect(text).not.toContain(Buffer.from(secret).toString(encoding));
		const again = KeyStore.create("correct horse", cost);
		again.put("share/key-1/0", secret);
		expect(again.toJSON().entries[0]!.sealed).not.toBe(stored.entries[0]!.sealed);
		expect(again.toJSON().kdf.salt).not.toBe(stored.kdf.salt);
	});

	it("does not open with an entry changed, renamed, exchanged, added or taken out, nor with another salt or tag", () => {
		const [first, second] = stored.entries;
		const withEntries = (...entries: unknown[]): unknown => ({ ...stored, entries });
		const other = Buffer.alloc(16, 1).toString("base64");
		for (const changed of [
			withEntries(first),
			withEntries(first, second, { ...second, name: "share/key-3/0" }),
			withEntries(first, { ...second, name: "share/key-3/0" }),
			withEntries({ ...first, sealed: second!.sealed, nonce: second!.nonce }, second),
			withEntries({ ...first, sealed: other }, second),
			withEntries({ ...first, nonce: other }, second),
			withEntries(first, second, second),
			{ ...stored, kdf: { ...stored.kdf, salt: other } },
			{ ...stored, kdf: { ...stored.kdf, N: 2 ** 15 } },
			{ ...stored, tag: "" },
		])
			expect(open(changed)).toBe("key-store-locked");
	});

	it("refuses what is none, and what would cost too little or too much, before any work", () => {
		for (const changed of [
			null,
			{},
			{ ...stored, version: 2 },
			{ ...stored, entries: "x" },
			{ ...stored, entries: [null] },
			{ ...stored, kdf: { ...stored.kdf, N: 2 ** 13 } },
			{ ...stored, kdf: { ...stored.kdf, N: 2 ** 21 } },
			{ ...stored, kdf: { ...stored.kdf, N: 2 ** 14 + 1 } },
			{ ...stored, kdf: { ...stored.kdf, r: 64 } },
			{ ...stored, kdf: { ...stored.kdf, p: 0 } },
		])
			expect(open(changed)).toBe("key-store-invalid");
		expect(open(stored, "")).toBe("key-store-invalid");
		expect(codeOf(() => store.put("", secret))).toBe("key-store-invalid");
		expect(codeOf(() => store.put("x", new Uint8Array(70_000)))).toBe("key-store-invalid");
	});

	it("is written for its owner alone, whole, and read back", () => {
		const path = join(directory, "keys.json");
		writeKeyStore(path, store);
		expect(statSync(path).mode & 0o777).toBe(0o600);
		expect(readKeyStore(path, "correct horse").get("share/key-2/0")).toEqual(new Uint8Array([1, 2]));
		const changed = KeyStore.open(stored, "correct horse");
		changed.remove("share/key-2/0");
		writeKeyStore(path, changed);
		expect(readKeyStore(path, "correct horse").has("share/key-2/0")).toBe(false);
		writeFileSync(path, readFileSync(path, "utf8").slice(0, 50));
		expect(codeOf(() => readKeyStore(path, "correct horse"))).toBe("key-store-invalid");
	});
});
