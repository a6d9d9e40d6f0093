/** One simulation and what an experiment needs of it: faulty network, disk, threads, and the members under observation. */
import { type NodeId, nodeId } from "../../protocols/core/index.ts";
import { type RaftMessage, raftLayouts } from "../../protocols/raft/index.ts";
import { type RaftObservation, raftProperties } from "../../protocols/raft/properties/index.ts";
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
import { participantName, raftClientLayouts, raftParticipantModule, raftStoreName } from "../participant/index.ts";
import type { Swarm, SwarmBackend } from "../swarm/index.ts";
import { HeldThreads, withThreads } from "./held-threads.ts";
import { MessageLog } from "./message-log.ts";
import { type MachineWrapper, observedParticipant } from "./observed-participant.ts";
import { PropertyAccount } from "./property-account.ts";
import { SimulatedDisks } from "./simulated-disks.ts";
import { DISK_FLUSH_MS, SimulationFaults } from "./simulation-faults.ts";
import { GROUP } from "./swarm-options.ts";
import type { SwarmStage } from "./swarm-target.ts";

export interface SimulationEngineOptions {
	/** Puts something around each member's machine, such as a planted bug; default: nothing. */
	readonly machine?: MachineWrapper;
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

export class SimulatedWorld {
	readonly simulation: Simulation;
	readonly backend: SwarmBackend;
	readonly #network: FaultyNetwork;
	readonly #threads: HeldThreads;
	readonly #account: PropertyAccount<RaftObservation>;
	/** Members that have begun a life and not ended it. */
	readonly #living = new Set<NodeId>();
	/** The member on each thread of its own. */
	readonly #nodes = new Map<ThreadSlot, NodeId>();
	/** The members by the names of their stores. */
	readonly #members = new Map<string, NodeId>();
	/** And the other way round: a name that is put together anew for each message would have to be hashed each time. */
	readonly #stores = new Map<NodeId, string>();
	readonly #disks: SimulatedDisks;
	/** Lets a member start again whose disk has failed, and so its machine. */
	readonly #failed = new Map<NodeId, () => void>();

	constructor(order: TargetOrder, options: SimulationEngineOptions) {
		const { seed, topology, properties, observe } = order;
		const { oracle, trace, guardGlobals } = options;
		const nowMs = (): number => this.simulation.nowMs;
		this.#account = new PropertyAccount(
			raftProperties.filter(({ id }) => properties.has(id)),
			"disk",
			nowMs,
			(property, text) => observe({ atMs: nowMs(), origin: null, type: "violated", text, values: { property } }),
		);
		this.#disks = new SimulatedDisks({
			disks: topology.disks,
			flushMs: topology.storage === "memory" ? MEMORY_FLUSH_MS : DISK_FLUSH_MS,
			generator: (label) => this.simulation.generator(label),
			persisted: (store, durable) => {
				const node = this.#members.get(store);
				if (node !== undefined) this.#account.observe({ type: "persisted", node, durable });
			},
			failed: (store) => this.#diskFailed(store),
		});
		const observer = {
			observe: (observation: RaftObservation) => this.#observe(observation),
			heard: (to: NodeId, from: NodeId, type: string) => messages.heard(to, from, type),
		};
		const left = (from: NodeId, to: NodeId, message: RaftMessage): void => {
			const durable = this.#disks.durable(this.#stores.get(from) ?? raftStoreName(GROUP, from));
			if (durable !== undefined) this.#account.observe({ type: "left", from, to, message, durable });
		};
		const RaftParticipant = observedParticipant(observer, options.machine ?? ((machine) => machine));
		this.simulation = new Simulation({
			seed,
			modules: new Map<string, Readonly<Record<string, unknown>>>([
				[storageModule, { DiskStorage: this.#disks.storageClass }],
				[raftParticipantModule, { RaftParticipant }],
			]),
			codec: { layouts: [raftLayouts, raftClientLayouts, storageLayouts], records: [] },
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

	/** The world with a running swarm in it. */
	stage(swarm: Swarm): SwarmStage {
		const { simulation } = this;
		const faults = new SimulationFaults({
			simulation,
			swarm,
			group: GROUP,
			network: this.#network,
			threads: this.#threads,
			generator: simulation.generator("targets"),
			disks: this.#disks,
			storeOf: (node) => raftStoreName(GROUP, nodeId(node)),
			repairDisk: (node) => this.#repairDisk(nodeId(node)),
		});
		return {
			swarm,
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
			stop: () => simulation.complete(swarm.stop()),
		};
	}

	#observe(observation: RaftObservation): void {
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
		const thread = participantName(GROUP, node);
		this.#failed.set(node, this.#threads.hold(thread));
		// Between two events: this is told from within the storage's own.
		this.simulation.clock.schedule(0, () => {
			const status = this.simulation.threads.status().find(({ spec }) => spec.name === thread);
			if (status === undefined || status.state === "dead") return;
			this.simulation.processes.add({ kind: "kill", thread, cause: "crashed" });
		});
	}

	#repairDisk(node: NodeId): void {
		this.#disks.repair(raftStoreName(GROUP, node));
		this.#failed.get(node)?.();
		this.#failed.delete(node);
	}

	#ofThread(event: ThreadEvent): void {
		const prefix = participantName(GROUP, "");
		if (!event.name.startsWith(prefix)) return;
		const node = nodeId(event.name.slice(prefix.length));
		if (event.type === "thread-started") {
			this.#nodes.set(event.slot, node);
			const store = raftStoreName(GROUP, node);
			this.#members.set(store, node);
			this.#stores.set(node, store);
		} else if (event.type === "thread-released") this.#nodes.delete(event.slot);
		else this.#ended(node);
	}
}
