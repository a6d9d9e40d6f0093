/**
 * Goal: our hash is MurmurHash3_x86_128, tails included. Method: the verification value of SMHasher, which hashes the
 * keys {}, {0}, {0,1}, … {0..254} with the seeds 256, 255, … 1, hashes all those hashes, and compares the first word.
 */
import { expect, test } from "vitest";
import { hashFromHex, hashHex, murmur3 } from "../../../actors/console/murmur3.ts";

test("SMHasher's verification value for MurmurHash3_x86_128", () => {
	const hashes = new Uint8Array(256 * 16);
	const view = new DataView(hashes.buffer);
	const out = new Uint32Array(4);
	for (let length = 0; length < 256; length++) {
		const key = Uint8Array.from({ length }, (_, i) => i);
		murmur3(key, 256 - length, out);
		for (let lane = 0; lane < 4; lane++) view.setUint32(length * 16 + lane * 4, out[lane]!, true);
	}
	murmur3(hashes, 0, out);
	expect(out[0]).toBe(0xb3ece62a);
});

test("a hash survives being written as hex digits", () => {
	const words = Uint32Array.from([1, 0xffffffff, 0, 0x80000000]);
	expect(hashHex(words)).toBe("00000001ffffffff0000000080000000");
	expect(hashFromHex(hashHex(words))).toEqual(words);
});
