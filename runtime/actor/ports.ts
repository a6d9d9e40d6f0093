/**
 * What a kernel (the actors of one thread) needs from its backend. `threads/` implements these on worker threads and
 * shared memory, `simulation/` on virtual time in one thread; everything above runs unchanged on both.
 */
import type { Generator } from "../../protocols/core/index.ts";
import type { Address, ThreadSlot } from "./address.ts";
import type { ActorSpec, MailboxSpec, ModuleSource } from "./behaviour.ts";
import type { Clock } from "./clock.ts";
import type { Metrics } from "./metrics.ts";
import type { TellVerdict } from "./ref.ts";
import type { InterruptedMessage, StopReason, ThreadEnd } from "./signal.ts";

/**
 * - `tell` and `ask` carry a message and travel on the user lane of their pair of threads, in order;
 * - `reply` and `failure` answer the ask with that `correlation`;
 * - `signal` carries system messages (death notices, watches, lookups, events).
 * The last three travel on the system lane, which is never full and never dropped: a handler that awaits an answer
 * holds back the user lane, and the answer must not wait behind it. So an answer may overtake a tell sent before it.
 */
export type EnvelopeKind = "tell" | "ask" | "reply" | "failure" | "signal";

/** The two queues from each thread to each other thread. */
export type LaneKind = "system" | "user";

/** What travels with a message. */
export interface EnvelopeHead {
	readonly kind: EnvelopeKind;
	/** Actor number 0 is the kernel of that slot itself: the target of replies, failures and signals. */
	readonly target: Address;
	/** Null when the sender is no actor. Its slot is the sending thread's. */
	readonly sender: Address | null;
	/** Pairs an ask with its answer, unique in the asking thread while it is pending; 0 for tells. */
	readonly correlation: number;
	/** On the system's clock; 0 is none. */
	readonly deadlineMs: number;
	readonly priority: "normal" | "high";
}

/** A message that has arrived. */
export interface Envelope extends EnvelopeHead {
	/** The thread that sent it (also when no actor did): where an answer goes. */
	readonly from: ThreadSlot;
	readonly payload: unknown;
	/** The protocol whose layout carried it, for the reply to use; null for self-described messages. */
	readonly protocol: string | null;
	/** How often its handling was cut off by the death of the thread. */
	readonly redelivered: number;
}

/**
 * What the kernel did with an envelope.
 * - `processed`: its space may be freed.
 * - `in-progress`: an asynchronous handler is at work on it (dedicated threads only): keep the record and deliver
 *   nothing more from user lanes until {@link Transport.release}.
 * - `later`: untouched; keep the record, stop this drain and deliver it first next time (user lanes only).
 */
export type DeliverVerdict = "processed" | "in-progress" | "later";

/** Why a message was not handled. */
export type DeadLetterReason =
	| "no-such-actor"
	| "stopped"
	| "mailbox-full"
	| "expired"
	| "undecodable"
	| "too-large"
	| "lost-with-thread"
	| "quarantined"
	| "stash-overflow"
	| "thread-gone";

/** Takes what {@link Transport.drain} finds. */
export interface Receiver {
	deliver(envelope: Envelope): DeliverVerdict;
	/** An envelope that can not be delivered: undecodable, or quarantined after it has killed its thread too often. Its space is freed. */
	refuse(head: EnvelopeHead, messageType: string | null, reason: "undecodable" | "quarantined", cause: unknown): void;
}

/** Moves envelopes between the kernels of a system. */
export interface Transport {
	readonly slot: ThreadSlot;
	/**
	 * Queues an envelope for another slot; it may become visible only with {@link flush}. `protocol` picks the layout.
	 * The kind chooses the lane; only the user lane may answer `full`. `dead`: that slot has been released.
	 */
	send(head: EnvelopeHead, payload: unknown, protocol: string | null): TellVerdict;
	/** Publishes what was sent and wakes who sleeps. The kernel calls it at the end of each turn. */
	flush(): void;
	/**
	 * Publishes what was sent to one slot. True if all of it is now where it outlives this thread: whoever takes the thread's place sends
	 * behind it. False where that is not so, or not yet. `soon` leaves it to later to wake who sleeps, see `ActorRef.handOver`.
	 */
	handOver(to: ThreadSlot, wake: "now" | "soon"): boolean;
	/**
	 * Delivers up to `limit` waiting envelopes of one kind of lane, each pair of threads in order, and frees each one
	 * after it is processed. Returns how many were delivered or refused. When it returns less than `limit` and no verdict
	 * stopped it, those lanes were seen empty.
	 */
	drain(lane: LaneKind, limit: number, receiver: Receiver): number;
	/** The envelope that was `in-progress` is processed now. */
	release(): void;
	/** Calls back once, in a turn of its own, when sending to this slot may succeed again after `full`. */
	whenReady(slot: ThreadSlot, callback: () => void): void;
	/**
	 * How many envelopes this slot has put on its user lane to that slot, over all its lives; an int32 that wraps, see
	 * {@link sequenceReached}.
	 */
	sentThrough(to: ThreadSlot): number;
	/** The sequence up to which this kernel has been handed what that slot sent on its user lane. */
	drainedThrough(from: ThreadSlot): number;
}

/** Whether a wrapping int32 sequence has come up to another. */
export function sequenceReached(sequence: number, through: number): boolean {
	return ((sequence - through) | 0) >= 0;
}

/** The order to start an actor on a thread. A local source never travels. */
export interface SpawnOrder {
	readonly address: Address;
	readonly spec: ActorSpec;
	/** Who hears of its failures. */
	readonly parent: Address;
	/** How often this incarnation has been restarted. */
	readonly restarts: number;
}

/** One actor, as inspection sees it. */
export interface ActorInspection {
	readonly address: Address;
	readonly name: string;
	readonly state: "starting" | "running" | "suspended" | "stopping";
	readonly waiting: number;
	readonly stashed: number;
	readonly handled: number;
	readonly restarts: number;
}

/** An actor that outlived its thread. */
export interface Adoption {
	readonly address: Address;
	readonly parent: Address;
	readonly name: string;
	readonly mailbox: MailboxSpec;
}

/**
 * The control plane of one kernel: what others order it to do. On worker threads it is reached through comlink, with a
 * timeout and a rejection when the thread dies; all methods are promises for that reason.
 */
export interface KernelControl {
	/** Starts (or, with the same address, restarts in place) an actor; resolves after `started`. */
	spawn(order: SpawnOrder): Promise<void>;
	/** Ends an actor's present life but keeps its address and mailbox, until it is spawned again with the same address. */
	suspend(address: Address, timeoutMs: number): Promise<void>;
	/** Ends an actor; resolves with the reason that its parent and watchers were told. */
	stop(address: Address, reason: StopReason, timeoutMs: number): Promise<StopReason>;
	/**
	 * The first order to the kernel of a replacement thread (`inherits`), which leaves its lanes alone until
	 * then: these actors lived here and may be restarted. Their messages wait until they are, or are stopped.
	 */
	adopt(actors: readonly Adoption[]): Promise<void>;
	/** The actors of this kernel. */
	inspect(): Promise<readonly ActorInspection[]>;
}

/** Loads what a {@link ModuleSource} names. @throws QuorateError `module-not-loadable`, `export-missing` */
export type ModuleLoader = (source: ModuleSource) => Promise<unknown>;

/** Hears what the kernel is at, so that a watchdog can name it and a simulation can trace it. Optional: it is on the hot path. */
export interface Activity {
	/** An actor's hook is about to run. `message` is the message, the signal, or null for life cycle hooks. */
	enter(actor: Address, kind: EnvelopeKind | "timer" | "hook", message: unknown, sender: Address | null): void;
	/** The synchronous part of that hook is over. */
	leave(): void;
	/**
	 * So many messages an actor has taken over from its lanes and not finished, stashed ones and one at work included: what
	 * would be lost with this thread now.
	 */
	holds(actor: Address, messages: number): void;
}

/** What a kernel is made of. */
export interface KernelPorts {
	readonly clock: Clock;
	readonly generator: Generator;
	readonly transport: Transport;
	readonly loadModule: ModuleLoader;
	/** The kernel has local work: call {@link KernelDriver.turn} soon. Asked once until that turn begins. */
	readonly requestTurn: () => void;
	/** From 1; never the same again in this slot, not even after the slot was released. */
	readonly life: number;
	/** The thread replaces a dead one: its lanes are not drained until {@link KernelControl.adopt}. */
	readonly inherits: boolean;
	/** As {@link ThreadSpec.dedicated}; false for the main thread. */
	readonly dedicated: boolean;
	readonly metrics?: Metrics;
	readonly activity?: Activity;
}

/** The kernel as its backend drives it. */
export interface KernelDriver {
	/**
	 * One slice of work: system lane, local work, user lanes, `drained` hooks, flush. True when more work is at hand: give
	 * another turn after letting timers and I/O in. What it throws is a fault of the kernel itself: the thread must end.
	 */
	turn(): boolean;
	/** Promises that wait for something this kernel will do; while there are any, a turn may leave continuations behind. */
	readonly unsettled: number;
	readonly control: KernelControl;
}

/** What is wanted of a thread. */
export interface ThreadSpec {
	/** 1 to 128 characters, unique in the system: `raft/node-1`, `shared-1`, `storage`. */
	readonly name: string;
	/** See {@link ActorSpec.waiting}. */
	readonly waiting: "async" | "blocking";
	/** The thread is one actor's own: records are freed only after they are processed. */
	readonly dedicated: boolean;
	/** See {@link ActorSpec.neverKilled}: {@link ThreadDirectory.kill} refuses, unless the actor has ended and it is `stopped`. */
	readonly neverKilled?: boolean;
	/** Old-generation heap limit in MiB; default 256. */
	readonly heapLimitMb?: number;
}

/** A thread, dead or alive, in its slot. */
export interface ThreadStatus {
	readonly slot: ThreadSlot;
	readonly spec: ThreadSpec;
	readonly state: "starting" | "running" | "dead";
	/** Lives so far; grows by one with each replacement. */
	readonly lives: number;
}

/** What happens to threads. */
export type ThreadEvent =
	| { readonly type: "thread-started"; readonly slot: ThreadSlot; readonly name: string; readonly lives: number }
	| {
			readonly type: "thread-ended";
			readonly slot: ThreadSlot;
			readonly name: string;
			readonly end: ThreadEnd;
			/** The message that was being handled, if any. On a dedicated thread it will be delivered again. */
			readonly interrupted: InterruptedDelivery | null;
			/** On a shared thread: messages that actors had taken over from the lanes and that are gone. */
			readonly lost: readonly LostMessages[];
	  }
	/** The slot was given back; `undelivered` counts what its inbound lanes still held. */
	| {
			readonly type: "thread-released";
			readonly slot: ThreadSlot;
			readonly name: string;
			readonly undelivered: number;
	  };

/** What a thread was at work on when it ended. */
export interface InterruptedDelivery {
	/** Local id of the actor. */
	readonly actor: number;
	readonly message: InterruptedMessage;
}

/** Messages that ended with a thread; they are reported as dead letters `lost-with-thread`. */
export interface LostMessages {
	/** Local id of the actor. */
	readonly actor: number;
	readonly messages: number;
}

/**
 * The life and death of threads. Placement starts and releases them, the thread supervisor replaces them. Starting and
 * replacing may use a warm spare.
 */
export interface ThreadDirectory {
	/** Starts a thread in a free slot; resolves when its kernel runs. @throws QuorateError `too-many-threads`, `thread-start-failed` */
	start(spec: ThreadSpec): Promise<ThreadSlot>;
	/** Starts a new thread in the slot of a dead one; resolves when its kernel runs. @throws QuorateError `thread-not-running`, `thread-start-failed` */
	replace(slot: ThreadSlot): Promise<void>;
	/**
	 * Ends a thread at once, as a crash would; `thread-ended` follows with this cause. Resolves after it.
	 * @throws QuorateError `thread-never-killed`
	 */
	kill(slot: ThreadSlot, cause: "killed" | "stalled" | "stopped"): Promise<void>;
	/** Gives the slot of a dead thread back; `thread-released` follows. */
	release(slot: ThreadSlot): void;
	/** The control plane of a running thread's kernel; its calls reject with `thread-died` when the thread dies first. @throws QuorateError `thread-not-running` */
	control(slot: ThreadSlot): KernelControl;
	status(): readonly ThreadStatus[];
	/** Hears every event from now on; returns the way to stop hearing. */
	observe(listener: (event: ThreadEvent) => void): () => void;
}

/** Everything below an {@link ActorSystem}: the main thread's ports and the life of all others. */
export interface Backend {
	/** For the main kernel. */
	readonly ports: KernelPorts;
	readonly threads: ThreadDirectory;
	/** Cores that may be used; 1 or more. */
	readonly parallelism: number;
	/** Takes the main kernel; called once, before anything runs. */
	attach(kernel: KernelDriver): void;
	/** How much `from`, dead or alive, has published on its user lane to `to`; see {@link Transport.sentThrough}. */
	publishedThrough(from: ThreadSlot, to: ThreadSlot): number;
	/** Ends what the backend itself holds; all threads have ended before. */
	close(): Promise<void>;
}
