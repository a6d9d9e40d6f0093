/**
 * The contract between a protocol and its host.
 *
 * A protocol is a deterministic state machine without I/O: inputs go in one at a time, and each produces
 * effects, in order. The host owns everything else: the clock, the dice, the disk, the network, the
 * application. Four hosts drive the same code: the worker-thread participant, the deterministic simulator,
 * the model checker and the transcript runner of the tests. A protocol that needs to know which host it has
 * is wrong.
 *
 * ```
 *            start · message · timer · request · write-completed
 *            read-completed · snapshot-ready · peer-(un)reachable
 *            batch-ended
 *   host  ────────────────────────────────────────────────────────▶  protocol
 *         ◀────────────────────────────────────────────────────────
 *            send · set-timer · cancel-timer · persist
 *            read · apply · reply · emit
 * ```
 *
 * ## What the protocol promises
 *
 * 1. The effects of a step depend on nothing but the inputs so far, the configuration and the answers of the ports
 *    that it was given: no clock, no randomness, no promises, no iteration order that inputs did not determine.
 * 2. Its state holds no generator and no absolute time, so that equal states meet in the model checker.
 *    A random delay is a range: the host draws ({@link SetTimer}). A random choice is asked of the host
 *    (`choice.ts`). `now` serves leases and events only.
 * 3. `step` never throws for anything the world may send. It throws `AssertionError` for a bug of its own,
 *    and the host must then stop the participant.
 *
 * ## What the host promises
 *
 * 1. **Order.** Inputs are stepped one at a time. Effects are performed in the order they were emitted,
 *    save that a held one ({@link Release}) waits while later `immediate` ones pass it. Held effects
 *    keep their order among themselves.
 * 2. **Durable before sent.** An `after-durable` effect is released only when every `persist` emitted before
 *    it, in this step or any earlier one, is durable: flushed to the disk, not merely handed to the page
 *    cache. `write-completed` arrives after that and only tells the machine what it may count as its own;
 *    the machine never holds messages back itself.
 * 3. **Batching.** The host may step many inputs before it performs their effects, and then persists once
 *    and sends once. It closes every batch, one of a single input included, with a {@link BatchEnded}, before
 *    it performs the effects of that batch. What a machine gathers waits for that and for nothing else.
 * 4. **Persists are atomic and ordered.** After a crash a restart finds the result of a prefix of the
 *    persists, which contains at least all that were reported durable. A failed write is never reported
 *    completed: the host stops the participant instead.
 * 5. **Restart.** `start` is the first input of a machine and carries exactly what was durable. Timers,
 *    held effects and pending requests of the former life are gone.
 * 6. **Timers.** At most one of each name is set; setting it again replaces it. A cancelled or replaced
 *    timer does not fire.
 * 7. **The network** may drop, delay, duplicate or reorder messages, unless the protocol's page says
 *    otherwise. `from` is true: a host never delivers a message under a wrong sender's name.
 * 8. **Identity.** A participant whose durable state is gone never rejoins under its old id.
 */
import type { NodeId } from "./ids.ts";

/** Names one request of a local client; chosen by the host, unique in one life of a machine. */
export type RequestId = number;
/** Names one persist; chosen by the machine, strictly increasing in one life. */
export type WriteId = number;
/** Names one read of durable data; chosen by the machine, strictly increasing in one life. */
export type ReadId = number;
/** Milliseconds on the host's monotonic clock; comparable only within one life of a machine. */
export type MonotonicMs = number;

/** The vocabulary of one protocol, as a bundle of types: a protocol's room declares one of these. */
export interface ProtocolTypes {
	/** What participants send each other; a discriminated union on `type`. */
	readonly message: { readonly type: string };
	/** What a local client may ask of this participant. */
	readonly request: unknown;
	/** What a request is answered with, refusals included. */
	readonly reply: unknown;
	/** The names of this protocol's timers. */
	readonly timer: string;
	/** The ordered content of one persist. */
	readonly write: unknown;
	/** A question to durable data that the machine does not keep in memory. */
	readonly read: unknown;
	/** The answer to a {@link ProtocolTypes.read}. */
	readonly readResult: unknown;
	/** What the application is handed: decided entries, queries, orders to take or to load a snapshot. */
	readonly delivery: unknown;
	/** Describes a snapshot that the host has taken and made durable. */
	readonly snapshot: unknown;
	/** What observers are told: events, metrics, audit records, evidence. */
	readonly event: { readonly type: string };
	/** What a start receives: everything the machine persisted, as recovery found it. */
	readonly durable: unknown;
}

/** The first input of a life; carries what was durable, or the empty state of a first boot. */
export interface Start<P extends ProtocolTypes> {
	readonly type: "start";
	readonly durable: P["durable"];
}
/** A peer's message has arrived. */
export interface MessageReceived<P extends ProtocolTypes> {
	readonly type: "message";
	readonly from: NodeId;
	readonly message: P["message"];
}
/** A timer that was set, and not cancelled or replaced since, has run out. */
export interface TimerFired<P extends ProtocolTypes> {
	readonly type: "timer";
	readonly timer: P["timer"];
}
/** A local client asks; it is answered by exactly one {@link Reply}, unless this life ends first. */
export interface RequestReceived<P extends ProtocolTypes> {
	readonly type: "request";
	readonly requestId: RequestId;
	readonly request: P["request"];
}
/** The persist of this id, and so every earlier one, is durable. */
export interface WriteCompleted {
	readonly type: "write-completed";
	readonly writeId: WriteId;
}
/** The answer to a {@link Read}. */
export interface ReadCompleted<P extends ProtocolTypes> {
	readonly type: "read-completed";
	readonly readId: ReadId;
	readonly result: P["readResult"];
}
/** A snapshot that a delivery had ordered is taken and durable. */
export interface SnapshotReady<P extends ProtocolTypes> {
	readonly type: "snapshot-ready";
	readonly snapshot: P["snapshot"];
}
/** The host believes that a peer can (not) be reached at present: a hint, never a proof. */
export interface PeerReachability {
	readonly type: "peer-reachable" | "peer-unreachable";
	readonly peer: NodeId;
}

/**
 * The host has stepped all that it had at hand. A machine may gather over the inputs of one batch what is cheaper
 * done once (a leader: one persist and one append-entries per peer for all new proposals) and emits it here. It
 * gathers only what nobody has been promised yet: a crash before this input loses nothing that was acknowledged,
 * and an effect that must follow a persist is never emitted ahead of it. Alone it changes nothing else, so a second
 * one in a row has no effects. A machine that gathers nothing ignores it.
 */
export interface BatchEnded {
	readonly type: "batch-ended";
}

export type Input<P extends ProtocolTypes> =
	| Start<P>
	| MessageReceived<P>
	| TimerFired<P>
	| RequestReceived<P>
	| WriteCompleted
	| ReadCompleted<P>
	| SnapshotReady<P>
	| PeerReachability
	| BatchEnded;

/**
 * When an effect may leave. `after-durable` is what safety arguments assume; `immediate` is for effects whose
 * truth does not rest on this participant's own disk, such as a leader's append-entries, and each use of it
 * is argued where it stands.
 */
export type Release = "after-durable" | "immediate";

/** Send to a peer. A host may encode once what it is asked to send several times as the same object. */
export interface Send<P extends ProtocolTypes> {
	readonly type: "send";
	readonly to: NodeId;
	readonly message: P["message"];
	readonly release: Release;
}
/** Set (or replace) a timer; the host draws the delay uniformly from `[min, max]` milliseconds. */
export interface SetTimer<P extends ProtocolTypes> {
	readonly type: "set-timer";
	readonly timer: P["timer"];
	readonly afterMs: { readonly min: number; readonly max: number };
}
/** Cancel a timer; nothing happens if it is not set. */
export interface CancelTimer<P extends ProtocolTypes> {
	readonly type: "cancel-timer";
	readonly timer: P["timer"];
}
/** Make this durable, after all earlier persists, then report `write-completed`. */
export interface Persist<P extends ProtocolTypes> {
	readonly type: "persist";
	readonly writeId: WriteId;
	readonly write: P["write"];
}
/** Read durable data; it sees every persist emitted before it. */
export interface Read<P extends ProtocolTypes> {
	readonly type: "read";
	readonly readId: ReadId;
	readonly read: P["read"];
}
/** Hand something to the application, in this order. */
export interface Apply<P extends ProtocolTypes> {
	readonly type: "apply";
	readonly delivery: P["delivery"];
	readonly release: Release;
}
/** Answer a local client. */
export interface Reply<P extends ProtocolTypes> {
	readonly type: "reply";
	readonly requestId: RequestId;
	readonly reply: P["reply"];
	readonly release: Release;
}
/** Tell observers. */
export interface Emit<P extends ProtocolTypes> {
	readonly type: "emit";
	readonly event: P["event"];
}

export type Effect<P extends ProtocolTypes> =
	| Send<P>
	| SetTimer<P>
	| CancelTimer<P>
	| Persist<P>
	| Read<P>
	| Apply<P>
	| Reply<P>
	| Emit<P>;

/** A running protocol: one participant's part in one group. */
export interface StateMachine<P extends ProtocolTypes> {
	/**
	 * Takes one input and appends its effects to `effects`, in order. The list belongs to the host: one list
	 * may gather the effects of many steps.
	 */
	step(input: Input<P>, now: MonotonicMs, effects: Effect<P>[]): void;

	/**
	 * The whole state as plain data (numbers, strings, booleans, null, byte arrays, arrays, maps, sets and
	 * records of these): what the model checker hashes by `canonicalHash` and what a transcript prints. The
	 * value is the machine's own: read it, never keep or change it.
	 */
	readonly state: unknown;

	/** An independent machine in the same state. */
	copy(): StateMachine<P>;
}
