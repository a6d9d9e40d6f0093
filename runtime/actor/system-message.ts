/** What kernels say to each other on the system lane. All of it is cloneable data. */
import type { ErrorObject } from "../../protocols/core/index.ts";
import type { Address, ThreadSlot } from "./address.ts";
import type { DeadLetter } from "./dead-letters.ts";
import type { StopReason } from "./signal.ts";

/** Where an actor's name leads. */
export interface NamedAddress {
	readonly address: Address;
	readonly name: string;
}

/** What a kernel asks of the main kernel. */
export type KernelRequest =
	| { readonly type: "lookup"; readonly name: string }
	| { readonly type: "register"; readonly name: string; readonly address: Address; readonly parent: Address };

export type SystemMessage =
	/** To the target's kernel: tell my slot when this actor has ended for good. */
	| { readonly type: "watch"; readonly target: Address }
	| { readonly type: "unwatch"; readonly target: Address }
	/** Held until the receiving kernel has drained the target's lane through this sequence. */
	| {
			readonly type: "terminated";
			readonly target: Address;
			readonly name: string;
			readonly reason: StopReason;
			readonly through: number;
	  }
	/** To the parent's kernel. */
	| {
			readonly type: "child-failed";
			readonly parent: Address;
			readonly child: Address;
			readonly name: string;
			readonly restarts: number;
			readonly reason: StopReason;
	  }
	| {
			readonly type: "child-stopped";
			readonly parent: Address;
			readonly child: Address;
			readonly name: string;
			readonly reason: StopReason;
	  }
	/** To the main kernel: an actor has ended for good; its name is free. */
	| { readonly type: "ended"; readonly address: Address; readonly reason: StopReason }
	/** To the main kernel, once a turn: what was published and what was not delivered. */
	| {
			readonly type: "report";
			readonly events: readonly { readonly type: string }[];
			readonly deadLetters: readonly DeadLetter[];
			/** Events and dead letters beyond the bound of one turn. */
			readonly eventsDropped: number;
			readonly deadLettersUnlisted: number;
	  }
	/** To the main kernel, which answers with `response`. */
	| { readonly type: "request"; readonly id: number; readonly request: KernelRequest }
	| {
			readonly type: "response";
			readonly id: number;
			readonly result: NamedAddress | null;
			readonly error: ErrorObject | null;
	  }
	/** From the main kernel to all: asks to this slot fail once what it had sent before its death is drained. */
	| { readonly type: "thread-ended"; readonly slot: ThreadSlot; readonly cause: string }
	/** A new thread fills this slot: watches on its actors are renewed. */
	| { readonly type: "thread-replaced"; readonly slot: ThreadSlot }
	/** Its actors' watchers are told, once what it had sent here through this sequence is drained. */
	| { readonly type: "thread-released"; readonly slot: ThreadSlot; readonly through: number };
