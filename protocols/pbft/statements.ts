/**
 * What members and clients sign: one canonical encoding over domain, cluster, epoch, view, sequence, type, sender and
 * digest, so that no signature can stand for anything else, elsewhere or later. (PBFT signs messages; that prepare and
 * commit must not have the same bytes is left to the reader.)
 */
import type { CryptoPort, NodeId } from "../core/index.ts";
import { ByteWriter, emptyBytes } from "./bytes.ts";
import type {
	Batch,
	CheckpointCertificate,
	CheckpointHeader,
	CheckpointState,
	ClientRequest,
	Configuration,
	Digest,
	Epoch,
	PreparedProof,
	Proposal,
	SequenceNumber,
	ViewNumber,
	Vote,
} from "./entities.ts";
import type { NewView, ViewChangeAck, ViewChangeClaims } from "./messages.ts";

/** Separates these signatures from those of every other protocol and of other versions of this one. */
const DOMAIN = "quorate/pbft/1";
const REQUEST_DOMAIN = "quorate/pbft/1/request";

/** The kinds of signed statements; the order is part of the signed bytes, so only append. */
export const statementTypes = [
	"pre-prepare",
	"prepare",
	"commit",
	"checkpoint",
	"view-change",
	"new-view",
	"view-change-ack",
	"new-key",
] as const;
export type StatementType = (typeof statementTypes)[number];

/** What a signature says. Fields that a type has no use for are 0: the view of a checkpoint, the sequence of a view change. */
export interface Statement {
	readonly type: StatementType;
	readonly epoch: Epoch;
	readonly view: ViewNumber;
	readonly sequence: SequenceNumber;
	readonly digest: Digest;
}

/** Who signs where: the part of a signature's context that a member can not choose. */
export interface SigningContext {
	/** Names the group among all that may share keys. */
	readonly cluster: string;
	readonly crypto: CryptoPort;
}

/** The part of a crypto port that anyone has, without keys of his own. */
export type Verifier = Pick<CryptoPort, "digest" | "verify">;

/** The bytes under a member's signature. */
export function statementBytes(cluster: string, sender: NodeId, statement: Statement): Uint8Array {
	return writeStatement(new ByteWriter(192), cluster, sender, statement);
}

/** For bytes that are signed or checked at once: a piece of memory for each vote would cost a good part of what the check does. */
const statementScratch = new ByteWriter(256);

/** The same for a signature that is made or checked at once. Good until the next call. */
export function statementToCheck(cluster: string, sender: NodeId, statement: Statement): Uint8Array {
	return writeStatement(statementScratch.restart(), cluster, sender, statement);
}

function writeStatement(writer: ByteWriter, cluster: string, sender: NodeId, statement: Statement): Uint8Array {
	return writer
		.text(DOMAIN)
		.text(cluster)
		.integer(statement.epoch)
		.integer(statement.view)
		.integer(statement.sequence)
		.uint8(statementTypes.indexOf(statement.type))
		.text(sender)
		.bytes(statement.digest)
		.finish();
}

/** Whether `sender` has signed this statement. */
export function isSigned(
	cluster: string,
	verifier: Verifier,
	{ sender, signature }: Vote,
	statement: Statement,
): boolean {
	return verifier.verify(sender, statementToCheck(cluster, sender, statement), signature);
}

/** For bytes that are digested at once, and nothing else: a piece of memory for each would cost more than to write it. */
const scratch = new ByteWriter(4096);

/** The bytes that name a request: everything but its authentication. Good until the next call. */
function requestBytes(cluster: string, request: Omit<ClientRequest, "signature" | "macs">): Uint8Array {
	return scratch
		.restart()
		.text(REQUEST_DOMAIN)
		.text(cluster)
		.text(request.client)
		.integer(request.timestamp)
		.text(request.kind)
		.bytes(request.operation)
		.finish();
}

export function requestDigest(
	cluster: string,
	digest: CryptoPort["digest"],
	request: Omit<ClientRequest, "signature" | "macs">,
): Digest {
	return digest(requestBytes(cluster, request));
}

const requestScratch = new ByteWriter(128);

/** The bytes under a client's signature or authenticator, from the digest of its request. Good until the next call. */
export function requestStatement(request: Digest): Uint8Array {
	return requestScratch.restart().text(REQUEST_DOMAIN).bytes(request).finish();
}

/** The digest of a batch, from those of its requests. Authentication is not covered: members check it themselves. */
export function batchDigestOf(digest: CryptoPort["digest"], requests: readonly Digest[], choice: Uint8Array): Digest {
	const writer = scratch.restart().text("batch");
	writer.list(requests, (request) => writer.bytes(request)).bytes(choice);
	return digest(writer.finish());
}

export function batchDigest(cluster: string, digest: CryptoPort["digest"], { requests, choice }: Batch): Digest {
	return batchDigestOf(
		digest,
		requests.map((request) => requestDigest(cluster, digest, request)),
		choice,
	);
}

/** What the null request is called: it fills a slot of which nobody can have decided anything (OSDI'99 §4.4). */
export function nullDigest(digest: CryptoPort["digest"]): Digest {
	return digest(new ByteWriter().text("null").finish());
}

/** The next link of the chain over all decisions. */
export function chainAfter(
	digest: CryptoPort["digest"],
	chain: Digest,
	sequence: SequenceNumber,
	decided: Digest,
): Digest {
	return digest(new ByteWriter().text("chain").bytes(chain).integer(sequence).bytes(decided).finish());
}

export function checkpointDigest(digest: CryptoPort["digest"], state: CheckpointState): Digest {
	return checkpointHeaderDigest(digest, checkpointHeader(digest, state));
}

export function checkpointHeader(digest: CryptoPort["digest"], state: CheckpointState): CheckpointHeader {
	const writer = new ByteWriter(256).text("clients");
	writer.list(state.clients, ({ client, timestamps }) => {
		writer.text(client).list(timestamps, (timestamp) => writer.integer(timestamp));
	});
	return { ...state, clients: digest(writer.finish()) };
}

export function checkpointHeaderDigest(digest: CryptoPort["digest"], header: CheckpointHeader): Digest {
	const { sequence, configuration, pending, history, chain, choice, clients, root } = header;
	const writer = new ByteWriter(512).text("checkpoint").integer(sequence);
	writeConfiguration(writer, configuration);
	writer.list(pending === null ? [] : [pending], (change) => {
		writeConfiguration(writer, change.configuration);
		writer.integer(change.effectiveAfter);
	});
	writer.list(history, (past) => writeConfiguration(writer, past));
	writer.bytes(chain).bytes(choice).bytes(clients);
	return digest(writer.bytes(root).integer(header.sizeBytes).integer(header.partBytes).finish());
}

function writeConfiguration(writer: ByteWriter, { epoch, members, faults }: Configuration): void {
	writer
		.integer(epoch)
		.list(members, (member) => writer.text(member))
		.integer(faults);
}

/** What the digest of a view change is over. */
interface ViewChangeBodyToSign {
	readonly epoch: Epoch;
	readonly view: ViewNumber;
	readonly stable: CheckpointCertificate | null;
	readonly prepared: readonly PreparedProof[];
	readonly claims?: ViewChangeClaims;
}

/**
 * The body of a view change, with the proofs in it and the view that it is for: new views name view changes by it, and two of one
 * member for two views must not pass for each other.
 */
export function viewChangeDigest(
	digest: CryptoPort["digest"],
	{ epoch, view, stable, prepared, claims }: ViewChangeBodyToSign,
): Digest {
	const writer = new ByteWriter(1024).text("view-change").integer(epoch).integer(view);
	writer.list(stable === null ? [] : [stable], (certificate) => {
		writer.integer(certificate.epoch).integer(certificate.sequence).bytes(certificate.digest);
		writeVotes(writer, certificate.votes);
	});
	writer.list(prepared, (proof) => {
		writer.integer(proof.view).integer(proof.sequence).bytes(proof.digest).bytes(proof.prePrepare);
		writeVotes(writer, proof.prepares);
	});
	if (claims !== undefined) {
		writer.text("claims");
		writer.list(claims.checkpoints, (checkpoint) => writer.integer(checkpoint.sequence).bytes(checkpoint.digest));
		writer.list(claims.prePrepared, (claim) => {
			writer.integer(claim.view).integer(claim.sequence).bytes(claim.digest);
		});
	}
	return digest(writer.finish());
}

/** The body of an acknowledgement: whose view change it is, and which. */
function acknowledgementDigest(digest: CryptoPort["digest"], sender: NodeId, viewChange: Digest): Digest {
	return digest(new ByteWriter(128).text("view-change-ack").text(sender).bytes(viewChange).finish());
}

/** The body of a new view: which view changes it rests on, by sender and digest, and what it proposes again. */
export function newViewDigest(
	digest: CryptoPort["digest"],
	viewChanges: readonly { readonly sender: NodeId; readonly digest: Digest }[],
	proposals: readonly Proposal[],
): Digest {
	const writer = new ByteWriter(512).text("new-view");
	writer.list(viewChanges, (reference) => writer.text(reference.sender).bytes(reference.digest));
	writer.list(proposals, (proposal) => {
		writer.integer(proposal.sequence).bytes(proposal.digest).bytes(proposal.signature);
	});
	return digest(writer.finish());
}

/** The statement under an acknowledgement. */
export function acknowledgementStatement(
	digest: CryptoPort["digest"],
	{ epoch, view, sender, digest: viewChange }: Pick<ViewChangeAck, "epoch" | "view" | "sender" | "digest">,
): Statement {
	const said = acknowledgementDigest(digest, sender, viewChange);
	return { type: "view-change-ack", epoch, view, sequence: 0 as SequenceNumber, digest: said };
}

/** The statement under a member's new keys, of all epochs: they are its own. */
export function newKeyStatement(generation: number): Statement {
	const [epoch, view, sequence] = [0 as Epoch, 0 as ViewNumber, generation as SequenceNumber];
	return { type: "new-key", epoch, view, sequence, digest: emptyBytes };
}

/** The statement under a new view. */
export function newViewStatement(digest: CryptoPort["digest"], message: NewView): Statement {
	const { epoch, view, viewChanges, proposals } = message;
	const body = newViewDigest(digest, viewChanges, proposals);
	return { type: "new-view", epoch, view, sequence: 0 as SequenceNumber, digest: body };
}

function writeVotes(writer: ByteWriter, votes: readonly Vote[]): void {
	writer.list(votes, ({ sender, signature }) => writer.text(sender).bytes(signature));
}
