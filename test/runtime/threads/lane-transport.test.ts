/**
 * Goal: what is handed over is there at once; whoever sleeps over it is woken at once, or, where nothing hurries, soon: once for the writes
 * of several turns, and without waiting when they have become much.
 * Method: one transport on real shared memory, another thread that is said to sleep, and a clock that the test drives.
 */
import { describe, expect, it } from "vitest";
import type { Address, ThreadSlot } from "../../../runtime/actor/index.ts";
import { MessageCodec } from "../../../runtime/codec/index.ts";
import { controlWords, threadStates } from "../../../runtime/memory/control-layout.ts";
import { ControlBlock, createControl, FLUSH_BYTES } from "../../../runtime/memory/index.ts";
import { LaneTransport } from "../../../runtime/threads/lane-transport.ts";
import { createThreadMemory, ThreadMemory } from "../../../runtime/threads/thread-memory.ts";

const [own, other] = [1 as ThreadSlot, 2 as ThreadSlot];
const target: Address = { slot: other, actor: 1, incarnation: 1 };

class Stage {
	readonly #memory = new ThreadMemory(createThreadMemory());
	readonly #control = createControl();
	readonly #timers: (() => void)[] = [];
	readonly block = new ControlBlock(this.#control, other);
	readonly transport: LaneTransport;

	constructor() {
		for (const slot of [own, other]) this.#memory.slot(slot).setState("running", 1);
		this.transport = new LaneTransport({
			slot: own,
			codec: new MessageCodec({ layouts: [], records: [] }),
			protocols: [null],
			clock: {
				nowMs: () => 0,
				schedule: (_afterMs, callback) => this.#timers.push(callback) as never,
				cancel: () => undefined,
			},
			memory: this.#memory,
			control: this.#control,
			block: new ControlBlock(this.#control, own),
			announce: () => undefined,
		});
		// The first message makes the lanes, and says so.
		this.tell(1);
		this.transport.flush();
		this.block.takeDirty(0);
		this.fallAsleep();
	}

	fallAsleep(): void {
		this.block.words.store(controlWords.state, threadStates.parkedBlocking);
	}

	tell(bytes: number): void {
		const head = { kind: "tell", target, sender: null, correlation: 0, deadlineMs: 0, priority: "normal" } as const;
		expect(this.transport.send(head, new Uint8Array(bytes), null)).toBe("ok");
	}

	get rings(): number {
		return this.block.words.load(controlWords.doorbell);
	}

	runTimers(): void {
		for (const run of this.#timers.splice(0)) run();
	}
}

describe("what a thread hands over to one that sleeps", () => {
	it("is there at once, and wakes it at once unless it has time", () => {
		const stage = new Stage();
		stage.tell(10);
		expect([stage.transport.handOver(other, "now"), stage.rings, stage.block.hasAnnounced()]).toEqual([true, 1, true]);
	});

	it("wakes it once, soon, where it has time", () => {
		const stage = new Stage();
		for (const bytes of [10, 20, 30]) {
			stage.tell(bytes);
			expect(stage.transport.handOver(other, "soon")).toBe(true);
			expect(stage.block.hasAnnounced()).toBe(true);
		}
		stage.transport.flush();
		expect(stage.rings).toBe(0);
		stage.runTimers();
		expect(stage.rings).toBe(1);
		// And again the next time.
		stage.tell(10);
		stage.transport.handOver(other, "soon");
		stage.runTimers();
		expect(stage.rings).toBe(2);
	});

	it("wakes it without waiting when it has become much", () => {
		const stage = new Stage();
		stage.tell(FLUSH_BYTES / 2);
		stage.transport.handOver(other, "soon");
		expect(stage.rings).toBe(0);
		stage.tell(FLUSH_BYTES / 2);
		stage.transport.handOver(other, "soon");
		expect(stage.rings).toBe(1);
		stage.runTimers();
		expect(stage.rings).toBe(1);
	});

	it("rings nobody who is awake", () => {
		const stage = new Stage();
		stage.block.words.store(controlWords.state, threadStates.running);
		stage.tell(10);
		stage.transport.handOver(other, "soon");
		stage.runTimers();
		expect([stage.rings, stage.block.hasAnnounced()]).toEqual([0, true]);
	});
});
