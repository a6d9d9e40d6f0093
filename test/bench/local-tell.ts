/**
 * Tells between actors of one thread, on the kernel's own dispatch loop and the machine's clock: a flood into one
 * mailbox, a ping-pong of two actors, and asks. A row counts only what was handled, and only when that is all that was
 * sent. Run it as `node dist/test/bench/local-tell.js`.
 */
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { assert, Generator } from "../../protocols/core/index.ts";
import {
	type ActorContext,
	type ActorRef,
	ActorSystem,
	type Backend,
	type Behaviour,
	type Clock,
	type KernelDriver,
	MAIN_SLOT,
	type ThreadDirectory,
	type TimerHandle,
	type Transport,
} from "../../runtime/actor/index.ts";
import type { BenchRow } from "./row.ts";

const ROUNDS = 7;
const FLOOD_MESSAGES = 1_000_000;
const PING_MESSAGES = 400_000;
const ASKS = 100_000;

/** A system of one thread: the real clock, the real event loop, no lanes. */
class OneThread implements Backend {
	readonly parallelism = 1;
	readonly threads: ThreadDirectory;
	readonly ports: Backend["ports"];
	#kernel: KernelDriver | null = null;

	constructor() {
		const clock: Clock = {
			nowMs: () => performance.now(),
			schedule: (afterMs, callback) => setTimeout(callback, afterMs) as unknown as TimerHandle,
			cancel: (handle) => clearTimeout(handle as unknown as NodeJS.Timeout),
		};
		const transport: Transport = {
			slot: MAIN_SLOT,
			send: () => "dead",
			flush: () => {},
			handOver: () => false,
			drain: () => 0,
			release: () => {},
			whenReady: () => {},
			sentThrough: () => 0,
			drainedThrough: () => 0,
		};
		this.threads = {
			start: () => Promise.reject(new Error("there is one thread")),
			replace: () => Promise.reject(new Error("there is one thread")),
			kill: () => Promise.resolve(),
			release: () => {},
			control: () => {
				throw new Error("there is one thread");
			},
			status: () => [],
			observe: () => () => {},
		};
		this.ports = {
			clock,
			generator: new Generator(1),
			transport,
			loadModule: () => Promise.reject(new Error("behaviours are local here")),
			requestTurn: () => setImmediate(this.#turn),
			life: 1,
			inherits: false,
			dedicated: false,
		};
	}

	attach(kernel: KernelDriver): void {
		this.#kernel = kernel;
	}

	readonly #turn = (): void => {
		if (this.#kernel?.turn() === true) setImmediate(this.#turn);
	};

	publishedThrough(): number {
		return 0;
	}

	close(): Promise<void> {
		return Promise.resolve();
	}
}

interface Vote {
	readonly type: "vote";
	readonly term: number;
	readonly granted: boolean;
}

/** Counts, and says when all have come. */
class Consumer implements Behaviour<Vote> {
	handled = 0;
	sum = 0;
	readonly #expected: number;
	readonly #done: () => void;

	constructor(expected: number, done: () => void) {
		this.#expected = expected;
		this.#done = done;
	}

	receive(message: Vote): void {
		this.handled += 1;
		this.sum += message.term;
		if (this.handled === this.#expected) this.#done();
	}
}

/** Tells as fast as the mailbox, of default capacity, takes it; when it is full, goes on in its next turn. */
class Producer implements Behaviour<"go"> {
	sent = 0;
	readonly #target: ActorRef;
	readonly #count: number;

	constructor(target: ActorRef, count: number) {
		this.#target = target;
		this.#count = count;
	}

	receive(_: "go", context: ActorContext<"go">): void {
		while (this.sent < this.#count) {
			const vote: Vote = { type: "vote", term: this.sent, granted: true };
			if (this.#target.tell(vote) !== "ok") {
				context.self.tell("go");
				return;
			}
			this.sent += 1;
		}
	}
}

/** Sends the token back, one less. */
class Player implements Behaviour<number> {
	handled = 0;
	readonly #done: () => void;

	constructor(done: () => void) {
		this.#done = done;
	}

	receive(left: number, context: ActorContext<number>): void {
		this.handled += 1;
		if (left === 0) this.#done();
		else context.sender?.tell(left - 1);
	}
}

async function floodSeconds(): Promise<number> {
	const system = new ActorSystem(new OneThread());
	let done = (): void => {};
	const finished = new Promise<void>((resolve) => {
		done = resolve;
	});
	const consumer = new Consumer(FLOOD_MESSAGES, () => done());
	const target = await system.spawn({
		name: "consumer",
		behaviour: { local: () => consumer as Behaviour },
	});
	const producer = new Producer(target, FLOOD_MESSAGES);
	const source = await system.spawn({ name: "producer", behaviour: { local: () => producer as Behaviour } });
	const fromMs = performance.now();
	source.tell("go");
	await finished;
	const seconds = (performance.now() - fromMs) / 1000;
	assert(producer.sent === FLOOD_MESSAGES && consumer.handled === FLOOD_MESSAGES, "all that was sent is handled");
	assert(consumer.sum === (FLOOD_MESSAGES * (FLOOD_MESSAGES - 1)) / 2, "each message was handled once");
	await system.stop();
	return seconds;
}

async function pingPongSeconds(): Promise<number> {
	const system = new ActorSystem(new OneThread());
	let done = (): void => {};
	const finished = new Promise<void>((resolve) => {
		done = resolve;
	});
	const players = [new Player(() => done()), new Player(() => done())] as const;
	const pong = await system.spawn({ name: "pong", behaviour: { local: () => players[1] as Behaviour } });
	const ping = await system.spawn({
		name: "ping",
		behaviour: {
			local: () => ({
				started: () => {
					pong.tell(PING_MESSAGES - 1);
				},
				receive: (left, context) => players[0].receive(left as number, context as ActorContext<number>),
			}),
		},
	});
	const fromMs = performance.now();
	await finished;
	const seconds = (performance.now() - fromMs) / 1000;
	assert(players[0].handled + players[1].handled === PING_MESSAGES, "each message was handled once");
	assert(ping.name === "ping", "both players live");
	await system.stop();
	return seconds;
}

async function askSeconds(): Promise<number> {
	const system = new ActorSystem(new OneThread());
	const echo = await system.spawn<number>({
		name: "echo",
		behaviour: { local: () => ({ receive: (message, context) => context.reply(message) }) },
	});
	const outstanding = 64;
	let next = 0;
	let answered = 0;
	const client = async (): Promise<void> => {
		while (next < ASKS) {
			const sent = next;
			next += 1;
			assert((await echo.ask<number>(sent)) === sent, "each ask gets its own answer");
			answered += 1;
		}
	};
	const fromMs = performance.now();
	await Promise.all(Array.from({ length: outstanding }, client));
	const seconds = (performance.now() - fromMs) / 1000;
	assert(answered === ASKS, "every ask was answered");
	await system.stop();
	return seconds;
}

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

/** Medians over interleaved rounds, after one round to warm up. */
export async function benchLocalTell(rounds: number = ROUNDS): Promise<readonly BenchRow[]> {
	const flood: number[] = [];
	const pingPong: number[] = [];
	const asks: number[] = [];
	for (let round = 0; round <= rounds; round++) {
		const figures = [
			FLOOD_MESSAGES / (await floodSeconds()),
			PING_MESSAGES / (await pingPongSeconds()),
			ASKS / (await askSeconds()),
		] as const;
		if (round === 0) continue;
		flood.push(figures[0]);
		pingPong.push(figures[1]);
		asks.push(figures[2]);
	}
	return [
		{ name: "same-thread tell", ours: median(flood), unit: "msg/s", target: 3_000_000, stretch: 10_000_000 },
		{ name: "same-thread ping-pong of two actors", ours: median(pingPong), unit: "msg/s", target: null, stretch: null },
		{ name: "same-thread ask, 64 outstanding", ours: median(asks), unit: "ask/s", target: null, stretch: null },
	];
}

const bench = (): Promise<readonly BenchRow[]> => benchLocalTell();
export default bench;

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await benchLocalTell());
