/**
 * Goal: on no interleaving of producer and consumer is a record lost, doubled, torn or reordered, and on none do both sleep with
 * work left; also when either of them dies, at any moment, and is replaced.
 * Method: the shipped lane, control block and waiting strategies, explored at every shared access (see explorer.ts). Two
 * records, each of almost half the lane. The first was published before; the second finds the lane full, waits for room, and
 * wraps behind a padding. Planted bugs must be found, or the exploration proves nothing.
 */
import { describe, expect, it } from "vitest";
import { CONTROL_BLOCK_WORDS, controlWords, threadStates } from "../../../runtime/memory/control-layout.ts";
import {
	AsyncParking,
	BlockingParking,
	ControlBlock,
	createControl,
	createLane,
	LANE_FULL,
	LaneReader,
	LaneWriter,
	type Parking,
	RecordHeader,
	type WordsOf,
} from "../../../runtime/memory/index.ts";
import { LANE_HEADER_WORDS, laneWords } from "../../../runtime/memory/lane-layout.ts";
import { LINE_WORDS } from "../../../runtime/memory/shared-words.ts";
import {
	type Exploration,
	Explorer,
	type Fault,
	type Program,
	type ProgramPort,
	type Role,
	Violation,
} from "./explorer.ts";

const PRODUCER = 0;
const CONSUMER = 1;
const CAPACITY = 4096;
/** Seconds on an idle machine. */
const EXPLORATION_MS = 120_000;
const RECORDS = 2;
const PAYLOAD_BYTES = 1950;
/** Where the lane begins, so that the second record does not fit before its end. */
const START = 1096;

interface Shared {
	readonly lane: SharedArrayBuffer;
	readonly control: SharedArrayBuffer;
}

function newShared(): Shared {
	const lane = createLane({ id: 1, producer: PRODUCER, consumer: CONSUMER, capacityBytes: CAPACITY });
	const header = new Int32Array(lane, 0, LANE_HEADER_WORDS);
	header[laneWords.tail] = START;
	header[laneWords.head] = START;
	const writer = new LaneWriter(lane);
	const first = new RecordHeader();
	first.target = 1;
	writer.append(first, new Uint8Array(PAYLOAD_BYTES).fill(1));
	writer.publish();
	return { lane, control: createControl() };
}

/** The ends of the records, by hand: each takes 1,984 bytes, the second has 1,016 bytes of padding before it. */
const sequences = [START, 3080, 6080];

type ParkingOf = (block: ControlBlock, port: ProgramPort) => { readonly parking: Parking; sleep(): void };

const blocking: ParkingOf = (block) => ({ parking: new BlockingParking(block), sleep: () => undefined });
const asynchronous: ParkingOf = (block, port) => ({
	parking: new AsyncParking(block, () => undefined),
	sleep: () => port.sleep(),
});

/** Parks until something was announced. */
function park({ parking, sleep }: ReturnType<ParkingOf>): void {
	if (parking.park(Number.POSITIVE_INFINITY) === "parked") sleep();
}

interface Producing {
	readonly parkingOf: ParkingOf;
	/** Publishes after the record is written, or (a bug) before. */
	readonly order?: "write-publish" | "publish-write";
	/** Announces after the publish, or (a bug) before. */
	readonly announces?: "after" | "before";
}

/** Sends what its predecessors have not published, one flush for each record. */
function producer(shared: Shared, { parkingOf, order = "write-publish", announces = "after" }: Producing): Program {
	return (port) => {
		let headSeen = 0;
		const wordsOf: WordsOf = (words) => {
			const real = port.wordsOf(words);
			if (words.length !== LANE_HEADER_WORDS) return real;
			const load = (index: number): number => {
				const value = real.load(index);
				if (index === laneWords.head) headSeen = value;
				return value;
			};
			return { ...real, load };
		};
		const block = new ControlBlock(shared.control, PRODUCER, wordsOf);
		const peer = new ControlBlock(shared.control, CONSUMER, wordsOf);
		const sleeper = parkingOf(block, port);
		block.words.store(controlWords.state, threadStates.running);
		const writer = new LaneWriter(shared.lane, { wordsOf });
		// What OutboundLanes does on attaching: the predecessor may have died before it could.
		peer.announce(PRODUCER);
		for (let serial = sequences.indexOf(writer.sequence) + 1; serial <= RECORDS; serial++) {
			// The writer's fields: all published, no reservation, no wish for room; only how far it knows the head differs.
			port.checkpoint(`${serial} ${headSeen}`);
			let at = writer.reserve(PAYLOAD_BYTES);
			while (at < 0) {
				// As above; whether it has a wish for room is the word in the header.
				port.checkpoint(`${serial} full ${headSeen}`);
				block.takeRoom(0);
				if (!writer.awaitRoom(PAYLOAD_BYTES)) park(sleeper);
				at = writer.reserve(PAYLOAD_BYTES);
			}
			const header = new RecordHeader();
			header.target = serial;
			if (order === "write-publish") writer.bytes.fill(serial, at, at + PAYLOAD_BYTES);
			writer.commit(header, PAYLOAD_BYTES);
			if (announces === "before") peer.announce(PRODUCER);
			writer.publish();
			if (announces === "after") peer.announce(PRODUCER);
			if (order === "publish-write") writer.bytes.fill(serial, at, at + PAYLOAD_BYTES);
		}
	};
}

interface Consuming {
	readonly parkingOf: ParkingOf;
	/** Frees a record after it was processed, or (a bug) before. */
	readonly order?: "process-free" | "free-process";
	readonly laneOptions?: (wordsOf: WordsOf) => object;
}

/** Processes one record after the other, until it has processed the last. */
function consumer(shared: Shared, { parkingOf, order = "process-free" }: Consuming): Program {
	return (port) => {
		const { wordsOf } = port;
		const block = new ControlBlock(shared.control, CONSUMER, wordsOf);
		const peer = new ControlBlock(shared.control, PRODUCER, wordsOf);
		const sleeper = parkingOf(block, port);
		block.words.store(controlWords.state, threadStates.running);
		const onRoom = (): void => peer.announceRoom(CONSUMER);
		const reader = new LaneReader(shared.lane, { wordsOf, onRoom });
		let last = sequences.indexOf(reader.freed);
		while (last < RECORDS) {
			// The reader's fields: it has handed out and freed all that it saw, so each is the position behind `last`. Its
			// successor's are the same.
			port.checkpoint(`${last}`);
			block.takeDirty(0);
			for (;;) {
				let event = "";
				const taken = reader.drain(1, 1, (header, bytes, start, end) => {
					const isWhole = end - start === PAYLOAD_BYTES && bytes.subarray(start, end).every((b) => b === header.target);
					event = isWhole ? String(header.target) : "torn";
					last = header.target;
					return "next";
				});
				if (taken === 0) break;
				if (order === "process-free") port.emit(event);
				reader.freeTaken();
				if (order === "free-process") port.emit(event);
			}
			if (last < RECORDS) park(sleeper);
		}
	};
}

/** All records in order and whole; the first of a later life may be the last of the one before. */
function checkEvents(events: readonly (readonly string[])[]): string | undefined {
	let last = 0;
	let life = "0";
	for (const event of events[1] ?? []) {
		const [inLife, serial] = event.split(":") as [string, string];
		const isAgain = inLife !== life && serial === String(last);
		if (!isAgain && serial !== String(last + 1)) return `after record ${last} came ${serial}`;
		last = Number(serial);
		life = inLife;
	}
	return last === RECORDS ? undefined : `the last record was ${last}`;
}

/** The columns "who writes" of lane-layout.ts and control-layout.ts, for these two threads. */
function writersOf(memory: number, word: number): readonly number[] {
	if (memory === 0) return word === laneWords.head ? [CONSUMER] : [PRODUCER];
	const slot = Math.floor((word - LINE_WORDS) / CONTROL_BLOCK_WORDS);
	switch ((word - LINE_WORDS) % CONTROL_BLOCK_WORDS) {
		case controlWords.state:
		case controlWords.doorbell:
			return [PRODUCER, CONSUMER];
		case controlWords.dirty:
			return slot === CONSUMER ? [PRODUCER, CONSUMER] : [];
		case controlWords.room:
			return slot === PRODUCER ? [PRODUCER, CONSUMER] : [];
		default:
			return [];
	}
}

function explore(shared: Shared, first: Role, second: Role): Exploration {
	const slots = new Int32Array(shared.control, 0, LINE_WORDS + 2 * CONTROL_BLOCK_WORDS);
	const memory = [new Int32Array(shared.lane), slots];
	// The lines of producer and consumer; what is in the ring follows from what the producer has done.
	const header = new Int32Array(shared.lane, LINE_WORDS * 4, laneWords.refusals - LINE_WORDS);
	return new Explorer({ memory, compared: [header, slots], writersOf }, [first, second], checkEvents).explore();
}

const strategies: readonly [name: string, producing: ParkingOf, consuming: ParkingOf][] = [
	["both block", blocking, blocking],
	["both wait asynchronously", asynchronous, asynchronous],
];

describe("every interleaving of a producer and a consumer", () => {
	it.each(strategies)(
		"delivers all records once, in order, and ends: %s",
		{ timeout: EXPLORATION_MS },
		(_name, producing, consuming) => {
			const shared = newShared();
			const found = explore(
				shared,
				{ lives: [producer(shared, { parkingOf: producing })] },
				{ lives: [consumer(shared, { parkingOf: consuming })] },
			);
			// Pinned from below: a scenario that no longer fills the lane and wakes sleepers would be much smaller. (Without the
			// programs' checkpoints a smaller scenario had the same count of interleavings, from fifty times as many states.)
			expect(found.states).toBeGreaterThan(1_000);
			expect(found.interleavings).toBeGreaterThan(1e11);
		},
	);

	it("survives the death of the producer at any moment", { timeout: EXPLORATION_MS }, () => {
		const shared = newShared();
		const life = producer(shared, { parkingOf: blocking });
		const second = { lives: [consumer(shared, { parkingOf: blocking })] };
		const found = explore(shared, { lives: [life, life] }, second);
		expect(found.states).toBeGreaterThan(10_000);
		expect(found.interleavings).toBeGreaterThan(1e15);
	});

	it("survives the death of the consumer at any moment", { timeout: EXPLORATION_MS }, () => {
		const shared = newShared();
		const life = consumer(shared, { parkingOf: asynchronous });
		const first = { lives: [producer(shared, { parkingOf: asynchronous })] };
		const found = explore(shared, first, { lives: [life, life] });
		expect(found.states).toBeGreaterThan(10_000);
		expect(found.interleavings).toBeGreaterThan(1e14);
	});
});

describe("the exploration finds", () => {
	/** Before it sleeps, the thread does not see what was announced: as if it did not look again. */
	const noRescan = (): Fault => {
		let parked = false;
		return ({ op, index, value }) => {
			if (op === "store" && index === controlWords.state) parked = value === threadStates.parkedBlocking;
			const isBit = index >= controlWords.dirty && index < controlWords.dirty + 4;
			return parked && op === "load" && isBit ? 0 : undefined;
		};
	};
	/** The writer does not look at the head again after it has asked for room. */
	const noSecondLook = (): Fault => {
		let blind = 0;
		return ({ op, index, value, words }) => {
			if (words.length !== LANE_HEADER_WORDS) return undefined;
			// Twice: once by asking for room, once by computing it.
			if (op === "store" && index === laneWords.roomWanted) blind = value === 0 ? 0 : 2;
			return op === "load" && index === laneWords.head && blind-- > 0 ? START : undefined;
		};
	};
	/** The reader keeps it to itself that it has freed something. */
	const noOffer =
		(): Fault =>
		({ op, index, words }) =>
			words.length === LANE_HEADER_WORDS && op === "load" && index === laneWords.roomWanted ? 0 : undefined;

	const good = { parkingOf: blocking };
	const bugs: readonly [name: string, message: string, roles: (shared: Shared) => readonly [Role, Role]][] = [
		[
			"a record that is published before it is written",
			"came torn",
			(shared) => [
				{ lives: [producer(shared, { ...good, order: "publish-write" })] },
				{ lives: [consumer(shared, good)] },
			],
		],
		[
			"a producer that announces before it publishes",
			"both stopped for ever",
			(shared) => [
				{ lives: [producer(shared, { ...good, announces: "before" })] },
				{ lives: [consumer(shared, good)] },
			],
		],
		[
			"a consumer that does not look again before it sleeps",
			"both stopped for ever",
			(shared) => [{ lives: [producer(shared, good)] }, { lives: [consumer(shared, good)], fault: noRescan }],
		],
		[
			"a writer that does not look again before it waits for room",
			"both stopped for ever",
			(shared) => [{ lives: [producer(shared, good)], fault: noSecondLook }, { lives: [consumer(shared, good)] }],
		],
		[
			"a reader that does not say that it made room",
			"both stopped for ever",
			(shared) => [{ lives: [producer(shared, good)] }, { lives: [consumer(shared, good)], fault: noOffer }],
		],
	];
	it.each(bugs)("%s", { timeout: EXPLORATION_MS }, (_name, message, roles) => {
		const shared = newShared();
		const [first, second] = roles(shared);
		expect(() => explore(shared, first, second)).toThrow(Violation);
		expect(() => explore(shared, first, second)).toThrow(message);
	});

	it("a record that is freed before it is processed, when its consumer dies between", () => {
		const shared = newShared();
		const life = consumer(shared, { ...good, order: "free-process" });
		const first = { lives: [producer(shared, good)] };
		expect(() => explore(shared, first, { lives: [life, life] })).toThrow(/after record \d came|the last record was/);
	});
});

it("the records of the scenario lie where it says", () => {
	const shared = newShared();
	const writer = new LaneWriter(shared.lane);
	expect(writer.sequence).toBe(sequences[1]);
	expect(writer.reserve(PAYLOAD_BYTES)).toBe(LANE_FULL);
	const reader = new LaneReader(shared.lane);
	reader.drain(1, 1, () => "next");
	reader.freeTaken();
	expect(writer.append(new RecordHeader(), new Uint8Array(PAYLOAD_BYTES))).toBe("ok");
	expect(writer.sequence).toBe(sequences[2]);
});
