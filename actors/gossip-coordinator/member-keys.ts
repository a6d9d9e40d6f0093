/**
 * The keys of a group that signs what it says of its members. They are made in the main thread, each secret goes to its owner's
 * thread alone, and the directory of public ones is an actor that members ask: at each start, and when somebody signs whom
 * they do not know yet.
 */
import type { CryptoPort, NodeId } from "../../protocols/core/index.ts";
import type { ActorContext, ActorSpec, Behaviour } from "../../runtime/actor/index.ts";
import {
	exportIdentity,
	generateIdentity,
	importIdentity,
	KeyRing,
	NodeCryptoPort,
	type OwnIdentity,
	type PublicIdentity,
	type SecretIdentity,
} from "../../runtime/crypto/index.ts";

/** Unknown signers are asked for so often at most. */
const ASK_AGAIN_MS = 500;

/** The directory of a group's public keys. */
export class GroupKeys {
	readonly #name: string;
	readonly #identities = new Map<NodeId, OwnIdentity>();

	constructor(group: string) {
		this.#name = keysName(group);
	}

	/** A member's own keys, for its thread; the same for each of its lives. */
	secretOf(node: NodeId): SecretIdentity {
		const own = this.#identities.get(node) ?? generateIdentity(node);
		this.#identities.set(node, own);
		return exportIdentity(own);
	}

	/** The actor that answers members. */
	actor(): ActorSpec {
		return { name: this.#name, behaviour: { local: () => this.#directory() }, placement: "local" };
	}

	#directory(): Behaviour {
		return {
			receive: (_message, context) => context.reply([...this.#identities.values()].map((own) => own.public)),
		};
	}
}

/** What one member knows of the others' keys, as its machine's crypto port. */
export class MemberKeys {
	readonly #context: ActorContext;
	readonly #group: string;
	readonly #ring: KeyRing;
	readonly #port: NodeCryptoPort;
	#askAgainAtMs = 0;

	/** @throws QuorateError `crypto-key-invalid` */
	constructor(context: ActorContext, group: string, secret: SecretIdentity) {
		this.#context = context;
		this.#group = group;
		this.#ring = new KeyRing(group, importIdentity(secret));
		this.#port = new NodeCryptoPort(this.#ring);
	}

	get port(): CryptoPort {
		const port = this.#port;
		return {
			digest: port.digest,
			sign: (bytes) => port.sign(bytes),
			verify: (signer, bytes, signature) => {
				if (this.#ring.get(signer) === undefined) this.#missing();
				return port.verify(signer, bytes, signature);
			},
			authenticate: (to, bytes) => port.authenticate(to, bytes),
			isAuthentic: (from, bytes, authenticator) => port.isAuthentic(from, bytes, authenticator),
		};
	}

	/** Lets one more be believed. @throws QuorateError as `KeyRing.enrol` */
	enrol(identity: PublicIdentity): void {
		this.#ring.enrol(identity);
	}

	/** Takes over the directory. @throws QuorateError what asking it throws */
	async learn(): Promise<void> {
		const directory = await this.#context.lookup(keysName(this.#group));
		const identities = (await directory?.ask<readonly PublicIdentity[]>({ type: "gossip-keys" })) ?? [];
		for (const identity of identities) this.#ring.enrol(identity);
	}

	/** What was signed by somebody unknown is lost, as a packet may be; when it is said again its signer is known. */
	#missing(): void {
		const nowMs = this.#context.clock.nowMs();
		if (nowMs < this.#askAgainAtMs) return;
		this.#askAgainAtMs = nowMs + ASK_AGAIN_MS;
		this.learn().catch((error: unknown) => {
			// In the actor's turn, so that its supervisor hears of it.
			this.#context.timers.run("keys-failed", 0, () => {
				throw error;
			});
		});
	}
}

function keysName(group: string): string {
	return `gossip-keys/${group}`;
}
