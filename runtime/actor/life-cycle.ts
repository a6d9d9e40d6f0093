/** The life of one actor: started, restarted in its place, suspended, stopped; one of these at a time. */
import { errorToObject } from "../../protocols/core/index.ts";
import type { ActorContext, Behaviour } from "./behaviour.ts";
import { type Cell, type Child, isPromise } from "./cell.ts";
import { actorDead, startInterrupted } from "./errors.ts";
import { buildInstance } from "./instance.ts";
import type { ModuleLoader } from "./ports.ts";
import type { StopReason } from "./signal.ts";
import { InstanceTimers } from "./timers.ts";

/** What an actor gets to end in order, where nobody said otherwise. */
export const STOP_TIMEOUT_MS_DEFAULT = 5_000;

/** What a life needs of its kernel, beyond what the cell needs. */
export interface LifeHost {
	readonly loadModule: ModuleLoader;
	context(cell: Cell, timers: InstanceTimers, restarts: number): ActorContext;
	/** Ends a child, wherever it lives. */
	stopChild(child: Child, timeoutMs: number): Promise<void>;
	/** The actor has ended for good. `isBorn`: it had been started once, so its parent knows it. */
	ended(cell: Cell, reason: StopReason, isBorn: boolean): void;
}

export class LifeCycle {
	readonly cell: Cell;
	readonly #host: LifeHost;
	#operation: Promise<unknown> | null = null;
	#isStopping = false;
	#isBorn = false;
	#reason: StopReason | null = null;
	readonly #endWaiters: ((reason: StopReason) => void)[] = [];

	constructor(cell: Cell, host: LifeHost) {
		this.cell = cell;
		this.#host = host;
	}

	/** The first start. When it fails the actor ends. Synchronous up to the first promise of module or hook. */
	start(restarts: number): Promise<void> {
		return this.#exclusive(async () => {
			try {
				await this.#begin(restarts);
				this.#isBorn = true;
			} catch (error) {
				this.end({ type: "failed", error: errorToObject(error), interrupted: null });
				throw error;
			}
		});
	}

	/** A new instance in the same place; on failure the actor is suspended again. */
	restart(restarts: number): Promise<void> {
		const { cell } = this;
		return this.#exclusive(async () => {
			if (this.#hasEnded()) throw actorDead({ actor: cell.name, why: "it was stopped" });
			this.#isBorn = true;
			const { cause } = cell;
			cell.state = "starting";
			if (cell.busy) await cell.whenIdle();
			const { life } = cell;
			if (life !== null) {
				await this.#endChildren();
				await this.#lastHook("restarting", (behaviour) => behaviour.restarting?.(cause, life.context));
			}
			if (this.#hasEnded()) throw actorDead({ actor: cell.name, why: "it was stopped" });
			cell.closeLife("it was restarted");
			try {
				await this.#begin(restarts);
			} catch (error) {
				if (!this.#hasEnded()) this.#suspendedBy(error);
				throw error;
			}
		});
	}

	/** Ends the present life in order, and keeps the place. */
	suspend(timeoutMs: number): Promise<void> {
		const { cell } = this;
		return this.#exclusive(async () => {
			if (cell.state !== "running") return;
			cell.state = "suspended";
			cell.failure = null;
			cell.cause = null;
			await this.#within(timeoutMs, () => this.#endLife({ type: "shutdown" }));
			if (!this.#hasEnded()) cell.closeLife("it was suspended");
		});
	}

	/** Ends the actor for good: in order if that takes no longer than `timeoutMs`, or if it is one that is never killed. */
	stop(reason: StopReason, timeoutMs: number): Promise<StopReason> {
		const { cell } = this;
		if (this.#reason !== null) return Promise.resolve(this.#reason);
		const ended = new Promise<StopReason>((resolve) => this.#endWaiters.push(resolve));
		const isPatient = cell.spec?.neverKilled === true;
		if (timeoutMs === 0 && !isPatient) {
			this.end(cell.failure ?? { type: "killed" });
			return ended;
		}
		if (!isPatient) {
			const deadline = cell.host.clock.schedule(timeoutMs, () => this.end({ type: "killed" }));
			this.#endWaiters.push(() => cell.host.clock.cancel(deadline));
		}
		if (!this.#isStopping) {
			this.#isStopping = true;
			if (cell.state === "running") cell.state = "stopping";
			this.#reported(this.#exclusive(() => this.#stopInOrder(reason)));
		}
		return ended;
	}

	/** Ends the actor at once, whatever is under way. */
	end(reason: StopReason): void {
		const { cell } = this;
		if (this.#reason !== null) return;
		this.#reason = reason;
		cell.state = "ended";
		for (const child of [...cell.children.values()].reverse()) this.#reported(this.#host.stopChild(child, 0));
		cell.closeLife("it was stopped");
		cell.empty();
		this.#host.ended(cell, reason, this.#isBorn);
		for (const resolve of this.#endWaiters.splice(0)) resolve(reason);
	}

	async #begin(restarts: number): Promise<void> {
		const { cell } = this;
		const { spec } = cell;
		if (spec === null) throw startInterrupted({ actor: cell.name });
		cell.state = "starting";
		cell.restarts = restarts;
		cell.isStopRequested = false;
		const timers = new InstanceTimers(cell.host.clock, (tick) => cell.acceptUrgent(tick));
		const built = buildInstance(cell.name, spec.behaviour, this.#host.loadModule, (error) => {
			if (cell.life?.timers === timers) cell.fail(error);
		});
		const instance = isPromise(built) ? await built : built;
		if (this.#hasEnded()) throw startInterrupted({ actor: cell.name });
		const context = this.#host.context(cell, timers, restarts);
		cell.life = { instance, context, timers, restarts };
		try {
			const pending = cell.enter("hook", "started", () => instance.behaviour.started?.(context, restarts));
			if (isPromise(pending)) await pending;
		} catch (error) {
			cell.closeLife("it failed to start");
			throw error;
		}
		if (this.#hasEnded()) throw startInterrupted({ actor: cell.name });
		cell.failure = null;
		cell.cause = null;
		cell.state = this.#isStopping ? "stopping" : "running";
		cell.host.schedule(cell);
		if (cell.isStopRequested) cell.host.stopRequested(cell);
	}

	#suspendedBy(error: unknown): void {
		this.cell.state = "suspended";
		this.cell.cause = error;
		this.cell.failure = { type: "failed", error: errorToObject(error), interrupted: null };
	}

	async #stopInOrder(reason: StopReason): Promise<void> {
		const { cell } = this;
		if (this.#hasEnded()) return;
		const final = cell.failure ?? reason;
		cell.state = "stopping";
		await this.#endLife(final);
		this.end(final);
	}

	/** Waits for the hook at work, ends the children, then the instance's own last hook. */
	async #endLife(reason: StopReason): Promise<void> {
		const { cell } = this;
		if (cell.busy) await cell.whenIdle();
		const { life } = cell;
		await this.#endChildren();
		if (life === null || cell.life !== life) return;
		await this.#lastHook("stopping", (behaviour) => behaviour.stopping?.(reason, life.context));
	}

	async #endChildren(): Promise<void> {
		const { cell } = this;
		const { life } = cell;
		if (life !== null && cell.children.size > 0) {
			await this.#lastHook("stopChildren", (behaviour) => behaviour.stopChildren?.(life.context));
		}
		for (const child of [...cell.children.values()].reverse()) {
			if (cell.life !== life) return;
			try {
				await this.#host.stopChild(child, STOP_TIMEOUT_MS_DEFAULT);
			} catch (error) {
				this.#report("child-stop-failed", error);
			}
		}
		if (cell.life === life) cell.children.clear();
	}

	/** A hook on an instance that ends anyway: what it throws is reported and changes nothing. */
	async #lastHook(name: string, run: (behaviour: Behaviour) => void | Promise<void>): Promise<void> {
		const { life } = this.cell;
		if (life === null) return;
		try {
			const pending = this.cell.enter("hook", name, () => run(life.instance.behaviour));
			if (isPromise(pending)) await pending;
		} catch (error) {
			this.#report(`${name}-failed`, error);
		}
	}

	/** Runs it, but waits for it no longer than `timeoutMs`. */
	#within(timeoutMs: number, run: () => Promise<void>): Promise<void> {
		return new Promise((resolve, reject) => {
			const { clock } = this.cell.host;
			const deadline = clock.schedule(timeoutMs, () => resolve());
			run()
				.then(resolve, reject)
				.finally(() => clock.cancel(deadline));
		});
	}

	/** One operation at a time; the first runs synchronously up to its first promise. */
	async #exclusive<T>(operation: () => Promise<T>): Promise<T> {
		while (this.#operation !== null) await this.#operation;
		this.cell.host.awaiting(1);
		const running = operation();
		const settled = running.then(nothing, nothing);
		this.#operation = settled;
		try {
			return await running;
		} finally {
			if (this.#operation === settled) this.#operation = null;
			this.cell.host.awaiting(-1);
		}
	}

	#hasEnded(): boolean {
		return this.#reason !== null;
	}

	#reported(operation: Promise<unknown>): void {
		operation.catch((error: unknown) => this.#report("stop-failed", error));
	}

	#report(type: string, error: unknown): void {
		const { address, name, host } = this.cell;
		host.publish({ type, actor: address, name, error: errorToObject(error) } as { readonly type: string });
	}
}

function nothing(): void {}
