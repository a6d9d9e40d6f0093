/** One simulation and what an experiment needs of it: faulty network, disk, threads, and the members under observation. */
import { type NodeId, nodeId, type ProtocolTypes } from "../../protocols/core/index.ts";
import type { GroupObservation } from "../../protocols/verification/index.ts";
import {
	type Address,
	type DecisionOracle,
	FaultyNetwork,
	Simulation,
	storageLayouts,
	type ThreadEvent,
	type ThreadSlot,
	type TraceObserver,
} from "../../runtime/index.ts";
import type { TargetOrder } from "../../supervisors/index.ts";
import { participantName } from "../participant/index.ts";
import type { SwarmBackend } from "../swarm/index.ts";
import { HeldThreads, withThreads } from "./held-threads.ts";
import type { ActorDirectory } from "./mailbox-flood.ts";
import { MessageLog } from "./message-log.ts";
import type { StoreView } from "./observed-disk.ts";
import { PropertyAccount } from "./property-account.ts";
import { SimulatedDisks } from "./simulated-disks.ts";
import type { ParticipantObserver, SimulatedProtocol } from "./simulated-protocol.ts";
import { DISK_FLUSH_MS, type GroupOrders, SimulationFaults } from "./simulation-faults.ts";
import type { TargetStage } from "./staged-target.ts";
import type { SelectableGroup } from "./target-selection.ts";

/** How one simulation is run. */
export interface SimulationOptions {
	/** Records, replays or overrides what is drawn; default: nobody does. */
	readonly oracle?: DecisionOracle;
	/** Hears every event of the trace. */
	readonly trace?: TraceObserver;
	/** Actors that ask the real world for time or chance get an error; default false, since it is slow. */
	readonly guardGlobals?: boolean;
}

/** What a simulation is given where threads would load a module. */
const storageModule = "file:///simulation/storage.js";
const STORAGE_NAME = "storage";
/** In memory a write is there at once. */
const MEMORY_FLUSH_MS = { min: 0, max: 0 };

/** A group that was started in a world. */
export interface SimulatedSubject extends SelectableGroup, ActorDirectory {
	readonly orders: GroupOrders;
	stop(): Promise<void>;
}

export class SimulatedWorld<P extends ProtocolTypes, View> {
	readonly simulation: Simulation;
	readonly backend: SwarmBackend;
	readonly #protocol: SimulatedProtocol<P, View>;
	readonly #network: FaultyNetwork;
	readonly #threads: HeldThreads;
	readonly #account: PropertyAccount<GroupObservation<P, View>>;
	/** Members that have begun a life and not ended it. */
	readonly #living = new Set<NodeId>();
	/** The member on each thread of its own. */
	readonly #nodes = new Map<ThreadSlot, NodeId>();
	/** The members by the names of their stores. */
	readonly #members = new Map<string, NodeId>();
	/** And the other way round: a name that is put together anew for each message would have to be hashed each time. */
	readonly #stores = new Map<NodeId, string>();
	readonly #disks: SimulatedDisks<StoreView & P["durable"]>;
	/** Lets a member start again whose disk has failed, and so its machine. */
	readonly #failed = new Map<NodeId, () => void>();

	constructor(order: TargetOrder, protocol: SimulatedProtocol<P, View>, options: SimulationOptions) {
		this.#protocol = protocol;
		const { seed, topology, properties, observe } = order;
		const { oracle, trace, guardGlobals } = options;
		const nowMs = (): number => this.simulation.nowMs;
		this.#account = new PropertyAccount(
			protocol.properties.filter(({ id }) => properties.has(id)),
			"disk",
			nowMs,
			(property, text) => observe({ atMs: nowMs(), origin: null, type: "violated", text, values: { property } }),
		);
		this.#disks = new SimulatedDisks({
			disks: topology.disks,
			flushMs: topology.storage === "memory" ? MEMORY_FLUSH_MS : DISK_FLUSH_MS,
			generator: (label) => this.simulation.generator(label),
			viewOf: protocol.viewOf,
			persisted: (store, durable) => {
				const node = this.#members.get(store);
				if (node !== undefined && protocol.isJudged(node)) this.#account.observe({ type: "persisted", node, durable });
			},
			failed: (store) => this.#diskFailed(store),
			damagedStoresMax: order.budget.damage,
		});
		const observer: ParticipantObserver<P, View> = {
			observe: (observation) => this.#observe(observation),
			heard: (to, from, type) => messages.heard(to, from, type),
		};
		const left = (from: NodeId, to: NodeId, message: P["message"]): void => {
			if (!protocol.isJudged(from)) return;
			const durable = this.#disks.durable(this.#stores.get(from) ?? protocol.storeOf(from));
			if (durable !== undefined) this.#account.observe({ type: "left", from, to, message, durable });
		};
		this.simulation = new Simulation({
			seed,
			modules: new Map<string, Readonly<Record<string, unknown>>>([
				[storageModule, { DiskStorage: this.#disks.storageClass }],
				...protocol.modules(observer),
			]),
			codec: { layouts: [...protocol.layouts, storageLayouts], records: [] },
			...(oracle === undefined ? {} : { oracle }),
			...(trace === undefined ? {} : { observe: trace }),
			...(guardGlobals === undefined ? {} : { guardGlobals }),
		});
		const nodeOf = ({ slot }: Address): NodeId | null => this.#nodes.get(slot) ?? null;
		this.#network = new FaultyNetwork({ generator: this.simulation.generator("network"), nodeOf });
		const messages = new MessageLog(this.#network, nodeOf, nowMs, { tell: observe, left });
		this.simulation.network = messages;
		this.simulation.threads.observe((event) => this.#ofThread(event));
		this.#threads = new HeldThreads(this.simulation.threads);
		this.backend = {
			backend: withThreads(this.simulation.backend, this.#threads),
			storage: {
				name: STORAGE_NAME,
				behaviour: { module: storageModule, export: "DiskStorage" },
				placement: "dedicated",
				neverKilled: true,
			},
		};
	}

	/** The world with a running group in it. */
	stage(subject: SimulatedSubject): TargetStage {
		const { simulation } = this;
		const { group, storeOf } = this.#protocol;
		const faults = new SimulationFaults({
			simulation,
			swarm: subject,
			orders: subject.orders,
			group,
			network: this.#network,
			threads: this.#threads,
			generator: simulation.generator("targets"),
			disks: this.#disks,
			storeOf: (node) => storeOf(nodeId(node)),
			repairDisk: (node) => this.#repairDisk(nodeId(node)),
		});
		return {
			clock: simulation.clock,
			originMs: 0,
			pass: async (durationMs, until) => {
				const untilMs = simulation.nowMs + durationMs;
				const end = await simulation.run(until === undefined ? { untilMs } : { untilMs, until });
				this.#account.check();
				return end === "condition";
			},
			settle: (promise) => simulation.complete(promise),
			inject: (fault) => faults.inject(fault),
			findings: () => this.#account.findings(),
			get traceHash() {
				return simulation.traceHash;
			},
			get steps() {
				return simulation.steps;
			},
			stop: () => simulation.complete(subject.stop()),
		};
	}

	#observe(observation: GroupObservation<P, View>): void {
		if (observation.type === "started") {
			// A member that was built anew on a living thread: nobody else tells of its former life's end.
			this.#ended(observation.node);
			this.#living.add(observation.node);
		}
		this.#account.observe(observation);
	}

	#ended(node: NodeId): void {
		if (this.#living.delete(node)) this.#account.observe({ type: "ended", node });
	}

	/** A machine whose disk has failed is down, and stays so: it could neither keep a promise nor know what it has promised. */
	#diskFailed(store: string): void {
		const node = this.#members.get(store);
		if (node === undefined || this.#failed.has(node)) return;
		const thread = participantName(this.#protocol.group, node);
		this.#failed.set(node, this.#threads.hold(thread));
		// Between two events: this is told from within the storage's own.
		this.simulation.clock.schedule(0, () => {
			const status = this.simulation.threads.status().find(({ spec }) => spec.name === thread);
			if (status === undefined || status.state === "dead") return;
			this.simulation.processes.add({ kind: "kill", thread, cause: "crashed" });
		});
	}

	#repairDisk(node: NodeId): void {
		this.#disks.repair(this.#protocol.storeOf(node));
		this.#failed.get(node)?.();
		this.#failed.delete(node);
	}

	#ofThread(event: ThreadEvent): void {
		const { group, storeOf } = this.#protocol;
		const prefix = participantName(group, "");
		if (!event.name.startsWith(prefix)) return;
		const node = nodeId(event.name.slice(prefix.length));
		if (event.type === "thread-started") {
			this.#nodes.set(event.slot, node);
			const store = storeOf(node);
			this.#members.set(store, node);
			this.#stores.set(node, store);
		} else if (event.type === "thread-released") this.#nodes.delete(event.slot);
		else this.#ended(node);
	}
}
