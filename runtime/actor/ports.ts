/**
 * What a kernel (the actors of one thread) needs from its backend. `threads/` implements these on worker threads and
 * shared memory, `simulation/` on virtual time in one thread; everything above runs unchanged on both.
 */
import type { Generator } from "../../protocols/core/index.ts";
import type { Address, ThreadSlot } from "./address.ts";
import type { ActorSpec, ModuleSource } from "./behaviour.ts";
import type { Clock } from "./clock.ts";
import type { TellVerdict } from "./ref.ts";
import type { InterruptedMessage, StopReason, ThreadEnd } from "./signal.ts";

/**
 * - `tell` and `ask` carry a message; `reply` and `failure` answer the ask with that `correlation`;
 * - `signal` carries system messages (death notices, watches, lookups, events) and travels on the system lane.
 */
export type EnvelopeKind = "tell" | "ask" | "reply" | "failure" | "signal";

/** What travels with a message. */
export interface EnvelopeHead {
	readonly kind: EnvelopeKind;
	readonly target: Address;
	/** Null when the sender is no actor. Its slot is the sending thread's. */
	readonly sender: Address | null;
	/** Pairs an ask with its answer, unique in the sending thread while it is pending; 0 for tells. */
	readonly correlation: number;
	/** On the system's clock; 0 is none. */
	readonly deadlineMs: number;
	readonly priority: "normal" | "high";
}

/** A message that has arrived. */
export interface Envelope extends EnvelopeHead {
	readonly payload: unknown;
	/** The protocol whose layout carried it, for the reply to use; null for self-described messages. */
	readonly protocol: string | null;
	/** How often its handling was cut off by the death of the thread. */
	readonly redelivered: number;
}

/**
 * What the kernel did with an envelope. `processed`: its space may be freed. `in-progress`: an asynchronous handler
 * is still at work on a dedicated thread: keep the record and pause user messages until {@link Transport.release}.
 */
export type DeliverVerdict = "processed" | "in-progress";

/** Moves envelopes between the kernels of a system. */
export interface Transport {
	readonly slot: ThreadSlot;
	/** Queues an envelope for another slot; it may become visible only with {@link flush}. `protocol` picks the layout. */
	send(head: EnvelopeHead, payload: unknown, protocol: string | null): TellVerdict;
	/** Publishes what was sent and wakes who sleeps. The kernel calls it at the end of each turn. */
	flush(): void;
	/**
	 * Delivers up to `limit` waiting envelopes in order, system lane first, and frees each one after it is processed.
	 * Returns how many were delivered. An envelope that can not be decoded goes to dead letters, not to `deliver`.
	 */
	drain(limit: number, deliver: (envelope: Envelope) => DeliverVerdict): number;
	/** The envelope that was `in-progress` is processed now. */
	release(): void;
	/** Calls back once when sending to this slot may succeed again after `full`. */
	whenReady(slot: ThreadSlot, callback: () => void): void;
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
	/** The actors of this kernel. */
	inspect(): Promise<readonly ActorInspection[]>;
}

/** Loads what a {@link ModuleSource} names. @throws QuorateError `module-not-loadable`, `export-missing` */
export type ModuleLoader = (source: ModuleSource) => Promise<unknown>;

/** What a kernel is made of. */
export interface KernelPorts {
	readonly clock: Clock;
	readonly generator: Generator;
	readonly transport: Transport;
	readonly loadModule: ModuleLoader;
	/** The kernel has local work: give it a turn soon. */
	readonly requestTurn: () => void;
}

/** What is wanted of a thread. */
export interface ThreadSpec {
	/** 1 to 128 characters, unique in the system: `raft/node-1`, `shared-1`, `storage`. */
	readonly name: string;
	/** See {@link ActorSpec.waiting}. */
	readonly waiting: "async" | "blocking";
	/** The thread is one actor's own: records are freed only after they are processed. */
	readonly dedicated: boolean;
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
 * The life and death of threads; the thread supervisor is its one user. Starting and replacing may use a warm spare.
 */
export interface ThreadDirectory {
	/** Starts a thread in a free slot. @throws QuorateError `too-many-threads`, `thread-start-failed` */
	start(spec: ThreadSpec): Promise<ThreadSlot>;
	/** Starts a new thread in the slot of a dead one. */
	replace(slot: ThreadSlot): Promise<void>;
	/** Ends a thread at once, as a crash would; `thread-ended` follows with this cause. */
	kill(slot: ThreadSlot, cause: "killed" | "stalled" | "stopped"): Promise<void>;
	/** Gives the slot of a dead thread back. */
	release(slot: ThreadSlot): void;
	/** The control plane of a running thread's kernel. */
	control(slot: ThreadSlot): KernelControl;
	status(): readonly ThreadStatus[];
	/** Hears every event from now on; returns the way to stop hearing. */
	observe(listener: (event: ThreadEvent) => void): () => void;
}
