/**
 * The actor that owns one participant's secrets: its identity keys, its shares, its nonces. Nothing secret leaves it but sealed; others
 * see commitments, signature shares and posts. Each lives on a thread of its own, unless the manager was told otherwise.
 */
import { randomBytes } from "node:crypto";
import { type Effect, type Input, type NodeId, nodeId, QuorateError } from "../../protocols/core/index.ts";
import type { DecisionProof } from "../../protocols/pbft/index.ts";
import {
	type CeremonyCertificate,
	type CeremonyConfig,
	type CeremonyFault,
	type CeremonyMachine,
	type CeremonyMessage,
	type CeremonyTypes,
	type GroupKeyData,
	joinCeremony,
	type KeyShare,
	type NonceCommitment,
	planCeremony,
	type SignRequest,
	type SignResponse,
	ThresholdSigner,
} from "../../protocols/security/index.ts";
import {
	type ActorContext,
	type Address,
	addressText,
	type Behaviour,
	type Replier,
} from "../../runtime/actor/index.ts";
import {
	generateIdentity,
	KeyRing,
	NodeCryptoPort,
	type OwnIdentity,
	PairwiseBox,
	type PublicIdentity,
} from "../../runtime/crypto/index.ts";
import type { GroupTrust } from "../byzantine-coordinator/index.ts";
import { DecisionGuard } from "./decision-guard.ts";
import { shareMissing, signingRefused } from "./errors.ts";
import { type BackupPiece, backUpShare, type Custodian, recoverShare } from "./share-backup.ts";

/** Where this module is, for a behaviour source: {@link KeyHolder} is its export. */
export const keyHolderModule: string = import.meta.url;

export interface KeyHolderArgs {
	readonly node: string;
	/** Names the manager's group in the derivation of keys between two participants. */
	readonly cluster: string;
}

/** One sharing of one key. */
export interface ShareName {
	/** Hex. */
	readonly publicKey: string;
	readonly epoch: number;
}

/** Another participant, as the manager introduces it. */
export interface Acquaintance {
	readonly address: Address;
	readonly identity: PublicIdentity;
}

export type KeyHolderMessage =
	| { readonly type: "identify" }
	| { readonly type: "acquaint"; readonly with: readonly Acquaintance[] }
	| { readonly type: "ceremony"; readonly config: CeremonyConfig }
	| { readonly type: "ceremony-message"; readonly ceremony: string; readonly message: CeremonyMessage }
	| { readonly type: "offer"; readonly share: ShareName }
	| {
			readonly type: "sign";
			readonly share: ShareName;
			readonly request: SignRequest;
			/** What a restricted key needs: see `restrict`. */
			readonly justification?: DecisionProof;
	  }
	/** From now on no share of this key (hex) signs anything but decisions of that group. It is never lifted. */
	| { readonly type: "restrict"; readonly publicKey: string; readonly to: GroupTrust }
	| { readonly type: "forget"; readonly share: ShareName }
	| {
			readonly type: "back-up";
			readonly share: ShareName;
			readonly custodians: readonly Custodian[];
			readonly threshold: number;
	  }
	| { readonly type: "recover"; readonly pieces: readonly BackupPiece[] };

/** How one participant's ceremony has ended. */
export type CeremonyEnd =
	| {
			readonly type: "completed";
			readonly key: GroupKeyData;
			readonly certificate: CeremonyCertificate;
			readonly faults: readonly CeremonyFault[];
	  }
	| { readonly type: "failed"; readonly reason: string; readonly faults: readonly CeremonyFault[] };

interface RunningCeremony {
	readonly machine: CeremonyMachine;
	/** Null when it has been answered. */
	replier: Replier | null;
}

/** Messages of ceremonies that the manager has not told of yet: the others may be ahead. */
const EARLY_MESSAGES_MAX = 4_096;
/** Keys that are restricted at a time in one holder. */
const RESTRICTIONS_MAX = 1_024;
/** Ceremonies whose late messages are still answered. */
const CEREMONIES_KEPT = 4;

export class KeyHolder implements Behaviour<KeyHolderMessage> {
	readonly #node: NodeId;
	readonly #identity: OwnIdentity;
	readonly #cluster: string;
	#crypto: NodeCryptoPort;
	readonly #addresses = new Map<NodeId, Address>();
	readonly #nodes = new Map<string, NodeId>();
	readonly #signers = new Map<string, ThresholdSigner>();
	/** By name, the oldest first. */
	readonly #ceremonies = new Map<string, RunningCeremony>();
	/** What keys may be used for, by public key. */
	readonly #restrictions = new Map<string, DecisionGuard>();
	#early: { readonly ceremony: string; readonly from: NodeId; readonly message: CeremonyMessage }[] = [];

	constructor({ node, cluster }: KeyHolderArgs) {
		this.#node = nodeId(node);
		this.#identity = generateIdentity(this.#node);
		this.#cluster = cluster;
		this.#crypto = new NodeCryptoPort(new KeyRing(cluster, this.#identity));
	}

	/** A request that is refused is answered with why. To throw would end this actor, and what it holds with it. */
	receive(message: KeyHolderMessage, context: ActorContext<KeyHolderMessage>): void {
		try {
			this.#perform(message, context);
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
			context.replier()?.fail(error);
		}
	}

	#perform(message: KeyHolderMessage, context: ActorContext<KeyHolderMessage>): void {
		switch (message.type) {
			case "identify":
				context.reply(this.#identity.public);
				return;
			case "acquaint":
				this.#acquaint(message.with);
				context.reply(null);
				return;
			case "ceremony":
				this.#startCeremony(message.config, context);
				return;
			case "ceremony-message":
				this.#hear(message.ceremony, message.message, context);
				return;
			case "offer":
				context.reply(this.#offer(message.share));
				return;
			case "sign":
				context.reply(this.#sign(message.share, message.request, message.justification));
				return;
			case "restrict":
				this.#restrict(message.publicKey, message.to);
				context.reply(null);
				return;
			case "forget":
				this.#forget(message.share);
				context.reply(null);
				return;
			case "back-up":
				context.reply(backUpShare(this.#signer(message.share).share, message.custodians, message.threshold));
				return;
			case "recover": {
				const { publicKey, privateKey } = {
					publicKey: this.#identity.public.agreement,
					privateKey: this.#identity.agreement,
				};
				context.reply(this.#keep(recoverShare(message.pieces, { publicKey, privateKey })));
				return;
			}
		}
	}

	/**
	 * Who the manager knows, under which key and address: all of them, in place of what was told before, since who was dismissed comes
	 * back with new keys. A sender is known by its address alone. Ceremonies that run keep the keys that they began with.
	 */
	#acquaint(acquaintances: readonly Acquaintance[]): void {
		const ring = new KeyRing(this.#cluster, this.#identity);
		this.#addresses.clear();
		this.#nodes.clear();
		for (const { address, identity } of acquaintances) {
			ring.enrol(identity);
			this.#addresses.set(identity.id, address);
			this.#nodes.set(addressText(address), identity.id);
		}
		this.#crypto = new NodeCryptoPort(ring);
	}

	#offer(name: ShareName): NonceCommitment {
		return this.#signer(name).offer(randomBytes(64));
	}

	#sign(name: ShareName, { session, message, commitments }: SignRequest, justification?: DecisionProof): SignResponse {
		const signer = this.#signer(name);
		const reason = this.#restrictions.get(name.publicKey)?.refusalOf(message, justification) ?? null;
		if (reason !== null) throw signingRefused({ node: this.#node, reason });
		const { share } = signer.sign({ message, commitments });
		return { type: "sign-response", session, share, next: signer.offer(randomBytes(64)) };
	}

	/** Who could loosen a restriction could have anything signed: the first one stays. */
	#restrict(publicKey: string, to: GroupTrust): void {
		const known = this.#restrictions.get(publicKey);
		if (known !== undefined) {
			if (!known.isFor(to)) throw signingRefused({ node: this.#node, reason: "the key serves another group already" });
			return;
		}
		if (this.#restrictions.size >= RESTRICTIONS_MAX)
			throw signingRefused({ node: this.#node, reason: `it keeps ${RESTRICTIONS_MAX} restrictions` });
		this.#restrictions.set(publicKey, new DecisionGuard(to));
	}

	#forget(name: ShareName): void {
		const signer = this.#signers.get(nameText(name));
		signer?.discardNonces();
		signer?.share.erase();
		this.#signers.delete(nameText(name));
	}

	#signer(name: ShareName): ThresholdSigner {
		const signer = this.#signers.get(nameText(name));
		if (signer === undefined) throw shareMissing({ node: this.#node, ...name });
		return signer;
	}

	#keep(share: KeyShare): ShareName {
		const { publicKey, epoch } = share.key.data;
		const name = { publicKey: Buffer.from(publicKey).toString("hex"), epoch };
		this.#signers.set(nameText(name), new ThresholdSigner(share));
		return name;
	}

	// Ceremonies: the duties of a host, as protocols/core/state-machine.ts has them.

	#startCeremony(config: CeremonyConfig, context: ActorContext<KeyHolderMessage>): void {
		const plan = planCeremony(config);
		const previous = plan.previous;
		const own =
			previous === null
				? undefined
				: this.#signers.get(
						nameText({ publicKey: Buffer.from(previous.data.publicKey).toString("hex"), epoch: previous.epoch }),
					);
		const secrets = { entropy: randomBytes(64), ...(own === undefined ? {} : { share: own.share }) };
		const machine = joinCeremony(this.#node, plan, this.#crypto, new PairwiseBox(), secrets);
		this.#ceremonies.set(plan.name, { machine, replier: context.replier() });
		if (this.#ceremonies.size > CEREMONIES_KEPT) {
			const [oldest] = this.#ceremonies.keys();
			if (oldest !== undefined) this.#dropCeremony(oldest, context);
		}
		this.#step(plan.name, { type: "start", durable: null }, context);
		const early = this.#early.filter(({ ceremony }) => ceremony === plan.name);
		this.#early = this.#early.filter(({ ceremony }) => ceremony !== plan.name);
		for (const { from, message } of early) this.#step(plan.name, { type: "message", from, message }, context);
	}

	#dropCeremony(name: string, context: ActorContext<KeyHolderMessage>): void {
		for (const timer of ["phase", "resend"]) context.timers.cancel(`${name}/${timer}`);
		this.#ceremonies.delete(name);
	}

	#hear(ceremony: string, message: CeremonyMessage, context: ActorContext<KeyHolderMessage>): void {
		const from = context.sender === null ? undefined : this.#nodes.get(addressText(context.sender.address));
		if (from === undefined) return;
		if (this.#ceremonies.has(ceremony)) this.#step(ceremony, { type: "message", from, message }, context);
		else if (this.#early.length < EARLY_MESSAGES_MAX) this.#early.push({ ceremony, from, message });
	}

	#step(name: string, input: Input<CeremonyTypes>, context: ActorContext<KeyHolderMessage>): void {
		const running = this.#ceremonies.get(name);
		if (running === undefined) return;
		const effects: Effect<CeremonyTypes>[] = [];
		running.machine.step(input, context.clock.nowMs(), effects);
		for (const effect of effects) this.#performEffect(name, running, effect, context);
	}

	#performEffect(
		name: string,
		running: RunningCeremony,
		effect: Effect<CeremonyTypes>,
		context: ActorContext<KeyHolderMessage>,
	): void {
		switch (effect.type) {
			case "send": {
				const to = this.#addresses.get(effect.to);
				// What a full lane refuses is a lost message, which the ceremony says again.
				if (to !== undefined)
					context.ref<KeyHolderMessage>(to).tell({ type: "ceremony-message", ceremony: name, message: effect.message });
				return;
			}
			case "set-timer": {
				const { timer, afterMs } = effect;
				context.timers.run(`${name}/${timer}`, afterMs.max, () => this.#step(name, { type: "timer", timer }, context));
				return;
			}
			case "cancel-timer":
				context.timers.cancel(`${name}/${effect.timer}`);
				return;
			case "emit":
				this.#tellEnd(running, effect.event);
				return;
			case "persist":
			case "read":
			case "apply":
			case "reply":
				// A ceremony makes nothing durable and serves nobody but its end.
				return;
		}
	}

	#tellEnd(running: RunningCeremony, event: Extract<Effect<CeremonyTypes>, { type: "emit" }>["event"]): void {
		let end: CeremonyEnd;
		if (event.type === "ceremony-completed") {
			const { key, certificate, faults } = event;
			end = { type: "completed", key, certificate, faults };
			const share = running.machine.takeShare();
			if (share !== null) this.#keep(share);
		} else if (event.type === "ceremony-failed") end = { type: "failed", reason: event.reason, faults: event.faults };
		else return;
		running.replier?.reply(end);
		running.replier = null;
	}
}

function nameText({ publicKey, epoch }: ShareName): string {
	return `${publicKey}/${epoch}`;
}
