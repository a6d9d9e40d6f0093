/**
 * Goal: FROST is that of RFC 9591. Method: the figures of its appendices E.1 (Ed25519) and E.3 (ristretto255), step by step and byte
 * by byte; then random keys and signer sets, where `@noble/curves`' own FROST signs and verifies the other half.
 */
import { createPublicKey, randomBytes, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { ed25519_FROST, ristretto255_FROST } from "@noble/curves/ed25519.js";
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../../protocols/core/index.ts";
import {
	ciphersuite,
	commitNonces,
	dealKey,
	GroupKey,
	SigningSession,
	type SuiteName,
	verifySignature,
} from "../../../../protocols/security/index.ts";

interface Vector {
	readonly section: string;
	readonly suite: string;
	readonly inputs: {
		readonly participant_list: readonly number[];
		readonly group_secret_key: string;
		readonly group_public_key: string;
		readonly message: string;
		readonly share_polynomial_coefficients: readonly string[];
		readonly participant_shares: readonly { readonly identifier: number; readonly participant_share: string }[];
	};
	readonly round_one: readonly {
		readonly identifier: number;
		readonly hiding_nonce_randomness: string;
		readonly binding_nonce_randomness: string;
		readonly hiding_nonce_commitment: string;
		readonly binding_nonce_commitment: string;
		readonly binding_factor: string;
	}[];
	readonly round_two: readonly { readonly identifier: number; readonly sig_share: string }[];
	readonly sig: string;
}

const vectors = JSON.parse(
	readFileSync(new URL("./rfc9591-vectors.json", import.meta.url), "utf8"),
) as readonly Vector[];
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (value: Uint8Array): string => Buffer.from(value).toString("hex");
const suiteOf = (vector: Vector): SuiteName => (vector.suite.includes("Ed25519") ? "ed25519" : "ristretto255");
const membersOf = (count: number) =>
	Array.from({ length: count }, (_, at) => ({ node: nodeId(`node-${at + 1}`), identifier: at + 1 }));

it("has both suites' figures", () => {
	expect(vectors.map(suiteOf).sort()).toEqual(["ed25519", "ristretto255"]);
});

describe.each(vectors)("SEC-3: $section, $suite", (vector) => {
	const name = suiteOf(vector);
	const suite = ciphersuite(name);
	const { inputs } = vector;
	const message = bytes(inputs.message);
	const { key, shares } = dealKey(
		name,
		[inputs.group_secret_key, ...inputs.share_polynomial_coefficients].map(bytes),
		membersOf(3),
	);

	it("deals the printed shares and public key (appendix C)", () => {
		expect(hex(key.data.publicKey)).toBe(inputs.group_public_key);
		expect(
			shares.map((share) => ({ identifier: share.identifier, participant_share: hex(share.exportSecret()) })),
		).toEqual(inputs.participant_shares);
	});

	it("makes the printed commitments, binding factors, signature shares and signature", () => {
		const nonces = vector.round_one.map((one) => {
			const share = shares.find(({ identifier }) => identifier === one.identifier)!;
			return commitNonces(share, bytes(one.hiding_nonce_randomness + one.binding_nonce_randomness));
		});
		expect(
			nonces.map(({ commitment }) => [commitment.identifier, hex(commitment.hiding), hex(commitment.binding)]),
		).toEqual(
			vector.round_one.map((one) => [one.identifier, one.hiding_nonce_commitment, one.binding_nonce_commitment]),
		);
		const session = new SigningSession(key, { message, commitments: nonces.map(({ commitment }) => commitment) });
		expect(session.identifiers.map((identifier) => hex(suite.encodeScalar(session.bindingFactor(identifier))))).toEqual(
			vector.round_one.map(({ binding_factor }) => binding_factor),
		);
		const signed = nonces.map((own) =>
			session.sign(shares.find(({ identifier }) => identifier === own.commitment.identifier)!, own),
		);
		expect(signed.map(({ identifier, share }) => ({ identifier, sig_share: hex(share) }))).toEqual(vector.round_two);
		expect(signed.every((share) => session.isShareValid(share))).toBe(true);
		const signature = session.aggregate(signed);
		expect(hex(signature)).toBe(vector.sig);
		expect(verifySignature(name, key.data.publicKey, message, signature)).toBe(true);
	});

	it("SEC-5: takes the printed signature for the printed message only", () => {
		const signature = bytes(vector.sig);
		expect(verifySignature(name, bytes(inputs.group_public_key), message, signature)).toBe(true);
		expect(verifySignature(name, bytes(inputs.group_public_key), bytes("74657375"), signature)).toBe(false);
		for (let at = 0; at < signature.length; at++) {
			const changed = signature.slice();
			changed[at]! ^= 1;
			expect(verifySignature(name, bytes(inputs.group_public_key), message, changed)).toBe(false);
		}
	});
});

describe.each(["ristretto255", "ed25519"] as const)("SEC-3: %s against another implementation", (name) => {
	const theirs = name === "ed25519" ? ed25519_FROST : ristretto255_FROST;
	const suite = ciphersuite(name);

	it("each verifies what the other signs, for every set of signers of a 3-of-5 key", () => {
		const coefficients = [1, 2, 3].map(() =>
			suite.encodeScalar(suite.hashToScalar("test", new Uint8Array(randomBytes(32)))),
		);
		const { key, shares } = dealKey(name, coefficients, membersOf(5));
		const message = new Uint8Array(randomBytes(40));
		for (const signers of [
			[1, 2, 3],
			[5, 3, 1],
			[2, 4, 5],
			[1, 2, 4, 5],
			[5, 4, 3, 2, 1],
		]) {
			const nonces = signers.map((id) => commitNonces(shares[id - 1]!, new Uint8Array(randomBytes(64))));
			const session = new SigningSession(key, { message, commitments: nonces.map(({ commitment }) => commitment) });
			const signature = session.aggregate(nonces.map((own, at) => session.sign(shares[signers[at]! - 1]!, own)));
			expect(theirs.verify(signature, message, key.data.publicKey)).toBe(true);
		}
		const single = theirs.sign(message, suite.encodeScalar(7n));
		expect(verifySignature(name, suite.generator.multiply(7n).toBytes(), message, single)).toBe(true);
	});

	it("a session takes signature shares of the other implementation's signers", () => {
		const dealt = theirs.trustedDealer({ min: 2, max: 3 });
		const ids = Object.keys(dealt.secretShares).sort();
		const key = {
			suite: name,
			epoch: 0,
			threshold: 2,
			publicKey: dealt.public.commitments[0]!,
			members: ids.map((id, at) => ({
				node: nodeId(`node-${at + 1}`),
				identifier: at + 1,
				verifyingShare: dealt.public.verifyingShares[id]!,
			})),
		};
		expect(ids).toEqual([1, 2, 3].map((identifier) => theirs.Identifier.fromNumber(identifier)));
		const signers = [0, 2].map((at) => {
			const secret = dealt.secretShares[ids[at]!]!;
			return { at, secret, round: theirs.commit(secret) };
		});
		const message = new Uint8Array(randomBytes(16));
		const list = signers.map(({ round }) => round.commitments);
		const session = new SigningSession(new GroupKey(key), {
			message,
			commitments: signers.map(({ at, round }) => ({
				identifier: at + 1,
				hiding: round.commitments.hiding,
				binding: round.commitments.binding,
			})),
		});
		const signed = signers.map(({ at, secret, round }) => ({
			identifier: at + 1,
			share: theirs.signShare(secret, dealt.public, round.nonces, list, message),
		}));
		const signature = session.aggregate(signed);
		expect(theirs.verify(signature, message, key.publicKey)).toBe(true);
	});
});

it("SEC-44: an ed25519 group signature is an Ed25519 signature to node:crypto", () => {
	const vector = vectors.find((one) => suiteOf(one) === "ed25519")!;
	const x = Buffer.from(vector.inputs.group_public_key, "hex").toString("base64url");
	const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
	expect(verify(null, bytes(vector.inputs.message), publicKey, bytes(vector.sig))).toBe(true);
	expect(verify(null, bytes("00"), publicKey, bytes(vector.sig))).toBe(false);
});
