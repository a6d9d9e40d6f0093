/**
 * A log that can not be changed afterwards without it being seen: each record holds the digest of the one before (Haber and Stornetta
 * 1991; the heads after the idea of RFC 9162), and every so often the head is signed. Whoever has the signer's key and one signed head
 * can tell that everything up to it is as it was.
 *
 * What it does not show: records that were never written, and a tail cut off behind the last signed head that the reader knows of.
 */
import type { CryptoPort, NodeId } from "../../core/index.ts";
import { canonicalText } from "../../core/index.ts";
import { equalBytes, frame, requireBytes, textBytes, uint53 } from "../bytes.ts";
import { bytesMalformed, limitExceeded } from "../errors.ts";

/** Bytes of one record's content, in canonical text. */
export const AUDIT_RECORD_BYTES_MAX = 65_536;

/** One entry. Plain data: a line of JSON where it is stored. */
export interface AuditRecord {
	/** From 1, without gaps. */
	readonly sequence: number;
	/** Milliseconds, as the writer's clock had them: shown, never judged by. */
	readonly atMs: number;
	/** Who has written it. */
	readonly author: NodeId;
	/** What has happened: plain data. */
	readonly event: { readonly type: string; readonly [field: string]: unknown };
	/** The digest of the record before; zeros for the first. */
	readonly previous: Uint8Array;
	/** The digest of this one, which the next one holds. */
	readonly digest: Uint8Array;
	/** The author's signature on this record as head; empty where none was made. */
	readonly signature: Uint8Array;
}

/** Where a log stands, signed: what others keep to hold it to its word. */
export type AuditHead = Pick<AuditRecord, "sequence" | "digest" | "author" | "signature">;

/** What a verifier compares of a head that it knows. */
export type KnownHead = Pick<AuditRecord, "sequence" | "digest">;

const DIGEST_BYTES = 32;

/** Settings of a writer. */
export interface AuditLogOptions {
	readonly author: NodeId;
	readonly crypto: Pick<CryptoPort, "digest" | "sign">;
	/** Signs every so many records; 1 to 65,536, default 1. Larger is cheaper, and leaves a longer tail unsigned. */
	readonly signEvery?: number;
	/** The last record of a log that is continued. */
	readonly last?: AuditRecord;
}

const SIGN_EVERY_MAX = 65_536;

/** Writes: each event becomes the next record. It keeps the head alone; records are the caller's to store. */
export class AuditLog {
	readonly #options: AuditLogOptions;
	readonly #signEvery: number;
	#sequence: number;
	#head: Uint8Array;

	/** @throws QuorateError `bytes-malformed` for `signEvery` out of bounds */
	constructor(options: AuditLogOptions) {
		const { signEvery = 1, last } = options;
		if (!Number.isInteger(signEvery) || signEvery < 1 || signEvery > SIGN_EVERY_MAX)
			throw bytesMalformed({ what: "signEvery", expected: `1 to ${SIGN_EVERY_MAX}`, actual: String(signEvery) });
		this.#options = options;
		this.#signEvery = signEvery;
		this.#sequence = last?.sequence ?? 0;
		this.#head = last?.digest ?? new Uint8Array(DIGEST_BYTES);
	}

	/** @throws QuorateError `security-limit-exceeded` for a record over 64 KiB; AssertionError for what is no plain data */
	append(event: AuditRecord["event"], atMs: number): AuditRecord {
		const { author, crypto } = this.#options;
		const content = contentBytes(this.#sequence + 1, atMs, author, event, this.#head);
		if (content.length > AUDIT_RECORD_BYTES_MAX)
			throw limitExceeded({ what: "bytes of an audit record", limit: AUDIT_RECORD_BYTES_MAX, actual: content.length });
		const digest = crypto.digest(content);
		const previous = this.#head;
		this.#sequence += 1;
		this.#head = digest;
		const isSigned = this.#sequence % this.#signEvery === 0;
		const signature = isSigned ? crypto.sign(headBytes(this.#sequence, digest, author)) : new Uint8Array();
		return { sequence: this.#sequence, atMs, author, event, previous, digest, signature };
	}
}

/** Why a record is bad. */
export type AuditFault = "malformed" | "sequence" | "link" | "digest" | "signature" | "author" | "head";

/** What a verification has found. */
export type AuditVerdict =
	| { readonly isIntact: true; readonly records: number; readonly signedThrough: number }
	| { readonly isIntact: false; readonly firstBad: number; readonly fault: AuditFault; readonly signedThrough: number };

/**
 * Checks record after record, for logs that do not fit into memory: feed all, then {@link AuditVerifier.end}. It names the first bad
 * record by its place, counted from 1, and looks no further.
 */
export class AuditVerifier {
	readonly #crypto: Pick<CryptoPort, "digest" | "verify">;
	readonly #expected: KnownHead | null;
	#place = 0;
	#head: Uint8Array = new Uint8Array(DIGEST_BYTES);
	#author: NodeId | null = null;
	#signedThrough = 0;
	#hasMetHead = false;
	#bad: { readonly firstBad: number; readonly fault: AuditFault } | null = null;

	/** `expected` is a signed head that the reader knows of: the log must hold it. */
	constructor(crypto: Pick<CryptoPort, "digest" | "verify">, expected: KnownHead | null = null) {
		this.#crypto = crypto;
		this.#expected = expected;
	}

	/** Null for what could not be read as a record at all. */
	feed(record: AuditRecord | null): void {
		if (this.#bad !== null) return;
		this.#place += 1;
		const fault = record === null ? "malformed" : this.#faultOf(record);
		if (fault !== null) {
			this.#bad = { firstBad: this.#place, fault };
			return;
		}
		const { sequence, digest, author, signature } = record as AuditRecord;
		this.#head = digest;
		this.#author = author;
		if (signature.length > 0) this.#signedThrough = sequence;
		if (sequence === this.#expected?.sequence) this.#hasMetHead = true;
	}

	end(): AuditVerdict {
		const signedThrough = this.#signedThrough;
		if (this.#bad !== null) return { isIntact: false, ...this.#bad, signedThrough };
		if (this.#expected !== null && !this.#hasMetHead)
			return { isIntact: false, firstBad: this.#place + 1, fault: "head", signedThrough };
		return { isIntact: true, records: this.#place, signedThrough };
	}

	#faultOf(record: AuditRecord): AuditFault | null {
		if (!isRecord(record)) return "malformed";
		const { sequence, atMs, author, event, previous, digest, signature } = record;
		if (sequence !== this.#place) return "sequence";
		if (this.#author !== null && author !== this.#author) return "author";
		if (!equalBytes(previous, this.#head)) return "link";
		if (!equalBytes(this.#crypto.digest(contentBytes(sequence, atMs, author, event, previous)), digest))
			return "digest";
		if (signature.length > 0 && !this.#crypto.verify(author, headBytes(sequence, digest, author), signature))
			return "signature";
		if (sequence === this.#expected?.sequence && !equalBytes(digest, this.#expected.digest)) return "head";
		return null;
	}
}

/** The verdict on a whole log in memory. */
export function verifyAuditLog(
	records: Iterable<AuditRecord | null>,
	crypto: Pick<CryptoPort, "digest" | "verify">,
	expected: KnownHead | null = null,
): AuditVerdict {
	const verifier = new AuditVerifier(crypto, expected);
	for (const record of records) verifier.feed(record);
	return verifier.end();
}

/** Whether a head was signed by its author: what a co-signer checks before it signs the same words. */
export function verifyAuditHead(head: AuditHead, crypto: Pick<CryptoPort, "verify">): boolean {
	return crypto.verify(head.author, headBytes(head.sequence, head.digest, head.author), head.signature);
}

function contentBytes(
	sequence: number,
	atMs: number,
	author: NodeId,
	event: AuditRecord["event"],
	previous: Uint8Array,
): Uint8Array {
	requireBytes("the digest before", previous, DIGEST_BYTES);
	const time = textBytes(canonicalText(atMs));
	const what = textBytes(canonicalText(event));
	return frame(textBytes("quorate/audit/record/v1"), uint53(sequence), time, textBytes(author), what, previous);
}

function headBytes(sequence: number, digest: Uint8Array, author: NodeId): Uint8Array {
	return frame(textBytes("quorate/audit/head/v1"), uint53(sequence), digest, textBytes(author));
}

function isRecord(record: AuditRecord): boolean {
	return (
		Number.isSafeInteger(record.sequence) &&
		record.sequence > 0 &&
		Number.isFinite(record.atMs) &&
		!Object.is(record.atMs, -0) &&
		typeof record.author === "string" &&
		typeof record.event === "object" &&
		record.event !== null &&
		[record.previous, record.digest].every(
			(digest) => digest instanceof Uint8Array && digest.length === DIGEST_BYTES,
		) &&
		record.signature instanceof Uint8Array
	);
}
