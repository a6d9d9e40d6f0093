/** The keys of a group that lives in one process: made here, each secret handed to its owner's thread alone. */
import { type NodeId, nodeId } from "../../protocols/core/index.ts";
import {
	exportIdentity,
	generateIdentity,
	KeyRing,
	NodeCryptoPort,
	type OwnIdentity,
	type PublicIdentity,
	type SecretIdentity,
} from "../../runtime/crypto/index.ts";
import { clientsExhausted } from "./errors.ts";

/** The one client of a group that may order changes of membership, beside isolations. */
export const ADMINISTRATOR = "administrator";

export class GroupIdentities {
	readonly #cluster: string;
	readonly #members: ReadonlyMap<NodeId, OwnIdentity>;
	readonly #clients: readonly OwnIdentity[];
	readonly #administrator: OwnIdentity;
	#clientsGiven = 0;
	/** Everybody: members and clients. */
	readonly enrolled: readonly PublicIdentity[];
	/** Those of members and of those in reserve alone. */
	readonly members: readonly PublicIdentity[];

	/** Makes fresh keys. `members` are all that may ever be some. */
	constructor(cluster: string, members: readonly NodeId[], clients: number) {
		this.#cluster = cluster;
		this.#members = new Map(members.map((member) => [member, generateIdentity(member)]));
		this.#clients = Array.from({ length: clients }, (_, i) => generateIdentity(nodeId(`client-${i + 1}`)));
		this.members = [...this.#members.values()].map((own) => own.public);
		this.#administrator = generateIdentity(nodeId(ADMINISTRATOR));
		this.enrolled = [...this.members, this.#administrator.public, ...this.#clients.map((own) => own.public)];
	}

	/** For the member's own thread. */
	secretOf(member: NodeId): SecretIdentity {
		return exportIdentity(this.#members.get(member) as OwnIdentity);
	}

	/** Somebody who can check what members sign, and says nothing. */
	observer(): NodeCryptoPort {
		const ring = new KeyRing(this.#cluster, generateIdentity(nodeId("observer")));
		for (const other of this.members) ring.enrol(other);
		return new NodeCryptoPort(ring);
	}

	/** The next client that nobody uses. @throws QuorateError `clients-exhausted` */
	nextClient(): { readonly id: NodeId; readonly port: NodeCryptoPort } {
		const own = this.#clients[this.#clientsGiven];
		if (own === undefined) throw clientsExhausted({ limit: this.#clients.length });
		this.#clientsGiven += 1;
		return this.#speaking(own);
	}

	/** Who orders changes of membership. */
	administrator(): { readonly id: NodeId; readonly port: NodeCryptoPort } {
		return this.#speaking(this.#administrator);
	}

	#speaking(own: OwnIdentity): { readonly id: NodeId; readonly port: NodeCryptoPort } {
		const ring = new KeyRing(this.#cluster, own);
		for (const other of this.members) ring.enrol(other);
		return { id: own.public.id, port: new NodeCryptoPort(ring) };
	}
}
