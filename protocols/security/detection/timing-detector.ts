/**
 * Suspects members whose answers come unusually late, by each link's own past: the modified z-score over median and median absolute
 * deviation (Iglewicz and Hoaglin 1993), which single outliers do not move. Slowness is never proof.
 */
import type { NodeId } from "../../core/index.ts";
import { type Finding, requireSetting } from "./finding.ts";

export interface TimingDetectorOptions {
	/** Delays remembered a link; 8 to 4,096, default 64. */
	readonly window?: number;
	/** Deviations above the median from which a delay is suspect; 1 to 100, default 3.5. Smaller suspects more of the innocent. */
	readonly threshold?: number;
	/** The least deviation that counts, in milliseconds, so that a steady link is not suspect for one millisecond; default 1. */
	readonly floorMs?: number;
}

/** Delays that a link must have shown before one of them can be suspect. */
const SAMPLES_MIN = 8;
/** 0.6745: the 0.75 quantile of the normal distribution, which makes the deviation comparable to a standard deviation. */
const NORMAL_QUARTILE = 0.6745;

export class TimingDetector {
	readonly #members: ReadonlySet<NodeId>;
	readonly #window: number;
	readonly #threshold: number;
	readonly #floorMs: number;
	readonly #delays = new Map<NodeId, number[]>();

	/** @throws QuorateError `detector-config-invalid` */
	constructor(members: readonly NodeId[], { window = 64, threshold = 3.5, floorMs = 1 }: TimingDetectorOptions = {}) {
		requireSetting("window", window, SAMPLES_MIN, 4_096);
		requireSetting("threshold", threshold, 1, 100, false);
		requireSetting("floorMs", floorMs, 0, 60_000, false);
		this.#members = new Set(members);
		this.#window = window;
		this.#threshold = threshold;
		this.#floorMs = floorMs;
	}

	/** Takes one measured delay; a finding if it is far above what this member's were. Early is no fault. */
	observe(member: NodeId, delayMs: number): Finding | null {
		if (!this.#members.has(member) || !Number.isFinite(delayMs) || delayMs < 0) return null;
		const delays = this.#delays.get(member) ?? [];
		const score = delays.length < SAMPLES_MIN ? 0 : deviations(delays, delayMs, this.#floorMs);
		delays.push(delayMs);
		if (delays.length > this.#window) delays.shift();
		this.#delays.set(member, delays);
		if (score <= this.#threshold) return null;
		return { kind: "timing", severity: "medium", weight: "suspicion", culprits: [member], score };
	}
}

/** How far `value` lies above the median of `sample`, in robust deviations of at least `floor`. */
export function deviations(sample: readonly number[], value: number, floor: number): number {
	const middle = median(sample);
	const spread = median(sample.map((one) => Math.abs(one - middle)));
	const scale = Math.max(spread, floor);
	if (scale === 0) return value > middle ? Number.MAX_VALUE : 0;
	return (NORMAL_QUARTILE * (value - middle)) / scale;
}

/** Of a sample that is not empty. */
export function median(sample: readonly number[]): number {
	const sorted = [...sample].sort((a, b) => a - b);
	const half = sorted.length >> 1;
	const upper = sorted[half] as number;
	return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}
