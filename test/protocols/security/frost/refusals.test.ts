/**
 * Goal: what would break a threshold key is refused, and by name: bad encodings, bad identifiers, thresholds, shares, and above all
 * nonces that would sign twice. Method: one bad input at a time beside the good one.
 */
import { randomBytes } from "node:crypto";
import { ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js";
import { describe, expect, it } from "vitest";
import { nodeId, QuorateError } from "../../../../protocols/core/index.ts";
import {
	ciphersuite,
	commitNonces,
	dealKey,
	GroupKey,
	KeyShare,
	SigningSession,
	verifySignature,
} from "../../../../protocols/security/index.ts";

const suite = ciphersuite("ristretto255");
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const scalar = (value: bigint): Uint8Array => suite.encodeScalar(value);
const members = [1, 2, 3, 4].map((identifier) => ({ node: nodeId(`node-${identifier}`), identifier }));
const { key, shares } = dealKey("ristretto255", [scalar(11n), scalar(22n), scalar(33n)], members);
const message = random(20);

function codeOf(action: () => unknown): string {
	try {
		action();
	} catch (error) {
		if (error instanceof QuorateError) return error.code;
		throw error;
	}
	return "none";
}

function prepared(signers = [1, 2, 3]) {
	const nonces = signers.map((identifier) => commitNonces(shares[identifier - 1]!, random(64)));
	const session = new SigningSession(key, { message, commitments: nonces.map(({ commitment }) => commitment) });
	return { nonces, session };
}

describe("encodings (RFC 9591 §3.1, RFC 9496 §4.3.1)", () => {
	const order = suite.order;
	it.each([
		["the order itself", scalar(order)],
		["all ones", new Uint8Array(32).fill(255)],
		["too short", new Uint8Array(31)],
		["too long", new Uint8Array(33)],
	])("no scalar: %s", (_, encoded) => {
		expect(codeOf(() => suite.decodeScalar(encoded, "it"))).toBe("scalar-malformed");
	});

	it.each([
		["the identity", "00".repeat(32)],
		["a non-canonical field element", `00${"ff".repeat(31)}`],
		["a non-canonical field element, high", `f3${"ff".repeat(30)}7f`],
		["p + 0", `ed${"ff".repeat(30)}7f`],
		["a set top bit", `01${"00".repeat(30)}80`],
		["a negative field element", `01${"00".repeat(31)}`],
		["too short", "e2f2"],
	])("no ristretto255 element: %s", (_, encoded) => {
		expect(codeOf(() => suite.decodeElement(new Uint8Array(Buffer.from(encoded, "hex")), "it"))).toBe(
			"point-malformed",
		);
	});

	it("no Ed25519 element: any of small order, and one with a small-order component", () => {
		const edwards = ciphersuite("ed25519");
		for (const small of ED25519_TORSION_SUBGROUP)
			expect(codeOf(() => edwards.decodeElement(new Uint8Array(Buffer.from(small, "hex")), "it"))).toBe(
				"point-malformed",
			);
		const torsion = edwards.generator as unknown as { constructor: { fromHex(hex: string): never } };
		const mixed = edwards.generator.add(torsion.constructor.fromHex(ED25519_TORSION_SUBGROUP[1]!)).toBytes();
		expect(codeOf(() => edwards.decodeElement(mixed, "it"))).toBe("point-malformed");
		expect(codeOf(() => edwards.decodeElement(edwards.generator.toBytes(), "it"))).toBe("none");
	});

	it("encodes multiples of the generator as RFC 9496 appendix A.1 prints them", () => {
		const printed = [
			"e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
			"6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
			"94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
			"da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57",
			"e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e",
			"f64746d3c92b13050ed8d80236a7f0007c3b3f962f5ba793d19a601ebb1df403",
			"44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d",
			"903293d8f2287ebe10e2374dc1a53e0bc887e592699f02d077d5263cdd55601c",
			"02622ace8f7303a31cafc63f8fc48fdc16e1c8c8d234b2f0d6685282a9076031",
			"20706fd788b2720a1ed2a5dad4952b01f413bcf0e7564de8cdc816689e2db95f",
			"bce83f8ba5dd2fa572864c24ba1810f9522bc6004afe95877ac73241cafdab42",
			"e4549ee16b9aa03099ca208c67adafcafa4c3f3e4e5303de6026e3ca8ff84460",
			"aa52e000df2e16f55fb1032fc33bc42742dad6bd5a8fc0be0167436c5948501f",
			"46376b80f409b29dc2b5f6f0c52591990896e5716f41477cd30085ab7f10301e",
			"e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e",
		];
		expect(
			printed.map((_, at) => Buffer.from(suite.generator.multiply(BigInt(at + 1)).toBytes()).toString("hex")),
		).toEqual(printed);
		expect(suite.identity.toBytes()).toEqual(new Uint8Array(32));
	});
});

describe("SEC-1: thresholds and identifiers", () => {
	it.each([0, 5, 1.5, -1, Number.NaN])("a threshold of %s for 4 members", (threshold) => {
		expect(codeOf(() => new GroupKey({ ...key.data, threshold }))).toBe("threshold-invalid");
	});

	it.each([
		["zero", 0],
		["a duplicate", 2],
		["a fraction", 1.5],
		["too large", 65_536],
	])("identifier: %s", (_, identifier) => {
		const changed = key.members.map((member, at) => (at === 0 ? { ...member, identifier } : member));
		expect(codeOf(() => new GroupKey({ ...key.data, members: changed }))).toBe("identifier-invalid");
	});

	it("a key whose verifying shares are not on one polynomial over its public key", () => {
		for (const at of [0, 1, 2, 3]) {
			const other = suite.generator.multiply(5n).toBytes();
			const changed = key.members.map((member, place) =>
				place === at ? { ...member, verifyingShare: other } : member,
			);
			expect(codeOf(() => new GroupKey({ ...key.data, members: changed }))).toBe("key-share-invalid");
		}
		expect(codeOf(() => new GroupKey({ ...key.data, publicKey: suite.generator.multiply(5n).toBytes() }))).toBe(
			"key-share-invalid",
		);
	});

	it("two members of one name, and too many members", () => {
		const twice = key.members.map((member) => ({ ...member, node: nodeId("node-1") }));
		expect(codeOf(() => new GroupKey({ ...key.data, members: twice }))).toBe("bytes-malformed");
		const many = Array.from({ length: 65 }, (_, at) => ({
			...key.members[0]!,
			node: nodeId(`n-${at}`),
			identifier: at + 1,
		}));
		expect(codeOf(() => new GroupKey({ ...key.data, members: many }))).toBe("security-limit-exceeded");
	});

	it("a secret that is not this member's", () => {
		expect(codeOf(() => new KeyShare(key, 1, shares[1]!.exportSecret()))).toBe("key-share-invalid");
		expect(codeOf(() => new KeyShare(key, 9, shares[1]!.exportSecret()))).toBe("key-share-invalid");
	});
});

describe("SEC-3: nonces sign once", () => {
	it("refuses the same nonces for a second message, and for the same one again", () => {
		const { nonces, session } = prepared();
		session.sign(shares[0]!, nonces[0]!);
		expect(nonces[0]!.isSpent).toBe(true);
		expect(codeOf(() => session.sign(shares[0]!, nonces[0]!))).toBe("nonces-spent");
		const other = new SigningSession(key, {
			message: random(20),
			commitments: nonces.map(({ commitment }) => commitment),
		});
		expect(codeOf(() => other.sign(shares[0]!, nonces[0]!))).toBe("nonces-spent");
	});

	it("a structured clone, which is what a message to another thread makes, holds no nonces and can not sign", () => {
		const { nonces, session } = prepared();
		const clone = structuredClone(nonces[0]!);
		expect(Object.keys(clone)).toEqual(["commitment"]);
		expect(codeOf(() => session.sign(shares[0]!, clone))).toBe("nonces-spent");
		expect(codeOf(() => session.sign(shares[0]!, { ...nonces[0]! } as never))).toBe("nonces-spent");
		expect(codeOf(() => session.sign(shares[0]!, Object.create(nonces[0]!) as never))).toBe("nonces-spent");
		expect(codeOf(() => session.sign(shares[0]!, nonces[0]!))).toBe("none");
	});

	it("neither nonces nor key shares show their secrets when printed or written as JSON", () => {
		const { nonces } = prepared();
		expect(JSON.stringify(nonces[0])).toBe(JSON.stringify({ commitment: nonces[0]!.commitment }));
		expect(() => structuredClone(shares[0])).toThrow("could not be cloned");
		const secret = Buffer.from(shares[0]!.exportSecret()).toString("hex");
		expect(JSON.stringify({ ...shares[0], key: null })).not.toContain(secret);
	});

	it("a refused package does not spend them", () => {
		const { nonces } = prepared();
		const foreign = prepared();
		expect(codeOf(() => foreign.session.sign(shares[0]!, nonces[0]!))).toBe("signing-package-invalid");
		expect(nonces[0]!.isSpent).toBe(false);
	});

	it("discarded nonces and erased shares sign nothing", () => {
		const { nonces, session } = prepared();
		nonces[0]!.discard();
		expect(codeOf(() => session.sign(shares[0]!, nonces[0]!))).toBe("nonces-spent");
		const erased = new KeyShare(key, 2, shares[1]!.exportSecret());
		erased.erase();
		expect(codeOf(() => session.sign(erased, nonces[1]!))).toBe("key-share-invalid");
		expect(nonces[1]!.isSpent).toBe(false);
	});
});

describe("signing packages", () => {
	const { nonces } = prepared([1, 2, 3, 4]);
	const list = nonces.map(({ commitment }) => commitment);
	it.each([
		["fewer signers than the threshold", list.slice(0, 2), "signing-package-invalid"],
		["a signer twice", [list[0]!, list[1]!, list[1]!], "identifier-invalid"],
		["signer 0", [list[0]!, list[1]!, { ...list[2]!, identifier: 0 }], "identifier-invalid"],
		["a stranger", [list[0]!, list[1]!, { ...list[2]!, identifier: 9 }], "signing-package-invalid"],
		["the identity", [list[0]!, list[1]!, { ...list[2]!, hiding: new Uint8Array(32) }], "point-malformed"],
		["a short commitment", [list[0]!, list[1]!, { ...list[2]!, binding: new Uint8Array(3) }], "bytes-malformed"],
		["no list", null as never, "signing-package-invalid"],
	])("%s", (_, commitments, code) => {
		expect(codeOf(() => new SigningSession(key, { message, commitments }))).toBe(code);
	});

	it("a message over the limit, and one that is no bytes", () => {
		expect(codeOf(() => new SigningSession(key, { message: new Uint8Array(65_537), commitments: list }))).toBe(
			"bytes-malformed",
		);
		expect(codeOf(() => new SigningSession(key, { message: "text" as never, commitments: list }))).toBe(
			"bytes-malformed",
		);
	});

	it("shares of another epoch of the same key do not sign", () => {
		const next = new GroupKey({ ...key.data, epoch: 1 });
		const session = new SigningSession(next, { message, commitments: list });
		expect(codeOf(() => session.sign(shares[0]!, nonces[0]!))).toBe("signing-package-invalid");
	});
});

describe("SEC-4: who has sent a wrong share is named", () => {
	it("names each culprit, the missing included, and none of the others", () => {
		const { nonces, session } = prepared([1, 2, 4]);
		const signed = nonces.map((own) => session.sign(shares[own.commitment.identifier - 1]!, own));
		const wrong = { ...signed[1]!, share: scalar(suite.decodeScalar(signed[1]!.share, "it") + 1n) };
		const culprits = (list: typeof signed): unknown => {
			try {
				session.aggregate(list);
			} catch (error) {
				return (error as QuorateError).details["culprits"];
			}
			return "none";
		};
		expect(culprits([signed[0]!, wrong, signed[2]!])).toEqual(["node-2"]);
		expect(culprits([signed[0]!, signed[2]!])).toEqual(["node-2"]);
		expect(culprits([signed[0]!, { ...wrong, share: new Uint8Array(32).fill(255) }, signed[2]!])).toEqual(["node-2"]);
		expect(culprits(signed)).toBe("none");
	});

	it("shares that are each wrong and whose sum is right do not pass", () => {
		const { nonces, session } = prepared();
		const signed = nonces.map((own, at) => session.sign(shares[at]!, own));
		const swapped = [
			{ ...signed[0]!, share: signed[1]!.share },
			{ ...signed[1]!, share: signed[0]!.share },
			signed[2]!,
		];
		expect(codeOf(() => session.aggregate(swapped))).toBe("signature-shares-invalid");
		expect(session.isShareValid(swapped[0]!)).toBe(false);
		expect(session.isShareValid(swapped[2]!)).toBe(true);
	});

	it("a share that was found right does not make another one right, nor does the same bytes object changed after", () => {
		const { nonces, session } = prepared();
		const signed = nonces.map((own, at) => session.sign(shares[at]!, own));
		expect(session.isShareValid(signed[0]!)).toBe(true);
		expect(session.isShareValid({ ...signed[0]!, share: signed[1]!.share })).toBe(false);
		expect(session.isShareValid({ ...signed[1]!, share: signed[0]!.share })).toBe(false);
		const changing = signed[2]!.share.slice();
		expect(session.isShareValid({ identifier: 3, share: changing })).toBe(true);
		changing[0]! ^= 1;
		expect(session.isShareValid({ identifier: 3, share: changing })).toBe(false);
		expect(session.aggregate(signed)).toHaveLength(64);
	});

	it("a duplicate share and one of a stranger are refused", () => {
		const { nonces, session } = prepared();
		const signed = nonces.map((own, at) => session.sign(shares[at]!, own));
		expect(codeOf(() => session.aggregate([...signed, signed[0]!]))).toBe("identifier-invalid");
		expect(codeOf(() => session.aggregate([...signed, { ...signed[0]!, identifier: 4 }]))).toBe(
			"signature-shares-invalid",
		);
	});
});

describe("SEC-5: verification never throws", () => {
	it("is false for what is no signature", () => {
		const publicKey = key.data.publicKey;
		for (const signature of [
			new Uint8Array(0),
			new Uint8Array(64),
			new Uint8Array(64).fill(255),
			null,
			"x",
			random(65),
		])
			expect(verifySignature("ristretto255", publicKey, message, signature as never)).toBe(false);
		expect(verifySignature("ristretto255", new Uint8Array(32), message, new Uint8Array(64))).toBe(false);
	});
});
