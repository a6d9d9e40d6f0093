/**
 * Goal: fanout and interval follow a group's size, its measured loss and the cap on bytes, within bounds and without flapping
 * (GOS-17, GOS-18). Method: the loop on virtual time around a member of a simulated group, whose losses are set.
 */
import { VirtualTimeScheduler } from "rxjs";
import { expect, test } from "vitest";
import { type TunedMember, type TuningDecision, tuneGossip } from "../../../actors/gossip-coordinator/index.ts";
import type { SwimMachine } from "../../../protocols/gossip/index.ts";
import { SwimCrowd } from "../../protocols/gossip/swim/swim-crowd.ts";

const PERIOD_MS = 5_000;

/** The first member of a group as the loop sees it. */
function tuned(group: SwimCrowd, bytesSent: () => number): TunedMember {
	return {
		report: async () => {
			const { present, gossip, probes } = (group.crowd.machine(0) as SwimMachine).status;
			const traffic = { sent: 100, sentBytes: 100 * bytesSent(), received: 0, lost: 0, undeliverable: 0 };
			return { present, gossip, probes, traffic };
		},
		tune: async ({ fanout, intervalMs }) =>
			group.crowd.request(0, { type: "tune", gossipFanout: fanout, gossipIntervalMs: intervalMs }),
	};
}

async function run(group: SwimCrowd, rounds: number, bytesSent = (): number => 200): Promise<TuningDecision[]> {
	const scheduler = new VirtualTimeScheduler();
	const decisions: TuningDecision[] = [];
	const fanout = { bytesPerSecondMax: 20_000 };
	const loop = tuneGossip(tuned(group, bytesSent), { scheduler, periodMs: PERIOD_MS, fanout });
	const subscription = loop.subscribe((decision) => decisions.push(decision));
	for (let round = 1; round <= rounds; round++) {
		group.run(PERIOD_MS);
		scheduler.maxFrames = round * PERIOD_MS;
		scheduler.flush();
		for (let turn = 0; turn < 10; turn++) await Promise.resolve();
	}
	subscription.unsubscribe();
	return decisions;
}

test("the loop asks for ln n + c that arrive, and more when a third is lost", async () => {
	const group = new SwimCrowd({ seed: 1, size: 64, config: { suspicionMultiplier: 64 } });
	group.gather();
	// ln 64 + 4 = 8.16.
	const calm = await run(group, 4);
	expect(calm.map(({ fanout }) => fanout)).toEqual([9]);
	group.crowd.network.lossChance = 0.3;
	const lossy = await run(group, 60);
	// 8.16 / 0.7 = 11.7; a member that finds itself slow probes seldom, so what it measures scatters.
	const last = (group.crowd.machine(0) as SwimMachine).status.gossip;
	expect(last.fanout).toBeGreaterThanOrEqual(10);
	expect(last.fanout).toBeLessThanOrEqual(15);
	const loss = lossy.at(-1)?.signal.loss ?? 0;
	expect(loss).toBeGreaterThan(0.1);
	expect(loss).toBeLessThan(0.5);
});

test("the cap on bytes stretches the interval: fanout times bytes in an interval stay below it", async () => {
	const group = new SwimCrowd({ seed: 1, size: 64 });
	group.gather();
	await run(group, 4, () => 1_400);
	const { fanout, intervalMs } = (group.crowd.machine(0) as SwimMachine).status.gossip;
	expect(intervalMs).toBeGreaterThan(200);
	expect((1_000 / intervalMs) * fanout * 1_400).toBeLessThanOrEqual(20_000);
});

test("a calm group is not tuned again and again", async () => {
	const group = new SwimCrowd({ seed: 1, size: 64 });
	group.gather();
	expect(await run(group, 20)).toHaveLength(1);
});

test("knobs out of bounds are refused by the member, and settings by the loop", () => {
	const group = new SwimCrowd({ seed: 1, size: 4 });
	group.gather();
	const replies: unknown[] = [];
	group.crowd.request(0, { type: "tune", gossipFanout: 0, gossipIntervalMs: 200 }, (reply) => replies.push(reply));
	group.crowd.request(0, { type: "tune", gossipFanout: 3, gossipIntervalMs: 0.5 }, (reply) => replies.push(reply));
	expect(replies).toEqual([
		{ type: "refused", reason: "malformed", field: "gossipFanout" },
		{ type: "refused", reason: "malformed", field: "gossipIntervalMs" },
	]);
	expect(() =>
		tuneGossip(
			tuned(group, () => 1),
			{ fanout: { fanoutMin: 0 } },
		),
	).toThrow("fanoutMin");
});
