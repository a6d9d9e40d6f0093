/** The shipped storage actor on an engine that obeys the fault board: the storage of an experiment on threads. */
import type { Generator, QuorateError } from "../../protocols/core/index.ts";
import {
	type Clock,
	diskFailed,
	diskFull,
	type EngineSource,
	openEngine,
	type Settle,
	StorageActor,
	type StorageContext,
	type StorageEngine,
	type StoreContents,
	type StoreWrite,
} from "../../runtime/index.ts";
import { FaultBoardReader } from "./fault-board.ts";

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
		const open = async (context: StorageContext): Promise<StorageEngine> =>
			new DisturbedEngine(await openEngine(engine, context), new FaultBoardReader(board), context);
		super({ engine: { type: "provided", open } });
	}
}

/** Passes everything on to an engine; commits come late, or fail for good, and so may reads. */
class DisturbedEngine implements StorageEngine {
	readonly #engine: StorageEngine;
	readonly #board: FaultBoardReader;
	readonly #clock: Clock;
	readonly #generator: Generator;

	constructor(engine: StorageEngine, board: FaultBoardReader, { clock, generator }: StorageContext) {
		this.#engine = engine;
		this.#board = board;
		this.#clock = clock;
		this.#generator = generator.fork("disk-faults");
	}

	load(store: string, settle: Settle<StoreContents>): void {
		if (this.#readFails) settle({ ok: false, error: failed("load") });
		else this.#engine.load(store, settle);
	}

	/** The storage actor commits one group after the other, so waiting changes no order. */
	commit(writes: readonly StoreWrite[], settle: Settle<void>): void {
		const { delayMs } = this.#board.disk;
		if (delayMs > 0) this.#clock.schedule(delayMs, () => this.#commitWhenAllowed(writes, settle));
		else this.#commitWhenAllowed(writes, settle);
	}

	#commitWhenAllowed(writes: readonly StoreWrite[], settle: Settle<void>): void {
		const { isStalled, isFull, flushFails } = this.#board.disk;
		if (isFull) settle({ ok: false, error: diskFull(injected("commit")) });
		else if (flushFails > 0 && this.#generator.chance(flushFails)) settle({ ok: false, error: failed("commit") });
		else if (isStalled) this.#clock.schedule(STALL_POLL_MS, () => this.#commitWhenAllowed(writes, settle));
		else this.#engine.commit(writes, settle);
	}

	readSnapshot(
		store: string,
		name: string,
		offset: number,
		lengthBytes: number,
		settle: Settle<Uint8Array | null>,
	): void {
		if (this.#readFails) settle({ ok: false, error: failed("read") });
		else this.#engine.readSnapshot(store, name, offset, lengthBytes, settle);
	}

	close(): Promise<void> {
		return this.#engine.close();
	}

	get #readFails(): boolean {
		const { readFails } = this.#board.disk;
		return readFails > 0 && this.#generator.chance(readFails);
	}
}

function injected(operation: string): { directory: string; operation: string; problem: string } {
	return { directory: "injected", operation, problem: "an experiment says so" };
}

function failed(operation: string): QuorateError {
	return diskFailed(injected(operation));
}
