/** The lanes of a simulation: what is on its way, what waits, and what outlives the thread that was to read it. */

import type { EnvelopeHead, LaneKind, ThreadSlot } from "../actor/index.ts";
import type { EncodedMessage } from "../codec/index.ts";

/** One message in a lane. */
export interface LaneRecord {
	readonly head: EnvelopeHead;
	readonly from: ThreadSlot;
	encoded: EncodedMessage;
	readonly protocol: string | null;
	readonly messageType: string | null;
	/** Of the bytes as they were sent. */
	readonly payloadHash: number;
	/** How often its handling was cut off. */
	redelivered: number;
	/** Handed to the kernel; it counts as drained from then on. */
	isHanded: boolean;
	/** It has killed its thread too often, or by lack of memory. */
	isQuarantined: boolean;
	/** Its bytes do not fit its checksum any more. */
	isDamaged: boolean;
}

/** From one slot to another, of one kind. It belongs to the slots and survives the threads in them. */
export class Lane {
	readonly from: ThreadSlot;
	readonly to: ThreadSlot;
	readonly kind: LaneKind;
	/** Sent, but not yet published by a flush: lost when the sender dies. */
	readonly unpublished: LaneRecord[] = [];
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

	constructor(from: ThreadSlot, to: ThreadSlot, kind: LaneKind) {
		this.from = from;
		this.to = to;
		this.kind = kind;
	}

	/** Brings the earliest batch that is under way into the reader's sight; false when there is none. */
	arrive(): boolean {
		const records = this.batches.shift();
		if (records === undefined) return false;
		this.inFlight -= records.length;
		this.visible.push(...records);
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

/** All lanes of a simulation, made at first use. */
export class Lanes {
	readonly #lanes = new Map<string, Lane>();
	readonly #inbound = new Map<string, Lane[]>();

	between(from: ThreadSlot, to: ThreadSlot, kind: LaneKind): Lane {
		const key = `${from}>${to}:${kind}`;
		const known = this.#lanes.get(key);
		if (known !== undefined) return known;
		const lane = new Lane(from, to, kind);
		this.#lanes.set(key, lane);
		const inbound = this.#inbound.get(`${to}:${kind}`);
		if (inbound === undefined) this.#inbound.set(`${to}:${kind}`, [lane]);
		else inbound.push(lane);
		return lane;
	}

	/** The lanes that lead to a slot, in order of their first use. */
	inbound(to: ThreadSlot, kind: LaneKind): readonly Lane[] {
		return this.#inbound.get(`${to}:${kind}`) ?? [];
	}

	outbound(from: ThreadSlot): readonly Lane[] {
		return [...this.#lanes.values()].filter((lane) => lane.from === from);
	}
}
