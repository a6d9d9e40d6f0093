/**
 * The watchdog's own thread, so that it sees a stall of the main thread too. It looks at the control blocks a few times
 * per stall limit and reports; it never decides.
 *
 * A thread is stalled when it runs and nothing has moved for the limit: neither its heartbeat (one per turn) nor its count
 * of hooks. Event-loop utilisation would not tell: a thread parked in `Atomics.wait` reads the same as an endless loop.
 */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../protocols/core/index.ts";
import type { ThreadSlot } from "../actor/index.ts";
import { ControlBlock, THREADS_MAX } from "../memory/index.ts";
import { type SlotWords, ThreadMemory } from "./thread-memory.ts";
import type { WatchdogData, WatchdogReport } from "./watchdog.ts";

/** Looks per limit: a stall is reported at most a quarter of the limit late. */
const LOOKS_PER_LIMIT = 4;
/** A thread that was rung and does not come up gets so many limits: its wake-up may be on the way behind other work. */
const WAKING_LIMITS = 2;

interface Watched {
	readonly slot: ThreadSlot;
	readonly block: ControlBlock;
	readonly words: SlotWords;
	/** What the last look found, and when that was first seen. */
	life: number;
	heartbeat: number;
	progress: number;
	state: string;
	sinceMs: number;
	/** Of this standstill. */
	reported: boolean;
	rungAgain: boolean;
}

const port = parentPort;
assert(port !== null, "the watchdog's entry runs in a worker");
const { control, memory: buffer, stallAfterMs } = workerData as WatchdogData;
const memory = new ThreadMemory(buffer);
const lookEveryMs = Math.max(10, Math.floor(stallAfterMs / LOOKS_PER_LIMIT));
const watched: Watched[] = Array.from({ length: THREADS_MAX }, (_, index) => {
	const slot = index as ThreadSlot;
	const block = new ControlBlock(control, slot);
	return {
		slot,
		block,
		words: memory.slot(slot),
		life: 0,
		heartbeat: 0,
		progress: 0,
		state: "vacant",
		sinceMs: 0,
		reported: false,
		rungAgain: false,
	};
});
let lastLookMs = performance.now();

setInterval(() => {
	const nowMs = performance.now();
	const lateMs = nowMs - lastLookMs - lookEveryMs;
	lastLookMs = nowMs;
	for (const thread of watched) {
		if (memory.stateOf(thread.slot) !== "running") {
			thread.life = 0;
			continue;
		}
		// The machine slept, or is so busy that nobody moved: nothing can be said of others either.
		if (hasMoved(thread) || lateMs > stallAfterMs / 2) thread.sinceMs = nowMs;
		else look(thread, nowMs - thread.sinceMs);
	}
}, lookEveryMs);

function hasMoved(thread: Watched): boolean {
	const life = memory.lifeOf(thread.slot);
	const heartbeat = thread.block.heartbeat().atMs;
	const { progress } = thread.words;
	const { state } = thread.block;
	if (
		life === thread.life &&
		heartbeat === thread.heartbeat &&
		progress === thread.progress &&
		state === thread.state
	) {
		return false;
	}
	thread.life = life;
	thread.heartbeat = heartbeat;
	thread.progress = progress;
	thread.state = state;
	thread.reported = false;
	thread.rungAgain = false;
	return true;
}

/** Nothing has moved for so long. */
function look(thread: Watched, stillForMs: number): void {
	if (stillForMs < stallAfterMs || thread.reported) return;
	switch (thread.state) {
		case "running":
			stalled(thread, stillForMs);
			return;
		case "parkedAsync":
		case "parkedBlocking":
			// As it should be, unless something has arrived. Then it was rung and is not up: a lost wake-up, which must stay
			// without example, or code outside of any turn that does not return.
			if (!thread.block.hasAnnounced()) return;
			if (!thread.rungAgain) ringAgain(thread);
			else if (stillForMs >= WAKING_LIMITS * stallAfterMs) stalled(thread, stillForMs);
			return;
		default:
			return;
	}
}

function ringAgain(thread: Watched): void {
	thread.rungAgain = true;
	thread.block.ringAgain();
	report({ type: "wake-up-repeated", slot: thread.slot });
}

function stalled(thread: Watched, stalledForMs: number): void {
	thread.reported = true;
	const dispatch = thread.words.dispatch();
	report({
		type: "stalled",
		slot: thread.slot,
		life: thread.life,
		actor: dispatch?.actor ?? null,
		kind: dispatch?.kind ?? null,
		messageType: dispatch?.messageType ?? null,
		stalledForMs: Math.round(stalledForMs),
	});
}

function report(message: WatchdogReport): void {
	port?.postMessage(message);
}
