/** UTF-8 in and out of bytes that may be shared memory. */

/** Up to this many characters a loop beats the call into the engine (measured: 24 ns against 90 ns for 16). */
const LOOP_LENGTH_MAX = 48;
const loneSurrogate = /\p{Surrogate}/u;

/** An upper bound of the UTF-8 length, exact for long texts. */
export function textBytesBound(text: string): number {
	// A UTF-16 unit takes at most three bytes; asking costs more than reserving a little too much.
	return text.length <= LOOP_LENGTH_MAX ? text.length * 3 : Buffer.byteLength(text);
}

/** Whether UTF-8 can carry the text: lone surrogates have no encoding and would silently become U+FFFD. */
export function isWellFormed(text: string): boolean {
	return !loneSurrogate.test(text);
}

/** Writes UTF-8 at `at` and returns the position behind it, or −1 if the text has a lone surrogate. */
export function writeText(bytes: Uint8Array, at: number, text: string): number {
	const length = text.length;
	if (length <= LOOP_LENGTH_MAX) {
		let i = 0;
		for (; i < length; i++) {
			const unit = text.charCodeAt(i);
			if (unit >= 0x80) break;
			bytes[at + i] = unit;
		}
		if (i === length) return at + length;
	}
	if (!isWellFormed(text)) return -1;
	// By way of private memory: `encodeInto` and the native writers refuse shared memory or crawl on it.
	const encoded = Buffer.from(text);
	bytes.set(encoded, at);
	return at + encoded.length;
}

/** Texts up to this many bytes are looked up before they are decoded: ids, which come again and again. */
const KNOWN_LENGTH_MAX = 32;
/** Places of that table, a power of two; a text that has the place of another replaces it. */
const KNOWN_TEXTS = 1024;
const known: (string | undefined)[] = new Array(KNOWN_TEXTS).fill(undefined);

/**
 * A short ASCII text: the string that it was decoded to before, if that is still known (measured with a map
 * that is asked for it: a third of the time), since a new one has to be made and hashed. `undefined` if it is not ASCII.
 */
function readKnown(bytes: Buffer, start: number, end: number): string | undefined {
	let hash = end - start;
	for (let i = start; i < end; i++) {
		const byte = bytes[i] as number;
		if (byte >= 0x80) return undefined;
		hash = (hash * 31 + byte) | 0;
	}
	const place = (hash ^ (hash >>> 15)) & (KNOWN_TEXTS - 1);
	const text = known[place];
	if (text !== undefined && isText(text, bytes, start, end)) return text;
	const read = bytes.toString("latin1", start, end);
	known[place] = read;
	return read;
}

function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
	if (text.length !== end - start) return false;
	for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
	return true;
}

/** Reads UTF-8, or `undefined` if the bytes are not well-formed. */
export function readText(bytes: Buffer, start: number, end: number): string | undefined {
	if (end - start <= KNOWN_LENGTH_MAX) {
		const text = readKnown(bytes, start, end);
		if (text !== undefined) return text;
	}
	const text = bytes.toString("utf8", start, end);
	// Malformed bytes decode to U+FFFD. A text that holds one is rare: look whether it is really there.
	if (text.includes("\ufffd") && !bytes.subarray(start, end).equals(Buffer.from(text))) return undefined;
	return text;
}
