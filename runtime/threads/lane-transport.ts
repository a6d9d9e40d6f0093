/**
 * The transport of one thread: envelopes in and out over lanes. A lane is made by the thread that first sends on it, so
 * a tell never waits for one; main keeps it and hands it to its consumer.
 *
 * On a dedicated thread a record's space is freed only after its message is processed: what a dead thread left
 * behind is still in the lane, and its successor begins there. On a shared thread records move to the actors' own
 * mailboxes as they are drained.
 */
import { assert, QuorateError } from "../../protocols/core/index.ts";
import type { Address, ThreadSlot } from "../actor/address.ts";
import { THREADS_MAX } from "../actor/address.ts";
import type { Clock } from "../actor/clock.ts";
import type {
	DeliverVerdict,
	Envelope,
	EnvelopeHead,
	EnvelopeKind,
	LaneKind,
	Receiver,
	Transport,
} from "../actor/ports.ts";
import type { TellVerdict } from "../actor/ref.ts";
import type { MessageCodec } from "../codec/index.ts";
import type { DrainVerdict, RecordHeader } from "../memory/index.ts";
import { recordFlags, recordKinds } from "../memory/index.ts";
import { InboundLane } from "./inbound-lane.ts";
import { OutboundLane } from "./outbound-lane.ts";
import { REDELIVERIES_MAX } from "./thread-limits.ts";
import { laneKey, type SlotWords, type ThreadMemory } from "./thread-memory.ts";
import type { LaneGrant } from "./thread-orders.ts";

/** One drain of one lane hands out at most this much before the next lane has its turn. */
const DRAIN_BYTES_MAX: number = 256 * 1024;
/** How soon a sender that waits for room looks again. */
const READY_POLL_MS = 1;
/** Callbacks that may wait for room; one for each `tellWhenReady` under way. */
export const READY_WAITERS_MAX = 65_536;

/** How the transport wakes others and learns who has woken it: this thread's view of the control blocks. */
export interface Doorbells {
	/** Lanes from this slot have something new; wakes the thread of `to` if it sleeps. */
	ring(to: ThreadSlot): void;
	/** Takes the set of slots that have rung since the last call, and calls `each` for every one. */
	takeRung(each: (from: ThreadSlot) => void): void;
}

export interface LaneTransportOptions {
	readonly slot: ThreadSlot;
	readonly dedicated: boolean;
	readonly codec: MessageCodec;
	/** Schema number → protocol; see {@link protocolsBySchema}. */
	readonly protocols: readonly (string | null)[];
	readonly clock: Clock;
	readonly memory: ThreadMemory;
	readonly doorbells: Doorbells;
	/** A lane was made: main must keep it and hand it on. */
	readonly announce: (grant: LaneGrant) => void;
}

const kinds: Readonly<Record<number, EnvelopeKind>> = {
	[recordKinds.tell]: "tell",
	[recordKinds.ask]: "ask",
	[recordKinds.reply]: "reply",
	[recordKinds.failure]: "failure",
	[recordKinds.signal]: "signal",
};

export class LaneTransport implements Transport {
	readonly slot: ThreadSlot;
	readonly #options: LaneTransportOptions;
	readonly #dedicated: boolean;
	readonly #codec: MessageCodec;
	readonly #memory: ThreadMemory;
	readonly #words: SlotWords;
	readonly #doorbells: Doorbells;
	readonly #outbound: Readonly<Record<LaneKind, (OutboundLane | undefined)[]>>;
	readonly #inbound: Readonly<Record<LaneKind, Inbound>>;
	/** Outbound lanes with something to publish. */
	readonly #unpublished: OutboundLane[] = [];
	readonly #waiting = new Map<ThreadSlot, (() => void)[]>();
	#waiters = 0;
	#polling = false;

	/** The user lane whose record is `in-progress`. */
	#held: InboundLane | null = null;

	/** What was sent last, for a broadcast: the same object to the next thread is copied, not encoded again. */
	#lastPayload: unknown = undefined;
	#lastProtocol: string | null = null;
	#lastLane: OutboundLane | null = null;

	constructor(options: LaneTransportOptions) {
		this.slot = options.slot;
		this.#options = options;
		this.#dedicated = options.dedicated;
		this.#codec = options.codec;
		this.#memory = options.memory;
		this.#words = options.memory.slot(options.slot);
		this.#doorbells = options.doorbells;
		this.#outbound = { system: new Array(THREADS_MAX), user: new Array(THREADS_MAX) };
		this.#inbound = { system: new Inbound(), user: new Inbound() };
		this.#redeliveryKey = this.#words.redeliveryKey;
		this.#redeliveryPosition = this.#words.redeliveryPosition;
		this.#redeliveryCount = this.#words.redeliveryCount;
	}

	/** Takes a lane of which this thread is one end. Lanes of one pair come oldest first. */
	attach(grant: LaneGrant): void {
		if (grant.to === this.slot) {
			const inbound = this.#inbound[grant.kind];
			const known = inbound.bySlot[grant.from];
			if (known !== undefined) known.continueWith(grant.lane);
			else inbound.add(new InboundLane(grant.from, grant.kind, grant.lane, this.#codec.fingerprint));
			inbound.mark(grant.from);
		} else {
			assert(grant.from === this.slot, "a grant names this thread");
			// Of a predecessor's lanes only the last is written.
			this.#outbound[grant.kind][grant.to] = this.#newOutbound(grant.to, grant.kind, grant.lane);
		}
	}

	send(head: EnvelopeHead, payload: unknown, protocol: string | null): TellVerdict {
		const to = head.target.slot;
		assert(to !== this.slot, "what stays on a thread takes no lane");
		if (this.#memory.isFree(to)) return "dead";
		const kind: LaneKind = head.kind === "tell" || head.kind === "ask" ? "user" : "system";
		const lane = this.#outbound[kind][to] ?? this.#open(to, kind);
		if (lane === null) return "full";
		fillHeader(lane.header, head);
		const wasIdle = !lane.hasUnpublished;
		let verdict: TellVerdict;
		const last = this.#lastLane;
		if (
			protocol !== null &&
			payload === this.#lastPayload &&
			protocol === this.#lastProtocol &&
			last !== null &&
			last !== lane
		) {
			verdict = lane.copyLast(last);
		} else {
			verdict = this.#encode(lane, payload, protocol);
		}
		if (verdict === "ok" && wasIdle) this.#unpublished.push(lane);
		return verdict;
	}

	#encode(lane: OutboundLane, payload: unknown, protocol: string | null): TellVerdict {
		const layouts = protocol === null ? undefined : this.#codec.protocol(protocol);
		let verdict: TellVerdict;
		try {
			verdict = lane.encode(this.#codec, payload, layouts);
		} catch (error) {
			if (error instanceof QuorateError && error.code === "message-too-large") return "too-large";
			throw error;
		}
		// Only messages in a protocol's layouts are shared: those come from machines that never change what they sent.
		const shareable = verdict === "ok" && layouts !== undefined;
		this.#lastPayload = shareable ? payload : undefined;
		this.#lastProtocol = protocol;
		this.#lastLane = shareable ? lane : null;
		return verdict;
	}

	flush(): void {
		this.#lastPayload = undefined;
		this.#lastLane = null;
		const lanes = this.#unpublished;
		if (lanes.length === 0) return;
		for (const lane of lanes) {
			lane.publish();
			this.#doorbells.ring(lane.to);
		}
		lanes.length = 0;
	}

	drain(kind: LaneKind, limit: number, receiver: Receiver): number {
		if (kind === "user" && this.#held !== null) return 0;
		const inbound = this.#inbound[kind];
		this.#doorbells.takeRung(this.#mark);
		this.#receiver = receiver;
		this.#stopped = false;
		let delivered = 0;
		for (let lane = inbound.next(); lane !== undefined && delivered < limit; lane = inbound.next()) {
			this.#current = lane;
			this.#currentKey = laneKey(lane.from, kind);
			delivered += lane.drain(limit - delivered, DRAIN_BYTES_MAX, this.#take);
			if (!this.#dedicated) lane.freeTaken();
			if (lane.hasMore) inbound.mark(lane.from);
			if (this.#stopped) break;
		}
		this.#current = null;
		return delivered;
	}

	release(): void {
		const lane = this.#held;
		assert(lane !== null, "something is in progress when it is released");
		this.#held = null;
		lane.freeTaken();
		this.#words.undeliver();
		if (lane.hasMore) this.#inbound.user.mark(lane.from);
	}

	whenReady(slot: ThreadSlot, callback: () => void): void {
		assert(this.#waiters < READY_WAITERS_MAX, "waiters for room are bounded");
		const waiting = this.#waiting.get(slot);
		if (waiting === undefined) this.#waiting.set(slot, [callback]);
		else waiting.push(callback);
		this.#waiters++;
		this.#poll();
	}

	sentThrough(to: ThreadSlot): number {
		return this.#outbound.user[to]?.sequence ?? 0;
	}

	drainedThrough(from: ThreadSlot): number {
		return this.#inbound.user.bySlot[from]?.taken ?? 0;
	}

	/** Whether a drain would find something. */
	get hasArrivals(): boolean {
		this.#doorbells.takeRung(this.#mark);
		return this.#inbound.system.hasMarks || (this.#held === null && this.#inbound.user.hasMarks);
	}

	readonly #mark = (from: ThreadSlot): void => {
		this.#inbound.system.mark(from);
		this.#inbound.user.mark(from);
	};

	#receiver: Receiver | null = null;
	#current: InboundLane | null = null;
	#currentKey = 0;
	#stopped = false;
	#redeliveryKey: number;
	#redeliveryPosition: number;
	readonly #redeliveryCount: number;

	/** Takes one record: decodes it, hands it to the kernel, frees it. One function for all lanes: no closure per drain. */
	readonly #take = (header: RecordHeader, bytes: Buffer, start: number, end: number): DrainVerdict => {
		const lane = this.#current as InboundLane;
		const receiver = this.#receiver as Receiver;
		const interruptions = this.#interruptionsOf(header.position);
		if (interruptions > REDELIVERIES_MAX) return this.#quarantine(header, bytes, start, end);
		let payload: unknown;
		try {
			payload = this.#codec.decode(header.schema, bytes, start, end);
		} catch (cause) {
			receiver.refuse(this.#headOf(header), null, "undecodable", cause);
			return this.#processed(lane, header.sequence);
		}
		const envelope = new LaneEnvelope(header, this.slot, this.#deadlineOf(header), payload, interruptions);
		envelope.protocol = this.#options.protocols[header.schema] ?? null;
		// Read before the kernel gets the message: a handler may drain no further, but the header is used again.
		const { sequence } = header;
		if (this.#dedicated) this.#words.deliver(this.#currentKey, header.position);
		const verdict: DeliverVerdict = receiver.deliver(envelope);
		if (verdict === "processed") return this.#processed(lane, sequence);
		this.#stopped = true;
		if (verdict === "later") {
			this.#words.undeliver();
			return "leave";
		}
		assert(this.#dedicated && lane.kind === "user", "only a dedicated thread keeps a record in progress");
		this.#held = lane;
		return "stop";
	};

	#processed(lane: InboundLane, sequence: number): DrainVerdict {
		if (this.#dedicated) lane.freeThrough(sequence);
		return "next";
	}

	#interruptionsOf(position: number): number {
		if (this.#redeliveryKey !== this.#currentKey || this.#redeliveryPosition !== position) return 0;
		return this.#redeliveryCount;
	}

	#quarantine(header: RecordHeader, bytes: Buffer, start: number, end: number): DrainVerdict {
		const lane = this.#current as InboundLane;
		let messageType: string | null = null;
		let cause: unknown = null;
		try {
			const payload = this.#codec.decode(header.schema, bytes, start, end);
			const { type } = (payload ?? {}) as { readonly type?: unknown };
			if (typeof type === "string") messageType = type;
		} catch (undecodable) {
			cause = undecodable;
		}
		const { sequence } = header;
		(this.#receiver as Receiver).refuse(this.#headOf(header), messageType, "quarantined", cause);
		return this.#processed(lane, sequence);
	}

	#headOf(header: RecordHeader): EnvelopeHead {
		return new LaneEnvelope(header, this.slot, this.#deadlineOf(header), undefined, 0);
	}

	/** The deadline travels as whole milliseconds modulo 2^32; it lies within 2^31 ms of now. */
	#deadlineOf(header: RecordHeader): number {
		if (header.deadlineMs === 0) return 0;
		const nowMs = Math.floor(this.#options.clock.nowMs());
		return nowMs + ((header.deadlineMs - nowMs) | 0);
	}

	/** Makes the first lane to a thread; null when lanes have used up their memory. */
	#open(to: ThreadSlot, kind: LaneKind): OutboundLane | null {
		const made = OutboundLane.make(this.slot, to, kind, this.#memory, this.#codec.fingerprint);
		if (made === null) return null;
		const lane = this.#newOutbound(to, kind, made);
		this.#outbound[kind][to] = lane;
		this.#options.announce({ from: this.slot, to, kind, lane: made });
		return lane;
	}

	#newOutbound(to: ThreadSlot, kind: LaneKind, lane: SharedArrayBuffer): OutboundLane {
		return new OutboundLane({ ...this.#options, from: this.slot, to, kind }, lane);
	}

	#poll(): void {
		if (this.#polling) return;
		this.#polling = true;
		this.#options.clock.schedule(READY_POLL_MS, () => {
			this.#polling = false;
			for (const [slot, callbacks] of [...this.#waiting]) {
				const ready = this.#memory.isFree(slot) || (this.#outbound.user[slot]?.hasRoom ?? true);
				if (!ready) continue;
				this.#waiting.delete(slot);
				this.#waiters -= callbacks.length;
				for (const callback of callbacks) callback();
			}
			if (this.#waiting.size > 0) this.#poll();
		});
	}
}

/** The inbound lanes of one kind, and which of them may hold something. */
class Inbound {
	readonly bySlot: (InboundLane | undefined)[] = new Array(THREADS_MAX);
	/** Slots with a lane, in the order of their arrival; drains start where the last one ended. */
	readonly #slots: ThreadSlot[] = [];
	readonly #marked = new Uint8Array(THREADS_MAX);
	#marks = 0;
	#at = 0;

	add(lane: InboundLane): void {
		this.bySlot[lane.from] = lane;
		this.#slots.push(lane.from);
		if (this.#marked[lane.from] === 1) this.#marks++;
	}

	/** Marks a lane; what is marked before its lane arrives counts from then on. */
	mark(from: ThreadSlot): void {
		if (this.#marked[from] === 1) return;
		this.#marked[from] = 1;
		if (this.bySlot[from] !== undefined) this.#marks++;
	}

	get hasMarks(): boolean {
		return this.#marks > 0;
	}

	/** Unmarks and returns the next marked lane. */
	next(): InboundLane | undefined {
		if (this.#marks === 0) return undefined;
		for (;;) {
			this.#at = this.#at + 1 < this.#slots.length ? this.#at + 1 : 0;
			const slot = this.#slots[this.#at] as ThreadSlot;
			if (this.#marked[slot] === 1) {
				this.#marked[slot] = 0;
				this.#marks--;
				return this.bySlot[slot];
			}
		}
	}
}

/** An envelope as it comes out of a lane. */
class LaneEnvelope implements Envelope {
	readonly kind: EnvelopeKind;
	readonly target: Address;
	readonly sender: Address | null;
	readonly correlation: number;
	readonly deadlineMs: number;
	readonly priority: "normal" | "high";
	readonly from: ThreadSlot;
	readonly payload: unknown;
	protocol: string | null = null;
	readonly redelivered: number;

	constructor(header: RecordHeader, to: ThreadSlot, deadlineMs: number, payload: unknown, redelivered: number) {
		const from = header.producer as ThreadSlot;
		this.kind = kinds[header.kind] ?? "signal";
		this.target = { slot: to, actor: header.target, incarnation: header.targetIncarnation };
		this.sender =
			header.sender === 0 ? null : { slot: from, actor: header.sender, incarnation: header.senderIncarnation };
		this.correlation = header.correlation;
		this.deadlineMs = deadlineMs;
		this.priority = (header.flags & recordFlags.urgent) === 0 ? "normal" : "high";
		this.from = from;
		this.payload = payload;
		this.redelivered = redelivered;
	}
}

function fillHeader(header: RecordHeader, head: EnvelopeHead): void {
	header.kind = recordKinds[head.kind];
	header.flags = head.priority === "high" ? recordFlags.urgent : 0;
	header.target = head.target.actor;
	header.targetIncarnation = head.target.incarnation;
	const { sender } = head;
	if (sender === null) {
		header.sender = 0;
		header.senderIncarnation = 0;
	} else {
		header.sender = sender.actor;
		header.senderIncarnation = sender.incarnation;
	}
	header.correlation = head.correlation;
	header.deadlineMs = head.deadlineMs === 0 ? 0 : Math.ceil(head.deadlineMs) | 0 || 1;
}
