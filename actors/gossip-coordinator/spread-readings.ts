/**
 * How news spreads in a group, measured where they arrive: the figures by which a gossip protocol is compared, since it has no
 * commit latency. A benchmarker subscribes; nothing is estimated.
 */
import { asyncScheduler, Observable, type SchedulerLike, Subscription } from "rxjs";
import { type NodeId, requireInteger } from "../../protocols/core/index.ts";
import type { GossipGroup, GossipGroupEvent } from "./gossip-group.ts";

/** What became of one message to all. Times are in ms from its arrival at its origin, on the main thread's clock. */
export interface SpreadReading {
	readonly name: string;
	readonly origin: NodeId;
	readonly lamport: number;
	/** Members that ran when it set out, its origin included. */
	readonly members: number;
	/** Those of them that have heard it in the time. */
	readonly heard: number;
	/** Until so many per cent of them had heard it; null when they never did. */
	readonly to50Ms: number | null;
	readonly to99Ms: number | null;
	readonly to100Ms: number | null;
}

export interface SpreadReadingOptions {
	/** How long a message is waited for, in ms, 1 to 3,600,000. Default 10,000. */
	readonly waitMs?: number;
	/** Default: real time. */
	readonly scheduler?: SchedulerLike;
}

/** So many messages are followed at a time; one more ends the oldest, which is told as it stands. */
export const SPREADS_FOLLOWED_MAX = 1_024;
const WAIT_MS_DEFAULT = 10_000;
const WAIT_MS_MAX = 3_600_000;

type UserEvent = Extract<GossipGroupEvent["event"], { type: "user-event" }>;

/**
 * One reading of each message that sets out while it is subscribed to: when all have heard it, or its time is over.
 * @throws QuorateError `invalid-argument`
 * @example readSpreads(group).subscribe(({ to99Ms, heard, members }) => console.log(to99Ms, heard / members));
 */
export function readSpreads(
	group: Pick<GossipGroup, "events$" | "nodes">,
	options: SpreadReadingOptions = {},
): Observable<SpreadReading> {
	const { waitMs = WAIT_MS_DEFAULT, scheduler = asyncScheduler } = options;
	requireInteger("waitMs", waitMs, 1, WAIT_MS_MAX);
	return new Observable((told) => {
		const followed = new Map<string, Spread>();
		const end = (key: string, spread: Spread): void => {
			followed.delete(key);
			spread.over.unsubscribe();
			told.next(spread.reading);
		};
		const hear = ({ node, event, atMs }: GossipGroupEvent): void => {
			if (event.type !== "user-event") return;
			const key = `${event.origin}/${event.lamport}`;
			let spread = followed.get(key);
			if (spread === undefined) {
				// It set out before the subscription, or its time is over.
				if (node !== event.origin) return;
				const [oldest] = followed;
				if (oldest !== undefined && followed.size >= SPREADS_FOLLOWED_MAX) end(...oldest);
				const begun = new Spread(event, group.nodes, atMs);
				followed.set(key, begun);
				begun.over.add(scheduler.schedule(() => end(key, begun), waitMs));
				spread = begun;
			}
			spread.hear(node, atMs);
			if (spread.isWhole) end(key, spread);
		};
		const heard = group.events$.subscribe({
			next: hear,
			error: (error: unknown) => told.error(error),
			// Nobody hears anything any more.
			complete: () => {
				for (const open of [...followed]) end(...open);
				told.complete();
			},
		});
		return () => {
			heard.unsubscribe();
			for (const { over } of followed.values()) over.unsubscribe();
		};
	});
}

/** One message on its way. */
class Spread {
	readonly over: Subscription = new Subscription();
	readonly #event: UserEvent;
	readonly #expected: ReadonlySet<NodeId>;
	readonly #startMs: number;
	readonly #arrivals: Map<NodeId, number> = new Map();

	constructor(event: UserEvent, running: readonly NodeId[], startMs: number) {
		this.#event = event;
		this.#expected = new Set(running);
		this.#startMs = startMs;
	}

	hear(node: NodeId, atMs: number): void {
		if (this.#expected.has(node) && !this.#arrivals.has(node)) this.#arrivals.set(node, atMs - this.#startMs);
	}

	get isWhole(): boolean {
		return this.#arrivals.size === this.#expected.size;
	}

	get reading(): SpreadReading {
		const { name, origin, lamport } = this.#event;
		return {
			name,
			origin,
			lamport,
			members: this.#expected.size,
			heard: this.#arrivals.size,
			to50Ms: this.#untilShare(0.5),
			to99Ms: this.#untilShare(0.99),
			to100Ms: this.#untilShare(1),
		};
	}

	#untilShare(share: number): number | null {
		// Arrivals are told in their order.
		return [...this.#arrivals.values()][Math.ceil(share * this.#expected.size) - 1] ?? null;
	}
}
