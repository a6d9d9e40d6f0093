/**
 * Making, refreshing and handing over a shared key without a dealer, as one state machine: the distributed key generation of FROST
 * (Komlo and Goldberg 2020, figure 1: Feldman commitments and proofs of possession over Pedersen 1991), with the complaints of
 * Gennaro et al. (1999) and a confirmation by everybody at the end; with `previous`, the verifiable redistribution of Desmedt and
 * Jajodia (1997) and Wong, Wang and Wing (2002), in which each old member deals its own share.
 *
 * ```
 * introducing ──▶ dealing ──▶ complaining ──▶ (justifying) ──▶ confirming ──▶ completed | failed
 *  signed posts    sealed       signed          the shares       signed
 *  to everybody    shares       accusations     in question      transcript
 * ```
 *
 * Why nobody ends with a share of another key than the others: a participant completes only when everybody who was not left out has
 * signed the same transcript, which fixes the introductions, who was left out, and all verifying shares.
 *
 * Not guaranteed: that it completes. A participant that speaks to some and not to others right at a deadline can make it fail, and
 * is then among the suspects, not convicted. The public key is not uniform against a rushing dealer (Gennaro et al. 2007), which
 * Schnorr signatures do not need.
 *
 * Duties of the host beside the contract's: `entropy` is fresh, secret, and used for one ceremony; a participant that has lost its
 * state does not start the same ceremony again; all participants are told the same terms.
 */
import {
	assertNever,
	type CryptoPort,
	type Effect,
	type Input,
	type MonotonicMs,
	must,
	type NodeId,
	type StateMachine,
} from "../../core/index.ts";
import { equalBytes, requireBytes } from "../bytes.ts";
import { type Ciphersuite, ciphersuite } from "../ciphersuite.ts";
import { ceremonyConfigInvalid } from "../errors.ts";
import { type GroupKey, KeyShare } from "../frost/key-share.ts";
import { ENTROPY_BYTES_MIN } from "../limits.ts";
import type { CeremonyPlan } from "./config.ts";
import { checkIntroduction, checkShare, Dealing } from "./dealing.ts";
import {
	type CeremonyMessage,
	type Introduction,
	isWellFormedPost,
	type Post,
	type PostBody,
	type SealedShare,
	signedBytes,
} from "./messages.ts";
import { basisOf, dealerWeights, groupKeyOf, transcriptOf } from "./outcome.ts";
import { Roll } from "./roll.ts";
import { CHANNEL_KEY_BYTES, SEALED_SHARE_BYTES_MAX, type ShareChannel } from "./share-channel.ts";
import { ShareExchange } from "./share-exchange.ts";
import type { CeremonyEvent, CeremonyFault, CeremonyPhase, CeremonyTypes } from "./types.ts";

/** What only this participant has. */
export interface CeremonySecrets {
	/** At least 32 fresh bytes. */
	readonly entropy: Uint8Array;
	/** Its share of the previous key, if it holds one and the ceremony is about that. */
	readonly share?: KeyShare;
}

/** What stays the same over a participant's ceremony. */
interface CeremonyPart {
	readonly self: NodeId;
	readonly plan: CeremonyPlan;
	readonly crypto: CryptoPort;
	readonly channel: ShareChannel;
	readonly ceremony: Uint8Array;
	/** Null for who does not deal. */
	readonly dealing: Dealing | null;
}

interface CeremonyOutcome {
	readonly key: GroupKey;
	/** This participant's share; null for who gets none. */
	readonly secret: bigint | null;
	readonly basis: Uint8Array;
}

/** Repetitions after the end, for who may have missed the last post. */
const RESENDS_AFTER_END = 5;

type Effects = Effect<CeremonyTypes>[];

/** Phases that end by a deadline, in order: the first one `phaseMs` after the start. */
const timedPhases: readonly CeremonyPhase[] = ["introducing", "dealing", "complaining", "justifying", "confirming"];

export class CeremonyMachine implements StateMachine<CeremonyTypes> {
	readonly plan: CeremonyPlan;
	readonly self: NodeId;
	readonly #part: CeremonyPart;
	readonly #suite: Ciphersuite;
	readonly #crypto: CryptoPort;
	/** Names ceremony and terms in everything that is signed or sealed. */
	readonly #ceremony: Uint8Array;
	readonly #dealing: Dealing | null;

	#phase: CeremonyPhase = "waiting";
	/** How many `phaseMs` have passed since the start; at most as many as there are phases. */
	#deadlinesPassed = 0;
	#roll: Roll;
	#shares: ShareExchange;
	#outcome: CeremonyOutcome | null = null;
	#isTaken = false;
	#resendsLeft = RESENDS_AFTER_END;

	/** Made by {@link joinCeremony}. */
	constructor(part: CeremonyPart) {
		this.#part = part;
		this.plan = part.plan;
		this.self = part.self;
		this.#suite = ciphersuite(part.plan.suite);
		this.#crypto = part.crypto;
		this.#ceremony = part.ceremony;
		this.#dealing = part.dealing;
		this.#roll = new Roll(part.plan);
		this.#shares = new ShareExchange({ ...part, suite: this.#suite });
	}

	get phase(): CeremonyPhase {
		return this.#phase;
	}

	/** Hands over the share that a completed ceremony gave this participant, once; null if there is none. */
	takeShare(): KeyShare | null {
		const { key, secret } = this.#outcome ?? { key: null, secret: null };
		const identifier = this.plan.receivers.get(this.self);
		if (this.#phase !== "completed" || this.#isTaken || key === null || secret === null || identifier === undefined)
			return null;
		this.#isTaken = true;
		return new KeyShare(key, identifier, this.#suite.encodeScalar(secret));
	}

	step(input: Input<CeremonyTypes>, _now: MonotonicMs, effects: Effects): void {
		switch (input.type) {
			case "start":
				this.#start(effects);
				return;
			case "message":
				this.#receive(input.from, input.message, effects);
				return;
			case "timer":
				if (input.timer === "phase") this.#passDeadline(effects);
				else this.#resend(effects);
				return;
			case "request":
			case "write-completed":
			case "read-completed":
			case "snapshot-ready":
			case "peer-reachable":
			case "peer-unreachable":
			case "batch-ended":
				return;
			default:
				assertNever(input, "input");
		}
	}

	#start(effects: Effects): void {
		const announcement = this.#dealing?.announcement ?? { commitment: [], proof: new Uint8Array() };
		this.#enter("introducing", effects);
		effects.push({ type: "set-timer", timer: "phase", afterMs: exactly(this.plan.phaseMs) });
		this.#publish({ type: "introduction", channelKey: this.#part.channel.publicKey, ...announcement }, effects);
		effects.push({ type: "set-timer", timer: "resend", afterMs: exactly(this.plan.resendMs) });
		this.#advance(effects);
	}

	// What comes in: cheap checks first, a signature only for what is new, group arithmetic only at the end of a phase.

	#receive(from: NodeId, message: CeremonyMessage, effects: Effects): void {
		if (!this.plan.participants.includes(from)) {
			this.#refuse(from, "not a participant", effects);
			return;
		}
		if (typeof message !== "object" || message === null) {
			this.#refuse(from, "malformed", effects);
			return;
		}
		switch (message.type) {
			case "post":
				this.#receivePost(from, message, effects);
				return;
			case "sealed-share":
				this.#receiveShare(from, message, effects);
				return;
			default:
				this.#refuse(from, "of unknown kind", effects);
				return;
		}
	}

	#receivePost(from: NodeId, post: Post, effects: Effects): void {
		if (!isWellFormedPost(post, this.plan.threshold)) {
			this.#refuse(from, "malformed", effects);
			return;
		}
		const { author, body, signature } = post;
		if (!this.plan.participants.includes(author)) {
			this.#refuse(from, "of no participant", effects);
			return;
		}
		const posted = this.#roll.board.classify(post);
		if (posted === "known" || posted === "convicted") return;
		if (!this.#crypto.verify(author, signedBytes(this.#ceremony, author, body), signature)) {
			this.#refuse(from, "not signed by its author", effects);
			return;
		}
		this.#roll.board.add(post);
		for (const other of this.#others())
			if (other !== from && other !== author)
				effects.push({ type: "send", to: other, message: post, release: "immediate" });
		this.#advance(effects);
	}

	#receiveShare(from: NodeId, { sealed }: SealedShare, effects: Effects): void {
		const isShare = sealed instanceof Uint8Array && sealed.length <= SEALED_SHARE_BYTES_MAX;
		if (!isShare || !this.plan.dealers.has(from)) {
			this.#refuse(from, "malformed", effects);
			return;
		}
		if (this.#shares.receive(from, sealed)) this.#advance(effects);
	}

	#refuse(from: NodeId, reason: string, effects: Effects): void {
		effects.push({ type: "emit", event: { type: "ceremony-refused", from, reason } });
	}

	// Phases. Each ends when all that can be expected is there, or by its deadline.

	/**
	 * Deadlines are counted from the start, not from the end of the phase before. Who has all that it waits for is ahead of who waits for a
	 * liar until the deadline; were its next deadline a phase from there, it would come just when the other, who is honest, speaks.
	 */
	#passDeadline(effects: Effects): void {
		this.#deadlinesPassed += 1;
		this.#advance(effects);
		if (this.#phase !== "completed" && this.#phase !== "failed")
			effects.push({ type: "set-timer", timer: "phase", afterMs: exactly(this.plan.phaseMs) });
	}

	#advance(effects: Effects): void {
		for (;;) {
			const before = this.#phase;
			this.#convictEquivocators(effects);
			this.#endPhase(this.#deadlinesPassed > timedPhases.indexOf(before), effects);
			if (this.#phase === before) return;
		}
	}

	#endPhase(isDue: boolean, effects: Effects): void {
		switch (this.#phase) {
			case "introducing":
				if (isDue || this.#roll.all((node) => this.#roll.board.has("introduction", node))) this.#deal(effects);
				return;
			case "dealing":
				if (isDue || this.#hasAllShares()) this.#complain(effects);
				return;
			case "complaining":
				// Different views mean that somebody has told different things, and that the proof is on its way.
				if (isDue || this.#roll.areComplaintsOverOneView(this.self)) this.#answerComplaints(effects);
				return;
			case "justifying":
				if (isDue || this.#allJustified()) this.#judgeJustifications(effects);
				return;
			case "confirming":
				this.#conclude(isDue, effects);
				return;
			case "waiting":
			case "completed":
			case "failed":
				return;
			default:
				assertNever(this.#phase, "phase");
		}
	}

	#deal(effects: Effects): void {
		for (const node of this.plan.participants) this.#judgeIntroduction(node, effects);
		if (this.#failIfTooFew(effects)) return;
		this.#enter("dealing", effects);
		if (this.#dealing === null || this.#roll.commitmentOf(this.self) === undefined) return;
		for (const [receiver, identifier] of this.plan.receivers) {
			const introduction = this.#roll.board.get("introduction", receiver);
			if (this.#roll.faultOf(receiver) !== undefined || introduction === undefined) continue;
			const value = this.#dealing.shareOf(identifier);
			if (receiver === this.self) this.#shares.adopt(this.self, value);
			else this.#sendShare(receiver, introduction, value, effects);
		}
	}

	#judgeIntroduction(node: NodeId, effects: Effects): void {
		if (this.#roll.faultOf(node) !== undefined) return;
		const introduction = this.#roll.board.get("introduction", node);
		if (introduction === undefined) {
			this.#leaveOut(node, "absent", [], effects);
			return;
		}
		if (!this.plan.dealers.has(node)) return;
		// An old member that has lost its share takes part without dealing.
		if (this.plan.previous !== null && introduction.commitment.length === 0) return;
		const checked = checkIntroduction(this.plan, this.#suite, this.#ceremony, node, introduction);
		if (typeof checked !== "string") this.#roll.qualify(node, checked);
		else this.#leaveOut(node, checked, this.#roll.evidence("introduction", node), effects);
	}

	#sendShare(receiver: NodeId, { channelKey }: Introduction, value: bigint, effects: Effects): void {
		const message = this.#shares.seal(receiver, channelKey, value);
		if (message !== null) effects.push({ type: "send", to: receiver, message, release: "immediate" });
	}

	#hasAllShares(): boolean {
		if (!this.plan.receivers.has(this.self)) return true;
		return this.#roll.dealers.every((dealer) => dealer === this.self || this.#shares.hasReceived(dealer));
	}

	#complain(effects: Effects): void {
		for (const dealer of this.#roll.dealers) {
			const { channelKey } = must(this.#roll.board.get("introduction", dealer), "a qualified dealer is introduced");
			this.#shares.open(dealer, channelKey, must(this.#roll.commitmentOf(dealer), "it has committed"));
		}
		const isReceiver = this.plan.receivers.has(this.self);
		const accused = isReceiver ? this.#roll.dealers.filter((dealer) => !this.#shares.holds(dealer)) : [];
		this.#enter("complaining", effects);
		this.#publish({ type: "complaints", view: this.#basis(), accused }, effects);
	}

	#answerComplaints(effects: Effects): void {
		for (const node of this.#roll.remaining)
			if (!this.#roll.board.has("complaints", node)) this.#leaveOut(node, "absent", [], effects);
		if (this.#failIfTooFew(effects)) return;
		if (this.#roll.complaints.size === 0) {
			this.#confirm(effects);
			return;
		}
		this.#enter("justifying", effects);
		const complainers = this.#roll.complaints.get(this.self);
		if (complainers === undefined || this.#dealing === null) return;
		const shares = complainers.map((to) => {
			const identifier = must(this.plan.receivers.get(to), "only receivers complain");
			return { to, share: this.#suite.encodeScalar(must(this.#dealing ?? undefined, "it deals").shareOf(identifier)) };
		});
		this.#publish({ type: "justification", shares }, effects);
	}

	#allJustified(): boolean {
		return [...this.#roll.complaints.keys()].every((dealer) => this.#roll.board.has("justification", dealer));
	}

	#judgeJustifications(effects: Effects): void {
		for (const [dealer, complainers] of this.#roll.complaints) {
			// With fewer than t liars, t complaints hold one of an honest receiver.
			if (complainers.length >= this.plan.threshold) {
				this.#leaveOut(dealer, "too-many-complaints", this.#roll.evidence("complaints", ...complainers), effects);
				continue;
			}
			if (!complainers.every((receiver) => this.#isJustified(dealer, receiver)))
				this.#leaveOut(dealer, "share-unjustified", this.#roll.evidence("justification", dealer), effects);
		}
		if (!this.#failIfTooFew(effects)) this.#confirm(effects);
	}

	#isJustified(dealer: NodeId, receiver: NodeId): boolean {
		const answer = this.#roll.board.get("justification", dealer)?.shares.find(({ to }) => to === receiver);
		const commitment = must(this.#roll.commitmentOf(dealer), "a qualified dealer has committed");
		const identifier = must(this.plan.receivers.get(receiver), "only receivers complain");
		const value = answer === undefined ? null : checkShare(this.#suite, commitment, identifier, answer.share);
		if (value !== null && receiver === this.self) this.#shares.adopt(dealer, value);
		return value !== null;
	}

	#confirm(effects: Effects): void {
		if (this.#roll.faultOf(this.self) !== undefined) {
			this.#fail("this participant was left out", effects);
			return;
		}
		const dealers = new Map(
			this.#roll.dealers.map((node) => [node, must(this.#roll.commitmentOf(node), "it has committed")]),
		);
		const receivers = this.#roll.receivers;
		const key = groupKeyOf(this.plan, this.#suite, dealers, receivers);
		if (key === null) {
			this.#fail("the polynomials cancel each other", effects);
			return;
		}
		const isReceiver = this.plan.receivers.has(this.self);
		const secret = isReceiver ? this.#shares.sum(dealerWeights(this.plan, this.#suite, dealers.keys())) : null;
		if (isReceiver && secret === null) {
			this.#fail("a share that nobody complained of is missing", effects);
			return;
		}
		const basis = this.#basis();
		this.#outcome = { key, secret, basis };
		this.#enter("confirming", effects);
		this.#publish({ type: "confirmation", transcript: transcriptOf(this.#crypto, basis, key) }, effects);
	}

	#conclude(isDue: boolean, effects: Effects): void {
		const own = must(this.#roll.board.get("confirmation", this.self), "it confirms before it concludes");
		const missing: NodeId[] = [];
		for (const node of this.#roll.remaining) {
			const confirmation = this.#roll.board.get("confirmation", node);
			if (confirmation === undefined) missing.push(node);
			else if (!equalBytes(confirmation.transcript, own.transcript)) {
				this.#leaveOut(node, "dissent", this.#roll.evidence("confirmation", node), effects);
				this.#fail("not all go by the same transcript", effects);
				return;
			}
		}
		if (missing.length > 0) {
			if (!isDue) return;
			for (const node of missing) this.#leaveOut(node, "unconfirmed", [], effects);
			this.#fail("not all have confirmed", effects);
			return;
		}
		const confirmations = this.#roll.remaining.map((node) =>
			must(this.#roll.board.signed("confirmation", node), "it has confirmed"),
		);
		const { key, basis } = must(this.#outcome ?? undefined, "what was confirmed is known");
		this.#enter("completed", effects);
		this.#emit(
			{
				type: "ceremony-completed",
				key: key.data,
				certificate: { ceremony: this.plan.name, basis, confirmations },
				faults: this.#roll.faults,
			},
			effects,
		);
	}

	// Who is left out, and when that is too many.

	#convictEquivocators(effects: Effects): void {
		if (this.#phase === "completed" || this.#phase === "failed") return;
		for (const [node, pair] of this.#roll.unconvicted) {
			this.#leaveOut(node, "equivocation", pair, effects);
			// What was confirmed was confirmed with it.
			if (this.#phase === "confirming") {
				this.#fail(`${node} has said two different things`, effects);
				return;
			}
		}
	}

	#leaveOut(node: NodeId, kind: CeremonyFault["kind"], evidence: CeremonyFault["evidence"], effects: Effects): void {
		const fault = { node, kind, evidence };
		this.#roll.leaveOut(fault);
		this.#emit({ type: "ceremony-fault", fault }, effects);
	}

	#failIfTooFew(effects: Effects): boolean {
		const { shortage } = this.#roll;
		if (shortage !== null) this.#fail(shortage, effects);
		return shortage !== null;
	}

	#fail(reason: string, effects: Effects): void {
		this.#outcome = null;
		this.#shares.clear();
		this.#enter("failed", effects);
		this.#emit({ type: "ceremony-failed", reason, faults: this.#roll.faults }, effects);
	}

	#basis(): Uint8Array {
		return basisOf(this.#crypto, this.plan.terms, this.#roll.introductions);
	}

	// What goes out.

	#enter(phase: CeremonyPhase, effects: Effects): void {
		this.#phase = phase;
		this.#emit({ type: "ceremony-phase", phase }, effects);
		if (phase === "completed" || phase === "failed") effects.push({ type: "cancel-timer", timer: "phase" });
	}

	#publish(body: PostBody, effects: Effects): void {
		const signature = this.#crypto.sign(signedBytes(this.#ceremony, this.self, body));
		const post: Post = { type: "post", author: this.self, body, signature };
		this.#roll.board.add(post);
		for (const to of this.#others()) effects.push({ type: "send", to, message: post, release: "immediate" });
	}

	#resend(effects: Effects): void {
		const isOver = this.#phase === "completed" || this.#phase === "failed";
		if (isOver) this.#resendsLeft -= 1;
		for (const to of this.#others()) {
			for (const message of this.#roll.board.of(this.self))
				effects.push({ type: "send", to, message, release: "immediate" });
			const share = this.#shares.sealedFor(to);
			if (share !== undefined) effects.push({ type: "send", to, message: share, release: "immediate" });
		}
		if (this.#resendsLeft > 0)
			effects.push({ type: "set-timer", timer: "resend", afterMs: exactly(this.plan.resendMs) });
	}

	#others(): readonly NodeId[] {
		return this.plan.participants.filter((node) => node !== this.self);
	}

	#emit(event: CeremonyEvent, effects: Effects): void {
		effects.push({ type: "emit", event });
	}

	/** Secrets stand in it as fingerprints: it may be printed. */
	get state(): unknown {
		return {
			phase: this.#phase,
			deadlinesPassed: this.#deadlinesPassed,
			roll: this.#roll.state,
			exchange: this.#shares.state,
			dealing: this.#dealing?.fingerprint ?? null,
			key: this.#outcome?.key.data ?? null,
			isTaken: this.#isTaken,
			resendsLeft: this.#resendsLeft,
		};
	}

	/** For explorers of states, such as the model checker: a host that copies a participant has two that may speak differently. */
	copy(): CeremonyMachine {
		const copied = new CeremonyMachine(this.#part);
		copied.#phase = this.#phase;
		copied.#deadlinesPassed = this.#deadlinesPassed;
		copied.#roll = this.#roll.copy();
		copied.#shares = this.#shares.copy();
		copied.#outcome = this.#outcome;
		copied.#isTaken = this.#isTaken;
		copied.#resendsLeft = this.#resendsLeft;
		return copied;
	}
}

/**
 * One participant's machine for a ceremony, to be started once.
 * @throws QuorateError `ceremony-config-invalid` if this node has no part in it, or holds another share than it says;
 *   `bytes-malformed`
 */
export function joinCeremony(
	self: NodeId,
	plan: CeremonyPlan,
	crypto: CryptoPort,
	channel: ShareChannel,
	{ entropy, share }: CeremonySecrets,
): CeremonyMachine {
	requireBytes("entropy", entropy, ENTROPY_BYTES_MIN, 4_096);
	requireBytes("the channel's public key", channel.publicKey, CHANNEL_KEY_BYTES);
	if (!plan.participants.includes(self)) refuse("self", plan.participants.join(" or "), self);
	const ceremony = crypto.digest(plan.terms);
	const dealing = isDealer(self, plan, share ?? null)
		? new Dealing(ciphersuite(plan.suite), ceremony, self, plan.threshold, entropy, share ?? null)
		: null;
	return new CeremonyMachine({ self, plan, crypto, channel, ceremony, dealing });
}

function isDealer(self: NodeId, { previous, dealers }: CeremonyPlan, share: KeyShare | null): boolean {
	if (previous === null) return dealers.has(self);
	if (share === null) return false;
	if (!equalBytes(share.key.canonicalBytes, previous.canonicalBytes) || dealers.get(self) !== share.identifier)
		refuse("share", "this node's share of the previous key", `one of ${share.identifier} in epoch ${share.key.epoch}`);
	return true;
}

function exactly(ms: number): { min: number; max: number } {
	return { min: ms, max: ms };
}

function refuse(field: string, expected: string, actual: string): never {
	throw ceremonyConfigInvalid({ field, expected, actual });
}
