/** How many gossip intervals it takes until an event has reached every member of a SWIM group, by gossip alone. */
import { assert } from "../../../protocols/core/index.ts";
import { SwimCrowd } from "../../protocols/gossip/swim/swim-crowd.ts";

const INTERVAL_MS = 200;

/** Over several events in one group, each started by another member. */
export function spreadRounds(members: number, lossChance: number, events: number): { mean: number; max: number } {
	let [heard, lastMs] = [0, 0];
	const group = new SwimCrowd({
		seed: 1,
		size: members,
		// Probes and exchanges are off, so that nothing else carries the news.
		config: {
			probeIntervalMs: 600_000,
			probeTimeoutMs: 599_000,
			syncIntervalMs: 600_000_000,
			gossipIntervalMs: INTERVAL_MS,
		},
		observe: (_place, event, nowMs) => {
			if (event.type !== "user-event") return;
			heard++;
			lastMs = nowMs;
		},
	});
	group.gather();
	group.crowd.network.lossChance = lossChance;
	const rounds: number[] = [];
	for (let i = 0; i < events; i++) {
		heard = 0;
		const fromMs = group.crowd.nowMs;
		group.crowd.request(17 * i, { type: "spread-event", name: `event-${i}`, payload: new Uint8Array(8) });
		group.run(10_000);
		assert(heard === members, "everybody hears", { heard });
		rounds.push((lastMs - fromMs) / INTERVAL_MS);
	}
	return { mean: rounds.reduce((sum, value) => sum + value, 0) / events, max: Math.max(...rounds) };
}
