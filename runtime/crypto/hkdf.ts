/** The two halves of HKDF (RFC 5869 §2.2, §2.3) with SHA-256, which the platform offers only together. */
import { createHmac } from "node:crypto";

const HASH_BYTES = 32;

export function hkdfExtract(salt: Uint8Array, input: Uint8Array): Uint8Array {
	return createHmac("sha256", salt).update(input).digest();
}

/** `length` is 1 to 8,160 bytes. */
export function hkdfExpand(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
	const blocks: Uint8Array[] = [];
	let block: Uint8Array = new Uint8Array();
	for (let count = 1; blocks.length * HASH_BYTES < length; count++) {
		block = createHmac("sha256", key).update(block).update(info).update(Uint8Array.of(count)).digest();
		blocks.push(block);
	}
	return Uint8Array.from(Buffer.concat(blocks).subarray(0, length));
}
