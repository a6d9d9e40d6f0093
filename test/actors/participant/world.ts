/**
 * A group of whole participants in simulation: each on a thread of its own, all on one storage actor with a simulated
 * disk, under supervisors, on virtual time.
 */
import { boundClass } from "../../../actors/experiment/bound-class.ts";
import {
	decodeValue,
	encodeValue,
	participantName,
	type RaftClientAnswer,
	type RaftClientRequest,
	type RaftTuning,
	raftClientLayouts,
	raftParticipantModule,
	raftStoreName,
} from "../../../actors/participant/index.ts";
import { type GroupAccess, SessionClient } from "../../../actors/swarm/client.ts";
import { GroupView } from "../../../actors/swarm/group-view.ts";
import { type Generator, groupId, type NodeId, nodeId, QuorateError } from "../../../protocols/core/index.ts";
import { raftLayouts } from "../../../protocols/raft/index.ts";
import {
	type ActorContext,
	ActorSystem,
	type Address,
	addressText,
	type EnvelopeHead,
} from "../../../runtime/actor/index.ts";
import {
	type NetworkDelivery,
	type NetworkPolicy,
	Simulation,
	type SimulationOptions,
} from "../../../runtime/simulation/index.ts";
import { SimulatedDisk, StorageActor, type StorageEngine, storageLayouts } from "../../../runtime/storage/index.ts";
import { type ChildSpec, supervisorActor, ThreadSupervisor } from "../../../supervisors/index.ts";
import { registerModule } from "../../fixtures/register-application.ts";

const GROUP = groupId("raft");
const storageModule = "file:///simulated/storage.js";

/** What the network does to messages between participants, and between clients and participants. */
export interface NetworkFaults {
	readonly loss: number;
	readonly duplication: number;
	readonly delayMsMax: number;
}

export const QUIET: NetworkFaults = { loss: 0, duplication: 0, delayMsMax: 0.5 };

export interface WorldOptions {
	readonly seed: number;
	readonly nodes: number;
	readonly tuning?: RaftTuning;
	readonly simulation?: Pick<SimulationOptions, "guardGlobals" | "observe" | "oracle" | "scheduling">;
}

/** Everything that a story needs. */
export class World implements NetworkPolicy {
	readonly simulation: Simulation;
	readonly nodes: readonly NodeId[];
	readonly generator: Generator;
	#disk: SimulatedDisk | null = null;
	/** Flushes take so long; infinity holds them back. */
	flushMs: { readonly min: number; readonly max: number } = { min: 0.2, max: 4 };
	readonly view: GroupView;
	readonly #system: ActorSystem;
	readonly #threads: ThreadSupervisor;
	readonly #network: Generator;
	readonly #tuning: RaftTuning;
	/** Participants' addresses. */
	readonly #participants = new Map<string, NodeId>();
	faults: NetworkFaults = QUIET;
	/** Nodes that hear each other; none: all do. */
	#island: ReadonlySet<NodeId> = new Set();
	#clients = 0;
	/** Events that were published, by type. */
	readonly counts: Map<string, number> = new Map();

	constructor({ seed, nodes, tuning = {}, simulation = {} }: WorldOptions) {
		this.#tuning = tuning;
		this.nodes = Array.from({ length: nodes }, (_, position) => nodeId(`node-${position + 1}`));
		this.view = new GroupView(GROUP, this.nodes);
		const founded = new Set<string>();
		const open = ({ clock }: ActorContext): StorageEngine => {
			const generator = this.generator.fork("disk");
			this.#disk = new SimulatedDisk({ clock, generator, flushMs: this.flushMs, founded, damagedStoresMax: 1 });
			return this.#disk;
		};
		const DiskStorage = boundClass<void, StorageActor>(StorageActor, () => {
			return new StorageActor({ engine: { type: "provided", open } }, founded);
		});
		this.simulation = new Simulation({
			...simulation,
			seed,
			network: this,
			modules: new Map([[storageModule, { DiskStorage }]]),
			codec: { layouts: [raftLayouts, raftClientLayouts, storageLayouts], records: [] },
		});
		this.generator = this.simulation.generator("world");
		this.#network = this.generator.fork("network");
		const { backend } = this.simulation;
		this.#system = new ActorSystem(backend);
		this.#threads = new ThreadSupervisor({
			threads: backend.threads,
			clock: backend.ports.clock,
			generator: this.generator.fork("threads"),
			publish: (event) => this.#count(event.type),
			intensity: 1_000,
			backoff: { minMs: 1, maxMs: 20, jitter: 0.2, stableMs: 100, immediate: 1 },
		});
	}

	/** Starts everything. */
	async start(): Promise<void> {
		this.#threads.start();
		this.simulation.backend.threads.observe((event) => {
			if (event.type !== "thread-ended") return;
			const node = this.nodes.find((one) => participantName(GROUP, one) === event.name);
			if (node !== undefined) this.view.down(node);
		});
		this.#system.events$.subscribe((event) => this.#heard(event));
		await this.simulation.complete(this.#boot());
	}

	async #boot(): Promise<void> {
		const flags = { intensity: 1_000, periodMs: 1_000, backoff: { minMs: 1, maxMs: 50, jitter: 0.2, stableMs: 100 } };
		const storage: ChildSpec = {
			id: "storage",
			restart: "temporary",
			start: {
				name: "storage",
				behaviour: { module: storageModule, export: "DiskStorage" },
				placement: "dedicated",
			},
		};
		await this.#system.spawn(supervisorActor({ name: "storage-supervisor", children: [storage] }));
		const members = await Promise.all(this.nodes.map((node) => this.#memberSpec(node)));
		await this.#system.spawn(supervisorActor({ name: "members", ...flags, children: members }));
		for (const node of this.nodes) {
			const ref = await this.#system.lookup(participantName(GROUP, node));
			if (ref !== null) this.#participants.set(addressText(ref.address), node);
		}
	}

	async #memberSpec(node: NodeId): Promise<ChildSpec> {
		const storage = await this.#system.lookup("storage");
		const name = participantName(GROUP, node);
		const args = {
			group: GROUP,
			node,
			voters: this.nodes,
			members: this.nodes,
			storage: storage?.address,
			application: { module: registerModule, export: "RegisterApplication" },
			tuning: this.#tuning,
		};
		const behaviour = { module: raftParticipantModule, export: "RaftParticipant", args };
		return { id: name, start: { name, behaviour, placement: "dedicated", waiting: "blocking" } };
	}

	#heard(event: { readonly type: string }): void {
		this.#count(event.type);
		const values = event as { readonly type: string } & Readonly<Record<string, never>>;
		if (event.type === "participant-started") this.view.started(values["node"] as never, values["restarts"] as never);
		if (event.type === "role-changed") {
			this.view.roleChanged(
				values["node"] as never,
				values["role"] as never,
				values["term"] as never,
				values["leader"] as never,
			);
		}
	}

	#count(type: string): void {
		this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
	}

	/** A client with a session, on the main thread. */
	client(timeoutMs: number): SessionClient {
		const access: GroupAccess = {
			name: GROUP,
			members: this.nodes,
			clock: this.simulation.clock,
			generator: this.generator.fork(`client-${this.#clients++}`),
			valueBytesMax: 1_000,
			leader: () => this.view.leader?.leader ?? null,
			ask: (node, request, askTimeoutMs) => this.ask(node, request, askTimeoutMs),
		};
		return new SessionClient(access, { timeoutMs });
	}

	/** What one member answers, once. @throws QuorateError `node-down`, or why it could not be asked */
	async ask(node: NodeId, request: RaftClientRequest, timeoutMs = 2_000): Promise<RaftClientAnswer> {
		const ref = await this.#system.lookup(participantName(GROUP, node));
		if (ref === null) throw new QuorateError("node-down", `${node} is down`, {});
		return ref.ask<RaftClientAnswer>(request, { timeoutMs });
	}

	/** What one replica holds, by itself. */
	async replica(node: NodeId): Promise<readonly string[]> {
		const ref = await this.#system.lookup(participantName(GROUP, node));
		const query = encodeValue("all");
		const answer = ref?.ask<Uint8Array>({ type: "participant-inspect", query }, { timeoutMs: 1_000 });
		return decodeValue((await answer) as Uint8Array) as readonly string[];
	}

	async status(
		node: NodeId,
	): Promise<{ readonly appliedIndex: number; readonly commitIndex: number; readonly role: string }> {
		const ref = await this.#system.lookup(participantName(GROUP, node));
		return (await ref?.ask({ type: "participant-status" }, { timeoutMs: 1_000 })) as never;
	}

	/** The participant's thread dies; its storage lives. */
	kill(node: NodeId): void {
		this.#end(participantName(GROUP, node));
	}

	/** The member's machine loses power: its participant dies, and of what was not flushed a prefix survives. */
	losePower(node: NodeId): void {
		this.kill(node);
		this.disk.crash(this.storeOf(node));
	}

	/** The member at an address. */
	nodeOf(address: Address): NodeId | null {
		return this.#participants.get(addressText(address)) ?? null;
	}

	/** The name of a member's thread. */
	threadOf(node: NodeId): string {
		return participantName(GROUP, node);
	}

	storeOf(node: NodeId): string {
		return raftStoreName(GROUP, node);
	}

	get disk(): SimulatedDisk {
		if (this.#disk === null) throw new Error("the storage has not started");
		return this.#disk;
	}

	#end(name: string): void {
		const thread = this.simulation.threads.status().find(({ spec }) => spec.name === name);
		if (thread === undefined || thread.state !== "running") return;
		void this.simulation.threads.kill(thread.slot, "killed");
	}

	/** Cuts these nodes off from the others. */
	partition(island: readonly NodeId[]): void {
		this.#island = new Set(island);
	}

	heal(): void {
		this.#island = new Set();
		this.faults = QUIET;
	}

	deliveries(head: EnvelopeHead, _payload: unknown): readonly NetworkDelivery[] | null {
		if (head.kind !== "tell") return null;
		const from = head.sender === null ? null : this.nodeOf(head.sender);
		const to = this.nodeOf(head.target);
		if (from === null || to === null) return null;
		if (this.#island.has(from) !== this.#island.has(to)) return [];
		const { loss, duplication, delayMsMax } = this.faults;
		if (this.#network.chance(loss)) return [];
		const copy = (): NetworkDelivery => ({ afterMs: 0.05 + this.#network.fraction() * delayMsMax });
		return this.#network.chance(duplication) ? [copy(), copy()] : [copy()];
	}

	async stop(): Promise<void> {
		await this.simulation.complete(this.#system.stop());
		this.#threads.stop();
	}
}
