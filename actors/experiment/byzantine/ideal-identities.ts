/**
 * Whose words count in a simulated group: everybody speaks through an ideal authority, which is cheap, decided by the seed, and lets
 * nobody speak in another's name. There are no keys that anybody could hold.
 */
import { type CryptoPort, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { IdealAuthority } from "../../../protocols/verification/index.ts";
import type { PublicIdentity, SecretIdentity } from "../../../runtime/crypto/index.ts";
import { ADMINISTRATOR, clientsExhausted, type Identities, type Speaker } from "../../byzantine-coordinator/index.ts";

const noKey = new Uint8Array(0);

export class IdealIdentities implements Identities {
	readonly #authority: IdealAuthority;
	readonly #clients: readonly NodeId[];
	#clientsGiven = 0;
	readonly enrolled: readonly PublicIdentity[];
	readonly members: readonly PublicIdentity[];
	readonly firstTimestamp = 1;

	constructor(seed: number, members: readonly NodeId[], clients: number) {
		this.#clients = Array.from({ length: clients }, (_, i) => nodeId(`client-${i + 1}`));
		const all = [...members, nodeId(ADMINISTRATOR), ...this.#clients];
		this.#authority = new IdealAuthority(seed, all);
		this.members = members.map(identityOf);
		this.enrolled = all.map(identityOf);
	}

	/** What a member, or a client, proves things with. */
	portOf(id: NodeId): CryptoPort {
		return this.#authority.portOf(id);
	}

	secretOf(member: NodeId): SecretIdentity {
		return { public: identityOf(member), signing: noKey, agreement: noKey };
	}

	observer(): CryptoPort {
		return this.#authority.portOf(nodeId("observer"));
	}

	nextClient(): Speaker {
		const id = this.#clients[this.#clientsGiven];
		if (id === undefined) throw clientsExhausted({ limit: this.#clients.length });
		this.#clientsGiven += 1;
		return { id, port: this.portOf(id) };
	}

	administrator(): Speaker {
		const id = nodeId(ADMINISTRATOR);
		return { id, port: this.portOf(id) };
	}
}

function identityOf(id: NodeId): PublicIdentity {
	return { id, signing: noKey, agreement: noKey };
}
