/**
 * A share in the care of others: split by Shamir's scheme, each piece sealed to one custodian's key (HPKE), with a commitment by which
 * each piece can be checked. Fewer custodians than the threshold learn nothing; who gives a wrong piece is named; and a recovered share
 * is held against the public key, so a wrong one is never taken.
 */
import { randomBytes } from "node:crypto";
import {
	combineShares,
	commitPolynomial,
	type GroupElement,
	GroupKey,
	type GroupKeyData,
	type Identifier,
	isShareOf,
	KeyShare,
	ScalarSource,
	splitSecret,
} from "../../protocols/security/index.ts";
import { type AgreementKey, setupHpkeRecipient, setupHpkeSender } from "../../runtime/crypto/index.ts";
import { backupInvalid } from "./errors.ts";

/** Who keeps a piece. */
export interface Custodian {
	readonly name: string;
	/** X25519, 32 bytes. */
	readonly publicKey: Uint8Array;
}

/** One piece of one share, for one custodian alone. Plain data: it can be stored anywhere. */
export interface BackupPiece {
	/** The key whose share it is of, in its epoch. */
	readonly key: GroupKeyData;
	/** Whose share. */
	readonly holder: Identifier;
	/** Pieces that it takes. */
	readonly threshold: number;
	readonly custodian: string;
	/** The piece's place on the polynomial. */
	readonly place: number;
	/** Feldman's commitment to the polynomial, encoded; its constant is the holder's verifying share. */
	readonly commitment: readonly Uint8Array[];
	readonly encapsulated: Uint8Array;
	readonly sealed: Uint8Array;
}

/** Splits a share among custodians. @throws QuorateError `threshold-invalid`, `agreement-key-invalid` */
export function backUpShare(
	share: KeyShare,
	custodians: readonly Custodian[],
	threshold: number,
): readonly BackupPiece[] {
	const { suite, data } = share.key;
	const source = new ScalarSource(suite, "share-backup", randomBytes(64), share.key.canonicalBytes);
	const coefficients = [share.secret, ...source.take(Math.max(0, threshold - 1))];
	const places = custodians.map((_, at) => at + 1);
	const pieces = splitSecret(suite, coefficients, places);
	const commitment = commitPolynomial(suite, coefficients).map((element) => element.toBytes());
	return custodians.map(({ name, publicKey }, at): BackupPiece => {
		const open = { key: data, holder: share.identifier, threshold, custodian: name, place: at + 1, commitment };
		const sender = setupHpkeSender(publicKey, { info: pieceInfo(open) });
		const plaintext = suite.encodeScalar(pieces[at]?.value ?? 0n);
		const sealed = sender.seal(plaintext);
		plaintext.fill(0);
		return { ...open, encapsulated: sender.encapsulated, sealed };
	});
}

/** A custodian's part in recovery: the same piece, sealed to the key of who recovers. @throws QuorateError `hpke-refused` */
export function forwardBackupPiece(piece: BackupPiece, own: AgreementKey, recipient: Uint8Array): BackupPiece {
	const plaintext = openPiece(piece, own);
	const sender = setupHpkeSender(recipient, { info: pieceInfo(piece) });
	const sealed = sender.seal(plaintext);
	plaintext.fill(0);
	return { ...piece, encapsulated: sender.encapsulated, sealed };
}

/**
 * The share, from pieces that were forwarded to this key.
 * @throws QuorateError `backup-invalid` with the custodians whose pieces are wrong, if too few right ones are left, or for pieces of
 *   different backups
 */
export function recoverShare(pieces: readonly BackupPiece[], own: AgreementKey): KeyShare {
	const [first] = pieces;
	if (first === undefined) throw backupInvalid({ reason: "there are no pieces", custodians: [] });
	const key = new GroupKey(first.key);
	const info = JSON.stringify([...backupOf(first)]);
	const foreign = pieces.filter((piece) => JSON.stringify([...backupOf(piece)]) !== info);
	if (foreign.length > 0)
		throw backupInvalid({
			reason: "pieces are of different backups",
			custodians: foreign.map(({ custodian }) => custodian),
		});
	const commitment = first.commitment.map((bytes) => key.suite.decodeElement(bytes, "a commitment"));
	const isOfHolder = key.verifyingShare(first.holder)?.equals(commitment[0] as GroupElement) ?? false;
	if (!isOfHolder || commitment.length !== first.threshold)
		throw backupInvalid({ reason: "its commitment is not to this holder's share", custodians: [] });
	const { right, wrong } = openAll(pieces, own, key, commitment);
	if (right.size < first.threshold)
		throw backupInvalid({ reason: `${right.size} right pieces of ${first.threshold}`, custodians: wrong });
	const used = [...right].slice(0, first.threshold).map(([identifier, value]) => ({ identifier, value }));
	const secret = key.suite.encodeScalar(combineShares(key.suite, used, first.threshold));
	return new KeyShare(key, first.holder, secret);
}

function openAll(
	pieces: readonly BackupPiece[],
	own: AgreementKey,
	key: GroupKey,
	commitment: readonly GroupElement[],
): { readonly right: ReadonlyMap<Identifier, bigint>; readonly wrong: readonly string[] } {
	const right = new Map<Identifier, bigint>();
	const wrong: string[] = [];
	for (const piece of pieces) {
		try {
			const value = key.suite.decodeScalar(openPiece(piece, own), "a piece");
			const share = { identifier: piece.place, value };
			if (isShareOf(key.suite, commitment, share)) right.set(piece.place, value);
			else wrong.push(piece.custodian);
		} catch {
			// Unopenable or malformed: its custodian is named with those whose pieces are off the polynomial.
			wrong.push(piece.custodian);
		}
	}
	return { right, wrong };
}

function openPiece(piece: BackupPiece, own: AgreementKey): Uint8Array {
	return setupHpkeRecipient(own, piece.encapsulated, { info: pieceInfo(piece) }).open(piece.sealed);
}

type OpenPart = Omit<BackupPiece, "encapsulated" | "sealed">;

/** What all pieces of one backup have in common. */
function backupOf({ key, holder, threshold, commitment }: OpenPart): readonly string[] {
	const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
	return [hex(new GroupKey(key).canonicalBytes), String(holder), String(threshold), ...commitment.map(hex)];
}

/** Bound into the encryption: a piece does not open as one of another backup, place or custodian. */
function pieceInfo(piece: OpenPart): Uint8Array {
	return Buffer.from(JSON.stringify(["quorate/share-backup/v1", ...backupOf(piece), piece.custodian, piece.place]));
}
