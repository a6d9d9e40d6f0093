/** A cell: the place of one actor in its kernel. It keeps address, mailbox and children while instances come and go. */
import { errorToObject, type Generator } from "../../protocols/core/index.ts";
import { type Address, addressText, type ThreadSlot } from "./address.ts";
import type { ActorContext, ActorSpec, Behaviour } from "./behaviour.ts";
import type { Clock } from "./clock.ts";
import {
	ActorIdentity,
	type EntryMeta,
	messageType,
	type Notice,
	type Received,
	senderOf,
	type Tick,
} from "./entry.ts";
import { actorDead, childFailed, linkedActorDied, mailboxFull, mailboxOverflow, waitersExhausted } from "./errors.ts";
import type { Instance } from "./instance.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Activity, DeadLetterReason } from "./ports.ts";
import type { TellVerdict } from "./ref.ts";
import type { InterruptedMessage, StopReason } from "./signal.ts";
import type { InstanceTimers } from "./timers.ts";

/** `tellWhenReady` calls that may wait for room in one mailbox. */
export const WAITERS_MAX = 65_536;

export type CellState = "starting" | "running" | "suspended" | "stopping" | "ended";

/** What a cell needs of its kernel. */
export interface CellHost {
	readonly slot: ThreadSlot;
	readonly clock: Clock;
	readonly generator: Generator;
	readonly activity: Activity | undefined;
	/** Counts refusals. */
	readonly meter: { full: number };
	/** Whose hook is running: the sender of what it tells. */
	current: Cell | null;
	/** The cell has something to do. */
	schedule(cell: Cell): void;
	/** The cell has handled messages and wants its `drained` hook. */
	touched(cell: Cell): void;
	/** An asynchronous hook began (+1) or settled (−1). */
	awaiting(change: 1 | -1): void;
	/** The record that the cell was handling in its lane may be freed. */
	releaseRecord(): void;
	answer(ask: Received, kind: "reply" | "failure", value: unknown): void;
	deadLetter(reason: DeadLetterReason, target: Address, sender: Address | null, type: string | null): void;
	/** An event about the runtime itself. */
	publish(event: { readonly type: string }): void;
	/** The cell has failed and is suspended: tell its parent. */
	failed(cell: Cell, reason: StopReason): void;
	/** The cell asked for its own end. */
	stopRequested(cell: Cell): void;
}

/** A child as its parent knows it. */
export interface Child {
	readonly address: Address;
	readonly name: string;
}

/** What belongs to one life of the actor. */
export interface Life {
	readonly instance: Instance;
	readonly context: ActorContext;
	readonly timers: InstanceTimers;
	readonly restarts: number;
}

interface Waiter {
	readonly message: unknown;
	readonly meta: EntryMeta;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
}

export class Cell {
	readonly host: CellHost;
	readonly address: Address;
	readonly name: string;
	readonly parent: Address | null;
	/** Replaced by each order to start; until the first one, of an adopted actor, null. */
	spec: ActorSpec | null;
	readonly identity: ActorIdentity;
	readonly mailbox: Mailbox;
	/** In order of their start. */
	readonly children: Map<string, Child> = new Map();
	/** The slots that want to hear of this actor's end. */
	readonly watcherSlots: Set<ThreadSlot> = new Set();
	state: CellState = "starting";
	life: Life | null = null;
	/** Why it is suspended; null when it was suspended in order. */
	failure: StopReason | null = null;
	/** What was thrown, for the `restarting` hook. */
	cause: unknown = null;
	restarts = 0;
	handled = 0;
	/** The message at work; valid until its hook has settled. */
	message: unknown = undefined;
	meta: EntryMeta = null;
	/** An asynchronous hook is at work: everything else waits. */
	busy = false;
	/** In the kernel's queue of cells that have something to do. */
	isScheduled = false;
	/** Has handled messages since its last `drained`. */
	isTouched = false;
	/** The message at work lies in its lane still. */
	inLane = false;
	isStopRequested = false;
	/** Its turn for `drained` came while an asynchronous handler was at work. */
	owesDrained = false;
	readonly #handlers: Pick<Behaviour, "receive">[] = [];
	/** Asks whose replier was taken and not used yet. */
	readonly #openAsks = new Set<Received>();
	readonly #waiters: Waiter[] = [];
	#idleWaiters: (() => void)[] = [];
	#wasStashed = false;

	constructor(
		host: CellHost,
		address: Address,
		name: string,
		parent: Address | null,
		spec: ActorSpec | null,
		mailbox: Mailbox,
	) {
		this.host = host;
		this.address = address;
		this.name = name;
		this.parent = parent;
		this.spec = spec;
		this.identity = new ActorIdentity(address, name);
		this.mailbox = mailbox;
	}

	// --- what comes in ---

	/** Takes a message, or refuses it as the overflow policy says. An ask that is refused is not answered here. */
	accept(message: unknown, meta: EntryMeta, high: boolean): TellVerdict {
		const mailbox = this.mailbox;
		if (!mailbox.hasRoom && !this.#makeRoom(message, meta)) {
			this.host.meter.full += 1;
			return "full";
		}
		mailbox.push(message, meta, high);
		if (!this.isScheduled) this.host.schedule(this);
		return "ok";
	}

	/** Takes the message now or when there is room; the order of those who wait is kept. */
	acceptWhenReady(message: unknown, meta: EntryMeta): Promise<void> {
		if (this.mailbox.hasRoom && this.#waiters.length === 0) {
			this.accept(message, meta, false);
			return Promise.resolve();
		}
		if (this.#waiters.length >= WAITERS_MAX) {
			return Promise.reject(waitersExhausted({ actor: this.name, waitersMax: WAITERS_MAX }));
		}
		return new Promise((resolve, reject) => this.#waiters.push({ message, meta, resolve, reject }));
	}

	/** A signal that comes before messages. */
	acceptUrgent(meta: Notice | Tick): void {
		this.mailbox.pushUrgent(meta);
		if (!this.isScheduled) this.host.schedule(this);
	}

	/** A signal that keeps its place among the messages. */
	acceptInOrder(meta: Notice): void {
		this.mailbox.pushInOrder(meta);
		if (!this.isScheduled) this.host.schedule(this);
	}

	#makeRoom(message: unknown, meta: EntryMeta): boolean {
		const mailbox = this.mailbox;
		switch (mailbox.overflow) {
			case "reject":
				return false;
			case "drop-new":
				this.undelivered("mailbox-full", message, meta);
				return false;
			case "drop-old": {
				const oldest = mailbox.dropOldest();
				if (oldest === null) return false;
				this.undelivered("mailbox-full", oldest.message, oldest.meta);
				oldest.forget();
				return true;
			}
			case "fail-actor":
				this.undelivered("mailbox-full", message, meta);
				if (this.state === "running") this.fail(mailboxOverflow({ actor: this.name, capacity: mailbox.capacity }));
				return false;
		}
	}

	// --- the loop ---

	/** Handles up to `limit` entries; returns how many. */
	run(limit: number): number {
		let count = 0;
		while (count < limit && this.state === "running" && !this.busy) {
			const ring = this.mailbox.next();
			if (ring === null) break;
			count += 1;
			const { message, meta } = ring;
			ring.forget();
			this.#handle(message, meta);
			if (this.#waiters.length > 0) this.#admit();
		}
		return count;
	}

	/** Messages that would be lost with the thread: those waiting here, stashed, and the one that is taken out and at work. */
	get holds(): number {
		const isAtWork = this.busy && !this.inLane && (this.meta === null || this.meta.tag !== "notice");
		return this.mailbox.waiting + this.mailbox.stashed + (isAtWork ? 1 : 0);
	}

	get isReady(): boolean {
		return this.state === "running" && !this.busy && !this.mailbox.isEmpty;
	}

	/** Handles a message that lies in its lane; true when its asynchronous handler is still at work. */
	handleInLane(message: unknown, meta: Received): boolean {
		this.#receive(message, meta);
		this.inLane = this.busy;
		return this.busy;
	}

	#handle(message: unknown, meta: EntryMeta): void {
		if (meta === null || meta.tag === "told" || meta.tag === "received") this.#receive(message, meta);
		else if (meta.tag === "tick") this.#tick(meta);
		else this.#signal(meta);
	}

	#receive(message: unknown, meta: ActorIdentity | Received | null): void {
		if (meta !== null && meta.tag === "received" && this.#isExpired(meta)) {
			this.undelivered("expired", message, meta);
			return;
		}
		const life = this.life as Life;
		const handlers = this.#handlers;
		const receiver = handlers.length === 0 ? life.instance.behaviour : (handlers[handlers.length - 1] as Behaviour);
		this.message = message;
		this.meta = meta;
		this.handled += 1;
		if (!this.isTouched && life.instance.behaviour.drained !== undefined) {
			this.isTouched = true;
			this.host.touched(this);
		}
		const activity = this.host.activity;
		if (activity !== undefined) {
			activity.enter(
				this.address,
				meta !== null && meta.tag === "received" && meta.correlation !== 0 ? "ask" : "tell",
				message,
				senderOf(meta),
			);
		}
		this.host.current = this;
		let pending: unknown;
		try {
			pending = receiver.receive(message, life.context);
		} catch (error) {
			this.host.current = null;
			if (activity !== undefined) activity.leave();
			this.fail(error);
			return;
		}
		this.host.current = null;
		if (activity !== undefined) activity.leave();
		if (pending !== undefined && isPromise(pending)) this.#hold(pending);
		else this.#settled();
	}

	#isExpired(meta: Received): boolean {
		return meta.deadlineMs !== 0 && meta.deadlineMs < this.host.clock.nowMs();
	}

	#tick(tick: Tick): void {
		const life = this.life as Life;
		if (!life.timers.take(tick)) return;
		if (tick.callback === null) {
			this.#receive(tick.message, null);
			return;
		}
		this.hook("timer", tick.key, () => tick.callback?.());
	}

	#signal(notice: Notice): void {
		const { signal, watch } = notice;
		if (notice.life !== null && notice.life !== this.life) return;
		if (watch !== null) {
			if (!watch.active) return;
			watch.active = false;
		}
		if (watch?.link === true && signal.type === "terminated" && signal.reason.type !== "normal") {
			this.fail(linkedActorDied({ actor: signal.ref.name, reason: signal.reason.type }));
			return;
		}
		// An end that the parent has learned of otherwise, or of a child that it has given up.
		if (signal.type === "child-failed" && !this.children.has(addressText(signal.child.address))) return;
		const behaviour = (this.life as Life).instance.behaviour;
		if (behaviour.signal !== undefined) {
			const { context } = this.life as Life;
			this.hook("signal", signal, () => behaviour.signal?.(signal, context));
		} else if (signal.type === "child-failed") {
			this.fail(childFailed({ child: signal.name, reason: signal.reason.type }));
		}
	}

	/** Runs a synchronous or asynchronous hook in this actor's turn; what it throws fails the actor. */
	hook(kind: "timer" | "signal" | "hook", subject: unknown, run: () => unknown): void {
		let pending: unknown;
		try {
			pending = this.enter(kind, subject, run);
		} catch (error) {
			this.fail(error);
			return;
		}
		if (isPromise(pending)) this.#hold(pending);
		else this.#settled();
	}

	/** Runs the synchronous part of a hook as this actor. What it throws is the caller's to handle. */
	enter<T>(kind: "timer" | "signal" | "hook", subject: unknown, run: () => T): T {
		const { activity } = this.host;
		activity?.enter(this.address, kind, subject, null);
		const before = this.host.current;
		this.host.current = this;
		try {
			return run();
		} finally {
			this.host.current = before;
			activity?.leave();
		}
	}

	#hold(pending: PromiseLike<unknown>): void {
		const life = this.life;
		this.busy = true;
		this.host.awaiting(1);
		pending.then(
			() => {
				this.host.awaiting(-1);
				if (this.life !== life || !this.busy) return;
				this.#rest();
				this.#settled();
				if (this.owesDrained && !this.isTouched) {
					this.owesDrained = false;
					this.isTouched = true;
					this.host.touched(this);
				}
				this.host.schedule(this);
			},
			(error: unknown) => {
				this.host.awaiting(-1);
				if (this.life === life && this.busy) this.fail(error);
				else this.#lateFailure(error);
			},
		);
	}

	/** The asynchronous hook is over or given up. */
	#rest(): void {
		if (!this.busy) return;
		this.busy = false;
		if (this.inLane) {
			this.inLane = false;
			this.host.releaseRecord();
		}
		const waiters = this.#idleWaiters;
		this.#idleWaiters = [];
		for (const resume of waiters) resume();
	}

	/** The message at work is done. */
	#settled(): void {
		this.message = undefined;
		this.meta = null;
		this.#wasStashed = false;
		if (this.isStopRequested) this.host.stopRequested(this);
	}

	/** A hook of a life that is over has failed: nobody's fault any more, but not swallowed. */
	#lateFailure(error: unknown): void {
		this.host.publish({ type: "late-failure", actor: this.address, name: this.name, error: errorToObject(error) } as {
			readonly type: string;
		});
	}

	/** Lets in those who wait for room. */
	#admit(): void {
		while (this.#waiters.length > 0 && this.mailbox.hasRoom) {
			const waiter = this.#waiters.shift() as Waiter;
			this.mailbox.push(waiter.message, waiter.meta, false);
			waiter.resolve();
		}
	}

	// --- failing ---

	/**
	 * The actor has failed: it is suspended at once, synchronously, and its parent is told. The message at work is dropped;
	 * the mailbox stays, with what was stashed in front. While it stops already, a failure is an event and no more.
	 */
	fail(error: unknown): void {
		const interrupted = this.interrupted();
		const { meta } = this;
		const owed = meta !== null && meta.tag === "received" && !this.#wasStashed ? meta : null;
		this.message = undefined;
		this.meta = null;
		this.#wasStashed = false;
		if (owed !== null) this.#answerFailure(owed, error);
		if (this.state !== "running") {
			this.#lateFailure(error);
			this.#rest();
			return;
		}
		this.state = "suspended";
		this.cause = error;
		this.failure = { type: "failed", error: errorToObject(error), interrupted };
		this.isStopRequested = false;
		this.quiet();
		this.#rest();
		this.host.failed(this, this.failure);
	}

	/** The message at work, as a report names it. */
	interrupted(): InterruptedMessage | null {
		if (this.message === undefined && this.meta === null) return null;
		const redelivered = this.meta !== null && this.meta.tag === "received" ? this.meta.redelivered : 0;
		return {
			messageType: messageType(this.message),
			sender: senderOf(this.meta),
			deliveries: redelivered + 1,
		};
	}

	/** The present life does nothing more by itself: no timers, no stream, no handlers of its own; stash back in front. */
	quiet(): void {
		this.life?.timers.close();
		this.life?.instance.close();
		this.#handlers.length = 0;
		this.mailbox.unstash();
	}

	/** The present life is over; whoever it still owes an answer is told. */
	closeLife(why: string): void {
		this.quiet();
		this.life = null;
		this.#rest();
		const asks = [...this.#openAsks];
		this.#openAsks.clear();
		const error = actorDead({ actor: this.name, why });
		for (const ask of asks) this.#answerFailure(ask, error);
	}

	/** Resolves when no asynchronous hook is at work. */
	whenIdle(): Promise<void> {
		if (!this.busy) return Promise.resolve();
		return new Promise((resolve) => this.#idleWaiters.push(resolve));
	}

	/** The cell is no more: what waits becomes dead letters, who waits is told. */
	empty(): void {
		const error = actorDead({ actor: this.name, why: "it was stopped" });
		this.mailbox.clear((message, meta) => this.undelivered("stopped", message, meta));
		for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
	}

	// --- the message at work ---

	stash(): void {
		this.mailbox.stash(this.message, this.meta);
		this.#wasStashed = true;
	}

	get pushedHandlers(): number {
		return this.#handlers.length;
	}

	pushHandler(handler: Pick<Behaviour, "receive">): void {
		this.#handlers.push(handler);
	}

	popHandler(): void {
		this.#handlers.pop();
	}

	/** The ask at work is owed an answer beyond its hook. */
	keepOpen(ask: Received): void {
		if (!ask.answered) this.#openAsks.add(ask);
	}

	answer(ask: Received, kind: "reply" | "failure", value: unknown): void {
		if (ask.answered || ask.correlation === 0) return;
		// An answer that can not be encoded throws here, and the asker is then told of that failure.
		this.host.answer(ask, kind, value);
		ask.answered = true;
		this.#openAsks.delete(ask);
	}

	#answerFailure(ask: Received, error: unknown): void {
		this.answer(ask, "failure", errorToObject(error));
	}

	/** A message that will not be handled: reported, and its asker told. */
	undelivered(reason: DeadLetterReason, message: unknown, meta: EntryMeta): void {
		this.host.deadLetter(reason, this.address, senderOf(meta), messageType(message));
		if (meta === null || meta.tag !== "received" || reason === "expired") return;
		const error =
			reason === "mailbox-full"
				? mailboxFull({ actor: this.name })
				: actorDead({ actor: this.name, why: "it was stopped" });
		this.#answerFailure(meta, error);
	}
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
	return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
