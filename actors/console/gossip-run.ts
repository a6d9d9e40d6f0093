/** A run of a gossip group: members are killed and started again, messages are spread, and all of it is counted. */
import type { Subscription } from "rxjs";
import { Generator } from "../../protocols/core/index.ts";
import type { Clock } from "../../runtime/index.ts";
import type { GossipGroup, GossipGroupEvent } from "../gossip-coordinator/index.ts";
import type { GossipRunOptions } from "./gossip-run-options.ts";

/** One kill and what became of it. */
interface Kill {
	readonly node: string;
	readonly atMs: number;
	/** Members that lived then and have not heard of it yet. */
	readonly waiting: Set<string>;
	firstMs: number | null;
	allMs: number | null;
}

/** One kill of a thread and what became of the members on it. */
interface ThreadKill {
	readonly thread: string;
	readonly atMs: number;
	readonly members: number;
	/** Members that have not come back. */
	readonly waiting: Set<string>;
	backMs: number | null;
}

/** One message to all. */
interface Spread {
	readonly origin: string;
	readonly atMs: number;
	/** Members that ran then; those that are killed meanwhile are taken out. */
	readonly expected: Set<string>;
	readonly heard: Set<string>;
	lastMs: number;
}

export interface GossipRunReport {
	readonly kills: readonly { readonly node: string; readonly firstMs: number | null; readonly allMs: number | null }[];
	/** Threads that were killed, the members on each, and when the last of them was back. */
	readonly threadKills: readonly {
		readonly thread: string;
		readonly members: number;
		readonly backMs: number | null;
	}[];
	readonly falsePositives: number;
	readonly suspicions: number;
	readonly refutations: number;
	readonly spread: number;
	/** Share of what was expected that was heard. */
	readonly delivered: number;
	/** Median and largest time until the last member heard, ms; null if nothing was spread. */
	readonly spreadMs: { readonly median: number; readonly max: number } | null;
	readonly messages: number;
	readonly bytes: number;
	readonly lost: number;
	readonly seconds: number;
	/** Members whose view was whole in the end. */
	readonly wholeViews: number;
	readonly nodes: number;
}

/** How long the last kill may take to be noticed, and views to become whole, when the time is over. */
const SETTLE_MS_MAX = 60_000;
const LOOK_EVERY_MS = 100;
const SEEDS = 3;
/** A member that is back after its thread was killed may be held dead for so long by who has not heard of it. */
const FORGIVEN_MS = 5_000;

export class GossipRun {
	readonly #group: GossipGroup;
	readonly #options: GossipRunOptions;
	readonly #clock: Clock;
	readonly #note: (elapsedMs: number, text: string) => void;
	readonly #dice: Generator;
	readonly #nodes: readonly string[];
	readonly #kills: Kill[] = [];
	readonly #spreads = new Map<string, Spread>();
	readonly #threadKills: ThreadKill[] = [];
	/** Members that are down with their thread, or were so a moment ago: who holds them dead is not wrong. */
	readonly #lost = new Set<string>();
	readonly #down = new Set<string>();
	/** Members that ran and were held dead. */
	readonly #wronged = new Set<string>();
	#falsePositives = 0;
	#suspicions = 0;
	#refutations = 0;
	#startMs = 0;

	constructor(
		group: GossipGroup,
		options: GossipRunOptions,
		clock: Clock,
		note: (elapsedMs: number, text: string) => void,
	) {
		this.#group = group;
		this.#options = options;
		this.#clock = clock;
		this.#note = note;
		this.#dice = new Generator(options.seed, "gossip-run");
		this.#nodes = Array.from({ length: options.nodes }, (_, i) => `node-${i + 1}`);
	}

	/** Starts all members and lets them meet; resolves when all views are whole. Returns how long that took, in ms. */
	async gather(interrupt: AbortSignal): Promise<number> {
		const fromMs = this.#clock.nowMs();
		for (const node of this.#nodes) await this.#group.startMember(node);
		const seeds = this.#nodes.slice(0, SEEDS);
		await Promise.all(
			this.#nodes.map((node) =>
				this.#group.join(
					node,
					seeds.filter((seed) => seed !== node),
				),
			),
		);
		await this.#until(() => this.#areViewsWhole(), SETTLE_MS_MAX, interrupt);
		return this.#clock.nowMs() - fromMs;
	}

	async perform(interrupt: AbortSignal): Promise<GossipRunReport> {
		const subscription: Subscription = this.#group.events$.subscribe((event) => this.#hear(event));
		this.#startMs = this.#clock.nowMs();
		const endMs = this.#startMs + this.#options.forMs;
		const { killMs, killThreadMs, spreadMs } = this.#options;
		let [nextKillMs, nextThreadKillMs] = [
			this.#startMs + (killMs ?? Infinity),
			this.#startMs + (killThreadMs ?? Infinity),
		];
		let [nextSpreadMs, spreadCount] = [this.#startMs, 0];
		while (this.#clock.nowMs() < endMs && !interrupt.aborted) {
			const nowMs = this.#clock.nowMs();
			if (nowMs >= nextSpreadMs) {
				await this.#spread(`news-${spreadCount++}`);
				nextSpreadMs += spreadMs;
			}
			const isCalm = this.#down.size === 0 && this.#lost.size === 0;
			// One thing at a time, what is due for longer first.
			if (isCalm && killThreadMs !== null && nowMs >= nextThreadKillMs && nextThreadKillMs <= nextKillMs) {
				await this.#killThread();
				nextThreadKillMs = nowMs + killThreadMs;
			} else if (isCalm && killMs !== null && nowMs >= nextKillMs) {
				await this.#kill();
				nextKillMs = nowMs + killMs;
			}
			await this.#restartNoticed();
			await this.#pause(Math.min(LOOK_EVERY_MS, Math.max(1, nextSpreadMs - this.#clock.nowMs())));
		}
		const seconds = (this.#clock.nowMs() - this.#startMs) / 1_000;
		await this.#until(
			async () => {
				await this.#restartNoticed();
				return this.#down.size === 0 && this.#lost.size === 0 && (await this.#areViewsWhole());
			},
			SETTLE_MS_MAX,
			interrupt,
		);
		subscription.unsubscribe();
		return await this.#report(seconds);
	}

	#hear({ node, event, atMs }: GossipGroupEvent): void {
		if (event.type === "member-suspected") this.#suspicions++;
		else if (event.type === "refuted") this.#refutations++;
		else if (event.type === "rejoining") this.#hearReturn(node, atMs);
		else if (event.type === "member-failed") this.#hearFailure(node, event.node, atMs);
		else if (event.type === "user-event") {
			const spread = this.#spreads.get(event.name);
			if (spread === undefined || !spread.expected.has(node)) return;
			spread.heard.add(node);
			spread.lastMs = atMs - spread.atMs;
		}
	}

	#hearFailure(at: string, failed: string, atMs: number): void {
		if (this.#lost.has(failed)) return;
		const kill = this.#kills.findLast((each) => each.node === failed);
		if (kill === undefined || (!this.#down.has(failed) && kill.waiting.size === 0)) {
			this.#falsePositives++;
			// Others hear of it at once; one line will do.
			if (this.#wronged.has(failed)) return;
			this.#wronged.add(failed);
			this.#note(this.#clock.nowMs() - this.#startMs, `${at} holds ${failed} dead, which runs`);
			return;
		}
		kill.waiting.delete(at);
		kill.firstMs ??= atMs - kill.atMs;
		this.#settle(kill, atMs);
	}

	#settle(kill: Kill, atMs: number): void {
		if (kill.waiting.size > 0 || kill.allMs !== null) return;
		kill.allMs = atMs - kill.atMs;
		const [first, all] = [kill.firstMs ?? kill.allMs, kill.allMs].map((ms) => (ms / 1_000).toFixed(2));
		this.#note(
			this.#clock.nowMs() - this.#startMs,
			`${kill.node} is held dead: by one after ${first} s, by all after ${all} s`,
		);
	}

	async #spread(name: string): Promise<void> {
		const running = this.#group.nodes.filter((node) => !this.#lost.has(node));
		if (running.length === 0) return;
		const origin = this.#dice.pick(running);
		const expected = new Set<string>(running);
		this.#spreads.set(name, { origin, atMs: this.#clock.nowMs(), expected, heard: new Set(), lastMs: 0 });
		await this.#group.request(origin, { type: "spread-event", name, payload: new Uint8Array(32) }, "event-spread");
	}

	async #kill(): Promise<void> {
		const node = this.#dice.pick(this.#nodes);
		const waiting = new Set<string>(this.#group.nodes.filter((other) => other !== node));
		this.#down.add(node);
		this.#expectNothingOf(node);
		this.#kills.push({ node, atMs: this.#clock.nowMs(), waiting, firstMs: null, allMs: null });
		await this.#group.kill(node);
		this.#note(this.#clock.nowMs() - this.#startMs, `${node} is killed`);
	}

	#expectNothingOf(node: string): void {
		for (const spread of this.#spreads.values()) {
			if (!spread.heard.has(node)) spread.expected.delete(node);
			// What its origin has told nobody yet dies with it.
			if (spread.origin === node && spread.heard.size <= 1) spread.expected.clear();
		}
	}

	async #killThread(): Promise<void> {
		const [thread, nodes] = this.#dice.pick([...this.#group.threads]);
		if (nodes.length === 0) return;
		for (const node of nodes) this.#lost.add(node);
		for (const node of nodes) this.#expectNothingOf(node);
		// What nobody else has heard yet dies with the thread.
		for (const { heard, expected } of this.#spreads.values()) {
			if ([...heard].every((node) => this.#lost.has(node))) expected.clear();
		}
		const kill: ThreadKill = {
			thread,
			atMs: this.#clock.nowMs(),
			members: nodes.length,
			waiting: new Set<string>(nodes),
			backMs: null,
		};
		this.#threadKills.push(kill);
		await this.#group.killThread(thread);
		this.#note(this.#clock.nowMs() - this.#startMs, `${thread} is killed with ${nodes.length} members`);
	}

	#hearReturn(node: string, atMs: number): void {
		const kill = this.#threadKills.at(-1);
		if (kill === undefined || !kill.waiting.delete(node)) return;
		// Whoever suspected it meanwhile may not have heard yet that it is back.
		this.#clock.schedule(FORGIVEN_MS, () => this.#lost.delete(node));
		if (kill.waiting.size > 0) return;
		kill.backMs = atMs - kill.atMs;
		const seconds = (kill.backMs / 1_000).toFixed(2);
		this.#note(this.#clock.nowMs() - this.#startMs, `${kill.thread} and its members are back after ${seconds} s`);
	}

	/** Whoever all hold dead is started again, under its old name and with nothing on its disk. */
	async #restartNoticed(): Promise<void> {
		for (const node of [...this.#down]) {
			const kill = this.#kills.findLast((each) => each.node === node);
			if (kill === undefined || kill.allMs === null) continue;
			this.#down.delete(node);
			await this.#group.startMember(node);
			await this.#group.join(node, this.#nodes.filter((other) => other !== node).slice(0, SEEDS));
		}
	}

	async #areViewsWhole(): Promise<boolean> {
		const reports = await Promise.all(this.#group.nodes.map((node) => this.#group.report(node)));
		return reports.every(({ present }) => present === this.#nodes.length);
	}

	async #report(seconds: number): Promise<GossipRunReport> {
		const reports = await Promise.all(this.#group.nodes.map((node) => this.#group.report(node)));
		const spreads = [...this.#spreads.values()];
		const expected = spreads.reduce((sum, spread) => sum + spread.expected.size, 0);
		const heard = spreads.reduce(
			(sum, { expected: due, heard: by }) => sum + [...by].filter((node) => due.has(node)).length,
			0,
		);
		const times = spreads.map(({ lastMs }) => lastMs).sort((a, b) => a - b);
		const total = (value: (report: (typeof reports)[number]) => number): number =>
			reports.reduce((sum, report) => sum + value(report), 0);
		return {
			kills: this.#kills.map(({ node, firstMs, allMs }) => ({ node, firstMs, allMs })),
			threadKills: this.#threadKills.map(({ thread, members, backMs }) => ({ thread, members, backMs })),
			falsePositives: this.#falsePositives,
			suspicions: this.#suspicions,
			refutations: this.#refutations,
			spread: spreads.length,
			delivered: expected === 0 ? 1 : heard / expected,
			spreadMs: times.length === 0 ? null : { median: times[times.length >> 1] ?? 0, max: times.at(-1) ?? 0 },
			messages: total(({ traffic }) => traffic.sent),
			bytes: total(({ traffic }) => traffic.sentBytes),
			lost: total(({ traffic }) => traffic.lost),
			seconds,
			wholeViews: reports.filter(({ present }) => present === this.#nodes.length).length,
			nodes: this.#nodes.length,
		};
	}

	async #until(isDone: () => Promise<boolean>, limitMs: number, interrupt: AbortSignal): Promise<void> {
		const endMs = this.#clock.nowMs() + limitMs;
		while (!interrupt.aborted && this.#clock.nowMs() < endMs && !(await isDone())) await this.#pause(LOOK_EVERY_MS);
	}

	#pause(ms: number): Promise<void> {
		return new Promise((resolve) => this.#clock.schedule(ms, () => resolve()));
	}
}

/** What is wrong with a run, one sentence each. */
export function faultsOf(report: GossipRunReport, killMs: number | null, killThreadMs: number | null = null): string[] {
	const faults: string[] = [];
	for (const { node, allMs } of report.kills) if (allMs === null) faults.push(`${node} was killed and not all noticed`);
	for (const { thread, backMs } of report.threadKills) {
		if (backMs === null) faults.push(`${thread} was killed and not all of its members came back`);
	}
	if (killThreadMs !== null && report.threadKills.length === 0) faults.push("vacuous: no thread was killed");
	if (killMs !== null && report.kills.length === 0) faults.push("vacuous: nobody was killed");
	if (report.delivered < DELIVERED_MIN) {
		faults.push(`only ${(100 * report.delivered).toFixed(2)} % of what was spread was heard`);
	}
	if (report.wholeViews < report.nodes) faults.push(`${report.nodes - report.wholeViews} views are not whole`);
	return faults;
}

const DELIVERED_MIN = 0.99;
