/**
 * Restarts of one supervisor's children: counts them, stops and starts who is concerned, waits for delays and for
 * threads, and gives up. All of it runs in hooks of the supervisor, timer callbacks included, so one at a time.
 *
 * At any time a child that is restarting belongs to one restart (`child.restart`). A newer restart takes children over
 * from an older one; whoever finds that a child is no longer its own leaves it alone. By the shape of the strategies the
 * newer one concerns every child that the older one still had to start.
 */
import { errorToObject, must } from "../../protocols/core/index.ts";
import type { ActorContext, ActorRef } from "../../runtime/actor/index.ts";
import { attemptsLeft, restartDelayMs } from "./backoff.ts";
import type { ChildLifecycle } from "./child-lifecycle.ts";
import { intensityExceeded } from "./errors.ts";
import type { SupervisionEvent } from "./events.ts";
import { recordRestart } from "./restart-intensity.ts";
import { planRestart } from "./strategy.ts";
import type { Child, SupervisorState } from "./supervisor-state.ts";

type RestartEvent = SupervisionEvent extends infer E
	? E extends { readonly child: string }
		? Omit<E, "supervisor" | "child">
		: never
	: never;

/** One restart: the children it still has to start, in order. */
interface Restart {
	readonly ids: readonly string[];
	next: number;
}

/** A child whose thread is awaited, as it was when the wait began, and the restart that goes on when it is back. */
interface ThreadWait {
	readonly ref: ActorRef;
	restart: Restart;
}

export class Restarts {
	readonly #context: ActorContext<never>;
	readonly #state: SupervisorState;
	readonly #lifecycle: ChildLifecycle;
	/** At most one wait per child. */
	readonly #waits = new Map<Child, ThreadWait>();

	constructor(context: ActorContext<never>, state: SupervisorState, lifecycle: ChildLifecycle) {
		this.#context = context;
		this.#state = state;
		this.#lifecycle = lifecycle;
	}

	/** A running child went down and must be restarted. @throws QuorateError `intensity-exceeded` */
	async childDown(child: Child): Promise<void> {
		const nowMs = this.#context.clock.nowMs();
		const { backoff } = this.#state.flags;
		child.failedAtMs = nowMs;
		child.state = "restarting";
		child.attempts = backoff === null ? 0 : attemptsLeft(backoff, child.attempts, nowMs - child.startedAtMs);
		if (child.lost) {
			// The thread tree has counted this once and waits as long as it must: neither is done twice.
			await this.#begin(child, 0);
			return;
		}
		await this.#count(child);
		await this.#begin(child, this.#delayMs(child));
	}

	/** Either its thread died (again), which is the thread tree's to count, or its start failed. */
	async #notStarted(child: Child, restart: Restart, error: unknown): Promise<void> {
		if (!child.lost || child.ref === null) return this.#startFailed(child, error);
		restart.next--;
		this.#context.timers.run(`restart/${child.id}`, 0, () => this.#proceed(restart));
	}

	/** A start during a restart failed: that is one more restart, tried again after others had their turn. */
	async #startFailed(child: Child, error: unknown): Promise<void> {
		this.#publish(child, { type: "child-start-failed", error: errorToObject(error) });
		child.lost = false;
		await this.#count(child);
		const delayMs = this.#delayMs(child);
		await this.#begin(child, delayMs, true);
	}

	/** Adds to the window; if that is too much ends all children and gives up. */
	async #count(child: Child): Promise<void> {
		const { name, intensity, periodMs } = this.#state.flags;
		const { window, exceeded } = recordRestart(this.#state.window, this.#context.clock.nowMs(), intensity, periodMs);
		this.#state.window = window;
		if (!exceeded) return;
		this.#publish(child, { type: "supervisor-gave-up", intensity, periodMs });
		await this.#lifecycle.endAll();
		throw intensityExceeded({ supervisor: name, child: child.id, intensity, periodMs });
	}

	#delayMs(child: Child): number {
		const { backoff } = this.#state.flags;
		if (backoff === null) return 0;
		const delayMs = restartDelayMs(backoff, child.attempts, this.#context.generator);
		child.attempts++;
		return delayMs;
	}

	/** Stops who must be stopped, then starts who must be started, at once or later. */
	async #begin(failed: Child, delayMs: number, yieldFirst = false): Promise<void> {
		const plan = planRestart(this.#state.flags.strategy, failed.id, this.#state.standings());
		const restart: Restart = { ids: plan.start, next: 0 };
		for (const id of plan.start) this.#child(id).restart = restart;
		for (const id of plan.stop) await this.#stopSibling(this.#child(id), plan.forget.includes(id));
		for (const id of plan.start) this.#nowRestarting(this.#child(id));
		if (delayMs > 0) this.#publish(failed, { type: "child-restart-delayed", delayMs, attempts: failed.attempts });
		if (delayMs === 0 && !yieldFirst) return this.#proceed(restart);
		this.#context.timers.run(`restart/${failed.id}`, delayMs, () => this.#proceed(restart));
	}

	async #stopSibling(sibling: Child, forget: boolean): Promise<void> {
		if (forget) {
			await this.#lifecycle.end(sibling);
			this.#state.remove(sibling);
			return;
		}
		if (sibling.state !== "running") return;
		this.#nowRestarting(sibling);
		await this.#lifecycle.suspend(sibling);
	}

	/** Down with the others, whatever it did before: from now on it counts how long. */
	#nowRestarting(child: Child): void {
		if (child.state !== "restarting") child.failedAtMs = this.#context.clock.nowMs();
		child.state = "restarting";
	}

	/** Starts the restart's children that are left, until one has to wait or fails. */
	async #proceed(restart: Restart): Promise<void> {
		while (restart.next < restart.ids.length) {
			const child = this.#state.get(must(restart.ids[restart.next], "next is in the list"));
			restart.next++;
			if (child === undefined || child.restart !== restart) continue;
			if (child.lost && child.ref !== null) return this.#awaitThread(child, restart);
			try {
				await this.#lifecycle.start(child);
			} catch (error) {
				return this.#notStarted(child, restart, error);
			}
			this.#restarted(child);
		}
	}

	#restarted(child: Child): void {
		child.restarts++;
		const afterMs = this.#context.clock.nowMs() - child.failedAtMs;
		const { address } = must(child.ref ?? undefined, "a running child has an address");
		this.#publish(child, { type: "child-restarted", address, afterMs });
	}

	/**
	 * Restarts a child whose thread died. That may take as long as the thread tree takes to replace the thread, so it does
	 * not hold up the supervisor's other children: the turn ends here and the restart goes on in another.
	 */
	#awaitThread(child: Child, restart: Restart): void {
		const ref = must(child.ref ?? undefined, "a child that waits for its thread has an address");
		const underWay = this.#waits.get(child);
		if (underWay?.ref === ref) {
			underWay.restart = restart;
			return;
		}
		const wait: ThreadWait = { ref, restart };
		this.#waits.set(child, wait);
		const inTurn = (settled: () => Promise<void>): void => this.#context.timers.run(`thread/${child.id}`, 0, settled);
		this.#lifecycle.restartInPlace(child).then(
			(life) => inTurn(() => this.#threadBack(child, wait, life)),
			(error: unknown) => inTurn(() => this.#threadGone(child, wait, error)),
		);
	}

	/** Whether a child of whom a signal speaks is just coming back: its state will only be told in a turn to come. */
	isReturning(child: Child): boolean {
		return this.#waits.has(child);
	}

	async #threadBack(child: Child, wait: ThreadWait, life: number): Promise<void> {
		const heard = takeHeard(child);
		if (this.#endWait(child, wait)) {
			child.lost = false;
			if (child.restart === wait.restart) {
				this.#lifecycle.running(child, life);
				this.#restarted(child);
				await heard?.();
			} else {
				// A newer restart will start it in its own order, and has not come to it yet.
				await this.#lifecycle.suspend(child);
			}
		}
		// Also when the child itself was ended on request meanwhile: its siblings wait for their turn.
		await this.#proceed(wait.restart);
	}

	async #threadGone(child: Child, wait: ThreadWait, error: unknown): Promise<void> {
		takeHeard(child);
		if (this.#endWait(child, wait) && child.restart === wait.restart) {
			await this.#notStarted(child, wait.restart, error);
		} else {
			await this.#proceed(wait.restart);
		}
	}

	/** True when the child is still the one that was waited for; a restart whose thread is gone has taken its address. */
	#endWait(child: Child, wait: ThreadWait): boolean {
		if (this.#waits.get(child) !== wait) return false;
		this.#waits.delete(child);
		return child.state === "restarting" && (child.ref === wait.ref || child.ref === null);
	}

	#child(id: string): Child {
		return must(this.#state.get(id), "a plan names children of this supervisor");
	}

	#publish(child: Child, event: RestartEvent): void {
		this.#lifecycle.publish({ ...event, supervisor: this.#state.flags.name, child: child.id });
	}
}

/** What was said about the child while it was coming back. */
function takeHeard(child: Child): (() => Promise<void>) | null {
	const { heard } = child;
	child.heard = null;
	return heard;
}
