/** The system's services on the main thread: names, the directory of all actors, and what becomes of them when threads end. */
import { errorToObject, must } from "../../protocols/core/index.ts";
import { type Address, addressText, MAIN_SLOT, type ThreadSlot } from "./address.ts";
import type { ActorSpec } from "./behaviour.ts";
import { type DeadLetter, DeadLetters } from "./dead-letters.ts";
import { actorDead, nameTaken, stopTimeout, systemStopped, threadDied } from "./errors.ts";
import type { Kernel } from "./kernel.ts";
import { type Place, Placements } from "./placement.ts";
import type { Backend, SpawnOrder, ThreadDirectory, ThreadEvent } from "./ports.ts";
import type { SystemServices } from "./services.ts";
import type { StopReason } from "./signal.ts";
import { SlotGate } from "./slot-gate.ts";
import type { NamedAddress } from "./system-message.ts";

/** What a stop order gets beyond the actor's own time, before its thread counts as stalled. */
export const STOP_GRACE_MS = 2_000;
/** How often the order to stop is repeated to an actor that is never killed, in case it was lost. */
const PATIENT_ORDER_MS = 600_000;

/** An actor as the main thread knows it. */
interface Entry extends NamedAddress {
	readonly parent: Address;
	/** Null for actors that their own kernel has started. */
	readonly placed: { readonly spec: ActorSpec; readonly place: Place } | null;
	state: "starting" | "running" | "suspended" | "restarting";
	restarts: number;
	/** How it ended before the order to start it was answered. */
	endedEarly: StopReason | null;
}

export interface MainServicesOptions {
	readonly sharedThreads: number;
	readonly threadReplacementTimeoutMs: number;
}

export class MainServices implements SystemServices {
	readonly deadLetters: DeadLetters;
	readonly #backend: Backend;
	readonly #threads: ThreadDirectory;
	readonly #placements: Placements;
	readonly #gate: SlotGate;
	/** In order of registration, which is the order in which a dead thread's actors are reported. */
	readonly #entries = new Map<string, Entry>();
	/** A name is taken from before its actor has an address. */
	readonly #names = new Map<string, Entry | null>();
	readonly #lastActor = new Map<ThreadSlot, number>();
	#kernel: Kernel | null = null;
	#isStopped = false;
	/** Threads that are being ended because they serve nobody any more. */
	readonly #retirements = new Set<Promise<void>>();

	constructor(backend: Backend, options: MainServicesOptions) {
		this.#backend = backend;
		this.#threads = backend.threads;
		this.#placements = new Placements(backend.threads, options.sharedThreads);
		this.#gate = new SlotGate(backend.ports.clock, options.threadReplacementTimeoutMs);
		this.deadLetters = new DeadLetters(
			backend.ports.clock,
			(event) => this.event(event),
			(error) =>
				this.event({ type: "observer-failed", slot: MAIN_SLOT, error: errorToObject(error) } as {
					readonly type: string;
				}),
		);
		backend.threads.observe((event) => this.#onThread(event));
	}

	bind(kernel: Kernel): void {
		this.#kernel = kernel;
	}

	/** Nothing is placed from now on. */
	refuseNew(): void {
		this.#isStopped = true;
	}

	/** Resolves when no thread is being retired. */
	async retired(): Promise<void> {
		while (this.#retirements.size > 0) await Promise.all(this.#retirements);
	}

	// --- names ---

	async lookup(name: string): Promise<NamedAddress | null> {
		const entry = this.#names.get(name);
		return entry === undefined || entry === null ? null : { address: entry.address, name };
	}

	register(name: string, address: Address, parent: Address): undefined {
		this.#reserve(name);
		this.#enter({ name, address, parent, placed: null, state: "running", restarts: 0, endedEarly: null });
		return undefined;
	}

	#reserve(name: string): void {
		if (this.#isStopped) throw systemStopped({ what: `actor ${name} can not start` });
		if (this.#names.has(name)) throw nameTaken({ name });
		this.#names.set(name, null);
	}

	#enter(entry: Entry): void {
		this.#names.set(entry.name, entry);
		this.#entries.set(addressText(entry.address), entry);
	}

	// --- actors on other threads ---

	async place(spec: ActorSpec, parent: Address, known: (child: NamedAddress) => void): Promise<NamedAddress> {
		const { name } = spec;
		this.#reserve(name);
		let place: Place;
		try {
			place = await this.#placements.enter(spec);
		} catch (error) {
			this.#names.delete(name);
			throw error;
		}
		const { slot } = place;
		const actor = (this.#lastActor.get(slot) ?? 0) + 1;
		this.#lastActor.set(slot, actor);
		const address: Address = { slot, actor, incarnation: 1 };
		const entry: Entry = {
			name,
			address,
			parent,
			placed: { spec, place },
			state: "starting",
			restarts: 0,
			endedEarly: null,
		};
		this.#enter(entry);
		known({ address, name });
		try {
			await this.#gate.whenRunning(slot);
			await this.#order({ address, spec, parent, restarts: 0 });
		} catch (error) {
			// No answer in time says nothing of where it is: its thread goes when it has ended.
			if (isNeverKilled(entry) && errorToObject(error).code === "control-timeout")
				this.#retiring(this.#stopInOrder(entry), slot);
			else this.#remove(entry);
			throw error;
		}
		if (entry.state === "starting") entry.state = "running";
		if (entry.endedEarly !== null) this.ended(address, entry.endedEarly);
		return { address, name };
	}

	async restart(address: Address): Promise<number> {
		const entry = this.#placed(address);
		const { spec } = must(entry.placed ?? undefined, "only placed actors are restarted from here");
		entry.state = "restarting";
		entry.restarts += 1;
		const { restarts, parent, name } = entry;
		try {
			await this.#gate.whenRunning(address.slot);
		} catch (cause) {
			this.#endLost(entry, { type: "killed" });
			throw actorDead({ actor: name, why: "its thread was given up" }, { cause });
		}
		if (this.#entries.get(addressText(address)) !== entry) throw actorDead({ actor: name, why: "it was stopped" });
		try {
			await this.#order({ address, spec, parent, restarts });
		} catch (error) {
			entry.state = "suspended";
			throw error;
		}
		if (entry.state === "restarting") entry.state = "running";
		return restarts;
	}

	/**
	 * Orders a start from the thread that runs in the slot now. An answer is acted on after what its thread said before it, and
	 * by then the thread may have ended: who had started there is lost, and whoever heard of the end took it for not started yet.
	 */
	async #order(order: SpawnOrder): Promise<void> {
		const { slot } = order.address;
		const life = this.#gate.lifeOf(slot);
		await this.#threads.control(slot).spawn(order);
		if (life !== null && this.#gate.lifeOf(slot) === life) return;
		throw threadDied({ name: order.spec.name, slot, cause: "killed", call: "spawn" });
	}

	async suspend(address: Address, timeoutMs: number): Promise<void> {
		const entry = this.#placed(address);
		if (entry.state !== "running" || !this.#gate.isRunning(address.slot)) return;
		entry.state = "suspended";
		await this.#threads.control(address.slot).suspend(address, timeoutMs);
	}

	async stop(address: Address, timeoutMs: number): Promise<void> {
		const entry = this.#entries.get(addressText(address));
		if (entry === undefined) return;
		if (!this.#gate.isRunning(address.slot)) return this.#endLost(entry, { type: "killed" });
		if (isNeverKilled(entry)) return this.#stopInOrder(entry);
		const order = (): Promise<StopReason> =>
			this.#threads.control(address.slot).stop(address, { type: "shutdown" }, timeoutMs);
		const outcome = await this.#within(order, timeoutMs + STOP_GRACE_MS);
		// Its own kernel's notice may be faster than the answer, and as the last of its thread it takes that with it.
		if (!this.#entries.has(addressText(address))) return;
		if (typeof outcome === "object") return this.ended(address, outcome);
		if (outcome === "died") return this.#endLost(entry, { type: "killed" });
		if (entry.placed?.place.kind !== "dedicated") throw stopTimeout({ actor: entry.name, timeoutMs });
		await this.#threads.kill(address.slot, "killed");
		this.#endLost(entry, { type: "killed" });
	}

	/** Waits for the end for as long as it takes. */
	async #stopInOrder(entry: Entry): Promise<void> {
		const { address } = entry;
		const order = (): Promise<StopReason> =>
			this.#threads.control(address.slot).stop(address, { type: "shutdown" }, PATIENT_ORDER_MS);
		while (this.#entries.get(addressText(address)) === entry) {
			const outcome = await this.#within(order, PATIENT_ORDER_MS);
			if (outcome === "late") continue;
			if (outcome === "died") this.#endLost(entry, { type: "killed" });
			else this.ended(address, outcome);
			return;
		}
	}

	/** Resolves when all actors that are never killed have ended: before that no thread of theirs may be. */
	async neverKilledEnded(): Promise<void> {
		await Promise.all([...this.#entries.values()].filter(isNeverKilled).map(({ address }) => this.stop(address, 0)));
	}

	/** What the order answered; or that it did not in time, or its thread died first. */
	async #within(order: () => Promise<StopReason>, timeoutMs: number): Promise<StopReason | "late" | "died"> {
		const { clock } = this.#backend.ports;
		let late: (outcome: "late") => void = () => undefined;
		const deadline = clock.schedule(timeoutMs, () => late("late"));
		try {
			return await Promise.race([order(), new Promise<"late">((resolve) => (late = resolve))]);
		} catch (error) {
			const { code } = errorToObject(error);
			if (code === "thread-died" || code === "thread-not-running") return "died";
			if (code === "control-timeout") return "late";
			throw error;
		} finally {
			clock.cancel(deadline);
		}
	}

	#placed(address: Address): Entry {
		const entry = this.#entries.get(addressText(address));
		if (entry === undefined) throw actorDead({ actor: addressText(address), why: "it was stopped" });
		return entry;
	}

	suspended(address: Address): void {
		const entry = this.#entries.get(addressText(address));
		if (entry !== undefined && entry.state !== "restarting") entry.state = "suspended";
	}

	// --- ends ---

	ended(address: Address, reason: StopReason): void {
		const entry = this.#entries.get(addressText(address));
		if (entry === undefined) return;
		if (entry.state === "starting" && entry.placed !== null && this.#gate.isRunning(address.slot)) {
			// The answer to the order is still on its way. It says why the start failed, and must not die with the thread.
			entry.endedEarly = reason;
			return;
		}
		this.#remove(entry);
		// The signal of the actor's own kernel may still be on its way; the parent is told once.
		if (entry.placed !== null && entry.state !== "starting") {
			this.#main().childStopped(entry.parent, address, entry.name, reason);
		}
	}

	/** An actor ends whose thread is dead, so that its own kernel can tell nobody. */
	#endLost(entry: Entry, reason: StopReason): void {
		const { address, name } = entry;
		if (!this.#entries.has(addressText(address))) return;
		const through = (slot: ThreadSlot): number => this.#backend.publishedThrough(address.slot, slot);
		this.#main().terminatedAfterThread(address, name, reason, through(MAIN_SLOT));
		this.#main().broadcast(this.#others(), (slot) => ({
			type: "terminated",
			target: address,
			name,
			reason,
			through: through(slot),
		}));
		this.ended(address, reason);
	}

	#remove(entry: Entry): void {
		// A start that failed is told twice: by the actor's own kernel, and by the answer to the order.
		if (!this.#entries.delete(addressText(entry.address))) return;
		this.#names.delete(entry.name);
		if (entry.placed === null || !this.#placements.leave(entry.placed.place)) return;
		const { slot } = entry.address;
		this.#retiring(this.#retire(slot), slot);
	}

	/** {@link retired} waits for it. */
	#retiring(work: Promise<void>, slot: ThreadSlot): void {
		const retirement = work.catch((error: unknown) =>
			this.event({ type: "thread-retirement-failed", slot, error: errorToObject(error) } as { readonly type: string }),
		);
		this.#retirements.add(retirement);
		void retirement.then(() => this.#retirements.delete(retirement));
	}

	/** A thread that serves nobody any more. */
	async #retire(slot: ThreadSlot): Promise<void> {
		const state = (): string | undefined => this.#threads.status().find((thread) => thread.slot === slot)?.state;
		// One that died may be about to be replaced, and then another time before this is heard of.
		while (state() === "running" || state() === "starting") await this.#threads.kill(slot, "stopped");
		if (state() !== undefined) this.#threads.release(slot);
	}

	// --- threads ---

	#onThread(event: ThreadEvent): void {
		switch (event.type) {
			case "thread-started":
				this.#threadStarted(event.slot, event.lives);
				break;
			case "thread-ended":
				this.#threadEnded(event);
				break;
			case "thread-released":
				this.#threadReleased(event.slot, event.undelivered);
				break;
		}
		this.event(event);
	}

	#threadStarted(slot: ThreadSlot, lives: number): void {
		if (lives === 1) {
			this.#gate.opened(slot);
			return;
		}
		this.#inherit(slot).then(
			() => {
				this.#gate.opened(slot);
				this.#main().threadReplaced(slot);
				this.#main().broadcast(
					this.#others().filter((other) => other !== slot),
					() => ({ type: "thread-replaced", slot }),
				);
			},
			(error: unknown) =>
				this.event({ type: "adoption-failed", slot, error: errorToObject(error) } as { readonly type: string }),
		);
	}

	/** The new thread learns who lives there; and who does no longer, if someone was stopped while it learnt that. */
	async #inherit(slot: ThreadSlot): Promise<void> {
		const control = this.#threads.control(slot);
		// Whoever waits to be started here has not lived here yet; the order to start it follows.
		let inherited = this.#entriesIn(slot).filter(({ state }) => state !== "starting");
		await control.adopt(
			inherited.map(({ address, parent, name, placed }) => ({
				address,
				parent,
				name,
				mailbox: placed?.spec.mailbox ?? {},
			})),
		);
		for (;;) {
			const gone = inherited.filter(({ address }) => !this.#entries.has(addressText(address)));
			if (gone.length === 0) return;
			inherited = inherited.filter((entry) => !gone.includes(entry));
			await Promise.all(gone.map(({ address }) => control.stop(address, { type: "killed" }, 0)));
		}
	}

	#threadEnded({ slot, end, interrupted, lost }: Extract<ThreadEvent, { type: "thread-ended" }>): void {
		this.#gate.closed(slot);
		this.#main().threadEnded(slot, end.cause);
		this.#main().broadcast(this.#others(), () => ({ type: "thread-ended", slot, cause: end.cause }));
		const atMs = this.#backend.ports.clock.nowMs();
		for (const { actor, messages } of lost) {
			const target = this.#entriesIn(slot).find(({ address }) => address.actor === actor)?.address ?? {
				slot,
				actor,
				incarnation: 1,
			};
			this.deadLetter({ reason: "lost-with-thread", target, sender: null, messageType: null, count: messages, atMs });
		}
		for (const entry of this.#entriesIn(slot)) {
			const { address: child, parent, name, restarts } = entry;
			const message = interrupted !== null && interrupted.actor === child.actor ? interrupted.message : null;
			const reason: StopReason = { type: "lost-with-thread", thread: end, interrupted: message };
			if (entry.placed === null) this.#endLost(entry, reason);
			else if (entry.state === "running") {
				entry.state = "suspended";
				this.#main().childFailed({ parent, child, name, restarts, reason });
			}
		}
	}

	#threadReleased(slot: ThreadSlot, undelivered: number): void {
		if (undelivered > 0) {
			const target: Address = { slot, actor: 0, incarnation: 0 };
			const atMs = this.#backend.ports.clock.nowMs();
			this.deadLetter({ reason: "stopped", target, sender: null, messageType: null, count: undelivered, atMs });
		}
		this.#gate.gone(slot, "its slot was given back");
		this.#placements.forget(slot);
		for (const entry of this.#entriesIn(slot)) this.#endLost(entry, { type: "killed" });
		const through = (to: ThreadSlot): number => this.#backend.publishedThrough(slot, to);
		this.#main().threadReleased(slot, through(MAIN_SLOT));
		this.#main().broadcast(this.#others(), (to) => ({ type: "thread-released", slot, through: through(to) }));
	}

	#entriesIn(slot: ThreadSlot): Entry[] {
		return [...this.#entries.values()].filter(({ address }) => address.slot === slot);
	}

	/** The worker threads that can hear. */
	#others(): ThreadSlot[] {
		return this.#threads
			.status()
			.filter(({ slot, state }) => slot !== MAIN_SLOT && state === "running")
			.map(({ slot }) => slot);
	}

	#main(): Kernel {
		return must(this.#kernel ?? undefined, "the services are bound to the main kernel");
	}

	// --- reports ---

	event(event: { readonly type: string }): void {
		this.#main().emit(event);
	}

	deadLetter(letter: DeadLetter): void {
		this.deadLetters.add(letter);
	}

	flush(): void {
		// Reports of the main thread do not wait for the end of its turn.
	}
}

function isNeverKilled({ placed }: Entry): boolean {
	return placed?.spec.neverKilled === true;
}
