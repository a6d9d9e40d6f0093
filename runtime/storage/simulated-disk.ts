/**
 * A disk on virtual time, for the simulator: flushes take as long as a generator says, and what is not flushed can be
 * lost. It behaves as the contract of {@link StorageEngine} allows at its worst, which real disks seldom show.
 *
 * A disk is no data, so it reaches a virtual thread as a class that a `Simulation` loads by name:
 *
 * ```ts
 * const open = ({ clock, generator }: ActorContext) => (disk = new SimulatedDisk({ clock, generator }));
 * class Storage extends StorageActor {
 * 	constructor() {
 * 		super({ engine: { type: "provided", open } });
 * 	}
 * }
 * const simulation = new Simulation({ seed, modules: new Map([["file:///storage.js", { Storage }]]) });
 * ```
 */
import { assert, type Generator, must, type QuorateError } from "../../protocols/core/index.ts";
import type { Clock } from "../actor/clock.ts";
import type { Settle, StorageEngine, StoreContents, StoreWrite } from "./contract.ts";
import { diskFailed, diskFull, storageUnusable } from "./errors.ts";
import { outcomeOf } from "./outcome.ts";
import { StoreImage } from "./store-image.ts";
import { advanceShapes, checkStoreName } from "./store-shape.ts";

export interface SimulatedDiskOptions {
	readonly clock: Clock;
	readonly generator: Generator;
	/** Virtual milliseconds of one flush, drawn uniformly; default 0.2 to 5. */
	readonly flushMs?: { readonly min: number; readonly max: number };
}

/** A group on its way to the platter. */
interface Group {
	/** In order; a crash takes some out. */
	writes: readonly StoreWrite[];
	readonly settle: Settle<void>;
}

const FLUSH_MS_DEFAULT = { min: 0.2, max: 5 };

export class SimulatedDisk implements StorageEngine {
	readonly #clock: Clock;
	readonly #generator: Generator;
	#flushMs: { readonly min: number; readonly max: number };
	/** What a restart finds. */
	readonly #flushed: Map<string, StoreImage> = new Map();
	/** What it will find if nothing crashes: the flushed state and all groups on their way. */
	readonly #written: Map<string, StoreImage> = new Map();
	/** In order; the first is being flushed. */
	readonly #groups: Group[] = [];
	/** Stores whose writer has crashed: what it still had on its way to the disk is nothing any more. */
	readonly #crashed: Set<string> = new Set();
	#failNext: "disk-full" | "disk-failed" | null = null;
	#failure: QuorateError | null = null;
	#closed: (() => void) | null = null;

	constructor({ clock, generator, flushMs = FLUSH_MS_DEFAULT }: SimulatedDiskOptions) {
		this.#clock = clock;
		this.#generator = generator;
		this.#flushMs = flushMs;
	}

	load(store: string, settle: Settle<StoreContents>): void {
		settle(
			outcomeOf(() => {
				this.#refuseIfFailed();
				checkStoreName(store);
				this.#crashed.delete(store);
				return imageIn(this.#flushed, store).contents();
			}),
		);
	}

	commit(writes: readonly StoreWrite[], settle: Settle<void>): void {
		const outcome = outcomeOf(() => {
			this.#refuseIfFailed();
			for (const { store } of writes) checkStoreName(store);
			const living = writes.filter(({ store }) => !this.#crashed.has(store));
			advanceShapes(living, (store) => imageIn(this.#written, store).shape);
			for (const { store, operations } of living) imageIn(this.#written, store).perform(operations);
			return living;
		});
		if (!outcome.ok) {
			settle(outcome);
			return;
		}
		this.#groups.push({ writes: outcome.value, settle });
		if (this.#groups.length === 1) this.#flushLater();
	}

	readSnapshot(
		store: string,
		name: string,
		offset: number,
		lengthBytes: number,
		settle: Settle<Uint8Array | null>,
	): void {
		settle(
			outcomeOf(() => {
				this.#refuseIfFailed();
				return imageIn(this.#flushed, store).readSnapshot(name, offset, lengthBytes);
			}),
		);
	}

	async close(): Promise<void> {
		if (this.#groups.length === 0) return;
		await new Promise<void>((resolve) => {
			this.#closed = resolve;
		});
	}

	/**
	 * The machine that writes this store loses power: of its writes that are not flushed a prefix survives, as long as
	 * the generator says, perhaps none, perhaps all. What it sends until the store is loaded again comes from the dead.
	 */
	crash(store: string): void {
		const pending = this.#groups.reduce((sum, { writes }) => sum + writes.filter((w) => w.store === store).length, 0);
		let surviving = this.#generator.between(0, pending);
		for (const group of this.#groups) {
			group.writes = group.writes.filter((write) => {
				if (write.store !== store) return true;
				surviving -= 1;
				return surviving >= 0;
			});
		}
		const image = imageIn(this.#flushed, store).copy();
		for (const { writes } of this.#groups) {
			for (const write of writes) if (write.store === store) image.perform(write.operations);
		}
		this.#written.set(store, image);
		this.#crashed.add(store);
	}

	/** The group that is flushed next fails, and with it the disk for good. */
	failNextFlush(code: "disk-full" | "disk-failed"): void {
		this.#failNext = code;
	}

	/** From the next flush on. */
	setFlushMs(flushMs: { readonly min: number; readonly max: number }): void {
		assert(flushMs.min >= 0 && flushMs.max >= flushMs.min, "a flush takes a range of time");
		this.#flushMs = flushMs;
	}

	#flushLater(): void {
		const { min, max } = this.#flushMs;
		this.#clock.schedule(min + this.#generator.fraction() * (max - min), () => this.#flush());
	}

	#flush(): void {
		const group = must(this.#groups.shift(), "a group is being flushed");
		if (this.#failNext !== null) {
			this.#fail(this.#failNext, [group, ...this.#groups.splice(0)]);
			return;
		}
		for (const { store, operations } of group.writes) imageIn(this.#flushed, store).perform(operations);
		if (this.#groups.length > 0) this.#flushLater();
		else this.#closed?.();
		group.settle({ ok: true, value: undefined });
	}

	#fail(code: "disk-full" | "disk-failed", groups: readonly Group[]): void {
		const details = { directory: "simulated", operation: "commit", problem: "injected" };
		const error = code === "disk-full" ? diskFull(details) : diskFailed(details);
		this.#failure = error;
		this.#closed?.();
		for (const { settle } of groups) settle({ ok: false, error });
	}

	#refuseIfFailed(): void {
		if (this.#failure !== null) throw storageUnusable({ failure: this.#failure.code });
	}
}

function imageIn(images: Map<string, StoreImage>, store: string): StoreImage {
	const image = images.get(store) ?? new StoreImage(store);
	images.set(store, image);
	return image;
}
