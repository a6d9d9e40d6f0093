/**
 * Members of one group in worker threads of this process, many to a thread, under supervision: a member that fails, or whose
 * thread does, is started again with what it had kept. What is killed with {@link GossipGroup.kill} stays down.
 */
import { randomInt } from "node:crypto";
import { filter, map, type Observable, type Subscription } from "rxjs";
import {
	errorFromObject,
	errorToObject,
	Generator,
	isNodeId,
	type LayoutTable,
	must,
	type NodeId,
	nodeId,
	nodeIds,
	type QuorateError,
} from "../../protocols/core/index.ts";
import type { DocumentSchema, Value } from "../../protocols/crdt/index.ts";
import {
	type AggregateKind,
	aggregationLayouts,
	antiEntropyLayouts,
	broadcastLayouts,
	type ConvergenceReading,
	EVENT_NAME,
	type SwimConfig,
	type SwimEvent,
	type SwimProfile,
	type SwimReply,
	type SwimRequest,
	swimLayouts,
	TopologyMap,
} from "../../protocols/gossip/index.ts";
import { type ActorRef, ActorSystem, type Address, IsolatedObservable } from "../../runtime/actor/index.ts";
import type { EngineSource } from "../../runtime/storage/index.ts";
import {
	SupervisorClient,
	supervisorActor,
	type ThreadSupervisionEvent,
	ThreadSupervisor,
} from "../../supervisors/index.ts";
import { nextIncarnation } from "../crdt-synchronizer/incarnations.ts";
import { type SwarmBackend, startThreads } from "../swarm/backend.ts";
import { startReason } from "../swarm/errors.ts";
import { FailureWatch } from "../swarm/failure-watch.ts";
import { groupSupervisorName, rootSpec } from "../swarm/tree.ts";
import {
	coordinatesMissing,
	memberMissing,
	memberRuns,
	requestRefused,
	threadMissing,
	valuesMissing,
} from "./errors.ts";
import { gossipMemberModule } from "./gossip-member.ts";
import { gossipGroupChild, gossipMemberChild } from "./gossip-tree.ts";
import {
	type Aggregate,
	type AggregateOptions,
	type AggregateReply,
	checkedAggregate,
	checkedContribution,
	EPOCHS_MAX,
	ROUNDS_MAX,
} from "./member-aggregates.ts";
import { BROADCAST_BYTES_MAX } from "./member-broadcast.ts";
import type { CoordinateReport } from "./member-coordinates.ts";
import { GroupKeys } from "./member-keys.ts";
import {
	type Dissemination,
	type MemberEvent,
	type MemberMessage,
	type MemberReport,
	memberName,
	type PublishedGossipEvent,
} from "./member-messages.ts";
import type { ValuesCommand, ValuesReply } from "./member-values.ts";
import { checkGossipOptions, VALUES_INTERVAL_MS_DEFAULT } from "./options.ts";

export interface GossipGroupOptions {
	/** Default `gossip`. */
	readonly group?: string;
	/** Default `lan`. */
	readonly profile?: SwimProfile;
	/** What differs from the profile. */
	readonly tuning?: Partial<Omit<SwimConfig, "nodeId">>;
	/** Share of messages that members drop on arrival, in [0, 1]. Default 0. */
	readonly lossChance?: number;
	/** Threads that members share, 1 to 61. Default: the machine's cores less one, at least 1. */
	readonly threads?: number;
	readonly seed?: number;
	/**
	 * Whether members sign what they say of members, so that nobody can pass on what was not said (Ed25519, 64 bytes a statement).
	 * Keys are made for the group and end with it. Default false.
	 */
	readonly signed?: boolean;
	/**
	 * Where members keep their incarnations and contacts, one process at a time. Default: in memory, which outlives members and
	 * their threads, and not the process.
	 */
	readonly directory?: string;
	/**
	 * Values that the members share: parts of a replicated document by name. Each member has a replica, and members that are there
	 * reconcile theirs now and then (anti-entropy), whatever messages are lost. At most 1 MiB in all. Default: none.
	 */
	readonly values?: DocumentSchema;
	/** Between exchanges of a member with another, in ms, 1 to 600,000. Default 1,000. */
	readonly valuesIntervalMs?: number;
	/** How {@link GossipGroup.broadcast} sends. Default `rumours`. */
	readonly dissemination?: Dissemination;
	/**
	 * Whether members measure the round trips of their probes and place themselves among the others by them (Vivaldi): 44 bytes more
	 * in each acknowledgement. Default false.
	 */
	readonly coordinates?: boolean;
	/** Where it runs, such as on virtual time; it takes the place of `directory`. Default: worker threads. */
	readonly backend?: SwarmBackend;
}

/** One event of one member. */
export interface GossipGroupEvent {
	readonly node: NodeId;
	readonly event: SwimEvent | MemberEvent;
	/** On the clock of the main thread. */
	readonly atMs: number;
}

/** How members speak. */
export const gossipLayouts: readonly LayoutTable[] = [
	swimLayouts,
	antiEntropyLayouts,
	aggregationLayouts,
	broadcastLayouts,
];

/** Beyond what a leave takes. */
const ANSWER_MS = 10_000;

export class GossipGroup {
	readonly group: string;
	readonly events$: Observable<GossipGroupEvent>;
	/** Resolves with the reason when the group can not go on: its storage has failed, or members fail again and again. */
	readonly failed: Promise<QuorateError>;
	readonly #options: GossipGroupOptions;
	readonly #backend: SwarmBackend;
	readonly #system: ActorSystem;
	readonly #threads: ThreadSupervisor;
	readonly #keys: GroupKeys | null;
	readonly #members = new Map<NodeId, ActorRef>();
	readonly #watch: Subscription;
	#supervisor: SupervisorClient | null = null;
	#storage: Address | null = null;
	#isStopping = false;

	private constructor(options: GossipGroupOptions, backend: SwarmBackend, seed: number) {
		this.group = options.group ?? "gossip";
		this.#options = options;
		this.#backend = backend;
		this.#keys = options.signed === true ? new GroupKeys(this.group) : null;
		const { threads } = options;
		this.#system = new ActorSystem(backend.backend, threads === undefined ? {} : { sharedThreads: threads });
		this.#threads = new ThreadSupervisor({
			threads: backend.backend.threads,
			clock: backend.backend.ports.clock,
			generator: new Generator(seed, "gossip-group/threads"),
			publish: (event) => this.#system.publish(event),
		});
		const events$ = this.#system.events$.pipe(
			filter((event): event is PublishedGossipEvent => event.type === "gossip-event"),
			filter(({ group }) => group === this.group),
			map(({ node, event }) => ({ node: node as NodeId, event, atMs: this.nowMs })),
		);
		this.events$ = new IsolatedObservable(events$, (error) => this.#observerFailed(error));
		const failures = new FailureWatch(backend.storage.name, groupSupervisorName(this.group));
		let fail: (error: QuorateError) => void = () => undefined;
		this.failed = new Promise((resolve) => {
			fail = resolve;
		});
		this.#watch = this.#system.events$.subscribe((event) => {
			const failure = failures.heard(event);
			// What ends because the group is being stopped has not failed.
			if (failure !== null && !this.#isStopping) fail(failure);
		});
	}

	/** @throws QuorateError as {@link checkGossipOptions}; `data-directory-*`, and what starting threads throws */
	static async start(options: GossipGroupOptions = {}): Promise<GossipGroup> {
		checkGossipOptions(options);
		const { group: name = "gossip", directory, seed = randomInt(2 ** 47) } = options;
		const engine: EngineSource =
			directory === undefined
				? { type: "memory" }
				: { type: "lmdb", directory, clusterId: name, nodeIds: [], application: "gossip membership" };
		const backend =
			options.backend ??
			(await startThreads({
				layouts: gossipLayouts,
				examples: [],
				preload: [gossipMemberModule],
				seed,
				warmSpares: 0,
				engine,
				dispose: () => Promise.resolve(),
			}));
		const group = new GossipGroup(options, backend, seed);
		try {
			await group.#boot();
		} catch (error) {
			await group.stop();
			throw startReason(error);
		}
		return group;
	}

	async #boot(): Promise<void> {
		this.#threads.start();
		const { storage } = this.#backend;
		const root = new SupervisorClient(await this.#system.spawn(supervisorActor(rootSpec(storage))));
		const found = must((await this.#system.lookup(storage.name)) ?? undefined, "the storage has started");
		this.#storage = found.address;
		if (this.#keys !== null) await this.#system.spawn(this.#keys.actor());
		const { address } = await root.startChild(gossipGroupChild(this.group));
		this.#supervisor = new SupervisorClient(this.#system.ref(address));
	}

	/** What happens to the threads that members share, as their supervisor tells it. */
	get threads$(): Observable<ThreadSupervisionEvent> {
		const told$ = this.#system.events$.pipe(
			filter((event): event is ThreadSupervisionEvent => event.type.startsWith("thread-") && "slot" in event),
		);
		return new IsolatedObservable(told$, (error) => this.#observerFailed(error));
	}

	get nowMs(): number {
		return this.#backend.backend.ports.clock.nowMs();
	}

	get nodes(): readonly NodeId[] {
		return [...this.#members.keys()];
	}

	has(node: string): boolean {
		return isNodeId(node) && this.#members.has(node);
	}

	/**
	 * Starts a member, which knows nobody yet; one that ran here before, with an incarnation above its last.
	 * @throws QuorateError `gossip-member-runs`, `invalid-argument`
	 */
	async startMember(node: string): Promise<void> {
		const id = nodeId(node);
		if (this.#members.has(id)) throw memberRuns({ node, group: this.group });
		const { profile = "lan", tuning = {}, lossChance = 0 } = this.#options;
		const { group } = this;
		const storage = must(this.#storage ?? undefined, "a group has booted");
		const identity = this.#keys?.secretOf(id) ?? null;
		if (identity !== null) {
			for (const member of this.#members.values()) member.tell({ type: "gossip-enrol", identity: identity.public });
		}
		const { values: schema, valuesIntervalMs: intervalMs = VALUES_INTERVAL_MS_DEFAULT } = this.#options;
		// Where all begins anew, so do incarnations; else one is chosen that no former process has had.
		const incarnation = this.#options.backend === undefined ? nextIncarnation(id, Date.now()) : 0;
		const values = schema === undefined ? null : { schema, intervalMs, incarnation };
		const { coordinates = false, dissemination = "rumours" } = this.#options;
		const network = { profile, tuning, lossChance, coordinates, dissemination };
		const args = { group, node, storage, identity, values, ...network };
		const { address } = await this.#supervised.startChild(gossipMemberChild(args));
		this.#members.set(id, this.#system.ref(address));
	}

	/** Lets a member meet the others through these. @throws QuorateError `gossip-request-refused` */
	async join(node: string, seeds: readonly string[]): Promise<void> {
		await this.request(node, { type: "join", seeds: nodeIds("seeds", seeds) }, "joined");
	}

	/**
	 * Asks a member.
	 * @throws QuorateError `gossip-request-refused` if the answer is another than `expected`, `gossip-member-missing`
	 */
	async request<Type extends SwimReply["type"]>(
		node: string,
		request: SwimRequest,
		expected: Type,
	): Promise<Extract<SwimReply, { type: Type }>> {
		const { leaveMs = 5_000, joinRetryMs = 1_000, joinAttemptsMax = 10 } = this.#options.tuning ?? {};
		const timeoutMs = ANSWER_MS + Math.max(leaveMs, joinRetryMs * joinAttemptsMax);
		const reply = await this.#ref(node).ask<SwimReply>({ type: "gossip-request", request }, { timeoutMs });
		if (reply.type === expected) return reply as Extract<SwimReply, { type: Type }>;
		const reason = reply.type === "refused" ? reply.reason : reply.type;
		throw requestRefused({ node, request: request.type, reason });
	}

	/**
	 * Changes shared values at a member, all of the commands or none. Resolves when the member has kept them; the others get them in
	 * exchanges, and nobody says when.
	 * @throws QuorateError `gossip-values-missing`, `gossip-values-busy`, `gossip-values-too-large`, `gossip-storage-lost`,
	 *   `gossip-member-missing`, and what the commands throw (`crdt-*`)
	 */
	async changeValues(node: string, commands: readonly ValuesCommand[]): Promise<void> {
		this.#requireValues();
		const message: MemberMessage = { type: "gossip-values-change", commands };
		const reply = await this.#ref(node).ask<ValuesReply>(message, { timeoutMs: ANSWER_MS });
		if (reply.type === "values-refused") throw errorFromObject(reply.error);
	}

	/** Shared values as a member has them now. @throws QuorateError `gossip-values-missing`, `gossip-member-missing` */
	async values(node: string): Promise<Readonly<Record<string, Value>>> {
		this.#requireValues();
		return await this.#ref(node).ask<Readonly<Record<string, Value>>>(
			{ type: "gossip-values-read" } satisfies MemberMessage,
			{ timeoutMs: ANSWER_MS },
		);
	}

	/**
	 * Puts a message on its way from a member to all. Resolves when it is on its way: nobody confirms that it has arrived.
	 * @param name printable ASCII, 1 to 128 characters
	 * @param payload name and payload have at most 512 bytes, and 262,144 over the tree
	 * @throws QuorateError `gossip-request-refused`, `gossip-member-missing`
	 */
	async broadcast(node: string, name: string, payload: Uint8Array): Promise<{ readonly lamport: number }> {
		if (this.#options.dissemination !== "tree") {
			const { lamport } = await this.request(node, { type: "spread-event", name, payload }, "event-spread");
			return { lamport };
		}
		const refuse = (reason: string): QuorateError => requestRefused({ node, request: "broadcast", reason });
		if (typeof name !== "string" || !EVENT_NAME.test(name)) throw refuse("malformed");
		if (name.length + payload.length > BROADCAST_BYTES_MAX) throw refuse("too-large");
		const message: MemberMessage = { type: "gossip-broadcast", name, payload };
		return await this.#ref(node).ask<{ readonly lamport: number }>(message, { timeoutMs: ANSWER_MS });
	}

	/**
	 * What a member brings into aggregates from now on, until it ends or is started again.
	 * @param name 1 to 64 characters; 64 names at most
	 * @throws QuorateError `invalid-argument`, `gossip-request-refused`, `gossip-member-missing`
	 */
	async contribute(node: string, name: string, value: number): Promise<void> {
		checkedContribution(name, value);
		const message: MemberMessage = { type: "gossip-contribute", name, value };
		const reply = await this.#ref(node).ask<AggregateReply | null>(message, { timeoutMs: ANSWER_MS });
		if (reply?.type === "aggregate-refused") throw errorFromObject(reply.error);
	}

	/**
	 * Lets a member find out a figure of all by push-sum: some 30 rounds of one small message a member. It is an estimate; whoever dies
	 * takes mass along until its death is noticed, and then it begins anew.
	 * @throws QuorateError `invalid-argument`, `gossip-config-invalid`, `gossip-request-refused`, `gossip-member-missing`
	 */
	async aggregate(node: string, kind: AggregateKind, options: AggregateOptions = {}): Promise<Aggregate> {
		const checked = checkedAggregate(kind, options);
		const message: MemberMessage = { type: "gossip-aggregate", kind, options: checked };
		const timeoutMs = ANSWER_MS + EPOCHS_MAX * ROUNDS_MAX * checked.roundMs;
		const reply = await this.#ref(node).ask<AggregateReply>(message, { timeoutMs });
		if (reply.type === "aggregate-refused") throw errorFromObject(reply.error);
		return reply.aggregate;
	}

	/**
	 * Whether members hold the same shared values, as one of them hears it; null before its first exchange.
	 * @throws QuorateError `gossip-values-missing`, `gossip-member-missing`
	 */
	async convergence(node: string): Promise<ConvergenceReading | null> {
		this.#requireValues();
		const message: MemberMessage = { type: "gossip-convergence" };
		return await this.#ref(node).ask<ConvergenceReading | null>(message, { timeoutMs: ANSWER_MS });
	}

	/** Where a member is, and where it knows others to be. @throws QuorateError `gossip-coordinates-missing`, `gossip-member-missing` */
	async coordinates(node: string): Promise<CoordinateReport> {
		if (this.#options.coordinates !== true) throw coordinatesMissing({ group: this.group });
		const message: MemberMessage = { type: "gossip-coordinates" };
		return await this.#ref(node).ask<CoordinateReport>(message, { timeoutMs: ANSWER_MS });
	}

	/** The links that members have measured, as they tell them now: ask it for the fastest ways. @throws as {@link coordinates} */
	async topology(): Promise<TopologyMap> {
		const reports = await Promise.all(this.nodes.map(async (node) => [node, await this.coordinates(node)] as const));
		const map = new TopologyMap();
		for (const [node, { others }] of reports) {
			map.report(
				node,
				others.map(({ node: to, roundTripMs }) => ({ to, roundTripMs })),
			);
		}
		return map;
	}

	#requireValues(): void {
		if (this.#options.values === undefined) throw valuesMissing({ group: this.group });
	}

	/** A member's own view. */
	async report(node: string): Promise<MemberReport> {
		return await this.#ref(node).ask<MemberReport>({ type: "gossip-status" });
	}

	/** Ends a member at once, without a word to the others; its supervisor lets it be. */
	async kill(node: string): Promise<void> {
		this.#ref(node);
		this.#members.delete(nodeId(node));
		const name = memberName(this.group, node);
		await this.#supervised.terminateChild(name);
		await this.#supervised.deleteChild(name);
	}

	/** The member on a thread; the first, if several share it. */
	nodeOn(slot: number): NodeId | undefined {
		return [...this.#members].find(([, { address }]) => address.slot === slot)?.[0];
	}

	/** The threads that members share, by name, with who is on each. */
	get threads(): ReadonlyMap<string, readonly NodeId[]> {
		const shared = this.#backend.backend.threads.status().filter(({ spec }) => spec.name.startsWith("shared-"));
		const on = (slot: number): NodeId[] =>
			[...this.#members].filter(([, { address }]) => address.slot === slot).map(([node]) => node);
		return new Map(shared.map(({ slot, spec }) => [spec.name, on(slot)]));
	}

	/**
	 * Ends a thread at once, as a crash would, with all members on it. Its supervisor starts another, and the members' theirs: with
	 * incarnations above their last. Resolves when the thread is dead.
	 * @throws QuorateError `gossip-thread-missing`
	 */
	async killThread(name: string): Promise<void> {
		const { threads } = this.#backend.backend;
		const thread = threads.status().find(({ spec }) => spec.name === name);
		if (thread === undefined || !this.threads.has(name)) throw threadMissing({ thread: name, group: this.group });
		await threads.kill(thread.slot, "killed");
	}

	/** Lets a member leave in order, and ends it when the leave was spread. */
	async leave(node: string): Promise<void> {
		await this.request(node, { type: "leave" }, "left");
		await this.kill(node);
	}

	async stop(): Promise<void> {
		this.#isStopping = true;
		this.#members.clear();
		try {
			await this.#system.stop();
		} finally {
			this.#threads.stop();
			this.#watch.unsubscribe();
			await this.#backend.dispose?.();
		}
	}

	get #supervised(): SupervisorClient {
		return must(this.#supervisor ?? undefined, "a group has booted");
	}

	#observerFailed(error: unknown): void {
		this.#system.publish({ type: "observer-failed", error: errorToObject(error) } as { readonly type: string });
	}

	#ref(node: string): ActorRef {
		const ref = isNodeId(node) ? this.#members.get(node) : undefined;
		if (ref === undefined) throw memberMissing({ node, group: this.group });
		return ref;
	}
}
