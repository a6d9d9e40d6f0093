/** What a member can show of a decision: the proof that a third party checks with `verifyDecision`. */
import type { NodeId } from "../core/index.ts";
import { hexOf } from "./bytes.ts";
import type { DecisionProof } from "./certificates.ts";
import type { PbftCore } from "./core.ts";
import type { SequenceNumber } from "./entities.ts";
import { digestOf } from "./requests.ts";
import { isAuthenticated } from "./vote-authentication.ts";

/** Null where votes are authenticated, which no third party can check; when the slot is not decided here, does not hold the request, or is covered by a stable checkpoint. */
export function proofOfDecision(
	core: PbftCore,
	sequence: SequenceNumber,
	client: NodeId,
	timestamp: number,
): DecisionProof | null {
	if (isAuthenticated(core)) return null;
	const slot = core.slots.get(sequence);
	const certificate = slot?.decision ?? null;
	if (slot === undefined || certificate === null) return null;
	const batch = slot.bodies.get(hexOf(certificate.digest));
	const index = batch?.requests.findIndex((other) => other.client === client && other.timestamp === timestamp) ?? -1;
	const found = batch?.requests[index];
	if (batch === undefined || found === undefined) return null;
	return {
		cluster: core.config.cluster,
		certificate,
		requests: batch.requests.map((other) => digestOf(core, other)),
		choice: batch.choice,
		index,
		request: { client, timestamp, kind: found.kind, operation: found.operation },
	};
}
