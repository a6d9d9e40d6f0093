/**
 * Many Raft groups over as many threads as there are nodes: node k of every group lives on thread k.
 *
 * The tree, in start order (it stops in reverse):
 * ```
 * root                     one-for-one
 * ├─ storage supervisor    the storage actor on a thread of its own, never restarted: its death ends all groups, loudly
 * └─ raft-groups           one-for-one: one supervisor for each group, temporary: a group that fails does so alone
 *    └─ group supervisor   one-for-one: the group's members, each on the thread of its node
 * ```
 * Beside it a thread supervisor starts a new thread in the place of a dead one; each group's supervisor then builds its
 * member there anew from what was durable.
 */
import { map, merge, type Observable, Subject, type Subscription } from "rxjs";
import { errorToObject, Generator, type GroupId, must, type NodeId, QuorateError } from "../../protocols/core/index.ts";
import { ActorSystem, IsolatedObservable, MAIN_SLOT, type ThreadEnd } from "../../runtime/actor/index.ts";
import { MetricsObserver, type MetricsSnapshot } from "../../runtime/telemetry/index.ts";
import type { StallReport } from "../../runtime/threads/index.ts";
import {
	SupervisorClient,
	supervisorActor,
	type ThreadSupervisionEvent,
	ThreadSupervisor,
} from "../../supervisors/index.ts";
import { applyingGauge, applyingGroupGauge, participantName } from "../participant/index.ts";
import { type SwarmBackend, startBackend } from "../swarm/backend.ts";
import type { SwarmEvent } from "../swarm/contract.ts";
import * as swarmErrors from "../swarm/errors.ts";
import { EventFeed, type KnownMember } from "../swarm/event-feed.ts";
import { FailureWatch } from "../swarm/failure-watch.ts";
import { StorageStallWatch } from "../swarm/storage-stall-watch.ts";
import { ROOT_NAME, rootSpec } from "../swarm/tree.ts";
import type { RaftGroup, RaftGroupsEvent, RaftGroupsOptions } from "./contract.ts";
import * as errors from "./errors.ts";
import { GROUPS_SUPERVISOR_NAME, groupChildOf, groupsChild, nodeOfThread, nodeThreadName } from "./groups-tree.ts";
import { type CheckedGroupsOptions, checkGroupsOptions } from "./options.ts";
import { GroupRunner } from "./running-group.ts";

/** Groups whose members are started at the same time: each start opens stores, and the storage bounds what waits for it. */
const STARTS_AT_ONCE = 16;

/** Of each node's thread: what the members of all groups have under way outlives several collections of the default one. */
const YOUNG_GENERATION_MB = 24;

type Heard = { readonly type: string } & Readonly<Record<string, unknown>>;

/**
 * Running groups.
 * @example
 * const groups = await RaftGroups.start({ nodes: 3, groups: ["orders", "stock"] });
 * try {
 *   await groups.group("orders").propose({ type: "put", key: "o-1", value: "paid" });
 *   console.log(await groups.group("orders").read({ type: "get", key: "o-1" }));
 * } finally {
 *   await groups.stop();
 * }
 */
export class RaftGroups {
	/** The nodes' names, in code-unit order. */
	readonly nodes: readonly NodeId[];
	/** The groups' names, in the order in which they were given. */
	readonly names: readonly GroupId[];
	/** What happens, from now on; see `Swarm.events$`. */
	readonly events$: Observable<RaftGroupsEvent>;
	/** Resolves with the reason if all groups fail for good (`swarm-failed`): their storage failed, died, or does not answer. */
	readonly failed: Promise<QuorateError>;
	readonly #options: CheckedGroupsOptions;
	readonly #backend: SwarmBackend;
	readonly #system: ActorSystem;
	readonly #threads: ThreadSupervisor;
	readonly #feed: EventFeed;
	readonly #ownEvents$: Subject<RaftGroupsEvent> = new Subject();
	readonly #watch: FailureWatch;
	readonly #stallWatch: StorageStallWatch;
	readonly #groups: ReadonlyMap<GroupId, GroupRunner>;
	/** The same by the names of their supervisors. */
	readonly #bySupervisor: ReadonlyMap<string, GroupRunner>;
	#supervisor: SupervisorClient | null = null;
	#subscription: Subscription | null = null;
	#reportFailure: (error: QuorateError) => void = () => undefined;
	#failure: QuorateError | null = null;
	#isStorageLost = false;
	#stopping: Promise<void> | null = null;

	/**
	 * Boots threads, storage and all groups, and resolves when every group has a leader.
	 * @throws QuorateError `option-unknown`, `node-count-invalid`, `group-count-invalid`, `too-many-members`, `invalid-argument`,
	 *   `raft-config-invalid`, `raft-config-contradiction`, `module-not-loadable`, `export-missing`, `application-invalid` before
	 *   anything is started; `no-leader` after `startTimeoutMs`, of the first group without one; as `Swarm.start` for what is on the disk
	 */
	static async start(options: RaftGroupsOptions): Promise<RaftGroups> {
		const checked = await checkGroupsOptions(options);
		const backend = options.backend ?? (await startBackend(checked.common, { youngGenerationMb: YOUNG_GENERATION_MB }));
		const groups = new RaftGroups(checked, backend);
		try {
			await groups.#boot();
		} catch (error) {
			// Why it did not start is what the caller must hear, whatever stopping runs into.
			const stopped = groups.stop().catch((failure: unknown) => {
				process.emitWarning(failure instanceof Error ? failure : String(failure));
			});
			// A storage that does not answer would hold the caller for ever.
			if (!groups.#isStorageLost) await stopped;
			throw swarmErrors.startReason(error);
		}
		return groups;
	}

	private constructor(options: CheckedGroupsOptions, backend: SwarmBackend) {
		this.#options = options;
		this.#backend = backend;
		this.#system = new ActorSystem(backend.backend);
		const { threads, ports } = backend.backend;
		const generator = new Generator(options.common.seed, "raft-groups");
		this.nodes = options.nodes;
		this.names = options.groups.map(({ group }) => group);
		const runners = options.groups.map((settings) => new GroupRunner(settings, this.#host(generator)));
		this.#groups = new Map(runners.map((runner) => [runner.name, runner]));
		this.#bySupervisor = new Map(runners.map((runner) => [runner.supervisorName, runner]));
		this.#feed = new EventFeed(ports.clock, {
			view: (group) => this.#groups.get(group as GroupId)?.view ?? null,
			named: (actor) => this.#memberNamed(actor),
			onThread: (thread) => this.#membersOn(thread),
		});
		this.#watch = new FailureWatch(backend.storage.name, GROUPS_SUPERVISOR_NAME);
		this.#stallWatch = new StorageStallWatch(backend.storage.name, threads, ports.clock, (waitedMs) => {
			this.#isStorageLost = true;
			this.#fail(swarmErrors.swarmFailed({ reason: `the storage thread has not answered for ${waitedMs} ms` }));
		});
		this.#threads = new ThreadSupervisor({
			threads,
			clock: ports.clock,
			generator: generator.fork("threads"),
			publish: (event) => this.#feed.published(event),
		});
		this.failed = new Promise((resolve) => {
			this.#reportFailure = resolve;
		});
		const events$ = merge(this.#feed.events$.pipe(map((event) => this.#withGroup(event))), this.#ownEvents$);
		this.events$ = new IsolatedObservable(events$, (error) => this.#observerThrew(error));
	}

	#host(generator: Generator): ConstructorParameters<typeof GroupRunner>[1] {
		return {
			system: this.#system,
			clock: this.#backend.backend.ports.clock,
			generator,
			livesOf: (node) => this.#livesOf(node),
			ended: () => this.#ended(),
			failed: (group, error) => this.#groupFailed(group, error),
			refused: (group, node, error) =>
				this.#feed.tell({ type: "member-refused", error: errorToObject(error) }, participantName(group, node)),
			memberFailed: (group, error) => this.#memberFailed(group, error),
			observerThrew: (error) => this.#observerThrew(error),
		};
	}

	#memberFailed(group: GroupId, error: unknown): void {
		if (!this.#feed.hasEnded) this.#feed.tell({ type: "member-failed", error: errorToObject(error) }, group);
	}

	/** The handle on a group. @throws QuorateError `group-unknown` */
	group(name: string): RaftGroup {
		const group = this.#groups.get(name as GroupId);
		if (group === undefined) throw errors.groupUnknown({ group: String(name).slice(0, 80), groups: this.#groups.size });
		return group;
	}

	/**
	 * Ends a node's thread at once, as a crash would, and with it the node's members of all groups; their supervisors bring them
	 * back. Resolves when the thread is dead.
	 * @throws QuorateError `node-unknown`, `swarm-stopped`, `swarm-failed`
	 */
	async kill(node: string): Promise<void> {
		const error = this.#ended();
		if (error !== null) throw error;
		if (!this.nodes.includes(node as NodeId)) {
			throw swarmErrors.nodeUnknown({ node: String(node), members: this.nodes });
		}
		const { threads } = this.#backend.backend;
		const thread = threads.status().find(({ spec }) => spec.name === nodeThreadName(node));
		if (thread !== undefined && thread.state !== "dead") await threads.kill(thread.slot, "killed");
	}

	/** Counters of all threads, such as `actor.told` (messages) and `storage.commits`; null on a backend that keeps none. */
	measure(): MetricsSnapshot | null {
		const { backend, metrics } = this.#backend;
		return metrics === undefined ? null : new MetricsObserver(metrics).read(backend.ports.clock.nowMs());
	}

	/** Ends everything in order: clients, members, storage, threads. Idempotent. */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop();
	}

	async #boot(): Promise<void> {
		const { clock } = this.#backend.backend.ports;
		const { startTimeoutMs } = this.#options.common;
		const deadlineMs = clock.nowMs() + startTimeoutMs;
		this.#subscription = this.#system.events$.subscribe((event) => this.#published(event as Heard));
		this.#backend.observeStalls?.((stall) => this.#stalled(stall));
		this.#threads.start();
		const { storage: spec } = this.#backend;
		const root = new SupervisorClient(await this.#system.spawn(supervisorActor(rootSpec(spec))));
		const { address: storage } = must((await this.#system.lookup(spec.name)) ?? undefined, "the storage has started");
		const { address } = await root.startChild(groupsChild());
		const supervisor = new SupervisorClient(this.#system.ref(address));
		this.#supervisor = supervisor;
		const waiting = [...this.#groups.values()];
		const startSome = async (): Promise<void> => {
			for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
				const started = await supervisor.startChild(groupChildOf(group.name));
				await group.begin({ supervisor: new SupervisorClient(this.#system.ref(started.address)), storage });
			}
		};
		await Promise.all(Array.from({ length: STARTS_AT_ONCE }, startSome));
		await Promise.all([...this.#groups.values()].map((group) => group.untilLeader(startTimeoutMs, deadlineMs)));
	}

	#published(event: Heard): void {
		this.#feed.published(event);
		this.#groupOf(event)?.heard(event);
		const failure = this.#watch.heard(event);
		if (failure !== null) this.#fail(failure);
		if (event["supervisor"] === GROUPS_SUPERVISOR_NAME && event.type === "child-failed") {
			this.#bySupervisor.get(String(event["child"]))?.supervisorEnded();
		}
		if (event.type !== "thread-ended") return;
		const node = nodeOfThread(String(event["name"]));
		if (node === null || this.#stopping !== null) return;
		const applying = this.#applyingOn(node);
		for (const group of this.#groups.values()) {
			group.threadEnded(node, event["end"] as ThreadEnd, applying.groupNumber === group.number ? applying.index : 0);
		}
	}

	/** The group that an event of the system's stream is about. */
	#groupOf(event: Heard): GroupRunner | undefined {
		const byMember = this.#groups.get(event["group"] as GroupId);
		return byMember ?? this.#bySupervisor.get(String(event["supervisor"]));
	}

	#withGroup(event: SwarmEvent): RaftGroupsEvent {
		const { origin } = event;
		const bySupervisor = this.#bySupervisor.get(origin)?.name ?? this.#groups.get(origin as GroupId)?.name;
		const group = this.#memberNamed(origin)?.view.group ?? bySupervisor ?? null;
		return { ...event, node: event.node ?? nodeOfThread(origin), group } as RaftGroupsEvent;
	}

	/** Ids have no slash, so a member's name is its group, one slash, its node. */
	#memberNamed(actor: string): KnownMember | null {
		const at = actor.indexOf("/");
		const view = at < 0 ? undefined : this.#groups.get(actor.slice(0, at) as GroupId)?.view;
		const node = actor.slice(at + 1);
		return view?.has(node) === true ? { view, node } : null;
	}

	#membersOn(thread: string): KnownMember[] {
		const node = nodeOfThread(thread);
		if (node === null) return [];
		return [...this.#groups.values()].map(({ view }) => ({ view, node })).filter(({ view }) => view.has(node));
	}

	#livesOf(node: NodeId): number {
		const name = nodeThreadName(node);
		return this.#backend.backend.threads.status().find(({ spec }) => spec.name === name)?.lives ?? 0;
	}

	/** What the node's thread was applying. Read before its replacement begins; 0 where nobody counts. */
	#applyingOn(node: NodeId): { readonly groupNumber: number; readonly index: number } {
		const gauges = this.measure()?.gauges;
		const read = (gauge: string): number => gauges?.get(gauge) ?? 0;
		return { groupNumber: read(applyingGroupGauge(node)), index: read(applyingGauge(node)) };
	}

	#groupFailed(group: GroupRunner, error: QuorateError): void {
		const atMs = this.#backend.backend.ports.clock.nowMs();
		const origin = group.supervisorName;
		const event = { type: "group-failed", error: errorToObject(error), atMs, origin, node: null } as const;
		this.#ownEvents$.next({ ...event, group: group.name });
		this.#supervisor?.terminateChild(origin).catch((failure: unknown) => {
			// One that has given up is no child any more.
			if (failure instanceof QuorateError && failure.code === "child-not-found") return;
			this.#memberFailed(group.name, failure);
		});
		group.complete();
	}

	/** A stalled thread is ended by the backend, but for the storage's: that is watched until it answers, or all groups fail. */
	#stalled({ slot, kind, messageType, stalledForMs }: StallReport): void {
		const thread = this.#backend.backend.threads.status().find((status) => status.slot === slot);
		const work = [kind ?? "nothing of an actor", ...(messageType === null ? [] : [messageType])].join(" ");
		const name = thread?.spec.name ?? "main";
		const detail = `at ${work} for ${stalledForMs} ms`;
		this.#feed.published({ type: "thread-stalled", slot, name, detail } as ThreadSupervisionEvent);
		if (name === this.#backend.storage.name) this.#stallWatch.stalled(slot, stalledForMs);
	}

	#observerThrew(thrown: unknown): void {
		const event = { type: "observer-failed", slot: MAIN_SLOT, error: errorToObject(thrown) };
		if (!this.#feed.hasEnded) this.#feed.published(event);
		// Nobody listens any more; silence would be worse.
		else process.emitWarning(thrown instanceof Error ? thrown : String(thrown));
	}

	#ended(): QuorateError | null {
		return this.#failure ?? (this.#stopping === null ? null : swarmErrors.swarmStopped({}));
	}

	#fail(error: QuorateError): void {
		if (this.#failure !== null || this.#stopping !== null) return;
		this.#failure = error;
		this.#feed.tell({ type: "swarm-failed", error: errorToObject(error) }, ROOT_NAME);
		for (const group of this.#groups.values()) group.end(error);
		this.#reportFailure(error);
		// Who calls stop() hears of what goes wrong in it.
		this.stop().catch(() => undefined);
	}

	async #stop(): Promise<void> {
		this.#stallWatch.stop();
		for (const group of this.#groups.values()) group.end(this.#failure ?? swarmErrors.swarmStopped({}));
		try {
			await this.#system.stop();
		} finally {
			this.#threads.stop();
			this.#subscription?.unsubscribe();
			for (const group of this.#groups.values()) group.complete();
			this.#feed.complete();
			this.#ownEvents$.complete();
			await this.#backend.dispose?.();
		}
	}
}
