/** Notices threads that stall, from a tiny thread of its own, and names what they are stuck in. */

import { Worker } from "node:worker_threads";
import type { ThreadSlot } from "../actor/index.ts";
import type { DispatchKind } from "./thread-memory.ts";
import { workerFlags } from "./worker-flags.ts";

export interface WatchdogData {
	readonly control: SharedArrayBuffer;
	readonly memory: SharedArrayBuffer;
	readonly stallAfterMs: number;
}

/** A thread that runs and does not get on. */
export interface StallReport {
	readonly type: "stalled";
	readonly slot: ThreadSlot;
	/** The life of the slot that is stalled; a replacement has another. */
	readonly life: number;
	/** Local id of the actor it is stuck in; null outside of any actor. */
	readonly actor: number | null;
	/** What it is stuck in: a message, a timer, a life cycle hook. */
	readonly kind: DispatchKind | null;
	readonly messageType: string | null;
	readonly stalledForMs: number;
}

export type WatchdogReport =
	| StallReport
	/** A thread slept although something had arrived; it was rung again. */
	| { readonly type: "wake-up-repeated"; readonly slot: ThreadSlot };

/** The watchdog's heap: it holds 64 rows and no more. */
const HEAP_LIMIT_MB = 16;

export class Watchdog {
	readonly #worker: Worker;
	#closed = false;
	/** Wake-ups that had to be repeated; must stay 0. */
	repeatedWakeUps = 0;

	/**
	 * @param onStall hears of each stall once
	 * @param onFailure hears if the watchdog itself ends unasked
	 */
	constructor(data: WatchdogData, onStall: (report: StallReport) => void, onFailure: (cause: unknown) => void) {
		this.#worker = new Worker(new URL("./watchdog-entry.js", import.meta.url), {
			name: "quorate watchdog",
			...workerFlags(),
			workerData: data,
			resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB, maxYoungGenerationSizeMb: 1 },
		});
		this.#worker.unref();
		let failure: unknown = null;
		this.#worker.on("error", (error) => {
			failure = error;
		});
		this.#worker.once("exit", (exitCode) => {
			if (!this.#closed) onFailure(failure ?? exitCode);
		});
		this.#worker.on("message", (report: WatchdogReport) => {
			if (report.type === "stalled") onStall(report);
			else this.repeatedWakeUps++;
		});
	}

	async close(): Promise<void> {
		this.#closed = true;
		await this.#worker.terminate();
	}
}
