/** CRC-32 (IEEE 802.3): finds bytes that were changed by accident. It proves nothing about who wrote them. */
// Signed, so that every word is a small integer to the engine. Four tables of 256, so that four bytes are one step
// ("slicing", after M. E. Kounavis and F. L. Berry, "A Systematic Approach to Building High Performance, Software-Based, CRC Generators"):
// a process that has just begun interprets this loop, and a state is long.
const table = slicingTable();

function slicingTable(): Int32Array {
	const words = new Int32Array(4 * 256);
	for (let byte = 0; byte < 256; byte++) {
		let word = byte;
		for (let bit = 0; bit < 8; bit++) word = word & 1 ? (word >>> 1) ^ 0xedb8_8320 : word >>> 1;
		words[byte] = word;
	}
	// Each further table is the one before, with one more zero byte behind.
	for (let at = 256; at < words.length; at++) {
		const word = words[at - 256]!;
		words[at] = (word >>> 8) ^ words[word & 0xff]!;
	}
	return words;
}

/** The checksum of the bytes from `start` to before `end`, as an unsigned 32-bit integer. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
	let word = -1;
	let at = start;
	for (; at + 4 <= end; at += 4) {
		word ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
		word =
			table[768 + (word & 0xff)]! ^
			table[512 + ((word >>> 8) & 0xff)]! ^
			table[256 + ((word >>> 16) & 0xff)]! ^
			table[word >>> 24]!;
	}
	for (; at < end; at++) word = (word >>> 8) ^ table[(word ^ bytes[at]!) & 0xff]!;
	return (word ^ -1) >>> 0;
}
