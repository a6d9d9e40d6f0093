/**
 * Signed statements: a false "X is dead" is an attack on X. What is signed cannot be altered or made up by whoever passes it
 * on, and an accusation names its accuser. Between alive and left a member speaks for itself, so nobody else can raise its
 * incarnation; an accuser can only accuse an incarnation that the accused has signed.
 */
import type { CryptoPort } from "../../core/index.ts";
import type { MemberUpdate } from "./messages.ts";
import { updateKinds } from "./messages.ts";

/** Separates these signatures from all others that the same key may make. */
const DOMAIN = "quorate/swim/update/1";

/** The bytes that `by` signs: the domain, then every field with its length, so that no two statements share them. */
export function statementBytes({ kind, node, incarnation, by, tags }: Omit<MemberUpdate, "signature">): Uint8Array {
	const bytes = new Uint8Array(DOMAIN.length + 1 + 8 + 3 * 4 + node.length + by.length + tags.length);
	const view = new DataView(bytes.buffer);
	let at = writeAscii(bytes, 0, DOMAIN);
	bytes[at++] = updateKinds.indexOf(kind);
	view.setFloat64(at, incarnation);
	at += 8;
	for (const text of [node, by]) {
		view.setUint32(at, text.length);
		at = writeAscii(bytes, at + 4, text);
	}
	view.setUint32(at, tags.length);
	bytes.set(tags, at + 4);
	return bytes;
}

/** The statement with its signature; as it is where nobody signs. `by` must be this member. */
export function signUpdate(crypto: CryptoPort | undefined, update: MemberUpdate): MemberUpdate {
	return crypto === undefined ? update : { ...update, signature: crypto.sign(statementBytes(update)) };
}

/** Whether a statement is signed by who makes it; always true where nobody signs. Ids must have been checked. */
export function isSigned(crypto: CryptoPort | undefined, update: MemberUpdate): boolean {
	return crypto === undefined || crypto.verify(update.by, statementBytes(update), update.signature);
}

/** Bytes of a signature that are taken from the wire; Ed25519 has 64. */
export const SIGNATURE_BYTES_MAX = 128;

/** Node ids are ASCII, so a character is a byte. */
function writeAscii(bytes: Uint8Array, start: number, text: string): number {
	for (let i = 0; i < text.length; i++) bytes[start + i] = text.charCodeAt(i);
	return start + text.length;
}
