/** One member's handle on a Raft group, for programs that think in members and not in swarms. */
import { filter, type Observable, Subject, type Subscription } from "rxjs";
import { errorToObject, type NodeId, nodeId, requireInteger } from "../../protocols/core/index.ts";
import { IsolatedObservable } from "../../runtime/actor/index.ts";
import { membershipOf, type NodeStatus, type Swarm, type SwarmClient, type SwarmEvent } from "../swarm/index.ts";
import { notAMember, notInitialized } from "./errors.ts";
import { type Attachment, attach, type GroupSettings } from "./shared-groups.ts";

const INITIALIZE_TIMEOUT_MS_DEFAULT = 10_000;
const INITIALIZE_TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Settings of a manager; those of the group must be the same for all managers that name it, or left out. */
export interface RaftManagerOptions extends GroupSettings {
	/** How long {@link RaftConsensusManager.initialize} waits for a leader; milliseconds, default 10,000. */
	readonly initializeTimeoutMs?: number;
}

interface Joined {
	readonly swarm: Swarm;
	readonly client: SwarmClient;
}

/**
 * A member of a group in this process. The first manager to initialize boots all listed members in one swarm; managers
 * with the same list attach to it; the last to shut down stops it.
 * @example
 * const manager = new RaftConsensusManager("node-1", ["node-1", "node-2", "node-3"]);
 * await manager.initialize();
 * await manager.propose({ type: "put", key: "greeting", value: "hello" });
 * await manager.shutdown();
 */
export class RaftConsensusManager {
	readonly node: NodeId;
	/** In code-unit order. */
	readonly members: readonly NodeId[];
	readonly #settings: GroupSettings;
	readonly #initializeTimeoutMs: number;
	readonly #heard$ = new Subject<SwarmEvent>();
	readonly #events$: Observable<SwarmEvent>;
	/** When the last event was heard, on its swarm's clock. */
	#heardAtMs = 0;
	#attachment: Attachment | null = null;
	#initializing: Promise<void> | null = null;
	#joined: Joined | null = null;
	#subscription: Subscription | null = null;

	/** @throws QuorateError `not-a-member`, `node-count-invalid`, `invalid-argument` */
	constructor(node: string, members: readonly string[], options: RaftManagerOptions = {}) {
		const { initializeTimeoutMs = INITIALIZE_TIMEOUT_MS_DEFAULT, ...settings } = options;
		requireInteger("initializeTimeoutMs", initializeTimeoutMs, 1, INITIALIZE_TIMEOUT_MS_MAX);
		this.node = nodeId(node);
		this.members = membershipOf(members).nodes;
		if (!this.members.includes(this.node)) throw notAMember({ node, members: this.members });
		this.#events$ = new IsolatedObservable(this.#heard$, (error) => this.#observerThrew(error));
		this.#settings = settings;
		this.#initializeTimeoutMs = initializeTimeoutMs;
	}

	/**
	 * Joins the group, booting it if this is the first manager of its members. Resolves when a leader is known.
	 * @throws QuorateError `no-leader` after `initializeTimeoutMs`; `members-overlap` when another group with some of these
	 *   members runs; `manager-settings-differ`; whatever starting the swarm throws
	 */
	initialize(): Promise<void> {
		this.#initializing ??= this.#initialize().catch(async (error: unknown) => {
			this.#initializing = null;
			await this.#leave();
			throw error;
		});
		return this.#initializing;
	}

	async #initialize(): Promise<void> {
		this.#attachment = attach(this.members, this.#settings, this.#initializeTimeoutMs);
		const swarm = await this.#attachment.swarm;
		await swarm.untilLeader(this.#initializeTimeoutMs);
		this.#joined = { swarm, client: swarm.client() };
		this.#subscription = swarm.events$
			.pipe(filter((event) => event.node === null || event.node === this.node))
			// The end of a swarm is not this stream's: the next initialize() joins another.
			.subscribe((event) => {
				this.#heardAtMs = event.atMs;
				this.#heard$.next(event);
			});
	}

	#observerThrew(thrown: unknown): void {
		const event = { type: "observer-failed", error: errorToObject(thrown) };
		this.#heard$.next({ type: "published", event, atMs: this.#heardAtMs, origin: this.node, node: this.node });
	}

	/** Replicates a command, exactly once, and resolves with the application's result. Throws as `SwarmClient.propose`. */
	async propose<Result = unknown>(command: unknown): Promise<Result> {
		return this.#running().client.propose<Result>(command);
	}

	/** A linearizable read. Throws as `SwarmClient.read`. */
	async read<Answer = unknown>(query: unknown): Promise<Answer> {
		return this.#running().client.read<Answer>(query);
	}

	/** This member as it is now. */
	async status(): Promise<NodeStatus> {
		const { swarm } = this.#running();
		const statuses = await swarm.status();
		return statuses.find(({ node }) => node === this.node) as NodeStatus;
	}

	/** Who leads, as far as is known. */
	get leader(): NodeId | null {
		return this.#running().swarm.leader?.leader ?? null;
	}

	/**
	 * What happens to this member, and to the swarm as a whole, over all its initializations; it does not end. Silent before
	 * {@link initialize}. An observer that throws is unsubscribed and reported here, as `published` with `observer-failed`.
	 */
	get events$(): Observable<SwarmEvent> {
		return this.#events$;
	}

	/** Leaves the group; the last manager of its members stops it. Idempotent. */
	async shutdown(): Promise<void> {
		// An initialize that is under way first comes to its end; its error is its caller's.
		await this.#initializing?.catch(() => undefined);
		this.#initializing = null;
		await this.#leave();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.shutdown();
	}

	async #leave(): Promise<void> {
		const attachment = this.#attachment;
		this.#attachment = null;
		this.#subscription?.unsubscribe();
		this.#subscription = null;
		this.#joined?.client.close();
		this.#joined = null;
		await attachment?.detach();
	}

	#running(): Joined {
		if (this.#joined !== null) return this.#joined;
		throw notInitialized({ node: this.node, state: this.#initializing === null ? "not running" : "initializing" });
	}
}
