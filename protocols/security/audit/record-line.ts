/** Audit records as lines of JSON, bytes in hex: what is stored, and what `quorate audit verify` reads. */
import { fromHex, toHex } from "../bytes.ts";
import type { AuditRecord } from "./audit-log.ts";

/** Characters of one line: four times what a record's content may hold, for the spelling of JSON. */
export const AUDIT_LINE_LENGTH_MAX = 262_144;

/** One line, without its end. The event must be what JSON can say: its digest would not be found again otherwise. */
export function formatAuditRecord({ previous, digest, signature, ...rest }: AuditRecord): string {
	return JSON.stringify({ ...rest, previous: toHex(previous), digest: toHex(digest), signature: toHex(signature) });
}

/** The record of a line; null for what is none. Never throws. */
export function parseAuditRecord(line: string): AuditRecord | null {
	if (line.length > AUDIT_LINE_LENGTH_MAX) return null;
	try {
		const read = JSON.parse(line) as { readonly [field: string]: unknown } | null;
		if (typeof read !== "object" || read === null) return null;
		const { sequence, atMs, author, event, previous, digest, signature } = read;
		const [first, second, third] = [previous, digest, signature].map((hex) => fromHex(String(hex)));
		return { sequence, atMs, author, event, previous: first, digest: second, signature: third } as AuditRecord;
	} catch {
		// Whoever verifies tells the line's place; how exactly it is broken does not matter.
		return null;
	}
}
