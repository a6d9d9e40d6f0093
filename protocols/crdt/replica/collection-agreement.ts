/**
 * Agreement of a group on a collection point: what every member has applied, while none makes another operation (why that is
 * needed stands in `document/collection.ts`). A two-phase commitment, with rounds and epochs.
 *
 * 1. The member with the lowest id leads. Its `freeze` makes the others hold back their own changes and tell what they have applied
 *    (`frozen`). The join of that is the `point`.
 * 2. A member that has applied exactly the point promises it: from then on it applies nothing until it knows how the round ends. Its
 *    promise is durable before it says `ready`.
 * 3. When all are ready the leader collects. Its durable state of the next epoch is the decision; `collect` tells it, and so
 *    does everything else that it says to who is an epoch behind.
 *
 * Why no two members collect at different points: (1) only the leader decides, only when all members have promised the very
 * point that its present round has, and only if it stands there itself; (2) a member that has promised changes nothing until it collects
 * or the round is aborted; (3) only a round that can not be decided any more is aborted: by the leader, which has left it (and numbers
 * rounds durably, so it does not come back to one after a crash), or by a member that has not promised it and durably never will.
 *
 * Why it ends: a member that has only been frozen leaves by itself when the round takes too long. One that has promised asks
 * everybody, again and again; it holds its changes as long as it reaches nobody who knows, which takes a loss of the leader, and
 * of every member without a promise, in the moment between two messages. Reads are answered all the time.
 */
import { compareIds, type NodeId } from "../../core/index.ts";
import { CausalContext } from "../causality/causal-context.ts";
import type { Collected } from "../document/collection.ts";
import { ByteReader } from "../encoding/byte-reader.ts";
import { ByteWriter } from "../encoding/byte-writer.ts";

/** A message between leader and members about one round. */
export interface CollectionMessage {
	readonly type: "collection";
	/**
	 * `wanted`: somebody asks for a round. `freeze`, `frozen`, `point`, `ready`, `collect`: the round in its order. `resolve`: how does
	 * it end? `abort`: it can not be decided any more.
	 */
	readonly step: CollectionStep;
	/** The epoch that the round would end; of `collect` the one that has ended. */
	readonly epoch: number;
	readonly round: number;
	/** An encoded `CausalContext` with `frozen`, `point` and `ready`; else empty. */
	readonly context: Uint8Array;
}

export const collectionSteps = ["wanted", "freeze", "frozen", "point", "ready", "collect", "resolve", "abort"] as const;
export type CollectionStep = (typeof collectionSteps)[number];

/** What a member must not forget of the rounds of one epoch. */
export interface CollectionRecord {
	readonly epoch: number;
	/** The highest round that it has begun or refused: it promises none up to here but the one below. */
	readonly round: number;
	/** The round that it has promised; null if there is none. */
	readonly promised: number | null;
}

/** Events of rounds, for observers. */
export type CollectionEvent =
	| ({ readonly type: "collected"; readonly epoch: number } & Collected)
	/** A round of this leader came to nothing: it took too long, or a member has refused it. */
	| { readonly type: "collection-aborted"; readonly round: number; readonly reason: "timeout" | "refused" };

/** What the agreement needs of its replica. */
export interface CollectionHost {
	/** What is applied, if nothing waits for what it depends on; null while something does. */
	settledContext(): CausalContext | null;
	readonly epoch: number;
	send(to: NodeId, message: CollectionMessage): void;
	/** Makes the record durable before what is sent after it. */
	persist(record: CollectionRecord): void;
	/** Collects at what is applied, and makes that durable. */
	collect(): void;
	/** Asks everybody for what is missing. */
	exchange(): void;
	/** Own changes may be made again. */
	thawed(): void;
	/** Calls {@link CollectionAgreement.tick} after the interval between two attempts, once; the next call replaces it. */
	schedule(): void;
	emit(event: CollectionEvent): void;
}

/** A round that this member leads. */
interface Lead {
	readonly round: number;
	readonly contexts: Map<NodeId, CausalContext>;
	point: CausalContext | null;
	readonly ready: Set<NodeId>;
}

const nothing = new Uint8Array();

export class CollectionAgreement {
	readonly #self: NodeId;
	readonly #peers: readonly NodeId[];
	readonly #leader: NodeId;
	readonly #attemptsMax: number;
	readonly #host: CollectionHost;
	/** The highest round that was begun, taken part in or refused. */
	#round = 0;
	/** Rounds up to here are over for this member: it never promises one of them. */
	#refused = 0;
	/** The round in which this member is frozen without a promise. */
	#joined: number | null = null;
	/** What it is to reach in that round; null until it is told. */
	#point: CausalContext | null = null;
	#promised: number | null = null;
	#lead: Lead | null = null;
	#attempts = 0;
	/** Whose rounds all of this is about. */
	#epoch = 0;

	/** @param attemptsMax attempts after which a round has taken too long */
	constructor(self: NodeId, members: readonly NodeId[], attemptsMax: number, host: CollectionHost) {
		this.#self = self;
		this.#peers = members.filter((member) => member !== self);
		this.#leader = [...members].sort(compareIds)[0] ?? self;
		this.#attemptsMax = attemptsMax;
		this.#host = host;
	}

	/** Takes up what was durable. */
	start(record: CollectionRecord | null): void {
		this.#epoch = this.#host.epoch;
		if (record === null || record.epoch !== this.#epoch) return;
		this.#round = record.round;
		this.#refused = record.round;
		this.#promised = record.promised;
		if (this.#promised !== null) this.#resolve(this.#promised);
	}

	/** Whether own changes have to wait. */
	get isFrozen(): boolean {
		return this.#joined !== null || this.#promised !== null || this.#lead !== null;
	}

	/** Whether nothing may be applied at all. */
	get hasPromised(): boolean {
		return this.#promised !== null;
	}

	get state(): unknown {
		return {
			epoch: this.#epoch,
			round: this.#round,
			refused: this.#refused,
			joined: this.#joined,
			point: this.#point?.view ?? null,
			promised: this.#promised,
			lead: this.#lead === null ? null : [...this.#lead.contexts.keys(), "ready", ...this.#lead.ready],
			attempts: this.#attempts,
		};
	}

	/** Takes over another agreement's state, of the same member. */
	adopt(other: CollectionAgreement): void {
		this.#epoch = other.#epoch;
		this.#round = other.#round;
		this.#refused = other.#refused;
		this.#joined = other.#joined;
		this.#point = other.#point;
		this.#promised = other.#promised;
		this.#attempts = other.#attempts;
		const lead = other.#lead;
		this.#lead = lead && { ...lead, contexts: new Map(lead.contexts), ready: new Set(lead.ready) };
	}

	/** Begins a round, or asks the leader to; without effect while there is one. Returns who leads. */
	want(): NodeId {
		if (this.#leader !== this.#self) this.#send(this.#leader, "wanted", 0);
		else if (!this.isFrozen) this.#begin();
		return this.#leader;
	}

	/** @throws QuorateError `crdt-update-damaged` */
	receive(from: NodeId, { step, epoch, round, context }: CollectionMessage): void {
		if (epoch < this.#host.epoch) {
			if (step !== "abort" && step !== "collect") this.tellEpoch(from, epoch);
			return;
		}
		// Who is behind learns of it by `collect` with its own epoch; the rest is for those who were there.
		if (epoch > this.#host.epoch) return;
		switch (step) {
			case "wanted":
				if (this.#leader === this.#self) this.want();
				return;
			case "freeze":
				if (from === this.#leader) this.#freeze(round);
				return;
			case "frozen":
				this.#frozen(from, round, decode(context));
				return;
			case "point":
				this.#told(round, decode(context));
				return;
			case "ready":
				this.#ready(from, round, decode(context));
				return;
			case "collect":
				if (this.#promised !== null) this.#collect();
				return;
			case "resolve":
				this.#answerResolve(from, round);
				return;
			case "abort":
				this.#aborted(round);
				return;
		}
	}

	/** A member speaks of an earlier epoch: this one has passed it, and so has to say that it was collected. */
	tellEpoch(to: NodeId, epoch: number): void {
		this.#host.send(to, { type: "collection", step: "collect", epoch, round: 0, context: nothing });
	}

	/** More was applied here: the point may be reached. Or a state of a later epoch was taken over whole, and its rounds are new. */
	advanced(): void {
		if (this.#epoch !== this.#host.epoch) {
			this.#forget();
			this.#host.thawed();
		}
		this.#tryPromise();
		this.#tryDecide();
	}

	/** An interval between two attempts has passed. */
	tick(): void {
		if (!this.isFrozen) return;
		this.#attempts += 1;
		const isLate = this.#attempts >= this.#attemptsMax;
		if (this.#lead !== null) {
			if (isLate) this.#giveUp("timeout");
			else this.#pursue(this.#lead);
		} else if (this.#promised !== null) {
			if (isLate) this.#resolve(this.#promised);
			else this.#sayReady(this.#promised);
		} else if (isLate) this.#leave();
		if (this.isFrozen) this.#host.schedule();
	}

	#begin(): void {
		const context = this.#host.settledContext();
		// What waits for something would not be part of the point, nor of what comes after it.
		if (context === null) return;
		this.#round = Math.max(this.#round, this.#refused) + 1;
		this.#persist();
		this.#lead = { round: this.#round, contexts: new Map([[this.#self, context]]), point: null, ready: new Set() };
		this.#attempts = 0;
		this.#pursue(this.#lead);
		this.#host.schedule();
		this.#settlePoint();
	}

	/** Says again what was not answered. */
	#pursue(lead: Lead): void {
		for (const peer of this.#peers) {
			if (!lead.contexts.has(peer)) this.#send(peer, "freeze", lead.round);
			else if (lead.point !== null && !lead.ready.has(peer)) this.#send(peer, "point", lead.round, lead.point);
		}
	}

	#freeze(round: number): void {
		if (round <= this.#refused || round < this.#round) return;
		// The leader has begun another one, so it has left the one that was promised.
		if (this.#promised !== null && this.#promised < round) this.#release();
		if (this.#promised !== null) return;
		if (this.#joined !== round) {
			this.#joined = round;
			this.#round = round;
			this.#point = null;
			this.#attempts = 0;
			this.#host.schedule();
		}
		const context = this.#host.settledContext();
		if (context !== null) this.#send(this.#leader, "frozen", round, context);
	}

	#frozen(from: NodeId, round: number, context: CausalContext): void {
		const lead = this.#lead;
		if (lead?.round !== round || lead.contexts.has(from)) return;
		lead.contexts.set(from, context);
		this.#settlePoint();
	}

	#settlePoint(): void {
		const lead = this.#lead;
		if (lead === null || lead.contexts.size <= this.#peers.length) return;
		const point = new CausalContext();
		for (const context of lead.contexts.values()) point.join(context);
		lead.point = point;
		this.#pursue(lead);
		this.#host.exchange();
		this.#tryDecide();
	}

	#told(round: number, point: CausalContext): void {
		if (this.#promised === round) this.#sayReady(round);
		if (this.#joined !== round) return;
		if (this.#point === null) {
			this.#point = point;
			this.#host.exchange();
		}
		this.#tryPromise();
	}

	#tryPromise(): void {
		if (this.#joined === null || this.#point === null) return;
		if (this.#host.settledContext()?.compare(this.#point) !== "equal") return;
		this.#promised = this.#joined;
		this.#refused = this.#joined;
		this.#joined = null;
		this.#persist();
		this.#sayReady(this.#promised);
	}

	#sayReady(round: number): void {
		const context = this.#host.settledContext();
		if (context !== null) this.#send(this.#leader, "ready", round, context);
	}

	#ready(from: NodeId, round: number, context: CausalContext): void {
		if (this.#leader !== this.#self) return;
		const lead = this.#lead;
		if (lead?.round !== round) {
			this.#send(from, "abort", round);
			return;
		}
		if (lead.point === null || context.compare(lead.point) !== "equal") return;
		lead.ready.add(from);
		this.#tryDecide();
	}

	#tryDecide(): void {
		const lead = this.#lead;
		if (lead === null || lead.point === null || lead.ready.size < this.#peers.length) return;
		if (this.#host.settledContext()?.compare(lead.point) !== "equal") return;
		this.#collect();
	}

	#collect(): void {
		const { epoch } = this.#host;
		this.#host.collect();
		this.#forget();
		for (const peer of this.#peers) this.tellEpoch(peer, epoch);
		this.#host.exchange();
		this.#host.thawed();
	}

	/** What was said of the rounds of former epochs says nothing of those to come. */
	#forget(): void {
		this.#epoch = this.#host.epoch;
		this.#round = 0;
		this.#refused = 0;
		this.#joined = null;
		this.#point = null;
		this.#promised = null;
		this.#lead = null;
	}

	#resolve(round: number): void {
		for (const peer of this.#peers) this.#send(peer, "resolve", round);
		this.#host.schedule();
	}

	#answerResolve(from: NodeId, round: number): void {
		if (this.#promised === round || this.#lead?.round === round) return;
		if (this.#leader !== this.#self && round > this.#refused) {
			// It was not promised here, and from now on never will be: so it can not be decided.
			this.#refused = round;
			this.#round = Math.max(this.#round, round);
			this.#persist();
			if (this.#joined === round) this.#leave();
		}
		this.#send(from, "abort", round);
	}

	#aborted(round: number): void {
		if (this.#lead?.round === round) this.#giveUp("refused");
		else if (this.#joined === round) this.#leave();
		else if (this.#promised === round) {
			this.#release();
			this.#host.thawed();
		}
	}

	#giveUp(reason: "timeout" | "refused"): void {
		const { round } = this.#lead!;
		this.#lead = null;
		for (const peer of this.#peers) this.#send(peer, "abort", round);
		this.#host.emit({ type: "collection-aborted", round, reason });
		this.#host.thawed();
	}

	/** Leaves a round without a promise. It may be told of it again, and then takes no part. */
	#leave(): void {
		this.#refused = Math.max(this.#refused, this.#joined ?? 0);
		this.#joined = null;
		this.#point = null;
		this.#host.thawed();
	}

	/** The promised round is over, and nothing was collected. */
	#release(): void {
		this.#promised = null;
		this.#persist();
	}

	#persist(): void {
		const promised = this.#promised;
		this.#host.persist({ epoch: this.#host.epoch, round: Math.max(this.#round, this.#refused), promised });
	}

	#send(to: NodeId, step: CollectionStep, round: number, context: CausalContext | null = null): void {
		const { epoch } = this.#host;
		this.#host.send(to, {
			type: "collection",
			step,
			epoch,
			round,
			context: context === null ? nothing : encode(context),
		});
	}
}

function encode(context: CausalContext): Uint8Array {
	const writer = new ByteWriter();
	context.encode(writer);
	return writer.take();
}

function decode(bytes: Uint8Array): CausalContext {
	const reader = new ByteReader(bytes);
	const context = CausalContext.decode(reader);
	reader.end();
	return context;
}
