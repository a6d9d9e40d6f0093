/**
 * What an actor is: a behaviour (a class with handlers, or a function from its inbox to effects), the world as it sees
 * it (its context), and the spec from which it can be started again and again. Behaviours are named by module and
 * export, because closures and class instances can not reach another thread.
 */
import type { Observable, SchedulerLike } from "rxjs";
import type { Generator } from "../../protocols/core/index.ts";
import type { Address } from "./address.ts";
import type { Clock } from "./clock.ts";
import type { Metrics } from "./metrics.ts";
import type { ActorRef } from "./ref.ts";
import type { Signal, StopReason } from "./signal.ts";

/**
 * A behaviour as a class. All hooks but `receive` are optional. Each runs to completion before the next message is
 * handled; one that returns a promise holds back this actor's own messages until it settles, not its neighbours'.
 * A hook that throws (or whose promise rejects) fails the actor: its supervisor hears of it at once, with the
 * message that caused it.
 *
 * Order of a life: constructor → `started` → (`receive` | `signal`)* → `stopChildren` → `stopping`. A supervised restart builds a new
 * instance in the same place: `restarting` on the old one (not after the loss of its thread), constructor and
 * `started` on the new one.
 */
export interface Behaviour<Message = unknown> {
	/** Before the first message. `restarts` is 0 on the first start of this incarnation. */
	started?(context: ActorContext<Message>, restarts: number): void | Promise<void>;
	/** One message. */
	receive(message: Message, context: ActorContext<Message>): void | Promise<void>;
	/**
	 * The messages at hand are handled: called once after each batch of one or more `receive` calls, before the thread
	 * turns to others. The place to flush what several messages have gathered. Synchronous.
	 */
	drained?(context: ActorContext<Message>): void;
	/** Death notices and children's failures. Without this hook a child's failure fails its parent (it escalates). */
	signal?(signal: Signal, context: ActorContext<Message>): void | Promise<void>;
	/** This instance will be replaced after it failed. */
	restarting?(cause: unknown, context: ActorContext<Message>): void | Promise<void>;
	/**
	 * This instance will end (stop, suspension or restart) and its children are still alive: the place to end them in an
	 * order of its own and with times of its own, which is what a supervisor does. Comes before `stopping` and
	 * `restarting`. Without this hook, and for children it leaves, the system ends them in reverse order of their start.
	 */
	stopChildren?(context: ActorContext<Message>): void | Promise<void>;
	/**
	 * The last hook of an orderly stop, also of an instance that has failed and is stopped instead of restarted (`reason` is
	 * then that failure); children are stopped already. What it throws is published as an event.
	 */
	stopping?(reason: StopReason, context: ActorContext<Message>): void | Promise<void>;
}

/** Constructs a behaviour from the `args` of its source. */
export type BehaviourClass<Args = unknown, Message = unknown> = new (args: Args) => Behaviour<Message>;

/** One message as a reactive behaviour sees it. */
export interface Delivery<Message = unknown> {
	readonly message: Message;
	/** Who sent it; null when the sender is no actor. */
	readonly sender: ActorRef | null;
	/** Answers it, when it was asked; without effect when it was told. */
	reply(value: unknown): void;
}

/** What a reactive behaviour may emit. */
export type ActorEffect =
	| { readonly type: "tell"; readonly to: ActorRef; readonly message: unknown }
	| { readonly type: "reply"; readonly to: Delivery; readonly value: unknown }
	| { readonly type: "publish"; readonly event: unknown }
	| { readonly type: "stop" };

/**
 * A behaviour as an RxJS function: subscribed once at start and unsubscribed at stop; its effects are performed as
 * they are emitted. An error in the stream fails the actor, as does a synchronous throw; completion stops it normally.
 * Time operators must be given `context.scheduler`, or virtual time breaks.
 */
export type ReactiveBehaviour<Args = unknown, Message = unknown> = (
	inbox$: Observable<Delivery<Message>>,
	context: ActorContext<Message>,
	args: Args,
) => Observable<ActorEffect>;

/** A behaviour that any thread can load: importing the module must have no side effects, `args` must be cloneable. */
export interface ModuleSource {
	/** A file URL of JavaScript, such as `new URL("./ledger.js", import.meta.url)`, or its href. */
	readonly module: URL | string;
	/** The export: a class with a `receive` method, or a {@link ReactiveBehaviour}. */
	readonly export: string;
	readonly args?: unknown;
}

/** A closure: accepted for actors on the calling thread only. Called anew for each start. */
export interface LocalSource {
	readonly local: () => Behaviour | ReactiveBehaviour;
}

export type BehaviourSource = ModuleSource | LocalSource;

/**
 * Where an actor lives. `local`: on the thread that spawns it. `dedicated`: alone on a thread of its own; its mailbox
 * then outlives that thread. `shared`: on one of the shared threads, chosen by least actors. A named group: together
 * with the others of that name, on one thread.
 */
export type Placement = "local" | "dedicated" | "shared" | { readonly group: string };

/**
 * What happens to a message that finds the mailbox full. `reject`: the sender's verdict is `full`. `drop-new` and
 * `drop-old`: the message (the oldest waiting one) goes to dead letters as `mailbox-full`. `fail-actor`: the actor fails
 * with `mailbox-overflow`. Signals and replies are never dropped.
 */
export type OverflowPolicy = "reject" | "drop-new" | "drop-old" | "fail-actor";

export interface MailboxSpec {
	/** Messages that may wait; 1 to 1,000,000; default 4,096. */
	readonly capacity?: number;
	/** Default `reject` for same-thread tells; across threads the lane gives the verdict and what the mailbox itself refuses goes to dead letters. */
	readonly overflow?: OverflowPolicy;
	/**
	 * True: two queues, and messages told with `priority: "high"` overtake. On a dedicated thread this moves records out of
	 * the lane at once, so that waiting messages no longer outlive the thread. Default false.
	 */
	readonly priorities?: boolean;
}

/** Everything needed to start an actor, again and again: data, but for a local source. */
export interface ActorSpec {
	/** 1 to 128 characters; unique among living actors of the system. */
	readonly name: string;
	readonly behaviour: BehaviourSource;
	/** Default `local`. */
	readonly placement?: Placement;
	readonly mailbox?: MailboxSpec;
	/** How the thread of a dedicated actor waits: `async` (default) lets timers and I/O of user code run; `blocking` wakes sooner, for actors that use nothing but messages and the context's timers. */
	readonly waiting?: "async" | "blocking";
	/**
	 * For a dedicated actor inside of native code that must not be cut off, such as a database in a transaction: nobody kills
	 * it or its thread, and whoever stops it waits until it has ended in order, without limit. Default false.
	 */
	readonly neverKilled?: boolean;
}

/** Keyed timers of one actor. They end with the instance that set them: a tick of a former life never arrives. */
export interface ActorTimers {
	/** After `afterMs` (0 to 2^31 − 1) the actor receives `message`. The same key replaces. */
	set(key: string, afterMs: number, message: unknown): void;
	/**
	 * The same, but runs a callback in the actor's turn instead of sending a message. As with any hook, what it throws fails
	 * the actor, and one that returns a promise holds back this actor's messages until that settles.
	 */
	run(key: string, afterMs: number, callback: () => void | Promise<void>): void;
	cancel(key: string): void;
	cancelAll(): void;
}

/** The world as one actor sees it. Valid while its behaviour lives. */
export interface ActorContext<Message = unknown> {
	readonly self: ActorRef<Message>;
	readonly name: string;
	/** Who sent the message being handled; null for non-actors and outside of `receive`. */
	readonly sender: ActorRef | null;
	/** How often the message being handled was interrupted before; 0 normally, at most 2. */
	readonly redelivered: number;
	readonly clock: Clock;
	readonly generator: Generator;
	/** For RxJS time operators: the context's clock. */
	readonly scheduler: SchedulerLike;
	readonly timers: ActorTimers;

	readonly metrics: Metrics;

	/** Answers the ask being handled; after an `await` use the function of {@link replier}. No effect on a tell. */
	reply(value: unknown): void;
	/** Takes the means to answer the ask being handled, for later. Null when the message was told. */
	replier(): Replier | null;

	/** Keeps the message being handled for later. @throws QuorateError `stash-overflow` over 1,024. */
	stash(): void;
	/** Handles all stashed messages again, first in first out, before those that wait in the mailbox. */
	unstashAll(): void;

	/** Replaces the handlers until {@link unbecome}; at most 64 deep. */
	become(behaviour: Pick<Behaviour<Message>, "receive">): void;
	unbecome(): void;

	/**
	 * Starts a child and resolves when its `started` hook has completed; rejects with what that hook threw, and nothing is
	 * left of the child then. Later failures come to this actor as signals. Threads are started from the main thread only:
	 * elsewhere a placement other than `local` rejects with `placement-needs-main-thread`.
	 */
	spawn<M = unknown>(spec: ActorSpec): Promise<ActorRef<M>>;
	/**
	 * Builds a failed, suspended or running child anew in its place: same address, same mailbox. Waits for its thread if that
	 * is being replaced. Resolves with the new life's number of restarts, as its `started` hook got it. Rejects with what
	 * that hook threw, and the child stays suspended (no signal comes of it); or with `actor-dead`, and the child has ended,
	 * when its thread was given up.
	 */
	restart(child: ActorRef): Promise<number>;
	/**
	 * Ends a running child's present life in order (its own children first, then its `stopping` hook; cut off after
	 * `timeoutMs`, as {@link stop}) but keeps its address and mailbox until {@link restart} or {@link stop}: so a
	 * supervisor can end several children in one order and start them again in another. No notice reaches watchers.
	 * Without effect on a child that has failed.
	 */
	suspend(child: ActorRef, timeoutMs?: number): Promise<void>;
	/** Ends a child in order, its own children first; killed after `timeoutMs` (default 5,000; 0 kills at once). */
	stop(child: ActorRef, timeoutMs?: number): Promise<void>;
	/** Ends this actor after the present message. */
	stopSelf(): void;

	/**
	 * Asks for one `terminated` signal when that actor has ended for good. A watch outlives restarts of both.
	 * @throws QuorateError `watches-exhausted` when the actors of this thread hold 131,072 watches and links
	 */
	watch(ref: ActorRef): void;
	unwatch(ref: ActorRef): void;
	/** Watches, and fails this actor with `linked-actor-died` if that actor ends other than normally. */
	link(ref: ActorRef): void;

	/**
	 * Loads what a module source names, as the behaviour's own module was loaded: for code that an actor is given by name.
	 * Rejects with `module-not-loadable` or `export-missing`.
	 */
	loadModule(source: ModuleSource): Promise<unknown>;

	/** The ref of a known address. */
	ref<M = unknown>(address: Address): ActorRef<M>;
	/** A living actor by its name, looked up in the system's registry. */
	lookup<M = unknown>(name: string): Promise<ActorRef<M> | null>;
	/**
	 * Puts an event (cloneable data with a `type`) on the system's event stream, with the actor's name as its `publisher`
	 * unless the event has one.
	 */
	publish(event: { readonly type: string }): void;
	/** The events published on this thread. */
	readonly events$: Observable<{ readonly type: string }>;
}

/** Answers one ask. The first call counts. */
export interface Replier {
	reply(value: unknown): void;
	fail(error: unknown): void;
}
