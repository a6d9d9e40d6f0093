/**
 * Goal: the port on `node:crypto` says what RFC 8032 and RFC 4231 print, refuses every signature and key that verifiers are known to
 * see differently, and lets nobody speak for another.
 * Method: known answers, bytes changed one at a time, and the points of small and mixed order of "Taming the many EdDSAs".
 */
import { createHmac, createPrivateKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../protocols/core/index.ts";
import { generateIdentity, KeyRing, NodeCryptoPort, type OwnIdentity } from "../../../runtime/crypto/index.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const [a, b, c] = [nodeId("a"), nodeId("b"), nodeId("c")];

/** An identity with a given Ed25519 key (RFC 8410 §7 for the form of the secret one). */
function identityOf(id: typeof a, secret: string, publicKey: string): OwnIdentity {
	const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(secret, "hex")]);
	const fresh = generateIdentity(id);
	return {
		...fresh,
		public: { ...fresh.public, signing: hex(publicKey) },
		signing: createPrivateKey({ key: der, format: "der", type: "pkcs8" }),
	};
}

function ringOf(own: OwnIdentity, ...others: OwnIdentity[]): KeyRing {
	const ring = new KeyRing("test", own);
	for (const other of others) ring.enrol(other.public);
	return ring;
}

function pair(): { ports: NodeCryptoPort[]; identities: OwnIdentity[] } {
	const identities = [a, b, c].map(generateIdentity);
	const ports = identities.map(
		(own) => new NodeCryptoPort(ringOf(own, ...identities.filter((other) => other !== own))),
	);
	return { ports, identities };
}

/** RFC 8032 §7.1: secret key, public key, message, signature. */
const rfc8032: readonly (readonly [name: string, secret: string, key: string, message: string, signature: string])[] = [
	[
		"TEST 1",
		"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"",
		"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
	],
	[
		"TEST 2",
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		"72",
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
	],
	[
		"TEST 3",
		"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
		"af82",
		"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
	],
	[
		"TEST SHA(abc)",
		"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
		"ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
		"dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
	],
];

describe("signatures", () => {
	it.each(rfc8032)("are those of RFC 8032 §7.1, %s", (_name, secret, key, message, signature) => {
		const port = new NodeCryptoPort(ringOf(identityOf(a, secret, key)));
		expect(text(port.sign(hex(message)))).toBe(signature);
		expect(port.verify(a, hex(message), hex(signature))).toBe(true);
	});

	it("are refused when any bit of them or of the message is another", () => {
		const { ports } = pair();
		const [of, by] = ports as [NodeCryptoPort, NodeCryptoPort];
		const message = hex("00112233");
		const signature = of.sign(message);
		expect(by.verify(a, message, signature)).toBe(true);
		for (let bit = 0; bit < 512; bit++) {
			const changed = Uint8Array.from(signature);
			changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
			expect(by.verify(a, message, changed)).toBe(false);
		}
		expect(by.verify(a, hex("00112232"), signature)).toBe(false);
	});

	it("are refused with S not below the group's order (RFC 8032 §5.1.7: malleability)", () => {
		const { ports } = pair();
		const [of, by] = ports as [NodeCryptoPort, NodeCryptoPort];
		const message = hex("01");
		const signature = of.sign(message);
		let s = 0n;
		for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(signature[i] as number);
		s += 2n ** 252n + 27742317777372353535851937790883648493n;
		const changed = Uint8Array.from(signature);
		for (let i = 32; i < 64; i++, s >>= 8n) changed[i] = Number(s & 255n);
		expect(by.verify(a, message, changed)).toBe(false);
	});

	it("count for their signer alone, and for nobody who is not enrolled", () => {
		const { ports } = pair();
		const signature = ports[0]!.sign(hex("05"));
		expect(ports[1]!.verify(b, hex("05"), signature)).toBe(false);
		expect(ports[1]!.verify(nodeId("stranger"), hex("05"), signature)).toBe(false);
	});

	it.each([0, 1, 63, 65, 4096])("of %i bytes are refused without a throw", (length) => {
		const { ports } = pair();
		expect(ports[1]!.verify(a, hex("05"), new Uint8Array(length))).toBe(false);
	});
});

describe("authenticators", () => {
	it("are HMAC-SHA-256 (RFC 4231 §4.3), under a key that only the two share", () => {
		const known = createHmac("sha256", "Jefe").update("what do ya want for nothing?").digest("hex");
		expect(known).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
		const { ports } = pair();
		const mac = ports[0]!.authenticate(b, hex("0102"));
		expect(mac.length).toBe(32);
		expect(ports[1]!.isAuthentic(a, hex("0102"), mac)).toBe(true);
		expect(ports[1]!.isAuthentic(a, hex("0103"), mac)).toBe(false);
		expect(ports[2]!.isAuthentic(a, hex("0102"), mac)).toBe(false);
	});

	it("can not be sent back to who made them, nor count in another group", () => {
		const identities = [a, b].map(generateIdentity) as [OwnIdentity, OwnIdentity];
		const [own, other] = identities;
		const port = new NodeCryptoPort(ringOf(own, other));
		const mac = port.authenticate(b, hex("01"));
		expect(port.isAuthentic(b, hex("01"), mac)).toBe(false);
		const elsewhere = new KeyRing("another group", other);
		elsewhere.enrol(own.public);
		expect(new NodeCryptoPort(elsewhere).isAuthentic(a, hex("01"), mac)).toBe(false);
	});

	it("of or for somebody unknown are never good", () => {
		const { ports } = pair();
		const stranger = nodeId("stranger");
		expect(ports[0]!.authenticate(stranger, hex("01")).length).toBe(0);
		expect(ports[0]!.isAuthentic(stranger, hex("01"), new Uint8Array(32))).toBe(false);
		expect(ports[0]!.isAuthentic(b, hex("01"), new Uint8Array(0))).toBe(false);
	});
});

describe("enrolment", () => {
	const ring = (): KeyRing => new KeyRing("test", generateIdentity(a));
	const enrol = (signing: Uint8Array) => () => ring().enrol({ ...generateIdentity(b).public, signing });

	it.each([
		["a point of order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"],
		["the identity", "0100000000000000000000000000000000000000000000000000000000000000"],
		["the point of order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
		[
			"five times the base point and a point of order 8",
			"d0424b701d60255de5df705071059ccd22b8349bb4138202ebbd65e9e0ad211b",
		],
		["y = p, which is 0 written otherwise", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
		["y = p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
		["negative zero", "0100000000000000000000000000000000000000000000000000000000000080"],
		["31 bytes", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751"],
		["no point at all", "0200000000000000000000000000000000000000000000000000000000000000"],
	])("refuses %s as a key", (_what, key) => {
		expect(enrol(hex(key))).toThrowError(expect.objectContaining({ code: "crypto-key-invalid" }));
	});

	it("refuses another key for an id, and one key for two ids", () => {
		const keys = ring();
		const other = generateIdentity(b).public;
		keys.enrol(other);
		keys.enrol(other);
		expect(() => keys.enrol(generateIdentity(b).public)).toThrowError(
			expect.objectContaining({ code: "crypto-key-conflict" }),
		);
		expect(() => keys.enrol({ ...other, id: c })).toThrowError(
			expect.objectContaining({ code: "crypto-key-shared", details: { node: "c", other: "b" } }),
		);
	});

	it("refuses an agreement key that gives no secret (RFC 7748 §6.1)", () => {
		const identity = { ...generateIdentity(b).public, agreement: new Uint8Array(32) };
		expect(() => ring().enrol(identity)).toThrowError(expect.objectContaining({ code: "crypto-key-invalid" }));
	});

	it("takes the keys that the platform makes", () => {
		const keys = ring();
		for (let i = 0; i < 8; i++) {
			const { publicKey } = generateKeyPairSync("ed25519");
			const signing = Uint8Array.from(publicKey.export({ format: "der", type: "spki" }).subarray(-32));
			keys.enrol({ ...generateIdentity(nodeId(`m${i}`)).public, signing });
		}
		expect(keys.ids.length).toBe(9);
	});
});
