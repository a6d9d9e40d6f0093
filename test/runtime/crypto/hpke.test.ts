/**
 * Goal: HPKE is that of RFC 9180. Method: the figures of its appendix A.1.1, derivation included; then both modes with every AEAD and
 * each thing that must not open.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { QuorateError } from "../../../protocols/core/index.ts";
import {
	type AeadName,
	agreementKeyFrom,
	deriveAgreementKey,
	generateAgreementKey,
	PairwiseBox,
	setupHpkeRecipient,
	setupHpkeSender,
} from "../../../runtime/crypto/index.ts";

interface Vector {
	readonly section: string;
	readonly info: string;
	readonly ikmE: string;
	readonly ikmR: string;
	readonly skRm: string;
	readonly pkRm: string;
	readonly enc: string;
	readonly pt: string;
	readonly encryptions: readonly { readonly aad: string; readonly ct: string }[];
	readonly exports: readonly { readonly context: string; readonly L: number; readonly value: string }[];
}

const vectors = [
	JSON.parse(readFileSync(new URL("./rfc9180-vectors.json", import.meta.url), "utf8")),
].flat() as Vector[];
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (value: Uint8Array): string => Buffer.from(value).toString("hex");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const codeOf = (action: () => unknown): string => {
	try {
		action();
	} catch (error) {
		return (error as QuorateError).code;
	}
	return "none";
};

describe.each(vectors)("$section", (vector) => {
	const options = { aead: "aes-128-gcm", info: bytes(vector.info) } as const;
	const recipient = deriveAgreementKey(bytes(vector.ikmR));

	it("derives the printed keys (7.1.3)", () => {
		expect(hex(recipient.publicKey)).toBe(vector.pkRm);
		expect(hex(agreementKeyFrom(bytes(vector.skRm)).publicKey)).toBe(vector.pkRm);
	});

	it("seals, opens and exports as printed", () => {
		const sender = setupHpkeSender(recipient.publicKey, options, null, deriveAgreementKey(bytes(vector.ikmE)));
		expect(hex(sender.encapsulated)).toBe(vector.enc);
		const opener = setupHpkeRecipient(recipient, bytes(vector.enc), options);
		for (const { aad, ct } of vector.encryptions) {
			expect(hex(sender.seal(bytes(vector.pt), bytes(aad)))).toBe(ct);
			expect(hex(opener.open(bytes(ct), bytes(aad)))).toBe(vector.pt);
		}
		for (const { context, L, value } of vector.exports) {
			expect(hex(sender.exportSecret(bytes(context), L))).toBe(value);
			expect(hex(opener.exportSecret(bytes(context), L))).toBe(value);
		}
	});
});

describe.each(["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"] as AeadName[])("HPKE with %s", (aead) => {
	const recipient = generateAgreementKey();
	const options = { aead, info: text("backup of key 1") };

	it("opens for its recipient, in order, in its context, and for nobody else", () => {
		const sender = setupHpkeSender(recipient.publicKey, options);
		const sealed = [text("one"), text("two")].map((plaintext) => sender.seal(plaintext, text("aad")));
		const open = ({
			own = recipient,
			info = options.info,
			first = sealed[0]!,
			associated = text("aad"),
		} = {}): string =>
			codeOf(() => setupHpkeRecipient(own, sender.encapsulated, { aead, info }).open(first, associated));
		expect(open()).toBe("none");
		expect(open({ own: generateAgreementKey() })).toBe("hpke-refused");
		expect(open({ info: text("another") })).toBe("hpke-refused");
		expect(open({ associated: text("other") })).toBe("hpke-refused");
		expect(open({ first: sealed[1]! })).toBe("hpke-refused");
		for (let at = 0; at < sealed[0]!.length; at++)
			expect(open({ first: sealed[0]!.map((byte, place) => (place === at ? byte ^ 1 : byte)) })).toBe("hpke-refused");
		expect(open({ first: new Uint8Array(3) })).toBe("hpke-refused");
	});

	it("a message that is refused does not lose its place", () => {
		const sender = setupHpkeSender(recipient.publicKey, options);
		const opener = setupHpkeRecipient(recipient, sender.encapsulated, options);
		const sealed = sender.seal(text("one"));
		expect(codeOf(() => opener.open(new Uint8Array(40)))).toBe("hpke-refused");
		expect(opener.open(sealed)).toEqual(text("one"));
	});

	it("auth mode opens only what this sender has sealed", () => {
		const [author, other] = [generateAgreementKey(), generateAgreementKey()];
		const sender = setupHpkeSender(recipient.publicKey, options, author);
		const sealed = sender.seal(text("one"));
		const openAs = (claimed: Uint8Array | null): string =>
			codeOf(() => setupHpkeRecipient(recipient, sender.encapsulated, options, claimed).open(sealed));
		expect(openAs(author.publicKey)).toBe("none");
		expect(openAs(other.publicKey)).toBe("hpke-refused");
		expect(openAs(null)).toBe("hpke-refused");
	});

	it("keys of small order and of another length are refused (RFC 7748 6.1)", () => {
		for (const key of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31)), new Uint8Array(31)]) {
			expect(codeOf(() => setupHpkeSender(key, options))).toBe("agreement-key-invalid");
			expect(codeOf(() => setupHpkeRecipient(recipient, key, options))).toBe("agreement-key-invalid");
		}
	});
});

describe("SEC-34: pairwise boxes", () => {
	const [one, other, third] = [new PairwiseBox(), new PairwiseBox(), new PairwiseBox()];
	const context = text("ceremony 1: node-1 to node-2");
	const share = new Uint8Array(32).fill(7);
	const sealed = one.seal(other.publicKey, context, share)!;

	it("open in their direction and context, for their recipient", () => {
		expect(other.open(one.publicKey, context, sealed)).toEqual(share);
		expect(other.open(one.publicKey, text("another"), sealed)).toBeNull();
		expect(one.open(other.publicKey, context, sealed)).toBeNull();
		expect(third.open(one.publicKey, context, sealed)).toBeNull();
		expect(other.open(third.publicKey, context, sealed)).toBeNull();
		expect(
			other.open(
				one.publicKey,
				context,
				sealed.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
			),
		).toBeNull();
	});

	it("an unusable key gives nothing, and throws nothing", () => {
		expect(one.seal(new Uint8Array(32), context, share)).toBeNull();
		expect(one.open(new Uint8Array(5), context, sealed)).toBeNull();
	});
});
