/** Proofs that stand by themselves: anyone with the members' keys can check them, off line. */
import type { NodeId } from "../core/index.ts";
import { equalBytes } from "./bytes.ts";
import type {
	CheckpointCertificate,
	ClientRequest,
	CommitCertificate,
	Configuration,
	Digest,
	PreparedProof,
	ViewNumber,
	Vote,
} from "./entities.ts";
import { primaryOf } from "./entities.ts";
import { quorumOf } from "./quorum.ts";
import { batchDigestOf, isSigned, requestDigest, type Statement, type Verifier } from "./statements.ts";

/** What a judge of certificates has to know: the group's name, its members, and their keys behind the verifier. */
export interface CertificateContext {
	readonly cluster: string;
	readonly verifier: Verifier;
	/** The configuration of the certificate's epoch. */
	readonly configuration: Configuration;
	/** Signatures that are known to be good already; default: none. */
	readonly isKnown?: (vote: Vote, statement: Statement) => boolean;
}

/** Why a certificate proves nothing. */
export type CertificateFault =
	| "wrong-epoch"
	| "not-a-member"
	| "repeated-signer"
	| "too-few-signers"
	| "bad-signature"
	/** A prepare of the primary, who pre-prepares. */
	| "primary-as-backup"
	/** A digest that does not belong to what it stands for. */
	| "wrong-digest";

/**
 * Checks that a commit certificate decides its slot: a quorum of distinct members of its epoch have signed the same commit.
 * @returns null if it does, or what is wrong with it
 */
export function verifyCertificate(
	certificate: CommitCertificate,
	context: CertificateContext,
): CertificateFault | null {
	const { epoch, view, sequence, digest, commits } = certificate;
	if (epoch !== context.configuration.epoch) return "wrong-epoch";
	const statement: Statement = { type: "commit", epoch, view, sequence, digest };
	return verifyVotes(commits, statement, quorumOf(context.configuration), context);
}

/** Checks that a checkpoint certificate proves its state, as {@link verifyCertificate}. */
export function verifyCheckpoint(
	certificate: CheckpointCertificate,
	context: CertificateContext,
): CertificateFault | null {
	const { epoch, sequence, digest, votes } = certificate;
	if (epoch !== context.configuration.epoch) return "wrong-epoch";
	const statement: Statement = { type: "checkpoint", epoch, view: 0 as ViewNumber, sequence, digest };
	return verifyVotes(votes, statement, quorumOf(context.configuration), context);
}

/** Checks that a slot was prepared: the pre-prepare of its view's primary, and prepares of a quorum less one of backups. */
export function verifyPrepared(proof: PreparedProof, context: CertificateContext): CertificateFault | null {
	const { configuration } = context;
	const { view, sequence, digest, prePrepare } = proof;
	const proposal = [{ sender: primaryOf(configuration, view), signature: prePrepare }];
	const statement: Statement = { type: "pre-prepare", epoch: configuration.epoch, view, sequence, digest };
	return verifyVotes(proposal, statement, 1, context) ?? verifyPrepares(proof, context);
}

/** The same without the pre-prepare. */
export function verifyPrepares(
	{ view, sequence, digest, prepares }: Omit<PreparedProof, "prePrepare">,
	context: CertificateContext,
): CertificateFault | null {
	const { configuration } = context;
	const primary = primaryOf(configuration, view);
	if (prepares.some(({ sender }) => sender === primary)) return "primary-as-backup";
	const statement: Statement = { type: "prepare", epoch: configuration.epoch, view, sequence, digest };
	return verifyVotes(prepares, statement, quorumOf(configuration) - 1, context);
}

function verifyVotes(
	votes: readonly Vote[],
	statement: Statement,
	needed: number,
	{ configuration, cluster, verifier, isKnown }: CertificateContext,
): CertificateFault | null {
	// Cheap checks first: a signature costs a thousand comparisons.
	const senders = new Set<NodeId>();
	for (const { sender } of votes) {
		if (!configuration.members.includes(sender)) return "not-a-member";
		if (senders.has(sender)) return "repeated-signer";
		senders.add(sender);
	}
	if (senders.size < needed) return "too-few-signers";
	for (const vote of votes) {
		if (isKnown?.(vote, statement) === true) continue;
		if (!isSigned(cluster, verifier, vote, statement)) return "bad-signature";
	}
	return null;
}

/** Everything that shows a third party that a request was decided, and where: without the other requests of its batch. */
export interface DecisionProof {
	readonly cluster: string;
	readonly certificate: CommitCertificate;
	/** The digests of all requests of the batch, in order. */
	readonly requests: readonly Digest[];
	readonly choice: Uint8Array;
	/** The place of the request in its batch, 0-based. */
	readonly index: number;
	readonly request: Omit<ClientRequest, "signature" | "macs">;
}

/**
 * Checks a decision off line.
 * @returns null if the request is decided at the certificate's sequence number, or what is wrong
 */
export function verifyDecision(
	proof: DecisionProof,
	context: Omit<CertificateContext, "cluster">,
): CertificateFault | null {
	const { cluster, certificate, requests, choice, index, request } = proof;
	const digest = context.verifier.digest;
	const listed = requests[index];
	if (listed === undefined || !equalBytes(listed, requestDigest(cluster, digest, request))) return "wrong-digest";
	if (!equalBytes(certificate.digest, batchDigestOf(digest, requests, choice))) return "wrong-digest";
	return verifyCertificate(certificate, { ...context, cluster });
}
