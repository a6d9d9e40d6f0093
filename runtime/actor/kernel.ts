/** The kernel: the actors of one thread, on the ports of its backend. */
import type { Observable } from "rxjs";
import {
	assert,
	assertNever,
	type ErrorObject,
	errorFromObject,
	errorToObject,
	type Generator,
	invalidArgument,
	must,
} from "../../protocols/core/index.ts";
import { type Address, addressText, MAIN_SLOT, sameAddress, type ThreadSlot } from "./address.ts";
import { AskTable } from "./asks.ts";
import type { ActorContext, ActorSpec } from "./behaviour.ts";
import { Cell, type CellHost, type Child } from "./cell.ts";
import type { Clock } from "./clock.ts";
import { CellContext, type ContextHost } from "./context.ts";
import { messageType, Notice, Received } from "./entry.ts";
import { actorDead, mailboxFull, messageTooLarge, startInterrupted, waitersExhausted } from "./errors.ts";
import { EventStream } from "./event-stream.ts";
import { HeldNotices } from "./held-notices.ts";
import { KernelMeter } from "./kernel-meter.ts";
import { KernelRef, type RefHost } from "./kernel-ref.ts";
import { LifeCycle, type LifeHost, STOP_TIMEOUT_MS_DEFAULT } from "./life-cycle.ts";
import { Mailbox } from "./mailbox.ts";
import { LocalMetrics, type Metrics } from "./metrics.ts";
import type {
	Activity,
	ActorInspection,
	Adoption,
	DeadLetterReason,
	DeliverVerdict,
	Envelope,
	EnvelopeHead,
	EnvelopeKind,
	KernelControl,
	KernelDriver,
	KernelPorts,
	LostMessages,
	ModuleLoader,
	Receiver,
	SpawnOrder,
	Transport,
} from "./ports.ts";
import { ReadyQueue } from "./ready-queue.ts";
import type { ActorRef, TellVerdict } from "./ref.ts";
import { RemoteServices } from "./remote-services.ts";
import type { SystemServices } from "./services.ts";
import type { StopReason } from "./signal.ts";
import type { NamedAddress, SystemMessage } from "./system-message.ts";
import { type InstanceTimers, TIMER_MS_MAX } from "./timers.ts";
import { WatchTable } from "./watches.ts";

/** Envelopes taken from the system lanes in one turn, so that signals can not starve messages. */
export const SYSTEM_SLICE = 256;
/** Envelopes taken from the user lanes in one turn. */
export const USER_SLICE = 256;
/** Messages of this thread's own mailboxes handled in one turn, and by one actor before the next has its turn. */
export const LOCAL_SLICE = 4096;
export const BATCH_MAX = 128;
/** What the local work of one turn may take before timers and I/O get in. */
export const SLICE_MS = 1;
/** Ended actors whose reason is remembered, for those who watch too late. */
export const ENDED_REMEMBERED = 1024;
/** `tellWhenReady` calls that may wait for one slot. */
export const SLOT_WAITERS_MAX = 65_536;
/** Local actors of a worker's kernel are numbered from here; numbers below are given by the main thread. */
export const LOCAL_ACTORS_FROM: number = 2 ** 30;
const ACTOR_NAME_LENGTH_MAX = 128;

interface SlotWaiter {
	readonly head: EnvelopeHead;
	readonly payload: unknown;
	readonly protocol: string | null;
	readonly name: string;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
}

export class Kernel implements KernelDriver, KernelControl, CellHost, RefHost, LifeHost, ContextHost, Receiver {
	readonly slot: ThreadSlot;
	readonly clock: Clock;
	readonly generator: Generator;
	readonly activity: Activity | undefined;
	readonly loadModule: ModuleLoader;
	readonly metrics: Metrics;
	current: Cell | null = null;
	localTells = 0;
	readonly #ports: KernelPorts;
	readonly #transport: Transport;
	readonly #services: SystemServices;
	readonly #remote: RemoteServices | null;
	readonly #meter: KernelMeter;
	readonly #actors = new Map<number, LifeCycle>();
	/** The one whose messages stay in the lane while they wait; on a dedicated thread only. */
	#primary: Cell | null = null;
	/**
	 * Lanes are drained. False on a replacement thread until it has adopted its actors: a message, but also a watch, that
	 * came before would find nobody.
	 */
	#isOpen: boolean;
	readonly #asks: AskTable;
	readonly #watches = new WatchTable();
	readonly #held: HeldNotices;
	readonly #ended = new Map<string, StopReason>();
	readonly #slotWaiters = new Map<ThreadSlot, SlotWaiter[]>();
	readonly #events: EventStream<{ readonly type: string }>;
	readonly #ready = new ReadyQueue();
	readonly #touched: Cell[] = [];
	#lastLocal: number;
	#isInTurn = false;
	#isTurnRequested = false;
	#awaiting = 0;

	/** @param services only for the main kernel, whose system they are */
	constructor(ports: KernelPorts, services?: SystemServices) {
		this.#ports = ports;
		this.#transport = ports.transport;
		this.slot = ports.transport.slot;
		this.clock = ports.clock;
		this.generator = ports.generator;
		this.activity = ports.activity;
		this.loadModule = ports.loadModule;
		this.metrics = ports.metrics ?? new LocalMetrics();
		this.#meter = new KernelMeter(this.metrics);
		this.#asks = new AskTable(ports.clock);
		this.#held = new HeldNotices(ports.transport);
		this.#isOpen = !ports.inherits;
		this.#lastLocal = this.slot === MAIN_SLOT ? 0 : LOCAL_ACTORS_FROM - 1;
		this.#events = new EventStream((error) => this.#observerFailed(error));
		assert((services !== undefined) === (this.slot === MAIN_SLOT), "the main kernel, and only it, has the services");
		this.#remote =
			services === undefined ? new RemoteServices(this.slot, (message) => this.#signal(MAIN_SLOT, message)) : null;
		this.#services = services ?? must(this.#remote ?? undefined, "a worker's kernel asks the main kernel");
	}

	get control(): KernelControl {
		return this;
	}

	/** What is published on this thread; on the main thread, in the whole system. */
	get events$(): Observable<{ readonly type: string }> {
		return this.#events.stream$;
	}

	/** Promises that wait for something this kernel will do: asks, orders, asynchronous hooks, requests. */
	get unsettled(): number {
		return this.#awaiting + this.#asks.size + (this.#remote?.pending ?? 0);
	}

	// --- the turn ---

	turn(): boolean {
		this.#isTurnRequested = false;
		this.#isInTurn = true;
		const transport = this.#transport;
		const signals = this.#isOpen ? transport.drain("system", SYSTEM_SLICE, this) : 0;
		this.#held.release(signals < SYSTEM_SLICE);
		this.#runLocal();
		const drained = this.#isOpen ? transport.drain("user", USER_SLICE, this) : 0;
		if (drained > 0) {
			this.#held.release(false);
			this.#runLocal();
		}
		this.#runDrainedHooks();
		this.#services.flush();
		this.#meter.flush(this.localTells, this.#asks.lateReplies, this.#asks.size);
		this.localTells = 0;
		transport.flush();
		this.#isInTurn = false;
		const more =
			this.#ready.length > 0 || signals === SYSTEM_SLICE || drained === USER_SLICE || this.#held.waitsForQuiet;
		this.#isTurnRequested = more;
		return more;
	}

	#runLocal(): void {
		const deadlineMs = this.clock.nowMs() + SLICE_MS;
		let budget = LOCAL_SLICE;
		let untilClock = BATCH_MAX;
		for (let cell = this.#ready.take(); cell !== null; cell = this.#ready.take()) {
			const handled = cell.run(BATCH_MAX);
			this.activity?.holds(cell.address, cell.holds);
			this.#meter.handled += handled;
			if (cell.isReady) this.schedule(cell);
			budget -= handled + 1;
			untilClock -= handled + 1;
			if (budget <= 0) return;
			if (untilClock > 0) continue;
			if (this.clock.nowMs() >= deadlineMs) return;
			untilClock = BATCH_MAX;
		}
	}

	/** An actor that is busy, or has failed, loses its place; it comes again with its next message. */
	#runDrainedHooks(): void {
		for (let i = 0; i < this.#touched.length; i++) {
			const cell = this.#touched[i] as Cell;
			cell.isTouched = false;
			const life = cell.life;
			if (cell.state !== "running" || life === null) continue;
			if (cell.busy) {
				cell.owesDrained = true;
				continue;
			}
			cell.hook("hook", "drained", () => life.instance.behaviour.drained?.(life.context));
		}
		this.#touched.length = 0;
	}

	/** Something is to be done that no turn has seen yet. */
	#wake(): void {
		if (this.#isInTurn || this.#isTurnRequested) return;
		this.#isTurnRequested = true;
		this.#ports.requestTurn();
	}

	schedule(cell: Cell): void {
		if (!cell.isScheduled) this.#ready.add(cell);
		this.#wake();
	}

	touched(cell: Cell): void {
		this.#touched.push(cell);
	}

	awaiting(change: 1 | -1): void {
		this.#awaiting += change;
	}

	releaseRecord(): void {
		this.#transport.release();
		this.#wake();
	}

	// --- what arrives ---

	deliver(envelope: Envelope): DeliverVerdict {
		switch (envelope.kind) {
			case "tell":
			case "ask":
				return this.#deliverMessage(envelope);
			case "reply":
				this.#asks.resolve(envelope.correlation, envelope.payload);
				return "processed";
			case "failure":
				this.#asks.reject(envelope.correlation, errorFromObject(envelope.payload as ErrorObject));
				return "processed";
			case "signal":
				this.#onSystemMessage(envelope.payload as SystemMessage, envelope.from);
				return "processed";
			default:
				return assertNever(envelope.kind, "kind of envelope");
		}
	}

	#deliverMessage(envelope: Envelope): DeliverVerdict {
		const { target, sender, from, correlation, deadlineMs, protocol, redelivered } = envelope;
		const cell = this.cellAt(target);
		const meta = new Received(sender, from, correlation, deadlineMs, protocol, redelivered);
		if (cell === null) {
			this.#noSuchActor(envelope, target);
			return "processed";
		}
		if (cell === this.#primary && !cell.mailbox.priorities) {
			// What is already taken over comes first, and while it is suspended or busy its messages wait where they are.
			if (cell.state !== "running" || cell.busy || cell.mailbox.hasPrecedence) return "later";
			this.#meter.handled += 1;
			return cell.handleInLane(envelope.payload, meta) ? "in-progress" : "processed";
		}
		const verdict = cell.accept(envelope.payload, meta, envelope.priority === "high");
		if (verdict === "full" && cell.mailbox.overflow === "reject") {
			cell.undelivered("mailbox-full", envelope.payload, meta);
		}
		this.activity?.holds(cell.address, cell.holds);
		return "processed";
	}

	refuse(head: EnvelopeHead, type: string | null, reason: "undecodable" | "quarantined", cause: unknown): void {
		this.deadLetter(reason, head.target, head.sender, type);
		this.publish({ type: `message-${reason}`, actor: head.target, messageType: type, error: errorToObject(cause) } as {
			readonly type: string;
		});
		if (head.kind === "ask" && head.sender !== null) {
			this.#send(
				"failure",
				head.sender.slot,
				null,
				head.correlation,
				errorToObject(actorDead({ actor: addressText(head.target), why: `the message was ${reason}` })),
				null,
			);
		}
	}

	#noSuchActor(envelope: Envelope, target: Address): void {
		const known = this.#ended.has(addressText(target));
		this.deadLetter(known ? "stopped" : "no-such-actor", target, envelope.sender, messageType(envelope.payload));
		if (envelope.correlation === 0) return;
		const error = actorDead({ actor: addressText(target), why: known ? "it was stopped" : "there is no such actor" });
		this.#send("failure", envelope.from, null, envelope.correlation, errorToObject(error), null);
	}

	#onSystemMessage(message: SystemMessage, from: ThreadSlot): void {
		switch (message.type) {
			case "watch":
				this.#watchedFrom(message.target, from);
				return;
			case "unwatch":
				this.cellAt(message.target)?.watcherSlots.delete(from);
				return;
			case "terminated":
				this.#held.hold(message.target.slot, message.through, () =>
					this.#terminated(message.target, message.name, message.reason),
				);
				return;
			case "child-failed":
				this.#services.suspended(message.child);
				this.childFailed(message);
				return;
			case "child-stopped":
				this.childStopped(message.parent, message.child, message.name, message.reason);
				return;
			case "ended":
				this.#services.ended(message.address, message.reason);
				return;
			case "report":
				this.#reported(message);
				return;
			case "request":
				this.#answerRequest(message.id, from, message.request);
				return;
			case "response":
				this.#remote?.respond(message.id, message.result, message.error);
				return;
			case "thread-ended":
				this.threadEnded(message.slot, message.cause);
				return;
			case "thread-replaced":
				this.threadReplaced(message.slot);
				return;
			case "thread-released":
				this.threadReleased(message.slot);
				return;
			default:
				assertNever(message, "system message");
		}
	}

	#reported(report: Extract<SystemMessage, { type: "report" }>): void {
		for (const event of report.events) this.#services.event(event);
		for (const letter of report.deadLetters) this.#services.deadLetter(letter);
		const { eventsDropped, deadLettersUnlisted } = report;
		if (eventsDropped + deadLettersUnlisted === 0) return;
		this.#services.event({ type: "reports-dropped", eventsDropped, deadLettersUnlisted } as { readonly type: string });
	}

	#answerRequest(id: number, from: ThreadSlot, request: Extract<SystemMessage, { type: "request" }>["request"]): void {
		const answer = async (): Promise<NamedAddress | null> => {
			if (request.type === "lookup") return this.#services.lookup(request.name);
			await this.#services.register(request.name, request.address, request.parent);
			return null;
		};
		answer().then(
			(result) => this.#signal(from, { type: "response", id, result, error: null }),
			(error: unknown) => this.#signal(from, { type: "response", id, result: null, error: errorToObject(error) }),
		);
	}

	// --- what leaves ---

	#send(
		kind: EnvelopeKind,
		slot: ThreadSlot,
		sender: Address | null,
		correlation: number,
		payload: unknown,
		protocol: string | null,
	): TellVerdict {
		const target: Address = { slot, actor: 0, incarnation: 0 };
		const verdict = this.#transport.send(
			{ kind, target, sender, correlation, deadlineMs: 0, priority: "normal" },
			payload,
			protocol,
		);
		this.#wake();
		return verdict;
	}

	#signal(slot: ThreadSlot, message: SystemMessage): TellVerdict {
		return this.#send("signal", slot, null, 0, message, null);
	}

	/** Orders and news of the main kernel for the others. */
	broadcast(slots: readonly ThreadSlot[], message: (slot: ThreadSlot) => SystemMessage): void {
		for (const slot of slots) this.#signal(slot, message(slot));
	}

	cellAt(address: Address): Cell | null {
		if (address.slot !== this.slot) return null;
		const cell = this.#actors.get(address.actor)?.cell;
		return cell !== undefined && cell.address.incarnation === address.incarnation ? cell : null;
	}

	ref(address: Address, name: string | null, owner: Cell | null, protocol: string | null): ActorRef {
		const known = name ?? this.cellAt(address)?.name ?? addressText(address);
		return new KernelRef(this, address, known, owner, protocol);
	}

	tell(ref: KernelRef, sender: Cell | null, message: unknown, high: boolean): TellVerdict {
		const { cell } = ref;
		if (cell !== null) {
			this.localTells += 1;
			return cell.accept(message, sender === null ? null : sender.identity, high);
		}
		const from = sender === null ? null : sender.address;
		if (ref.address.slot === this.slot) return this.#tellDead(ref.address, from, message);
		this.#meter.toldRemotely += 1;
		const head: EnvelopeHead = {
			kind: "tell",
			target: ref.address,
			sender: from,
			correlation: 0,
			deadlineMs: 0,
			priority: high ? "high" : "normal",
		};
		const verdict = this.#transport.send(head, message, ref.protocol);
		this.#wake();
		return this.#counted(verdict, ref.address, from, message);
	}

	#tellDead(target: Address, sender: Address | null, message: unknown): TellVerdict {
		const reason = this.#ended.has(addressText(target)) ? "stopped" : "no-such-actor";
		this.deadLetter(reason, target, sender, messageType(message));
		return "dead";
	}

	#counted(verdict: TellVerdict, target: Address, sender: Address | null, message: unknown): TellVerdict {
		if (verdict === "ok") return verdict;
		if (verdict === "full") this.#meter.full += 1;
		else this.deadLetter(verdict === "dead" ? "thread-gone" : "too-large", target, sender, messageType(message));
		return verdict;
	}

	async tellWhenReady(ref: KernelRef, sender: Cell | null, message: unknown): Promise<void> {
		const { cell } = ref;
		if (cell !== null) return cell.acceptWhenReady(message, sender === null ? null : sender.identity);
		const from = sender === null ? null : sender.address;
		if (ref.address.slot === this.slot) {
			this.#tellDead(ref.address, from, message);
			throw actorDead({ actor: ref.name, why: "there is no such actor" });
		}
		const head: EnvelopeHead = {
			kind: "tell",
			target: ref.address,
			sender: from,
			correlation: 0,
			deadlineMs: 0,
			priority: "normal",
		};
		return new Promise((resolve, reject) => {
			this.#sendWhenReady({ head, payload: message, protocol: ref.protocol, name: ref.name, resolve, reject });
		});
	}

	#sendWhenReady(waiter: SlotWaiter): void {
		const { slot } = waiter.head.target;
		const queue = this.#slotWaiters.get(slot);
		if (queue === undefined) {
			if (this.#sendNow(waiter)) return;
			this.#slotWaiters.set(slot, [waiter]);
			this.#transport.whenReady(slot, () => this.#slotReady(slot));
			this.#wake();
		} else if (queue.length < SLOT_WAITERS_MAX) queue.push(waiter);
		else waiter.reject(waitersExhausted({ actor: waiter.name, waitersMax: SLOT_WAITERS_MAX }));
	}

	/** True when the waiter need not wait any longer, whatever became of its message. */
	#sendNow({ head, payload, protocol, name, resolve, reject }: SlotWaiter): boolean {
		const verdict = this.#transport.send(head, payload, protocol);
		if (verdict === "full") return false;
		this.#counted(verdict, head.target, head.sender, payload);
		this.#meter.toldRemotely += 1;
		this.#wake();
		if (verdict === "ok") resolve();
		else if (verdict === "dead") reject(actorDead({ actor: name, why: "its thread is gone" }));
		else reject(messageTooLarge({ actor: name }));
		return true;
	}

	#slotReady(slot: ThreadSlot): void {
		const queue = this.#slotWaiters.get(slot) ?? [];
		let sent = 0;
		while (sent < queue.length && this.#sendNow(queue[sent] as SlotWaiter)) sent += 1;
		queue.splice(0, sent);
		if (queue.length > 0) this.#transport.whenReady(slot, () => this.#slotReady(slot));
		else this.#slotWaiters.delete(slot);
		this.#wake();
	}

	ask(ref: KernelRef, sender: Cell | null, message: unknown, timeoutMs: number): Promise<unknown> {
		return new Promise((resolve, reject) => {
			if (!(timeoutMs >= 1 && timeoutMs <= TIMER_MS_MAX)) {
				throw invalidArgument({ argument: "timeoutMs", expected: `1 to ${TIMER_MS_MAX}`, actual: String(timeoutMs) });
			}
			this.#meter.asked += 1;
			const deadlineMs = this.clock.nowMs() + timeoutMs;
			const correlation = this.#asks.open(ref.name, ref.address.slot, timeoutMs, deadlineMs, resolve, reject);
			const from = sender === null ? null : sender.address;
			const verdict = this.#sendAsk(ref, from, message, correlation, deadlineMs);
			if (verdict === "ok") return;
			if (verdict === "full") this.#asks.refuse(correlation, mailboxFull({ actor: ref.name }));
			else if (verdict === "too-large") this.#asks.refuse(correlation, messageTooLarge({ actor: ref.name }));
			else this.#asks.refuse(correlation, actorDead({ actor: ref.name, why: "there is no such actor" }));
		});
	}

	#sendAsk(
		ref: KernelRef,
		from: Address | null,
		message: unknown,
		correlation: number,
		deadlineMs: number,
	): TellVerdict {
		const { cell } = ref;
		if (cell !== null)
			return cell.accept(message, new Received(from, this.slot, correlation, deadlineMs, null, 0), false);
		if (ref.address.slot === this.slot) return this.#tellDead(ref.address, from, message);
		const head: EnvelopeHead = {
			kind: "ask",
			target: ref.address,
			sender: from,
			correlation,
			deadlineMs,
			priority: "normal",
		};
		const verdict = this.#transport.send(head, message, ref.protocol);
		this.#wake();
		return this.#counted(verdict, ref.address, from, message);
	}

	answer(ask: Received, kind: "reply" | "failure", value: unknown): void {
		if (ask.from !== this.slot) {
			this.#send(kind, ask.from, null, ask.correlation, value, ask.protocol);
		} else if (kind === "reply") this.#asks.resolve(ask.correlation, value);
		else this.#asks.reject(ask.correlation, errorFromObject(value as ErrorObject));
	}

	// --- reports ---

	deadLetter(reason: DeadLetterReason, target: Address, sender: Address | null, type: string | null): void {
		this.#meter.deadLetter(reason, 1);
		this.#services.deadLetter({ reason, target, sender, messageType: type, count: 1, atMs: this.clock.nowMs() });
		this.#wake();
	}

	deadLetterOf(cell: Cell, reason: "stash-overflow"): void {
		cell.undelivered(reason, cell.message, cell.meta);
	}

	publish(event: { readonly type: string }): void {
		if (this.slot !== MAIN_SLOT) this.#events.next(event);
		this.#services.event(event);
		this.#wake();
	}

	/** The main kernel's own stream, which carries the events of all threads. */
	emit(event: { readonly type: string }): void {
		this.#events.next(event);
	}

	#observerFailed(error: unknown): void {
		this.publish({ type: "observer-failed", slot: this.slot, error: errorToObject(error) } as {
			readonly type: string;
		});
	}

	// --- lives ---

	context(cell: Cell, timers: InstanceTimers, restarts: number): ActorContext {
		return new CellContext(cell, this, timers, restarts);
	}

	/** The actor without a parent at the top of the system's tree. Its behaviour is local and starts synchronously. */
	root(spec: ActorSpec): Cell {
		const life = this.#newActor(this.#nextAddress(), spec.name, null, spec, new Mailbox(spec.mailbox));
		life
			.start(0)
			.catch((error: unknown) =>
				this.publish({ type: "root-failed", error: errorToObject(error) } as { readonly type: string }),
			);
		assert(life.cell.state === "running", "the root starts synchronously");
		return life.cell;
	}

	/** Ends the whole tree, however long its actors may take. */
	stopRoot(root: Cell): Promise<StopReason> {
		const life = must(this.#actors.get(root.address.actor), "the root is stopped once");
		return life.stop({ type: "shutdown" }, TIMER_MS_MAX);
	}

	async spawnChild(parent: Cell, spec: ActorSpec): Promise<NamedAddress> {
		const { name } = spec;
		if (typeof name !== "string" || name.length < 1 || name.length > ACTOR_NAME_LENGTH_MAX) {
			throw invalidArgument({
				argument: "actor name",
				expected: `1 to ${ACTOR_NAME_LENGTH_MAX} characters`,
				actual: String(name).slice(0, 160),
			});
		}
		const mailbox = new Mailbox(spec.mailbox);
		if (spec.placement === undefined || spec.placement === "local") return this.#spawnLocal(parent, spec, mailbox);
		let placed: NamedAddress | null = null;
		try {
			return await this.#services.place(spec, parent.address, (child) => {
				placed = child;
				parent.children.set(addressText(child.address), child);
			});
		} catch (error) {
			if (placed !== null) parent.children.delete(addressText((placed as NamedAddress).address));
			throw error;
		}
	}

	async #spawnLocal(parent: Cell, spec: ActorSpec, mailbox: Mailbox): Promise<NamedAddress> {
		const address = this.#nextAddress();
		const child: Child = { address, name: spec.name };
		const registered = this.#services.register(spec.name, address, parent.address);
		if (registered !== undefined) await registered;
		if (parent.state === "ended") {
			this.#services.ended(address, { type: "killed" });
			throw startInterrupted({ actor: spec.name });
		}
		parent.children.set(addressText(address), child);
		const life = this.#newActor(address, spec.name, parent.address, spec, mailbox);
		try {
			await life.start(0);
		} catch (error) {
			parent.children.delete(addressText(address));
			throw error;
		}
		return child;
	}

	#newActor(
		address: Address,
		name: string,
		parent: Address | null,
		spec: ActorSpec | null,
		mailbox: Mailbox,
	): LifeCycle {
		const cell = new Cell(this, address, name, parent, spec, mailbox);
		const life = new LifeCycle(cell, this);
		this.#actors.set(address.actor, life);
		if (this.#ports.dedicated && this.#primary === null && parent !== null && parent.slot !== this.slot)
			this.#primary = cell;
		return life;
	}

	#nextAddress(): Address {
		this.#lastLocal += 1;
		const incarnation = this.slot === MAIN_SLOT ? 1 : this.#ports.life;
		return { slot: this.slot, actor: this.#lastLocal, incarnation };
	}

	async restartChild(_parent: Cell, child: Child): Promise<number> {
		if (child.address.slot !== this.slot) return this.#services.restart(child.address);
		const life = this.#living(child);
		const restarts = life.cell.restarts + 1;
		await life.restart(restarts);
		return restarts;
	}

	async suspendChild(_parent: Cell, child: Child, timeoutMs: number): Promise<void> {
		if (child.address.slot !== this.slot) return this.#services.suspend(child.address, timeoutMs);
		return this.#living(child).suspend(timeoutMs);
	}

	async stopChild(_parent: Cell, child: Child, timeoutMs: number): Promise<void> {
		if (child.address.slot !== this.slot) return this.#services.stop(child.address, timeoutMs);
		const life = this.#actors.get(child.address.actor);
		if (life !== undefined) await life.stop({ type: "shutdown" }, timeoutMs);
	}

	stopSelf(cell: Cell): void {
		cell.isStopRequested = true;
		if (this.current !== cell && !cell.busy && cell.state === "running") this.stopRequested(cell);
	}

	stopRequested(cell: Cell): void {
		cell.isStopRequested = false;
		const life = this.#actors.get(cell.address.actor);
		if (life !== undefined) void life.stop({ type: "normal" }, STOP_TIMEOUT_MS_DEFAULT);
	}

	#living(child: Child): LifeCycle {
		const life = this.#actors.get(child.address.actor);
		if (life === undefined || !sameAddress(life.cell.address, child.address))
			throw actorDead({ actor: child.name, why: "it was stopped" });
		return life;
	}

	failed(cell: Cell, reason: StopReason): void {
		const { parent } = cell;
		const { address: child, name, restarts } = cell;
		this.#meter.failures += 1;
		if (parent === null) {
			this.publish({ type: "root-failed", reason } as { readonly type: string });
		} else if (parent.slot === this.slot) {
			if (this.cellAt(parent) === null) this.#actors.get(child.actor)?.end(reason);
			else this.childFailed({ parent, child, name, restarts, reason });
		} else this.#signal(parent.slot, { type: "child-failed", parent, child, name, restarts, reason });
	}

	/** A child of an actor on this thread has failed, wherever it lives. */
	childFailed(failure: { parent: Address; child: Address; name: string; restarts: number; reason: StopReason }): void {
		const parent = this.cellAt(failure.parent);
		if (parent === null || !parent.children.has(addressText(failure.child))) return;
		const { name, restarts, reason } = failure;
		const child = this.ref(failure.child, name, parent, null);
		parent.acceptUrgent(new Notice({ type: "child-failed", child, name, restarts, reason }, null));
	}

	/** A child of an actor on this thread has ended, wherever it lived. Told once. */
	childStopped(parentAddress: Address, childAddress: Address, name: string, reason: StopReason): void {
		const parent = this.cellAt(parentAddress);
		if (parent === null || !parent.children.delete(addressText(childAddress))) return;
		const child = this.ref(childAddress, name, parent, null);
		parent.acceptUrgent(new Notice({ type: "child-stopped", child, name, reason }, null));
	}

	ended(cell: Cell, reason: StopReason, isBorn: boolean): void {
		const { address, name, parent } = cell;
		this.#actors.delete(address.actor);
		this.#remember(address, reason);
		for (const target of this.#watches.removeAll(cell)) this.#sendUnwatch(target);
		for (const slot of cell.watcherSlots) {
			if (slot === this.slot) this.#terminated(address, name, reason);
			else
				this.#signal(slot, {
					type: "terminated",
					target: address,
					name,
					reason,
					through: this.#transport.sentThrough(slot),
				});
		}
		if (parent !== null && isBorn) {
			if (parent.slot === this.slot) this.childStopped(parent, address, name, reason);
			else this.#signal(parent.slot, { type: "child-stopped", parent, child: address, name, reason });
		}
		this.#services.ended(address, reason);
		this.#wake();
	}

	#remember(address: Address, reason: StopReason): void {
		this.#ended.set(addressText(address), reason);
		if (this.#ended.size <= ENDED_REMEMBERED) return;
		const [oldest] = this.#ended.keys();
		if (oldest !== undefined) this.#ended.delete(oldest);
	}

	lookup(name: string): Promise<NamedAddress | null> {
		return this.#services.lookup(name);
	}

	// --- watching ---

	watch(watcher: Cell, target: ActorRef, link: boolean): void {
		const { address, name } = target;
		if (!this.#watches.add(watcher, address, name, link)) return;
		if (address.slot === this.slot) this.#watchedFrom(address, this.slot);
		else if (this.#signal(address.slot, { type: "watch", target: address }) === "dead")
			this.#terminated(address, name, { type: "normal" });
	}

	unwatch(watcher: Cell, target: Address): void {
		if (this.#watches.remove(watcher, target)) this.#sendUnwatch(target);
	}

	#sendUnwatch(target: Address): void {
		if (target.slot === this.slot) this.cellAt(target)?.watcherSlots.delete(this.slot);
		else this.#signal(target.slot, { type: "unwatch", target });
	}

	/** Somebody in that slot watches an actor of this thread; a dead one is answered at once. */
	#watchedFrom(target: Address, slot: ThreadSlot): void {
		const cell = this.cellAt(target);
		if (cell !== null) {
			cell.watcherSlots.add(slot);
			return;
		}
		const reason = this.#ended.get(addressText(target)) ?? { type: "normal" };
		const name = addressText(target);
		if (slot === this.slot) this.#terminated(target, name, reason);
		else this.#signal(slot, { type: "terminated", target, name, reason, through: this.#transport.sentThrough(slot) });
	}

	/** A watched actor has ended: its watchers here are told, after all that they have received from it. */
	#terminated(target: Address, name: string, reason: StopReason): void {
		for (const [watcher, watch] of this.#watches.take(target)) {
			const ref = this.ref(target, name, watcher, null);
			watcher.acceptInOrder(new Notice({ type: "terminated", ref, reason }, watch));
		}
	}

	// --- threads ---

	/** The thread of that slot died: asks to it fail once its last answers are in. */
	threadEnded(slot: ThreadSlot, cause: string): void {
		// Asks that are made from now on wait for the replacement.
		const asks = this.#asks.pendingTo(slot);
		this.#held.holdUntilQuiet(() => this.#asks.rejectDead(asks, `its thread ended (${cause})`));
		this.#wake();
	}

	/** A new thread, which knows nothing of who watches its actors. */
	threadReplaced(slot: ThreadSlot): void {
		for (const { address } of this.#watches.targetsIn(slot)) this.#signal(slot, { type: "watch", target: address });
	}

	/** Nothing of that slot comes back. */
	threadReleased(slot: ThreadSlot): void {
		this.#held.holdUntilQuiet(() => {
			this.#asks.rejectDead(this.#asks.pendingTo(slot), "its thread is gone");
			for (const { address, name } of this.#watches.targetsIn(slot))
				this.#terminated(address, name, { type: "normal" });
		});
		for (const waiter of this.#slotWaiters.get(slot) ?? [])
			waiter.reject(actorDead({ actor: waiter.name, why: "its thread is gone" }));
		this.#slotWaiters.delete(slot);
		this.#wake();
	}

	/** An actor that ended while its thread was dead: the main kernel says so in its stead. */
	terminatedAfterThread(target: Address, name: string, reason: StopReason, through: number): void {
		this.#held.hold(target.slot, through, () => this.#terminated(target, name, reason));
		this.#wake();
	}

	// --- orders from the main thread ---

	async spawn(order: SpawnOrder): Promise<void> {
		const { address, spec, parent, restarts } = order;
		const known = this.#actors.get(address.actor);
		if (known !== undefined) {
			assert(sameAddress(known.cell.address, address), "an actor number has one incarnation at a time");
			known.cell.spec = spec;
			return known.restart(restarts);
		}
		return this.#newActor(address, spec.name, parent, spec, new Mailbox(spec.mailbox)).start(restarts);
	}

	async suspend(address: Address, timeoutMs: number): Promise<void> {
		const cell = this.cellAt(address);
		if (cell !== null) await this.#actors.get(address.actor)?.suspend(timeoutMs);
	}

	async stop(address: Address, reason: StopReason, timeoutMs: number): Promise<StopReason> {
		const life = this.cellAt(address) === null ? undefined : this.#actors.get(address.actor);
		return life === undefined
			? (this.#ended.get(addressText(address)) ?? { type: "normal" })
			: life.stop(reason, timeoutMs);
	}

	async adopt(actors: readonly Adoption[]): Promise<void> {
		for (const { address, name, parent, mailbox } of actors) {
			const { cell } = this.#newActor(address, name, parent, null, new Mailbox(mailbox));
			cell.state = "suspended";
		}
		this.#isOpen = true;
		this.#wake();
	}

	async inspect(): Promise<readonly ActorInspection[]> {
		return this.inspection();
	}

	/** What would be lost with this thread now; see {@link Activity.holds}. */
	holdings(): readonly LostMessages[] {
		return [...this.#actors.values()]
			.map(({ cell }) => ({ actor: cell.address.actor, messages: cell.holds }))
			.filter(({ messages }) => messages > 0);
	}

	/** The actors of this thread, as they stand. */
	inspection(): readonly ActorInspection[] {
		return [...this.#actors.values()].map(({ cell }) => ({
			address: cell.address,
			name: cell.name,
			state: cell.state === "ended" ? "stopping" : cell.state,
			waiting: cell.mailbox.waiting,
			stashed: cell.mailbox.stashed,
			handled: cell.handled,
			restarts: cell.restarts,
		}));
	}

	/** The system has stopped: nobody waits for an answer any more. */
	close(): void {
		this.#asks.rejectAll("the system has stopped");
		this.#events.complete();
	}
}
