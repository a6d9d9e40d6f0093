/**
 * Goal: what published collections of negative cases (Wycheproof; "Taming the many EdDSAs", SSR 2020) hold against libraries is refused here,
 * by every member alike. Method: the cases are made, not copied: with a known secret everything can be built that only a lax verifier
 * takes, and a lax verifier beside ours shows that it was built well.
 */
import { createHash, createPrivateKey } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { describe, expect, it } from "vitest";
import { nodeId, type QuorateError } from "../../../protocols/core/index.ts";
import { type AeadName, aeadOpen, aeadProperties, aeadSeal } from "../../../runtime/crypto/aead.ts";
import {
	generateAgreementKey,
	generateIdentity,
	KeyRing,
	NodeCryptoPort,
	PairwiseBox,
	setupHpkeRecipient,
	setupHpkeSender,
} from "../../../runtime/crypto/index.ts";
import { agree } from "../../../runtime/crypto/x25519.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const concat = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

const member = nodeId("member");
const { Point } = ed25519;
const order = Point.Fn.ORDER;
const secret = new Uint8Array(32).fill(7);
const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(secret);
const message = text("pay 3");

/** A member that has enrolled the key of `secret`. */
function port(): NodeCryptoPort {
	const der = concat(hex("302e020100300506032b657004220420"), secret);
	const fresh = generateIdentity(member);
	const own = {
		...fresh,
		public: { ...fresh.public, signing: pointBytes },
		signing: createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" }),
	};
	return new NodeCryptoPort(new KeyRing("test", own));
}

/** h of RFC 8032 §5.1.7. */
function challenge(r: Uint8Array, a: Uint8Array): bigint {
	const hash = createHash("sha512")
		.update(concat(r, a, message))
		.digest();
	return BigInt(`0x${Buffer.from(hash.toReversed()).toString("hex")}`) % order;
}

function littleEndian(value: bigint): Uint8Array {
	return hex(value.toString(16).padStart(64, "0")).toReversed();
}

/** A signature whose R is these bytes, and whose S fits R = `nonce` times the base point. */
function signatureWith(r: Uint8Array, nonce: bigint): Uint8Array {
	return concat(r, littleEndian((nonce + challenge(r, pointBytes) * scalar) % order));
}

/** Points whose multiple by 8 is the identity, but for the identity itself. */
const smallOrder = [
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
];

describe("signatures that verifiers are known to judge differently", () => {
	const ours = port();
	const isTakenByLax = (signature: Uint8Array): boolean =>
		ed25519.verify(signature, message, pointBytes, { zip215: true });

	it("Ed25519: small order, mixed order and non-canonical encodings are judged alike by every member", () => {
		const good = signatureWith(Point.BASE.multiply(5n).toBytes(), 5n);
		expect([ours.verify(member, message, good), isTakenByLax(good)]).toEqual([true, true]);
		const small = smallOrder.map((r) => signatureWith(hex(r), 0n));
		const mixed = smallOrder.map((torsion) =>
			signatureWith(Point.BASE.multiply(5n).add(Point.fromHex(torsion, true)).toBytes(), 5n),
		);
		// The identity, written as y = p + 1, and as a negative zero.
		const otherwise = [
			"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
			"0100000000000000000000000000000000000000000000000000000000000080",
		].map((r) => signatureWith(hex(r), 0n));
		for (const signature of [...small, ...mixed, ...otherwise]) {
			expect(isTakenByLax(signature)).toBe(true);
			for (const judge of [ours, port()]) expect(judge.verify(member, message, signature)).toBe(false);
		}
	});

	it("S that is the order, one more, or all ones is refused, and so is an R that is no point", () => {
		const r = Point.BASE.multiply(5n).toBytes();
		const beyond = [order, order + 1n, 2n ** 256n - 1n].map((s) => concat(r, littleEndian(s)));
		const noPoint = concat(hex(`02${"00".repeat(31)}`), littleEndian(1n));
		for (const signature of [...beyond, noPoint, new Uint8Array(64)]) {
			expect(ours.verify(member, message, signature)).toBe(false);
		}
	});
});

describe("agreement (RFC 7748)", () => {
	const own = generateAgreementKey();
	const codeOf = (action: () => unknown): string => {
		try {
			action();
		} catch (error) {
			return (error as QuorateError).code;
		}
		return "none";
	};
	/** Every u of small order, the last three not reduced. */
	const weak = [
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	];
	/** The same with the bit that RFC 7748 §5 masks. */
	const masked = weak.map((key) => Uint8Array.from(hex(key), (byte, at) => (at === 31 ? byte | 0x80 : byte)));

	it("X25519: every public key of small order is refused, however it is written, wherever keys come in", () => {
		for (const key of [...weak.map(hex), ...masked]) {
			expect(codeOf(() => agree(own, key))).toBe("agreement-key-invalid");
			expect(codeOf(() => setupHpkeSender(key))).toBe("agreement-key-invalid");
			expect(codeOf(() => setupHpkeRecipient(own, key))).toBe("agreement-key-invalid");
			expect(new PairwiseBox(own).seal(key, text("context"), text("share"))).toBeNull();
			const identity = { ...generateIdentity(nodeId("other")).public, agreement: key };
			expect(codeOf(() => new KeyRing("test", generateIdentity(member)).enrol(identity))).toBe("crypto-key-invalid");
		}
	});

	it("HPKE: an encapsulated key that is written otherwise gives the same secret, and opens nothing", () => {
		const sender = setupHpkeSender(own.publicKey);
		const sealed = sender.seal(text("share"));
		expect(setupHpkeRecipient(own, sender.encapsulated).open(sealed)).toEqual(text("share"));
		const other = Uint8Array.from(sender.encapsulated, (byte, at) => (at === 31 ? byte ^ 0x80 : byte));
		expect(agree(own, other)).toEqual(agree(own, sender.encapsulated));
		expect(codeOf(() => setupHpkeRecipient(own, other).open(sealed))).toBe("hpke-refused");
	});
});

describe.each(["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"] as AeadName[])("%s", (name) => {
	const key = new Uint8Array(aeadProperties(name).keyBytes).fill(3);
	const nonce = new Uint8Array(12).fill(4);
	const associated = text("slot 5");

	it.each([0, 1, 16, 33])(
		"sealed messages: every changed, cut or lengthened one is refused in the same way",
		(length) => {
			const plaintext = new Uint8Array(length).fill(5);
			const sealed = aeadSeal(name, key, nonce, associated, plaintext);
			const open = (changes: {
				sealed?: Uint8Array;
				nonce?: Uint8Array;
				associated?: Uint8Array;
				key?: Uint8Array;
			}) => {
				const given = { key, nonce, associated, sealed, ...changes };
				return aeadOpen(name, given.key, given.nonce, given.associated, given.sealed);
			};
			const flipped = (bytes: Uint8Array): Uint8Array[] =>
				Array.from({ length: 8 * bytes.length }, (_, bit) =>
					bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
				);
			expect(open({})).toEqual(plaintext);
			for (const changed of flipped(sealed)) expect(open({ sealed: changed })).toBeNull();
			for (const changed of flipped(nonce)) expect(open({ nonce: changed })).toBeNull();
			for (const changed of flipped(associated)) expect(open({ associated: changed })).toBeNull();
			for (const changed of flipped(key).slice(0, 32)) expect(open({ key: changed })).toBeNull();
			for (let end = 0; end < sealed.length; end++) expect(open({ sealed: sealed.subarray(0, end) })).toBeNull();
			expect(open({ sealed: concat(sealed, Uint8Array.of(0)) })).toBeNull();
			expect(open({ associated: new Uint8Array() })).toBeNull();
		},
	);
});
