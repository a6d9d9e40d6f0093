/**
 * A run of replicas: writers edit the same text at all of them, threads are killed, links cut, deleted text is freed, and in the end it is
 * looked at what everybody has.
 */
import { Generator, QuorateError } from "../../../protocols/core/index.ts";
import type { Clock } from "../../../runtime/index.ts";
import type { ReplicaGroup } from "../../crdt-synchronizer/index.ts";
import type { CrdtSummary } from "../../participant/index.ts";
import { freshTextBytes } from "./fresh-text.ts";
import { type CrdtFaultPlan, CrdtFaults } from "./replica-faults.ts";
import { CrdtWriters, type WritersReport } from "./replica-writers.ts";
import type { Writer } from "./typing.ts";
import type { LinkBoard } from "./typing-replica.ts";

/** What a state takes, and how many runs of elements it is made of, deleted ones included. */
export interface MetadataSize {
	readonly sharedBytes: number;
	readonly runs: number;
	readonly logRecords: number;
}

export interface CrdtRunReport {
	readonly nodes: number;
	readonly edits: WritersReport;
	/** Null for a replica that did not answer in the end. */
	readonly replicas: readonly (CrdtSummary | null)[];
	/** By replica, operations that were acknowledged and that some replica has not. */
	readonly lost: Readonly<Record<string, number>>;
	readonly kills: number;
	readonly restarts: number;
	readonly cuts: number;
	/** Messages lost to cuts. */
	readonly lostMessages: number;
	/** From the last edit, with all links whole and all threads up, until all had the same; null if they never had. */
	readonly convergenceMs: number | null;
	readonly traffic: ReturnType<ReplicaGroup["traffic"]>;
	/** What the same messages would have had if each had been the whole state: its size is looked at each second. */
	readonly wholeStateBytes: number;
	readonly collections: { readonly done: number; readonly aborted: number; readonly tombstones: number };
	readonly before: MetadataSize;
	/** After a last collection; null if none came about. */
	readonly after: MetadataSize | null;
	/** Bytes of a document into which the same text is written anew. */
	readonly freshBytes: number;
	readonly textLength: number;
	readonly seconds: number;
}

export interface CrdtRunSetting extends CrdtFaultPlan {
	readonly writers: readonly Writer[];
	readonly editsMax: number;
	readonly rate: number | "max";
	readonly forMs: number | null;
	readonly seed: number;
}

export interface CrdtRunWorld {
	readonly group: ReplicaGroup;
	readonly links: LinkBoard;
	readonly clock: Clock;
	readonly note: (elapsedMs: number, text: string) => void;
	readonly interrupt: AbortSignal;
}

/** How long replicas may take to come to the same, and to collect, when the edits are over. */
const SETTLE_MS_MAX = 60_000;
const LOOK_EVERY_MS = 50;
const COLLECT_AGAIN_MS = 1_000;
const PROGRESS_EVERY_MS = 1_000;

export class CrdtRun {
	readonly #world: CrdtRunWorld;
	readonly #faults: CrdtFaults;
	readonly #writers: CrdtWriters;
	#startMs = 0;
	#wholeStateBytes = 0;
	#deltasSeen = 0;
	readonly #collections = { done: 0, aborted: 0, tombstones: 0 };

	constructor(setting: CrdtRunSetting, world: CrdtRunWorld) {
		this.#world = world;
		const note = (text: string): void => world.note(this.#elapsedMs, text);
		this.#faults = new CrdtFaults(setting, { ...world, note, generator: new Generator(setting.seed, "crdt-faults") });
		this.#writers = new CrdtWriters(setting, { ...world, isUp: (node) => this.#faults.isUp(node) });
	}

	async perform(): Promise<CrdtRunReport> {
		const { group, clock } = this.#world;
		this.#startMs = clock.nowMs();
		const heard = group.events$.subscribe(({ event }) => this.#hear(event));
		this.#faults.begin();
		try {
			await Promise.all([this.#writers.write(), this.#watch()]);
			const seconds = this.#elapsedMs / 1_000;
			await this.#faults.mend();
			const convergenceMs = await this.#converge();
			const before = await this.#size();
			const after = convergenceMs === null ? null : await this.#collect();
			return await this.#report({ seconds, convergenceMs, before, after });
		} finally {
			this.#faults.end();
			heard.unsubscribe();
		}
	}

	get #elapsedMs(): number {
		return this.#world.clock.nowMs() - this.#startMs;
	}

	#hear(event: { readonly type: string }): void {
		const { type } = event;
		if (type === "collection-aborted") this.#collections.aborted += 1;
		if (type !== "collected") return;
		// Each member tells of it.
		const { nodes } = this.#world.group;
		const { tombstones } = event as { readonly type: string; readonly tombstones: number };
		this.#collections.done += 1 / nodes.length;
		this.#collections.tombstones += tombstones / nodes.length;
	}

	/** Disturbs, and tells how it goes, until the writers have done. */
	async #watch(): Promise<void> {
		let nextMs = PROGRESS_EVERY_MS;
		while (!this.#writers.isDone) {
			await this.#faults.tick();
			if (this.#elapsedMs >= nextMs) {
				nextMs += PROGRESS_EVERY_MS;
				await this.#weigh();
				this.#tellProgress();
			}
			await this.#pause();
		}
	}

	#tellProgress(): void {
		const { acknowledged } = this.#writers.report;
		const { delta } = this.#world.group.traffic();
		const cut = this.#faults.isCut ? ", links are cut" : "";
		const sent = `, ${delta.bytes} bytes in ${delta.messages} deltas`;
		this.#world.note(this.#elapsedMs, `${acknowledged} edits acknowledged${sent}${cut}`);
	}

	/** Adds what the deltas since the last time would have been as whole states. */
	async #weigh(): Promise<void> {
		const { group } = this.#world;
		const up = group.nodes.find((node) => this.#faults.isUp(node));
		const summary = up === undefined ? null : await this.#summary(up);
		if (summary === null) return;
		const { messages } = group.traffic().delta;
		this.#wholeStateBytes += (messages - this.#deltasSeen) * summary.sharedBytes;
		this.#deltasSeen = messages;
	}

	async #converge(): Promise<number | null> {
		const fromMs = this.#world.clock.nowMs();
		const isSame = await this.#until(async () => areSame(await this.#summaries()));
		await this.#weigh();
		return isSame ? this.#world.clock.nowMs() - fromMs : null;
	}

	/** Collects once more, with nobody editing. */
	async #collect(): Promise<MetadataSize | null> {
		const { group, clock } = this.#world;
		const epoch = (await this.#summaries())[0]?.epoch ?? 0;
		let askedMs = Number.NEGATIVE_INFINITY;
		const isDone = await this.#until(async () => {
			if (clock.nowMs() - askedMs > COLLECT_AGAIN_MS) {
				askedMs = clock.nowMs();
				await group.request(group.nodes[0]!, { type: "collect" });
			}
			const summaries = await this.#summaries();
			return areSame(summaries) && (summaries[0]?.epoch ?? 0) > epoch;
		});
		return isDone ? await this.#size() : null;
	}

	async #size(): Promise<MetadataSize> {
		const first = (await this.#summaries()).find((summary) => summary !== null);
		return { sharedBytes: first?.sharedBytes ?? 0, runs: first?.runs ?? 0, logRecords: first?.logRecords ?? 0 };
	}

	async #report(fields: Pick<CrdtRunReport, "seconds" | "convergenceMs" | "before" | "after">): Promise<CrdtRunReport> {
		const { group, links } = this.#world;
		const replicas = await this.#summaries();
		const read = await group.request(group.nodes[0]!, { type: "read" });
		const text = read.type === "value" ? String(read.value["text"]) : "";
		return {
			...fields,
			nodes: group.nodes.length,
			edits: this.#writers.report,
			replicas,
			lost: lostOperations(this.#writers.acknowledgedThrough, replicas),
			...this.#faults.counts,
			lostMessages: links.lost,
			traffic: group.traffic(),
			wholeStateBytes: this.#wholeStateBytes,
			collections: {
				done: Math.round(this.#collections.done),
				aborted: this.#collections.aborted,
				tombstones: Math.round(this.#collections.tombstones),
			},
			freshBytes: freshTextBytes(text),
			textLength: text.length,
		};
	}

	#summaries(): Promise<(CrdtSummary | null)[]> {
		return Promise.all(this.#world.group.nodes.map((node) => this.#summary(node)));
	}

	async #summary(node: string): Promise<CrdtSummary | null> {
		try {
			return await this.#world.group.summary(node);
		} catch (error) {
			// Its thread is being replaced.
			if (error instanceof QuorateError) return null;
			throw error;
		}
	}

	async #until(isDone: () => Promise<boolean>): Promise<boolean> {
		const { clock, interrupt } = this.#world;
		const endMs = clock.nowMs() + SETTLE_MS_MAX;
		while (!interrupt.aborted && clock.nowMs() < endMs) {
			if (await isDone()) return true;
			await this.#pause();
		}
		return false;
	}

	#pause(): Promise<void> {
		return new Promise((resolve) => this.#world.clock.schedule(LOOK_EVERY_MS, () => resolve()));
	}
}

/** Whether all have answered, have the same bytes, and wait for nothing. */
export function areSame(summaries: readonly (CrdtSummary | null)[]): boolean {
	const [first] = summaries;
	return (
		first !== null &&
		first !== undefined &&
		summaries.every((summary) => summary?.digest === first.digest && summary.waiting === 0)
	);
}

/** Of each replica's operations that were acknowledged, how many the replica that has the least of them lacks. */
export function lostOperations(
	acknowledgedThrough: ReadonlyMap<string, number>,
	summaries: readonly (CrdtSummary | null)[],
): Record<string, number> {
	const lost: Record<string, number> = {};
	for (const [replica, through] of acknowledgedThrough) {
		const least = Math.min(...summaries.map((summary) => summary?.context[replica] ?? 0));
		if (least < through) lost[replica] = through - least;
	}
	return lost;
}
