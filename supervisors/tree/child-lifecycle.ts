/**
 * The effects on children, each with its event: start, suspend, end. It decides nothing.
 *
 * A restart keeps the child's address and mailbox, as Akka's does and OTP's (a new pid) does not: refs that others hold
 * stay good, and messages that arrive in between wait. Only a child that has ended by itself, or whose thread was given
 * up, has lost its address and is spawned anew.
 */
import { must, QuorateError } from "../../protocols/core/index.ts";
import type { ActorContext, ActorRef, ActorSpec, StopReason } from "../../runtime/actor/index.ts";
import { isSupervisorSpec, type Shutdown, type SupervisorSpec } from "./child-spec.ts";
import type { SupervisionEvent } from "./events.ts";
import { SHUTDOWN_MS_MAX } from "./spec-validation.ts";
import type { Child, SupervisorState } from "./supervisor-state.ts";

/** Makes the actor of a nested supervisor; given from outside, since that actor is made of this. */
export type SupervisorActor = (spec: SupervisorSpec) => ActorSpec;

/** What a refused order says about the child. */
type Loss = "address" | "thread" | "none";

const LOSSES: Readonly<Record<string, Loss>> = {
	"actor-dead": "address",
	"not-a-child": "address",
	"thread-gone": "address",
	"thread-died": "thread",
	"thread-not-running": "thread",
};

export class ChildLifecycle {
	readonly #context: ActorContext<never>;
	readonly #state: SupervisorState;
	readonly #supervisorActor: SupervisorActor;

	constructor(context: ActorContext<never>, state: SupervisorState, supervisorActor: SupervisorActor) {
		this.#context = context;
		this.#state = state;
		this.#supervisorActor = supervisorActor;
	}

	/** Starts or restarts the child; resolves when it runs. Rejects with what its start threw; it is not running then. */
	async start(child: Child): Promise<void> {
		if (child.ref === null) {
			const { start } = child.spec;
			const ref = await this.#context.spawn(isSupervisorSpec(start) ? this.#supervisorActor(start) : start);
			this.#state.attach(child, ref);
			this.running(child, 0);
			return;
		}
		this.running(child, await this.restartInPlace(child));
	}

	/** Resolves with the number of the new life; notes what is lost when it fails, so that it can be waited for aside. */
	async restartInPlace(child: Child): Promise<number> {
		const ref = must(child.ref ?? undefined, "a child that is restarted in place has an address");
		try {
			return await this.#context.restart(ref);
		} catch (error) {
			this.#noteLoss(child, ref, error);
			throw error;
		}
	}

	/** The child runs, in this life. */
	running(child: Child, life: number): void {
		child.state = "running";
		child.life = life;
		child.lost = false;
		child.restart = null;
		child.startedAtMs = this.#context.clock.nowMs();
	}

	/** Ends the present life; address and mailbox stay for a restart. */
	async suspend(child: Child): Promise<void> {
		const { ref } = child;
		if (ref !== null) {
			try {
				await this.#context.suspend(ref, shutdownMs(child.spec.shutdownMs));
			} catch (error) {
				// It ended by itself, or its thread did, before the order came: it is down all the same.
				if (this.#noteLoss(child, ref, error) === "none") throw error;
			}
		}
		this.publish({ type: "child-suspended", ...this.#named(child) });
	}

	#noteLoss(child: Child, ref: ActorRef, error: unknown): Loss {
		const loss = (error instanceof QuorateError ? LOSSES[error.code] : undefined) ?? "none";
		if (child.ref !== ref) return loss;
		if (loss === "address") this.#state.detach(child);
		child.lost = loss === "thread";
		return loss;
	}

	/** Ends the child for good: in its shutdown time if it runs, at once if it is down. */
	async end(child: Child): Promise<void> {
		const { ref } = child;
		const timeoutMs = child.state === "running" ? shutdownMs(child.spec.shutdownMs) : 0;
		child.state = "stopped";
		child.restart = null;
		this.#state.detach(child);
		if (ref === null) return;
		await this.#context.stop(ref, timeoutMs);
		this.stopped(child, "shutdown");
	}

	/** Ends all children in reverse start order; those of a dynamic supervisor side by side, as they know no order. */
	async endAll(): Promise<void> {
		const children = this.#state.inStartOrder().reverse();
		const failures: unknown[] = [];
		const end = (child: Child): Promise<void> => this.end(child).catch((error: unknown) => void failures.push(error));
		if (this.#state.flags.dynamic) await Promise.all(children.map(end));
		else for (const child of children) await end(child);
		// Each child has got its order to end before the first failure is reported.
		if (failures.length > 0) throw failures[0];
	}

	stopped(child: Child, reason: StopReason["type"]): void {
		this.publish({ type: "child-stopped", reason, ...this.#named(child) });
	}

	publish(event: SupervisionEvent): void {
		this.#context.publish(event);
	}

	#named(child: Child): { readonly supervisor: string; readonly child: string } {
		return { supervisor: this.#state.flags.name, child: child.id };
	}
}

function shutdownMs(shutdown: Shutdown): number {
	if (shutdown === "brutal-kill") return 0;
	return shutdown === "infinity" ? SHUTDOWN_MS_MAX : shutdown;
}
