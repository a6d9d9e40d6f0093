/** A reactive behaviour as the kernel runs it: the function's stream, dressed as a class with handlers. */
import type { Subscription } from "rxjs";
import { Subject } from "rxjs/internal/Subject";
import { assertNever } from "../../protocols/core/index.ts";
import type { ActorContext, ActorEffect, Behaviour, Delivery, ReactiveBehaviour, Replier } from "./behaviour.ts";
import { IsolatedObservable } from "./event-stream.ts";
import type { ActorRef } from "./ref.ts";

/**
 * Subscribes the behaviour at start and performs its effects as they come. RxJS reports what goes wrong in places that
 * no supervisor hears of (a thrown effect, an observer's error, rethrown later from a timer); here each error is kept
 * and thrown to the caller of the hook in which it happened, so that it fails the actor with the message that caused it.
 */
export class ReactiveHost implements Behaviour {
	readonly #behaviour: ReactiveBehaviour;
	readonly #args: unknown;
	/** For errors that come when no hook is running. */
	readonly #fail: (error: unknown) => void;
	readonly #inbox = new Subject<Delivery>();
	#subscription: Subscription | null = null;
	#inHook = false;
	#failure: { readonly error: unknown } | null = null;

	constructor(behaviour: ReactiveBehaviour, args: unknown, fail: (error: unknown) => void) {
		this.#behaviour = behaviour;
		this.#args = args;
		this.#fail = fail;
	}

	started(context: ActorContext): void {
		const inbox$ = new IsolatedObservable<Delivery>(this.#inbox, (error) => this.#failed(error));
		this.#run(() => {
			const effects$ = this.#behaviour(inbox$, context, this.#args);
			this.#subscription = effects$.subscribe({
				next: (effect) => this.#perform(effect, context),
				error: (error: unknown) => this.#failed(error),
				complete: () => context.stopSelf(),
			});
		});
	}

	receive(message: unknown, context: ActorContext): void {
		const delivery = new ContextDelivery(message, context.sender, context.replier());
		this.#run(() => this.#inbox.next(delivery));
	}

	/** Ends the subscription; nothing is emitted after it. */
	close(): void {
		this.#subscription?.unsubscribe();
		this.#subscription = null;
	}

	#run(hook: () => void): void {
		this.#inHook = true;
		try {
			hook();
		} finally {
			this.#inHook = false;
		}
		if (this.#failure === null) return;
		const { error } = this.#failure;
		this.#failure = null;
		throw error;
	}

	#failed(error: unknown): void {
		if (!this.#inHook) this.#fail(error);
		else this.#failure ??= { error };
	}

	#perform(effect: ActorEffect, context: ActorContext): void {
		try {
			performEffect(effect, context);
		} catch (error) {
			this.#failed(error);
		}
	}
}

function performEffect(effect: ActorEffect, context: ActorContext): void {
	switch (effect.type) {
		case "tell":
			effect.to.tell(effect.message);
			return;
		case "reply":
			effect.to.reply(effect.value);
			return;
		case "publish":
			context.publish(effect.event as { readonly type: string });
			return;
		case "stop":
			context.stopSelf();
			return;
		default:
			assertNever(effect, "effect of a reactive behaviour");
	}
}

class ContextDelivery implements Delivery {
	readonly message: unknown;
	readonly sender: ActorRef | null;
	readonly #replier: Replier | null;

	constructor(message: unknown, sender: ActorRef | null, replier: Replier | null) {
		this.message = message;
		this.sender = sender;
		this.#replier = replier;
	}

	reply(value: unknown): void {
		this.#replier?.reply(value);
	}
}
