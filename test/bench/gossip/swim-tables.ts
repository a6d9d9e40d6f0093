/** SWIM: spread, detection, load (DSN 2002), and a crash next to serf 0.9.4. */
import { must } from "../../../protocols/core/index.ts";
import { plainSwim, SwimCrowd } from "../../protocols/gossip/swim/swim-crowd.ts";
import { type Bound, mean, type ReproducedTable } from "./reproduction.ts";
import { spreadRounds } from "./spread-rounds.ts";

const PERIOD_MS = 1_000;

/** Rounds until everybody has heard: the aim of this project, above what push gossip takes in rounds that are in step. */
const spreadBounds = [
	[0, 8.3, 8.5],
	[0.1, 8.7, 9],
	[0.3, 10.4, 11],
] as const;

export const spreadTable: ReproducedTable = {
	name: "spread",
	run: (report) => {
		const bounds: Bound[] = [];
		const rows = spreadBounds.map(([loss, inStep, max]) => {
			report(`${100 * loss} % loss`);
			const { mean: rounds, max: longest } = spreadRounds(1_000, loss, 10);
			bounds.push({ what: `mean rounds, ${100 * loss} % loss`, figure: rounds, min: 3, max, source: "aim" });
			return [`${100 * loss} % loss`, inStep.toFixed(1), rounds.toFixed(2), longest.toFixed(2)];
		});
		return {
			title: "SWIM: gossip rounds until an event has reached 1,000 members, fanout 3, 10 events",
			rows: [["", "push in step", "mean here", "longest here"], ...rows],
			bounds,
			note: "Push in step: a plain simulation of push gossip whose rounds are simultaneous; here ticks are out of phase, and a hop waits half of one.",
		};
	},
};

/** Crash together in one group: few enough that those who probe are nearly as many as the analysis has. */
const crashesOf = (size: number): number => Math.max(1, Math.floor(size / 64));

/** Periods until somebody first probes a member that has crashed, and until a probe of it has failed. */
function detection(size: number, seeds: number): { picked: number[]; failed: number[] } {
	const crashes = crashesOf(size);
	const [picked, failed]: [number[], number[]] = [[], []];
	for (let seed = 1; seed <= seeds; seed++) {
		const pickedMs = new Map<number, number>();
		const failedMs = new Map<number, number>();
		let crashedAtMs = Number.POSITIVE_INFINITY;
		const group: SwimCrowd = new SwimCrowd({
			seed,
			size,
			sent: (_from, to, message) => {
				if (message.type === "ping") note(pickedMs, to, group.crowd.nowMs - crashedAtMs);
			},
			observe: (_place, event, nowMs) => {
				if (event.type === "probe-failed") note(failedMs, group.crowd.placeOf(event.node), nowMs - crashedAtMs);
			},
		});
		group.gather();
		const victims = Array.from({ length: crashes }, (_, i) => Math.floor((i * size) / crashes));
		for (const victim of victims) group.crowd.crash(victim);
		crashedAtMs = group.crowd.nowMs;
		pickedMs.clear();
		failedMs.clear();
		group.run(30_000, () => victims.every((victim) => failedMs.has(victim)));
		for (const victim of victims) {
			// The period, counted from the crash, in which it is first picked.
			picked.push(Math.floor(must(pickedMs.get(victim), "somebody probes it") / PERIOD_MS) + 1);
			failed.push(must(failedMs.get(victim), "a probe of it fails") / PERIOD_MS);
		}
	}
	return { picked, failed };
}

function note(firstMs: Map<number, number>, place: number, atMs: number): void {
	if (atMs >= 0 && !firstMs.has(place)) firstMs.set(place, atMs);
}

export const detectionTable: ReproducedTable = {
	name: "detection",
	run: (report) => {
		const bounds: Bound[] = [];
		const rows = [
			[32, 200],
			[128, 75],
			[512, 15],
		].map(([size = 0, seeds = 0]) => {
			report(`${size} members`);
			const analysis = 1 / (1 - (1 - 1 / (size - 1)) ** (size - 1));
			const { picked, failed } = detection(size, seeds);
			// A geometric variable of this mean; victims of one group are picked by the same members, nearly independently.
			const slack = (4 * Math.sqrt(analysis * (analysis - 1))) / Math.sqrt(picked.length);
			bounds.push({
				what: `periods until first picked, ${size} members`,
				figure: mean(picked),
				min: analysis - slack,
				max: analysis + slack,
				source: `analysis and 4 standard errors of ${picked.length} crashes`,
			});
			return [
				`${size} members`,
				analysis.toFixed(3),
				mean(picked).toFixed(3),
				mean(failed).toFixed(2),
				`${picked.length}`,
			];
		});
		return {
			title: "SWIM: periods until a crash is first noticed (DSN 2002, §3.1)",
			rows: [["", "analysis", "first picked in", "first failed after", "crashes"], ...rows],
			bounds,
			note: "A probe is judged at the end of its period, so it has failed a period after it was picked.",
		};
	},
};

/** Share of probes of live members that fail, all ways and back. */
export const lossTable: ReproducedTable = {
	name: "loss",
	run: (report) => {
		const bounds: Bound[] = [];
		const rows = [0.1, 0.3].map((loss) => {
			report(`${100 * loss} % loss`);
			let [probes, failed] = [0, 0];
			// A suspicion that is never decided: all stay members, and probes go on.
			const config = { ...plainSwim, suspicionMultiplier: 64 };
			const group = new SwimCrowd({
				seed: 1,
				size: 256,
				config,
				observe: (_place, event) => {
					if (event.type === "probe-failed") failed++;
				},
			});
			group.gather();
			failed = 0;
			group.crowd.network.lossChance = loss;
			const durationMs = 60_000;
			group.run(durationMs);
			probes = (256 * durationMs) / PERIOD_MS;
			const q = 1 - loss;
			const analysis = (1 - q ** 2) * (1 - q ** 4) ** 3;
			const slack = 4 * Math.sqrt((analysis * (1 - analysis)) / probes);
			bounds.push({
				what: `share of failed probes, ${100 * loss} % loss`,
				figure: failed / probes,
				min: analysis - slack,
				max: analysis + slack,
				source: `analysis and 4 standard errors of ${probes} probes`,
			});
			return [`${100 * loss} % loss`, analysis.toFixed(4), (failed / probes).toFixed(4), `${probes}`];
		});
		return {
			title: "SWIM: chance that the probe of a live member fails, k = 3: (1 − q²)(1 − q⁴)^k (DSN 2002, §3.1)",
			rows: [["", "analysis", "here", "probes"], ...rows],
			bounds,
		};
	},
};

/** Messages that a member sends in a second, whatever the size of the group. */
export const loadTable: ReproducedTable = {
	name: "load",
	run: (report) => {
		const loads = [64, 256, 1_000].map((size) => {
			report(`${size} members`);
			const group = new SwimCrowd({ seed: 1, size, config: { syncIntervalMs: 600_000_000 } });
			group.gather();
			group.run(10_000);
			const { messages, bytes } = { ...group.crowd.counts };
			group.run(30_000);
			const per = (now: number, before: number): number => (now - before) / size / 30;
			return [size, per(group.crowd.counts.messages, messages), per(group.crowd.counts.bytes, bytes)] as const;
		});
		const messages = loads.map(([, each]) => each);
		return {
			title: "SWIM: load of a member at rest (DSN 2002, §3: constant, whatever the size)",
			rows: [
				["", "messages a second", "bytes a second"],
				...loads.map(([size, each, bytes]) => [`${size} members`, each.toFixed(3), bytes.toFixed(1)]),
			],
			bounds: [
				{
					what: "largest load of smallest",
					figure: Math.max(...messages) / Math.min(...messages),
					min: 1,
					max: 1.05,
					source: "a ping and its answer a period",
				},
			],
		};
	},
};

/** serf 0.9.4 from Debian, 8 agents on one machine's loopback, a kill of one: s until the first agent and until all hold it dead. */
const serf = { lan: [5.96, 6.27], local: [5.3, 5.45] } as const;

export const serfTable: ReproducedTable = {
	name: "serf",
	run: (report) => {
		const bounds: Bound[] = [];
		const rows = (["lan", "local"] as const).map((profile) => {
			report(profile);
			const [first, all]: [number[], number[]] = [[], []];
			for (let seed = 1; seed <= 40; seed++) {
				const at: number[] = [];
				let crashedAtMs = 0;
				const group = new SwimCrowd({
					seed,
					size: 8,
					profile,
					observe: (_place, event, nowMs) => {
						if (event.type === "member-failed") at.push(nowMs - crashedAtMs);
					},
				});
				group.settle();
				crashedAtMs = group.crowd.nowMs;
				group.crowd.crash(3);
				group.run(60_000, () => at.length === 7);
				first.push(must(at[0], "somebody notices") / 1_000);
				all.push(must(at[6], "all notice") / 1_000);
			}
			const [serfFirst, serfAll] = serf[profile];
			bounds.push({
				what: `mean s until the first notices, ${profile}`,
				figure: mean(first),
				min: serfFirst / 1.5,
				max: serfFirst * 1.5,
				source: "serf's one kill, by half either way",
			});
			return [profile, `${serfFirst}`, mean(first).toFixed(2), `${serfAll}`, mean(all).toFixed(2)];
		});
		return {
			title: "SWIM with memberlist's profiles: a crash among 8 members, s, 40 seeds, next to one kill of serf 0.9.4",
			rows: [["", "first, serf", "here", "all, serf", "here"], ...rows],
			bounds,
		};
	},
};
