/**
 * A group of replicas on virtual time: the participants that run on threads, their supervision and storage, on a network that loses,
 * doubles and reorders messages, and on a disk that forgets what was not flushed.
 */
import type { Generator } from "../../../protocols/core/index.ts";
import { crdtLayouts } from "../../../protocols/crdt/index.ts";
import { messageType } from "../../../runtime/actor/index.ts";
import {
	type EnvelopeHead,
	FaultyNetwork,
	type NetworkDelivery,
	type NetworkPolicy,
	SimulatedDisk,
	Simulation,
	StorageActor,
	type StorageContext,
	storageLayouts,
	type ThreadEvent,
	type ThreadSlot,
	type TraceObserver,
} from "../../../runtime/index.ts";
import { ReplicaGroup } from "../../crdt-synchronizer/index.ts";
import { crdtStoreName, participantName } from "../../participant/index.ts";
import type { SwarmBackend } from "../../swarm/index.ts";
import { boundClass } from "../bound-class.ts";
import { DISK_FLUSH_MS } from "../simulation-faults.ts";
import { UNDO_GROUPS_MAX } from "./typing.ts";
import { LinkBoard, TEXT_PART, TypingReplica, type TypingReplicaArgs, typingReplicaModule } from "./typing-replica.ts";

/** What may happen to simulated replicas, by name. */
export const replicaFaults = [
	"kill",
	"power-loss",
	"cut",
	"collect",
	"loss",
	"duplicate",
	"replay",
	"reorder",
] as const;
export type ReplicaFault = (typeof replicaFaults)[number];

export interface ReplicaWorldOptions {
	readonly seed: number;
	readonly nodes: number;
	readonly faults: ReadonlySet<ReplicaFault>;
	/** Hears every event of the trace. */
	readonly trace?: TraceObserver;
}

const storageModule = "file:///simulation/storage.js";
const STORAGE_NAME = "storage";
/** Names the group, its actors and its stores. */
const GROUP = "crdt";
/** 2020-01-01: where wall clocks begin. */
const WALL_START_MS = 1_577_836_800_000;
/** Of a machine that is killed, how often its power goes, too. */
const POWER_LOSS_CHANCE = 0.5;

export class ReplicaWorld {
	readonly simulation: Simulation;
	readonly links: LinkBoard;
	/** Messages between replicas, by type. */
	readonly messages: Map<string, number> = new Map();
	powerLosses = 0;
	readonly #options: ReplicaWorldOptions;
	readonly #network: FaultyNetwork;
	readonly #draw: Generator;
	/** The member on each thread of its own. */
	readonly #nodes = new Map<ThreadSlot, string>();
	readonly #founded = new Set<string>();
	#disk: SimulatedDisk | null = null;

	constructor(options: ReplicaWorldOptions) {
		this.#options = options;
		this.links = new LinkBoard(options.nodes);
		const wallMs = (): number => WALL_START_MS + Math.floor(this.simulation.nowMs);
		const replica = (args: TypingReplicaArgs): TypingReplica => new TypingReplica(args, wallMs);
		const open = ({ clock }: StorageContext): SimulatedDisk => this.#diskOn(clock);
		const storage = (): StorageActor => new StorageActor({ engine: { type: "provided", open } }, this.#founded);
		this.simulation = new Simulation({
			seed: options.seed,
			modules: new Map<string, Readonly<Record<string, unknown>>>([
				[storageModule, { Storage: boundClass<void, StorageActor>(StorageActor, storage) }],
				[typingReplicaModule, { TypingReplica: boundClass<TypingReplicaArgs, TypingReplica>(TypingReplica, replica) }],
			]),
			codec: { layouts: [crdtLayouts, storageLayouts], records: [] },
			...(options.trace === undefined ? {} : { observe: options.trace }),
		});
		const { simulation } = this;
		this.#draw = simulation.generator("replica-faults");
		this.#network = new FaultyNetwork({
			generator: simulation.generator("network"),
			nodeOf: ({ slot }) => this.#nodes.get(slot) ?? null,
		});
		simulation.network = new CountedNetwork(this.#network, this.messages);
		simulation.threads.observe((event) => this.#ofThread(event));
	}

	/** The group, started. */
	start(): Promise<ReplicaGroup> {
		const { nodes, seed } = this.#options;
		const backend: SwarmBackend = {
			backend: this.simulation.backend,
			counted: (name) => this.#counted(name),
			storage: {
				name: STORAGE_NAME,
				behaviour: { module: storageModule, export: "Storage" },
				placement: "dedicated",
				neverKilled: true,
			},
		};
		return this.simulation.complete(
			ReplicaGroup.start({
				nodes,
				seed,
				group: GROUP,
				schema: { [TEXT_PART]: "text" },
				tuning: { undoGroupsMax: UNDO_GROUPS_MAX },
				backend,
				participant: { module: typingReplicaModule, export: "TypingReplica", args: { links: this.links.memory } },
			}),
		);
	}

	/** From now on the network is as bad as the seed makes it. */
	disturb(): void {
		const { faults } = this.#options;
		const draw = this.#draw;
		const probability = (max: number): number => draw.fraction() * max;
		if (faults.has("loss")) this.#network.add({ kind: "loss", probability: probability(0.3) });
		if (faults.has("duplicate")) this.#network.add({ kind: "duplicate", probability: probability(0.3) });
		if (faults.has("replay")) {
			this.#network.add({ kind: "replay", probability: probability(0.1), ageMs: { min: 100, max: 3_000 } });
		}
		if (faults.has("reorder")) this.#network.add({ kind: "reorder", probability: probability(0.5), windowMs: 200 });
	}

	/** The network is whole. */
	mend(): void {
		this.#network.clear();
	}

	/** Messages that each kind of network fault has met. */
	get networkCounts(): ReadonlyMap<string, number> {
		return this.#network.counts;
	}

	#counted(name: string): number {
		const { simulation } = this;
		return simulation.threads.status().reduce((sum, { slot }) => {
			const reading = simulation.metrics(slot)?.read().get(name);
			return sum + (reading?.type === "counter" ? reading.value : 0);
		}, 0);
	}

	#diskOn(clock: StorageContext["clock"]): SimulatedDisk {
		const generator = this.simulation.generator("disk");
		this.#disk ??= new SimulatedDisk({ clock, generator, flushMs: DISK_FLUSH_MS, founded: this.#founded });
		return this.#disk;
	}

	#ofThread(event: ThreadEvent): void {
		const prefix = participantName(GROUP, "");
		if (!event.name.startsWith(prefix)) return;
		const node = event.name.slice(prefix.length);
		if (event.type === "thread-started") this.#nodes.set(event.slot, node);
		else if (event.type === "thread-released") this.#nodes.delete(event.slot);
		else if (this.#options.faults.has("power-loss") && this.#draw.chance(POWER_LOSS_CHANCE)) {
			this.powerLosses += 1;
			this.#disk?.add({ kind: "lose-power", store: crdtStoreName(GROUP, node) });
		}
	}
}

/** Counts what passes between members. */
class CountedNetwork implements NetworkPolicy {
	readonly #inner: NetworkPolicy;
	readonly #counts: Map<string, number>;

	constructor(inner: NetworkPolicy, counts: Map<string, number>) {
		this.#inner = inner;
		this.#counts = counts;
	}

	deliveries(
		head: EnvelopeHead,
		payload: unknown,
		nowMs: number,
		sizeBytes: number,
	): readonly NetworkDelivery[] | null {
		const deliveries = this.#inner.deliveries(head, payload, nowMs, sizeBytes);
		if (deliveries === null) return null;
		const type = messageType(payload) ?? "other";
		this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
		return deliveries;
	}
}
