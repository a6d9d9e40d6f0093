/**
 * Proofs on their way to a third party, as JSON: decisions with their certificates, and evidence against members, with the public
 * keys that they are to be checked with. Bytes are `{"$bytes": base64}`. A proof says something only about those keys: whether they are
 * the group's is for the judge to know, who compares their fingerprints.
 */
import { createHash } from "node:crypto";
import { nodeId, QuorateError } from "../../protocols/core/index.ts";
import {
	type Configuration,
	type DecisionProof,
	type Epoch,
	type Evidence,
	verifyDecision,
	verifyEvidence,
} from "../../protocols/pbft/index.ts";
import { generateIdentity, KeyRing, NodeCryptoPort, type PublicIdentity } from "../../runtime/crypto/index.ts";
import type { DecisionCertificate } from "./contract.ts";
import { proofFileInvalid } from "./errors.ts";

const FORMAT = "quorate-proofs/1";
/** More is no proof of ours. */
export const PROOF_FILE_BYTES_MAX: number = 64 * 1024 * 1024;

/** What a file of proofs holds. */
export interface ProofFile {
	readonly cluster: string;
	readonly epoch: number;
	/** f of the group. */
	readonly faults: number;
	/** L of the group. */
	readonly windowSize: number;
	readonly members: readonly PublicIdentity[];
	/** Whose proofs these are when the members have changed, ascending by epoch; default: all of `members`, in `epoch`. */
	readonly configurations?: readonly Configuration[];
	readonly decisions: readonly DecisionProof[];
	readonly evidence: readonly Evidence[];
}

/** One proof, checked. */
export interface ProofVerdict {
	/** What it says, if it holds. */
	readonly claim: string;
	/** Null if it holds. */
	readonly fault: string | null;
}

export function encodeProofs(proofs: ProofFile): string {
	return `${JSON.stringify({ format: FORMAT, ...proofs }, writtenBytes, "\t")}\n`;
}

/** A replacer of `JSON.stringify`: it looks at the value itself, since a Buffer has turned itself into something else by then. */
function writtenBytes(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
	const raw = this[key];
	return raw instanceof Uint8Array ? { $bytes: Buffer.from(raw).toString("base64") } : value;
}

/** The file of one decision. */
export function certificateFile({ proof, epoch, faults, members }: DecisionCertificate): string {
	return encodeProofs({
		cluster: proof.cluster,
		epoch,
		faults,
		windowSize: 0,
		members,
		decisions: [proof],
		evidence: [],
	});
}

/** @throws QuorateError `proof-file-invalid` `{file, reason}` */
export function decodeProofs(file: string, text: string): ProofFile {
	const refuse = (reason: string, cause?: unknown): Error =>
		proofFileInvalid({ file, reason }, cause === undefined ? {} : { cause });
	let parsed: Partial<ProofFile> & { readonly format?: unknown };
	try {
		parsed = JSON.parse(text, reviveBytes) as typeof parsed;
	} catch (cause) {
		throw refuse(`it is not JSON: ${(cause as Error).message}`, cause);
	}
	if (typeof parsed !== "object" || parsed === null) throw refuse("it is no object");
	if (parsed.format !== FORMAT) throw refuse(`its format is ${String(parsed.format).slice(0, 40)}, not ${FORMAT}`);
	const { cluster, epoch, faults, windowSize, members, configurations = [], decisions, evidence } = parsed;
	if (typeof cluster !== "string") throw refuse("cluster is no text");
	for (const [key, value] of Object.entries({ epoch, faults, windowSize })) {
		if (!Number.isSafeInteger(value) || (value as number) < 0) throw refuse(`${key} is no natural number`);
	}
	for (const [key, value] of Object.entries({ members, configurations, decisions, evidence })) {
		if (!Array.isArray(value)) throw refuse(`${key} is no list`);
	}
	if (!configurations.every(isConfiguration)) throw refuse("configurations holds something else");
	return parsed as ProofFile;
}

function isConfiguration(value: unknown): boolean {
	const { epoch, faults, members } = (value ?? {}) as Partial<Configuration>;
	const areNumbers = [epoch, faults].every((number) => Number.isSafeInteger(number) && (number as number) >= 0);
	return areNumbers && Array.isArray(members) && members.every((member) => typeof member === "string");
}

function reviveBytes(_key: string, value: unknown): unknown {
	const text = (value as { readonly $bytes?: unknown } | null)?.$bytes;
	return typeof text === "string" ? Uint8Array.from(Buffer.from(text, "base64")) : value;
}

/**
 * Checks every proof of a file against the keys in it.
 * @throws QuorateError `proof-file-invalid`, and `crypto-key-invalid`, `crypto-key-shared`, `crypto-key-conflict` for its keys
 */
export function verifyProofs(file: string, proofs: ProofFile): ProofVerdict[] {
	const { cluster, epoch, faults, windowSize, decisions, evidence } = proofs;
	const ring = new KeyRing(cluster, generateIdentity(nodeId("judge")));
	const members = proofs.members.map((member) => {
		ring.enrol(member);
		return nodeId(member.id);
	});
	const only: Configuration = { epoch: epoch as Epoch, members: [...members].sort(), faults };
	const configurations = proofs.configurations ?? [only];
	for (const known of configurations) {
		if (known.members.length >= 3 * known.faults + 1) continue;
		throw proofFileInvalid({ file, reason: `${known.members.length} members can not bear ${known.faults} faults` });
	}
	requireOneGroup(file, proofs, members);
	const verifier = new NodeCryptoPort(ring);
	const configurationOf = (asked: number): Configuration | null =>
		configurations.find((known) => known.epoch === asked) ?? null;
	return [
		...decisions.map((proof) => ({
			claim: claimOfDecision(proof),
			fault: faultOf(() => faultOfDecision(proof, cluster, verifier, configurationOf(proof.certificate.epoch))),
		})),
		...evidence.map((proof) => ({
			claim: `${proof?.culprit} is faulty: ${proof?.type}`,
			fault: faultOf(() =>
				verifyEvidence(proof, { cluster, verifier, configurationOf, windowSize }) ? null : "it proves nothing",
			),
		})),
	];
}

/**
 * What a file says of the group at its head must be what its proofs are checked by: who reads "epoch 3, bears 1 fault" must not be shown as
 * valid what holds in another epoch, or with another f. @throws QuorateError `proof-file-invalid`
 */
function requireOneGroup(file: string, proofs: ProofFile, members: readonly string[]): void {
	const refuse = (reason: string): never => {
		throw proofFileInvalid({ file, reason });
	};
	const { cluster, epoch, faults, configurations, decisions } = proofs;
	for (const [i, proof] of decisions.entries()) {
		const which = `decision ${i + 1}`;
		if (proof?.cluster !== cluster) refuse(`${which} is of the group ${String(proof?.cluster)}, not ${cluster}`);
		const isNamed = configurations?.some((known) => known.epoch === proof.certificate?.epoch) ?? false;
		if (configurations === undefined && proof.certificate?.epoch !== epoch)
			refuse(`${which} is of epoch ${String(proof.certificate?.epoch)}, not ${epoch}`);
		if (configurations !== undefined && !isNamed) refuse(`${which} is of an epoch whose members it does not name`);
	}
	if (configurations === undefined) return;
	const epochs = configurations.map((known) => known.epoch);
	if (new Set(epochs).size !== epochs.length) refuse("it names the members of one epoch twice");
	const last = configurations.at(-1);
	if (last?.epoch !== epoch) refuse(`its last configuration is of epoch ${String(last?.epoch)}, not ${epoch}`);
	if (last?.faults !== faults) refuse(`its last configuration bears ${String(last?.faults)} faults, not ${faults}`);
	const keyless = configurations.flatMap((known) => known.members).find((member) => !members.includes(member));
	if (keyless !== undefined) refuse(`it has no key of ${keyless}`);
}

function faultOfDecision(
	proof: DecisionProof,
	cluster: string,
	verifier: NodeCryptoPort,
	configuration: Configuration | null,
): string | null {
	if (proof.cluster !== cluster) return "wrong-cluster";
	return configuration === null ? "wrong-epoch" : verifyDecision(proof, { verifier, configuration });
}

function claimOfDecision(proof: DecisionProof): string {
	const { sequence, view, commits } = proof?.certificate ?? {};
	const signers = Array.isArray(commits) ? commits.map((vote) => vote?.sender).join(", ") : "nobody";
	return `the request ${proof?.request?.timestamp} of ${proof?.request?.client} is decided in slot ${sequence}, view ${view}, signed by ${signers}`;
}

/** A file from somebody else may hold anything in the place of a proof. */
function faultOf(check: () => string | null): string | null {
	try {
		return check();
	} catch (thrown) {
		return thrown instanceof QuorateError ? thrown.message : "it is malformed";
	}
}

/** What a judge compares a member's key by: the first 16 hex digits of SHA-256 of its Ed25519 key. */
export function fingerprintOf({ signing }: PublicIdentity): string {
	return createHash("sha256").update(signing).digest("hex").slice(0, 16);
}
