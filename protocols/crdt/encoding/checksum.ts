/** CRC-32 (IEEE 802.3): finds bytes that were changed by accident. It proves nothing about who wrote them. */
// Signed, so that every word is a small integer to the engine.
const table = Int32Array.from({ length: 256 }, (_unused, byte) => {
	let word = byte;
	for (let bit = 0; bit < 8; bit++) word = word & 1 ? (word >>> 1) ^ 0xedb8_8320 : word >>> 1;
	return word;
});

/** The checksum of the bytes from `start` to before `end`, as an unsigned 32-bit integer. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
	let word = -1;
	for (let i = start; i < end; i++) word = (word >>> 8) ^ table[(word ^ bytes[i]!) & 0xff]!;
	return (word ^ -1) >>> 0;
}
