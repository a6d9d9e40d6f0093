/** The keys of a group that lives in one process: each secret is handed to its owner's thread alone. */
import { type CryptoPort, type NodeId, nodeId } from "../../protocols/core/index.ts";
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

/** Somebody who can speak, and by what it is known. */
export interface Speaker {
	readonly id: NodeId;
	readonly port: CryptoPort;
}

/** Who a group's members and clients are to each other. */
export interface Identities {
	/** Everybody: members and clients. */
	readonly enrolled: readonly PublicIdentity[];
	/** Those of members and of those in reserve alone. */
	readonly members: readonly PublicIdentity[];
	/** By which each client names its first request: above all that members may have answered before. */
	readonly firstTimestamp: number;
	/** For the member's own thread. */
	secretOf(member: NodeId): SecretIdentity;
	/** Somebody who can check what members sign, and says nothing. */
	observer(): CryptoPort;
	/** The next client that nobody uses. @throws QuorateError `clients-exhausted` */
	nextClient(): Speaker;
	/** Who orders changes of membership. */
	administrator(): Speaker;
}

/** Everybody's own keys. */
export interface GroupKeys {
	/** All that may ever be members. */
	readonly members: readonly OwnIdentity[];
	readonly clients: readonly OwnIdentity[];
	readonly administrator: OwnIdentity;
}

export function clientId(index: number): NodeId {
	return nodeId(`client-${index + 1}`);
}

export class GroupIdentities implements Identities {
	readonly #cluster: string;
	readonly #members: ReadonlyMap<NodeId, OwnIdentity>;
	readonly #clients: readonly OwnIdentity[];
	readonly #administrator: OwnIdentity;
	#clientsGiven = 0;
	readonly enrolled: readonly PublicIdentity[];
	readonly members: readonly PublicIdentity[];
	readonly firstTimestamp: number;

	/** With fresh keys. */
	static fresh(cluster: string, members: readonly NodeId[], clients: number): GroupIdentities {
		return new GroupIdentities(cluster, {
			members: members.map(generateIdentity),
			clients: Array.from({ length: clients }, (_, i) => generateIdentity(clientId(i))),
			administrator: generateIdentity(nodeId(ADMINISTRATOR)),
		});
	}

	constructor(cluster: string, { members, clients, administrator }: GroupKeys, firstTimestamp = 1) {
		this.#cluster = cluster;
		this.#members = new Map(members.map((own) => [own.public.id, own]));
		this.#clients = clients;
		this.#administrator = administrator;
		this.firstTimestamp = firstTimestamp;
		this.members = members.map((own) => own.public);
		this.enrolled = [...this.members, administrator.public, ...clients.map((own) => own.public)];
	}

	secretOf(member: NodeId): SecretIdentity {
		return exportIdentity(this.#members.get(member) as OwnIdentity);
	}

	observer(): CryptoPort {
		const ring = new KeyRing(this.#cluster, generateIdentity(nodeId("observer")));
		for (const other of this.members) ring.enrol(other);
		return new NodeCryptoPort(ring);
	}

	nextClient(): Speaker {
		const own = this.#clients[this.#clientsGiven];
		if (own === undefined) throw clientsExhausted({ limit: this.#clients.length });
		this.#clientsGiven += 1;
		return this.#speaking(own);
	}

	administrator(): Speaker {
		return this.#speaking(this.#administrator);
	}

	#speaking(own: OwnIdentity): Speaker {
		const ring = new KeyRing(this.#cluster, own);
		for (const other of this.members) ring.enrol(other);
		return { id: own.public.id, port: new NodeCryptoPort(ring) };
	}
}
