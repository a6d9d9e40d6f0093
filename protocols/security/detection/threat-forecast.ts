/**
 * Learns which kinds of incident follow one another, and says what is likely next. For each kind it counts how often each other kind came
 * within the horizon after it, against how often that comes in any such time; a kind that follows clearly more often than by chance is a
 * threat while the horizon of the first one lasts. Counts fade, so that what attackers no longer do is forgotten.
 *
 * A forecast is scored before it is learnt from (Dawid, "Statistical theory: the prequential approach", 1984): {@link ThreatForecaster.skill}
 * tells whether what was learnt has told more than how often each kind comes anyway. It is advice: nobody is excluded by it.
 */
import { requireSetting } from "./finding.ts";

export interface ThreatForecastOptions {
	/** How long after an incident another one counts as following it; milliseconds, 1,000 to 86,400,000, default 60,000. */
	readonly horizonMs?: number;
	/** Time in which what was learnt loses half of its weight; milliseconds, at least the horizon, default seven days. */
	readonly halfLifeMs?: number;
}

/** One kind of incident that is likely soon. */
export interface Threat<Kind extends string = string> {
	readonly kind: Kind;
	/** The incident that it is expected after. */
	readonly after: Kind;
	/** That it comes before {@link untilMs}; 0 to 1, both excluded. */
	readonly probability: number;
	/** That it comes in any time of the same length. */
	readonly baseRate: number;
	/** How many such incidents this rests on, faded ones counted as less. */
	readonly support: number;
	readonly untilMs: number;
}

/** What was learnt, as plain data. */
export interface ThreatPatterns {
	readonly atMs: number;
	/** Times of the horizon's length so far, and in how many of them each kind came. */
	readonly windows: number;
	readonly present: readonly (readonly [kind: string, windows: number])[];
	/** How many incidents of a kind have run their horizon, and how many of them each kind followed. */
	readonly trials: readonly (readonly [kind: string, trials: number])[];
	readonly followed: readonly (readonly [kind: string, by: string, times: number])[];
	/** Squared errors of the forecasts, and of base rates in their place. */
	readonly errors: readonly [forecasts: number, baseRates: number];
}

/** Incidents that a pattern must rest on before anybody is told. */
export const THREAT_SUPPORT_MIN = 5;
/** How much more often than by chance a kind has to follow, with {@link CONFIDENCE}. */
export const THREAT_LIFT_MIN = 2;
/** Quantile of the normal distribution for 99 %: among many pairs of kinds some follow each other often by luck. */
const CONFIDENCE = 2.576;
/** What base rates weigh against what was counted, in incidents: the m of an m-estimate (Cestnik, ECAI 1990). */
const PRIOR_WEIGHT = 4;
/** Of a chance that was never or always seen (Krichevsky and Trofimov 1981). */
const UNSEEN = 0.5;
const WEEK_MS = 7 * 24 * 3_600_000;

/** An incident whose horizon is running. */
interface Trial {
	readonly fromMs: number;
	/** What was expected of each kind when it began, and without it. */
	readonly expected: ReadonlyMap<string, readonly [probability: number, baseRate: number]>;
	readonly seen: Set<string>;
}

export class ThreatForecaster<Kind extends string = string> {
	readonly #kinds: readonly Kind[];
	readonly #horizonMs: number;
	readonly #halfLifeMs: number;
	readonly #open = new Map<Kind, Trial>();
	readonly #inWindow = new Set<string>();
	readonly #present: Map<string, number>;
	readonly #trials: Map<string, number>;
	readonly #followed: Map<string, number>;
	#windows: number;
	#errors: [number, number];
	#windowFromMs: number;
	#nowMs: number;

	/**
	 * `kinds` are all there are; `patterns` is what {@link patterns} of a former life gave. Incidents whose horizon that life did not see
	 * the end of count for nothing.
	 * @throws QuorateError `detector-config-invalid`
	 */
	constructor(
		kinds: readonly Kind[],
		nowMs: number,
		{ horizonMs = 60_000, halfLifeMs = WEEK_MS }: ThreatForecastOptions = {},
		patterns?: ThreatPatterns,
	) {
		requireSetting("horizonMs", horizonMs, 1_000, 86_400_000);
		requireSetting("halfLifeMs", halfLifeMs, horizonMs, Number.MAX_SAFE_INTEGER);
		this.#kinds = kinds;
		this.#horizonMs = horizonMs;
		this.#halfLifeMs = halfLifeMs;
		this.#present = new Map(patterns?.present);
		this.#trials = new Map(patterns?.trials);
		this.#followed = new Map(patterns?.followed.map(([kind, by, times]) => [pair(kind, by), times]));
		this.#windows = patterns?.windows ?? 0;
		this.#errors = [...(patterns?.errors ?? [0, 0])];
		this.#windowFromMs = nowMs;
		this.#nowMs = nowMs;
		if (patterns !== undefined) this.#fade(nowMs - patterns.atMs);
	}

	/** Something of this kind has happened. Several of one kind within a horizon are one incident. */
	observe(kind: Kind, nowMs: number): void {
		this.#passTo(nowMs);
		this.#inWindow.add(kind);
		for (const [first, { seen }] of this.#open) if (first !== kind) seen.add(kind);
		if (this.#open.has(kind)) return;
		const expected = this.#kinds.map((next) => [next, [this.#chance(kind, next), this.#baseRate(next)]] as const);
		this.#open.set(kind, { fromMs: this.#nowMs, expected: new Map(expected), seen: new Set() });
	}

	/**
	 * What is likely after what has just happened, the likeliest first; each kind once, by what makes it the likeliest. That a kind comes again
	 * after itself is not forecast.
	 */
	threats(nowMs: number): readonly Threat<Kind>[] {
		this.#passTo(nowMs);
		const found = [...this.#open].flatMap(([after, trial]) => this.#threatsAfter(after, trial));
		found.sort((a, b) => b.probability - a.probability || (a.kind < b.kind ? -1 : 1));
		return found.filter(({ kind }, at) => found.findIndex((other) => other.kind === kind) === at);
	}

	/**
	 * One less the ratio of the forecasts' squared errors to those of base rates (Brier's skill score): 1 is always right, 0 or less tells
	 * nothing that base rates would not. Null while nothing was scored.
	 */
	get skill(): number | null {
		const [forecasts, baseRates] = this.#errors;
		return baseRates === 0 ? null : 1 - forecasts / baseRates;
	}

	/** To be stored, and given to the next life. */
	get patterns(): ThreatPatterns {
		return {
			atMs: this.#nowMs,
			windows: this.#windows,
			present: [...this.#present],
			trials: [...this.#trials],
			followed: this.#kinds.flatMap((kind) =>
				this.#kinds.flatMap((by) => {
					const times = this.#followed.get(pair(kind, by));
					return times === undefined ? [] : [[kind, by, times] as const];
				}),
			),
			errors: this.#errors,
		};
	}

	#threatsAfter(after: Kind, { fromMs, seen }: Trial): Threat<Kind>[] {
		const support = this.#trials.get(after) ?? 0;
		if (support < THREAT_SUPPORT_MIN) return [];
		const untilMs = fromMs + this.#horizonMs;
		return this.#kinds
			.filter((kind) => kind !== after && !seen.has(kind) && this.#isPattern(after, kind))
			.map((kind) => {
				const [probability, baseRate] = [this.#chance(after, kind), this.#baseRate(kind)];
				return { kind, after, probability, baseRate, support, untilMs };
			});
	}

	#isPattern(kind: Kind, next: Kind): boolean {
		const times = this.#followed.get(pair(kind, next)) ?? 0;
		return leastShare(times, this.#trials.get(kind) ?? 0) >= THREAT_LIFT_MIN * this.#baseRate(next);
	}

	#baseRate(kind: string): number {
		return ((this.#present.get(kind) ?? 0) + UNSEEN) / (this.#windows + 2 * UNSEEN);
	}

	/** That `next` follows `kind`: what was counted, drawn to the base rate while that is little. */
	#chance(kind: string, next: string): number {
		const [trials, times] = [this.#trials.get(kind) ?? 0, this.#followed.get(pair(kind, next)) ?? 0];
		return (times + PRIOR_WEIGHT * this.#baseRate(next)) / (trials + PRIOR_WEIGHT);
	}

	/** Ends what has run out by then. A clock that goes back stands still. */
	#passTo(nowMs: number): void {
		if (!(nowMs > this.#nowMs)) return;
		this.#nowMs = nowMs;
		for (const [kind, trial] of this.#open) {
			if (nowMs - trial.fromMs <= this.#horizonMs) continue;
			this.#open.delete(kind);
			this.#learn(kind, trial);
		}
		const passed = Math.floor((nowMs - this.#windowFromMs) / this.#horizonMs);
		if (passed === 0) return;
		for (const kind of this.#inWindow) add(this.#present, kind, 1);
		this.#inWindow.clear();
		this.#windowFromMs += passed * this.#horizonMs;
		this.#fade(passed * this.#horizonMs, passed);
	}

	#learn(kind: Kind, { expected, seen }: Trial): void {
		for (const [next, [probability, baseRate]] of expected) {
			if (next === kind) continue;
			const outcome = seen.has(next) ? 1 : 0;
			this.#errors[0] += (probability - outcome) ** 2;
			this.#errors[1] += (baseRate - outcome) ** 2;
			if (outcome === 1) add(this.#followed, pair(kind, next), 1);
		}
		add(this.#trials, kind, 1);
	}

	/** Everything weighs less by the time that has passed, in which so many windows have ended, each faded by those after it. */
	#fade(passedMs: number, ended = 0): void {
		if (passedMs <= 0) return;
		const factor = 0.5 ** (passedMs / this.#halfLifeMs);
		const each = 0.5 ** (this.#horizonMs / this.#halfLifeMs);
		for (const counts of [this.#present, this.#trials, this.#followed]) {
			for (const [key, count] of counts) counts.set(key, count * factor);
		}
		this.#windows = this.#windows * factor + (each * (1 - each ** ended)) / (1 - each);
		this.#errors = [this.#errors[0] * factor, this.#errors[1] * factor];
	}
}

/** The lower end of the interval in which the true share lies (Wilson 1927). */
function leastShare(times: number, trials: number): number {
	if (trials === 0) return 0;
	const [share, square] = [times / trials, CONFIDENCE ** 2];
	const spread = CONFIDENCE * Math.sqrt((share * (1 - share)) / trials + square / (4 * trials ** 2));
	return Math.max(0, (share + square / (2 * trials) - spread) / (1 + square / trials));
}

function pair(kind: string, by: string): string {
	return `${kind}>${by}`;
}

function add(counts: Map<string, number>, key: string, by: number): void {
	counts.set(key, (counts.get(key) ?? 0) + by);
}
