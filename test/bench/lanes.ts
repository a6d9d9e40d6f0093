/**
 * What the lanes themselves reach, below the actors: `npm run bench -- lanes`.
 *
 * Throughput: one thread sends, one receives and decodes; time from the first send until the receiver has reported that it
 * handled all of them and the sum of what they carried. Round trip: one outstanding ask. The contenders take turns within
 * each round, so that a noisy machine disturbs all alike; the median over the rounds counts.
 */
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { assert } from "../../protocols/core/index.ts";
import type { AppendEntries, Vote } from "../../protocols/raft/messages.ts";
import { AsyncParking, BlockingParking, type OnRecord, recordKinds } from "../../runtime/memory/index.ts";
import { createPair, LaneEnd } from "./lanes/end.ts";
import { appendOf, voteOf, weightOf } from "./lanes/messages.ts";
import type { PeerData } from "./lanes/peer.ts";
import type { Bench, BenchRow } from "./row.ts";

export interface LaneBenchOptions {
	/** Rounds that count; one more warms up. Default 7. */
	readonly rounds?: number;
	/** Votes in one round of one contender. Default 100,000. */
	readonly votes?: number;
	/** Appends in one round of one contender. Default 4,000. */
	readonly appends?: number;
	/** Round trips in one round of one contender. Default 500. */
	readonly roundTrips?: number;
}

const LANE_BYTES = 64 * 1024;
const BATCH = 100;

class Peer {
	readonly worker: Worker;
	readonly port: MessagePort;
	readonly end: LaneEnd;
	/**
	 * How this thread waits. One for all rounds: a ring wakes one waiter, and a parking that is given up may leave its own
	 * behind, which would then be woken in place of the next one's.
	 */
	readonly #parking: AsyncParking;
	#wake: () => void = () => undefined;

	constructor(strategy: "async" | "blocking") {
		const memory = createPair(LANE_BYTES);
		const { port1, port2 } = new MessageChannel();
		const workerData: PeerData = { memory, port: port2, strategy };
		this.worker = new Worker(new URL("./lanes/peer.js", import.meta.url), { workerData, transferList: [port2] });
		this.port = port1;
		this.end = new LaneEnd(memory, 0);
		this.#parking = new AsyncParking(this.end.block, () => this.#wake());
	}

	/** Sleeps until the worker has something for this thread, or has made room. */
	async sleep(): Promise<void> {
		const woken = new Promise<void>((resolve) => {
			this.#wake = resolve;
		});
		if (this.#parking.park(0) === "parked") await woken;
	}

	async stop(): Promise<void> {
		this.port.close();
		await this.worker.terminate();
	}
}

const yieldLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Sends all by lane; while it is full, sleeps until the receiver has made room. */
async function sendByLane(peer: Peer, messages: readonly (Vote | AppendEntries)[]): Promise<void> {
	const { end } = peer;
	for (const message of messages) {
		while (!end.tell(message)) {
			end.outbound.flush();
			// Taken before it is asked for anew: what is announced after that keeps this thread from parking.
			end.outbound.takeRoom(() => undefined);
			if (!end.awaitRoom(message)) await peer.sleep();
		}
	}
	end.outbound.flush();
}

function sendByPort(peer: Peer, messages: readonly (Vote | AppendEntries)[]): void {
	for (const message of messages) peer.port.postMessage(message);
}

function sendByPortInBatches(peer: Peer, messages: readonly (Vote | AppendEntries)[]): void {
	for (let i = 0; i < messages.length; i += BATCH) peer.port.postMessage(messages.slice(i, i + BATCH));
}

/** Messages per second, verified by the receiver's count and sum. */
async function throughput(
	peer: Peer,
	messages: readonly (Vote | AppendEntries)[],
	send: (peer: Peer, messages: readonly (Vote | AppendEntries)[]) => void | Promise<void>,
): Promise<number> {
	const done = once(peer.port, "message");
	peer.port.postMessage({ type: "expect", count: messages.length });
	await yieldLoop();
	const startMs = performance.now();
	await send(peer, messages);
	const [{ handled, weight }] = (await done) as [{ handled: number; weight: number }];
	const elapsedMs = performance.now() - startMs;
	assert(handled === messages.length, "handled equals sent", { handled, sent: messages.length });
	const sent = messages.reduce((sum, message) => sum + weightOf(message), 0);
	assert(weight === sent, "what was handled is what was sent", { weight, sent });
	return (messages.length / elapsedMs) * 1000;
}

/** Median microseconds of one ask and its reply, with this thread parked as `strategy` says. */
async function laneRoundTrips(peer: Peer, strategy: "async" | "blocking", count: number): Promise<number> {
	const { end } = peer;
	const times: number[] = [];
	let replied = -1;
	const onReply: OnRecord = (header, bytes, start, stop) => {
		end.codec.decode(header.schema, bytes, start, stop);
		replied = header.correlation;
		return "next";
	};
	const parking = strategy === "async" ? null : new BlockingParking(end.block);
	for (let i = 0; i < count; i++) {
		const startMs = performance.now();
		assert(end.tell(voteOf(i), recordKinds.ask, i), "one ask fits");
		end.outbound.flush();
		for (;;) {
			end.turn(onReply);
			if (replied === i) break;
			if (parking === null) await peer.sleep();
			else parking.park(1000);
		}
		times.push(performance.now() - startMs);
	}
	return median(times) * 1000;
}

/** The same vote and its echo by port. The listener stays: taking it off and on again would be paid by each trip. */
async function portRoundTrips(peer: Peer, count: number): Promise<number> {
	const times: number[] = [];
	let replied: () => void = () => undefined;
	const onReply = (): void => replied();
	peer.port.on("message", onReply);
	for (let serial = 0; serial < count; serial++) {
		const startMs = performance.now();
		const reply = new Promise<void>((resolve) => {
			replied = resolve;
		});
		peer.port.postMessage({ ...voteOf(serial), type: "echo" });
		await reply;
		times.push(performance.now() - startMs);
	}
	peer.port.off("message", onReply);
	return median(times) * 1000;
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[sorted.length >> 1] as number;
}

type Contenders = Readonly<Record<string, () => number | Promise<number>>>;

/** The figures of each contender, round by round; the first, uncounted round warms up. */
async function compare(rounds: number, contenders: Contenders): Promise<ReadonlyMap<string, readonly number[]>> {
	const results = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
	for (let round = 0; round <= rounds; round++) {
		for (const [name, run] of Object.entries(contenders)) {
			const figure = await run();
			if (round > 0) results.get(name)?.push(figure);
		}
	}
	return results;
}

function rowOf(
	name: string,
	unit: string,
	results: ReadonlyMap<string, readonly number[]>,
	[ours, theirs]: readonly [ours: string, theirs: string],
	aims: Pick<BenchRow, "target" | "stretch" | "better">,
): BenchRow {
	const mine = results.get(ours) as readonly number[];
	const base = results.get(theirs) as readonly number[];
	const spread = [Math.min(...mine), Math.max(...mine)].map((figure) => figure.toPrecision(3)).join("–");
	return {
		name,
		ours: median(mine),
		theirs: median(base),
		unit,
		// Of the rounds, not of the medians: what disturbed a round disturbed both.
		ratio: median(mine.map((figure, round) => figure / (base[round] as number))),
		...aims,
		note: `${mine.length} rounds, ours ${spread}`,
	};
}

/**
 * All comparisons; some 15 seconds on two idle cores. The aims are those of the same work between actors, so that what
 * the lanes leave to the actors shows.
 */
export async function benchLanes(options: LaneBenchOptions = {}): Promise<readonly BenchRow[]> {
	const { rounds = 7, votes = 100_000, appends = 4_000, roundTrips = 500 } = options;
	const peer = new Peer("async");
	const blocking = new Peer("blocking");
	const throughputOf = (list: readonly (Vote | AppendEntries)[]): Promise<ReadonlyMap<string, readonly number[]>> =>
		compare(rounds, {
			postMessage: () => throughput(peer, list, sendByPort),
			batched: () => throughput(peer, list, sendByPortInBatches),
			lane: () => throughput(peer, list, sendByLane),
		});
	try {
		const vote = await throughputOf(Array.from({ length: votes }, (_, i) => voteOf(i)));
		const append = await throughputOf(Array.from({ length: appends }, (_, i) => appendOf(i)));
		const trips = await compare(rounds, {
			postMessage: () => portRoundTrips(peer, roundTrips),
			async: () => laneRoundTrips(peer, "async", roundTrips),
			"peer blocks": () => laneRoundTrips(blocking, "async", roundTrips),
			"both block": () => laneRoundTrips(blocking, "blocking", roundTrips),
		});
		const trip = { target: 1.2, stretch: 0.8, better: "lower" } as const;
		return [
			rowOf("lane: votes, against postMessage", "msg/s", vote, ["lane", "postMessage"], { target: 5, stretch: 10 }),
			rowOf("lane: votes, against postMessage of 100", "msg/s", vote, ["lane", "batched"], { target: 2, stretch: 4 }),
			rowOf("lane: appends of 64 x 64 bytes, against postMessage", "msg/s", append, ["lane", "postMessage"], {
				target: 3,
				stretch: 6,
			}),
			rowOf("lane: appends, against postMessage of 100", "msg/s", append, ["lane", "batched"], {
				target: null,
				stretch: null,
			}),
			rowOf("lane: ask and reply, both wait asynchronously", "µs", trips, ["async", "postMessage"], trip),
			rowOf("lane: ask and reply, the peer blocks", "µs", trips, ["peer blocks", "postMessage"], trip),
			rowOf("lane: ask and reply, both block", "µs", trips, ["both block", "postMessage"], trip),
		];
	} finally {
		await Promise.all([peer.stop(), blocking.stop()]);
	}
}

const bench: Bench = () => benchLanes();
export default bench;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
	for (const row of await benchLanes()) {
		const figures = [row.ours, row.theirs ?? 0].map((figure) => figure.toPrecision(4)).join(" / ");
		console.log(`${row.name.padEnd(52)} ${row.ratio?.toFixed(2)}x  ${figures} ${row.unit}  (${row.note})`);
	}
}
