/** The lanes of a simulation: what is on its way, what waits, and what outlives the thread that was to read it. */

import { type EnvelopeHead, type LaneKind, THREADS_MAX, type ThreadSlot } from "../actor/index.ts";
import type { EncodedPayload } from "./payload-codec.ts";

/** One message in a lane. */
export interface LaneRecord {
	readonly head: EnvelopeHead;
	readonly from: ThreadSlot;
	readonly encoded: EncodedPayload;
	readonly protocol: string | null;
	readonly messageType: string | null;
	/** Of the bytes as they were sent. */
	readonly payloadHash: number;
	/** In virtual time; 0 is none. */
	readonly deadlineMs: number;
	/** How often its handling was cut off. */
	redelivered: number;
	/** Handed to the kernel; it counts as drained from then on. */
	isHanded: boolean;
	/** It has killed its thread too often, or by lack of memory. */
	isQuarantined: boolean;
	/** Its bytes do not fit its checksum any more. */
	readonly isDamaged: boolean;
}

/** From one slot to another, of one kind. It belongs to the slots and survives the threads in them. */
export class Lane {
	readonly from: ThreadSlot;
	readonly to: ThreadSlot;
	readonly kind: LaneKind;
	readonly #inbox: Inbox;
	/** Sent, but not yet published by a flush: lost when the sender dies. */
	unpublished: LaneRecord[] = [];
	/** Published, and come into the reader's sight; the first is at work or the next to be. */
	readonly visible: LaneRecord[] = [];
	/** Published and under way. */
	inFlight = 0;
	/** What is under way, batch by batch as it was flushed. */
	readonly batches: LaneRecord[][] = [];
	/** Wrapping int32 counts, as the transport contract has them. */
	published = 0;
	drained = 0;
	/** What is published later does not arrive earlier. */
	lastArrivalMs = 0;
	/** Senders that wait for room. */
	readonly waiters: (() => void)[] = [];

	constructor(from: ThreadSlot, to: ThreadSlot, kind: LaneKind, inbox: Inbox) {
		this.from = from;
		this.to = to;
		this.kind = kind;
		this.#inbox = inbox;
	}

	/** Brings a record into the reader's sight. */
	show(record: LaneRecord): void {
		if (this.visible.length === 0) this.#inbox.waiting.push(this);
		this.visible.push(record);
	}

	/** The first record that is in sight is done with. */
	free(): void {
		this.visible.shift();
		if (this.visible.length === 0) this.#hide();
	}

	/** Takes everything out of sight, and returns how much that was. */
	clear(): number {
		const count = this.visible.length;
		this.visible.length = 0;
		if (count > 0) this.#hide();
		return count;
	}

	#hide(): void {
		const { waiting } = this.#inbox;
		waiting.splice(waiting.indexOf(this), 1);
	}

	/** Brings the earliest batch that is under way into the reader's sight; false when there is none. */
	arrive(): boolean {
		const records = this.batches.shift();
		if (records === undefined) return false;
		this.inFlight -= records.length;
		for (const record of records) this.show(record);
		return true;
	}

	/** Brings everything that is under way; false when there is nothing. */
	land(): boolean {
		let any = false;
		while (this.arrive()) any = true;
		return any;
	}

	/** Messages that take up room. */
	get length(): number {
		return this.unpublished.length + this.inFlight + this.visible.length;
	}
}

/** The lanes of one kind that lead to one slot, in order of their first use. */
export class Inbox {
	readonly lanes: Lane[] = [];
	/** Lanes that have something to read; none is the usual case. */
	readonly waiting: Lane[] = [];
}

/** The user lanes to a slot, or from it. */
export type LaneDirection = "in" | "out";

/** All lanes of a simulation, made at first use. */
export class Lanes {
	/** Whose lanes take nothing more, whatever is in them. */
	readonly #stopped = new Set<{ readonly slot: ThreadSlot; readonly direction: LaneDirection }>();
	/** By kind, sender and reader. Of its full length from the start: what grows by far steps is looked up like a dictionary. */
	readonly #lanes = new Array<Lane | undefined>(2 * THREADS_MAX * THREADS_MAX);
	readonly #inboxes: (Inbox | undefined)[] = [];

	between(from: ThreadSlot, to: ThreadSlot, kind: LaneKind): Lane {
		const key = (kindNumber(kind) * THREADS_MAX + from) * THREADS_MAX + to;
		const known = this.#lanes[key];
		if (known !== undefined) return known;
		const inbox = this.inbox(to, kind);
		const lane = new Lane(from, to, kind, inbox);
		this.#lanes[key] = lane;
		inbox.lanes.push(lane);
		return lane;
	}

	inbox(to: ThreadSlot, kind: LaneKind): Inbox {
		const key = kindNumber(kind) * THREADS_MAX + to;
		const known = this.#inboxes[key];
		if (known !== undefined) return known;
		const inbox = new Inbox();
		this.#inboxes[key] = inbox;
		return inbox;
	}

	outbound(from: ThreadSlot): readonly Lane[] {
		const found: Lane[] = [];
		for (let row: number = from; row < 2 * THREADS_MAX; row += THREADS_MAX) {
			for (let to = 0; to < THREADS_MAX; to++) {
				const lane = this.#lanes[row * THREADS_MAX + to];
				if (lane !== undefined) found.push(lane);
			}
		}
		return found;
	}

	/** From now on these lanes are full. Returns the way to end that, which returns the lanes that take messages again. */
	stop(slot: ThreadSlot, direction: LaneDirection): () => readonly Lane[] {
		const entry = { slot, direction };
		this.#stopped.add(entry);
		return () => {
			this.#stopped.delete(entry);
			const concerned = this.#lanes.filter((lane) => lane !== undefined && concerns(entry, lane));
			return (concerned as Lane[]).filter((lane) => !this.isStopped(lane));
		};
	}

	isStopped(lane: Lane): boolean {
		if (this.#stopped.size === 0) return false;
		for (const entry of this.#stopped) if (concerns(entry, lane)) return true;
		return false;
	}
}

/** System lanes are never full. */
function concerns(
	{ slot, direction }: { readonly slot: ThreadSlot; readonly direction: LaneDirection },
	lane: Lane,
): boolean {
	return lane.kind === "user" && (direction === "in" ? lane.to : lane.from) === slot;
}

function kindNumber(kind: LaneKind): number {
	return kind === "user" ? 1 : 0;
}
