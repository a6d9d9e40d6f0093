/**
 * A handful of actors on one virtual clock, so that tests can hold any step back: messages wait in mailboxes until
 * `settle` runs them, a ref's verdict can be scripted, timers fire when time is advanced.
 */

import { Generator } from "../../../protocols/core/index.ts";
import type { ActorContext, Behaviour, Replier } from "../../../runtime/actor/behaviour.ts";
import type { ActorRef, TellVerdict } from "../../../runtime/actor/ref.ts";

interface Mail {
	readonly message: unknown;
	readonly sender: TestActor;
	readonly replier: Replier | null;
}

export class World {
	nowMs = 0;
	readonly published: { readonly type: string }[] = [];
	readonly #timers: { readonly atMs: number; readonly actor: TestActor; readonly key: string; run(): void }[] = [];
	readonly #actors: TestActor[] = [];

	actor(name: string, behaviour: Behaviour<never> = { receive: () => undefined }): TestActor {
		const actor = new TestActor(this, name, behaviour as Behaviour);
		this.#actors.push(actor);
		return actor;
	}

	/** Lets everybody work until nothing happens any more at this moment of virtual time. */
	async settle(): Promise<void> {
		for (let idle = 0; idle < 3; ) {
			const worked = this.#actors.map((actor) => actor.turn()).includes(true);
			await new Promise((resolve) => setImmediate(resolve));
			idle = worked ? 0 : idle + 1;
		}
	}

	async advance(ms: number): Promise<void> {
		const endMs = this.nowMs + ms;
		await this.settle();
		for (;;) {
			this.#timers.sort((a, b) => a.atMs - b.atMs);
			const next = this.#timers[0];
			if (next === undefined || next.atMs > endMs) break;
			this.#timers.shift();
			this.nowMs = Math.max(this.nowMs, next.atMs);
			next.run();
			await this.settle();
		}
		this.nowMs = endMs;
	}

	setTimer(actor: TestActor, key: string, afterMs: number, run: () => void): void {
		this.cancelTimer(actor, key);
		this.#timers.push({ atMs: this.nowMs + afterMs, actor, key, run });
	}

	cancelTimer(actor: TestActor, key: string): void {
		const at = this.#timers.findIndex((timer) => timer.actor === actor && timer.key === key);
		if (at >= 0) this.#timers.splice(at, 1);
	}
}

export class TestActor {
	readonly context: ActorContext;
	/** Scripts what a tell to this actor comes to; default `ok`. `lost`: the sender hears `ok`, nothing arrives. */
	verdict: (message: unknown) => TellVerdict | "lost" = () => "ok";
	/** What was told to it, in order. */
	readonly inbox: unknown[] = [];
	readonly #behaviour: Behaviour;
	readonly #mailbox: Mail[] = [];
	#mail: Mail | null = null;
	#heldBack = false;

	constructor(world: World, name: string, behaviour: Behaviour) {
		this.#behaviour = behaviour;
		const self = this;
		const context = {
			name,
			clock: { nowMs: () => world.nowMs },
			generator: new Generator(1, name),
			timers: {
				run: (key: string, afterMs: number, callback: () => void) => world.setTimer(this, key, afterMs, callback),
				cancel: (key: string) => world.cancelTimer(this, key),
			},
			metrics: {
				counter: () => ({ add: () => undefined }),
				gauge: () => ({ set: () => undefined }),
				histogram: () => ({ record: () => undefined }),
			},
			publish: (event: { readonly type: string }) => world.published.push(event),
			replier: () => this.#mail?.replier ?? null,
			get sender() {
				return self.#mail === null ? null : self.#mail.sender.refFrom(self);
			},
		};
		this.context = context as unknown as ActorContext;
	}

	get waiting(): number {
		return this.#mailbox.length;
	}

	/** This actor as `from` sees it. */
	refFrom<M = unknown>(from: TestActor): ActorRef<M> {
		const ref = {
			name: this.context.name,
			speaking: () => ref,
			tell: (message: unknown) => {
				const verdict = this.verdict(message);
				if (verdict === "ok") this.#mailbox.push({ message, sender: from, replier: null });
				return verdict === "lost" ? "ok" : verdict;
			},
			ask: (message: unknown) =>
				new Promise((resolve, reject) => {
					this.#mailbox.push({ message, sender: from, replier: { reply: resolve, fail: reject } });
				}),
		};
		return ref as unknown as ActorRef<M>;
	}

	/** Handles what waits; true if there was anything. */
	turn(): boolean {
		let handled = 0;
		while (!this.#heldBack) {
			const mail = this.#mailbox.shift();
			if (mail === undefined) break;
			handled += 1;
			this.#mail = mail;
			this.inbox.push(mail.message);
			const pending = this.#behaviour.receive(mail.message, this.context);
			this.#mail = null;
			if (pending instanceof Promise) {
				this.#heldBack = true;
				void pending.finally(() => {
					this.#heldBack = false;
				});
			}
		}
		if (handled > 0) this.#behaviour.drained?.(this.context);
		return handled > 0;
	}
}
