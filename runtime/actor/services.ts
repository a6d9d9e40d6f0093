/** What a kernel needs of the system as a whole: names, placement, reports. The main thread keeps it. */
import type { Address } from "./address.ts";
import type { ActorSpec } from "./behaviour.ts";
import type { DeadLetter } from "./dead-letters.ts";
import type { StopReason } from "./signal.ts";
import type { NamedAddress } from "./system-message.ts";

/** On the main thread the actor system itself; on others {@link RemoteServices}, which asks it. */
export interface SystemServices {
	lookup(name: string): Promise<NamedAddress | null>;
	/** Takes a name for an actor that its own kernel starts. @throws QuorateError `name-taken` */
	register(name: string, address: Address, parent: Address): Promise<void> | undefined;
	/**
	 * Starts an actor on another thread. `known` is called as soon as its address is, so that its parent recognises it.
	 * @throws QuorateError `placement-needs-main-thread` and what starting throws
	 */
	place(spec: ActorSpec, parent: Address, known: (child: NamedAddress) => void): Promise<NamedAddress>;
	/** Orders for an actor on another thread. */
	restart(address: Address): Promise<number>;
	suspend(address: Address, timeoutMs: number): Promise<void>;
	stop(address: Address, timeoutMs: number): Promise<void>;
	/** An actor has ended for good. */
	ended(address: Address, reason: StopReason): void;
	/** An actor is suspended after a failure, and its parent on the main thread is about to hear of it. */
	suspended(address: Address): void;
	event(event: { readonly type: string }): void;
	deadLetter(letter: DeadLetter): void;
	/** Sends what was reported in this turn. */
	flush(): void;
}
