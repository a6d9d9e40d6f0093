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
import { type DiskFault, type DiskFaultKind, DiskFaults, type LastingDiskFault } from "./disk-faults.ts";
import { diskFailed, diskFaultInvalid, diskFull, faultOverBudget, storageUnusable } from "./errors.ts";
import { outcomeOf } from "./outcome.ts";
import { type DamageKind, StoreImage, type StorePart } from "./store-image.ts";
import { advanceShapes, checkStoreName, EMPTY_SHAPE, type StoreShape } from "./store-shape.ts";

export interface SimulatedDiskOptions {
	readonly clock: Clock;
	readonly generator: Generator;
	/** Virtual milliseconds of one flush, drawn uniformly; default 0.2 to 5. */
	readonly flushMs?: { readonly min: number; readonly max: number };
	/**
	 * Stores that may be damaged at the same time; default 0. Of replicas that keep the same entries this must stay below a
	 * majority, or what they agreed on is gone.
	 */
	readonly damagedStoresMax?: number;
	/**
	 * What the storage actor on this disk remembers (its `founded`): when a machine loses power, what it remembered of its store is
	 * lost too, and the next load shows what the store really holds. Without it an actor may take a store for lost whose first
	 * writes a loss of power has undone.
	 */
	readonly founded?: Set<string>;
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
	/** The shape of what it will find if nothing crashes: the flushed state and all groups on their way. */
	readonly #written: Map<string, StoreShape> = new Map();
	/** In order; the first is being flushed. */
	readonly #groups: Group[] = [];
	/** Stores whose writer has crashed: what it still had on its way to the disk is nothing any more. */
	readonly #crashed: Set<string> = new Set();
	readonly #wiped: Set<string> = new Set();
	readonly #founded: Set<string>;
	readonly #faults: DiskFaults;
	readonly #damagedStoresMax: number;
	/** The first group's time is over, but a stall keeps it. */
	#isHeld = false;
	#failure: QuorateError | null = null;
	#closed: (() => void) | null = null;

	constructor({
		clock,
		generator,
		flushMs = FLUSH_MS_DEFAULT,
		damagedStoresMax = 0,
		founded = new Set(),
	}: SimulatedDiskOptions) {
		this.#founded = founded;
		this.#clock = clock;
		this.#generator = generator;
		this.#flushMs = flushMs;
		this.#faults = new DiskFaults(generator.fork("faults"));
		this.#damagedStoresMax = damagedStoresMax;
	}

	load(store: string, settle: Settle<StoreContents>): void {
		settle(
			outcomeOf(() => {
				this.#refuseIfFailed();
				checkStoreName(store);
				this.#failIfUnreadable("load", store);
				if (this.#crashed.delete(store) && !this.#wiped.has(store)) this.#founded.delete(store);
				return imageIn(this.#flushed, store).contents();
			}),
		);
	}

	commit(writes: readonly StoreWrite[], settle: Settle<void>): void {
		const outcome = outcomeOf(() => {
			this.#refuseIfFailed();
			for (const { store } of writes) checkStoreName(store);
			const living = writes.filter(({ store }) => !this.#crashed.has(store));
			const shapes = advanceShapes(living, (store) => this.#written.get(store) ?? EMPTY_SHAPE);
			for (const [store, shape] of shapes) this.#written.set(store, shape);
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
				this.#failIfUnreadable("read", store);
				if (this.#faults.isStale(store)) return null;
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

	// --- what can go wrong ---

	/**
	 * Begins a fault. What is over at once (`lose-power`, `wipe`, damage) is never active.
	 * @throws QuorateError `disk-fault-invalid`, `fault-over-budget`
	 */
	add(fault: DiskFault): { remove(): void } {
		if (!("store" in fault)) return this.#addLasting(fault);
		if (fault.kind === "lose-power") this.crash(fault.store);
		else if (fault.kind === "wipe") this.wipe(fault.store);
		else this.damage(fault.store, fault.kind);
		return { remove: () => {} };
	}

	#addLasting(fault: LastingDiskFault): { remove(): void } {
		const end = this.#faults.add(fault);
		return {
			remove: () => {
				end();
				this.#goOn();
			},
		};
	}

	/** Ends all lasting faults; what is damaged or failed stays so. */
	clearFaults(): void {
		this.#faults.clear();
		this.#goOn();
	}

	/**
	 * After a failure somebody has seen to the disk (made room, put in another controller): what was flushed is there, and it
	 * works again. Without effect on one that works.
	 */
	reopen(): void {
		if (this.#failure === null) return;
		this.#failure = null;
		this.#isHeld = false;
		this.#written.clear();
		for (const [store, image] of this.#flushed) this.#written.set(store, image.shape);
	}

	/** Why it serves nobody any more; null while it works. */
	get failure(): QuorateError | null {
		return this.#failure;
	}

	/** Lasting faults in force. */
	get activeFaults(): readonly LastingDiskFault[] {
		return this.#faults.active;
	}

	/** How often each kind of fault has done something so far. */
	get faultCounts(): ReadonlyMap<DiskFaultKind, number> {
		return this.#faults.counts;
	}

	/** Stores of which something flushed is not what was written. */
	get damagedStores(): readonly string[] {
		return [...this.#flushed].flatMap(([store, image]) => (image.isDamaged ? [store] : []));
	}

	/**
	 * A flushed value, record or snapshot chunk of this store is not any more what was written there. It is found by its
	 * checksum when it is read next, as in LMDB; until then nobody notices. `of`: only one of these. Returns where it stands.
	 * @throws QuorateError `fault-over-budget`; `disk-fault-invalid` if there is nothing to damage
	 */
	damage(store: string, kind: DamageKind, of: readonly StorePart[] | null = null): string {
		const damaged = this.damagedStores;
		if (!damaged.includes(store) && damaged.length >= this.#damagedStoresMax) {
			throw faultOverBudget({ kind, store, damaged, copiesMax: this.#damagedStoresMax });
		}
		const place = imageIn(this.#flushed, store).damage(kind, (count) => this.#generator.below(count), of);
		if (place === null)
			throw diskFaultInvalid({ kind, target: store, problem: "it holds nothing that can be damaged" });
		this.#faults.count(kind);
		return place;
	}

	/**
	 * The store is lost with everything that was flushed: what loads it next finds an empty one. Nothing here tells that it
	 * is not the first time; that a member without its state must not come back under its old id is its owner's to see.
	 */
	wipe(store: string): void {
		for (const group of this.#groups) group.writes = group.writes.filter((write) => write.store !== store);
		// One that held nothing yet is as it was.
		if (this.#flushed.get(store)?.hasValues === true) this.#wiped.add(store);
		this.#flushed.delete(store);
		this.#written.delete(store);
		this.#crashed.add(store);
		this.#faults.count("wipe");
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
		const survivors = this.#groups.flatMap(({ writes }) => writes.filter((write) => write.store === store));
		const flushed = imageIn(this.#flushed, store).shape;
		this.#written.set(store, advanceShapes(survivors, () => flushed).get(store) ?? flushed);
		this.#crashed.add(store);
		this.#faults.count("lose-power");
	}

	/** The group that is flushed next fails, and with it the disk for good. */
	failNextFlush(code: "disk-full" | "disk-failed"): void {
		this.#faults.add({ kind: "fail-flush", code });
	}

	/** From the next flush on. */
	setFlushMs(flushMs: { readonly min: number; readonly max: number }): void {
		assert(flushMs.min >= 0 && flushMs.max >= flushMs.min, "a flush takes a range of time");
		this.#flushMs = flushMs;
	}

	#flushLater(): void {
		const { min, max } = this.#flushMs;
		const flushMs = min + this.#generator.fraction() * (max - min);
		this.#clock.schedule(flushMs * this.#faults.slowness(this.#storesBeingFlushed()), () => this.#flush());
	}

	/** A stall may be over. */
	#goOn(): void {
		if (!this.#isHeld || this.#faults.isStalled(this.#storesBeingFlushed())) return;
		this.#isHeld = false;
		this.#clock.schedule(0, () => this.#flush());
	}

	#storesBeingFlushed(): string[] {
		return (this.#groups[0]?.writes ?? []).map(({ store }) => store);
	}

	#flush(): void {
		if (this.#failure !== null) {
			this.#refuseGroups(this.#failure, this.#groups.splice(0));
			return;
		}
		const stores = this.#storesBeingFlushed();
		if (this.#faults.isStalled(stores)) {
			this.#isHeld = true;
			this.#faults.count("stall");
			return;
		}
		const group = must(this.#groups.shift(), "a group is being flushed");
		const failure = this.#faults.flushFailure(stores);
		if (failure !== null) {
			this.#fail(failure, [group, ...this.#groups.splice(0)]);
			return;
		}
		for (const { store, operations } of group.writes) imageIn(this.#flushed, store).perform(operations);
		if (this.#groups.length > 0) this.#flushLater();
		else this.#closed?.();
		group.settle({ ok: true, value: undefined });
	}

	#failIfUnreadable(operation: string, store: string): void {
		if (!this.#faults.readFails(store)) return;
		this.#failure = diskFailed({ directory: "simulated", operation, problem: "injected" });
		throw this.#failure;
	}

	#fail(code: "disk-full" | "disk-failed", groups: readonly Group[]): void {
		const details = { directory: "simulated", operation: "commit", problem: "injected" };
		const error = code === "disk-full" ? diskFull(details) : diskFailed(details);
		this.#failure = error;
		this.#refuseGroups(error, groups);
	}

	#refuseGroups(error: QuorateError, groups: readonly Group[]): void {
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
