/**
 * The main thread's list of all lanes. A lane is made by the thread that sends on it, announced here, handed to its
 * consumer and kept: the list is what lets a lane outlive both of its threads.
 */
import { must } from "../../protocols/core/index.ts";
import { type LaneKind, sequenceReached, type ThreadSlot } from "../actor/index.ts";
import { type LanePair, LaneReader, laneStatus, type RecordHeader, recordKinds } from "../memory/index.ts";
import type { RecordPlace } from "./thread-memory.ts";
import type { LaneChains, LaneNews } from "./thread-orders.ts";

interface Pair {
	readonly from: ThreadSlot;
	readonly to: ThreadSlot;
	readonly user: SharedArrayBuffer[];
	readonly system: SharedArrayBuffer[];
}

const laneKinds: readonly LaneKind[] = ["user", "system"];

export class LaneExchange {
	readonly #pairs = new Map<number, Pair>();
	readonly #tell: (to: ThreadSlot, news: LaneNews) => void;
	readonly #dropped: (sizeBytes: number) => void;

	/**
	 * @param tell hands news of a lane to its consumer, if that thread lives
	 * @param dropped hears how many bytes an emptied, continued lane gives back
	 */
	constructor(tell: (to: ThreadSlot, news: LaneNews) => void, dropped: (sizeBytes: number) => void) {
		this.#tell = tell;
		this.#dropped = dropped;
	}

	/** Takes what a producer has made. */
	add(news: LaneNews): void {
		const { from, to } = news;
		const key = pairKey(from, to);
		if (news.type === "lanes-made") {
			this.#pairs.set(key, { from, to, user: [news.lanes.user], system: [news.lanes.system] });
		} else {
			const chain = must(this.#pairs.get(key), "a lane that is continued is known")[news.kind];
			this.#prune(chain);
			chain.push(news.lane);
		}
		this.#tell(to, news);
	}

	/** The lanes from and to a slot, for the thread that takes it over. */
	of(slot: ThreadSlot): readonly LaneChains[] {
		const pairs = [...this.#pairs.values()].filter(({ from, to }) => from === slot || to === slot);
		for (const pair of pairs) for (const kind of laneKinds) this.#prune(pair[kind]);
		return pairs;
	}

	/** How far the producer has published on its user lane. */
	publishedThrough(from: ThreadSlot, to: ThreadSlot): number {
		const [first = null, ...rest] = this.#pairs.get(pairKey(from, to))?.user ?? [];
		if (first === null) return 0;
		let through = laneStatus(first).publishedThrough;
		for (const lane of rest) {
			const next = laneStatus(lane).publishedThrough;
			// A successor that its producer did not live to move to is still empty and starts at 0.
			if (next !== 0 && sequenceReached(next, through)) through = next;
		}
		return through;
	}

	/** The first record from that slot that is not freed, if it is the one of this sequence; read in place, not taken. */
	peek<T>(place: RecordPlace, to: ThreadSlot, read: (header: RecordHeader, payload: Buffer) => T): T | null {
		const chain = this.#pairs.get(pairKey(place.from, to))?.[place.kind];
		if (chain === undefined) return null;
		this.#prune(chain);
		const known = lanesById(chain);
		const reader = new LaneReader(chain[0] as SharedArrayBuffer, { laneOf: (id) => known.get(id) });
		let found: T | null = null;
		reader.drain(1, Number.MAX_SAFE_INTEGER, (header, bytes, start, end) => {
			if (header.sequence === place.sequence) found = read(header, bytes.subarray(start, end));
			return "leave";
		});
		return found;
	}

	/** Empties the lanes to a slot that has no thread; returns how many messages waited on the user lanes. */
	discardInbound(slot: ThreadSlot): number {
		let messages = 0;
		for (const pair of this.#pairs.values()) {
			if (pair.to !== slot) continue;
			messages += discard(pair.user);
			discard(pair.system);
		}
		return messages;
	}

	/** A lane that is continued and empty is never written again. */
	#prune(chain: SharedArrayBuffer[]): void {
		while (chain.length > 1 && laneStatus(chain[0] as SharedArrayBuffer).isLeft) {
			this.#dropped(laneStatus(chain.shift() as SharedArrayBuffer).capacityBytes);
		}
	}
}

/** Lanes of a chain by their ids. */
export function lanesById(chain: readonly SharedArrayBuffer[]): Map<number, SharedArrayBuffer> {
	return new Map(chain.map((lane) => [laneStatus(lane).id, lane]));
}

/** The oldest lanes of a pair: both ends attach there and follow. */
export function oldestOf(chains: LaneChains): LanePair {
	return {
		user: must(chains.user[0], "a chain has a lane"),
		system: must(chains.system[0], "a chain has a lane"),
	};
}

function discard(chain: readonly SharedArrayBuffer[]): number {
	const known = lanesById(chain);
	const reader = new LaneReader(chain[0] as SharedArrayBuffer, { laneOf: (id) => known.get(id) });
	let messages = 0;
	reader.drain(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, (header, bytes, start) => {
		// Of a message in fragments the first one counts; its offset is 0.
		if (header.kind !== recordKinds.fragment || bytes.readInt32LE(start + 4) === 0) messages++;
		return "absorb";
	});
	return messages;
}

function pairKey(from: ThreadSlot, to: ThreadSlot): number {
	return from * 64 + to;
}
