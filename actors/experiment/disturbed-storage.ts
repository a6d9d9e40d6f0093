/** The shipped storage actor on an engine that obeys the fault board: the storage of an experiment on threads. */
import {
	type ActorContext,
	type Clock,
	diskFailed,
	diskFull,
	type EngineSource,
	openEngine,
	type Settle,
	StorageActor,
	type StorageEngine,
	type StoreContents,
	type StoreWrite,
} from "../../runtime/index.ts";
import { diskOrders, FaultBoardReader } from "./fault-board.ts";

/** How often a stalled disk looks whether it may go on. */
const STALL_POLL_MS = 5;

export interface DisturbedStorageArgs {
	readonly engine: EngineSource;
	readonly board: SharedArrayBuffer;
}

/** Where this module is. */
export const disturbedStorageModule: string = import.meta.url;

export class DisturbedStorage extends StorageActor {
	constructor({ engine, board }: DisturbedStorageArgs) {
		const open = async (context: ActorContext): Promise<StorageEngine> =>
			new DisturbedEngine(await openEngine(engine, context), new FaultBoardReader(board), context.clock);
		super({ engine: { type: "provided", open } });
	}
}

/** Passes everything on to an engine; commits come late, or fail for good. */
class DisturbedEngine implements StorageEngine {
	readonly #engine: StorageEngine;
	readonly #board: FaultBoardReader;
	readonly #clock: Clock;

	constructor(engine: StorageEngine, board: FaultBoardReader, clock: Clock) {
		this.#engine = engine;
		this.#board = board;
		this.#clock = clock;
	}

	load(store: string, settle: Settle<StoreContents>): void {
		this.#engine.load(store, settle);
	}

	/** The storage actor commits one group after the other, so waiting changes no order. */
	commit(writes: readonly StoreWrite[], settle: Settle<void>): void {
		const delayMs = this.#board.diskDelayMs;
		if (delayMs > 0) this.#clock.schedule(delayMs, () => this.#commitWhenAllowed(writes, settle));
		else this.#commitWhenAllowed(writes, settle);
	}

	#commitWhenAllowed(writes: readonly StoreWrite[], settle: Settle<void>): void {
		const details = { directory: "injected", operation: "commit", problem: "an experiment says so" };
		switch (this.#board.diskOrder) {
			case diskOrders.stall:
				this.#clock.schedule(STALL_POLL_MS, () => this.#commitWhenAllowed(writes, settle));
				return;
			case diskOrders.full:
				settle({ ok: false, error: diskFull(details) });
				return;
			case diskOrders.fail:
				settle({ ok: false, error: diskFailed(details) });
				return;
			default:
				this.#engine.commit(writes, settle);
		}
	}

	readSnapshot(
		store: string,
		name: string,
		offset: number,
		lengthBytes: number,
		settle: Settle<Uint8Array | null>,
	): void {
		this.#engine.readSnapshot(store, name, offset, lengthBytes, settle);
	}

	close(): Promise<void> {
		return this.#engine.close();
	}
}
