/**
 * A swarm: threads, supervisors, storage and participants, started together and stopped in reverse.
 *
 * The tree, in start order (it stops in reverse):
 * ```
 * root                     one-for-one
 * ├─ storage supervisor    the storage actor on a thread of its own, never restarted: its death ends the swarm, loudly
 * ├─ group supervisor      one-for-one: the members, each on a dedicated thread
 * └─ user supervisor       one-for-one: the user's actors
 * ```
 * Beside it a thread supervisor starts a new thread in the place of a dead one. All of it runs on the actor system of
 * one backend, so a swarm in a simulation is this same code.
 */
import { Observable, type Subscription, share } from "rxjs";
import { errorToObject, Generator, must, type NodeId, type QuorateError } from "../../protocols/core/index.ts";
import {
	type ActorRef,
	ActorSystem,
	IsolatedObservable,
	MAIN_SLOT,
	type ThreadEvent,
} from "../../runtime/actor/index.ts";
import { MetricsObserver } from "../../runtime/telemetry/index.ts";
import type { StallReport } from "../../runtime/threads/index.ts";
import {
	SupervisorClient,
	supervisorActor,
	type ThreadSupervisionEvent,
	ThreadSupervisor,
} from "../../supervisors/index.ts";
import { applyingGauge, participantName } from "../participant/index.ts";
import { ApplyWatch } from "./apply-watch.ts";
import { type SwarmBackend, startBackend } from "./backend.ts";
import type {
	AddMemberOptions,
	ChangeOptions,
	ClientOptions,
	Leadership,
	MembershipView,
	NodeStatus,
	ReadOptions,
	SwarmClient,
	SwarmEvent,
	SwarmMetrics,
	SwarmOptions,
} from "./contract.ts";
import * as errors from "./errors.ts";
import { EventFeed, membersOf } from "./event-feed.ts";
import { FailureWatch } from "./failure-watch.ts";
import { GroupContact, STATUS_TIMEOUT_MS } from "./group-contact.ts";
import { GroupView } from "./group-view.ts";
import { Membership, type RunningGroup } from "./membership.ts";
import { Monitors } from "./monitors.ts";
import { type CheckedOptions, checkOptions } from "./options.ts";
import { StorageStallWatch } from "./storage-stall-watch.ts";
import { groupChild, groupSupervisorName, ROOT_NAME, rootSpec, userChild } from "./tree.ts";

/** How often {@link Swarm.metrics$} reads. */
const METRICS_EVERY_MS = 1_000;

/**
 * A running swarm.
 * @example
 * const swarm = await Swarm.start({ raft: { nodes: 5 } });
 * try {
 *   await swarm.propose({ type: "put", key: "greeting", value: "hello" });
 *   console.log(await swarm.read({ type: "get", key: "greeting" }));
 * } finally {
 *   await swarm.stop();
 * }
 */
export class Swarm {
	readonly #options: CheckedOptions;
	readonly #backend: SwarmBackend;
	readonly #system: ActorSystem;
	readonly #threads: ThreadSupervisor;
	readonly #group: RunningGroup | null;
	readonly #feed: EventFeed;
	/** Null: off, or a property has thrown and can not be relied upon any more. */
	#monitors: Monitors | null;
	readonly #watch: FailureWatch;
	readonly #stallWatch: StorageStallWatch;
	readonly #applyWatch: ApplyWatch = new ApplyWatch((node) => this.#applyingIndexOf(node));
	readonly #contact: GroupContact | null;
	readonly #membership: Membership | null;
	#subscription: Subscription | null = null;
	readonly #events$: Observable<SwarmEvent>;
	readonly #leader$: Observable<Leadership | null> | null;
	readonly #metrics$: Observable<SwarmMetrics>;
	readonly #failed: Promise<QuorateError>;
	#reportFailure: (error: QuorateError) => void = () => undefined;
	#failure: QuorateError | null = null;
	/** The storage thread was given up as stalled. */
	#isStorageLost = false;
	#stopping: Promise<void> | null = null;

	/**
	 * Boots a swarm and resolves when its group, if it has one, has a leader.
	 * @throws QuorateError `node-count-invalid`, `invalid-argument`, `raft-config-invalid`, `raft-config-contradiction`,
	 *   `module-not-loadable`, `export-missing`, `application-invalid` before anything is started; `no-leader` after
	 *   `startTimeoutMs`; `data-directory-in-use`, `data-directory-foreign`, `data-directory-corrupt`, `store-corrupt`,
	 *   `store-foreign`, `disk-failed` for what is on the disk; what an actor of yours threw when it started
	 */
	static async start(options: SwarmOptions = {}): Promise<Swarm> {
		const checked = await checkOptions(options);
		const backend = options.backend ?? (await startBackend(checked));
		const swarm = new Swarm(checked, backend);
		const { clock } = backend.backend.ports;
		const deadlineMs = clock.nowMs() + checked.startTimeoutMs;
		try {
			await swarm.#boot(options);
			await swarm.#contact?.untilLeader(checked.startTimeoutMs, deadlineMs);
		} catch (error) {
			await swarm.#giveUp();
			throw errors.startReason(error);
		}
		return swarm;
	}

	/** After a start that failed: its reason is what the caller must hear, whatever stopping runs into. */
	async #giveUp(): Promise<void> {
		const stopped = this.stop().catch((error: unknown) => {
			// Nobody has this swarm to listen to; silence would be worse.
			process.emitWarning(error instanceof Error ? error : String(error));
		});
		// A storage that does not answer would hold the caller for ever.
		if (!this.#isStorageLost) await stopped;
	}

	private constructor(options: CheckedOptions, backend: SwarmBackend) {
		this.#options = options;
		this.#backend = backend;
		this.#system = new ActorSystem(backend.backend);
		const { threads, ports } = backend.backend;
		const { raft, seed } = options;
		const view = raft === null ? null : new GroupView(raft.group, raft.nodes);
		this.#monitors =
			options.monitors && raft !== null ? new Monitors((alert) => this.#feed.tell(alert, raft.group)) : null;
		this.#feed = new EventFeed(ports.clock, membersOf(view), (event) => this.#watchProperties(event));
		this.#watch = new FailureWatch(backend.storage.name, raft === null ? null : groupSupervisorName(raft.group));
		this.#stallWatch = new StorageStallWatch(backend.storage.name, threads, ports.clock, (waitedMs) =>
			this.#storageStalled(waitedMs),
		);
		const generator = new Generator(seed, "swarm");
		this.#group = raft === null || view === null ? null : { ...raft, view, generator, refs: new Map(), clients: 0 };
		const group = this.#group;
		const contact = group === null ? null : this.#contactWith(group);
		this.#contact = contact;
		this.#membership =
			group === null || contact === null
				? null
				: new Membership(group, {
						access: () => contact.access(),
						refOf: (node) => contact.refOf(node),
						refused: (node, error) =>
							this.#feed.tell(
								{ type: "member-refused", error: errorToObject(error) },
								participantName(group.group, node),
							),
						failed: (error) => this.#feed.tell({ type: "member-failed", error: errorToObject(error) }, ROOT_NAME),
					});
		this.#threads = new ThreadSupervisor({
			threads,
			clock: ports.clock,
			generator: generator.fork("threads"),
			publish: (event) => this.#feed.published(event),
		});
		this.#failed = new Promise((resolve) => {
			this.#reportFailure = resolve;
		});
		// An observer that throws is its owner's bug, and neither the swarm's end nor the process's.
		const thrown = (error: unknown): void => this.#observerThrew(error);
		this.#events$ = new IsolatedObservable(this.#feed.events$, thrown);
		this.#leader$ = view === null ? null : new IsolatedObservable(view.leader$, thrown);
		this.#metrics$ = new IsolatedObservable(this.#readings().pipe(share()), thrown);
	}

	/** Remarks on the options that are worth a line to the user, such as an even number of members. */
	get notes(): readonly string[] {
		return this.#options.notes;
	}

	/**
	 * What happens, from now on. Ends with the swarm. As with the other streams, an observer that throws is unsubscribed and
	 * reported here, as `published` with an event `observer-failed`.
	 */
	get events$(): Observable<SwarmEvent> {
		return this.#events$;
	}

	/** A reading of all members each second, while somebody listens. */
	get metrics$(): Observable<SwarmMetrics> {
		return this.#metrics$;
	}

	/**
	 * Resolves with the reason if the swarm fails for good: its storage (it failed, died, or has not answered for
	 * {@link STORAGE_STALL_MS_MAX}), more restarts than are tolerated, or a command that ends each thread that applies it
	 * ({@link APPLY_DEATHS_MAX}). After a storage that does not answer, {@link stop} waits until it does: end the process
	 * instead.
	 */
	get failed(): Promise<QuorateError> {
		return this.#failed;
	}

	/** Who leads, as far as is known; null while nobody does. */
	get leader(): Leadership | null {
		return this.#group?.view.leader ?? null;
	}

	/** The present leadership and every change. @throws QuorateError `no-raft-group` */
	get leader$(): Observable<Leadership | null> {
		this.#raft();
		return must(this.#leader$ ?? undefined, "a swarm with a group has its leadership");
	}

	/**
	 * The members as last heard of, in code-unit order. Roles and terms come with events; indexes are only as fresh as the
	 * last {@link status} or reading of {@link metrics$}, and 0 before the first.
	 */
	get nodes(): readonly NodeStatus[] {
		return this.#group?.view.nodes ?? [];
	}

	/**
	 * Asks every member; one that does not answer within a second is `down`.
	 * A swarm that has failed answers too: one wants to see what is left.
	 * @throws QuorateError `no-raft-group`, `swarm-stopped`
	 */
	async status(): Promise<readonly NodeStatus[]> {
		if (this.#stopping !== null && this.#failure === null) throw errors.swarmStopped({});
		return this.#raft().statuses();
	}

	/** Replicates a command through the swarm's own client; see {@link SwarmClient.propose}. */
	async propose<Result = unknown>(command: unknown): Promise<Result> {
		return this.#raft().sharedClient.propose<Result>(command);
	}

	/** A read through the swarm's own client, linearizable by default; see {@link SwarmClient.read}. */
	async read<Answer = unknown>(query: unknown, options: ReadOptions = {}): Promise<Answer> {
		return this.#raft().sharedClient.read<Answer>(query, options);
	}

	/** A client with a session of its own. @throws QuorateError `invalid-argument`, `no-raft-group`, `swarm-stopped` */
	client(options: ClientOptions = {}): SwarmClient {
		return this.#raft().newClient(options);
	}

	/**
	 * What one member's application answers by itself: no other member confirms it, and it may lag behind.
	 * @throws QuorateError `node-unknown`, `node-down`, `ask-timeout`, `actor-dead`, `query-failed`, `result-too-large`,
	 *   `swarm-stopped`, `swarm-failed`
	 */
	async inspect<Answer = unknown>(node: string, query: unknown): Promise<Answer> {
		return this.#raft().inspect<Answer>(node, query);
	}

	/** A living actor by its name, such as one of `options.actors`; null when there is none. */
	async lookup<Message = unknown>(name: string): Promise<ActorRef<Message> | null> {
		return this.#system.lookup<Message>(name);
	}

	/**
	 * Ends a member's thread at once, as a crash would; its supervisors bring it back. Resolves when the thread is dead.
	 * @throws QuorateError `node-unknown`, `swarm-stopped`, `swarm-failed`
	 */
	async kill(node: string): Promise<void> {
		this.#requireAlive();
		const contact = this.#raft();
		const name = participantName(contact.group.group, contact.member(node));
		const { threads } = this.#backend.backend;
		const thread = threads.status().find(({ spec }) => spec.name === name);
		if (thread !== undefined && thread.state !== "dead") await threads.kill(thread.slot, "killed");
	}

	/**
	 * Starts a participant on a thread of its own and makes it a member: a learner first, then, when it has caught up, a voter.
	 * A name that was a member before comes back with what it had then. Resolves with the name when that is done.
	 * @param name default: `node-N` with the next number that was never in use since the start
	 * @throws QuorateError `member-exists`, `invalid-argument`, `node-count-invalid` before anything is started;
	 *   `membership-refused` `{operation, reason, detail}`, `membership-not-done` (after the time; a learner that did not catch up
	 *   stays one), `child-start-failed`, `member-state-lost` (what it had then is gone), `no-raft-group`, `swarm-stopped`, `swarm-failed`
	 * @example await swarm.addMember(); // "node-4"
	 */
	async addMember(name?: string, options: AddMemberOptions = {}): Promise<NodeId> {
		return this.#changeable().add(name, options);
	}

	/**
	 * Takes a member out of the group, the leader included, and stops its participant when that is decided.
	 * @throws QuorateError `node-unknown`, `membership-refused` (of the last voter: `no-voters`), `membership-not-done`,
	 *   `no-raft-group`, `swarm-stopped`, `swarm-failed`
	 */
	async removeMember(name: string, options: ChangeOptions = {}): Promise<void> {
		const node = this.#raft().member(name);
		await this.#changeable().remove(node, options);
	}

	/**
	 * Makes exactly these the voters, in one change that can not stop half way: by joint consensus, if more than one differs.
	 * New ones are started, and catch up as learners first; who is left out is stopped.
	 * @throws QuorateError `node-count-invalid`, `invalid-argument`, `membership-refused`, `membership-not-done`,
	 *   `child-start-failed`, `no-raft-group`, `swarm-stopped`, `swarm-failed`
	 */
	async changeMembers(names: readonly string[], options: ChangeOptions = {}): Promise<void> {
		await this.#changeable().set(names, options);
	}

	/**
	 * Hands leadership over to a voter, which takes a few round trips; commands wait meanwhile. If it does not succeed the
	 * leader goes on.
	 * @param to default: the voter that is furthest
	 * @throws QuorateError `node-unknown`, `transfer-given-up` `{to, failure}`, `membership-refused`, `membership-not-done`,
	 *   `no-raft-group`, `swarm-stopped`, `swarm-failed`
	 */
	async transferLeadership(to?: string, options: ChangeOptions = {}): Promise<Leadership> {
		const target = to === undefined ? null : this.#raft().member(to);
		const leadership = await this.#changeable().transfer(target, options);
		return leadership ?? (await this.untilLeader(STATUS_TIMEOUT_MS));
	}

	/**
	 * Who the members are, who is behind and why, as the leader sees it.
	 * @throws QuorateError `no-leader`, `node-down`, `ask-timeout`, `actor-dead`, `no-raft-group`
	 */
	async membership(): Promise<MembershipView> {
		return this.#raft().membershipView();
	}

	/** Resolves when a leader is known. @throws QuorateError `no-leader` after `timeoutMs`, `swarm-stopped` */
	async untilLeader(timeoutMs: number): Promise<Leadership> {
		return this.#raft().untilLeader(timeoutMs);
	}

	/** Ends everything in order: clients, your actors, members, storage, threads. Idempotent. */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop();
	}

	async #boot(options: SwarmOptions): Promise<void> {
		this.#subscription = this.#system.events$.subscribe((event) => this.#published(event));
		this.#backend.observeStalls?.((stall) => this.#stalled(stall));
		this.#threads.start();
		const group = this.#group;
		const { storage } = this.#backend;
		const root = new SupervisorClient(await this.#system.spawn(supervisorActor(rootSpec(group && storage))));
		if (group !== null) {
			const { address } = must((await this.#system.lookup(storage.name)) ?? undefined, "the storage has started");
			await root.startChild(groupChild(group.group));
			const supervisor = await this.#system.lookup(groupSupervisorName(group.group));
			await this.#membership?.begin({
				supervisor: new SupervisorClient(must(supervisor ?? undefined, "the members' supervisor has started")),
				storage: address,
			});
		}
		const actors = options.actors ?? [];
		if (actors.length > 0) await root.startChild(userChild(actors));
	}

	#watchProperties(event: SwarmEvent): void {
		try {
			this.#monitors?.heard(event);
		} catch (thrown) {
			this.#monitors = null;
			this.#observerThrew(thrown);
		}
	}

	#observerThrew(thrown: unknown): void {
		const event = { type: "observer-failed", slot: MAIN_SLOT, error: errorToObject(thrown) };
		if (!this.#feed.hasEnded) this.#feed.published(event);
		// Nobody listens to the swarm any more; silence would be worse.
		else process.emitWarning(thrown instanceof Error ? thrown : String(thrown));
	}

	#published(event: { readonly type: string }): void {
		this.#feed.published(event);
		this.#membership?.heard(event);
		const failure = this.#watch.heard(event);
		if (failure !== null) this.#fail(failure);
		if (event.type === "thread-ended") this.#threadEnded(event as Extract<ThreadEvent, { type: "thread-ended" }>);
	}

	#threadEnded({ name, end }: Extract<ThreadEvent, { type: "thread-ended" }>): void {
		const node = this.#feed.nodeNamed(name);
		const fatal = node === null ? null : this.#applyWatch.ended(node, end);
		if (fatal !== null) this.#fail(errors.swarmFailed({ reason: fatal.message }, { cause: fatal }));
	}

	/** Read before the thread's replacement begins; 0 where nobody counts. */
	#applyingIndexOf(node: NodeId): number {
		const { backend, metrics } = this.#backend;
		if (metrics === undefined) return 0;
		const { gauges } = new MetricsObserver(metrics).read(backend.ports.clock.nowMs());
		return gauges.get(applyingGauge(node)) ?? 0;
	}

	/**
	 * The backend ends a stalled thread, but neither the storage's nor the main one: then nobody else would hear of it. The
	 * storage's is watched until it answers, or the swarm fails.
	 */
	#stalled({ slot, kind, messageType, stalledForMs }: StallReport): void {
		const thread = this.#backend.backend.threads.status().find((status) => status.slot === slot);
		const work = [kind ?? "nothing of an actor", ...(messageType === null ? [] : [messageType])].join(" ");
		const detail = `at ${work} for ${stalledForMs} ms`;
		this.#feed.published({
			type: "thread-stalled",
			slot,
			name: thread?.spec.name ?? "main",
			detail,
		} as ThreadSupervisionEvent);
		if (thread?.spec.name === this.#backend.storage.name) this.#stallWatch.stalled(slot, stalledForMs);
	}

	#storageStalled(waitedMs: number): void {
		this.#isStorageLost = true;
		this.#fail(errors.swarmFailed({ reason: `the storage thread has not answered for ${waitedMs} ms` }));
	}

	/** Nothing can be decided any more: everybody who waits hears why, and what still runs is stopped. */
	#fail(error: QuorateError): void {
		if (this.#failure !== null || this.#stopping !== null) return;
		this.#failure = error;
		this.#feed.tell({ type: "swarm-failed", error: errorToObject(error) }, ROOT_NAME);
		this.#endClients(error);
		this.#reportFailure(error);
		// Who calls stop() hears of what goes wrong in it.
		this.stop().catch(() => undefined);
	}

	async #stop(): Promise<void> {
		this.#stallWatch.stop();
		this.#endClients(this.#failure ?? errors.swarmStopped({}));
		try {
			await this.#system.stop();
		} finally {
			this.#threads.stop();
			this.#subscription?.unsubscribe();
			this.#group?.view.complete();
			this.#feed.complete();
			await this.#backend.dispose?.();
		}
	}

	#endClients(error: Error): void {
		this.#membership?.end(error);
		this.#contact?.endClients(error);
	}

	/** @throws QuorateError what has ended the swarm, if something has */
	#requireAlive(): void {
		if (this.#failure !== null) throw this.#failure;
		if (this.#stopping !== null) throw errors.swarmStopped({});
	}

	#raft(): GroupContact {
		if (this.#contact === null) throw errors.noGroup({});
		return this.#contact;
	}

	#contactWith(group: RunningGroup): GroupContact {
		return new GroupContact(group, {
			system: this.#system,
			clock: this.#backend.backend.ports.clock,
			livesOf: (node) => this.#livesOf(group, node),
			ended: () => this.#failure ?? (this.#stopping === null ? null : errors.swarmStopped({})),
		});
	}

	/** For changes of members and leader. */
	#changeable(): Membership {
		this.#raft();
		if (this.#failure !== null) throw this.#failure;
		if (this.#stopping !== null) throw errors.swarmStopped({});
		return must(this.#membership ?? undefined, "a swarm with a group has its membership");
	}

	#livesOf({ group }: RunningGroup, node: NodeId): number {
		const name = participantName(group, node);
		return this.#backend.backend.threads.status().find(({ spec }) => spec.name === name)?.lives ?? 0;
	}

	#readings(): Observable<SwarmMetrics> {
		const { backend, metrics } = this.#backend;
		const { clock } = backend.ports;
		return new Observable((subscriber) => {
			const observer = metrics === undefined ? null : new MetricsObserver(metrics);
			const read = async (): Promise<void> => {
				const nodes = this.#contact === null ? [] : await this.#contact.statuses();
				if (subscriber.closed) return;
				const atMs = clock.nowMs();
				subscriber.next({ atMs, nodes, measured: observer?.read(atMs) ?? null });
				timer = clock.schedule(METRICS_EVERY_MS, again);
			};
			const again = (): void => {
				read().catch((error: unknown) => subscriber.error(error));
			};
			let timer = clock.schedule(0, again);
			const ended = this.#feed.events$.subscribe({ complete: () => subscriber.complete() });
			return () => {
				clock.cancel(timer);
				ended.unsubscribe();
			};
		});
	}
}
