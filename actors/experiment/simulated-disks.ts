/**
 * The disks of a simulated swarm. `shared`: one for all members, as a swarm in one process has it; what hits it hits all. `own`:
 * one for each member, as if each were a machine; behind the swarm's one storage address each member's store has a storage
 * actor and a disk of its own, and a disk that fails takes its member down, until somebody has seen to it.
 */
import type { Generator } from "../../protocols/core/index.ts";
import {
	type ActorContext,
	type Behaviour,
	type DiskFault,
	diskFaultInvalid,
	faultOverBudget,
	SimulatedDisk,
	StorageActor,
	type StorageContext,
	type StorageEngine,
	type StorageRequest,
	type StoreContents,
	type StorePart,
} from "../../runtime/index.ts";
import { boundClass } from "./bound-class.ts";
import { ObservedDisk, type StoreView } from "./observed-disk.ts";

export interface SimulatedDisksOptions<View extends StoreView> {
	readonly disks: "shared" | "own";
	/** Virtual milliseconds of one flush. */
	readonly flushMs: { readonly min: number; readonly max: number };
	/** The same label gives the same stream. */
	readonly generator: (label: string) => Generator;
	/** Reads what a store holds. */
	readonly viewOf: (contents: StoreContents) => View;
	/** A store durably holds this now; valid during the call only. */
	readonly persisted: (store: string, durable: View) => void;
	/** The disk that only this store is on has failed. */
	readonly failed: (store: string) => void;
	/** Stores that may hold damage, or lack what it has taken, at one time. */
	readonly damagedStoresMax: number;
}

interface Drive<View extends StoreView> {
	readonly disk: SimulatedDisk;
	readonly observed: ObservedDisk<View>;
}

/** Storage actors of single stores. */
interface Parts {
	readonly parts: ReadonlyMap<string, Part>;
	start(store: string, context: ActorContext<StorageRequest>): Part;
}

interface Part {
	readonly actor: StorageActor;
	readonly started: Promise<void>;
}

/** One address in front of a storage actor for each store. */
class DiskStorages implements Behaviour<StorageRequest> {
	readonly #parts: Parts;
	#context: ActorContext<StorageRequest> | null = null;

	constructor(parts: Parts) {
		this.#parts = parts;
	}

	started(context: ActorContext<StorageRequest>): void {
		this.#context = context;
	}

	receive(message: StorageRequest, context: ActorContext<StorageRequest>): void | Promise<void> {
		const known = this.#parts.parts.get(message.store);
		if (known !== undefined) return known.actor.receive(message, context);
		// Its sender is told only as long as the message is at hand.
		const { sender } = context;
		const replier = context.replier();
		const { actor, started } = this.#parts.start(message.store, this.#context ?? context);
		return started.then(() => actor.receive(message, { sender, replier: () => replier }));
	}

	drained(): void {
		for (const { actor } of this.#parts.parts.values()) actor.drained();
	}

	async stopping(): Promise<void> {
		for (const { actor } of this.#parts.parts.values()) await actor.stopping();
	}
}

/** The name of the one drive that all stores are on. */
const SHARED = "disk";

export class SimulatedDisks<View extends StoreView> {
	readonly #options: SimulatedDisksOptions<View>;
	readonly #drives = new Map<string, Drive<View>>();
	/** Storage actors of single stores. */
	readonly #parts = new Map<string, Part>();
	/** Stores that hold values, over all lives of their storage actors. */
	readonly #founded = new Set<string>();
	/** Stores that have lost something and not got it again, as far as is known. */
	readonly #notWhole = new Set<string>();
	/** The slow-disk faults in force; null: of all stores. */
	readonly #slow = new Set<{ readonly factor: number; readonly stores: readonly string[] | null }>();
	#slowFaults: readonly { remove(): void }[] = [];

	constructor(options: SimulatedDisksOptions<View>) {
		this.#options = options;
	}

	get areOwn(): boolean {
		return this.#options.disks === "own";
	}

	/** The class of the swarm's storage actor. */
	get storageClass(): new () => Behaviour<StorageRequest> {
		if (this.areOwn) return boundClass<void, DiskStorages>(DiskStorages, () => new DiskStorages(this.#parted));
		const open = ({ clock }: StorageContext): StorageEngine => this.#engine(SHARED, clock);
		return boundClass<void, StorageActor>(StorageActor, () => {
			return new StorageActor({ engine: { type: "provided", open } }, this.#founded);
		});
	}

	/** What the storage of many disks needs of this. */
	readonly #parted: Parts = {
		parts: this.#parts,
		start: (store, context) => this.#startPart(store, context),
	};

	/** What a store durably holds; undefined while that is not known, from a loss of power to the next load. */
	durable(store: string): View | undefined {
		return this.#driveOf(store)?.observed.durable(store);
	}

	/** The machine that writes this store loses power: of what is not flushed a part survives. */
	losePower(store: string): void {
		const drive = this.#driveOf(store);
		drive?.observed.forget(store);
		drive?.disk.add({ kind: "lose-power", store });
	}

	/** The store is gone, with all that it held. */
	wipe(store: string): void {
		const drive = this.#driveOf(store);
		drive?.observed.lose(store);
		this.#notWhole.add(store);
		drive?.disk.add({ kind: "wipe", store });
	}

	/**
	 * Damages something durable of this store, in one of these parts.
	 * @throws QuorateError `fault-over-budget` if as many others are not whole; `disk-fault-invalid` if there is nothing to damage
	 */
	damage(kind: "bit-rot" | "misdirected-write", store: string, parts: readonly StorePart[]): void {
		const { damagedStoresMax: copiesMax } = this.#options;
		const drives = [...this.#drives.values()];
		const broken = new Set([...drives.flatMap(({ disk }) => disk.damagedStores), ...this.#notWhole]);
		broken.delete(store);
		if (broken.size >= copiesMax) throw faultOverBudget({ kind, store, damaged: [...broken], copiesMax });
		const drive = this.#driveOf(store);
		if (drive === undefined) throw diskFaultInvalid({ kind, target: store, problem: "nothing was written yet" });
		drive.disk.damage(store, kind, parts);
	}

	/** Begins a lasting fault of the disks that these stores are on (null: of all disks); what is returned ends it. */
	add(fault: DiskFault, stores: readonly string[] | null): () => void {
		const filter = stores === null || this.areOwn ? {} : { stores };
		const added = this.#drivesOf(stores).map(({ disk }) => disk.add({ ...fault, ...filter } as DiskFault));
		return () => {
			for (const one of added) one.remove();
		};
	}

	/**
	 * Flushes take so many times longer. Of several such faults the slowest counts: factors that were multiplied would make one
	 * flush outlast the run.
	 */
	slow(factor: number, stores: readonly string[] | null): () => void {
		const entry = { factor, stores };
		this.#slow.add(entry);
		this.#putSlowest();
		return () => {
			this.#slow.delete(entry);
			this.#putSlowest();
		};
	}

	#putSlowest(): void {
		for (const fault of this.#slowFaults) fault.remove();
		this.#slowFaults = [...this.#drives].flatMap(([name, { disk }]) => {
			const concerned = [...this.#slow].filter(({ stores }) => !this.areOwn || stores?.includes(name) !== false);
			if (concerned.length === 0) return [];
			const factor = Math.max(...concerned.map((slow) => slow.factor));
			const isOfAll = this.areOwn || concerned.some(({ stores }) => stores === null);
			const stores = concerned.flatMap((slow) => slow.stores ?? []);
			return [disk.add({ kind: "slow", factor, ...(isOfAll ? {} : { stores }) })];
		});
	}

	/** The disk that this store alone is on works again, if it had failed: its storage actor begins anew with what is there. */
	repair(store: string): void {
		const drive = this.#drives.get(store);
		if (drive === undefined || drive.disk.failure === null) return;
		drive.disk.reopen();
		this.#parts.delete(store);
	}

	#driveOf(store: string): Drive<View> | undefined {
		return this.#drives.get(this.areOwn ? store : SHARED);
	}

	#drivesOf(stores: readonly string[] | null): readonly Drive<View>[] {
		if (stores === null) return [...this.#drives.values()];
		const drives = new Set(stores.map((store) => this.#driveOf(store)));
		return [...drives].filter((drive) => drive !== undefined);
	}

	#engine(name: string, clock: ActorContext["clock"]): StorageEngine {
		const known = this.#drives.get(name);
		if (known !== undefined) return known.observed;
		const { flushMs, generator, viewOf, persisted } = this.#options;
		const label = name === SHARED ? SHARED : `${SHARED}/${name}`;
		const disk = new SimulatedDisk({
			clock,
			generator: generator(label),
			flushMs,
			founded: this.#founded,
			// Counted here, over all disks, and with those that lack what damage has taken.
			damagedStoresMax: Number.POSITIVE_INFINITY,
		});
		const observed = new ObservedDisk(disk, viewOf, (store, durable) => {
			if (durable.isWhole === false) this.#notWhole.add(store);
			else this.#notWhole.delete(store);
			persisted(store, durable);
		});
		this.#drives.set(name, { disk, observed });
		return observed;
	}

	#startPart(
		store: string,
		context: ActorContext<StorageRequest>,
	): { readonly actor: StorageActor; readonly started: Promise<void> } {
		const open = ({ clock }: StorageContext): StorageEngine => this.#engine(store, clock);
		const actor = new StorageActor({ engine: { type: "provided", open } }, this.#founded);
		const started = actor.started(this.#contextOf(store, context));
		const part = { actor, started };
		this.#parts.set(store, part);
		return part;
	}

	/** The actor's context with timers of this store's own; and a failure is this store's alone. */
	#contextOf(store: string, context: ActorContext<StorageRequest>): StorageContext {
		const { clock, generator, metrics, timers } = context;
		return {
			clock,
			generator,
			metrics,
			timers: {
				run: (key, afterMs, callback) => timers.run(`${store}/${key}`, afterMs, callback),
				cancel: (key) => timers.cancel(`${store}/${key}`),
			},
			publish: (event) => {
				if (event.type === "storage-failed") this.#options.failed(store);
				else context.publish(event);
			},
		};
	}
}
