/**
 * What is thought of each member: a number in 0 to 1 that starts in the middle, falls with suspicions, rises with good rounds, and
 * drifts back to the middle, so that neither old merit nor old suspicion lasts. One proof outweighs any score: a convicted member is
 * at 0 until the membership itself is changed. Findings carry their culprits, so a finding that names nobody moves nobody.
 */
import type { NodeId } from "../../core/index.ts";
import { type Finding, requireSetting, type Severity } from "./finding.ts";

export interface ReputationOptions {
	/** Time in which a score comes half the way back to the middle; milliseconds, default 3,600,000. */
	readonly halfLifeMs?: number;
	/** What one suspicion takes, by severity; 0 to 1. Default 0.02, 0.05, 0.15. */
	readonly penalties?: Readonly<Record<Severity, number>>;
	/** What a good round gives; 0 to 1, default 0.01. */
	readonly reward?: number;
}

const NEUTRAL = 0.5;
const penaltiesDefault: Readonly<Record<Severity, number>> = { low: 0.02, medium: 0.05, high: 0.15 };

interface Standing {
	readonly score: number;
	/** When it was computed. */
	readonly atMs: number;
	readonly isConvicted: boolean;
}

/** A book as plain data. */
export type ReputationSnapshot = readonly (readonly [NodeId, Standing])[];

export class ReputationBook {
	readonly #halfLifeMs: number;
	readonly #penalties: Readonly<Record<Severity, number>>;
	readonly #reward: number;
	readonly #standings = new Map<NodeId, Standing>();

	/**
	 * `snapshot` is what {@link snapshot} of a former life gave; members that it does not know start in the middle.
	 * @throws QuorateError `detector-config-invalid`
	 */
	constructor(members: readonly NodeId[], options: ReputationOptions = {}, snapshot: ReputationSnapshot = []) {
		const { halfLifeMs = 3_600_000, penalties = penaltiesDefault, reward = 0.01 } = options;
		requireSetting("halfLifeMs", halfLifeMs, 1, Number.MAX_SAFE_INTEGER);
		requireSetting("reward", reward, 0, 1, false);
		for (const [severity, penalty] of Object.entries(penalties)) requireSetting(severity, penalty, 0, 1, false);
		this.#halfLifeMs = halfLifeMs;
		this.#penalties = penalties;
		this.#reward = reward;
		const known = new Map(snapshot);
		for (const member of members)
			this.#standings.set(member, known.get(member) ?? { score: NEUTRAL, atMs: 0, isConvicted: false });
	}

	/** 0 for the convicted; undefined for who is no member. */
	score(member: NodeId, nowMs: number): number | undefined {
		const standing = this.#standings.get(member);
		if (standing === undefined) return undefined;
		return standing.isConvicted ? 0 : this.#decayed(standing, nowMs);
	}

	isConvicted(member: NodeId): boolean {
		return this.#standings.get(member)?.isConvicted ?? false;
	}

	/** Takes what a detector has found. Says whose standing has changed. */
	record({ culprits, severity, weight }: Finding, nowMs: number): readonly NodeId[] {
		const known = culprits.filter((culprit) => this.#standings.has(culprit));
		for (const culprit of known) this.#move(culprit, -this.#penalties[severity], nowMs, weight === "proof");
		return known;
	}

	/** A round in which the member has done its part. */
	reward(member: NodeId, nowMs: number): void {
		if (this.#standings.has(member)) this.#move(member, this.#reward, nowMs, false);
	}

	get snapshot(): ReputationSnapshot {
		return [...this.#standings];
	}

	#move(member: NodeId, by: number, nowMs: number, convicts: boolean): void {
		const standing = this.#standings.get(member) as Standing;
		const score = Math.min(1, Math.max(0, this.#decayed(standing, nowMs) + by));
		this.#standings.set(member, {
			score,
			// A clock that goes back must not make time pass twice.
			atMs: Math.max(nowMs, standing.atMs),
			isConvicted: standing.isConvicted || convicts,
		});
	}

	#decayed({ score, atMs }: Standing, nowMs: number): number {
		const passedMs = Math.max(0, nowMs - atMs);
		return NEUTRAL + (score - NEUTRAL) * 0.5 ** (passedMs / this.#halfLifeMs);
	}
}
