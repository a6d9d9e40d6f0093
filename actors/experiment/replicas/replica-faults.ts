/** What is done to replicas while they are edited: threads are killed, links cut, and deleted text is freed. */
import { type Generator, QuorateError } from "../../../protocols/core/index.ts";
import type { Clock } from "../../../runtime/index.ts";
import type { ReplicaGroup } from "../../crdt-synchronizer/index.ts";
import type { LinkBoard } from "./typing-replica.ts";

export interface CrdtFaultPlan {
	readonly killMs: number | null;
	readonly cutMs: number | null;
	readonly collectMs: number | null;
}

export interface CrdtFaultWorld {
	readonly group: ReplicaGroup;
	readonly links: LinkBoard;
	readonly clock: Clock;
	readonly generator: Generator;
	readonly note: (text: string) => void;
	readonly interrupt: AbortSignal;
}

/** How long a killed thread may take to come back when everything is mended. */
const BACK_MS_MAX = 30_000;
const LOOK_EVERY_MS = 20;

export class CrdtFaults {
	readonly #plan: CrdtFaultPlan;
	readonly #world: CrdtFaultWorld;
	readonly #down = new Set<string>();
	readonly #due = { kill: Number.POSITIVE_INFINITY, cut: Number.POSITIVE_INFINITY, collect: Number.POSITIVE_INFINITY };
	#healsAtMs: number | null = null;
	#kills = 0;
	#restarts = 0;
	#cuts = 0;
	#heard: { unsubscribe(): void } | null = null;

	constructor(plan: CrdtFaultPlan, world: CrdtFaultWorld) {
		this.#plan = plan;
		this.#world = world;
	}

	get counts(): { readonly kills: number; readonly restarts: number; readonly cuts: number } {
		return { kills: this.#kills, restarts: this.#restarts, cuts: this.#cuts };
	}

	/** Whether a replica's thread runs, as far as is known. */
	isUp(node: string): boolean {
		return !this.#down.has(node);
	}

	get isCut(): boolean {
		return this.#healsAtMs !== null;
	}

	begin(): void {
		const { group, clock } = this.#world;
		this.#heard = group.events$.subscribe(({ node, event }) => {
			if (node === null) return;
			if (event.type === "thread-ended") this.#down.add(node);
			if (event.type !== "participant-started" || !this.#down.delete(node)) return;
			this.#restarts += 1;
			this.#world.note(`${node} is back`);
		});
		const nowMs = clock.nowMs();
		const { killMs, cutMs, collectMs } = this.#plan;
		this.#due.kill = nowMs + (killMs ?? Number.POSITIVE_INFINITY);
		this.#due.cut = nowMs + (cutMs ?? Number.POSITIVE_INFINITY) / 2;
		this.#due.collect = nowMs + (collectMs ?? Number.POSITIVE_INFINITY);
	}

	end(): void {
		this.#heard?.unsubscribe();
	}

	/** Does what is due. */
	async tick(): Promise<void> {
		const nowMs = this.#world.clock.nowMs();
		const { killMs, cutMs, collectMs } = this.#plan;
		if (this.#healsAtMs !== null && nowMs >= this.#healsAtMs) this.#heal();
		if (cutMs !== null && nowMs >= this.#due.cut && !this.isCut) {
			this.#due.cut = nowMs + cutMs;
			this.#cut(nowMs + cutMs / 2);
		}
		if (killMs !== null && nowMs >= this.#due.kill && this.#down.size === 0) {
			this.#due.kill = nowMs + killMs;
			await this.#kill();
		}
		if (collectMs !== null && nowMs >= this.#due.collect) {
			this.#due.collect = nowMs + collectMs;
			await this.#collect();
		}
	}

	/** All links whole, all threads up. */
	async mend(): Promise<void> {
		this.#heal();
		const { clock, interrupt } = this.#world;
		const endMs = clock.nowMs() + BACK_MS_MAX;
		while (this.#down.size > 0 && clock.nowMs() < endMs && !interrupt.aborted) {
			await new Promise<void>((resolve) => clock.schedule(LOOK_EVERY_MS, () => resolve()));
		}
	}

	async #kill(): Promise<void> {
		const { group, generator, note } = this.#world;
		const node = generator.pick(group.nodes);
		this.#kills += 1;
		this.#down.add(node);
		note(`the thread of ${node} is killed`);
		await group.kill(node);
	}

	#cut(untilMs: number): void {
		const { group, generator, links, note } = this.#world;
		const members = group.nodes.map((_node, member) => member);
		const side = members.filter(() => generator.chance(0.5));
		const isProper = side.length > 0 && side.length < members.length;
		const half = isProper ? side : [generator.below(members.length)];
		links.cut(half);
		this.#cuts += 1;
		this.#healsAtMs = untilMs;
		note(`${half.map((member) => group.nodes[member]).join(", ")}: cut off from the others`);
	}

	#heal(): void {
		if (this.#healsAtMs === null) return;
		this.#healsAtMs = null;
		this.#world.links.cut([]);
		this.#world.note("all links are whole");
	}

	/** The group may be cut, or its leader dead: then it comes to nothing, which is no fault. */
	async #collect(): Promise<void> {
		const { group } = this.#world;
		const leader = group.nodes[0]!;
		if (!this.isUp(leader)) return;
		try {
			await Promise.race([group.request(leader, { type: "collect" }), this.#pauseMs(LOOK_EVERY_MS)]);
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
		}
	}

	#pauseMs(ms: number): Promise<void> {
		return new Promise((resolve) => this.#world.clock.schedule(ms, () => resolve()));
	}
}
