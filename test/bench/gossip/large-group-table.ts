/**
 * SWIM with as many members as a process holds: thousands, each with a table of all. A long run of its own, which the other tables do
 * not need: what is constant or logarithmic in the paper must still be so here.
 */
import { assert, must } from "../../../protocols/core/index.ts";
import { SwimCrowd } from "../../protocols/gossip/swim/swim-crowd.ts";
import { type Bound, mean, type ReproducedTable, standardError } from "./reproduction.ts";

const PERIOD_MS = 1_000;
const GOSSIP_MS = 200;
/** Virtual time after the group knows itself: at rest, then with crashes. */
const REST_MS = 10_000;
const CRASHED_MS = 40_000;
/** One in so many crashes, all at once. */
const CRASH_ONE_IN = 200;
const EVENT_EVERY_MS = 5_000;
/** Rounds of push gossip at fanout 3 that are in step: 10.6 at 10,000 members (8.3 at 1,000), own runs of that model. */
const ROUNDS_IN_STEP_MAX = 10.6;

/** Ping and ack are what SWIM §3 counts; the rest is gossip, probes through others, and whole states. */
const probeTypes: ReadonlySet<string> = new Set(["ping", "ack"]);

/** What a run is asked for; all times are virtual ms after the crash. */
class LargeGroup {
	readonly group: SwimCrowd;
	readonly #victims: readonly number[];
	readonly #picked = new Map<number, number>();
	readonly #heldDead = new Map<number, { count: number; firstMs: number; lastMs: number }>();
	readonly #heard = new Map<string, { readonly atMs: number; count: number; lastMs: number }>();
	#crashedAtMs = Number.POSITIVE_INFINITY;
	readonly counts = { probes: 0, suspectedAlive: 0, failedAlive: 0 };

	constructor(size: number) {
		const crashes = Math.floor(size / CRASH_ONE_IN);
		this.#victims = Array.from({ length: crashes }, (_, i) => Math.floor(((i + 0.5) * size) / crashes));
		const victims = new Set(this.#victims);
		this.group = new SwimCrowd({
			seed: 1,
			size,
			sent: (_from, to, { type }) => {
				if (probeTypes.has(type)) this.counts.probes++;
				if (type === "ping" && victims.has(to) && this.#isCrashed && !this.#picked.has(to))
					this.#picked.set(to, Math.floor(this.#sinceCrashMs / PERIOD_MS) + 1);
			},
			observe: (_place, event) => {
				if (event.type === "user-event") this.#hear(event.name);
				else if (event.type === "member-suspected" || event.type === "member-failed") {
					const place = this.group.crowd.placeOf(event.node);
					if (!this.#isCrashed || !victims.has(place)) {
						this.counts[event.type === "member-failed" ? "failedAlive" : "suspectedAlive"]++;
					} else if (event.type === "member-failed") this.#holdDead(place);
				}
			},
		});
	}

	/** In slices, so that whoever waits hears how far it is. */
	run(durationMs: number, told: () => void): void {
		const { crowd } = this.group;
		const untilMs = crowd.nowMs + durationMs;
		while (crowd.nowMs < untilMs) {
			if (crowd.nowMs % EVENT_EVERY_MS === 0 && untilMs - crowd.nowMs >= EVENT_EVERY_MS) this.#spread();
			crowd.run(Math.min(untilMs, crowd.nowMs + PERIOD_MS));
			told();
		}
	}

	crash(): void {
		this.#crashedAtMs = this.group.crowd.nowMs;
		for (const victim of this.#victims) this.group.crowd.crash(victim);
	}

	get up(): number {
		return this.group.crowd.size - this.#victims.length;
	}
	/** The period, counted from the crash, in which each that has crashed is first picked. */
	get pickedPeriods(): number[] {
		return this.#victims.map((victim) => must(this.#picked.get(victim), "somebody picks it"));
	}
	/** Periods until the first, and until all hold each of them dead. */
	get deaths(): { readonly first: number; readonly all: number }[] {
		return this.#victims.map((victim) => {
			const held = this.#heldDead.get(victim);
			const isByAll = held?.count === this.up;
			const since = (ms: number | undefined): number => ((ms ?? Number.NaN) - this.#crashedAtMs) / PERIOD_MS;
			return { first: since(held?.firstMs), all: isByAll ? since(held?.lastMs) : Number.NaN };
		});
	}
	/** Rounds until each event has reached all that are up; no number if it has not. */
	get rounds(): number[] {
		const reached = [...this.#heard.values()].filter(({ count }) => count >= this.up);
		const rounds = reached.map(({ atMs, lastMs }) => (lastMs - atMs) / GOSSIP_MS);
		return reached.length === this.#heard.size ? rounds : [Number.NaN];
	}
	/** Members that are up and see exactly those that are up. */
	get wholeViews(): number {
		return this.group.presentCounts().filter((present) => present === this.up).length;
	}

	get #isCrashed(): boolean {
		return this.#crashedAtMs <= this.group.crowd.nowMs;
	}

	get #sinceCrashMs(): number {
		return this.group.crowd.nowMs - this.#crashedAtMs;
	}

	#spread(): void {
		const { crowd } = this.group;
		const name = `event-${crowd.nowMs}`;
		this.#heard.set(name, { atMs: crowd.nowMs, count: 0, lastMs: crowd.nowMs });
		crowd.request(0, { type: "spread-event", name, payload: new Uint8Array(0) });
	}

	#hear(name: string): void {
		const heard = this.#heard.get(name);
		assert(heard !== undefined, "only what was spread is heard", { name });
		heard.count++;
		heard.lastMs = this.group.crowd.nowMs;
	}

	#holdDead(place: number): void {
		const nowMs = this.group.crowd.nowMs;
		const held = this.#heldDead.get(place) ?? { count: 0, firstMs: nowMs, lastMs: nowMs };
		this.#heldDead.set(place, { ...held, count: held.count + 1, lastMs: nowMs });
	}
}

/** @param size members, all of them in each table */
export function largeGroupTable(size: number): ReproducedTable {
	return {
		name: "large-group",
		run: (report) => {
			const startedMs = performance.now();
			const cpu = process.cpuUsage();
			const large = new LargeGroup(size);
			const { group, counts } = large;
			const totalMs = REST_MS + REST_MS + CRASHED_MS;
			const told = (): void => {
				const { nowMs } = group.crowd;
				const leftS = (((performance.now() - startedMs) / nowMs) * (totalMs - nowMs)) / 1_000;
				report(`${nowMs / 1_000} of ${totalMs / 1_000} virtual s, about ${Math.ceil(leftS)} s left`);
			};
			report(`${size} members meet, and each tells all that it is there`);
			group.gather();
			told();
			const [probes, messages] = [counts.probes, group.crowd.counts.messages];
			large.run(REST_MS, told);
			const perPeriod = (now: number, before: number): number => ((now - before) / size / REST_MS) * PERIOD_MS;
			const load = perPeriod(counts.probes, probes);
			const loadOfAll = perPeriod(group.crowd.counts.messages, messages);
			large.crash();
			large.run(CRASHED_MS, told);
			const { user, system } = process.cpuUsage(cpu);
			const cost = { cpuS: (user + system) / 1e6, residentMb: process.memoryUsage.rss() / 1e6 };
			return reproduction(large, { load, loadOfAll, ...cost });
		},
	};
}

interface Measured {
	readonly load: number;
	readonly loadOfAll: number;
	readonly cpuS: number;
	readonly residentMb: number;
}

function reproduction(
	large: LargeGroup,
	{ load, loadOfAll, cpuS, residentMb }: Measured,
): ReturnType<ReproducedTable["run"]> {
	const { group, pickedPeriods: picked, deaths, rounds, counts, up } = large;
	const { size } = group.crowd;
	const first = deaths.map((death) => death.first);
	const all = deaths.map((death) => death.all);
	const analysis = 1 / (1 - (1 - 1 / (size - 1)) ** up);
	const slack = 4 * Math.max(standardError(picked), Math.sqrt(analysis * (analysis - 1)) / Math.sqrt(picked.length));
	// α · log10 n periods at the shortest (Lifeguard §IV-B), from the end of the period in which a probe fails.
	const shortest = 4 * Math.log10(size);
	const bounds: Bound[] = [
		bound(
			"periods until first picked",
			mean(picked),
			analysis - slack,
			analysis + slack,
			"analysis and 4 standard errors",
		),
		bound("periods until first held dead", Math.min(...first), shortest, null, "the shortest suspicion, α log10 n"),
		bound(
			"periods until all hold it dead, longest",
			Math.max(...all),
			null,
			2 * shortest,
			"twice the shortest suspicion",
		),
		bound(
			"mean rounds until an event reached all",
			mean(rounds),
			3,
			ROUNDS_IN_STEP_MAX,
			"push in step, 10,000 members",
		),
		bound("pings and acks a member and period", load, 1.9, 2.1, "a ping and its answer a period"),
		bound("live members suspected or held dead", counts.suspectedAlive + counts.failedAlive, 0, 0, "nothing is lost"),
		bound("whole views in the end", large.wholeViews, up, up, "all that are up"),
	];
	const digits = (value: number): string => value.toFixed(2);
	return {
		title: `SWIM with ${size} members, each with a table of all; ${picked.length} crash at once, nothing is lost`,
		rows: [
			["", "mean", "longest"],
			["periods until a crash is first picked", digits(mean(picked)), digits(Math.max(...picked))],
			["periods until the first holds it dead", digits(mean(first)), digits(Math.max(...first))],
			["periods until all hold it dead", digits(mean(all)), digits(Math.max(...all))],
			["rounds until an event has reached all", digits(mean(rounds)), digits(Math.max(...rounds))],
			["pings and acks a member and period", digits(load), ""],
			["all messages a member and period", digits(loadOfAll), ""],
		],
		bounds,
		note: `It took ${cpuS.toFixed(0)} s of processor time for ${group.crowd.nowMs / 1_000} virtual s, and ${residentMb.toFixed(0)} MB resident in the end.`,
	};
}

function bound(what: string, figure: number, min: number | null, max: number | null, source: string): Bound {
	return { what, figure, min, max, source };
}
