/** What a member gives as proof of a decision counts when it was checked here. */

import type { CryptoPort } from "../../protocols/core/index.ts";
import { type Configuration, type DecisionProof, verifyDecision } from "../../protocols/pbft/index.ts";
import { certificateInvalid } from "./errors.ts";
import type { GroupMembership } from "./group-membership.ts";

/** The proof, with the members by whose words it is one. @throws QuorateError `certificate-invalid` */
export function checkedProof(
	proof: DecisionProof,
	group: { readonly cluster: string; readonly verifier: CryptoPort; readonly membership: GroupMembership },
): { readonly proof: DecisionProof; readonly configuration: Configuration } {
	const configuration = group.membership.of(proof.certificate.epoch);
	if (configuration === null) throw certificateInvalid({ fault: "wrong-epoch" });
	const fault = verifyDecision(proof, { verifier: group.verifier, configuration });
	if (fault !== null || proof.cluster !== group.cluster) throw certificateInvalid({ fault: fault ?? "wrong-cluster" });
	return { proof, configuration };
}
