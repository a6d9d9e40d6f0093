/** The shared memory of all slots, as the main thread keeps it: who lives where, and what the dead were at. */
import {
	type InterruptedDelivery,
	type InterruptedMessage,
	messageType,
	type ThreadEnd,
	type ThreadSlot,
	type ThreadSpec,
} from "../actor/index.ts";
import { type CodecSpec, MessageCodec } from "../codec/index.ts";
import { ControlBlock, createControl, recordKinds, THREADS_MAX } from "../memory/index.ts";
import { createMetricsMemory, type MetricsMemory } from "../telemetry/index.ts";
import { LaneExchange } from "./lane-exchange.ts";
import { machineNowMs } from "./thread-clock.ts";
import type { Ended, SlotMemory } from "./thread-directory.ts";
import { REDELIVERIES_MAX } from "./thread-limits.ts";
import { createThreadMemory, laneKey, type RecordPlace, ThreadMemory } from "./thread-memory.ts";
import type { Assignment, LaneNews } from "./thread-orders.ts";

export class ThreadSlots implements SlotMemory {
	readonly control: SharedArrayBuffer = createControl();
	readonly memory: SharedArrayBuffer = createThreadMemory();
	readonly metrics: MetricsMemory = createMetricsMemory(THREADS_MAX);
	readonly originMs: number = machineNowMs();
	readonly exchange: LaneExchange;
	readonly #codecSpec: CodecSpec;
	readonly #codec: MessageCodec;
	readonly #seed: number;
	readonly #words: ThreadMemory = new ThreadMemory(this.memory);

	readonly hear: () => void;

	/**
	 * @param tell hands news of a lane to its consumer, if that thread lives
	 * @param hear see {@link SlotMemory.hear}
	 */
	constructor(codecSpec: CodecSpec, seed: number, tell: (to: ThreadSlot, news: LaneNews) => void, hear: () => void) {
		this.hear = hear;
		this.#codecSpec = codecSpec;
		this.#codec = new MessageCodec(codecSpec);
		this.#seed = seed;
		this.exchange = new LaneExchange(tell, (sizeBytes) => this.#words.unbookLane(sizeBytes));
	}

	prepare(slot: ThreadSlot, spec: ThreadSpec, life: number, inherits: boolean): Omit<Assignment, "controlPort"> {
		const words = this.#words.slot(slot);
		words.clear();
		words.setState("running", life);
		return {
			slot,
			name: spec.name,
			life,
			inherits,
			dedicated: spec.dedicated,
			waiting: spec.waiting,
			originMs: this.originMs,
			seed: this.#seed,
			codec: this.#codecSpec,
			control: this.control,
			memory: this.memory,
			metrics: this.metrics,
			lanes: this.exchange.of(slot),
		};
	}

	bury(slot: ThreadSlot, spec: ThreadSpec, end: ThreadEnd): Pick<Ended, "interrupted" | "lost"> {
		const words = this.#words.slot(slot);
		words.setState("dead", this.#words.lifeOf(slot));
		new ControlBlock(this.control, slot).markDead();
		const interrupted = this.#interruptedRecord(slot, end) ?? this.#interruptedHook(slot);
		// On a dedicated thread what waits is still in the lanes.
		return { interrupted, lost: spec.dedicated ? [] : words.waiting() };
	}

	free(slot: ThreadSlot): number {
		const words = this.#words.slot(slot);
		words.setState("free", this.#words.lifeOf(slot));
		words.setRedelivery(null, 0);
		return this.exchange.discardInbound(slot);
	}

	laneNews(news: LaneNews): void {
		this.exchange.add(news);
	}

	ring(slot: ThreadSlot): void {
		new ControlBlock(this.control, slot).ring();
	}

	/**
	 * The lane record that the thread was in. It is still in its lane and comes again, so count: after out-of-memory, or
	 * after it has been interrupted too often, the next thread gives it to dead letters unseen.
	 */
	#interruptedRecord(slot: ThreadSlot, end: ThreadEnd): InterruptedDelivery | null {
		const words = this.#words.slot(slot);
		const dispatch = new ControlBlock(this.control, slot).currentDispatch();
		if (dispatch === undefined) return null;
		const isUser = dispatch.kind === recordKinds.tell || dispatch.kind === recordKinds.ask;
		const place: RecordPlace = {
			from: dispatch.producer as ThreadSlot,
			kind: isUser ? "user" : "system",
			sequence: dispatch.sequence,
		};
		const interrupted = this.exchange.peek(place, slot, (header, payload): InterruptedDelivery => {
			const sender =
				header.sender === 0 ? null : { slot: place.from, actor: header.sender, incarnation: header.senderIncarnation };
			const type = header.kind === recordKinds.fragment ? null : this.#typeOfRecord(header.schema, payload);
			const message: InterruptedMessage = { messageType: type, sender, deliveries: dispatch.attempts + 1 };
			return { actor: header.target, message };
		});
		// Freed before the thread died: it was processed.
		if (interrupted === null) return null;
		const interruptions = words.interruptionsOf(laneKey(place.from, place.kind), place.sequence) + 1;
		words.setRedelivery(place, end.cause === "out-of-memory" ? REDELIVERIES_MAX + 1 : interruptions);
		return interrupted;
	}

	/** A message that no lane carries: told on the same thread, or taken over by a mailbox before. It does not come again. */
	#interruptedHook(slot: ThreadSlot): InterruptedDelivery | null {
		const dispatch = this.#words.slot(slot).dispatch();
		if (dispatch === null || (dispatch.kind !== "tell" && dispatch.kind !== "ask")) return null;
		const { actor, messageType, sender } = dispatch;
		return { actor, message: { messageType, sender, deliveries: 1 } };
	}

	#typeOfRecord(schema: number, payload: Buffer): string | null {
		const [, type] = this.#codec.nameOf(schema).split("/");
		if (type !== undefined) return type;
		try {
			return messageType(this.#codec.decode(schema, payload, 0, payload.length));
		} catch {
			// It could not be decoded: that is a reason to have died of it, and no reason to fail here.
			return null;
		}
	}
}
