/**
 * Many Raft groups in one process, as dragonboat, TiKV and RabbitMQ's ra have them: each node is one thread with a member of every
 * group, so that a hundred groups need no more threads than one, and each group has a leader, a log and a state of its own.
 *
 * The tree, in start order (it stops in reverse):
 * ```
 * root                    one-for-one
 * ├─ storage supervisor   one storage for all, never restarted: its death ends everything, loudly
 * ├─ group:orders         one-for-one: the members of a group, each on its node's thread; given up alone
 * └─ group:…
 * ```
 * Groups without work are silent: they send nothing and wait for nothing. What Raft then does not notice by itself this host tells it:
 * when a thread ends, the members of each group that was led there hear of it.
 */
import { type Observable, Subject, type Subscription } from "rxjs";
import {
	type ErrorObject,
	errorFromObject,
	errorToObject,
	Generator,
	must,
	type NodeId,
	QuorateError,
} from "../../protocols/core/index.ts";
import { ActorSystem, IsolatedObservable, MAIN_SLOT, type StopReason } from "../../runtime/actor/index.ts";
import { MetricsObserver, type MetricsSnapshot } from "../../runtime/telemetry/index.ts";
import { SupervisorClient, supervisorActor, ThreadSupervisor } from "../../supervisors/index.ts";
import * as swarmErrors from "../swarm/errors.ts";
import { FailureWatch } from "../swarm/failure-watch.ts";
import { type SwarmBackend, startBackend } from "../swarm/index.ts";
import { StorageStallWatch } from "../swarm/storage-stall-watch.ts";
import { groupSupervisorName, rootSpec } from "../swarm/tree.ts";
import type { GroupsEvent, RaftGroupsOptions } from "./contract.ts";
import * as errors from "./errors.ts";
import { type CheckedGroups, checkGroups } from "./options.ts";
import { RaftGroup } from "./raft-group.ts";
import { hostedGroupChild, nodeOfThread, nodeThread } from "./tree.ts";

type Heard = { readonly type: string } & Readonly<Record<string, unknown>>;

/** How long one group's leadership is tried to be moved by {@link RaftGroups.balance}. */
const BALANCE_MS = 2_000;

/**
 * Many running groups.
 * @example
 * await using groups = await RaftGroups.start({ groups: ["orders", "stock"] });
 * await groups.group("orders").propose({ type: "put", key: "7", value: "two chairs" });
 * console.log(await groups.group("orders").read({ type: "get", key: "7" }));
 */
export class RaftGroups {
	/** Resolves with the reason when nothing can go on: the storage has failed, or a node's thread dies again and again. */
	readonly failed: Promise<QuorateError>;
	readonly #checked: CheckedGroups;
	readonly #backend: SwarmBackend;
	readonly #system: ActorSystem;
	readonly #threads: ThreadSupervisor;
	readonly #groups = new Map<string, RaftGroup>();
	/** By the names of their supervisors. */
	readonly #supervised = new Map<string, RaftGroup>();
	readonly #told$ = new Subject<GroupsEvent>();
	readonly #events$: Observable<GroupsEvent>;
	readonly #watch: FailureWatch;
	readonly #stallWatch: StorageStallWatch;
	/** The last error with which a member of a group failed: the likely reason when the group is given up. */
	readonly #lastErrors = new Map<string, ErrorObject>();
	#subscription: Subscription | null = null;
	#reportFailure: (error: QuorateError) => void = () => undefined;
	#failure: QuorateError | null = null;
	#isStorageLost = false;
	#stopping: Promise<void> | null = null;

	/**
	 * Boots all groups and resolves when each has a leader, spread over the nodes.
	 * @throws QuorateError `option-unknown`, `group-count-invalid`, `node-count-invalid`, `invalid-argument`, `raft-config-invalid`,
	 *   `raft-config-contradiction`, `module-not-loadable`, `export-missing`, `application-invalid` before anything is started;
	 *   `no-leader` after `startTimeoutMs`; `data-directory-*`, `store-*`, `disk-failed` for what is on the disk
	 */
	static async start(options: RaftGroupsOptions): Promise<RaftGroups> {
		const checked = await checkGroups(options);
		const { common } = checked;
		const backend = options.backend ?? (await startBackend(common));
		const groups = new RaftGroups(checked, backend);
		try {
			await groups.#boot();
			const { clock } = backend.backend.ports;
			const deadlineMs = clock.nowMs() + common.startTimeoutMs;
			const leftMs = (): number => Math.max(0, Math.ceil(deadlineMs - clock.nowMs()));
			await Promise.all([...groups.#groups.values()].map((group) => group.untilLeader(leftMs())));
			await groups.balance();
		} catch (error) {
			const stopped = groups
				.stop()
				.catch((thrown: unknown) => process.emitWarning(errorFromObject(errorToObject(thrown))));
			// A storage that does not answer would hold the caller for ever.
			if (!groups.#isStorageLost) await stopped;
			throw swarmErrors.startReason(error);
		}
		return groups;
	}

	private constructor(checked: CheckedGroups, backend: SwarmBackend) {
		this.#checked = checked;
		this.#backend = backend;
		this.#system = new ActorSystem(backend.backend);
		const { threads, ports } = backend.backend;
		const generator = new Generator(checked.common.seed, "raft-groups");
		this.#threads = new ThreadSupervisor({
			threads,
			clock: ports.clock,
			generator: generator.fork("threads"),
			publish: (event) => this.#system.publish(event),
		});
		this.#watch = new FailureWatch(backend.storage.name, null);
		this.#stallWatch = new StorageStallWatch(backend.storage.name, threads, ports.clock, (waitedMs) => {
			this.#isStorageLost = true;
			this.#fail(swarmErrors.swarmFailed({ reason: `the storage thread has not answered for ${waitedMs} ms` }));
		});
		this.failed = new Promise((resolve) => {
			this.#reportFailure = resolve;
		});
		const threw = (error: unknown): void => this.#observerThrew(error);
		this.#events$ = new IsolatedObservable(this.#told$.asObservable(), threw);
		for (const group of checked.groups) {
			const hosted = new RaftGroup(group, generator.fork(`group/${group.group}`), {
				system: this.#system,
				clock: ports.clock,
				observerThrew: threw,
				ended: () => this.#ended(),
				livesOf: (node) => this.#livesOf(node),
			});
			this.#groups.set(group.group, hosted);
			this.#supervised.set(groupSupervisorName(group.group), hosted);
		}
	}

	/** The groups' names, in the order in which they were given. */
	get names(): readonly string[] {
		return [...this.#groups.keys()];
	}

	/** The nodes, in code-unit order: each has a thread, and a member of every group on it. */
	get nodes(): readonly NodeId[] {
		return (this.#checked.groups[0] as { readonly nodes: readonly NodeId[] }).nodes;
	}

	/** What happens, from now on. An observer that throws is unsubscribed, and reported here as `observer-failed`. */
	get events$(): Observable<GroupsEvent> {
		return this.#events$;
	}

	/** What all threads have counted and measured over all their lives; null on a backend that keeps nothing. */
	measure(): MetricsSnapshot | null {
		const { backend, metrics } = this.#backend;
		return metrics === undefined ? null : new MetricsObserver(metrics).read(backend.ports.clock.nowMs());
	}

	/** @throws QuorateError `group-unknown` */
	group(name: string): RaftGroup {
		const group = this.#groups.get(name);
		if (group !== undefined) return group;
		const [first = ""] = this.names;
		throw errors.groupUnknown({ group: String(name).slice(0, 80), groups: this.#groups.size, first });
	}

	/** How many groups each node leads, as far as is known. */
	get leaders(): ReadonlyMap<NodeId, number> {
		const counts = new Map(this.nodes.map((node) => [node, 0]));
		for (const { leader } of this.#groups.values()) {
			if (leader !== null) counts.set(leader.leader, (counts.get(leader.leader) ?? 0) + 1);
		}
		return counts;
	}

	/**
	 * Moves leaders until no node leads more than its share of the groups. After a node was down it leads none: whoever wants it to
	 * carry its part again calls this. A group that does not hand over (a member is behind) stays as it is.
	 * @returns {@link leaders} then
	 */
	async balance(): Promise<ReadonlyMap<NodeId, number>> {
		const counts = new Map(this.leaders);
		const share = Math.ceil(this.#groups.size / this.nodes.length);
		const moves: Promise<void>[] = [];
		for (const group of this.#groups.values()) {
			const from = group.leader?.leader;
			if (from === undefined || (counts.get(from) ?? 0) <= share) continue;
			const [to, least] = [...counts].reduce((a, b) => (b[1] < a[1] ? b : a));
			if (least >= share) break;
			counts.set(from, (counts.get(from) ?? 0) - 1);
			counts.set(to, least + 1);
			moves.push(handOver(group, to));
		}
		await Promise.all(moves);
		return this.leaders;
	}

	/**
	 * Ends a node's thread at once, as a crash would, with its member of every group; its supervisors bring it back. Resolves when the
	 * thread is dead. @throws QuorateError `node-unknown`, `swarm-stopped`, `swarm-failed`
	 */
	async kill(node: string): Promise<void> {
		const ended = this.#ended();
		if (ended !== null) throw ended;
		const known = this.nodes.find((id) => id === node);
		if (known === undefined) throw swarmErrors.nodeUnknown({ node: String(node).slice(0, 80), members: this.nodes });
		const { threads } = this.#backend.backend;
		const thread = threads.status().find(({ spec }) => spec.name === nodeThread(known));
		if (thread !== undefined && thread.state !== "dead") await threads.kill(thread.slot, "killed");
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
		this.#subscription = this.#system.events$.subscribe((event) => this.#heard(event as Heard));
		const { storage } = this.#backend;
		this.#backend.observeStalls?.(({ slot, stalledForMs }) => {
			const name = this.#backend.backend.threads.status().find((thread) => thread.slot === slot)?.spec.name;
			if (name === storage.name) this.#stallWatch.stalled(slot, stalledForMs);
		});
		this.#threads.start();
		const root = new SupervisorClient(await this.#system.spawn(supervisorActor(rootSpec(storage))));
		const { address } = must((await this.#system.lookup(storage.name)) ?? undefined, "the storage has started");
		for (const group of this.#checked.groups) await root.startChild(hostedGroupChild(group, address));
	}

	#heard(event: Heard): void {
		const failure = this.#watch.heard(event);
		if (failure !== null) this.#fail(failure);
		if (event.type === "thread-ended") this.#threadEnded(String(event["name"]));
		const ofGroup = typeof event["group"] === "string" ? this.#groups.get(event["group"]) : undefined;
		const supervised = this.#supervised.get(String(event["supervisor"]));
		const group = ofGroup ?? supervised;
		const node = this.#nodeOf(event, supervised);
		if (ofGroup !== undefined && node !== null) ofGroup.heard(event, node);
		if (supervised !== undefined) this.#ofSupervisor(event, supervised, node);
		this.#tell({ group: group?.name ?? null, node, event });
	}

	#nodeOf(event: Heard, supervised: RaftGroup | undefined): NodeId | null {
		if (typeof event["node"] === "string") return event["node"] as NodeId;
		if (supervised !== undefined) return String(event["child"]).slice(supervised.name.length + 1) as NodeId;
		return typeof event["name"] === "string" ? nodeOfThread(event["name"]) : null;
	}

	#ofSupervisor(event: Heard, group: RaftGroup, node: NodeId | null): void {
		if (event.type === "child-failed") {
			const reason = event["reason"] as StopReason;
			if (reason.type === "failed") this.#lastErrors.set(group.name, reason.error);
		}
		if ((event.type === "child-failed" || event.type === "child-stopped") && node !== null) group.memberEnded(node);
		if (event.type !== "supervisor-gave-up") return;
		const error = this.#lastErrors.get(group.name);
		const reason = `${String(event["child"])} failed more often than is tolerated${error === undefined ? "" : `: ${error.message}`}`;
		const cause = error === undefined ? undefined : { cause: errorFromObject(error) };
		group.fail(errors.groupFailed({ group: group.name, reason }, cause));
	}

	#threadEnded(name: string): void {
		const node = nodeOfThread(name);
		if (node === null) return;
		for (const group of this.#groups.values()) group.memberEnded(node);
	}

	#tell(told: Omit<GroupsEvent, "atMs">): void {
		this.#told$.next({ ...told, atMs: this.#backend.backend.ports.clock.nowMs() });
	}

	#observerThrew(thrown: unknown): void {
		const event = { type: "observer-failed", slot: MAIN_SLOT, error: errorToObject(thrown) };
		this.#tell({ group: null, node: null, event });
	}

	/** What has ended all groups, if something has. */
	#ended(): QuorateError | null {
		return this.#failure ?? (this.#stopping === null ? null : swarmErrors.swarmStopped({}));
	}

	#livesOf(node: NodeId): number {
		const threads = this.#backend.backend.threads.status();
		return threads.find(({ spec }) => spec.name === nodeThread(node))?.lives ?? 0;
	}

	#fail(error: QuorateError): void {
		if (this.#failure !== null || this.#stopping !== null) return;
		this.#failure = error;
		this.#tell({
			group: null,
			node: null,
			event: { type: "swarm-failed", error: errorToObject(error) } as { type: string },
		});
		this.#reportFailure(error);
		// Who calls stop() hears of what goes wrong in it.
		this.stop().catch(() => undefined);
	}

	async #stop(): Promise<void> {
		this.#stallWatch.stop();
		const error = this.#failure ?? swarmErrors.swarmStopped({});
		for (const group of this.#groups.values()) group.end(error);
		try {
			await this.#system.stop();
		} finally {
			this.#threads.stop();
			this.#subscription?.unsubscribe();
			this.#told$.complete();
			await this.#backend.dispose?.();
		}
	}
}

/** Tries to; a group that does not hand over keeps its leader, which its user can see. */
async function handOver(group: RaftGroup, to: NodeId): Promise<void> {
	try {
		await group.transferLeadership(to, BALANCE_MS);
	} catch (error) {
		if (!(error instanceof QuorateError)) throw error;
	}
}
