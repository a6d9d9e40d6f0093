/** The keys of a group that lives in one process: made here, each secret handed to its owner's thread alone. */
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
	/** For the member's own thread. */
	secretOf(member: NodeId): SecretIdentity;
	/** Somebody who can check what members sign, and says nothing. */
	observer(): CryptoPort;
	/** The next client that nobody uses. @throws QuorateError `clients-exhausted` */
	nextClient(): Speaker;
	/** Who orders changes of membership. */
	administrator(): Speaker;
}

export class GroupIdentities implements Identities {
	readonly #cluster: string;
	readonly #members: ReadonlyMap<NodeId, OwnIdentity>;
	readonly #clients: readonly OwnIdentity[];
	readonly #administrator: OwnIdentity;
	#clientsGiven = 0;
	readonly enrolled: readonly PublicIdentity[];
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
