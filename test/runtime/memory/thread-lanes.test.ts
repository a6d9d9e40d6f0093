/**
 * Goal: between threads' lanes, nothing published is overlooked, system records come first and can not starve users,
 * each producer gets its turn, and large messages arrive whole or not at all.
 * Method: several producers and one consumer in one thread, on real shared memory.
 */
import { describe, expect, it } from "vitest";
import { controlWords, threadStates } from "../../../runtime/memory/control-layout.ts";
import {
	AssemblyBudget,
	ControlBlock,
	createControl,
	createLane,
	type DrainVerdict,
	FRAGMENTED_BYTES_MAX,
	FragmentSender,
	InboundLanes,
	type InboundLanesOptions,
	type LanePair,
	LaneWriter,
	type Outbound,
	OutboundLanes,
	RecordHeader,
	recordKinds,
	SYSTEM_RECORDS_MAX,
} from "../../../runtime/memory/index.ts";

const CONSUMER = 40;
let laneId = 0;

function lanePair(producer: number, capacityBytes = 4096): LanePair {
	const ends = { producer, consumer: CONSUMER, capacityBytes };
	return { user: createLane({ ...ends, id: ++laneId }), system: createLane({ ...ends, id: ++laneId }) };
}

interface Bench {
	readonly control: SharedArrayBuffer;
	readonly block: ControlBlock;
	readonly inbound: InboundLanes;
	producer(slot: number, lanes?: LanePair): { readonly lanes: OutboundLanes; readonly to: Outbound };
}

function setUp(options: InboundLanesOptions = {}): Bench {
	const control = createControl();
	const block = new ControlBlock(control, CONSUMER);
	block.beginLife();
	const inbound = new InboundLanes(block, options);
	return {
		control,
		block,
		inbound,
		producer(slot, pair = lanePair(slot)) {
			inbound.attach(slot, pair);
			const lanes = new OutboundLanes(control, slot);
			return { lanes, to: lanes.attach(CONSUMER, pair) };
		},
	};
}

function send(lanes: OutboundLanes, to: Outbound, writer: LaneWriter, target: number): void {
	const header = new RecordHeader();
	header.target = target;
	expect(writer.append(header, new Uint8Array(8).fill(target))).toBe("ok");
	lanes.touch(to);
}

const nothing = (): DrainVerdict => {
	throw new Error("nothing was sent here");
};

describe("inbound and outbound lanes", () => {
	it("find the records of every slot, 0 to 63", () => {
		const { inbound, producer } = setUp();
		const slots = Array.from({ length: 64 }, (_, slot) => slot).filter((slot) => slot !== CONSUMER);
		const producers = slots.map((slot) => producer(slot));
		producers.forEach(({ lanes, to }, i) => {
			send(lanes, to, to.user, slots[i] as number);
			expect(lanes.flush()).toBe(1);
			expect(lanes.flush()).toBe(0);
		});
		const seen: number[] = [];
		const take = (header: RecordHeader): DrainVerdict => {
			expect(header.producer).toBe(header.target);
			seen.push(header.target);
			return "next";
		};
		expect(inbound.drain(nothing, take)).toBe("idle");
		expect(seen).toEqual(slots);
		expect(inbound.drain(nothing, nothing)).toBe("idle");
	});

	it("drain system lanes first, at most 64 records a turn", () => {
		const { inbound, producer } = setUp();
		const a = producer(1);
		const b = producer(2);
		for (let i = 0; i < 50; i++) {
			send(a.lanes, a.to, a.to.system, 1);
			send(b.lanes, b.to, b.to.system, 2);
		}
		send(a.lanes, a.to, a.to.user, 3);
		a.lanes.flush();
		b.lanes.flush();
		const turns: string[] = [];
		let log = "";
		const system = (header: RecordHeader): DrainVerdict => {
			log += header.target === 1 ? "a" : "b";
			return "next";
		};
		const user = (): DrainVerdict => {
			log += "U";
			return "next";
		};
		let outcome: string;
		do {
			outcome = inbound.drain(system, user);
			turns.push(log);
			log = "";
		} while (outcome === "more");
		expect(turns).toEqual([`${"a".repeat(50)}${"b".repeat(SYSTEM_RECORDS_MAX - 50)}U`, "b".repeat(36)]);
	});

	it("give each producer its slice, go on where the last turn ended, and stop at the turn's limit", () => {
		const { inbound, producer } = setUp();
		for (const slot of [3, 5, 35]) {
			const { lanes, to } = producer(slot);
			for (let i = 0; i < 10; i++) send(lanes, to, to.user, slot);
			lanes.flush();
		}
		const log: number[] = [];
		const user = (header: RecordHeader): DrainVerdict => {
			log.push(header.target);
			return "next";
		};
		const limits = { sliceRecords: 4, turnRecords: 10 };
		expect(inbound.drain(nothing, user, limits)).toBe("more");
		expect(log.splice(0)).toEqual([3, 3, 3, 3, 5, 5, 5, 5, 35, 35]);
		expect(inbound.drain(nothing, user, limits)).toBe("more");
		expect(log.splice(0)).toEqual([3, 3, 3, 3, 5, 5, 5, 5, 35, 35]);
		expect(inbound.drain(nothing, user, limits)).toBe("idle");
		expect(log).toEqual([3, 3, 5, 5, 35, 35, 35, 35, 35, 35]);
	});

	it("hold a lane whose receiver leaves its record, and serve the others", () => {
		const { inbound, producer } = setUp();
		for (const slot of [1, 2]) {
			const { lanes, to } = producer(slot);
			for (let i = 0; i < 2; i++) send(lanes, to, to.user, slot);
			lanes.flush();
		}
		const log: number[] = [];
		let refuse = true;
		const user = (header: RecordHeader): DrainVerdict => {
			if (header.target === 1 && refuse) return "leave";
			log.push(header.target);
			return "next";
		};
		expect(inbound.drain(nothing, user)).toBe("held");
		expect(inbound.drain(nothing, user)).toBe("held");
		refuse = false;
		expect(inbound.drain(nothing, user)).toBe("idle");
		expect(log).toEqual([2, 2, 1, 1]);
	});

	it("end the turn when the receiver says stop, with its record taken", () => {
		const { inbound, producer } = setUp();
		const { lanes, to } = producer(1);
		for (const serial of [1, 2]) send(lanes, to, to.user, serial);
		lanes.flush();
		const log: number[] = [];
		const user = (header: RecordHeader): DrainVerdict => {
			log.push(header.target);
			return "stop";
		};
		expect(inbound.drain(nothing, user)).toBe("held");
		expect(log).toEqual([1]);
		expect(inbound.drain(nothing, user)).toBe("idle");
		expect(log).toEqual([1, 2]);
	});

	it("find what was published before the consumer knew the lane", () => {
		const { control, inbound } = setUp();
		const pair = lanePair(7);
		const lanes = new OutboundLanes(control, 7);
		const to = lanes.attach(CONSUMER, pair);
		send(lanes, to, to.user, 9);
		lanes.flush();
		expect(inbound.drain(nothing, nothing)).toBe("idle");
		inbound.attach(7, pair);
		let seen = 0;
		const take = (header: RecordHeader): DrainVerdict => {
			seen = header.target;
			return "next";
		};
		inbound.drain(nothing, take);
		expect(seen).toBe(9);
	});

	it("ring a parked consumer, and a busy or dead one never", () => {
		const { block, producer } = setUp();
		const a = producer(1);
		const b = producer(2);
		send(a.lanes, a.to, a.to.user, 1);
		a.lanes.flush();
		expect(block.state).toBe("running");
		block.words.store(controlWords.state, threadStates.parkedAsync);
		expect(block.state).toBe("parkedAsync");
		send(a.lanes, a.to, a.to.user, 1);
		send(b.lanes, b.to, b.to.user, 1);
		a.lanes.flush();
		expect([block.words.load(controlWords.doorbell), block.ring()]).toEqual([1, true]);
		b.lanes.flush();
		block.markDead();
		expect([block.state, block.ring()]).toEqual(["dead", false]);
	});
});

describe("a writer that waits for room", () => {
	it("is told once, when half of the lane is free or what it needs", () => {
		for (const [waitsFor, freeBeforeOffer] of [
			[8, 2048],
			[1900, 2048],
		] as const) {
			const { control, inbound, producer } = setUp({ freeTaken: true });
			const { lanes, to } = producer(1);
			const own = new ControlBlock(control, 1);
			own.beginLife();
			while (to.user.append(new RecordHeader(), new Uint8Array(32)) === "ok");
			lanes.touch(to);
			lanes.flush();
			expect(to.user.awaitRoom(waitsFor)).toBe(false);
			const told: number[] = [];
			let freed = 0;
			while (told.length === 0) {
				inbound.drain(nothing, () => "stop");
				freed += 64;
				lanes.takeRoom((outbound) => told.push(outbound.slot));
			}
			expect(freed).toBeGreaterThanOrEqual(freeBeforeOffer - 128);
			expect(freed).toBeLessThanOrEqual(freeBeforeOffer + 64);
			expect(told).toEqual([CONSUMER]);
			expect(to.user.reserve(waitsFor)).toBeGreaterThan(0);
			inbound.drain(nothing, () => "next");
			expect(lanes.takeRoom(() => undefined)).toBe(0);
		}
	});

	it("keeps its thread from parking until it has looked, and is woken if it sleeps", () => {
		const { control, inbound, producer } = setUp({ freeTaken: true });
		const { lanes, to } = producer(1);
		const own = new ControlBlock(control, 1);
		own.beginLife();
		while (to.user.append(new RecordHeader(), new Uint8Array(32)) === "ok");
		lanes.touch(to);
		lanes.flush();
		expect(to.user.awaitRoom(32)).toBe(false);
		own.words.store(controlWords.state, threadStates.parkedAsync);
		inbound.drain(nothing, () => "next");
		expect([own.state, own.hasAnnounced()]).toEqual(["parkedAsync", true]);
		expect(own.words.load(controlWords.doorbell)).toBeGreaterThan(0);
		expect(lanes.takeRoom(() => undefined)).toBe(1);
		expect(own.hasAnnounced()).toBe(false);
	});

	it("needs not wait when room came in between", () => {
		const { inbound, producer } = setUp({ freeTaken: true });
		const { lanes, to } = producer(1);
		while (to.user.append(new RecordHeader(), new Uint8Array(32)) === "ok");
		lanes.touch(to);
		lanes.flush();
		inbound.drain(nothing, () => "next");
		expect(to.user.awaitRoom(32)).toBe(true);
		expect(lanes.takeRoom(() => undefined)).toBe(0);
	});
});

describe("a message in fragments", () => {
	const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7) ^ (i >> 8));

	function header(): RecordHeader {
		const made = new RecordHeader();
		made.kind = recordKinds.ask;
		made.target = 77;
		made.correlation = 5;
		made.schema = 3;
		return made;
	}

	/** Sends all, draining and freeing whenever the lane is full. */
	function pump(sender: FragmentSender, lanes: OutboundLanes, to: Outbound, drain: () => void): void {
		for (let i = 0; i < 10_000; i++) {
			const outcome = sender.send(to.user);
			lanes.touch(to);
			lanes.flush();
			if (outcome === "sent") return;
			drain();
		}
		throw new Error("the lane never had room");
	}

	it("arrives whole and with its own kind, through a lane a fifth of its size", () => {
		const { inbound, producer } = setUp({ freeTaken: true });
		const { lanes, to } = producer(1);
		const got: Buffer[] = [];
		const take = (record: RecordHeader, whole: Buffer, start: number, end: number): DrainVerdict => {
			expect(record).toMatchObject({ kind: recordKinds.ask, target: 77, correlation: 5, schema: 3 });
			got.push(whole.subarray(start, end));
			return "next";
		};
		const drain = (): void => {
			inbound.drain(nothing, take);
		};
		for (const sizeBytes of [1, 463, 464, 465, 20_000]) {
			pump(new FragmentSender(header(), bytes.subarray(0, sizeBytes)), lanes, to, drain);
			drain();
			expect(Uint8Array.from(got.pop() ?? [])).toEqual(bytes.subarray(0, sizeBytes));
		}
		expect(inbound.torn).toBe(0);
	});

	it("needs no free by the receiver, whose earlier records stay until they are processed", () => {
		const { inbound, producer } = setUp();
		const { lanes, to } = producer(1);
		send(lanes, to, to.user, 1);
		const order: number[] = [];
		const sequences: number[] = [];
		const take = (record: RecordHeader): DrainVerdict => {
			order.push(record.target);
			sequences.push(record.sequence);
			return "next";
		};
		const user = inbound.from(1)?.user;
		const drain = (): void => {
			inbound.drain(nothing, take);
			// A dedicated thread: one record after the other is processed and then freed.
			for (const sequence of sequences.splice(0)) user?.free(sequence);
		};
		pump(new FragmentSender(header(), bytes), lanes, to, drain);
		pump(new FragmentSender(header(), bytes), lanes, to, drain);
		send(lanes, to, to.user, 2);
		lanes.flush();
		drain();
		expect(order).toEqual([1, 77, 77, 2]);
		expect(user?.freed).toBe(to.user.sequence);
	});

	it("is dropped and reported when its producer died in the middle", () => {
		const torn: number[] = [];
		const budget = new AssemblyBudget();
		const { inbound, producer } = setUp({ freeTaken: true, budget, onTorn: (record) => torn.push(record.target) });
		const pair = lanePair(1);
		const { lanes, to } = producer(1, pair);
		const order: number[] = [];
		const take = (record: RecordHeader): DrainVerdict => {
			order.push(record.target);
			return "next";
		};
		expect(new FragmentSender(header(), bytes).send(to.user)).toBe("full");
		lanes.touch(to);
		lanes.flush();
		inbound.drain(nothing, take);
		expect(budget.heldBytes).toBe(bytes.length);
		const successor = new LaneWriter(pair.user);
		const small = new RecordHeader();
		small.target = 5;
		successor.append(small, new Uint8Array(8));
		new FragmentSender(header(), bytes.subarray(0, 900)).send(successor);
		successor.publish();
		inbound.drain(nothing, take);
		inbound.from(1)?.user.freeTaken();
		expect([order, torn]).toEqual([[], []]);
		send(lanes, to, to.system, 0);
		lanes.flush();
		inbound.drain(() => "next", take);
		expect(order).toEqual([5, 77]);
		expect(torn).toEqual([5]);
		expect([inbound.torn, budget.heldBytes]).toEqual([1, 0]);
	});

	it("is dropped and reported when its consumer died in the middle", () => {
		const { control, inbound, producer, block } = setUp();
		const pair = lanePair(1);
		const { lanes, to } = producer(1, pair);
		const sender = new FragmentSender(header(), bytes.subarray(0, 5000));
		sender.send(to.user);
		lanes.touch(to);
		lanes.flush();
		inbound.drain(nothing, nothing);
		expect(block.beginLife()).toBe(2);
		const successor = new InboundLanes(new ControlBlock(control, CONSUMER));
		successor.attach(1, pair);
		expect(sender.send(to.user)).toBe("sent");
		send(lanes, to, to.user, 2);
		lanes.flush();
		const order: number[] = [];
		const take = (record: RecordHeader): DrainVerdict => {
			order.push(record.target);
			return "next";
		};
		successor.drain(nothing, take);
		expect(order).toEqual([2]);
		expect(successor.torn).toBe(1);
	});

	it("is offered again when its receiver leaves it", () => {
		const { inbound, producer } = setUp();
		const { lanes, to } = producer(1);
		let refusals = 3;
		const got: number[] = [];
		const take = (_record: RecordHeader, whole: Buffer): DrainVerdict => {
			if (refusals-- > 0) return "leave";
			got.push(whole.length);
			return "next";
		};
		new FragmentSender(header(), bytes.subarray(0, 900)).send(to.user);
		lanes.touch(to);
		lanes.flush();
		for (let i = 0; i < 3; i++) expect(inbound.drain(nothing, take)).toBe("held");
		expect(inbound.drain(nothing, take)).toBe("idle");
		expect(got).toEqual([900]);
	});

	it("waits in its lane while the memory for others is taken", () => {
		const budget = new AssemblyBudget(FRAGMENTED_BYTES_MAX);
		const { inbound, producer } = setUp({ budget });
		const { lanes, to } = producer(1);
		expect(budget.take(FRAGMENTED_BYTES_MAX - 100)).toBe(true);
		new FragmentSender(header(), bytes.subarray(0, 900)).send(to.user);
		lanes.touch(to);
		lanes.flush();
		expect(inbound.drain(nothing, nothing)).toBe("held");
		budget.giveBack(FRAGMENTED_BYTES_MAX - 100);
		let got = 0;
		inbound.drain(nothing, (_record, whole) => {
			got = whole.length;
			return "next";
		});
		expect([got, budget.heldBytes]).toEqual([900, 0]);
	});

	it("is refused over 8 MiB", () => {
		expect(() => new FragmentSender(header(), new Uint8Array(FRAGMENTED_BYTES_MAX + 1))).toThrow(
			expect.objectContaining({ code: "message-too-large" }),
		);
	});
});

describe("a control block", () => {
	it("names the dispatch, until it ends or the next life begins", () => {
		const block = new ControlBlock(createControl(), 3);
		expect([block.state, block.epoch, block.currentDispatch()]).toEqual(["vacant", 0, undefined]);
		expect(block.beginLife()).toBe(1);
		const header = new RecordHeader();
		Object.assign(header, { target: 9, targetIncarnation: 2, schema: 4, producer: 6, sequence: 4096 });
		block.beginDispatch(header, 12_345, 1);
		const dispatch = {
			actor: 9,
			incarnation: 2,
			schema: 4,
			kind: recordKinds.tell,
			startMs: 12_345,
			producer: 6,
			sequence: 4096,
			attempts: 1,
		};
		expect(block.currentDispatch()).toEqual(dispatch);
		block.markDead();
		expect([block.state, block.currentDispatch()]).toEqual(["dead", dispatch]);
		expect(block.beginLife()).toBe(2);
		expect(block.currentDispatch()).toBeUndefined();
		block.beginDispatch(header, 1, 0);
		block.endDispatch();
		expect(block.currentDispatch()).toBeUndefined();
	});

	it("keeps slots apart, and refuses foreign memory", () => {
		const control = createControl();
		const first = new ControlBlock(control, 0);
		const last = new ControlBlock(control, 63);
		last.beat(5, 6, 7);
		last.beginLife();
		expect(first.heartbeat()).toEqual({ atMs: 0, heapKib: 0, externalKib: 0 });
		expect(last.heartbeat()).toEqual({ atMs: 5, heapKib: 6, externalKib: 7 });
		expect([first.state, last.state]).toEqual(["vacant", "running"]);
		expect(() => new ControlBlock(new SharedArrayBuffer(64), 0)).toThrow(
			expect.objectContaining({ code: "lane-foreign" }),
		);
	});
});
