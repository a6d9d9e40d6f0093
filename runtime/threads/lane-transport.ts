/**
 * The transport of one thread: envelopes in and out over lanes. Lanes are made by the thread that first sends on them,
 * so a tell never waits for one; main keeps them and hands them to their consumer.
 *
 * A record's space is freed when the next one begins, or at the end of the drain: only after its message was processed.
 * So what a dead thread left behind is still in the lanes, the record it died on included, and its successor begins
 * there. On a shared thread `processed` means that the actor's own mailbox has taken the message over.
 */
import { assert, QuorateError } from "../../protocols/core/index.ts";
import {
	type Address,
	type Clock,
	type Envelope,
	type EnvelopeHead,
	type EnvelopeKind,
	type LaneKind,
	messageType,
	type Receiver,
	type TellVerdict,
	THREADS_MAX,
	type ThreadSlot,
	type Transport,
} from "../actor/index.ts";
import type { MessageCodec } from "../codec/index.ts";
import {
	type ControlBlock,
	type DrainVerdict,
	FLUSH_BYTES,
	InboundLanes,
	type LaneReader,
	type Outbound,
	OutboundLanes,
	type RecordHeader,
	recordFlags,
	recordKinds,
} from "../memory/index.ts";
import { lanesById, oldestOf } from "./lane-exchange.ts";
import { laneFactory } from "./lane-factory.ts";
import { OutboundLane } from "./outbound-lane.ts";
import { REDELIVERIES_MAX } from "./thread-limits.ts";
import { laneKey, type SlotWords, type ThreadMemory } from "./thread-memory.ts";
import type { LaneChains, LaneNews } from "./thread-orders.ts";

/** A sender that waits for room looks again with each pass of the event loop for so long, and then at this interval. */
const READY_POLL_MS = 1;
/** Callbacks that may wait for room: one for each `tellWhenReady` under way. */
export const READY_WAITERS_MAX = 65_536;
/**
 * A turn that has sent so many messages to one thread publishes early, so that both work side by side; but not to one that
 * sleeps: it would be woken again and again for a handful. That one is woken by the lane's own limit or the end of the turn.
 */
const EARLY_PUBLISH_MESSAGES = 16;

export interface LaneTransportOptions {
	readonly slot: ThreadSlot;
	readonly codec: MessageCodec;
	/** Schema number → protocol; index 0 is msgpack. */
	readonly protocols: readonly (string | null)[];
	readonly clock: Clock;
	readonly memory: ThreadMemory;
	readonly control: SharedArrayBuffer;
	/** This slot's own. */
	readonly block: ControlBlock;
	/** Lanes were made: main must keep them and hand them on. */
	readonly announce: (news: LaneNews) => void;
}

/**
 * What is handed over is safe and hurries nobody, so who sleeps is woken for it after so long: for the writes of several turns, and of several
 * threads, at once. A thread that ends before has it told by its successor, or by the news of its end.
 */
const HAND_OVER_RING_MS = 5;

/** Places of the address cache; a power of two. */
const ADDRESSES_CACHED = 64;

/** The way to one other thread. */
interface Way {
	readonly outbound: Outbound;
	readonly user: OutboundLane;
	readonly system: OutboundLane;
	/** Messages sent since the last publish. */
	unpublished: number;
	/** Bytes handed over while the other thread slept, since it was rung. */
	quietBytes: number;
}

const envelopeKinds: Readonly<Record<number, EnvelopeKind>> = {
	[recordKinds.tell]: "tell",
	[recordKinds.ask]: "ask",
	[recordKinds.reply]: "reply",
	[recordKinds.failure]: "failure",
	[recordKinds.signal]: "signal",
};

export class LaneTransport implements Transport {
	readonly slot: ThreadSlot;
	readonly #options: LaneTransportOptions;
	readonly #codec: MessageCodec;
	readonly #memory: ThreadMemory;
	readonly #words: SlotWords;
	readonly #inbound: InboundLanes;
	readonly #outbound: OutboundLanes;
	readonly #ways: (Way | undefined)[] = new Array(THREADS_MAX).fill(undefined);
	/** Lanes that readers and writers of this thread may have to follow to, by id. */
	readonly #lanes = new Map<number, SharedArrayBuffer>();
	readonly #waiting = new Map<ThreadSlot, (() => void)[]>();
	#waiters = 0;
	/** To threads that sleep over what was handed over to them; each once. */
	readonly #owed: Way[] = [];
	#polling = false;
	/** When something last got room, or began to wait for it. */
	#roomAtMs = 0;

	/** What was sent last, for a broadcast: the same object to the next thread is copied, not encoded again. */
	#lastPayload: unknown = undefined;
	#lastProtocol: string | null = null;
	#lastLane: OutboundLane | null = null;

	readonly #addresses = new AddressCache();

	/** The drain under way. */
	#receiver: Receiver | null = null;
	#drained = 0;
	/** The kernel has left a record for later. */
	#left = false;
	#nowMs = 0;
	/** The record that was handed out last and is not freed yet. */
	#openLane: LaneReader | null = null;
	#openSequence = 0;
	/** True while that record is in progress. */
	#held = false;

	constructor(options: LaneTransportOptions) {
		this.slot = options.slot;
		this.#options = options;
		this.#codec = options.codec;
		this.#memory = options.memory;
		this.#words = options.memory.slot(options.slot);
		const laneOptions = {
			fingerprint: options.codec.fingerprint,
			laneOf: (id: number) => this.#lanes.get(id),
		};
		this.#inbound = new InboundLanes(options.block, { ...laneOptions, onTorn: (header) => this.#torn(header) });
		this.#outbound = new OutboundLanes(options.control, options.slot, laneOptions);
	}

	/** Takes over the lanes that exist when this thread begins. */
	adopt(chains: readonly LaneChains[]): void {
		for (const chain of chains) {
			for (const kind of ["user", "system"] as const) {
				for (const [id, lane] of lanesById(chain[kind])) this.#lanes.set(id, lane);
			}
			if (chain.to === this.slot) this.#inbound.attach(chain.from, oldestOf(chain));
			else this.#attachWay(chain.to, this.#outbound.attach(chain.to, oldestOf(chain)));
		}
	}

	/** Hears of a lane to this thread. */
	learn(news: LaneNews): void {
		assert(news.to === this.slot, "news of a lane go to its consumer");
		if (news.type === "lanes-made") this.#inbound.attach(news.from, news.lanes);
		else for (const [id, lane] of lanesById([news.lane])) this.#lanes.set(id, lane);
	}

	send(head: EnvelopeHead, payload: unknown, protocol: string | null): TellVerdict {
		const to = head.target.slot;
		assert(to !== this.slot, "what stays on a thread takes no lane");
		if (this.#memory.isFree(to)) return "dead";
		const way = this.#ways[to] ?? this.#open(to);
		const lane = head.kind === "tell" || head.kind === "ask" ? way.user : way.system;
		fillHeader(lane.header, head);
		const verdict = this.#isRepeated(lane, payload, protocol) ? "ok" : this.#encode(lane, payload, protocol);
		if (verdict === "ok") {
			this.#outbound.touch(way.outbound);
			if (++way.unpublished >= EARLY_PUBLISH_MESSAGES) this.#publishEarly(way);
			if (lane.hasBacklog) this.#poll();
		} else if (verdict === "full") {
			// What fills the lane must be visible before anybody waits for room.
			this.#publish(way);
		}
		return verdict;
	}

	/** Only messages in a protocol's layouts are shared: those come from machines that never change what they sent. */
	#isRepeated(lane: OutboundLane, payload: unknown, protocol: string | null): boolean {
		const last = this.#lastLane;
		if (last === null || last === lane || payload !== this.#lastPayload || protocol !== this.#lastProtocol)
			return false;
		return lane.copyLast(last);
	}

	#encode(lane: OutboundLane, payload: unknown, protocol: string | null): TellVerdict {
		const layouts = protocol === null ? undefined : this.#codec.protocol(protocol);
		this.#lastLane = null;
		try {
			const verdict = lane.encode(this.#codec, payload, layouts);
			if (verdict === "ok" && layouts !== undefined) {
				this.#lastPayload = payload;
				this.#lastProtocol = protocol;
				this.#lastLane = lane;
			}
			return verdict;
		} catch (error) {
			if (error instanceof QuorateError && error.code === "message-too-large") return "too-large";
			throw error;
		}
	}

	#publishEarly(way: Way): void {
		way.unpublished = 0;
		if (!way.outbound.isAsleep) way.outbound.flush();
	}

	#publish(way: Way): void {
		way.unpublished = 0;
		way.outbound.flush();
	}

	flush(): void {
		this.#lastPayload = undefined;
		this.#lastLane = null;
		if (this.#outbound.hasTouched) this.#outbound.flush();
	}

	handOver(to: ThreadSlot, wake: "now" | "soon"): boolean {
		const way = this.#ways[to];
		if (way === undefined || this.#memory.isFree(to)) return false;
		if (wake === "now" || way.user.hasBacklog) {
			this.#publish(way);
			return !way.user.hasBacklog;
		}
		const bytes = way.outbound.user.unpublishedBytes;
		way.unpublished = 0;
		if (way.outbound.publish() && way.outbound.isAsleep) this.#oweRing(way, bytes);
		return true;
	}

	/** Who sleeps over what was handed over is woken when that has become much, and soon. */
	#oweRing(way: Way, bytes: number): void {
		way.quietBytes += bytes;
		if (way.quietBytes >= FLUSH_BYTES) {
			way.quietBytes = 0;
			way.outbound.ring();
		} else if (!this.#owed.includes(way)) {
			this.#owed.push(way);
			if (this.#owed.length === 1) this.#options.clock.schedule(HAND_OVER_RING_MS, this.#ringOwed);
		}
	}

	readonly #ringOwed = (): void => {
		for (const way of this.#owed.splice(0)) {
			if (way.quietBytes > 0) way.outbound.ring();
			way.quietBytes = 0;
		}
	};

	drain(kind: LaneKind, limit: number, receiver: Receiver): number {
		if (kind === "user" && this.#held) return 0;
		this.#receiver = receiver;
		this.#drained = 0;
		this.#left = false;
		this.#nowMs = Math.floor(this.#options.clock.nowMs());
		const outcome =
			kind === "system"
				? this.#inbound.drainSystem(this.#take, limit)
				: this.#inbound.drainUsers(this.#take, { turnRecords: limit });
		if (!this.#held) this.#settle();
		// Fragments count against the limit too, and a lane moves on only when its records are freed, as they are now: in
		// both cases there is more at hand, and the kernel must come again.
		const movesOn = outcome === "held" && !this.#held && !this.#left && this.#drained > 0;
		return outcome === "more" || movesOn ? limit : this.#drained;
	}

	release(): void {
		assert(this.#held, "something is in progress when it is released");
		this.#held = false;
		this.#settle();
	}

	whenReady(slot: ThreadSlot, callback: () => void): void {
		assert(this.#waiters < READY_WAITERS_MAX, "waiters for room are bounded");
		const waiting = this.#waiting.get(slot);
		if (waiting === undefined) this.#waiting.set(slot, [callback]);
		else waiting.push(callback);
		this.#poll();
		this.#waiters++;
	}

	sentThrough(to: ThreadSlot): number {
		return this.#ways[to]?.user.sequence ?? 0;
	}

	drainedThrough(from: ThreadSlot): number {
		return this.#inbound.from(from)?.user.taken ?? 0;
	}

	/** Takes one record: frees the one before, decodes this one, hands it to the kernel. */
	readonly #take = (header: RecordHeader, bytes: Buffer, start: number, end: number): DrainVerdict => {
		// While one is in progress the system lanes go on; theirs are freed behind it.
		if (this.#held) return this.#takeBeside(header, bytes, start, end);
		this.#settle();
		const isUser = header.kind === recordKinds.tell || header.kind === recordKinds.ask;
		const { producer, sequence } = header;
		const interruptions = this.#words.interruptionsOf(
			laneKey(producer as ThreadSlot, isUser ? "user" : "system"),
			sequence,
		);
		const inbound = this.#inbound.from(producer);
		assert(inbound !== undefined, "a record comes from a lane");
		this.#options.block.beginDispatch(header, this.#nowMs, interruptions);
		const verdict = this.#deliver(header, bytes, start, end, interruptions);
		if (verdict === "leave") {
			this.#options.block.endDispatch();
			return verdict;
		}
		this.#openLane = isUser ? inbound.user : inbound.system;
		this.#openSequence = sequence;
		return verdict;
	};

	/** A system record beside a user record that is in progress: processed and freed, without touching the dispatch. */
	#takeBeside(header: RecordHeader, bytes: Buffer, start: number, end: number): DrainVerdict {
		const verdict = this.#deliver(header, bytes, start, end, 0);
		assert(verdict === "next", "signals and answers are processed at once");
		return "absorb";
	}

	#deliver(header: RecordHeader, bytes: Buffer, start: number, end: number, interruptions: number): DrainVerdict {
		const receiver = this.#receiver as Receiver;
		this.#drained++;
		if (interruptions > REDELIVERIES_MAX) return this.#quarantine(header, bytes, start, end);
		const envelope = new LaneEnvelope(header, this.slot, this.#nowMs, interruptions, this.#addresses);
		try {
			envelope.payload = this.#codec.decode(header.schema, bytes, start, end);
		} catch (cause) {
			receiver.refuse(envelope, null, "undecodable", cause);
			return "next";
		}
		envelope.protocol = this.#options.protocols[header.schema] ?? null;
		switch (receiver.deliver(envelope)) {
			case "processed":
				return "next";
			case "in-progress":
				this.#held = true;
				return "stop";
			case "later":
				this.#drained--;
				this.#left = true;
				return "leave";
		}
	}

	/** Frees the record that was handed out last. */
	#settle(): void {
		const lane = this.#openLane;
		if (lane === null) return;
		this.#openLane = null;
		lane.free(this.#openSequence);
		this.#options.block.endDispatch();
	}

	#quarantine(header: RecordHeader, bytes: Buffer, start: number, end: number): DrainVerdict {
		let name: string | null = null;
		let cause: unknown = null;
		try {
			name = messageType(this.#codec.decode(header.schema, bytes, start, end));
		} catch (undecodable) {
			cause = undecodable;
		}
		const head = new LaneEnvelope(header, this.slot, this.#nowMs, 0, this.#addresses);
		(this.#receiver as Receiver).refuse(head, name, "quarantined", cause);
		return "next";
	}

	/** A large message that lost its beginning or its end with a thread. */
	#torn(header: RecordHeader): void {
		const head = new LaneEnvelope(header, this.slot, this.#nowMs, 0, this.#addresses);
		(this.#receiver as Receiver).refuse(head, null, "undecodable", null);
	}

	/** Makes the first lanes to a thread. @throws QuorateError `lane-memory-exhausted` */
	#open(to: ThreadSlot): Way {
		const lanes = laneFactory(this.slot, to, this.#memory, this.#codec.fingerprint).pair();
		this.#options.announce({ type: "lanes-made", from: this.slot, to, lanes });
		return this.#attachWay(to, this.#outbound.attach(to, lanes));
	}

	#attachWay(to: ThreadSlot, outbound: Outbound): Way {
		const make = laneFactory(this.slot, to, this.#memory, this.#codec.fingerprint);
		const successorOf = (kind: LaneKind) => (capacityBytes: number) => {
			const lane = make.successor(capacityBytes);
			if (lane !== null) this.#options.announce({ type: "lane-continued", from: this.slot, to, kind, lane });
			return lane;
		};
		const way: Way = {
			outbound,
			user: new OutboundLane("user", outbound.user, successorOf("user")),
			system: new OutboundLane("system", outbound.system, successorOf("system")),
			unpublished: 0,
			quietBytes: 0,
		};
		this.#ways[to] = way;
		return way;
	}

	/** Looks after what waits for room in full lanes: backlogs, and senders that were refused. */
	#poll(): void {
		if (this.#polling) return;
		this.#polling = true;
		const { clock } = this.#options;
		if (this.#waiters === 0) this.#roomAtMs = clock.nowMs();
		// A consumer at work frees room within microseconds; one that is busy otherwise must not cost a core.
		if (clock.nowMs() - this.#roomAtMs < READY_POLL_MS) setImmediate(this.#lookForRoom);
		else clock.schedule(READY_POLL_MS, this.#lookForRoom);
	}

	readonly #lookForRoom = (): void => {
		this.#polling = false;
		let backlogs = 0;
		for (const way of this.#ways) {
			if (way === undefined || !(way.user.hasBacklog || way.system.hasBacklog)) continue;
			const moved = way.system.pump();
			if (way.user.pump() || moved) this.#publish(way);
			if (way.user.hasBacklog || way.system.hasBacklog) backlogs++;
		}
		for (const [slot, callbacks] of [...this.#waiting]) {
			if (!this.#memory.isFree(slot) && !(this.#ways[slot]?.user.hasRoom ?? true)) continue;
			this.#waiting.delete(slot);
			this.#waiters -= callbacks.length;
			this.#roomAtMs = this.#options.clock.nowMs();
			for (const callback of callbacks) callback();
		}
		if (this.#waiting.size > 0 || backlogs > 0) this.#poll();
	};
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
	payload: unknown = undefined;
	protocol: string | null = null;
	readonly redelivered: number;

	constructor(header: RecordHeader, to: ThreadSlot, nowMs: number, redelivered: number, addresses: AddressCache) {
		const from = header.producer as ThreadSlot;
		this.kind = envelopeKinds[header.kind] ?? "signal";
		this.target = addresses.of(to, header.target, header.targetIncarnation);
		this.sender = header.sender === 0 ? null : addresses.of(from, header.sender, header.senderIncarnation);
		this.correlation = header.correlation;
		// It travels as whole milliseconds modulo 2^32, and lies within 2^31 ms of now.
		this.deadlineMs = header.deadlineMs === 0 ? 0 : nowMs + ((header.deadlineMs - nowMs) | 0);
		this.priority = (header.flags & recordFlags.urgent) === 0 ? "normal" : "high";
		this.from = from;
		this.redelivered = redelivered;
	}
}

/** Addresses met before: messages come from few senders to few targets, and an address never changes. */
class AddressCache {
	readonly #known: (Address | undefined)[] = new Array(ADDRESSES_CACHED).fill(undefined);

	of(slot: ThreadSlot, actor: number, incarnation: number): Address {
		const place = (actor + slot * 31) & (ADDRESSES_CACHED - 1);
		const known = this.#known[place];
		if (known !== undefined && known.actor === actor && known.incarnation === incarnation && known.slot === slot) {
			return known;
		}
		const made: Address = { slot, actor, incarnation };
		this.#known[place] = made;
		return made;
	}
}

function fillHeader(header: RecordHeader, head: EnvelopeHead): void {
	const { target, sender } = head;
	header.kind = recordKinds[head.kind];
	header.flags = head.priority === "high" ? recordFlags.urgent : 0;
	header.target = target.actor;
	header.targetIncarnation = target.incarnation;
	header.sender = sender === null ? 0 : sender.actor;
	header.senderIncarnation = sender === null ? 0 : sender.incarnation;
	header.correlation = head.correlation;
	header.deadlineMs = head.deadlineMs === 0 ? 0 : Math.ceil(head.deadlineMs) | 0 || 1;
}
