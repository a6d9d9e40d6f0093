/**
 * Goal: anybody can compute the ledger's hashes with a tool of their own, and they survive being written as hex digits.
 * Method: the SHA-256 example of FIPS 180-4 ("abc"), whose first 16 bytes are the hash.
 */
import { expect, test } from "vitest";
import { hashFromHex, hashHex, hashInto } from "../../../actors/console/ledger-hash.ts";

test("a hash is the first half of the SHA-256", () => {
	const out = new Uint32Array(4);
	hashInto(new TextEncoder().encode("abc"), out);
	expect(hashHex(out)).toBe("ba7816bf8f01cfea414140de5dae2223");
});

test("a hash survives being written as hex digits", () => {
	const words = Uint32Array.from([1, 0xffffffff, 0, 0x80000000]);
	expect(hashHex(words)).toBe("00000001ffffffff0000000080000000");
	expect(hashFromHex(hashHex(words))).toEqual(words);
});
