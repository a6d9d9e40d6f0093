/**
 * Goal: a backup gives the share back to who may have it, and shows what is wrong with it otherwise (SEC-35, SEC-36). Method: pieces
 * of real shares, each way to spoil them.
 */
import { describe, expect, it } from "vitest";
import {
	type BackupPiece,
	backUpShare,
	forwardBackupPiece,
	recoverShare,
} from "../../../actors/security-manager/index.ts";
import { nodeId, type QuorateError } from "../../../protocols/core/index.ts";
import { ciphersuite, dealKey, GroupKey } from "../../../protocols/security/index.ts";
import {
	agreementKeyFrom,
	generateAgreementKey,
	setupHpkeRecipient,
	setupHpkeSender,
} from "../../../runtime/crypto/index.ts";

const suite = ciphersuite("ristretto255");
const members = [1, 2, 3].map((identifier) => ({ node: nodeId(`node-${identifier}`), identifier }));
const { shares } = dealKey("ristretto255", [5n, 6n].map(suite.encodeScalar), members);
const custodians = ["x", "y", "z"].map((name) => ({ name, key: generateAgreementKey() }));
const listed = custodians.map(({ name, key }) => ({ name, publicKey: key.publicKey }));
const pieces = backUpShare(shares[0]!, listed, 2);
const recipient = generateAgreementKey();
const forwarded = pieces.map((piece, at) => forwardBackupPiece(piece, custodians[at]!.key, recipient.publicKey));

function refusal(given: readonly BackupPiece[], own = recipient): unknown {
	try {
		recoverShare(given, own);
	} catch (error) {
		return [(error as QuorateError).code, (error as QuorateError).details["custodians"]];
	}
	return "none";
}

/** What is bound into a piece's encryption, written down anew. */
function infoOf({ key, holder, threshold, commitment, custodian, place }: BackupPiece): Uint8Array {
	const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
	const backup = [hex(new GroupKey(key).canonicalBytes), String(holder), String(threshold), ...commitment.map(hex)];
	return Buffer.from(JSON.stringify(["quorate/share-backup/v1", ...backup, custodian, place]));
}

/** A forwarded piece by a custodian that has changed its number. */
function changed(piece: BackupPiece, change: (value: bigint) => bigint): BackupPiece {
	const info = infoOf(piece);
	const plaintext = setupHpkeRecipient(recipient, piece.encapsulated, { info }).open(piece.sealed);
	const sender = setupHpkeSender(recipient.publicKey, { info });
	const value = change(suite.decodeScalar(plaintext, "a piece"));
	return { ...piece, encapsulated: sender.encapsulated, sealed: sender.seal(suite.encodeScalar(suite.reduce(value))) };
}

describe("SEC-35, SEC-36: backup of a share", () => {
	it("any threshold of pieces gives it back", () => {
		for (const some of [
			[0, 1],
			[1, 2],
			[2, 0],
			[0, 1, 2],
		])
			expect(
				recoverShare(
					some.map((at) => forwarded[at]!),
					recipient,
				).exportSecret(),
			).toEqual(shares[0]!.exportSecret());
	});

	it("a piece opens for its custodian alone, and in its own place", () => {
		expect(() => forwardBackupPiece(pieces[0]!, custodians[1]!.key, recipient.publicKey)).toThrow("refused");
		expect(() => forwardBackupPiece({ ...pieces[0]!, place: 2 }, custodians[0]!.key, recipient.publicKey)).toThrow(
			"refused",
		);
		expect(() =>
			forwardBackupPiece({ ...pieces[0]!, custodian: "y" }, custodians[0]!.key, recipient.publicKey),
		).toThrow("refused");
	});

	it("too few pieces, none, and one piece twice give nothing", () => {
		expect(refusal([forwarded[0]!])).toEqual(["backup-invalid", []]);
		expect(refusal([])).toEqual(["backup-invalid", []]);
		expect(refusal([forwarded[0]!, forwarded[0]!])).toEqual(["backup-invalid", []]);
	});

	it("a custodian that gives a wrong piece is named, and the right ones are enough", () => {
		const spoiled = { ...forwarded[0]!, sealed: forwarded[0]!.sealed.map((byte, at) => (at === 3 ? byte ^ 1 : byte)) };
		expect(refusal([spoiled, forwarded[1]!])).toEqual(["backup-invalid", ["x"]]);
		expect(refusal([spoiled, forwarded[1]!, forwarded[2]!])).toBe("none");
		// A piece that opens and is off the polynomial: another backup's, under this one's name.
		const others = backUpShare(shares[0]!, listed, 2);
		const foreign = forwardBackupPiece(others[1]!, custodians[1]!.key, recipient.publicKey);
		expect(refusal([forwarded[0]!, foreign])).toEqual(["backup-invalid", ["y"]]);
	});

	it("a custodian that seals another number in its own place is named, too", () => {
		expect(refusal([changed(forwarded[0]!, (value) => value), forwarded[1]!])).toBe("none");
		expect(refusal([changed(forwarded[0]!, (value) => value + 1n), forwarded[1]!])).toEqual(["backup-invalid", ["x"]]);
	});

	it("what is not of this holder's share is refused, whoever made it", () => {
		const other = backUpShare(shares[1]!, listed, 2).map((piece, at) =>
			forwardBackupPiece(piece, custodians[at]!.key, recipient.publicKey),
		);
		expect(recoverShare(other, recipient).identifier).toBe(2);
		expect(refusal(other.map((piece) => ({ ...piece, holder: 1 })))).toEqual(["backup-invalid", []]);
		expect(refusal(forwarded, agreementKeyFrom(new Uint8Array(32).fill(1)))).toEqual([
			"backup-invalid",
			["x", "y", "z"],
		]);
	});
});
