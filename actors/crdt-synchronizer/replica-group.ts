/**
 * A group of replicas in this process, each an actor on a thread of its own: threads, supervision, storage and participants, started
 * together and stopped in reverse. A member whose thread dies is started again and goes on from its store.
 */
import { rm } from "node:fs/promises";
import { filter, map, type Observable } from "rxjs";
import {
	errorToObject,
	Generator,
	groupId,
	must,
	type NodeId,
	type QuorateError,
	requireInteger,
} from "../../protocols/core/index.ts";
import {
	type CrdtReply,
	type CrdtRequest,
	crdtLayouts,
	type DocumentSchema,
	validateSchema,
} from "../../protocols/crdt/index.ts";
import { type ActorRef, ActorSystem, IsolatedObservable, type ModuleSource } from "../../runtime/actor/index.ts";
import { makeTemporaryDirectory } from "../../runtime/storage/index.ts";
import { MetricsObserver } from "../../runtime/telemetry/index.ts";
import { type ChildSpec, SupervisorClient, supervisorActor, ThreadSupervisor } from "../../supervisors/index.ts";
import {
	type CrdtParticipantArgs,
	type CrdtSummary,
	type CrdtSummaryQuestion,
	type CrdtTuning,
	crdtParticipantModule,
	participantName,
} from "../participant/index.ts";
import * as swarmErrors from "../swarm/errors.ts";
import { FailureWatch } from "../swarm/failure-watch.ts";
import { requireOptions } from "../swarm/given-options.ts";
import { membershipOf, type SwarmBackend, startThreads } from "../swarm/index.ts";
import { groupSupervisorName, rootSpec } from "../swarm/tree.ts";
import { nextIncarnation } from "./incarnations.ts";

export interface ReplicaGroupOptions {
	/** How many members (`node-1` to `node-n`), or their names; 1 to 32. */
	readonly nodes: number | readonly string[];
	readonly schema: DocumentSchema;
	/** Names the group, in the names of its actors and stores. Default `crdt`. */
	readonly group?: string;
	/** `memory` outlives a thread, not the process; `lmdb` flushes to the disk, in a temporary directory without one. Default `memory`. */
	readonly storage?: { readonly type: "memory" } | { readonly type: "lmdb"; readonly directory?: string };
	readonly tuning?: CrdtTuning;
	/** Seeds the members' timers. Default 1. */
	readonly seed?: number;
	/** Threads that are kept started for those that die, 0 to 2. Default 1. */
	readonly warmSpares?: number;
	/** Where it runs, such as on virtual time; it begins with empty stores, and takes the place of `storage` and `warmSpares`. Default: worker threads. */
	readonly backend?: SwarmBackend;
	/** What members run in the place of the shipped participant; its `args` join theirs. */
	readonly participant?: ModuleSource & { readonly args?: object };
}

/** What a member's thread, or the supervision, tells. */
export interface ReplicaGroupEvent {
	/** Null if it is about no member. */
	readonly node: NodeId | null;
	readonly event: { readonly type: string };
	/** On the clock of the main thread. */
	readonly atMs: number;
}

/** Bytes and messages that members have sent, over all of their lives. */
export interface ReplicaTraffic {
	readonly messages: number;
	readonly bytes: number;
}

const GROUP_DEFAULT = "crdt";
const WARM_SPARES_MAX = 2;
const optionNames: readonly (keyof ReplicaGroupOptions)[] = [
	"nodes",
	"schema",
	"group",
	"storage",
	"tuning",
	"seed",
	"warmSpares",
	"backend",
	"participant",
];
/** How long a member may take to answer while its thread lives. */
const ANSWER_MS = 10_000;

/** Messages without a layout that are sent often enough to travel without their keys. */
const examples = [
	{ type: "change", commands: [] },
	{ type: "changed", replica: "", through: 0 },
];

export class ReplicaGroup {
	readonly nodes: readonly NodeId[];
	readonly group: string;
	readonly #options: ReplicaGroupOptions;
	readonly #backend: SwarmBackend;
	readonly #system: ActorSystem;
	readonly #threads: ThreadSupervisor;
	readonly #watch: FailureWatch;
	readonly #failed: Promise<QuorateError>;
	#reportFailure: (error: QuorateError) => void = () => undefined;
	readonly #refs = new Map<NodeId, ActorRef>();
	#stopping: Promise<void> | null = null;

	/** @throws QuorateError `node-count-invalid`, `crdt-schema-invalid`, `invalid-argument`, `option-unknown`, and what starting threads or storage throws */
	static async start(options: ReplicaGroupOptions): Promise<ReplicaGroup> {
		requireOptions("", options, optionNames);
		const { nodes } = membershipOf(options.nodes);
		const group = groupId(options.group ?? GROUP_DEFAULT);
		validateSchema(options.schema);
		requireInteger("warmSpares", options.warmSpares ?? 1, 0, WARM_SPARES_MAX);
		const started = new ReplicaGroup(
			options,
			group,
			nodes,
			options.backend ?? (await startReplicaThreads(options, group, nodes)),
		);
		try {
			await started.#boot();
		} catch (error) {
			await started.stop();
			throw swarmErrors.startReason(error);
		}
		return started;
	}

	private constructor(options: ReplicaGroupOptions, group: string, nodes: readonly NodeId[], backend: SwarmBackend) {
		this.nodes = nodes;
		this.group = group;
		this.#options = options;
		this.#backend = backend;
		this.#system = new ActorSystem(backend.backend);
		this.#watch = new FailureWatch(backend.storage.name, groupSupervisorName(group));
		const { threads, ports } = backend.backend;
		this.#threads = new ThreadSupervisor({
			threads,
			clock: ports.clock,
			generator: new Generator(options.seed ?? 1, "replica-group").fork("threads"),
			publish: (event) => this.#system.publish(event),
		});
		this.#failed = new Promise((resolve) => {
			this.#reportFailure = resolve;
		});
		this.#system.events$.subscribe((event) => {
			const failure = this.#watch.heard(event);
			if (failure !== null && this.#stopping === null) this.#reportFailure(failure);
		});
	}

	get nowMs(): number {
		return this.#backend.backend.ports.clock.nowMs();
	}

	/** Resolves with the reason if the group can not go on: its storage failed, or a member fails again and again. */
	get failed(): Promise<QuorateError> {
		return this.#failed;
	}

	/** What happens, from now on. An observer that throws is unsubscribed, and that is told as `observer-failed`. */
	get events$(): Observable<ReplicaGroupEvent> {
		const events$ = this.#system.events$.pipe(map((event) => ({ node: this.#nodeOf(event), event, atMs: this.nowMs })));
		return new IsolatedObservable(events$, (error) =>
			this.#system.publish({ type: "observer-failed", error: errorToObject(error) } as { readonly type: string }),
		);
	}

	/** What one member tells. */
	eventsOf(node: string): Observable<{ readonly type: string }> {
		return this.events$.pipe(
			filter((told) => told.node === node),
			map(({ event }) => event),
		);
	}

	/**
	 * Asks a member; `message` may be of a form that its participant translates.
	 * @throws QuorateError `node-unknown`, `node-down`, `actor-dead`, `ask-timeout`
	 */
	async request(node: string, message: CrdtRequest | { readonly type: string }): Promise<CrdtReply> {
		const ref = await this.#refOf(this.#member(node));
		return await ref.ask<CrdtReply>(message, { timeoutMs: ANSWER_MS });
	}

	/** What a member has now. @throws as {@link request} */
	async summary(node: string): Promise<CrdtSummary> {
		const ref = await this.#refOf(this.#member(node));
		return await ref.ask<CrdtSummary>({ type: "crdt-summary" } satisfies CrdtSummaryQuestion, { timeoutMs: ANSWER_MS });
	}

	/** Ends a member's thread at once, as a crash would. Its supervisor starts it again. @throws QuorateError `node-unknown` */
	async kill(node: string): Promise<void> {
		const name = participantName(this.group, this.#member(node));
		const { threads } = this.#backend.backend;
		const thread = threads.status().find(({ spec }) => spec.name === name);
		if (thread !== undefined && thread.state !== "dead") await threads.kill(thread.slot, "killed");
	}

	/** What all members have sent of each type of message. */
	traffic(): Readonly<Record<"digest" | "delta" | "state" | "collection", ReplicaTraffic>> {
		const { metrics, counted } = this.#backend;
		const counters = metrics === undefined ? null : new MetricsObserver(metrics).read(this.nowMs).counters;
		const countedAs = (name: string): number => counters?.get(name)?.total ?? counted?.(name) ?? 0;
		const total = (name: string): number =>
			this.nodes.reduce((sum, node) => sum + countedAs(`crdt.${node}.${name}`), 0);
		const of = (type: string): ReplicaTraffic => ({
			messages: total(`${type}_messages`),
			bytes: total(`${type}_bytes`),
		});
		return { digest: of("digest"), delta: of("delta"), state: of("state"), collection: of("collection") };
	}

	/** Ends everything in order. Idempotent. */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop();
	}

	async #boot(): Promise<void> {
		this.#threads.start();
		const { storage } = this.#backend;
		const root = new SupervisorClient(await this.#system.spawn(supervisorActor(rootSpec(storage))));
		const { address } = must((await this.#system.lookup(storage.name)) ?? undefined, "the storage has started");
		const name = groupSupervisorName(this.group);
		const children = this.nodes.map((node): ChildSpec => this.#child(node, address));
		const backoff = { minMs: 50, maxMs: 2_000, jitter: 0.2, stableMs: 5_000, immediate: 1 };
		const start = { name, strategy: "one-for-one", intensity: 5, periodMs: 10_000, backoff, children } as const;
		await root.startChild({ id: name, restart: "temporary", start });
	}

	#child(node: NodeId, storage: CrdtParticipantArgs["storage"]): ChildSpec {
		const { schema, tuning = {}, participant, backend } = this.#options;
		const args: CrdtParticipantArgs = {
			group: this.group,
			node,
			members: this.nodes,
			schema,
			storage,
			// Where all begins anew, so do incarnations; else one is chosen that no former process has had.
			incarnation: backend === undefined ? nextIncarnation(node, Date.now()) : 0,
			tuning,
		};
		const source = participant ?? { module: crdtParticipantModule, export: "CrdtParticipant" };
		const name = participantName(this.group, node);
		const behaviour = { ...source, args: { ...args, ...participant?.args } };
		return { id: name, start: { name, behaviour, placement: "dedicated", waiting: "blocking" } };
	}

	async #stop(): Promise<void> {
		try {
			await this.#system.stop();
		} finally {
			this.#threads.stop();
			await this.#backend.dispose?.();
		}
	}

	#member(node: string): NodeId {
		if (this.nodes.includes(node as NodeId)) return node as NodeId;
		throw swarmErrors.nodeUnknown({ node: String(node), members: this.nodes });
	}

	async #refOf(node: NodeId): Promise<ActorRef> {
		const known = this.#refs.get(node);
		if (known !== undefined) return known;
		const found = await this.#system.lookup(participantName(this.group, node));
		if (found === null) throw swarmErrors.nodeDown({ node });
		this.#refs.set(node, found);
		return found;
	}

	/** Which member an event is about: by its actor, if that has published it, else by the name of its thread. */
	#nodeOf(event: { readonly type: string }): NodeId | null {
		const { publisher, name } = event as { readonly publisher?: unknown; readonly name?: unknown };
		const text = String(publisher ?? name ?? "");
		const prefix = participantName(this.group, "");
		const node = text.startsWith(prefix) ? text.slice(prefix.length) : "";
		return this.nodes.includes(node as NodeId) ? (node as NodeId) : null;
	}
}

async function startReplicaThreads(
	{ storage = { type: "memory" }, participant, seed = 1, warmSpares = 1 }: ReplicaGroupOptions,
	group: string,
	nodes: readonly NodeId[],
): Promise<SwarmBackend> {
	const preload = [String(participant?.module ?? crdtParticipantModule)];
	const setup = { layouts: [crdtLayouts], examples, preload, seed, warmSpares };
	const nothing = (): Promise<void> => Promise.resolve();
	if (storage.type === "memory") return startThreads({ ...setup, engine: { type: "memory" }, dispose: nothing });
	const directory = storage.directory ?? (await makeTemporaryDirectory());
	const dispose = storage.directory === undefined ? () => rm(directory, { recursive: true, force: true }) : nothing;
	const engine = { type: "lmdb", directory, clusterId: group, nodeIds: nodes, application: "crdt" } as const;
	return startThreads({ ...setup, engine, dispose });
}
