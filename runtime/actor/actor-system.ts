/** A system of actors: one tree over all threads of one backend. */
import type { Observable } from "rxjs";
import { errorToObject, invalidArgument, requireInteger } from "../../protocols/core/index.ts";
import { type Address, addressText } from "./address.ts";
import type { ActorContext, ActorSpec, Behaviour } from "./behaviour.ts";
import type { Cell } from "./cell.ts";
import type { DeadLetter, DeadLetters } from "./dead-letters.ts";
import { systemStopped } from "./errors.ts";
import { Kernel } from "./kernel.ts";
import { STOP_TIMEOUT_MS_DEFAULT } from "./life-cycle.ts";
import { MainServices } from "./main-services.ts";
import type { Metrics } from "./metrics.ts";
import type { ActorInspection, Backend, ThreadDirectory } from "./ports.ts";
import type { ActorRef } from "./ref.ts";
import type { Signal } from "./signal.ts";

export interface ActorSystemOptions {
	/** Threads for actors placed `shared`; 1 to 62; default: the backend's cores less one, at least 1. */
	readonly sharedThreads?: number;
	/** How long a restart waits for its dead thread to be replaced; milliseconds, default 10,000. */
	readonly threadReplacementTimeoutMs?: number;
	/** What each top actor gets to end in order when the system stops; milliseconds, default 60,000. */
	readonly shutdownTimeoutMs?: number;
}

const SHARED_THREADS_MAX = 62;
const THREAD_REPLACEMENT_TIMEOUT_MS_DEFAULT = 10_000;
const SHUTDOWN_TIMEOUT_MS_DEFAULT = 60_000;

/**
 * The main thread's view: spawns top actors, finds all by name, hears all events. Its top actors are children of a root
 * that does not restart: one that fails is stopped, with the event `top-actor-failed`. Put a supervisor there.
 *
 * @example
 * const system = new ActorSystem(backend);
 * const ledger = await system.spawn({ name: "ledger", behaviour: { module, export: "Ledger" }, placement: "dedicated" });
 * const total = await ledger.ask({ type: "total" });
 * await system.stop();
 */
export class ActorSystem {
	readonly threads: ThreadDirectory;
	readonly #backend: Backend;
	readonly #services: MainServices;
	readonly #kernel: Kernel;
	readonly #root: Cell;
	readonly #shutdownTimeoutMs: number;
	#stopping: Promise<void> | null = null;

	/** @throws QuorateError `invalid-argument` */
	constructor(backend: Backend, options: ActorSystemOptions = {}) {
		const sharedThreads = options.sharedThreads ?? Math.max(1, Math.min(SHARED_THREADS_MAX, backend.parallelism - 1));
		requireInteger("sharedThreads", sharedThreads, 1, SHARED_THREADS_MAX);
		this.threads = backend.threads;
		this.#backend = backend;
		this.#services = new MainServices(backend, {
			sharedThreads,
			threadReplacementTimeoutMs: options.threadReplacementTimeoutMs ?? THREAD_REPLACEMENT_TIMEOUT_MS_DEFAULT,
		});
		this.#kernel = new Kernel(backend.ports, this.#services);
		this.#services.bind(this.#kernel);
		backend.attach(this.#kernel);
		this.#root = this.#kernel.root({ name: "root", behaviour: { local: () => new Root() } });
		this.#shutdownTimeoutMs = options.shutdownTimeoutMs ?? SHUTDOWN_TIMEOUT_MS_DEFAULT;
	}

	/** Events of all threads. An observer that throws is unsubscribed and reported as `observer-failed`. */
	get events$(): Observable<{ readonly type: string }> {
		return this.#kernel.events$;
	}

	/** Messages that nobody handled, of all threads: counted by reason, the last of them kept. */
	get deadLetters(): DeadLetters {
		return this.#services.deadLetters;
	}

	/** The same as they come. */
	get deadLetters$(): Observable<DeadLetter> {
		return this.#services.deadLetters.stream$;
	}

	/** The main thread's metrics. */
	get metrics(): Metrics {
		return this.#kernel.metrics;
	}

	/**
	 * Starts a top actor, or a child of an actor on the main thread, and resolves when its `started` hook has completed.
	 * @throws QuorateError `name-taken`, `invalid-argument`, `too-many-threads`, `thread-start-failed`,
	 *   `module-not-loadable`, `export-missing`, `not-a-behaviour`, or what the constructor or `started` threw
	 */
	async spawn<M = unknown>(spec: ActorSpec, parent?: ActorRef): Promise<ActorRef<M>> {
		if (this.#stopping !== null) throw systemStopped({ what: `actor ${spec.name} can not start` });
		const { address, name } = await this.#kernel.spawnChild(this.#parentCell(parent), spec);
		return this.#kernel.ref(address, name, null, null) as ActorRef<M>;
	}

	/** Ends a top actor in order, its children first; killed after `timeoutMs` (default 5,000; 0 kills at once). */
	async stopActor(ref: ActorRef, timeoutMs: number = STOP_TIMEOUT_MS_DEFAULT): Promise<void> {
		const child = this.#root.children.get(addressText(ref.address));
		if (child !== undefined) await this.#kernel.stopChild(child, timeoutMs);
	}

	/** The ref of a known address. */
	ref<M = unknown>(address: Address): ActorRef<M> {
		return this.#kernel.ref(address, null, null, null) as ActorRef<M>;
	}

	/** A living actor by its name; null when there is none. */
	async lookup<M = unknown>(name: string): Promise<ActorRef<M> | null> {
		const found = await this.#services.lookup(name);
		return found === null ? null : (this.#kernel.ref(found.address, found.name, null, null) as ActorRef<M>);
	}

	/** Puts an event on the system's stream. */
	publish(event: { readonly type: string }): void {
		this.#kernel.publish(event);
	}

	/** All actors of all running threads, the root included. A thread that does not answer is left out, with an event. */
	async inspect(): Promise<readonly ActorInspection[]> {
		const threads = this.threads
			.status()
			.filter(({ slot, state }) => slot !== this.#kernel.slot && state === "running");
		const others = await Promise.all(
			threads.map(async ({ slot }) => {
				try {
					return await this.threads.control(slot).inspect();
				} catch (error) {
					this.publish({ type: "inspection-failed", slot, error: errorToObject(error) } as { readonly type: string });
					return [];
				}
			}),
		);
		return [...this.#kernel.inspection(), ...others.flat()];
	}

	/**
	 * Ends all actors, the last started top actor first, then the threads. Calling it again gives the same promise. An actor
	 * that can not be ended in order ends with its thread; the first such failure rejects, after everything has ended.
	 */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async #stop(): Promise<void> {
		const failures: unknown[] = [];
		for (const child of [...this.#root.children.values()].reverse()) {
			try {
				await this.#kernel.stopChild(child, this.#shutdownTimeoutMs);
			} catch (error) {
				failures.push(error);
			}
		}
		await this.#kernel.stopRoot(this.#root);
		await this.#services.neverKilledEnded();
		this.#services.refuseNew();
		await this.#services.retired();
		for (const { slot, state } of [...this.threads.status()].reverse()) {
			if (slot === this.#kernel.slot) continue;
			if (state !== "dead") await this.threads.kill(slot, "stopped");
			if (this.threads.status().some((thread) => thread.slot === slot)) this.threads.release(slot);
		}
		this.#kernel.close();
		this.deadLetters.complete();
		await this.#backend.close();
		if (failures.length > 0) throw failures[0];
	}

	#parentCell(parent: ActorRef | undefined): Cell {
		if (parent === undefined) return this.#root;
		const cell = this.#kernel.cellAt(parent.address);
		if (cell !== null) return cell;
		throw invalidArgument({ argument: "parent", expected: "a living actor on the main thread", actual: parent.name });
	}
}

/** The root: stops what fails. */
class Root implements Behaviour {
	receive(): void {
		// Nobody has its ref.
	}

	async signal(signal: Signal, context: ActorContext): Promise<void> {
		if (signal.type !== "child-failed") return;
		const { name, reason, child } = signal;
		context.publish({ type: "top-actor-failed", name, reason } as { readonly type: string });
		await context.stop(child);
	}
}
