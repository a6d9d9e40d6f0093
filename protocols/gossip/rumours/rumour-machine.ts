/**
 * Rumour mongering (Demers et al., "Epidemic Algorithms for Replicated Database Maintenance", PODC 1987, §1.4): a news item is
 * hot for a while at everyone who hears of it, and dies by itself when it meets too many who know it.
 *
 * The semantics, which decide the figures and which the paper leaves open in part: contacts of one round are simultaneous, so
 * what was learned in this round does not yet count as known; with feedback a useful contact resets the counter; a refused
 * contact (connection limit) counts neither way. Some are never reached: the residue, which anti-entropy has to repair.
 */
import {
	assert,
	assertNever,
	type ChoicePort,
	type Effect,
	type Input,
	type MonotonicMs,
	type NodeId,
	type ProtocolTypes,
	type StateMachine,
} from "../../core/index.ts";
import { requireIntegerField } from "../bounds.ts";
import { configInvalid } from "../errors.ts";

/** One news item. Ids are chosen by who starts it and are unique. */
export interface Rumour {
	readonly id: string;
	readonly payload: Uint8Array;
}

export type RumourMessage =
	/** What is hot at the sender; with `wants`, the receiver's hot ones are wanted in return. */
	| { readonly type: "rumours"; readonly rumours: readonly Rumour[]; readonly wants: boolean }
	/** What of it the receiver knew before this round, and what was new to it. */
	| { readonly type: "feedback"; readonly known: readonly string[]; readonly fresh: readonly string[] }
	/** The receiver has taken as many contacts in this round as it may. */
	| { readonly type: "busy" };

export interface RumourConfig {
	readonly nodeId: NodeId;
	/** Everybody else. */
	readonly peers: readonly NodeId[];
	/** Who speaks in a contact: the caller tells, the caller asks, or both. Default `push`. */
	readonly direction: "push" | "pull" | "push-pull";
	/** Whether only contacts with those who know count against a rumour, or all. Default `feedback`. */
	readonly variation: "feedback" | "blind";
	/** Interest is lost after `k` counted contacts, or with chance 1/k at each. Default `counter`. */
	readonly interest: "counter" | "coin";
	/** Default 3; bounds 1 to 64. More: fewer are missed, more traffic (residue is e^−traffic for push). */
	readonly k: number;
	/** Contacts that are accepted in one round; 0 for any number. Default 0; bounds 0 to 1,024. */
	readonly connectionLimit: number;
	/** A round, in ms. Default 200; bounds 1 to 600,000. */
	readonly roundMs: number;
	/** Rumours that are remembered, hot or not; the oldest goes first. Default 4,096; bounds 1 to 1,048,576. */
	readonly rumoursMax: number;
}

/** @throws QuorateError `gossip-config-invalid` */
export function rumourConfig(given: Pick<RumourConfig, "nodeId" | "peers"> & Partial<RumourConfig>): RumourConfig {
	const config: RumourConfig = {
		direction: "push",
		variation: "feedback",
		interest: "counter",
		k: 3,
		connectionLimit: 0,
		roundMs: 200,
		rumoursMax: 4_096,
		...given,
	};
	requireIntegerField("k", config.k, [1, 64]);
	requireIntegerField("connectionLimit", config.connectionLimit, [0, 1_024]);
	requireIntegerField("roundMs", config.roundMs, [1, 600_000]);
	requireIntegerField("rumoursMax", config.rumoursMax, [1, 1_048_576]);
	if (config.peers.includes(config.nodeId)) {
		throw configInvalid({ field: "peers", expected: "others only", actual: config.nodeId });
	}
	return config;
}

export interface RumourTypes extends ProtocolTypes {
	readonly message: RumourMessage;
	readonly request: { readonly type: "start-rumour"; readonly rumour: Rumour };
	readonly reply: { readonly type: "rumour-started" };
	readonly timer: "round";
	readonly write: never;
	readonly read: never;
	readonly readResult: never;
	/** News to this member. */
	readonly delivery: Rumour;
	readonly snapshot: never;
	readonly event: { readonly type: "interest-lost"; readonly id: string };
	readonly durable: null;
}

interface Held {
	readonly rumour: Rumour;
	/** Counted contacts; null when interest is lost. */
	counted: number | null;
	/** Learned in this round. */
	isNew: boolean;
}

export class RumourMachine implements StateMachine<RumourTypes> {
	readonly #config: RumourConfig;
	readonly #choices: ChoicePort;
	readonly #held = new Map<string, Held>();
	#hot = 0;
	/** Contacts taken in this round. */
	#contacts = 0;
	/** In this round, rumours of which a contact was useful, and how many were not. */
	readonly #useful = new Set<string>();
	readonly #useless = new Map<string, number>();
	#out: Effect<RumourTypes>[] = [];

	constructor(config: RumourConfig, choices: ChoicePort) {
		this.#config = config;
		this.#choices = choices;
	}

	step(input: Input<RumourTypes>, _now: MonotonicMs, effects: Effect<RumourTypes>[]): void {
		this.#out = effects;
		switch (input.type) {
			case "start":
				this.#setTimer();
				return;
			case "timer":
				this.#round();
				return;
			case "message":
				this.#receive(input.from, input.message);
				return;
			case "request":
				this.#learn(input.request.rumour, false);
				this.#out.push({
					type: "reply",
					requestId: input.requestId,
					reply: { type: "rumour-started" },
					release: "immediate",
				});
				return;
			default:
				return;
		}
	}

	get state(): unknown {
		const held = [...this.#held.values()].map(({ rumour, counted, isNew }) => ({ rumour, counted, isNew }));
		return { held, contacts: this.#contacts, useful: this.#useful, useless: this.#useless };
	}

	/** Whether this member has heard of it, and remembers. */
	knows(id: string): boolean {
		return this.#held.has(id);
	}

	/** Rumours that this member still tells. */
	get hot(): number {
		return this.#hot;
	}

	copy(): RumourMachine {
		const copy = new RumourMachine(this.#config, this.#choices);
		for (const [id, held] of this.#held) copy.#held.set(id, { ...held });
		copy.#hot = this.#hot;
		copy.#contacts = this.#contacts;
		for (const id of this.#useful) copy.#useful.add(id);
		for (const [id, count] of this.#useless) copy.#useless.set(id, count);
		return copy;
	}

	/** Settles the round that ends, then makes the contact of the one that begins. */
	#round(): void {
		this.#settle();
		this.#setTimer();
		const { direction, peers } = this.#config;
		if (peers.length === 0) return;
		const rumours = direction === "pull" ? [] : this.#hotRumours();
		if (direction === "push" && rumours.length === 0) return;
		const peer = peers[this.#choices.below(peers.length)] as NodeId;
		this.#send(peer, { type: "rumours", rumours, wants: direction !== "push" });
		this.#countBlindly(rumours);
	}

	#receive(from: NodeId, message: RumourMessage): void {
		switch (message.type) {
			case "rumours":
				this.#contact(from, message.rumours, message.wants);
				return;
			case "feedback":
				if (this.#config.variation === "feedback") this.#judge(message.known, message.fresh);
				return;
			case "busy":
				return;
			default:
				assertNever(message, "message");
		}
	}

	#contact(from: NodeId, rumours: readonly Rumour[], wants: boolean): void {
		const { connectionLimit } = this.#config;
		// An answer to one's own contact needs no place of its own: it carries rumours and wants none.
		const isCall = wants || this.#config.direction === "push";
		if (isCall && connectionLimit > 0 && ++this.#contacts > connectionLimit) {
			this.#send(from, { type: "busy" });
			return;
		}
		const answer = wants ? this.#hotRumours() : [];
		const isKnown = ({ id }: Rumour): boolean => this.#held.get(id)?.isNew === false;
		const known = rumours.filter(isKnown).map(({ id }) => id);
		const fresh = rumours.filter((rumour) => !isKnown(rumour)).map(({ id }) => id);
		for (const rumour of rumours) this.#learn(rumour, true);
		if (rumours.length > 0) this.#send(from, { type: "feedback", known, fresh });
		if (answer.length === 0) return;
		this.#send(from, { type: "rumours", rumours: answer, wants: false });
		this.#countBlindly(answer);
	}

	#learn(rumour: Rumour, isNew: boolean): void {
		if (this.#held.has(rumour.id)) return;
		if (this.#held.size >= this.#config.rumoursMax) this.#forgetOldest();
		this.#held.set(rumour.id, { rumour, counted: 0, isNew });
		this.#hot++;
		this.#out.push({ type: "apply", delivery: rumour, release: "immediate" });
	}

	#forgetOldest(): void {
		for (const [id, { counted }] of this.#held) {
			this.#held.delete(id);
			if (counted !== null) this.#hot--;
			return;
		}
	}

	#hotRumours(): Rumour[] {
		if (this.#hot === 0) return [];
		return [...this.#held.values()]
			.filter(({ counted, isNew }) => counted !== null && !isNew)
			.map(({ rumour }) => rumour);
	}

	#countBlindly(rumours: readonly Rumour[]): void {
		if (this.#config.variation === "blind") for (const { id } of rumours) this.#count(id);
	}

	#judge(known: readonly string[], fresh: readonly string[]): void {
		for (const id of fresh) this.#useful.add(id);
		for (const id of known) this.#count(id);
	}

	#count(id: string): void {
		this.#useless.set(id, (this.#useless.get(id) ?? 0) + 1);
	}

	/** Interest is judged when a round is over, since its contacts are simultaneous. */
	#settle(): void {
		const { interest, k } = this.#config;
		for (const [id, count] of this.#useless) {
			const held = this.#held.get(id);
			if (held === undefined || held.counted === null || this.#useful.has(id)) continue;
			held.counted = interest === "counter" ? held.counted + count : this.#flip(count, k);
			if (held.counted >= k) this.#loseInterest(held);
		}
		for (const id of this.#useful) {
			const held = this.#held.get(id);
			if (held !== undefined && held.counted !== null && interest === "counter") held.counted = 0;
		}
		this.#useful.clear();
		this.#useless.clear();
		this.#contacts = 0;
		if (this.#hot > 0) for (const held of this.#held.values()) held.isNew = false;
	}

	/** `k` if one of so many coins, each with chance 1/k, falls on losing interest. */
	#flip(count: number, k: number): number {
		for (let i = 0; i < count; i++) if (this.#choices.below(k) === 0) return k;
		return 0;
	}

	#loseInterest(held: Held): void {
		assert(held.counted !== null, "only who has interest loses it");
		held.counted = null;
		this.#hot--;
		this.#out.push({ type: "emit", event: { type: "interest-lost", id: held.rumour.id } });
	}

	#send(to: NodeId, message: RumourMessage): void {
		this.#out.push({ type: "send", to, message, release: "immediate" });
	}

	#setTimer(): void {
		const { roundMs } = this.#config;
		this.#out.push({ type: "set-timer", timer: "round", afterMs: { min: roundMs, max: roundMs } });
	}
}
