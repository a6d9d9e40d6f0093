/**
 * Against floods, a ladder that lives as long as the node (Clement et al., Aardvark, NSDI 2009, on separate budgets): each sender has a
 * budget and all have one in common; who exceeds its own is throttled, who goes on is banned for a while, longer each time. A flood of
 * one sender costs the others nothing. Members of the consensus group are throttled like anybody, and never banned without a proof.
 */
import type { NodeId } from "../../core/index.ts";
import { requireSetting } from "./finding.ts";
import { deviations, median } from "./timing-detector.ts";
import { TokenBucket, type TokenBucketOptions } from "./token-bucket.ts";

export interface DosLadderOptions {
	/** Of each sender; default 100, refilled with 50 a second. */
	readonly perSender?: TokenBucketOptions;
	/** Of all together; default 10,000, refilled with 5,000 a second. */
	readonly global?: TokenBucketOptions;
	/** Refusals in a row of one sender before it is banned; 1 to 10^6, default 100. */
	readonly strikes?: number;
	/** Of the first ban; each further one of the same sender takes twice the last. Milliseconds, default 1,000. */
	readonly banMs?: number;
	/** What a ban is at most; milliseconds, default 3,600,000. */
	readonly banMsMax?: number;
	/** Senders that are kept apart, 1 to 65,536, default 1,024; beyond it the one silent for longest is forgotten. */
	readonly senders?: number;
}

/** What becomes of a request. */
export type Admission =
	| { readonly verdict: "admitted" }
	| { readonly verdict: "throttled"; readonly by: "sender" | "global" }
	| { readonly verdict: "banned"; readonly untilMs: number };

interface SenderState {
	readonly bucket: TokenBucket;
	strikes: number;
	bans: number;
	bannedUntilMs: number;
	/** Requests since the last {@link DosLadder.anomalies}. */
	requests: number;
}

/** A budget is never adapted below this share of its refill. */
const REFILL_SHARE_MIN = 0.1;

export class DosLadder {
	readonly #perSender: TokenBucketOptions;
	readonly #globalOptions: TokenBucketOptions;
	readonly #strikes: number;
	readonly #banMs: number;
	readonly #banMsMax: number;
	readonly #sendersMax: number;
	readonly #peers: ReadonlySet<NodeId>;
	readonly #global: TokenBucket;
	/** The least recently heard first. */
	readonly #senders = new Map<string, SenderState>();

	/** `peers` are the members of the consensus group. @throws QuorateError `detector-config-invalid` */
	constructor(peers: readonly NodeId[], options: DosLadderOptions, nowMs: number) {
		const { strikes = 100, banMs = 1_000, banMsMax = 3_600_000, senders = 1_024 } = options;
		requireSetting("strikes", strikes, 1, 1e6);
		requireSetting("banMs", banMs, 1, 86_400_000);
		requireSetting("banMsMax", banMsMax, banMs, 86_400_000);
		requireSetting("senders", senders, 1, 65_536);
		this.#perSender = options.perSender ?? { capacity: 100, refillPerSecond: 50 };
		this.#globalOptions = options.global ?? { capacity: 10_000, refillPerSecond: 5_000 };
		this.#strikes = strikes;
		this.#banMs = banMs;
		this.#banMsMax = banMsMax;
		this.#sendersMax = senders;
		this.#peers = new Set(peers);
		this.#global = new TokenBucket(this.#globalOptions, nowMs);
	}

	/** Takes one request; `cost` in tokens, default 1. The sender's own budget comes first: a flooder does not drain the common one. */
	admit(sender: string, nowMs: number, cost = 1): Admission {
		const state = this.#stateOf(sender, nowMs);
		state.requests += 1;
		if (nowMs < state.bannedUntilMs) return { verdict: "banned", untilMs: state.bannedUntilMs };
		if (!state.bucket.take(nowMs, cost)) return this.#strike(sender, state, nowMs);
		state.strikes = 0;
		return this.#global.take(nowMs, cost) ? { verdict: "admitted" } : { verdict: "throttled", by: "global" };
	}

	/** Bans whom a proof convicts, members of the group included. Says until when. */
	banConvicted(sender: string, nowMs: number): number {
		return this.#ban(this.#stateOf(sender, nowMs), nowMs);
	}

	/** Adapts the common budget to what the node can bear: `load` is 0 (idle) to 1 (full). */
	adapt(load: number, nowMs: number): void {
		requireSetting("load", load, 0, 1, false);
		const share = Math.max(REFILL_SHARE_MIN, 1 - load);
		this.#global.setRefill(this.#globalOptions.refillPerSecond * share, nowMs);
	}

	/**
	 * Senders whose number of requests since the last call lies far above that of the others: more than `threshold` robust deviations
	 * above the median, and at least twice it. Needs four senders to compare. Suspicion alone: it bans nobody.
	 */
	anomalies(threshold = 3.5): readonly string[] {
		const counts = [...this.#senders].map(([sender, { requests }]) => [sender, requests] as const);
		for (const state of this.#senders.values()) state.requests = 0;
		const sample = counts.map(([, requests]) => requests);
		if (sample.length < 4) return [];
		const middle = median(sample);
		return counts
			.filter(([, requests]) => requests >= 2 * middle && deviations(sample, requests, 1) > threshold)
			.map(([sender]) => sender);
	}

	/** Who is banned now, and until when. */
	banned(nowMs: number): ReadonlyMap<string, number> {
		const list = [...this.#senders].filter(([, { bannedUntilMs }]) => nowMs < bannedUntilMs);
		return new Map(list.map(([sender, { bannedUntilMs }]) => [sender, bannedUntilMs]));
	}

	#strike(sender: string, state: SenderState, nowMs: number): Admission {
		state.strikes += 1;
		if (state.strikes < this.#strikes || this.#peers.has(sender as NodeId))
			return { verdict: "throttled", by: "sender" };
		return { verdict: "banned", untilMs: this.#ban(state, nowMs) };
	}

	#ban(state: SenderState, nowMs: number): number {
		const lengthMs = Math.min(this.#banMsMax, this.#banMs * 2 ** Math.min(state.bans, 30));
		state.bans += 1;
		state.strikes = 0;
		state.bannedUntilMs = nowMs + lengthMs;
		return state.bannedUntilMs;
	}

	#stateOf(sender: string, nowMs: number): SenderState {
		const known = this.#senders.get(sender);
		if (known !== undefined) {
			this.#senders.delete(sender);
			this.#senders.set(sender, known);
			return known;
		}
		if (this.#senders.size >= this.#sendersMax) this.#forgetOne(nowMs);
		const bucket = new TokenBucket(this.#perSender, nowMs);
		const state: SenderState = { bucket, strikes: 0, bans: 0, bannedUntilMs: 0, requests: 0 };
		this.#senders.set(sender, state);
		return state;
	}

	/** Who is banned is not forgotten while others can be: or new names would lift bans. */
	#forgetOne(nowMs: number): void {
		const names = [...this.#senders.keys()];
		const free = names.find((name) => (this.#senders.get(name) as SenderState).bannedUntilMs <= nowMs);
		const forgotten = free ?? names[0];
		if (forgotten !== undefined) this.#senders.delete(forgotten);
	}
}
