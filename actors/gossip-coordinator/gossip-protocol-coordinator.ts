/** One member's handle on a gossip group: who is there, news to all, questions to all. */
import {
	BehaviorSubject,
	filter,
	map,
	type Observable,
	ReplaySubject,
	Subject,
	type Subscription,
	startWith,
	switchMap,
} from "rxjs";
import { errorToObject, invalidArgument, type NodeId, nodeId, nodeIds } from "../../protocols/core/index.ts";
import type { Value } from "../../protocols/crdt/index.ts";
import {
	type AggregateKind,
	type ConvergenceReading,
	decodeTags,
	encodeFilter,
	encodeTags,
	type MemberStatus,
	type MemberTags,
	type QueryFilter,
	type SwimEvent,
	type TopologyMap,
} from "../../protocols/gossip/index.ts";
import { IsolatedObservable } from "../../runtime/actor/index.ts";
import { notInitialized } from "./errors.ts";
import type { GossipGroup } from "./gossip-group.ts";
import { type GossipTuningOptions, type TuningDecision, tuneGossip } from "./gossip-tuning.ts";
import type { Aggregate, AggregateOptions } from "./member-aggregates.ts";
import { type CoordinateReport, roundTripBetween } from "./member-coordinates.ts";
import type { MemberEvent, MemberReport } from "./member-messages.ts";
import type { ValuesCommand } from "./member-values.ts";
import { checkGossipOptions } from "./options.ts";
import { attachGroup, type GroupAttachment, type SharedGroupSettings } from "./shared-gossip-groups.ts";

/** Settings of a coordinator; those of the group must be the same for all coordinators of it, or left out. */
export type GossipCoordinatorOptions = SharedGroupSettings & {
	/** Names the group among those of this process. Default `gossip`. */
	readonly group?: string;
};

/** A message that some member has spread. */
export interface GossipMessage {
	readonly name: string;
	readonly origin: NodeId;
	/** The origin's Lamport time, over a tree the number of its life and message: messages of one origin are ordered by it. */
	readonly lamport: number;
	readonly payload: Uint8Array;
}

/** What the coordinator's stream carries: the member's events, and an observer's mistake. */
export type GossipCoordinatorEvent =
	| SwimEvent
	| MemberEvent
	| { readonly type: "observer-failed"; readonly error: ReturnType<typeof errorToObject> };

interface Joined {
	readonly group: GossipGroup;
	readonly subscription: Subscription;
}

/**
 * A member of a gossip group in this process. Seeds that do not run here yet are started beside it. The last coordinator of a
 * group that shuts down stops the group.
 *
 * What is spread is delivered to each member at most once, and to all with high probability; nothing here is decided or
 * committed.
 * @example
 * const coordinator = new GossipProtocolCoordinator("node-1", ["seed-1", "seed-2"]);
 * await coordinator.initialize();
 * await coordinator.broadcast("deploy", new TextEncoder().encode("v2"));
 * await coordinator.shutdown();
 */
export class GossipProtocolCoordinator {
	readonly node: NodeId;
	readonly seeds: readonly NodeId[];
	readonly #options: GossipCoordinatorOptions;
	readonly #heard$ = new Subject<GossipCoordinatorEvent>();
	readonly #events$: Observable<GossipCoordinatorEvent>;
	readonly #members$ = new BehaviorSubject<readonly NodeId[]>([]);
	#attachment: GroupAttachment | null = null;
	#initializing: Promise<void> | null = null;
	#joined: Joined | null = null;

	/** @throws QuorateError `invalid-argument`, `option-unknown`, `gossip-config-invalid`, `gossip-config-contradiction`, `crdt-schema-invalid` */
	constructor(node: string, seeds: readonly string[], options: GossipCoordinatorOptions = {}) {
		this.node = nodeId(node);
		this.seeds = nodeIds("seeds", seeds).filter((seed) => seed !== node);
		if (seeds.length === 0) throw invalidArgument({ argument: "seeds", expected: "one seed at least", actual: "none" });
		checkGossipOptions(options);
		this.#options = options;
		this.#events$ = new IsolatedObservable(this.#heard$, (error) =>
			this.#heard$.next({ type: "observer-failed", error: errorToObject(error) }),
		);
	}

	/**
	 * Starts the member and joins through the seeds; resolves when one of them has told its members.
	 * @throws QuorateError `gossip-member-runs`, `gossip-settings-differ`, `gossip-request-refused` when no seed answers
	 */
	initialize(): Promise<void> {
		this.#initializing ??= this.#initialize().catch(async (error: unknown) => {
			this.#initializing = null;
			await this.#detach();
			throw error;
		});
		return this.#initializing;
	}

	async #initialize(): Promise<void> {
		const { group: name = "gossip", ...settings } = this.#options;
		this.#attachment = attachGroup(name, settings);
		const group = await this.#attachment.group;
		await this.#attachment.ensureSeeds(this.seeds);
		const subscription = group.events$
			.pipe(filter(({ node }) => node === this.node))
			.subscribe(({ event }) => this.#hear(event));
		this.#joined = { group, subscription };
		await this.#attachment.own(this.node);
		if (this.seeds.length > 0) await group.join(this.node, this.seeds);
	}

	/** Everything that happens at this member; silent before {@link initialize}. */
	get events$(): Observable<GossipCoordinatorEvent> {
		return this.#events$;
	}

	/** The others that are believed to be there, in code-unit order: at once, and after each change. */
	get members$(): Observable<readonly NodeId[]> {
		return new IsolatedObservable(this.#members$, (error) =>
			this.#heard$.next({ type: "observer-failed", error: errorToObject(error) }),
		);
	}

	/** What members have spread, this one included, in order of arrival. */
	get messages$(): Observable<GossipMessage> {
		return this.#events$.pipe(
			filter((event) => event.type === "user-event"),
			map(({ name, origin, lamport, payload }) => ({ name, origin, lamport, payload })),
		);
	}

	/** Questions of members; answer with {@link answer}. */
	get queries$(): Observable<GossipMessage> {
		return this.#events$.pipe(
			filter((event) => event.type === "query-received"),
			map(({ name, origin, lamport, payload }) => ({ name, origin, lamport, payload })),
		);
	}

	/** This member's view now. */
	async status(): Promise<MemberReport> {
		return await this.#running().group.report(this.node);
	}

	/** What this member holds of each other. */
	async members(): Promise<readonly MemberStatus[]> {
		return (await this.status()).members;
	}

	/**
	 * Puts a message on its way to all. Resolves when it is on its way: nobody confirms that it has arrived.
	 * @throws QuorateError `gossip-request-refused` when name and payload have more than 512 bytes, or 262,144 where
	 *   `dissemination` is `tree`
	 */
	async broadcast(name: string, payload: Uint8Array): Promise<{ readonly lamport: number }> {
		return await this.#running().group.broadcast(this.node, name, payload);
	}

	/**
	 * Asks all members, or those that a filter is for: the others do not hear of it. The stream has one answer of each that answers, and
	 * completes when the query's time is over.
	 * @throws QuorateError `gossip-tags-invalid`, and `gossip-request-refused` when name, payload and filter have more than 512 bytes
	 * @example await coordinator.query("load", new Uint8Array(0), { tags: { role: "web-*" } });
	 */
	async query(
		name: string,
		payload: Uint8Array,
		asked: QueryFilter = {},
	): Promise<Observable<{ readonly from: NodeId; readonly payload: Uint8Array }>> {
		const filterBytes = encodeFilter(asked);
		const early: SwimEvent[] = [];
		let askedAt: number | null = null;
		const answers$ = new ReplaySubject<{ readonly from: NodeId; readonly payload: Uint8Array }>();
		const take = (event: SwimEvent): void => {
			if (event.type === "query-answered" && event.lamport === askedAt)
				answers$.next({ from: event.from, payload: event.payload });
			if (event.type === "query-ended" && event.lamport === askedAt) {
				subscription.unsubscribe();
				answers$.complete();
			}
		};
		const subscription = this.#heard$.subscribe((event) => {
			if (event.type !== "query-answered" && event.type !== "query-ended") return;
			if (askedAt === null) early.push(event);
			else take(event);
		});
		const { lamport } = await this.#running().group.request(
			this.node,
			{ type: "query", name, payload, filter: filterBytes },
			"query-spread",
		);
		askedAt = lamport;
		for (const event of early) take(event);
		return answers$;
	}

	/** Answers a query, once. @throws QuorateError `gossip-request-refused` when it is not open here, or the answer is over 1,024 bytes */
	async answer({ origin, lamport }: Pick<GossipMessage, "origin" | "lamport">, payload: Uint8Array): Promise<void> {
		await this.#running().group.request(
			this.node,
			{ type: "answer-query", origin, lamport, payload },
			"query-answer-sent",
		);
	}

	/**
	 * Says things of this member to all, by name; they take the place of those before, and are kept with its incarnation, so that a member
	 * which is started again says them again. Queries may be for members that say the same.
	 * @throws QuorateError `gossip-tags-invalid`, `gossip-too-large` (512 bytes), `gossip-request-refused`
	 * @example await coordinator.setTags({ role: "web-1", zone: "a" });
	 */
	async setTags(tags: MemberTags): Promise<void> {
		await this.#running().group.request(this.node, { type: "set-tags", tags: encodeTags(tags) }, "tags-set");
	}

	/** Tags of the others, as they come and whenever one says something else. */
	get tags$(): Observable<{ readonly node: NodeId; readonly tags: ReadonlyMap<string, string> }> {
		return this.#events$.pipe(
			filter((event) => event.type === "member-joined" || event.type === "member-updated"),
			map(({ node, tags }) => ({ node, tags: decodeTags(tags) ?? new Map<string, string>() })),
		);
	}

	/**
	 * Changes values that the group shares (`values` of the options), all of the commands or none. Resolves when this member has kept
	 * them; the others get them by anti-entropy, and nobody says when.
	 * @throws QuorateError as {@link GossipGroup.changeValues}
	 * @example await coordinator.change([{ type: "increment", path: ["visits"], amount: 1 }]);
	 */
	async change(commands: readonly ValuesCommand[]): Promise<void> {
		await this.#running().group.changeValues(this.node, commands);
	}

	/** Shared values as this member has them now. @throws QuorateError `gossip-values-missing` */
	async values(): Promise<Readonly<Record<string, Value>>> {
		return await this.#running().group.values(this.node);
	}

	/** Shared values: at once, and after each change of this member or from others; errors as {@link values}. */
	get values$(): Observable<Readonly<Record<string, Value>>> {
		return this.#events$.pipe(
			filter(({ type }) => type === "values-changed"),
			startWith(null),
			switchMap(() => this.values()),
		);
	}

	/** Whether members hold the same shared values, as this one hears it. @throws as {@link GossipGroup.convergence} */
	async convergence(): Promise<ConvergenceReading | null> {
		return await this.#running().group.convergence(this.node);
	}

	/** The same, whenever another number of members agrees. */
	get convergence$(): Observable<ConvergenceReading> {
		return this.#events$.pipe(
			filter((event) => event.type === "values-convergence"),
			map(({ reading }) => reading),
		);
	}

	/** What this member brings into aggregates from now on. @throws as {@link GossipGroup.contribute} */
	async contribute(name: string, value: number): Promise<void> {
		await this.#running().group.contribute(this.node, name, value);
	}

	/**
	 * The average or sum of what members contribute, or their number, as gossip finds it out: an estimate.
	 * @throws as {@link GossipGroup.aggregate}
	 * @example const { estimate } = await coordinator.aggregate("average", { of: "load" });
	 */
	async aggregate(kind: AggregateKind, options: AggregateOptions = {}): Promise<Aggregate> {
		return await this.#running().group.aggregate(this.node, kind, options);
	}

	/** Where this member is, and where it knows others to be. @throws QuorateError `gossip-coordinates-missing` */
	async coordinates(): Promise<CoordinateReport> {
		return await this.#running().group.coordinates(this.node);
	}

	/** Coordinates: at once, and after each round trip that this member measures; errors as {@link coordinates}. */
	get coordinates$(): Observable<CoordinateReport> {
		return this.#events$.pipe(
			filter(({ type }) => type === "round-trip-measured"),
			startWith(null),
			switchMap(() => this.coordinates()),
		);
	}

	/**
	 * The round trip between two members in ms, as this member knows their coordinates, whether or not they have ever talked; null if
	 * it does not know one of them.
	 * @throws as {@link coordinates}
	 */
	async estimateRoundTrip(a: string, b: string): Promise<number | null> {
		return roundTripBetween(await this.coordinates(), nodeId(a), nodeId(b));
	}

	/**
	 * Links that members have measured, and ways over others that are faster.
	 * @throws as {@link coordinates}
	 * @example (await coordinator.topology()).suggestPaths(coordinator.node);
	 */
	async topology(): Promise<TopologyMap> {
		return await this.#running().group.topology();
	}

	/**
	 * Lets fanout and interval of this member follow the group's size, measured loss and a cap on its bytes, for as long as the
	 * stream is subscribed to; it tells each change.
	 * @throws QuorateError `gossip-config-invalid`
	 */
	tune(options: GossipTuningOptions = {}): Observable<TuningDecision> {
		return tuneGossip(
			{
				report: () => this.status(),
				tune: async ({ fanout, intervalMs }) => {
					const request = { type: "tune", gossipFanout: fanout, gossipIntervalMs: intervalMs } as const;
					await this.#running().group.request(this.node, request, "tuned");
				},
			},
			options,
		);
	}

	/** Leaves the group in order: the others hear that this member left, not that it failed. Then as {@link shutdown}. */
	async leave(): Promise<void> {
		const { group } = this.#running();
		await group.leave(this.node);
		await this.shutdown();
	}

	/** Ends the member without a word; the last coordinator of a group stops it. Idempotent. */
	async shutdown(): Promise<void> {
		// An initialize that is under way first comes to its end; its error is its caller's.
		await this.#initializing?.catch(() => undefined);
		this.#initializing = null;
		await this.#detach();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.shutdown();
	}

	async #detach(): Promise<void> {
		const attachment = this.#attachment;
		this.#attachment = null;
		this.#joined?.subscription.unsubscribe();
		this.#joined = null;
		this.#members$.next([]);
		await attachment?.detach();
	}

	#hear(event: SwimEvent | MemberEvent): void {
		const members = this.#members$.value;
		if (event.type === "member-joined" && !members.includes(event.node)) {
			this.#members$.next([...members, event.node].sort());
		} else if (event.type === "member-failed" || event.type === "member-left") {
			this.#members$.next(members.filter((node) => node !== event.node));
		}
		this.#heard$.next(event);
	}

	#running(): Joined {
		if (this.#joined !== null) return this.#joined;
		throw notInitialized({ node: this.node, state: this.#initializing === null ? "not running" : "initializing" });
	}
}
