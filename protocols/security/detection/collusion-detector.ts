/**
 * Suspects pairs of members that misvote together more often than chance explains. For each pair the common misvotes of the last
 * rounds are held against what two independent members with as many misvotes would show (Fisher's exact test), times the number
 * of pairs (Bonferroni). So in a group without colluders the chance that a round accuses anybody is at most the stated rate.
 */
import { compareIds, type NodeId } from "../../core/index.ts";
import { type Finding, requireSetting } from "./finding.ts";

export interface CollusionDetectorOptions {
	/** Rounds that are looked back on; 8 to 4,096, default 128. */
	readonly window?: number;
	/** The false-positive rate of one look at the group; 10^-12 to 0.5, default 0.001. */
	readonly falsePositiveRate?: number;
	/** Common misvotes below which a pair is not suspect, however unlikely; default 3. */
	readonly commonMin?: number;
}

export class CollusionDetector {
	readonly #members: readonly NodeId[];
	readonly #window: number;
	readonly #rate: number;
	readonly #commonMin: number;
	/** Who has misvoted, a round. */
	readonly #rounds: (readonly NodeId[])[] = [];

	/** @throws QuorateError `detector-config-invalid` */
	constructor(members: readonly NodeId[], options: CollusionDetectorOptions = {}) {
		const { window = 128, falsePositiveRate = 0.001, commonMin = 3 } = options;
		requireSetting("window", window, 8, 4_096);
		requireSetting("falsePositiveRate", falsePositiveRate, 1e-12, 0.5, false);
		requireSetting("commonMin", commonMin, 1, 4_096);
		this.#members = [...members].sort(compareIds);
		this.#window = window;
		this.#rate = falsePositiveRate;
		this.#commonMin = commonMin;
	}

	/** Takes one round: who has voted against what was decided. A finding for each pair that is suspect now. */
	observe(misvoters: readonly NodeId[]): readonly Finding[] {
		this.#rounds.push([...new Set(misvoters)].filter((node) => this.#members.includes(node)));
		if (this.#rounds.length > this.#window) this.#rounds.shift();
		const pairs = this.#members.flatMap((one, at) => this.#members.slice(at + 1).map((other) => [one, other] as const));
		return pairs.flatMap(([one, other]) => this.#judge(one, other, pairs.length));
	}

	#judge(one: NodeId, other: NodeId, pairs: number): readonly Finding[] {
		const rounds = this.#rounds.length;
		const ofOne = this.#rounds.filter((misvoters) => misvoters.includes(one)).length;
		const ofOther = this.#rounds.filter((misvoters) => misvoters.includes(other)).length;
		const common = this.#rounds.filter((misvoters) => misvoters.includes(one) && misvoters.includes(other)).length;
		if (common < this.#commonMin) return [];
		const chance = hypergeometricTail(rounds, ofOne, ofOther, common) * pairs;
		if (chance > this.#rate) return [];
		return [{ kind: "collusion", severity: "high", weight: "suspicion", culprits: [one, other], chance }];
	}
}

/**
 * The probability that two independent choices of `first` and of `second` out of `rounds` rounds have at least `common` in common
 * (Fisher's exact test, one-sided): it needs no assumption on how often either misvotes.
 */
export function hypergeometricTail(rounds: number, first: number, second: number, common: number): number {
	let sum = 0;
	for (let k = common; k <= Math.min(first, second); k++) {
		if (second - k > rounds - first) continue;
		sum += Math.exp(logChoose(first, k) + logChoose(rounds - first, second - k) - logChoose(rounds, second));
	}
	return Math.min(1, sum);
}

function logChoose(n: number, k: number): number {
	let sum = 0;
	for (let at = 1; at <= k; at++) sum += Math.log((n - k + at) / at);
	return sum;
}
