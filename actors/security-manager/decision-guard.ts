/**
 * What owners of shares look at before they sign a decision of a Byzantine group: its certificate, with the keys of the group's members.
 * So a threshold signature on a decision says that so many owners have each seen a quorum's commits (SBFT, DSN 2019, gives decisions
 * such a signature too).
 */
import { nodeId } from "../../protocols/core/index.ts";
import {
	type Configuration,
	type DecisionProof,
	type Epoch,
	requestDigest,
	verifyDecision,
} from "../../protocols/pbft/index.ts";
import { generateIdentity, KeyRing, NodeCryptoPort } from "../../runtime/crypto/index.ts";
import type { GroupTrust } from "../byzantine-coordinator/index.ts";

const DOMAIN = "quorate/secured-decision/1";

/**
 * The bytes that stand for a decision: in the group, that slot holds that batch, of which that request has that place. The view is left
 * out, since members may have decided one slot in different views.
 */
export function decisionStatement(proof: DecisionProof, digest: NodeCryptoPort["digest"]): Uint8Array {
	const { cluster, certificate, index, request } = proof;
	const { epoch, sequence } = certificate;
	const place = Buffer.alloc(24);
	place.writeBigUInt64BE(BigInt(epoch), 0);
	place.writeBigUInt64BE(BigInt(sequence), 8);
	place.writeBigUInt64BE(BigInt(index), 16);
	return Buffer.concat([
		framed(Buffer.from(DOMAIN)),
		framed(Buffer.from(cluster)),
		place,
		framed(certificate.digest),
		framed(requestDigest(cluster, digest, request)),
	]);
}

/** With its length in front: no two lists have the same bytes. */
function framed(bytes: Uint8Array): Uint8Array {
	const length = Buffer.alloc(4);
	length.writeUInt32BE(bytes.length);
	return Buffer.concat([length, bytes]);
}

/** One restriction, in the actor of one owner. */
export class DecisionGuard {
	readonly #trust: GroupTrust;
	readonly #verifier: NodeCryptoPort;
	readonly #configuration: Configuration;

	/** @throws QuorateError for keys that are none */
	constructor(trust: GroupTrust) {
		const { cluster, epoch, faults, members } = trust;
		const ring = new KeyRing(cluster, generateIdentity(nodeId("guard")));
		for (const member of members) ring.enrol(member);
		const ids = members.map(({ id }) => nodeId(id)).sort();
		this.#trust = trust;
		this.#verifier = new NodeCryptoPort(ring);
		this.#configuration = { epoch: epoch as Epoch, members: ids, faults };
	}

	/** Why the message must not be signed; null if the proof shows that it states a decision. */
	refusalOf(message: Uint8Array, proof: DecisionProof | undefined): string | null {
		if (proof === undefined) return "the key is for decisions, and no decision is shown";
		try {
			if (proof.cluster !== this.#trust.cluster) return "the decision is another group's";
			const fault = verifyDecision(proof, { verifier: this.#verifier, configuration: this.#configuration });
			if (fault !== null) return `the certificate proves nothing: ${fault}`;
			const statement = decisionStatement(proof, this.#verifier.digest);
			return Buffer.from(statement).equals(message) ? null : "the message does not state the decision that is shown";
		} catch {
			// Whoever asks may show anything.
			return "what is shown is no proof";
		}
	}

	/** Whether it guards for just that group. */
	isFor({ cluster, epoch, faults, members }: GroupTrust): boolean {
		const own = this.#trust;
		const keysOf = (all: GroupTrust["members"]): string =>
			all
				.map(({ id, signing }) => `${id}:${Buffer.from(signing).toString("hex")}`)
				.sort()
				.join();
		if (cluster !== own.cluster || epoch !== own.epoch || faults !== own.faults) return false;
		return keysOf(members) === keysOf(own.members);
	}
}
