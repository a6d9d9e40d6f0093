/** One member's handle on a Byzantine group, for programs that think in members. */
import { filter, type Observable, Subject, type Subscription } from "rxjs";
import { errorToObject, type NodeId, nodeId, requireInteger } from "../../protocols/core/index.ts";
import { PBFT_MEMBERS_MAX, tooFewMembers } from "../../protocols/pbft/index.ts";
import { IsolatedObservable } from "../../runtime/actor/index.ts";
import type { ByzantineClient } from "./byzantine-client.ts";
import { ByzantineGroup } from "./byzantine-group.ts";
import type {
	ByzantineEvent,
	ByzantineGroupOptions,
	ByzantineNodeStatus,
	CertifiedDecision,
	Conviction,
	Primacy,
} from "./contract.ts";
import { notAMember, notInitialized } from "./errors.ts";

/** Settings of a coordinator's group. */
export type ByzantineCoordinatorOptions = Omit<ByzantineGroupOptions, "nodes" | "faults">;

interface Joined {
	readonly group: ByzantineGroup;
	readonly client: ByzantineClient;
}

/**
 * A member of a group of `node-1` to `node-n` that bears f arbitrary faults. {@link initializeNode} boots all members in this process:
 * each coordinator has a group of its own.
 * @example
 * const coordinator = new ByzantineConsensusCoordinator("node-1", 7, 2);
 * await coordinator.initializeNode();
 * const decision = await coordinator.initiateConsensus({ type: "put", key: "limit", value: 5 });
 * await coordinator.shutdown();
 */
export class ByzantineConsensusCoordinator {
	readonly node: NodeId;
	readonly members: readonly NodeId[];
	/** f: how many members may behave arbitrarily. */
	readonly faults: number;
	readonly #options: ByzantineCoordinatorOptions;
	readonly #heard$ = new Subject<ByzantineEvent>();
	readonly #events$: Observable<ByzantineEvent>;
	#initializing: Promise<void> | null = null;
	#joined: Joined | null = null;
	#subscription: Subscription | null = null;

	/**
	 * @param node one of `node-1` to `node-n`
	 * @param totalNodes n: 1 to 31
	 * @param maxFaults f: at most `(n − 1) / 3`
	 * @throws QuorateError `invalid-argument`, `pbft-too-few-members` `{members, faults, needed}`, `not-a-member`
	 */
	constructor(node: string, totalNodes: number, maxFaults: number, options: ByzantineCoordinatorOptions = {}) {
		requireInteger("totalNodes", totalNodes, 1, PBFT_MEMBERS_MAX);
		requireInteger("maxFaults", maxFaults, 0, PBFT_MEMBERS_MAX);
		const needed = 3 * maxFaults + 1;
		if (totalNodes < needed) throw tooFewMembers({ members: totalNodes, faults: maxFaults, needed });
		this.node = nodeId(node);
		this.members = Array.from({ length: totalNodes }, (_, i) => nodeId(`node-${i + 1}`));
		if (!this.members.includes(this.node)) throw notAMember({ node, members: this.members });
		this.faults = maxFaults;
		this.#options = options;
		this.#events$ = new IsolatedObservable(this.#heard$, (error) => this.#observerThrew(error));
	}

	/** Makes keys, boots the members, each on a thread of its own, and joins. @throws QuorateError as `ByzantineGroup.start` */
	initializeNode(): Promise<void> {
		this.#initializing ??= this.#initialize().catch((error: unknown) => {
			this.#initializing = null;
			throw error;
		});
		return this.#initializing;
	}

	async #initialize(): Promise<void> {
		const group = await ByzantineGroup.start({ ...this.#options, nodes: this.members.length, faults: this.faults });
		this.#subscription = group.events$
			.pipe(filter((event) => event.node === null || event.node === this.node || event.type === "member-convicted"))
			.subscribe((event) => this.#heard$.next(event));
		this.#joined = { group, client: group.client() };
	}

	/**
	 * Has a proposal ordered and applied, exactly once, and resolves with the decision and its certificate, which a third party can
	 * check off line. @throws QuorateError as `ByzantineClient.propose`; `certificate-gone` (it was decided all the same), `certificates-none` (it was not)
	 */
	async initiateConsensus<Result = unknown>(proposal: unknown): Promise<CertifiedDecision<Result>> {
		const { group, client } = this.#running();
		return group.certify<Result>(client, proposal);
	}

	/** A read that sees every decision that was acknowledged before it began. Throws as `ByzantineClient.read`. */
	async read<Answer = unknown>(query: unknown): Promise<Answer> {
		return this.#running().client.read<Answer>(query);
	}

	/** This member as it tells of itself. */
	async status(): Promise<ByzantineNodeStatus> {
		const statuses = await this.#running().group.status();
		return statuses.find(({ node }) => node === this.node) as ByzantineNodeStatus;
	}

	/** Who leads, as f + 1 members say. */
	get primary(): Primacy {
		return this.#running().group.primary;
	}

	/** Members convicted by proofs that were checked here. */
	get convictions(): readonly Conviction[] {
		return this.#running().group.convictions;
	}

	/** The running group, for what concerns all of it. */
	get group(): ByzantineGroup {
		return this.#running().group;
	}

	/** What happens to this member and to the group as a whole, and who is convicted. Silent before {@link initializeNode}. */
	get events$(): Observable<ByzantineEvent> {
		return this.#events$;
	}

	/** Ends the group. Idempotent. */
	async shutdown(): Promise<void> {
		// An initialization that is under way first comes to its end; its error is its caller's.
		await this.#initializing?.catch(() => undefined);
		this.#initializing = null;
		this.#subscription?.unsubscribe();
		const joined = this.#joined;
		this.#joined = null;
		await joined?.group.stop();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.shutdown();
	}

	#observerThrew(thrown: unknown): void {
		const event = { type: "observer-failed", error: errorToObject(thrown) };
		this.#heard$.next({ type: "published", event, atMs: 0, origin: this.node, node: this.node });
	}

	#running(): Joined {
		if (this.#joined !== null) return this.#joined;
		throw notInitialized({ node: this.node, state: this.#initializing === null ? "not running" : "initializing" });
	}
}
