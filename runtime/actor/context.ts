/** The world as one life of an actor sees it: {@link ActorContext} on a cell and its kernel. */
import type { Observable, SchedulerLike } from "rxjs";
import { errorToObject, type Generator } from "../../protocols/core/index.ts";
import { type Address, addressText } from "./address.ts";
import type { ActorContext, ActorSpec, ActorTimers, Behaviour, ModuleSource, Replier } from "./behaviour.ts";
import type { Cell, Child } from "./cell.ts";
import type { Clock } from "./clock.ts";
import { type Received, senderOf } from "./entry.ts";
import { becomeOverflow, notAChild, nothingToStash, stashOverflow } from "./errors.ts";
import { STOP_TIMEOUT_MS_DEFAULT } from "./life-cycle.ts";
import { STASH_MAX } from "./mailbox.ts";
import type { Metrics } from "./metrics.ts";
import type { ModuleLoader } from "./ports.ts";
import type { ActorRef } from "./ref.ts";
import { ContextScheduler } from "./scheduler.ts";
import type { NamedAddress } from "./system-message.ts";
import type { InstanceTimers } from "./timers.ts";

/** How deep an actor may {@link ActorContext.become}. */
export const BECOME_MAX = 64;

/** What a context needs of the kernel. */
export interface ContextHost {
	readonly metrics: Metrics;
	readonly events$: Observable<{ readonly type: string }>;
	readonly loadModule: ModuleLoader;
	ref(address: Address, name: string | null, owner: Cell | null, protocol: string | null): ActorRef;
	spawnChild(parent: Cell, spec: ActorSpec): Promise<NamedAddress>;
	restartChild(child: Child): Promise<number>;
	suspendChild(child: Child, timeoutMs: number): Promise<void>;
	stopChild(child: Child, timeoutMs: number): Promise<void>;
	stopSelf(cell: Cell): void;
	watch(watcher: Cell, target: ActorRef, link: boolean): void;
	unwatch(watcher: Cell, target: Address): void;
	lookup(name: string): Promise<NamedAddress | null>;
	deadLetterOf(cell: Cell, reason: "stash-overflow"): void;
	publish(event: { readonly type: string }): void;
}

export class CellContext implements ActorContext {
	readonly self: ActorRef;
	readonly name: string;
	readonly clock: Clock;
	readonly timers: ActorTimers;
	readonly metrics: Metrics;
	readonly #cell: Cell;
	readonly #host: ContextHost;
	readonly #timers: InstanceTimers;
	readonly #restarts: number;
	#generator: Generator | null = null;
	#scheduler: ContextScheduler | null = null;

	constructor(cell: Cell, host: ContextHost, timers: InstanceTimers, restarts: number) {
		this.#cell = cell;
		this.#host = host;
		this.#timers = timers;
		this.#restarts = restarts;
		this.self = host.ref(cell.address, cell.name, cell, null);
		this.name = cell.name;
		this.clock = cell.host.clock;
		this.timers = timers;
		this.metrics = host.metrics;
	}

	get sender(): ActorRef | null {
		const { meta } = this.#cell;
		const address = senderOf(meta);
		if (address === null || meta === null) return null;
		const name = meta.tag === "told" ? meta.name : null;
		return this.#host.ref(address, name, this.#cell, meta.tag === "received" ? meta.protocol : null);
	}

	get redelivered(): number {
		const { meta } = this.#cell;
		return meta !== null && meta.tag === "received" ? meta.redelivered : 0;
	}

	get generator(): Generator {
		this.#generator ??= this.#cell.host.generator.fork(`actor:${this.name}:${this.#restarts}`);
		return this.#generator;
	}

	get scheduler(): SchedulerLike {
		this.#scheduler ??= new ContextScheduler(this.clock, this.#timers);
		return this.#scheduler;
	}

	get events$(): Observable<{ readonly type: string }> {
		return this.#host.events$;
	}

	reply(value: unknown): void {
		const ask = this.#askAtWork();
		if (ask !== null) this.#cell.answer(ask, "reply", value);
	}

	replier(): Replier | null {
		const ask = this.#askAtWork();
		if (ask === null) return null;
		const cell = this.#cell;
		cell.keepOpen(ask);
		return {
			reply: (value) => cell.answer(ask, "reply", value),
			fail: (error) => cell.answer(ask, "failure", errorToObject(error)),
		};
	}

	#askAtWork(): Received | null {
		const { meta } = this.#cell;
		return meta !== null && meta.tag === "received" && meta.correlation !== 0 ? meta : null;
	}

	stash(): void {
		const cell = this.#cell;
		const { meta } = cell;
		if (cell.message === undefined && meta === null) throw nothingToStash({ actor: this.name });
		if (cell.mailbox.stashed >= STASH_MAX) {
			this.#host.deadLetterOf(cell, "stash-overflow");
			throw stashOverflow({ actor: this.name, stashMax: STASH_MAX });
		}
		cell.stash();
	}

	unstashAll(): void {
		this.#cell.mailbox.unstash();
		if (!this.#cell.isScheduled) this.#cell.host.schedule(this.#cell);
	}

	become(behaviour: Pick<Behaviour, "receive">): void {
		if (this.#cell.pushedHandlers >= BECOME_MAX) {
			throw becomeOverflow({ actor: this.name, becomeMax: BECOME_MAX });
		}
		this.#cell.pushHandler(behaviour);
	}

	unbecome(): void {
		this.#cell.popHandler();
	}

	loadModule(source: ModuleSource): Promise<unknown> {
		return this.#host.loadModule(source);
	}

	async spawn<M = unknown>(spec: ActorSpec): Promise<ActorRef<M>> {
		const { address, name } = await this.#host.spawnChild(this.#cell, spec);
		return this.#host.ref(address, name, this.#cell, null) as ActorRef<M>;
	}

	async restart(child: ActorRef): Promise<number> {
		return this.#host.restartChild(this.#childOf(child));
	}

	async suspend(child: ActorRef, timeoutMs: number = STOP_TIMEOUT_MS_DEFAULT): Promise<void> {
		return this.#host.suspendChild(this.#childOf(child), timeoutMs);
	}

	async stop(child: ActorRef, timeoutMs: number = STOP_TIMEOUT_MS_DEFAULT): Promise<void> {
		// A child that has ended by itself meanwhile is stopped: nothing to complain of.
		const known = this.#cell.children.get(addressText(child.address));
		if (known !== undefined) await this.#host.stopChild(known, timeoutMs);
	}

	#childOf(child: ActorRef): Child {
		const known = this.#cell.children.get(addressText(child.address));
		if (known === undefined) throw notAChild({ parent: this.name, actor: child.name });
		return known;
	}

	stopSelf(): void {
		this.#host.stopSelf(this.#cell);
	}

	watch(ref: ActorRef): void {
		this.#host.watch(this.#cell, ref, false);
	}

	unwatch(ref: ActorRef): void {
		this.#host.unwatch(this.#cell, ref.address);
	}

	link(ref: ActorRef): void {
		this.#host.watch(this.#cell, ref, true);
	}

	ref<M = unknown>(address: Address): ActorRef<M> {
		return this.#host.ref(address, null, this.#cell, null) as ActorRef<M>;
	}

	async lookup<M = unknown>(name: string): Promise<ActorRef<M> | null> {
		const found = await this.#host.lookup(name);
		return found === null ? null : (this.#host.ref(found.address, found.name, this.#cell, null) as ActorRef<M>);
	}

	publish(event: { readonly type: string }): void {
		this.#host.publish("publisher" in event ? event : { ...event, publisher: this.#cell.name });
	}
}
