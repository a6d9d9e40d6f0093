/**
 * `runtime/actor`: what an actor is, and the kernel that runs the actors of one thread. Refs, mailboxes, asks, timers,
 * watching, names, dead letters and the event stream, after Erlang/OTP and Akka; on top of them the {@link ActorSystem},
 * one tree of actors over all threads of a {@link Backend}.
 *
 * Its backends are `runtime/threads` and `runtime/simulation`. It restarts nothing by itself: that is what
 * `supervisors/tree` does with {@link ActorContext.restart}.
 */

export { ActorSystem, type ActorSystemOptions } from "./actor-system.ts";
export {
	type Address,
	addressText,
	MAIN_SLOT,
	sameAddress,
	THREADS_MAX,
	type ThreadSlot,
} from "./address.ts";
export { ASKS_PENDING_MAX } from "./asks.ts";
export type {
	ActorContext,
	ActorEffect,
	ActorSpec,
	ActorTimers,
	Behaviour,
	BehaviourClass,
	BehaviourSource,
	Delivery,
	LocalSource,
	MailboxSpec,
	ModuleSource,
	OverflowPolicy,
	Placement,
	ReactiveBehaviour,
	Replier,
} from "./behaviour.ts";
export type { Clock, TimerHandle } from "./clock.ts";
export { BECOME_MAX } from "./context.ts";
export { DEAD_LETTERS_KEPT, type DeadLetter, DeadLetters } from "./dead-letters.ts";
export { messageType } from "./entry.ts";
export {
	actorDead,
	asksExhausted,
	askTimeout,
	becomeOverflow,
	childFailed,
	exportMissing,
	linkedActorDied,
	localSourceOnThread,
	mailboxFull,
	mailboxOverflow,
	messageTooLarge,
	moduleNotLoadable,
	nameTaken,
	notABehaviour,
	notAChild,
	nothingToStash,
	placementNeedsMainThread,
	startInterrupted,
	stashOverflow,
	stopTimeout,
	systemStopped,
	threadDied,
	threadGone,
	threadNeverKilled,
	threadNotRunning,
	tooManyThreads,
	waitersExhausted,
	watchesExhausted,
} from "./errors.ts";
export { EventStream, IsolatedObservable } from "./event-stream.ts";
export { Kernel } from "./kernel.ts";
export { ASK_TIMEOUT_MS_DEFAULT } from "./kernel-ref.ts";
export { STOP_TIMEOUT_MS_DEFAULT } from "./life-cycle.ts";
export { MAILBOX_CAPACITY_DEFAULT, MAILBOX_CAPACITY_MAX, STASH_MAX } from "./mailbox.ts";
export { type HistogramSummary, LocalMetrics, type MetricReading, type Metrics } from "./metrics.ts";
export { loadModule, type ModuleExport, moduleHref } from "./module-loader.ts";
export {
	type Activity,
	type ActorInspection,
	type Adoption,
	type Backend,
	type DeadLetterReason,
	type DeliverVerdict,
	type Envelope,
	type EnvelopeHead,
	type EnvelopeKind,
	type InterruptedDelivery,
	type KernelControl,
	type KernelDriver,
	type KernelPorts,
	type LaneKind,
	type LostMessages,
	type ModuleLoader,
	type Receiver,
	type SpawnOrder,
	sequenceReached,
	type ThreadDirectory,
	type ThreadEvent,
	type ThreadSpec,
	type ThreadStatus,
	type Transport,
} from "./ports.ts";
export type { ActorRef, AskOptions, TellOptions, TellVerdict } from "./ref.ts";
export type { InterruptedMessage, Signal, StopReason, ThreadEnd } from "./signal.ts";
export type { NamedAddress, SystemMessage } from "./system-message.ts";
export { WATCHES_MAX } from "./watches.ts";
