/** The private part of a ceremony at one participant: shares that it deals, sealed, and shares that it was dealt. */
import type { NodeId } from "../../core/index.ts";
import { frame, textBytes } from "../bytes.ts";
import type { Ciphersuite, GroupElement } from "../ciphersuite.ts";
import type { CeremonyPlan } from "./config.ts";
import { checkShare } from "./dealing.ts";
import { type SealedShare, shareContext } from "./messages.ts";
import type { ShareChannel } from "./share-channel.ts";

/** What stays the same. */
interface Ends {
	readonly self: NodeId;
	readonly plan: CeremonyPlan;
	readonly suite: Ciphersuite;
	readonly channel: ShareChannel;
	readonly ceremony: Uint8Array;
}

export class ShareExchange {
	readonly #ends: Ends;
	/** At most one of each dealer. */
	#sealed = new Map<NodeId, Uint8Array>();
	/** Shares that lie on their dealer's polynomial. */
	#shares = new Map<NodeId, bigint>();
	#outgoing = new Map<NodeId, SealedShare>();

	constructor(ends: Ends) {
		this.#ends = ends;
	}

	/** Null with an unusable key: its owner will complain, and get its share in the open. */
	seal(receiver: NodeId, channelKey: Uint8Array, value: bigint): SealedShare | null {
		const { channel, ceremony, self, suite } = this.#ends;
		const sealed = channel.seal(channelKey, shareContext(ceremony, self, receiver), suite.encodeScalar(value));
		if (sealed === null) return null;
		const message: SealedShare = { type: "sealed-share", sealed };
		this.#outgoing.set(receiver, message);
		return message;
	}

	/** What was sealed for a receiver; undefined if nothing was. */
	sealedFor(receiver: NodeId): SealedShare | undefined {
		return this.#outgoing.get(receiver);
	}

	/** Takes what a dealer has sent, the first time. False later. */
	receive(dealer: NodeId, sealed: Uint8Array): boolean {
		if (this.#sealed.has(dealer)) return false;
		this.#sealed.set(dealer, sealed);
		return true;
	}

	hasReceived(dealer: NodeId): boolean {
		return this.#sealed.has(dealer);
	}

	/** Opens what a dealer has sent, and keeps it if it lies on the dealer's polynomial. */
	open(dealer: NodeId, channelKey: Uint8Array, commitment: readonly GroupElement[]): void {
		const { channel, ceremony, self, suite, plan } = this.#ends;
		const identifier = plan.receivers.get(self);
		const sealed = this.#sealed.get(dealer);
		if (identifier === undefined || sealed === undefined) return;
		const opened = channel.open(channelKey, shareContext(ceremony, dealer, self), sealed);
		const value = opened === null ? null : checkShare(suite, commitment, identifier, opened);
		if (value !== null) this.#shares.set(dealer, value);
	}

	/** Keeps a share that was checked elsewhere: one's own, or one that was shown in the open. */
	adopt(dealer: NodeId, value: bigint): void {
		this.#shares.set(dealer, value);
	}

	holds(dealer: NodeId): boolean {
		return this.#shares.has(dealer);
	}

	/** The weighted sum of the dealers' shares. Null if one is missing: its complaint may have been lost, and a share with it. */
	sum(weights: ReadonlyMap<NodeId, bigint>): bigint | null {
		let secret = 0n;
		for (const [dealer, weight] of weights) {
			const share = this.#shares.get(dealer);
			if (share === undefined) return null;
			secret = this.#ends.suite.reduce(secret + weight * share);
		}
		return secret;
	}

	/** Forgets all shares. */
	clear(): void {
		this.#shares.clear();
	}

	/** As plain data, without a secret: shares stand in it as a fingerprint. */
	get state(): unknown {
		const { suite } = this.#ends;
		const secrets = [...this.#shares].flatMap(([dealer, share]) => [textBytes(dealer), suite.encodeScalar(share)]);
		return {
			sealed: this.#sealed,
			shares: suite.hashToScalar("fingerprint", frame(...secrets)).toString(16),
			outgoing: this.#outgoing,
		};
	}

	copy(): ShareExchange {
		const copied = new ShareExchange(this.#ends);
		copied.#sealed = new Map(this.#sealed);
		copied.#shares = new Map(this.#shares);
		copied.#outgoing = new Map(this.#outgoing);
		return copied;
	}
}
