/** A decision's certificate, from whichever member has it: checked here, since any one of them may lie. */
import type { CryptoPort, GroupId, NodeId } from "../../protocols/core/index.ts";
import type { ActorRef } from "../../runtime/actor/index.ts";
import type { PbftDecisionAnswer } from "../participant/index.ts";
import { checkedProof } from "./checked-proof.ts";
import type { DecisionCertificate } from "./contract.ts";
import * as errors from "./errors.ts";
import type { GroupMembership } from "./group-membership.ts";
import type { Identities } from "./identities.ts";

/** Members are asked for one slot's certificate so long before it counts as gone. */
const CERTIFICATE_TIMEOUT_MS = 2_000;

/** Who is asked, and what their answers are checked with. */
export interface CertificateSource {
	readonly cluster: GroupId;
	readonly nodes: readonly NodeId[];
	readonly refOf: (node: NodeId) => Promise<ActorRef>;
	readonly verifier: CryptoPort;
	readonly membership: GroupMembership;
	readonly identities: Identities;
}

/** The slot, and the request in it that the certificate is for. */
export interface CertifiedRequest {
	readonly sequence: number;
	readonly client: NodeId;
	readonly timestamp: number;
}

/** The first good proof that any member gives. @throws QuorateError `certificate-gone` if none does */
export async function gatherCertificate(
	source: CertificateSource,
	request: CertifiedRequest,
): Promise<DecisionCertificate> {
	const { cluster, verifier, membership, identities } = source;
	const { sequence } = request;
	const question = { type: "pbft-decision", ...request };
	const answers = source.nodes.map(async (node) => {
		const ref = await source.refOf(node);
		const answer = await ref.ask<PbftDecisionAnswer>(question, { timeoutMs: CERTIFICATE_TIMEOUT_MS });
		if (answer.proof === null) throw errors.certificateGone({ sequence });
		return checkedProof(answer.proof, { cluster, verifier, membership });
	});
	try {
		const { proof, configuration } = await Promise.any(answers);
		const { epoch, faults } = configuration;
		const members = identities.members.filter(({ id }) => configuration.members.includes(id));
		return { proof, epoch, faults, members };
	} catch (cause) {
		throw errors.certificateGone({ sequence }, { cause });
	}
}
