/**
 * The set-up of Lifeguard's experiments (arXiv 1707.00788, §V): some members stop to send and to take messages for a time,
 * again and again, while their timers go on; what counts is who is declared dead that was well all the time.
 */
import type { SwimConfig } from "../../../../protocols/gossip/index.ts";
import { plainSwim, SwimCrowd } from "./swim-crowd.ts";

export interface AnomalySetting {
	readonly members: number;
	/** C: members that are slow at the same time. */
	readonly slow: number;
	/** D and I: how long each is mute, and how long it is well in between, in ms. */
	readonly muteMs: number;
	readonly gapMs: number;
	/** For how long, in ms, after 15 s of quiet. */
	readonly durationMs: number;
	readonly seed: number;
}

export interface AnomalyOutcome {
	/** Failures of healthy members, declared or heard of, at any member; and at healthy members alone (FP, FP−). */
	readonly falsePositives: number;
	readonly atHealthy: number;
	readonly messages: number;
}

/** The configurations of the paper's tables. */
export const lifeguardParts: Readonly<Record<string, Partial<SwimConfig>>> = {
	SWIM: plainSwim,
	"LHA-Probe": { ...plainSwim, healthScoreMax: 7 },
	"LHA-Suspicion": { ...plainSwim, suspicionMaxMultiplier: 6 },
	"Buddy System": { ...plainSwim, buddySystem: true },
	Lifeguard: {},
};

export function runAnomalies(setting: AnomalySetting, config: Partial<SwimConfig>): AnomalyOutcome {
	const { members, slow, muteMs, gapMs, durationMs, seed } = setting;
	let [falsePositives, atHealthy] = [0, 0];
	const isSlow = (place: number): boolean => place < slow;
	const group: SwimCrowd = new SwimCrowd({
		seed,
		size: members,
		config,
		observe: (place, event) => {
			if (event.type !== "member-failed" || isSlow(group.crowd.placeOf(event.node))) return;
			falsePositives++;
			if (!isSlow(place)) atHealthy++;
		},
	});
	group.gather();
	group.run(15_000);
	const endMs = group.crowd.nowMs + durationMs;
	while (group.crowd.nowMs < endMs) {
		for (let place = 0; place < slow; place++) group.crowd.mute(place, muteMs);
		group.run(muteMs + gapMs);
	}
	return { falsePositives, atHealthy, messages: group.crowd.counts.messages };
}
