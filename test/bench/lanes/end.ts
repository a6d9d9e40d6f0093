/** One thread's end of a pair of lanes, as small as it can be: what the lanes themselves can do, without actors. */
import { MessageCodec as Codec, type MessageCodec, type ProtocolLayouts } from "../../../runtime/codec/index.ts";
import {
	ControlBlock,
	createControl,
	createLane,
	type DrainLimits,
	type DrainOutcome,
	InboundLanes,
	LANE_FULL,
	type LanePair,
	type OnRecord,
	type Outbound,
	OutboundLanes,
	RecordHeader,
	recordKinds,
} from "../../../runtime/memory/index.ts";
import { benchCodec } from "./messages.ts";

/** The shared memory of two threads, cloneable: slot 0 is the driver, slot 1 the peer. */
export interface PairMemory {
	readonly control: SharedArrayBuffer;
	readonly fromDriver: LanePair;
	readonly fromPeer: LanePair;
}

export function createPair(capacityBytes: number): PairMemory {
	let id = 0;
	const pair = (producer: number, consumer: number): LanePair => ({
		user: createLane({ id: ++id, producer, consumer, capacityBytes }),
		system: createLane({ id: ++id, producer, consumer, capacityBytes: 4096 }),
	});
	return { control: createControl(), fromDriver: pair(0, 1), fromPeer: pair(1, 0) };
}

const turnLimits: DrainLimits = { turnRecords: 1024, sliceRecords: 128, sliceBytes: 8192 };

export class LaneEnd {
	readonly block: ControlBlock;
	readonly inbound: InboundLanes;
	readonly outbound: OutboundLanes;
	readonly codec: MessageCodec = new Codec(benchCodec);
	readonly raft: ProtocolLayouts | undefined = this.codec.protocol("raft");
	readonly header: RecordHeader = new RecordHeader();
	readonly #to: Outbound;

	constructor(memory: PairMemory, slot: 0 | 1) {
		const [inLanes, outLanes] =
			slot === 0 ? [memory.fromPeer, memory.fromDriver] : [memory.fromDriver, memory.fromPeer];
		this.block = new ControlBlock(memory.control, slot);
		this.block.beginLife();
		this.inbound = new InboundLanes(this.block, { freeTaken: true });
		this.inbound.attach(1 - slot, inLanes);
		this.outbound = new OutboundLanes(memory.control, slot);
		this.#to = this.outbound.attach(1 - slot, outLanes);
	}

	/** Encodes straight into the lane. False if it is full. */
	tell(message: unknown, kind: number = recordKinds.tell, correlation = 0): boolean {
		const { codec, header } = this;
		const writer = this.#to.user;
		const at = writer.reserve(codec.prepare(message, this.raft));
		if (at === LANE_FULL) return false;
		header.kind = kind;
		header.correlation = correlation;
		header.schema = codec.schema;
		writer.commit(header, codec.write(writer.bytes, writer.view, at) - at);
		this.outbound.touch(this.#to);
		return true;
	}

	/** After a flush: whether there is room for the message now; else the other thread will announce it. */
	awaitRoom(message: unknown): boolean {
		return this.#to.user.awaitRoom(this.codec.prepare(message, this.raft));
	}

	/** One turn of the inbound lanes, freeing what was handed out. */
	turn(onUser: OnRecord): DrainOutcome {
		return this.inbound.drain(onUser, onUser, turnLimits);
	}
}
