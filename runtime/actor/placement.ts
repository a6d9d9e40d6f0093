/** Which thread an actor gets. */
import type { ThreadSlot } from "./address.ts";
import type { ActorSpec } from "./behaviour.ts";
import type { ThreadDirectory } from "./ports.ts";

/** A thread that actors share. */
interface SharedThread {
	readonly started: Promise<ThreadSlot>;
	actors: number;
}

/** A place on a thread; given back with {@link Placements.leave}. */
export interface Place {
	readonly slot: ThreadSlot;
	readonly kind: "dedicated" | "shared" | "group";
}

/**
 * The threads that placement has started. `dedicated`: one for each actor, named after it. `shared`: up to a fixed
 * number, the one with the least actors. Groups: one thread for each name, for as long as it has actors.
 */
export class Placements {
	readonly #threads: ThreadDirectory;
	readonly #sharedThreadsMax: number;
	readonly #shared: SharedThread[] = [];
	readonly #groups = new Map<string, SharedThread>();
	readonly #bySlot = new Map<ThreadSlot, SharedThread>();

	constructor(threads: ThreadDirectory, sharedThreadsMax: number) {
		this.#threads = threads;
		this.#sharedThreadsMax = sharedThreadsMax;
	}

	/** Finds or starts the thread. @throws QuorateError `too-many-threads`, `thread-start-failed` */
	async enter(spec: ActorSpec): Promise<Place> {
		const { placement } = spec;
		if (placement === "shared") return { slot: await this.#join(this.#leastShared()), kind: "shared" };
		if (typeof placement === "object") return { slot: await this.#join(this.#group(placement.group)), kind: "group" };
		const slot = await this.#threads.start({
			name: spec.name,
			waiting: spec.waiting ?? "async",
			dedicated: true,
			neverKilled: spec.neverKilled ?? false,
		});
		return { slot, kind: "dedicated" };
	}

	/** An actor has left; true when its thread serves nobody any more. */
	leave(place: Place): boolean {
		if (place.kind === "dedicated") return true;
		const thread = this.#bySlot.get(place.slot);
		if (thread === undefined) return false;
		thread.actors -= 1;
		if (place.kind === "shared" || thread.actors > 0) return false;
		this.forget(place.slot);
		return true;
	}

	/** The slot was given back. */
	forget(slot: ThreadSlot): void {
		const thread = this.#bySlot.get(slot);
		if (thread === undefined) return;
		this.#bySlot.delete(slot);
		this.#drop(thread);
	}

	#leastShared(): SharedThread {
		let least = this.#shared[0];
		for (const thread of this.#shared) if (least === undefined || thread.actors < least.actors) least = thread;
		if (least !== undefined && (least.actors === 0 || this.#shared.length >= this.#sharedThreadsMax)) return least;
		const thread = this.#start(`shared-${this.#shared.length + 1}`);
		this.#shared.push(thread);
		return thread;
	}

	#group(group: string): SharedThread {
		const known = this.#groups.get(group);
		if (known !== undefined) return known;
		const thread = this.#start(group);
		this.#groups.set(group, thread);
		return thread;
	}

	#start(name: string): SharedThread {
		return { started: this.#threads.start({ name, waiting: "async", dedicated: false }), actors: 0 };
	}

	async #join(thread: SharedThread): Promise<ThreadSlot> {
		thread.actors += 1;
		try {
			const slot = await thread.started;
			this.#bySlot.set(slot, thread);
			return slot;
		} catch (error) {
			this.#drop(thread);
			throw error;
		}
	}

	#drop(thread: SharedThread): void {
		const at = this.#shared.indexOf(thread);
		if (at >= 0) this.#shared.splice(at, 1);
		for (const [group, grouped] of this.#groups) if (grouped === thread) this.#groups.delete(group);
	}
}
