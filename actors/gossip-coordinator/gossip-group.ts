/** Members of one group in worker threads of this process, many to a thread. */
import { filter, map, type Observable } from "rxjs";
import { errorToObject, isNodeId, type NodeId, nodeId } from "../../protocols/core/index.ts";
import {
	type SwimConfig,
	type SwimEvent,
	type SwimProfile,
	type SwimReply,
	type SwimRequest,
	swimConfig,
	swimLayouts,
} from "../../protocols/gossip/index.ts";
import { type ActorRef, ActorSystem, type Backend, IsolatedObservable } from "../../runtime/actor/index.ts";
import { createThreadBackend } from "../../runtime/threads/index.ts";
import { memberMissing, memberRuns, requestRefused } from "./errors.ts";
import { gossipMemberModule } from "./gossip-member.ts";
import { type GossipMemberArgs, type MemberReport, memberName, type PublishedGossipEvent } from "./member-messages.ts";

export interface GossipGroupOptions {
	/** Default `gossip`. */
	readonly group?: string;
	/** Default `lan`. */
	readonly profile?: SwimProfile;
	/** What differs from the profile. */
	readonly tuning?: Partial<Omit<SwimConfig, "nodeId">>;
	/** Share of messages that members drop on arrival, in [0, 1]. Default 0. */
	readonly lossChance?: number;
	/** Threads that members share, 1 to 62. Default: the machine's cores less one, at least 1. */
	readonly threads?: number;
	readonly seed?: number;
	/** What members run on. Default: worker threads. It is closed when the group stops. */
	readonly backend?: Backend;
}

/** One event of one member. */
export interface GossipGroupEvent {
	readonly node: NodeId;
	readonly event: SwimEvent;
	/** On the clock of the main thread. */
	readonly atMs: number;
}

/** Beyond what a leave takes. */
const ANSWER_MS = 10_000;

export class GossipGroup {
	readonly group: string;
	readonly events$: Observable<GossipGroupEvent>;
	readonly #options: GossipGroupOptions;
	readonly #backend: Backend;
	readonly #system: ActorSystem;
	readonly #members = new Map<NodeId, ActorRef>();

	private constructor(options: GossipGroupOptions, backend: Backend) {
		this.group = options.group ?? "gossip";
		this.#options = options;
		this.#backend = backend;
		this.#system = new ActorSystem(backend, options.threads === undefined ? {} : { sharedThreads: options.threads });
		const events$ = this.#system.events$.pipe(
			filter((event): event is PublishedGossipEvent => event.type === "gossip-event"),
			filter(({ group }) => group === this.group),
			map(({ node, event }) => ({ node: node as NodeId, event, atMs: this.nowMs })),
		);
		this.events$ = new IsolatedObservable(events$, (error) =>
			this.#system.publish({ type: "observer-failed", error: errorToObject(error) } as { readonly type: string }),
		);
	}

	/** @throws QuorateError `gossip-config-invalid` and what starting threads throws */
	static async start(options: GossipGroupOptions = {}): Promise<GossipGroup> {
		// Refused here, not first in some thread.
		swimConfig({ ...options.tuning, nodeId: nodeId("any") }, options.profile);
		const seed = options.seed === undefined ? {} : { seed: options.seed };
		const backend =
			options.backend ??
			(await createThreadBackend({ layouts: [swimLayouts], preload: [gossipMemberModule], warmSpares: 0, ...seed }));
		return new GossipGroup(options, backend);
	}

	get nowMs(): number {
		return this.#backend.ports.clock.nowMs();
	}

	get nodes(): readonly NodeId[] {
		return [...this.#members.keys()];
	}

	has(node: string): boolean {
		return isNodeId(node) && this.#members.has(node);
	}

	/** Starts a member, which knows nobody yet. @throws QuorateError `gossip-member-runs`, `invalid-argument` */
	async startMember(node: string): Promise<void> {
		const id = nodeId(node);
		if (this.#members.has(id)) throw memberRuns({ node, group: this.group });
		const { profile = "lan", tuning = {}, lossChance = 0 } = this.#options;
		const args: GossipMemberArgs = { group: this.group, node, profile, tuning, lossChance };
		const ref = await this.#system.spawn({
			name: memberName(this.group, node),
			behaviour: { module: gossipMemberModule, export: "GossipMember", args },
			placement: "shared",
		});
		this.#members.set(id, ref);
	}

	/** Lets a member meet the others through these. @throws QuorateError `gossip-request-refused` */
	async join(node: string, seeds: readonly string[]): Promise<void> {
		await this.request(node, { type: "join", seeds: seeds.map(nodeId) }, "joined");
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

	/** A member's own view. */
	async report(node: string): Promise<MemberReport> {
		return await this.#ref(node).ask<MemberReport>({ type: "gossip-status" });
	}

	/** Ends a member at once, without a word to the others. */
	async kill(node: string): Promise<void> {
		await this.#end(node, 0);
	}

	/** Lets a member leave in order, and ends it when the leave was spread. */
	async leave(node: string): Promise<void> {
		await this.request(node, { type: "leave" }, "left");
		await this.#end(node, ANSWER_MS);
	}

	async stop(): Promise<void> {
		this.#members.clear();
		await this.#system.stop();
	}

	async #end(node: string, timeoutMs: number): Promise<void> {
		const ref = this.#ref(node);
		this.#members.delete(nodeId(node));
		await this.#system.stopActor(ref, timeoutMs);
	}

	#ref(node: string): ActorRef {
		const ref = isNodeId(node) ? this.#members.get(node) : undefined;
		if (ref === undefined) throw memberMissing({ node, group: this.group });
		return ref;
	}
}
