/** Actors of the main thread that are to fail just when they are needed: at the next signal that reaches them. */
import type { Backend } from "../../runtime/index.ts";
import { injectedFailure } from "./errors.ts";

type Activity = NonNullable<Backend["ports"]["activity"]>;

export class FailingActors {
	readonly #doomed = new Set<number>();

	/** The actor of this number (of its address) fails at its next signal, once. */
	fail(actor: number): void {
		this.#doomed.add(actor);
	}

	/** The main thread's ports, with an account of its work that throws where an actor is to fail: to the kernel, the actor did. */
	within(ports: Backend["ports"]): Backend["ports"] {
		const { activity } = ports;
		const doomed = this.#doomed;
		const failing: Activity = {
			enter(actor, kind, message, sender) {
				activity?.enter(actor, kind, message, sender);
				if (kind !== "signal" || !doomed.delete(actor.actor)) return;
				throw injectedFailure({ actor: actor.actor });
			},
			leave: () => activity?.leave(),
			holds: (actor, messages) => activity?.holds(actor, messages),
		};
		return { ...ports, activity: failing };
	}
}
