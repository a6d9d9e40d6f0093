/// <reference path="../../runtime/threads/comlink-node-adapter.d.ts" />
/**
 * Messages between threads: telling, asking and calling an actor on a thread of its own, against a bare worker with
 * `postMessage` and against comlink. Both workers live through the whole run; the rounds of the two sides alternate, and
 * each round counts only when its last message has been handled at the other end. Told and called actors wait blocking, which
 * a worker with a port can not; asks are measured both ways.
 *
 * By itself: `node dist/test/bench/actor-messaging.js`.
 */
import { fileURLToPath } from "node:url";
import { MessageChannel, Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { assert } from "../../protocols/core/index.ts";
import { type AppendEntries, type LogIndex, raftLayouts, type Term, type Vote } from "../../protocols/raft/index.ts";
import { type ActorRef, ActorSystem, createThreadBackend } from "../../runtime/index.ts";
import type { BenchRow } from "./row.ts";

const ROUNDS = 7;
const VOTES = 100_000;
const APPENDS = 10_000;
const ASKS = 3_000;
const CALLS = 20_000;
const OUTSTANDING = 64;
const ARRAY = 100;
/** Messages sent between two passes of the event loop, on both sides. */
const BURST = 1_000;

const vote: Vote = { type: "vote", term: 7 as Term, granted: true, preVote: false };
const append: AppendEntries = {
	type: "append-entries",
	term: 7 as Term,
	prevIndex: 1_000_000 as LogIndex,
	prevTerm: 7 as Term,
	commit: 999_990 as LogIndex,
	round: 12,
	entries: Array.from({ length: 64 }, (_, index) => ({
		term: 7 as Term,
		kind: "command" as const,
		session: 3 as never,
		serial: index,
		firstIncomplete: index,
		data: new Uint8Array(64).fill(index),
	})),
};

export default async function benchActorMessaging(): Promise<readonly BenchRow[]> {
	const peer = new Peer();
	const backend = await createThreadBackend({ layouts: [raftLayouts], warmSpares: 0 });
	const system = new ActorSystem(backend);
	const module = new URL("../fixtures/bench-actors.js", import.meta.url);
	const actor = (name: string, behaviour: string, waiting: "async" | "blocking"): Promise<ActorRef> =>
		system.spawn({ name, behaviour: { module, export: behaviour }, placement: "dedicated", waiting });
	try {
		const counter = (await actor("counter", "Counter", "blocking")).speaking("raft");
		const blocking = await actor("blocking-echo", "Echo", "blocking");
		const parked = await actor("async-echo", "Echo", "async");
		const rows: BenchRow[] = [];
		const told = async (
			name: string,
			count: number,
			message: Vote | AppendEntries,
			target: number,
			stretch: number,
		) => {
			const [ours, theirs] = await alternate(
				() => tellAll(counter, message, count),
				() => peer.postAll(message, count),
			);
			rows.push(ratioRow(name, count / ours, count / theirs, "msg/s", target, stretch));
			return ours;
		};
		await told("cross-thread tell of a vote, against postMessage of the same object", VOTES, vote, 5, 10);
		const [ours, theirs] = await alternate(
			() => tellAll(counter, vote, VOTES),
			() => peer.postArrays(vote, VOTES),
		);
		rows.push(
			ratioRow(`the same, against postMessage of arrays of ${ARRAY}`, VOTES / ours, VOTES / theirs, "msg/s", 2, 4),
		);
		await told("cross-thread tell of an append of 64 entries of 64 bytes, against postMessage", APPENDS, append, 3, 6);
		for (const [waiting, ref] of [
			["blocking", blocking],
			["async", parked],
		] as const) {
			const [askUs, postUs] = await alternate(
				() => askP50(ref),
				() => peer.roundTripP50(),
			);
			rows.push({
				name: `cross-thread ask of an actor that waits ${waiting}, p50, against a postMessage round trip`,
				ours: askUs,
				theirs: postUs,
				unit: "µs",
				ratio: askUs / postUs,
				target: 1.2,
				stretch: 0.8,
				better: "lower",
			});
		}
		const [callS, comlinkS] = await alternate(
			() => callAll((value) => blocking.ask(value)),
			() => callAll((value) => peer.call(value)),
		);
		const name = `cross-thread call with ${OUTSTANDING} outstanding, against comlink's`;
		rows.push(ratioRow(name, CALLS / callS, CALLS / comlinkS, "calls/s", 20, 50));
		return rows;
	} finally {
		await system.stop();
		await peer.close();
	}
}

function ratioRow(name: string, ours: number, theirs: number, unit: string, target: number, stretch: number): BenchRow {
	return { name, ours, theirs, unit, ratio: ours / theirs, target, stretch };
}

/** Rounds of both sides in turns, after one of each to warm up; the medians. */
async function alternate(ours: () => Promise<number>, theirs: () => Promise<number>): Promise<[number, number]> {
	const taken: [number[], number[]] = [[], []];
	for (let round = 0; round <= ROUNDS; round++) {
		const pair = [await ours(), await theirs()] as const;
		if (round === 0) continue;
		taken[0].push(pair[0]);
		taken[1].push(pair[1]);
	}
	return [median(taken[0]), median(taken[1])];
}

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

function pass(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

/** Seconds until all were handled. */
async function tellAll(counter: ActorRef, message: Vote | AppendEntries, count: number): Promise<number> {
	const startMs = performance.now();
	for (let sent = 0; sent < count; ) {
		const verdict = counter.tell(message);
		if (verdict === "full") await counter.tellWhenReady(message);
		else assert(verdict === "ok", "a message is sent", { verdict });
		sent++;
		if (sent % BURST === 0) await pass();
	}
	const handled = await counter.ask({ type: "count" }, { timeoutMs: 60_000 });
	assert(handled === count, "what was sent was handled", { handled, count });
	return (performance.now() - startMs) / 1000;
}

async function askP50(ref: ActorRef): Promise<number> {
	const times: number[] = [];
	for (let i = 0; i < ASKS; i++) {
		const startMs = performance.now();
		assert((await ref.ask(i)) === i, "an answer belongs to its question");
		times.push(performance.now() - startMs);
	}
	return median(times) * 1000;
}

/** Seconds for all calls, so many at a time. */
async function callAll(call: (value: number) => Promise<unknown>): Promise<number> {
	const startMs = performance.now();
	let next = 0;
	const caller = async (): Promise<void> => {
		while (next < CALLS) {
			const value = next++;
			assert((await call(value)) === value, "an answer belongs to its question");
		}
	};
	await Promise.all(Array.from({ length: OUTSTANDING }, caller));
	return (performance.now() - startMs) / 1000;
}

/** A bare worker. */
class Peer {
	readonly #worker = new Worker(new URL("../fixtures/bench-peers.js", import.meta.url));
	readonly #comlink: Comlink.Remote<{ echo(value: unknown): unknown }>;
	readonly #waiting: ((value: unknown) => void)[] = [];

	constructor() {
		this.#worker.on("message", (value: unknown) => this.#waiting.shift()?.(value));
		const { port1, port2 } = new MessageChannel();
		this.#worker.postMessage({ type: "serve", port: port2 }, [port2]);
		this.#comlink = Comlink.wrap(nodeEndpoint(port1));
		this.#port = port1;
	}

	readonly #port: MessageChannel["port1"];

	async postAll(message: unknown, count: number): Promise<number> {
		const startMs = performance.now();
		for (let sent = 1; sent <= count; sent++) {
			this.#worker.postMessage(message);
			if (sent % BURST === 0) await pass();
		}
		return this.#handled(count, startMs);
	}

	async postArrays(message: object, count: number): Promise<number> {
		// Copies: of one object many times over, a clone would send references.
		const array = Array.from({ length: ARRAY }, () => ({ ...message }));
		const startMs = performance.now();
		for (let sent = 0; sent < count; sent += ARRAY) {
			this.#worker.postMessage(array);
			if (sent % BURST === 0) await pass();
		}
		return this.#handled(count, startMs);
	}

	async roundTripP50(): Promise<number> {
		const times: number[] = [];
		for (let i = 0; i < ASKS; i++) {
			const startMs = performance.now();
			assert((await this.#ask({ type: "echo", value: i })) === i, "an answer belongs to its question");
			times.push(performance.now() - startMs);
		}
		return median(times) * 1000;
	}

	call(value: unknown): Promise<unknown> {
		return this.#comlink.echo(value) as Promise<unknown>;
	}

	async close(): Promise<void> {
		this.#port.close();
		await this.#worker.terminate();
	}

	async #handled(count: number, startMs: number): Promise<number> {
		const handled = await this.#ask({ type: "count" });
		assert(handled === count, "what was sent was handled", { handled, count });
		return (performance.now() - startMs) / 1000;
	}

	#ask(order: unknown): Promise<unknown> {
		return new Promise((resolve) => {
			this.#waiting.push(resolve);
			this.#worker.postMessage(order);
		});
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await benchActorMessaging());
