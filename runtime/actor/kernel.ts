/** The kernel: the actors of one thread, on the ports of its backend. */
import type { Observable } from "rxjs";
import {
	assert,
	assertNever,
	type ErrorObject,
	errorFromObject,
	errorToObject,
	type Generator,
	must,
} from "../../protocols/core/index.ts";
import { ActorTable } from "./actor-table.ts";
import { type Address, addressText, MAIN_SLOT, type ThreadSlot } from "./address.ts";
import { AskTable } from "./asks.ts";
import type { ActorContext, ActorSpec } from "./behaviour.ts";
import { Cell, type CellHost, type Child } from "./cell.ts";
import type { Clock } from "./clock.ts";
import { CellContext, type ContextHost } from "./context.ts";
import { DeathWatch } from "./death-watch.ts";
import { messageType, Received } from "./entry.ts";
import { actorDead } from "./errors.ts";
import { EventStream } from "./event-stream.ts";
import { type ChildFailure, Family, type FamilyHost } from "./family.ts";
import { KernelMeter } from "./kernel-meter.ts";
import { KernelPost } from "./kernel-post.ts";
import { KernelRef, type RefHost } from "./kernel-ref.ts";
import { LifeCycle, type LifeHost, STOP_TIMEOUT_MS_DEFAULT } from "./life-cycle.ts";
import { Mailbox } from "./mailbox.ts";
import { LocalMetrics, type Metrics } from "./metrics.ts";
import { Outbox, type OutboxHost } from "./outbox.ts";
import type {
	Activity,
	ActorInspection,
	Adoption,
	DeadLetterReason,
	DeliverVerdict,
	Envelope,
	EnvelopeHead,
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

/** Envelopes taken from the system lanes in one turn, so that signals can not starve messages. */
export const SYSTEM_SLICE = 256;
/** Envelopes taken from the user lanes in one turn. */
export const USER_SLICE = 256;
/** Messages of this thread's own mailboxes handled in one turn, and by one actor before the next has its turn. */
export const LOCAL_SLICE = 4096;
export const BATCH_MAX = 128;
/** What the local work of one turn may take before timers and I/O get in. */
export const SLICE_MS = 1;
/** Local actors of a worker's kernel are numbered from here; numbers below are given by the main thread. */
export const LOCAL_ACTORS_FROM: number = 2 ** 30;

/**
 * One turn after another it drains what has arrived, lets actors handle it, and flushes what they sent. The parts it is
 * made of: who lives here ({@link ActorTable}), what leaves ({@link Outbox}), parents and children ({@link Family}),
 * watching ({@link DeathWatch}), and the services of the system, which on worker threads are asked of the main one.
 */
export class Kernel
	implements KernelDriver, KernelControl, CellHost, RefHost, LifeHost, ContextHost, OutboxHost, FamilyHost, Receiver
{
	readonly slot: ThreadSlot;
	readonly clock: Clock;
	readonly generator: Generator;
	readonly activity: Activity | undefined;
	readonly loadModule: ModuleLoader;
	readonly metrics: Metrics;
	readonly transport: Transport;
	readonly post: KernelPost;
	readonly asks: AskTable;
	readonly meter: KernelMeter;
	readonly services: SystemServices;
	current: Cell | null = null;
	localTells = 0;
	readonly #ports: KernelPorts;
	/** The services again, on a worker thread. */
	readonly #remote: RemoteServices | null;
	readonly #actors: ActorTable;
	readonly #outbox: Outbox;
	readonly #family: Family;
	readonly #deaths: DeathWatch;
	readonly #events: EventStream<{ readonly type: string }>;
	readonly #ready = new ReadyQueue();
	readonly #touched: Cell[] = [];
	/** The one whose messages stay in the lane while they wait; on a dedicated thread only. */
	#primary: Cell | null = null;
	/**
	 * Lanes are drained. False on a replacement thread until it has adopted its actors: a message, but also a watch, that
	 * came before would find nobody.
	 */
	#isOpen: boolean;
	#lastLocal: number;
	#isInTurn = false;
	#isTurnRequested = false;
	#awaiting = 0;

	/** @param services only for the main kernel, whose system they are */
	constructor(ports: KernelPorts, services?: SystemServices) {
		this.#ports = ports;
		this.transport = ports.transport;
		this.slot = ports.transport.slot;
		this.clock = ports.clock;
		this.generator = ports.generator;
		this.activity = ports.activity;
		this.loadModule = ports.loadModule;
		this.metrics = ports.metrics ?? new LocalMetrics();
		this.meter = new KernelMeter(this.metrics);
		this.asks = new AskTable(ports.clock);
		this.post = new KernelPost(ports.transport, () => this.wake());
		this.#events = new EventStream((error) => this.#observerFailed(error));
		assert((services !== undefined) === (this.slot === MAIN_SLOT), "the main kernel, and only it, has the services");
		this.#remote =
			services === undefined ? new RemoteServices(this.slot, (message) => this.post.signal(MAIN_SLOT, message)) : null;
		this.services = services ?? must(this.#remote ?? undefined, "a worker's kernel asks the main kernel");
		this.#actors = new ActorTable(this.slot);
		this.#outbox = new Outbox(this);
		this.#family = new Family(this);
		this.#deaths = new DeathWatch(this);
		this.#isOpen = !ports.inherits;
		this.#lastLocal = this.slot === MAIN_SLOT ? 0 : LOCAL_ACTORS_FROM - 1;
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
		return this.#awaiting + this.asks.size + (this.#remote?.pending ?? 0);
	}

	// --- the turn ---

	turn(): boolean {
		this.#isTurnRequested = false;
		this.#isInTurn = true;
		const { transport } = this;
		const signals = this.#isOpen ? transport.drain("system", SYSTEM_SLICE, this) : 0;
		this.#deaths.held.release(signals < SYSTEM_SLICE);
		this.#runLocal();
		const drained = this.#isOpen ? transport.drain("user", USER_SLICE, this) : 0;
		if (drained > 0) {
			this.#deaths.held.release(false);
			this.#runLocal();
		}
		this.#runDrainedHooks();
		this.meter.flush(this.localTells, this.asks.lateReplies, this.asks.size);
		this.localTells = 0;
		this.#publish();
		this.#isInTurn = false;
		const more =
			this.#ready.length > 0 || signals === SYSTEM_SLICE || drained === USER_SLICE || this.#deaths.held.waitsForQuiet;
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
			this.meter.handled += handled;
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
	wake(): void {
		if (this.#isInTurn || this.#isTurnRequested) return;
		this.#isTurnRequested = true;
		this.#ports.requestTurn();
	}

	schedule(cell: Cell): void {
		if (!cell.isScheduled) this.#ready.add(cell);
		this.wake();
	}

	touched(cell: Cell): void {
		this.#touched.push(cell);
	}

	awaiting(change: 1 | -1): void {
		this.#awaiting += change;
	}

	releaseRecord(): void {
		this.transport.release();
		this.wake();
	}

	// --- what arrives ---

	deliver(envelope: Envelope): DeliverVerdict {
		switch (envelope.kind) {
			case "tell":
			case "ask":
				return this.#deliverMessage(envelope);
			case "reply":
				this.asks.resolve(envelope.correlation, envelope.payload);
				return "processed";
			case "failure":
				this.asks.reject(envelope.correlation, errorFromObject(envelope.payload as ErrorObject));
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
			this.#noSuchActor(envelope);
			return "processed";
		}
		if (cell === this.#primary && !cell.mailbox.priorities) {
			// What is already taken over comes first, and while it is suspended or busy its messages wait where they are.
			if (cell.state !== "running" || cell.busy || cell.mailbox.hasPrecedence) return "later";
			this.meter.handled += 1;
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
		const error = errorToObject(cause);
		this.publish({ type: `message-${reason}`, actor: head.target, messageType: type, error } as {
			readonly type: string;
		});
		if (head.kind !== "ask") return;
		// Only the main thread's program asks without being an actor.
		const asker = head.sender?.slot ?? MAIN_SLOT;
		const dead = actorDead({ actor: addressText(head.target), why: `the message was ${reason}` });
		this.post.refuse(asker, head.correlation, dead);
	}

	#noSuchActor({ target, sender, payload, correlation, from }: Envelope): void {
		const isKnown = this.endOf(target) !== null;
		this.deadLetter(isKnown ? "stopped" : "no-such-actor", target, sender, messageType(payload));
		if (correlation === 0) return;
		const why = isKnown ? "it was stopped" : "there is no such actor";
		this.post.refuse(from, correlation, actorDead({ actor: addressText(target), why }));
	}

	#onSystemMessage(message: SystemMessage, from: ThreadSlot): void {
		switch (message.type) {
			case "watch":
				this.#deaths.watchedFrom(message.target, from);
				return;
			case "unwatch":
				this.#deaths.unwatchedFrom(message.target, from);
				return;
			case "terminated":
				this.#deaths.terminated(message.target, message.name, message.reason, message.through);
				return;
			case "child-failed":
				this.services.suspended(message.child);
				this.#family.childFailed(message);
				return;
			case "child-stopped":
				this.#family.childStopped(message.parent, message.child, message.name, message.reason);
				return;
			case "ended":
				this.services.ended(message.address, message.reason);
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
				this.threadReleased(message.slot, message.through);
				return;
			default:
				assertNever(message, "system message");
		}
	}

	#reported(report: Extract<SystemMessage, { type: "report" }>): void {
		for (const event of report.events) this.services.event(event);
		for (const letter of report.deadLetters) this.services.deadLetter(letter);
		const { eventsDropped, deadLettersUnlisted } = report;
		if (eventsDropped + deadLettersUnlisted === 0) return;
		this.services.event({ type: "reports-dropped", eventsDropped, deadLettersUnlisted } as { readonly type: string });
	}

	#answerRequest(id: number, from: ThreadSlot, request: Extract<SystemMessage, { type: "request" }>["request"]): void {
		const answer = async (): Promise<NamedAddress | null> => {
			if (request.type === "lookup") return this.services.lookup(request.name);
			await this.services.register(request.name, request.address, request.parent);
			return null;
		};
		answer().then(
			(result) => this.post.signal(from, { type: "response", id, result, error: null }),
			(error: unknown) => this.post.signal(from, { type: "response", id, result: null, error: errorToObject(error) }),
		);
	}

	// --- what leaves ---

	ref(address: Address, name: string | null, owner: Cell | null, protocol: string | null): ActorRef {
		return new KernelRef(this, address, name, owner, protocol);
	}

	tell(ref: KernelRef, sender: Cell | null, message: unknown, high: boolean): TellVerdict {
		const { cell } = ref;
		if (cell === null) return this.#outbox.tell(ref, sender === null ? null : sender.address, message, high);
		this.localTells += 1;
		return cell.accept(message, sender === null ? null : sender.identity, high);
	}

	handOver({ address }: KernelRef, wake: "now" | "soon"): boolean {
		const { transport } = this.#ports;
		return address.slot !== transport.slot && transport.handOver(address.slot, wake);
	}

	tellWhenReady(ref: KernelRef, sender: Cell | null, message: unknown): Promise<void> {
		return this.#outbox.tellWhenReady(ref, sender, message);
	}

	ask(ref: KernelRef, sender: Cell | null, message: unknown, timeoutMs: number): Promise<unknown> {
		return this.#outbox.ask(ref, sender === null ? null : sender.address, message, timeoutMs);
	}

	answer(ask: Received, kind: "reply" | "failure", value: unknown): void {
		this.#outbox.answer(ask, kind, value);
	}

	/** News of the main kernel for the others. */
	broadcast(slots: readonly ThreadSlot[], message: (slot: ThreadSlot) => SystemMessage): void {
		for (const slot of slots) this.post.signal(slot, message(slot));
	}

	// --- reports ---

	deadLetter(reason: DeadLetterReason, target: Address, sender: Address | null, type: string | null): void {
		this.meter.deadLetter(reason, 1);
		this.services.deadLetter({ reason, target, sender, messageType: type, count: 1, atMs: this.clock.nowMs() });
		this.wake();
	}

	deadLetterOf(cell: Cell, reason: "stash-overflow"): void {
		cell.undelivered(reason, cell.message, cell.meta);
	}

	publish(event: { readonly type: string }): void {
		if (this.slot !== MAIN_SLOT) this.#events.next(event);
		this.services.event(event);
		this.wake();
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

	cellAt(address: Address): Cell | null {
		return this.#actors.cellAt(address);
	}

	lifeAt(address: Address): LifeCycle | null {
		return this.#actors.lifeAt(address);
	}

	endOf(address: Address): StopReason | null {
		return this.#actors.endOf(address);
	}

	nextAddress(): Address {
		this.#lastLocal += 1;
		const incarnation = this.slot === MAIN_SLOT ? 1 : this.#ports.life;
		return { slot: this.slot, actor: this.#lastLocal, incarnation };
	}

	newActor(
		address: Address,
		name: string,
		parent: Address | null,
		spec: ActorSpec | null,
		mailbox: Mailbox,
	): LifeCycle {
		const cell = new Cell(this, address, name, parent, spec, mailbox);
		const life = new LifeCycle(cell, this);
		this.#actors.add(life);
		const isPlaced = parent !== null && parent.slot !== this.slot;
		if (this.#ports.dedicated && isPlaced) this.#primary ??= cell;
		return life;
	}

	context(cell: Cell, timers: InstanceTimers, restarts: number): ActorContext {
		return new CellContext(cell, this, timers, restarts);
	}

	/** The actor without a parent at the top of the system's tree. Its behaviour is local and starts synchronously. */
	root(spec: ActorSpec): Cell {
		const life = this.newActor(this.nextAddress(), spec.name, null, spec, new Mailbox(spec.mailbox));
		life.start(0).catch((error: unknown) => {
			this.publish({ type: "root-failed", error: errorToObject(error) } as { readonly type: string });
		});
		assert(life.cell.state === "running", "the root starts synchronously");
		return life.cell;
	}

	/** Ends the whole tree, however long its actors may take. */
	stopRoot(root: Cell): Promise<StopReason> {
		const life = must(this.lifeAt(root.address) ?? undefined, "the root is stopped once");
		return life.stop({ type: "shutdown" }, TIMER_MS_MAX);
	}

	spawnChild(parent: Cell, spec: ActorSpec): Promise<NamedAddress> {
		return this.#family.spawn(parent, spec);
	}

	restartChild(child: Child): Promise<number> {
		return this.#family.restart(child);
	}

	suspendChild(child: Child, timeoutMs: number): Promise<void> {
		return this.#family.suspend(child, timeoutMs);
	}

	stopChild(child: Child, timeoutMs: number): Promise<void> {
		return this.#family.stop(child, timeoutMs);
	}

	stopSelf(cell: Cell): void {
		cell.isStopRequested = true;
		if (this.current !== cell && !cell.busy && cell.state === "running") this.stopRequested(cell);
	}

	stopRequested(cell: Cell): void {
		cell.isStopRequested = false;
		void this.lifeAt(cell.address)?.stop({ type: "normal" }, STOP_TIMEOUT_MS_DEFAULT);
	}

	failed(cell: Cell, reason: StopReason): void {
		this.meter.failures += 1;
		this.#family.failed(cell, reason);
	}

	childFailed(failure: ChildFailure): void {
		this.#family.childFailed(failure);
	}

	childStopped(parent: Address, child: Address, name: string, reason: StopReason): void {
		this.#family.childStopped(parent, child, name, reason);
	}

	ended(cell: Cell, reason: StopReason, isBorn: boolean): void {
		if (this.#primary === cell) this.#primary = null;
		this.#actors.remove(cell.address, reason);
		this.#deaths.ended(cell, reason);
		if (isBorn) this.#family.ended(cell, reason);
		this.services.ended(cell.address, reason);
		this.wake();
	}

	lookup(name: string): Promise<NamedAddress | null> {
		return this.services.lookup(name);
	}

	watch(watcher: Cell, target: ActorRef, link: boolean): void {
		this.#deaths.watch(watcher, target, link);
	}

	unwatch(watcher: Cell, target: Address): void {
		this.#deaths.unwatch(watcher, target);
	}

	// --- threads ---

	/** The thread of that slot died: asks to it fail once its last answers are in. */
	threadEnded(slot: ThreadSlot, cause: string): void {
		// Asks that are made from now on wait for the replacement.
		const asks = this.asks.pendingTo(slot);
		this.#deaths.held.holdUntilQuiet(() => this.asks.rejectDead(asks, `its thread ended (${cause})`));
		this.wake();
	}

	threadReplaced(slot: ThreadSlot): void {
		this.#deaths.threadReplaced(slot);
	}

	/** Nothing of that slot comes back, but what it had sent through this sequence may be still to be drained. */
	threadReleased(slot: ThreadSlot, through: number): void {
		this.#deaths.held.holdUntilQuiet(() => {
			this.asks.rejectDead(this.asks.pendingTo(slot), "its thread is gone");
			this.#deaths.held.hold(slot, through, () => this.#deaths.slotGone(slot));
		});
		this.#outbox.slotGone(slot);
		this.wake();
	}

	/** An actor that ended while its thread was dead: the main kernel says so in its stead. */
	terminatedAfterThread(target: Address, name: string, reason: StopReason, through: number): void {
		this.#deaths.terminated(target, name, reason, through);
		this.wake();
	}

	// --- orders from the main thread ---

	async spawn(order: SpawnOrder): Promise<void> {
		try {
			await this.#begin(order);
		} finally {
			this.#publish();
		}
	}

	#begin({ address, spec, parent, restarts }: SpawnOrder): Promise<void> {
		const known = this.lifeAt(address);
		if (known === null) {
			return this.newActor(address, spec.name, parent, spec, new Mailbox(spec.mailbox)).start(restarts);
		}
		known.cell.spec = spec;
		return known.restart(restarts);
	}

	async suspend(address: Address, timeoutMs: number): Promise<void> {
		try {
			await this.lifeAt(address)?.suspend(timeoutMs);
		} finally {
			this.#publish();
		}
	}

	async stop(address: Address, reason: StopReason, timeoutMs: number): Promise<StopReason> {
		const life = this.lifeAt(address);
		if (life === null) return this.endOf(address) ?? { type: "normal" };
		const ended = await life.stop(reason, timeoutMs);
		this.#publish();
		return ended;
	}

	/**
	 * Makes visible what waits to be sent. Before an order is answered, since the answer may be the last thing that is heard of
	 * this thread; and not by a further turn, whose first message may be the one that kills it.
	 */
	#publish(): void {
		this.services.flush();
		this.#ports.transport.flush();
	}

	async adopt(actors: readonly Adoption[]): Promise<void> {
		for (const { address, name, parent, mailbox } of actors) {
			this.newActor(address, name, parent, null, new Mailbox(mailbox)).cell.state = "suspended";
		}
		this.#isOpen = true;
		this.wake();
	}

	async inspect(): Promise<readonly ActorInspection[]> {
		return this.inspection();
	}

	/** The actors of this thread, as they stand. */
	inspection(): readonly ActorInspection[] {
		return this.#actors.inspection();
	}

	/** What would be lost with this thread now; see {@link Activity.holds}. */
	holdings(): readonly LostMessages[] {
		return this.#actors.holdings();
	}

	/** The system has stopped: nobody waits for an answer any more. */
	close(): void {
		this.asks.rejectAll("the system has stopped");
		this.#events.complete();
	}
}
