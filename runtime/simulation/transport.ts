/** The transport of one life of a virtual thread. */
import { type Generator, QuorateError } from "../../protocols/core/index.ts";
import {
	type DeliverVerdict,
	type EnvelopeHead,
	type LaneKind,
	messageType,
	type Receiver,
	type TellVerdict,
	type ThreadSlot,
	type Transport,
} from "../actor/index.ts";
import { damagedOnTheWay } from "./errors.ts";
import type { Lane, LaneRecord, Lanes } from "./lanes.ts";
import type { NetworkDelivery, NetworkPolicy } from "./network.ts";
import type { EncodedPayload, PayloadCodec } from "./payload-codec.ts";
import type { Machine } from "./thread-clock.ts";
import { type DurationRange, drawMs, type Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

/** What all transports of one simulation share. */
export interface Fabric {
	readonly timeline: Timeline;
	readonly trace: Trace;
	readonly lanes: Lanes;
	readonly codec: PayloadCodec;
	readonly net: Generator;
	readonly schedule: Generator;
	readonly latencyMs: DurationRange;
	readonly laneCapacity: number;
	network: NetworkPolicy | null;
	/** The slot was never used or has been given back. */
	isGone(slot: ThreadSlot): boolean;
	/** Something has become visible to that slot. */
	wake(slot: ThreadSlot): void;
}

export class VirtualTransport implements Transport {
	readonly slot: ThreadSlot;
	readonly #fabric: Fabric;
	readonly #machine: Machine;
	readonly #unflushed = new Set<Lane>();
	/** Sent over the network, and not flushed yet. */
	#outgoing: { lane: Lane; record: LaneRecord; deliveries: readonly NetworkDelivery[] }[] = [];
	/** The lane whose first record an asynchronous handler is at work on. */
	#inProgress: Lane | null = null;
	/** The lane whose first record was put off, so that it comes first next time. */
	#putOff: Lane | null = null;
	/** Whose record is being handed to the kernel now. */
	#delivering: Lane | null = null;
	#isMuted = false;
	readonly #published: (messageType: string | null) => void;

	/**
	 * @param machine whose clock the deadlines of messages are on. They travel as virtual time, as links between machines tell
	 * how much time is left: a clock that is ahead does not make every ask expire.
	 * @param published is told of each message for others as it becomes visible to them; it may end the thread by throwing
	 */
	constructor(fabric: Fabric, slot: ThreadSlot, machine: Machine, published: (messageType: string | null) => void) {
		this.#fabric = fabric;
		this.#machine = machine;
		this.slot = slot;
		this.#published = published;
	}

	/** The thread is dead: nothing that its code still does reaches anybody. */
	mute(): void {
		this.#isMuted = true;
		for (const lane of this.#unflushed) lane.unpublished = [];
		this.#unflushed.clear();
		this.#outgoing.length = 0;
	}

	/** The record that was at work when the thread died. */
	get atWork(): LaneRecord | null {
		const lane = this.#inProgress ?? this.#delivering;
		return lane?.kind === "user" ? (lane.visible[0] ?? null) : null;
	}

	send(head: EnvelopeHead, payload: unknown, protocol: string | null): TellVerdict {
		const fabric = this.#fabric;
		const to = head.target.slot;
		if (this.#isMuted || fabric.isGone(to)) return "dead";
		const kind: LaneKind = head.kind === "tell" || head.kind === "ask" ? "user" : "system";
		const lane = fabric.lanes.between(this.slot, to, kind);
		if (kind === "user" && isFull(fabric, lane)) return "full";
		let encoded: EncodedPayload;
		try {
			encoded = fabric.codec.encode(payload, protocol);
		} catch (error) {
			if (error instanceof QuorateError && error.code === "message-too-large") return "too-large";
			throw error;
		}
		const record: LaneRecord = {
			head,
			from: this.slot,
			encoded,
			protocol,
			messageType: messageType(payload),
			payloadHash: encoded.hash,
			deadlineMs: head.deadlineMs === 0 ? 0 : this.#machine.toVirtual(head.deadlineMs),
			redelivered: 0,
			isHanded: false,
			isQuarantined: false,
			isDamaged: false,
		};
		const { nowMs } = fabric.timeline;
		const deliveries =
			kind === "user" ? (fabric.network?.deliveries(head, payload, nowMs, encoded.lengthBytes) ?? null) : null;
		this.#traceRecord("sent", record, deliveries === null ? 1 : deliveries.length);
		if (deliveries !== null) {
			this.#outgoing.push({ lane, record, deliveries });
			return "ok";
		}
		lane.unpublished.push(record);
		this.#unflushed.add(lane);
		return "ok";
	}

	/** A record that travels alone: it counts as published when it arrives. */
	#overNetwork(lane: Lane, original: LaneRecord, { afterMs, gate, corruption }: NetworkDelivery): void {
		const { timeline, codec } = this.#fabric;
		let record = original;
		if (corruption !== undefined) {
			const encoded = codec.flipped(original.encoded, corruption.flips);
			record = { ...original, encoded, isDamaged: corruption.isChecked && encoded.hash !== original.payloadHash };
		}
		if (gate === undefined) this.#arriveAfter(timeline, lane, record, afterMs);
		else gate.pass(() => this.#arriveAfter(timeline, lane, record, afterMs));
	}

	#arriveAfter(timeline: Timeline, lane: Lane, record: LaneRecord, afterMs: number): void {
		timeline.quietlyAfter(afterMs, () => {
			// A network drops what finds no room; that is one more loss to the protocol.
			if (this.#fabric.isGone(lane.to) || isFull(this.#fabric, lane)) return;
			lane.published = (lane.published + 1) | 0;
			lane.show(record);
			this.#fabric.wake(lane.to);
		});
	}

	flush(): void {
		if (this.#isMuted) return;
		for (const lane of this.#unflushed) {
			const records = this.#publish(lane);
			this.#unflushed.delete(lane);
			if (lane.kind === "user") for (const { messageType } of records) this.#published(messageType);
		}
		if (this.#outgoing.length === 0) return;
		const outgoing = this.#outgoing;
		this.#outgoing = [];
		for (const { lane, record, deliveries } of outgoing) {
			for (let i = 0; i < deliveries.length; i++) {
				// What becomes of one copy is nothing to the others.
				this.#overNetwork(lane, i === 0 ? record : { ...record }, deliveries[i] as NetworkDelivery);
			}
			this.#published(record.messageType);
		}
	}

	/** Returns what will become visible to the reader, together. */
	#publish(lane: Lane): readonly LaneRecord[] {
		const { timeline, net, latencyMs } = this.#fabric;
		const records = lane.unpublished;
		lane.unpublished = [];
		lane.published = (lane.published + records.length) | 0;
		lane.inFlight += records.length;
		lane.lastArrivalMs = Math.max(lane.lastArrivalMs, timeline.nowMs + drawMs(net, latencyMs));
		lane.batches.push(records);
		// Of two arrivals at the same time either event may come first: each brings the earliest batch.
		timeline.quietlyAfter(lane.lastArrivalMs - timeline.nowMs, () => {
			if (lane.arrive()) this.#fabric.wake(lane.to);
		});
		return records;
	}

	drain(kind: LaneKind, limit: number, receiver: Receiver): number {
		if (this.#isMuted || (kind === "user" && this.#inProgress !== null)) return 0;
		let count = 0;
		for (const lane of this.#inOrder(kind)) {
			while (lane.visible.length > 0 && count < limit) {
				const record = lane.visible[0] as LaneRecord;
				const verdict = this.#hand(lane, record, receiver);
				if (this.#isMuted) return count;
				if (verdict === "later") {
					this.#putOff = lane;
					return count;
				}
				count += 1;
				if (!record.isHanded) {
					record.isHanded = true;
					lane.drained = (lane.drained + 1) | 0;
				}
				if (verdict === "in-progress") {
					this.#inProgress = lane;
					return count;
				}
				this.#free(lane);
			}
		}
		return count;
	}

	/**
	 * The lanes with something to read: one that was put off first, then all from a drawn one on, since readers of real lanes
	 * meet them in any order too.
	 */
	#inOrder(kind: LaneKind): readonly Lane[] {
		const { waiting } = this.#fabric.lanes.inbox(this.slot, kind);
		if (waiting.length === 0) return waiting;
		const putOff = kind === "user" ? this.#putOff : null;
		if (kind === "user") this.#putOff = null;
		if (waiting.length === 1) return [waiting[0] as Lane];
		if (putOff !== null) return [putOff, ...waiting.filter((lane) => lane !== putOff)];
		const start = this.#fabric.schedule.below(waiting.length);
		return [...waiting.slice(start), ...waiting.slice(0, start)];
	}

	#hand(lane: Lane, record: LaneRecord, receiver: Receiver): DeliverVerdict {
		const { head, from, protocol, redelivered } = record;
		if (record.isQuarantined) {
			receiver.refuse(head, record.messageType, "quarantined", null);
			return "processed";
		}
		if (record.isDamaged) {
			this.#traceRecord("refused", record, 1);
			receiver.refuse(
				head,
				record.messageType,
				"undecodable",
				damagedOnTheWay({ lengthBytes: record.encoded.lengthBytes }),
			);
			return "processed";
		}
		let payload: unknown;
		try {
			payload = this.#fabric.codec.decode(record.encoded);
		} catch (error) {
			this.#traceRecord("refused", record, 1);
			receiver.refuse(head, record.messageType, "undecodable", error);
			return "processed";
		}
		this.#delivering = lane;
		const { kind, target, sender, correlation, priority } = head;
		const deadlineMs = record.deadlineMs === 0 ? 0 : this.#machine.fromVirtual(record.deadlineMs);
		const verdict = receiver.deliver({
			kind,
			target,
			sender,
			correlation,
			deadlineMs,
			priority,
			from,
			payload,
			protocol,
			redelivered,
		});
		this.#delivering = null;
		return verdict;
	}

	#traceRecord(step: "sent" | "refused", { head, messageType, payloadHash }: LaneRecord, copies: number): void {
		const { trace, timeline } = this.#fabric;
		const { slot, actor } = head.target;
		trace.add(timeline.nowMs, step, this.slot, slot, actor, head.kind, messageType ?? "", payloadHash, copies);
	}

	#free(lane: Lane): void {
		lane.free();
		callWaiters(this.#fabric, lane);
	}

	release(): void {
		const lane = this.#inProgress;
		if (this.#isMuted || lane === null) return;
		this.#inProgress = null;
		this.#free(lane);
	}

	/** A thread's messages are on a network here, which may lose them. */
	handOver(): boolean {
		return false;
	}

	whenReady(slot: ThreadSlot, callback: () => void): void {
		const lane = this.#fabric.lanes.between(this.slot, slot, "user");
		const once = (): void => {
			if (!this.#isMuted) callback();
		};
		if (!isFull(this.#fabric, lane)) this.#fabric.timeline.after(0, once);
		else lane.waiters.push(once);
	}

	sentThrough(to: ThreadSlot): number {
		const lane = this.#fabric.lanes.between(this.slot, to, "user");
		return (lane.published + lane.unpublished.length) | 0;
	}

	drainedThrough(from: ThreadSlot): number {
		return this.#fabric.lanes.between(from, this.slot, "user").drained;
	}
}

function isFull({ laneCapacity, lanes }: Fabric, lane: Lane): boolean {
	return lane.length >= laneCapacity || lanes.isStopped(lane);
}

/** Whoever waits for room hears of it, once there is enough. */
export function callWaiters({ laneCapacity, lanes, timeline, net, latencyMs }: Fabric, lane: Lane): void {
	if (lane.waiters.length === 0 || lane.length > laneCapacity / 2 || lanes.isStopped(lane)) return;
	for (const callback of lane.waiters.splice(0)) timeline.after(drawMs(net, latencyMs), callback);
}
