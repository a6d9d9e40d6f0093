/**
 * One member's handle on replicated values: the host of a {@link ReplicaMachine} in the thread that made it.
 *
 * One that is made by its constructor keeps its values in memory: it is a new replica (an incarnation that its node has not used), and
 * gets from the others what its predecessor had given them. One that is opened on a directory goes on from what is there.
 */
import {
	asyncScheduler,
	defaultIfEmpty,
	endWith,
	filter,
	firstValueFrom,
	ignoreElements,
	map,
	type Observable,
	type SchedulerLike,
	Subject,
	type Subscription,
	takeUntil,
	timer,
} from "rxjs";
import {
	type Effect,
	type ErrorObject,
	errorToObject,
	type Input,
	type NodeId,
	nodeId,
	nodeIds,
	QuorateError,
	type RequestId,
	requireInteger,
	type WriteId,
} from "../../protocols/core/index.ts";
import {
	type CrdtCommand,
	type CrdtDocument,
	type CrdtEvent,
	type CrdtReply,
	type CrdtRequest,
	type CrdtTypes,
	ReplicaMachine,
	replicaConfig,
	replicaId,
	type Schema,
} from "../../protocols/crdt/index.ts";
import { IsolatedObservable } from "../../runtime/actor/index.ts";
import { ReleaseQueue } from "../participant/index.ts";
import { refused, requireOptions } from "../swarm/given-options.ts";
import { closed, collectionNeedsStorage, nameTaken, notAMember, typeUnknown } from "./errors.ts";
import { type CRDTOf, type CRDTType, crdtTypes, makeHandle } from "./handles.ts";
import { nextIncarnation } from "./incarnations.ts";
import { type Exchange, type JoinExchange, joinLocally } from "./local-exchange.ts";
import { ReplicaStorage } from "./replica-storage.ts";

export interface CRDTSynchronizerOptions {
	/** Time between two exchanges with one other member; milliseconds, default 100. */
	readonly syncIntervalMs?: number;
	/** What it may grow to while there is nothing to exchange; milliseconds, default ten times as much, at most 3,600,000. */
	readonly syncIntervalMaxMs?: number;
	/** How long {@link CRDTSynchronizer.synchronize} waits for members; milliseconds, 1 to 3,600,000, default 5,000. */
	readonly synchronizeTimeoutMs?: number;
	/** This replica's incarnation; by default higher than any that this node has had, as long as its clock does not go back. */
	readonly incarnation?: number;
	/** How members reach each other; by default they are in this process. */
	readonly join?: JoinExchange;
	/** The clock and the timers. */
	readonly scheduler?: SchedulerLike;
}

/** For {@link CRDTSynchronizer.open}: an incarnation is chosen only where there is no state. */
export interface CRDTStorageOptions extends CRDTSynchronizerOptions {
	/** Where the replica's state is kept: of one synchronizer at a time, and for ever of its node. */
	readonly directory: string;
}

/** What a synchronizer tells: events of its replica, and the end of its storage. */
export type CRDTSynchronizerEvent =
	| CrdtEvent
	/** Nothing becomes durable any more: the synchronizer has closed itself. */
	| { readonly type: "storage-failed"; readonly error: ErrorObject };

/** What came of {@link CRDTSynchronizer.synchronize}. */
export interface Synchronized {
	/** Members that have everything that was here at the call, and of which everything that they had is here. */
	readonly members: readonly NodeId[];
	/** Members that have not answered in time. Nothing is lost: they get it when they can be reached. */
	readonly missing: readonly NodeId[];
}

/** How often something was done, and how long it took: milliseconds of the thread's time. */
export interface Timing {
	readonly count: number;
	readonly totalMs: number;
	readonly maxMs: number;
}

/** The four figures of the design document. */
export interface CRDTMetrics {
	/** Applying what others sent. */
	readonly crdt_merge_time: Timing;
	/** Own changes, each with its encoded delta. */
	readonly delta_generation_time: Timing;
	/** From the call of `synchronize` to its result. */
	readonly sync_convergence_time: Timing;
	/** By name, bytes that the value takes in an encoded state. */
	readonly memory_usage_per_crdt: Readonly<Record<string, number>>;
}

const SYNCHRONIZE_TIMEOUT_MS_DEFAULT = 5_000;
const SYNC_INTERVAL_MS_DEFAULT = 100;
const optionNames: readonly (keyof CRDTSynchronizerOptions)[] = [
	"syncIntervalMs",
	"syncIntervalMaxMs",
	"synchronizeTimeoutMs",
	"incarnation",
	"join",
	"scheduler",
];
/** UTF-16 units of a value's name. */
const NAME_LENGTH_MAX = 200;
const SYNC_INTERVAL_MS_MAX = 3_600_000;
const IDLE_INTERVAL_FACTOR = 10;
/** How often {@link CRDTSynchronizer.metrics$} reads. */
const METRICS_EVERY_MS = 1_000;
const SYNCHRONIZE_TIMEOUT_MS_MAX = 3_600_000;
/**
 * @example
 * const synchronizer = new CRDTSynchronizer("node-1", ["node-1", "node-2"]);
 * const requests = synchronizer.registerCRDT("request_counter", "G_COUNTER");
 * requests.increment();
 * await synchronizer.synchronize();
 * synchronizer.close();
 */
export class CRDTSynchronizer {
	readonly node: NodeId;
	/** In the order given. */
	readonly members: readonly NodeId[];
	readonly #machine: ReplicaMachine;
	readonly #exchange: Exchange;
	readonly #scheduler: SchedulerLike;
	readonly #timeoutMs: number;
	readonly #heard$ = new Subject<CRDTSynchronizerEvent>();
	/** Hears of each message after it was handled. */
	readonly #handled$ = new Subject<void>();
	readonly #types = new Map<string, CRDTType>();
	readonly #merges = newTiming();
	readonly #deltas = newTiming();
	readonly #synchronizations = newTiming();
	readonly #timers = new Map<CrdtTypes["timer"], Subscription>();
	readonly #storage: ReplicaStorage | null;
	readonly #queue = new ReleaseQueue<CrdtTypes>();
	#lastWrite: WriteId = 0;
	#durableWrite: WriteId = 0;
	/** Tells each write that has become durable. */
	readonly #written$ = new Subject<WriteId>();
	#requests: RequestId = 0;
	#reply: CrdtReply | null = null;
	#isClosed = false;
	/** Ends when the storage has given everything back. */
	#closing: Promise<void> = Promise.resolve();

	/**
	 * A synchronizer whose state is kept in a directory: values, what was received early, and what was agreed with others. What it sends
	 * leaves when it is durable; a handle shows a change at once, and {@link durable} tells when that outlives a crash.
	 * @throws QuorateError as the constructor; `data-directory-in-use`, `data-directory-foreign`, `data-directory-corrupt`,
	 *   `store-corrupt`, `store-foreign`, `disk-failed`
	 */
	static async open(
		node: string,
		members: readonly string[],
		{ directory, ...options }: CRDTStorageOptions,
	): Promise<CRDTSynchronizer> {
		const id = nodeId(node);
		const nowMs = (options.scheduler ?? asyncScheduler).now();
		const storage = await ReplicaStorage.open(directory, id, options.incarnation ?? nextIncarnation(id, nowMs));
		try {
			return new CRDTSynchronizer(node, members, { ...options, incarnation: storage.incarnation }, storage);
		} catch (error) {
			await storage.close();
			throw error;
		}
	}

	/** @throws QuorateError `not-a-member`, `crdt-node-taken`, `invalid-argument`, `option-unknown` */
	constructor(
		node: string,
		members: readonly string[],
		options: CRDTSynchronizerOptions = {},
		/** Given by {@link open}. */
		storage: ReplicaStorage | null = null,
	) {
		requireOptions("", options, optionNames);
		this.#storage = storage;
		this.node = nodeId(node);
		this.members = nodeIds("members", members);
		if (!this.members.includes(this.node)) throw notAMember({ node, members: this.members });
		this.#scheduler = options.scheduler ?? asyncScheduler;
		this.#timeoutMs = requireInteger(
			"synchronizeTimeoutMs",
			options.synchronizeTimeoutMs ?? SYNCHRONIZE_TIMEOUT_MS_DEFAULT,
			1,
			SYNCHRONIZE_TIMEOUT_MS_MAX,
		);
		const replica = replicaId(this.node, options.incarnation ?? nextIncarnation(this.node, this.#scheduler.now()));
		const { syncIntervalMs = SYNC_INTERVAL_MS_DEFAULT } = options;
		const syncIntervalMaxMs =
			options.syncIntervalMaxMs ?? Math.min(SYNC_INTERVAL_MS_MAX, syncIntervalMs * IDLE_INTERVAL_FACTOR);
		const config = {
			replica,
			members: this.members,
			schema: this.#takeTypes(storage),
			syncIntervalMs,
			syncIntervalMaxMs,
		};
		this.#machine = new ReplicaMachine(replicaConfig(config));
		const join = options.join ?? joinLocally();
		this.#exchange = join(this.members, this.node, (from, message) => {
			const startMs = performance.now();
			this.#step({ type: "message", from, message });
			if (message.type !== "digest") note(this.#merges, performance.now() - startMs);
			this.#handled$.next();
		});
		this.#step({ type: "start", durable: storage?.durable ?? { state: null, updates: [], collection: null } });
	}

	/** Values that there were before can be read, and taken in, before anybody registers them. */
	#takeTypes(storage: ReplicaStorage | null): Record<string, Schema> {
		const types = Object.entries(storage?.types ?? {});
		for (const [name, type] of types) this.#types.set(name, type);
		return Object.fromEntries(types.map(([name, type]) => [name, crdtTypes[type]]));
	}

	/**
	 * A replicated value under a name, made if need be. All members must register it with the same type; until one has, it
	 * can not take in what others do.
	 * @param type `G_COUNTER`, `PN_COUNTER`, `OR_SET`, `LWW_REGISTER`, `OR_MAP` (from texts to last-writer-wins registers) or `RGA` (a list)
	 * @param name 1 to 200 characters
	 * @throws QuorateError `invalid-argument`, `crdt-type-unknown`, `crdt-name-taken`, `crdt-synchronizer-closed`
	 */
	registerCRDT<T extends CRDTType>(name: string, type: T): CRDTOf<T> {
		this.#requireOpen();
		if (typeof name !== "string" || name.length === 0 || name.length > NAME_LENGTH_MAX)
			throw refused("name", `a text of 1 to ${NAME_LENGTH_MAX} characters`, name);
		const schema: Schema | undefined = Object.hasOwn(crdtTypes, type) ? crdtTypes[type] : undefined;
		if (schema === undefined) throw typeUnknown({ name, type: String(type), known: Object.keys(crdtTypes) });
		const registered = this.#types.get(name);
		if (registered !== undefined && registered !== type) throw nameTaken({ name, type, registered });
		if (registered === undefined) {
			this.#types.set(name, type);
			this.#storage?.writeTypes(Object.fromEntries(this.#types), (outcome) => {
				if (!outcome.ok) this.#storageFailed(outcome.error);
			});
		}
		this.#request({ type: "define", name, schema });
		return makeHandle(type, {
			name,
			document: this.#machine.document,
			perform: (command) => this.#perform(command),
			changes$: this.events$.pipe(
				filter((event) => "path" in event && event.path[0] === name),
				map((event) => event as Extract<CrdtEvent, { readonly path: unknown }>),
			),
		});
	}

	/** Everything that happens to this replica: changes of values, and what its machine tells. Ends with {@link close}. */
	get events$(): Observable<CRDTSynchronizerEvent> {
		return new IsolatedObservable(this.#heard$, (error) => this.#heard$.error(error));
	}

	/** What this replica's work has cost so far. */
	get metrics(): CRDTMetrics {
		const { document } = this.#machine;
		const bytes = [...this.#types.keys()].map((name) => [name, document.encodedBytes(name)] as const);
		return {
			crdt_merge_time: { ...this.#merges },
			delta_generation_time: { ...this.#deltas },
			sync_convergence_time: { ...this.#synchronizations },
			memory_usage_per_crdt: Object.fromEntries(bytes),
		};
	}

	/** A reading of {@link metrics} now and each second, while somebody listens. Ends with {@link close}. */
	get metrics$(): Observable<CRDTMetrics> {
		const closed$ = this.#heard$.pipe(ignoreElements(), endWith(null));
		return timer(0, METRICS_EVERY_MS, this.#scheduler).pipe(
			map(() => this.metrics),
			takeUntil(closed$),
		);
	}

	/** Resolves when everything that was done here until now is durable; in memory that is at once. */
	async durable(): Promise<void> {
		this.#requireOpen();
		if (this.#storage === null) return;
		const write = this.#lastWrite;
		if (this.#durableWrite >= write) return;
		await new Promise<void>((resolve, reject) => {
			const written = this.#written$.subscribe({
				next: (durable) => {
					if (durable < write) return;
					written.unsubscribe();
					resolve();
				},
				complete: () => reject(closed({ node: this.node })),
			});
		});
	}

	/**
	 * Frees what was deleted, if all members agree on a point for that: changes that are made meanwhile take effect after it. Resolves
	 * with whether it came about before the time of `synchronizeTimeoutMs`; it may still do so later.
	 * @throws QuorateError `crdt-collection-needs-storage` in memory: a member that comes back with nothing could not join in any more
	 */
	async collect(): Promise<boolean> {
		this.#requireOpen();
		if (this.#storage === null) throw collectionNeedsStorage({ node: this.node });
		const collected = firstValueFrom(
			this.#heard$.pipe(
				filter(({ type }) => type === "collected"),
				map(() => true),
				takeUntil(timer(this.#timeoutMs, this.#scheduler)),
				defaultIfEmpty(false),
			),
		);
		this.#request({ type: "collect" });
		return await collected;
	}

	/** The values of all names, as plain data. */
	get values(): CrdtDocument["value"] {
		return this.#machine.document.value;
	}

	/**
	 * Exchanges with members (by default with all) until each has what is here now and has given what it has.
	 * @throws QuorateError `crdt-synchronizer-closed`, `invalid-argument`
	 */
	async synchronize(members: readonly string[] = this.members): Promise<Synchronized> {
		this.#requireOpen();
		const wanted = nodeIds("members", members).filter((member) => member !== this.node);
		const goal = this.#machine.document.context;
		const before = new Map(wanted.map((member) => [member, this.#machine.answersOf(member)]));
		const isDone = (member: NodeId): boolean => {
			const answered = this.#machine.answersOf(member) > before.get(member)!;
			return answered && (this.#machine.acknowledgedBy(member)?.includes(goal) ?? false);
		};
		const ask = (): NodeId[] => {
			const left = wanted.filter((member) => !isDone(member));
			if (left.length > 0) this.#request({ type: "synchronize", members: left });
			return left;
		};
		const startMs = this.#scheduler.now();
		ask();
		await new Promise<void>((resolve) => {
			const end = (): void => {
				handled.unsubscribe();
				timeout.unsubscribe();
				resolve();
			};
			const timeout = this.#scheduler.schedule(end, this.#timeoutMs);
			let answers = this.#answers(wanted);
			const look = (): void => {
				if (this.#isClosed || wanted.every(isDone)) {
					end();
					return;
				}
				// An answer that did not acknowledge everything yet was on its way while the rest was: ask again.
				const now = this.#answers(wanted);
				if (now > answers) ask();
				answers = now;
			};
			const handled = this.#handled$.subscribe({ next: look, complete: end });
			if (wanted.every(isDone)) end();
		});
		note(this.#synchronizations, this.#scheduler.now() - startMs);
		return { members: wanted.filter(isDone), missing: wanted.filter((member) => !isDone(member)) };
	}

	/** Leaves the group. What others have not been given yet is gone, unless it is kept in a directory. Idempotent. */
	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#written$.complete();
		if (this.#storage !== null) this.#closing = this.#storage.close();
		for (const pending of this.#timers.values()) pending.unsubscribe();
		this.#exchange.leave();
		this.#handled$.complete();
		this.#heard$.complete();
	}

	/** Closes, and resolves when the directory may be opened by another one. */
	async shutdown(): Promise<void> {
		this.close();
		await this.#closing;
	}

	[Symbol.dispose](): void {
		this.close();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.shutdown();
	}

	#answers(members: readonly NodeId[]): number {
		return members.reduce((sum, member) => sum + this.#machine.answersOf(member), 0);
	}

	#perform(command: CrdtCommand): void {
		this.#requireOpen();
		const startMs = performance.now();
		const reply = this.#request({ type: "change", commands: [command] });
		note(this.#deltas, performance.now() - startMs);
		// None while the group agrees on a collection: then it is done afterwards.
		if (reply?.type === "refused") throw new QuorateError(reply.error.code, reply.error.message, reply.error.details);
	}

	#request(request: CrdtRequest): CrdtReply | null {
		this.#requests += 1;
		this.#reply = null;
		this.#step({ type: "request", requestId: this.#requests, request });
		return this.#reply;
	}

	/** In memory nothing is to be waited for, and every effect leaves at once. */
	#step(input: Input<CrdtTypes>): void {
		if (this.#isClosed) return;
		const effects: Effect<CrdtTypes>[] = [];
		const now = this.#scheduler.now();
		this.#machine.document.advanceClock(now);
		this.#machine.step(input, now, effects);
		this.#machine.step({ type: "batch-ended" }, now, effects);
		if (this.#storage === null) {
			for (const effect of effects) this.#performEffect(effect);
			return;
		}
		// Who asked is told what came of it; that it is durable is another matter.
		for (const effect of effects) if (effect.type === "reply") this.#reply = effect.reply;
		const released: Effect<CrdtTypes>[] = [];
		this.#queue.emit(effects, released);
		this.#persist(this.#storage, effects);
		for (const effect of released) this.#performEffect(effect);
	}

	#persist(storage: ReplicaStorage, effects: readonly Effect<CrdtTypes>[]): void {
		const writes = effects.flatMap((effect) => (effect.type === "persist" ? [effect] : []));
		const last = writes.at(-1);
		if (last === undefined) return;
		this.#lastWrite = last.writeId;
		storage.write(
			writes.map(({ write }) => write),
			(outcome) => {
				if (!outcome.ok) this.#storageFailed(outcome.error);
				else if (!this.#isClosed) this.#release(last.writeId);
			},
		);
	}

	#release(writeId: WriteId): void {
		this.#durableWrite = writeId;
		const released: Effect<CrdtTypes>[] = [];
		this.#queue.durable(writeId, released);
		for (const effect of released) this.#performEffect(effect);
		this.#written$.next(writeId);
	}

	#storageFailed(error: unknown): void {
		if (this.#isClosed) return;
		this.#heard$.next({ type: "storage-failed", error: errorToObject(error) });
		this.close();
	}

	#performEffect(effect: Effect<CrdtTypes>): void {
		switch (effect.type) {
			case "send":
				this.#exchange.send(effect.to, effect.message);
				return;
			case "reply":
				this.#reply = effect.reply;
				return;
			case "emit":
				this.#heard$.next(effect.event);
				return;
			case "set-timer": {
				const { min, max } = effect.afterMs;
				this.#timers.get(effect.timer)?.unsubscribe();
				const delay = min + Math.floor(Math.random() * (max - min + 1));
				const tick = (): void => this.#step({ type: "timer", timer: effect.timer });
				this.#timers.set(effect.timer, this.#scheduler.schedule(tick, delay));
				return;
			}
			case "persist":
			case "cancel-timer":
			case "apply":
			case "read":
				// Writes were seen to; the machine asks for nothing of the rest.
				return;
		}
	}

	#requireOpen(): void {
		if (this.#isClosed) throw closed({ node: this.node });
	}
}

interface OpenTiming {
	count: number;
	totalMs: number;
	maxMs: number;
}

function newTiming(): OpenTiming {
	return { count: 0, totalMs: 0, maxMs: 0 };
}

function note(timing: OpenTiming, ms: number): void {
	timing.count += 1;
	timing.totalMs += ms;
	timing.maxMs = Math.max(timing.maxMs, ms);
}
