/** One threshold signature over actors: the ROAST coordinator, with asks for its messages. */
import { type Effect, errorToObject, must, type NodeId } from "../../protocols/core/index.ts";
import type { DecisionProof } from "../../protocols/pbft/index.ts";
import {
	type GroupKey,
	type Identifier,
	type NonceCommitment,
	RoastCoordinator,
	type RoastMessage,
	type RoastTypes,
	type SignResponse,
} from "../../protocols/security/index.ts";
import type { ActorRef, Clock, TimerHandle } from "../../runtime/actor/index.ts";
import { signingFailed } from "./errors.ts";
import type { KeyHolderMessage, ShareName } from "./key-holder.ts";

/** A signature, and what it took. */
export interface ThresholdSignature {
	readonly signature: Uint8Array;
	/** The key under which it verifies. */
	readonly publicKey: Uint8Array;
	readonly epoch: number;
	/** Sessions that were opened: 1 when the first signers were all honest and there. */
	readonly sessions: number;
	/** Who has sent a wrong share, or nonces that are none. */
	readonly culprits: readonly NodeId[];
}

export interface SigningRun {
	readonly key: GroupKey;
	readonly name: ShareName;
	readonly message: Uint8Array;
	/** Shows signers of a restricted key why they should sign. */
	readonly justification?: DecisionProof;
	/** Who may sign; at least the threshold of the key's members. */
	readonly holders: ReadonlyMap<NodeId, ActorRef<KeyHolderMessage>>;
	/** Unspent commitments from earlier runs, taken out and put back here. */
	readonly offers: NonceOffers;
	readonly timeoutMs: number;
	/** After how long without a signature the signers that were not asked at first are asked too; milliseconds. */
	readonly hedgeAfterMs: number;
	readonly clock: Pick<Clock, "schedule" | "cancel">;
}

/** Commitments that a signer has made and nobody has used. */
const OFFERS_KEPT = 16;

/** Nonces that signers have offered ahead: with them a signature takes one round of messages instead of two. */
export class NonceOffers {
	readonly #offers = new Map<Identifier, NonceCommitment[]>();

	take(identifier: Identifier): NonceCommitment | undefined {
		return this.#offers.get(identifier)?.pop();
	}

	keep(identifier: Identifier, commitment: NonceCommitment): void {
		const kept = this.#offers.get(identifier) ?? [];
		kept.push(commitment);
		// The signer drops its oldest ones as well.
		if (kept.length > OFFERS_KEPT) kept.shift();
		this.#offers.set(identifier, kept);
	}

	count(identifier: Identifier): number {
		return this.#offers.get(identifier)?.length ?? 0;
	}

	forget(identifier: Identifier): void {
		this.#offers.delete(identifier);
	}

	clear(): void {
		this.#offers.clear();
	}
}

/** Runs until there is a signature, or there can be none. @throws QuorateError `signing-failed` */
export async function signWithThreshold(run: SigningRun): Promise<ThresholdSignature> {
	const { promise, resolve, reject } = deferred<ThresholdSignature>();
	const conversation = new SigningConversation(run, resolve, reject);
	conversation.start();
	return promise;
}

class SigningConversation {
	readonly #run: SigningRun;
	readonly #coordinator: RoastCoordinator;
	readonly #resolve: (signature: ThresholdSignature) => void;
	readonly #reject: (error: unknown) => void;
	/** Asks that are under way: with none left, and no reserve, nobody will say anything more. */
	#waiting = 0;
	#sessions = 0;
	#isOver = false;
	/** Signers that are only asked when the first ones do not bring a signature at once. */
	#reserve: (readonly [NodeId, ActorRef<KeyHolderMessage>])[];
	#hedge: TimerHandle | null = null;
	readonly #lastErrors = new Map<NodeId, string>();

	constructor(run: SigningRun, resolve: (signature: ThresholdSignature) => void, reject: (error: unknown) => void) {
		this.#run = run;
		this.#coordinator = new RoastCoordinator(run.key, run.message);
		this.#resolve = resolve;
		this.#reject = reject;
		this.#reserve = [...run.holders].sort(([a], [b]) => this.#offersOf(b) - this.#offersOf(a));
	}

	/** Asks as many as it takes. To ask all at once would open sessions that nobody needs: ROAST opens one whenever it can. */
	start(): void {
		const first = this.#reserve.splice(0, this.#run.key.threshold);
		this.#hedge = this.#run.clock.schedule(this.#run.hedgeAfterMs, () => this.#engageReserve());
		for (const [node, holder] of first) this.#engage(node, holder);
	}

	#engage(node: NodeId, holder: ActorRef<KeyHolderMessage>): void {
		const offer = this.#run.offers.take(this.#identifierOf(node));
		if (offer === undefined) this.#askForOffer(node, holder);
		else this.#hear(node, { type: "ready", commitment: offer });
	}

	#engageReserve(): void {
		const reserve = this.#reserve;
		this.#reserve = [];
		if (!this.#isOver) for (const [node, holder] of reserve) this.#engage(node, holder);
	}

	#offersOf(node: NodeId): number {
		return this.#run.offers.count(this.#identifierOf(node));
	}

	#identifierOf(node: NodeId): Identifier {
		return must(this.#run.key.identifierOf(node), "a holder is a member of the key");
	}

	#askForOffer(node: NodeId, holder: ActorRef<KeyHolderMessage>): void {
		const ask = holder.ask<NonceCommitment>(
			{ type: "offer", share: this.#run.name },
			{ timeoutMs: this.#run.timeoutMs },
		);
		this.#await(node, ask, (commitment) => this.#hear(node, { type: "ready", commitment }));
	}

	#hear(node: NodeId, message: RoastMessage): void {
		if (this.#isOver) {
			this.#keepOffer(node, message);
			return;
		}
		const effects: Effect<RoastTypes>[] = [];
		this.#coordinator.step({ type: "message", from: node, message }, 0, effects);
		for (const effect of effects) this.#perform(effect);
		// The answer that has completed a session brings nonces that its coordinator had no use for.
		if (this.#isOver && message.type === "sign-response") this.#keepOffer(node, message);
	}

	#perform(effect: Effect<RoastTypes>): void {
		if (effect.type === "send" && effect.message.type === "sign-request") {
			const { to, message: request } = effect;
			const holder = this.#run.holders.get(to);
			if (holder === undefined) return;
			const { name: share, justification } = this.#run;
			const message: KeyHolderMessage = {
				type: "sign",
				share,
				request,
				...(justification === undefined ? {} : { justification }),
			};
			const ask = holder.ask<SignResponse>(message, { timeoutMs: this.#run.timeoutMs });
			this.#await(to, ask, (response) => this.#hear(to, response));
		} else if (effect.type === "emit" && effect.event.type === "roast-session") this.#sessions += 1;
		else if (effect.type === "emit" && effect.event.type === "roast-fault") this.#engageReserve();
		else if (effect.type === "emit" && effect.event.type === "roast-signed") this.#finish(effect.event.signature);
		else if (effect.type === "emit" && effect.event.type === "roast-failed") this.#fail("too few signers are honest");
	}

	/** A signer that fails or stays silent is to ROAST what one is that never answers. */
	#await<Answer>(node: NodeId, ask: Promise<Answer>, then: (answer: Answer) => void): void {
		this.#waiting += 1;
		ask
			.then(then, (error: unknown) => {
				this.#lastErrors.set(node, errorToObject(error).code);
				this.#engageReserve();
			})
			.finally(() => {
				this.#waiting -= 1;
				this.#endIfSilent();
			})
			.catch(this.#reject);
	}

	#endIfSilent(): void {
		if (this.#isOver || this.#waiting > 0) return;
		const silent = [...this.#lastErrors].map(([node, code]) => `${node}: ${code}`);
		this.#fail(`too few signers have answered${silent.length === 0 ? "" : ` (${silent.join(", ")})`}`);
	}

	#finish(signature: Uint8Array): void {
		this.#end();
		const { publicKey, epoch } = this.#run.key.data;
		this.#resolve({ signature, publicKey, epoch, sessions: this.#sessions, culprits: this.#culprits() });
	}

	#fail(reason: string): void {
		if (this.#isOver) return;
		this.#end();
		this.#reject(signingFailed({ reason, culprits: this.#culprits() }));
	}

	#end(): void {
		this.#isOver = true;
		if (this.#hedge !== null) this.#run.clock.cancel(this.#hedge);
		for (const [identifier, commitment] of this.#coordinator.unspent) this.#run.offers.keep(identifier, commitment);
	}

	#culprits(): readonly NodeId[] {
		return this.#coordinator.faults.map(({ node }) => node);
	}

	/** What comes after the end still brings fresh nonces, which save the next run a round. */
	#keepOffer(node: NodeId, message: RoastMessage): void {
		if (this.#culprits().includes(node)) return;
		if (message.type === "ready") this.#run.offers.keep(this.#identifierOf(node), message.commitment);
		else if (message.type === "sign-response") this.#run.offers.keep(this.#identifierOf(node), message.next);
	}
}

function deferred<Value>(): {
	readonly promise: Promise<Value>;
	readonly resolve: (value: Value) => void;
	readonly reject: (error: unknown) => void;
} {
	let resolve: (value: Value) => void = () => undefined;
	let reject: (error: unknown) => void = () => undefined;
	const promise = new Promise<Value>((onValue, onError) => {
		resolve = onValue;
		reject = onError;
	});
	return { promise, resolve, reject };
}
