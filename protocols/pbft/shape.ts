/**
 * Whether what a peer sent is a message at all. A Byzantine member may send anything that its codec can carry, so every message
 * is checked once, here, with a bound on every list and byte string, before anything looks into it; nothing behind this check
 * needs to doubt a type.
 */
import { isNodeId } from "../core/index.ts";
import { AUTHENTICATORS_BYTES_MAX } from "./authenticators.ts";
import { ACCEPTED_MAX } from "./claimed-view.ts";
import { PBFT_MEMBERS_MAX, type PbftConfig } from "./config.ts";
import { PAST_CONFIGURATIONS_MAX } from "./entities.ts";
import { EPOCH_PROOFS_MAX, type PbftMessage } from "./messages.ts";
import { statementTypes } from "./statements.ts";
import { VECTOR_BYTES_MAX } from "./vote-authentication.ts";

type Shape = (value: unknown) => boolean;

/** A digest or signature is not longer; SHA-512 and Ed25519 have 64 bytes. */
const PROOF_BYTES_MAX = 128;
/** Steps from a part to the root of its tree. */
const PATH_MAX = 48;

const natural: Shape = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const bool: Shape = (value) => typeof value === "boolean";
const member: Shape = isNodeId;

function proofShape({ votes }: PbftConfig): Shape {
	return bytes(votes === "authenticated" ? VECTOR_BYTES_MAX : PROOF_BYTES_MAX);
}
function bytes(max: number): Shape {
	return (value) => value instanceof Uint8Array && value.length <= max;
}
function oneOf(...words: readonly string[]): Shape {
	return (value) => typeof value === "string" && words.includes(value);
}
function list(item: Shape, max: number): Shape {
	return (value) => {
		if (!Array.isArray(value) || value.length > max) return false;
		for (const each of value) if (!item(each)) return false;
		return true;
	};
}
function nullable(shape: Shape): Shape {
	return (value) => value === null || shape(value);
}
function record(fields: Readonly<Record<string, Shape>>): Shape {
	const names = Object.keys(fields);
	const shapes = Object.values(fields);
	return (value) => {
		if (typeof value !== "object" || value === null) return false;
		for (let i = 0; i < names.length; i++) {
			if (!(shapes[i] as Shape)((value as Record<string, unknown>)[names[i] as string])) return false;
		}
		return true;
	};
}

/** The checks of one participant: their bounds come from its settings, which are the same at all members. */
export class MessageShapes {
	readonly #shapes: ReadonlyMap<string, Shape>;
	readonly #request: Shape;
	readonly #operation: Shape;

	constructor(config: PbftConfig) {
		const proof = proofShape(config);
		const vote = record({ sender: member, signature: proof });
		const votes = list(vote, PBFT_MEMBERS_MAX);
		const request = record({
			client: member,
			timestamp: natural,
			kind: oneOf("command", "query", "read", "configure"),
			operation: bytes(config.requestMaxBytes),
			signature: proof,
			macs: bytes(AUTHENTICATORS_BYTES_MAX),
		});
		const batch = record({
			requests: list(request, config.batchMaxRequests),
			choice: bytes(config.requestMaxBytes),
		});
		const configuration = record({ epoch: natural, members: list(member, PBFT_MEMBERS_MAX), faults: natural });
		const checkpoint = record({ epoch: natural, sequence: natural, digest: proof, votes });
		const header = {
			sequence: natural,
			configuration,
			pending: nullable(record({ configuration, effectiveAfter: natural })),
			history: list(configuration, PAST_CONFIGURATIONS_MAX),
			chain: proof,
			choice: bytes(config.requestMaxBytes),
			root: proof,
			sizeBytes: natural,
			partBytes: natural,
		};
		const clients = list(record({ client: member, timestamps: list(natural, config.clientWindow) }), config.clientsMax);
		const state = record({ ...header, clients });
		const epochProof = record({ certificate: checkpoint, header: record({ ...header, clients: proof }) });
		const prepared = record({ view: natural, sequence: natural, digest: proof, prePrepare: proof, prepares: votes });
		const slotClaim = record({ view: natural, sequence: natural, digest: proof });
		const claims = record({
			checkpoints: list(record({ sequence: natural, digest: proof }), config.windowSize),
			prePrepared: list(slotClaim, config.windowSize * ACCEPTED_MAX),
		});
		const viewChange = record({
			type: oneOf("view-change"),
			epoch: natural,
			view: natural,
			stable: nullable(checkpoint),
			prepared: list(prepared, config.windowSize),
			claims: config.votes === "authenticated" ? claims : (value) => value === undefined,
			signature: proof,
		});
		const slotVote = { epoch: natural, view: natural, sequence: natural, digest: proof, signature: proof };
		const commitCertificate = record({
			epoch: natural,
			view: natural,
			sequence: natural,
			digest: proof,
			commits: votes,
		});
		const newView = {
			epoch: natural,
			view: natural,
			viewChanges: list(record({ sender: member, digest: proof }), PBFT_MEMBERS_MAX),
			proposals: list(record({ sequence: natural, digest: proof, signature: proof }), config.windowSize),
			signature: proof,
		};
		const evidence = evidenceShape(proof, {
			viewChange,
			newView: record(newView),
			certificate: (value) => commitCertificate(value) || checkpoint(value),
		});
		this.#request = request;
		this.#operation = operationShape(evidence);
		this.#shapes = new Map<PbftMessage["type"], Shape>([
			["pre-prepare", record({ ...slotVote, batch })],
			["prepare", record(slotVote)],
			["commit", record(slotVote)],
			["checkpoint", record({ epoch: natural, sequence: natural, digest: proof, signature: proof })],
			["view-change", viewChange],
			["accusation", record({ epoch: natural, evidence })],
			["new-key", record({ generation: natural, signature: proof })],
			["view-change-ack", record({ epoch: natural, view: natural, sender: member, digest: proof, signature: proof })],
			[
				"vote-certificate",
				record({
					phase: oneOf("prepare", "commit"),
					epoch: natural,
					view: natural,
					sequence: natural,
					digest: proof,
					signers: natural,
					signatures: list(proof, PBFT_MEMBERS_MAX),
				}),
			],
			["new-view", record(newView)],
			["forward", record({ requests: list(request, config.batchMaxRequests) })],
			["unverifiable", record({ client: member })],
			["fetch-proposal", record({ view: natural, sequence: natural })],
			["proposal-shown", record(slotVote)],
			["fetch-batch", record({ sequence: natural, digest: proof })],
			["batch", record({ sequence: natural, batch })],
			["fetch-view-change", record({ view: natural, sender: member, digest: proof })],
			["view-change-body", record({ sender: member, viewChange })],
			[
				"status",
				record({
					configurationEpoch: natural,
					view: natural,
					isActive: bool,
					low: natural,
					executed: natural,
					chain: proof,
				}),
			],
			["decision", record({ certificate: commitCertificate, batch: nullable(batch) })],
			["fetch-decisions", record({ from: natural, to: natural })],
			["stable-checkpoint", record({ certificate: checkpoint, state, epochs: list(epochProof, EPOCH_PROOFS_MAX) })],
			["query-stable", record({ nonce: natural })],
			["stable-report", record({ nonce: natural, low: natural, prepared: natural })],
			["fetch-part", record({ sequence: natural, index: natural })],
			[
				"state-part",
				record({
					sequence: natural,
					index: natural,
					data: bytes(config.statePartBytes),
					path: list(proof, PATH_MAX),
				}),
			],
		]);
	}

	isMessage(value: unknown): value is PbftMessage {
		if (typeof value !== "object" || value === null) return false;
		const shape = this.#shapes.get((value as { readonly type?: unknown }).type as string);
		return shape?.(value) ?? false;
	}

	isRequest(value: unknown): boolean {
		return this.#request(value);
	}

	/** Whether what was read from an operation's bytes is a `MembershipOperation`. */
	isMembershipOperation(value: unknown): boolean {
		return this.#operation(value);
	}
}

/** One shape by the value of `type`. */
function variants(shapes: Readonly<Record<string, Shape>>): Shape {
	const known = new Map(Object.entries(shapes));
	return (value) => {
		if (typeof value !== "object" || value === null) return false;
		return known.get((value as { readonly type?: unknown }).type as string)?.(value) ?? false;
	};
}

function evidenceShape(proof: Shape, parts: Readonly<Record<"viewChange" | "newView" | "certificate", Shape>>): Shape {
	const { viewChange, newView, certificate } = parts;
	const statement = record({
		type: oneOf(...statementTypes),
		epoch: natural,
		view: natural,
		sequence: natural,
		digest: proof,
	});
	const said = record({ statement, signature: proof });
	return variants({
		equivocation: record({ culprit: member, first: said, second: said }),
		"contradicts-certificate": record({ culprit: member, said, certificate }),
		"bad-view-change": record({ culprit: member, viewChange }),
		"false-view-change": record({ culprit: member, commit: said, viewChange }),
		"bad-new-view": record({
			culprit: member,
			newView,
			viewChanges: list(record({ sender: member, viewChange }), PBFT_MEMBERS_MAX),
		}),
	});
}

function operationShape(evidence: Shape): Shape {
	return variants({
		add: record({ member }),
		remove: record({ member, replacement: nullable(member) }),
		isolate: record({ evidence, replacement: nullable(member) }),
		tolerate: record({ faults: (value) => natural(value) && (value as number) <= PBFT_MEMBERS_MAX }),
	});
}
