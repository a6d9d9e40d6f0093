/** Values as keys: equal values, and only those, have the same key. */
import { ByteReader } from "../encoding/byte-reader.ts";
import { ByteWriter } from "../encoding/byte-writer.ts";
import { readValue, type Value, writeValue } from "../encoding/value.ts";
import { valueUnencodable } from "../errors.ts";

/** The bytes that a value may take, encoded. */
export const VALUE_BYTES_MAX: number = 1024 * 1024;
/** Begins the key of a value that is no text, and of a text that begins with it. */
const OTHER = "\u0000";
const writer = new ByteWriter();

/** A text is its own key: most elements are texts. @throws QuorateError `crdt-value-unencodable` */
export function elementKey(value: Value): string {
	if (typeof value === "string" && !value.startsWith(OTHER)) {
		if (value.length > VALUE_BYTES_MAX) throw tooLarge(value.length);
		return value;
	}
	writer.reset();
	writeValue(writer, value);
	if (writer.length > VALUE_BYTES_MAX) throw tooLarge(writer.length);
	let key = OTHER;
	for (const byte of writer.view) key += String.fromCharCode(byte);
	return key;
}

/** The value of a key that {@link elementKey} has made. */
export function elementOf(key: string): Value {
	if (!key.startsWith(OTHER)) return key;
	return readValue(new ByteReader(Uint8Array.from({ length: key.length - 1 }, (_unused, i) => key.charCodeAt(i + 1))));
}

/** Whether a key is one that {@link elementKey} makes: keys from elsewhere are checked. */
export function isElementKey(key: string): boolean {
	if (!key.startsWith(OTHER)) return true;
	try {
		return elementKey(elementOf(key)) === key;
	} catch {
		// Whatever is wrong with it, it is no key.
		return false;
	}
}

/** A private copy of a value, as others will decode it. @throws QuorateError `crdt-value-unencodable` */
export function requireValue(value: Value): Value {
	if (typeof value === "boolean" || value === null || Number.isSafeInteger(value)) return value === 0 ? 0 : value;
	writer.reset();
	writeValue(writer, value);
	if (writer.length > VALUE_BYTES_MAX) throw tooLarge(writer.length);
	return typeof value === "string" ? value : readValue(new ByteReader(writer.view));
}

function tooLarge(bytes: number): Error {
	return valueUnencodable({ kind: "value", reason: `${bytes} bytes, more than ${VALUE_BYTES_MAX}` });
}
