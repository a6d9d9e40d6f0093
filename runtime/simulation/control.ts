/** The control plane of a virtual thread's kernel: calls that take time and fail when the thread dies. */
import { errorFromObject, errorToObject } from "../../protocols/core/index.ts";
import {
	type ActorInspection,
	type Address,
	type Adoption,
	type KernelControl,
	localSourceOnThread,
	moduleHref,
	type SpawnOrder,
	type StopReason,
	type ThreadEnd,
	type ThreadSlot,
	threadDied,
} from "../actor/index.ts";

/** What a control plane needs of the simulation. */
export interface ControlWire {
	/** Lets something happen after the time that a call takes in one direction. */
	after(run: () => void): void;
	/** Lets an order reach the thread, which may be paused. */
	arrive(run: () => void): void;
}

interface PendingCall {
	readonly method: string;
	readonly reject: (error: unknown) => void;
}

export class VirtualControl implements KernelControl {
	readonly #slot: ThreadSlot;
	readonly #name: string;
	readonly #kernel: KernelControl;
	readonly #wire: ControlWire;
	readonly #calls = new Set<PendingCall>();
	#end: ThreadEnd | null = null;
	#isCut = false;

	constructor(slot: ThreadSlot, name: string, kernel: KernelControl, wire: ControlWire) {
		this.#slot = slot;
		this.#name = name;
		this.#kernel = kernel;
		this.#wire = wire;
	}

	async spawn(order: SpawnOrder): Promise<void> {
		const { behaviour, name } = order.spec;
		if ("local" in behaviour) throw localSourceOnThread({ name });
		const spec = { ...order.spec, behaviour: { ...behaviour, module: moduleHref(behaviour.module) } };
		return this.#call("spawn", { ...order, spec }, (sent) => this.#kernel.spawn(sent));
	}

	suspend(address: Address, timeoutMs: number): Promise<void> {
		return this.#call("suspend", address, (sent) => this.#kernel.suspend(sent, timeoutMs));
	}

	stop(address: Address, reason: StopReason, timeoutMs: number): Promise<StopReason> {
		return this.#call("stop", { address, reason }, (sent) => this.#kernel.stop(sent.address, sent.reason, timeoutMs));
	}

	adopt(actors: readonly Adoption[]): Promise<void> {
		return this.#call("adopt", actors, (sent) => this.#kernel.adopt(sent));
	}

	inspect(): Promise<readonly ActorInspection[]> {
		return this.#call("inspect", null, () => this.#kernel.inspect());
	}

	/** The thread has died, and nobody knows: orders reach nobody, and what was answered is lost. */
	cut(): void {
		this.#isCut = true;
	}

	/** The end of the thread is known: whoever waits hears of it. */
	close(end: ThreadEnd): void {
		this.#end = end;
		for (const { method, reject } of [...this.#calls]) reject(this.#died(method, end));
	}

	/** Argument and result cross as on real threads: cloned, errors as data. */
	#call<A, R>(method: string, argument: A, run: (argument: A) => Promise<R>): Promise<R> {
		if (this.#end !== null) return Promise.reject(this.#died(method, this.#end));
		const sent = structuredClone(argument);
		return new Promise<R>((resolve, reject) => {
			const call: PendingCall = { method, reject: (error) => settle(() => reject(error)) };
			const settle = (answer: () => void): void => {
				if (!this.#calls.delete(call)) return;
				answer();
			};
			this.#calls.add(call);
			this.#wire.after(() => {
				this.#wire.arrive(() => {
					if (this.#isCut) return;
					run(sent).then(
						(result) => this.#answer(() => settle(() => resolve(structuredClone(result)))),
						(error: unknown) => {
							const object = errorToObject(error);
							this.#answer(() => settle(() => reject(errorFromObject(object))));
						},
					);
				});
			});
		});
	}

	/** What the code of a dead thread still comes to is no answer: nobody would have sent it. */
	#answer(tell: () => void): void {
		if (!this.#isCut) this.#wire.after(tell);
	}

	#died(call: string, end: ThreadEnd): Error {
		return threadDied({ name: this.#name, slot: this.#slot, cause: end.cause, call });
	}
}
