/** A decision that four identities have really signed, for tests of who relies on such. */
import type { GroupTrust } from "../../../actors/byzantine-coordinator/index.ts";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import {
	batchDigest,
	type DecisionProof,
	type Epoch,
	requestDigest,
	type SequenceNumber,
	statementBytes,
	type ViewNumber,
} from "../../../protocols/pbft/index.ts";
import { generateIdentity, KeyRing, NodeCryptoPort, type OwnIdentity } from "../../../runtime/crypto/index.ts";

export const cluster = "bank";
const emptyBytes = new Uint8Array(0);

/** A group of four that bears one fault. */
export class SigningGroup {
	readonly identities: readonly OwnIdentity[];
	readonly members: readonly NodeId[];
	readonly trust: GroupTrust;
	readonly port: NodeCryptoPort;

	constructor(members: readonly string[] = ["node-1", "node-2", "node-3", "node-4"]) {
		this.members = members.map(nodeId);
		this.identities = this.members.map((member) => generateIdentity(member));
		this.trust = { cluster, epoch: 0, faults: 1, members: this.identities.map((own) => own.public) };
		this.port = this.#portOf(0);
	}

	/** A request decided in slot 5 by those members, by their places. */
	decided(operation: Uint8Array | string, signers: readonly number[] = [0, 1, 3]): DecisionProof {
		const { digest } = this.port;
		const asked = typeof operation === "string" ? Buffer.from(operation) : operation;
		const request = {
			client: nodeId("client-1"),
			timestamp: 7,
			kind: "command",
			operation: asked,
		} as const;
		const batch = { requests: [{ ...request, signature: emptyBytes, macs: emptyBytes }], choice: emptyBytes };
		const slot = { epoch: 0 as Epoch, view: 2 as ViewNumber, sequence: 5 as SequenceNumber };
		const decided = batchDigest(cluster, digest, batch);
		const commits = signers.map((at) => {
			const sender = this.members[at] as NodeId;
			const said = statementBytes(cluster, sender, { type: "commit", ...slot, digest: decided });
			return { sender, signature: this.#portOf(at).sign(said) };
		});
		return {
			cluster,
			certificate: { ...slot, digest: decided, commits },
			requests: [requestDigest(cluster, digest, request)],
			choice: emptyBytes,
			index: 0,
			request,
		};
	}

	#portOf(at: number): NodeCryptoPort {
		return new NodeCryptoPort(new KeyRing(cluster, this.identities[at] as OwnIdentity));
	}
}
