/** Byte strings: joined without ambiguity, compared without leaving early, written as hex. */
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { bytesMalformed } from "./errors.ts";

/** Joins byte strings as they are. */
export const concat: (...parts: Uint8Array[]) => Uint8Array = concatBytes;
/** The bytes of a text in UTF-8. */
export const textBytes: (text: string) => Uint8Array = utf8ToBytes;
/** Lower-case hex. */
export const toHex: (bytes: Uint8Array) => string = bytesToHex;
/** The bytes of a hex text. */
export const fromHex: (hex: string) => Uint8Array = hexToBytes;

/** An integer in 0 to 2^32 − 1 as four bytes, the most significant first. */
export function uint32(value: number): Uint8Array {
	return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** An integer in 0 to 2^53 − 1 as eight bytes, the most significant first. */
export function uint53(value: number): Uint8Array {
	return concat(uint32(Math.floor(value / 2 ** 32)), uint32(value % 2 ** 32));
}

/** Joins byte strings so that they can be told apart again: each after its length, so no two lists give the same bytes. */
export function frame(...parts: Uint8Array[]): Uint8Array {
	return concat(uint32(parts.length), ...parts.flatMap((part) => [uint32(part.length), part]));
}

/** Whether two byte strings are equal; the time depends on their lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	let difference = 0;
	for (let at = 0; at < a.length; at++) difference |= (a[at] as number) ^ (b[at] as number);
	return difference === 0;
}

/** @throws QuorateError `bytes-malformed` unless `value` is a byte array of `min` to `max` bytes */
export function requireBytes(what: string, value: unknown, min: number, max: number = min): Uint8Array {
	if (value instanceof Uint8Array && value.length >= min && value.length <= max) return value;
	const expected = min === max ? `${min} bytes` : `${min} to ${max} bytes`;
	const actual = value instanceof Uint8Array ? `${value.length} bytes` : typeof value;
	throw bytesMalformed({ what, expected, actual });
}
