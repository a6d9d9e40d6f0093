/** What hosts a kernel on a thread, main or worker: its clock, transport and loop over the shared memory. */
import { Generator, type LayoutTable } from "../../protocols/core/index.ts";
import {
	type Activity,
	type Address,
	type EnvelopeKind,
	type KernelDriver,
	type KernelPorts,
	loadModule,
	messageType,
	type ThreadSlot,
} from "../actor/index.ts";
import { type CodecSpec, MessageCodec } from "../codec/index.ts";
import { ControlBlock } from "../memory/index.ts";
import { type MetricsMemory, SharedMetrics } from "../telemetry/index.ts";
import { LaneTransport } from "./lane-transport.ts";
import { ThreadClock } from "./thread-clock.ts";
import { ThreadLoop } from "./thread-loop.ts";
import { type SlotWords, ThreadMemory } from "./thread-memory.ts";
import type { LaneChains, LaneNews } from "./thread-orders.ts";

export interface ThreadHostOptions {
	readonly slot: ThreadSlot;
	/** See {@link KernelPorts.life}. */
	readonly life: number;
	readonly inherits: boolean;
	readonly dedicated: boolean;
	readonly waiting: "async" | "blocking";
	/** When the system started, on the machine's monotonic clock. */
	readonly originMs: number;
	readonly seed: number;
	readonly codec: CodecSpec;
	readonly control: SharedArrayBuffer;
	readonly memory: SharedArrayBuffer;
	readonly metrics: MetricsMemory;
	readonly lanes: readonly LaneChains[];
	readonly announce: (news: LaneNews) => void;
}

export class ThreadHost {
	readonly ports: KernelPorts;
	readonly #transport: LaneTransport;
	readonly #loop: ThreadLoop;

	constructor(options: ThreadHostOptions) {
		const { slot, life, control } = options;
		const block = new ControlBlock(control, slot);
		block.beginLife();
		const memory = new ThreadMemory(options.memory);
		const clock = new ThreadClock(options.originMs);
		this.#loop = new ThreadLoop(block, clock, options.waiting);
		this.#transport = new LaneTransport({
			slot,
			codec: new MessageCodec(options.codec),
			protocols: protocolsBySchema(options.codec.layouts),
			clock,
			memory,
			control,
			block,
			announce: options.announce,
		});
		this.#transport.adopt(options.lanes);
		const metrics = new SharedMetrics(options.metrics, slot);
		metrics.resetGauges();
		this.ports = {
			clock,
			generator: new Generator(options.seed, `thread/${slot}/${life}`),
			transport: this.#transport,
			loadModule,
			requestTurn: this.#loop.requestTurn,
			life,
			inherits: options.inherits,
			dedicated: options.dedicated,
			metrics,
			activity: new DispatchRecorder(memory.slot(slot)),
		};
	}

	/** Drives the kernel from here on. */
	start(kernel: KernelDriver): void {
		this.#loop.start(kernel);
	}

	/** Takes in what others have sent to this thread. */
	hear(): void {
		this.#loop.turnNow();
	}

	/** Hears of a lane to this thread. */
	learn(news: LaneNews): void {
		this.#transport.learn(news);
		this.#loop.requestTurn();
	}

	stop(): void {
		this.#loop.stop();
	}
}

/** Writes what the kernel is at where others can read it, even when this thread hangs or is gone. */
class DispatchRecorder implements Activity {
	readonly #words: SlotWords;

	constructor(words: SlotWords) {
		this.#words = words;
	}

	enter(actor: Address, kind: EnvelopeKind | "timer" | "hook", message: unknown, sender: Address | null): void {
		this.#words.enter(actor, kind, messageType(message), sender);
	}

	leave(): void {
		this.#words.leave();
	}

	holds(actor: Address, messages: number): void {
		this.#words.setWaiting(actor.actor, messages);
	}
}

/** Which protocol a schema belongs to: the codec numbers layouts from 1, in the order of the tables. */
function protocolsBySchema(tables: readonly LayoutTable[]): readonly (string | null)[] {
	return [null, ...tables.flatMap((table) => table.messages.map(() => table.protocol))];
}
