/** Signals: what the system itself tells an actor. They are never dropped and come before messages. */
import type { ErrorObject } from "../../protocols/core/index.ts";
import type { Address } from "./address.ts";
import type { ActorRef } from "./ref.ts";

/** Why an actor ended. */
export type StopReason =
	/** It asked for it, or its reactive behaviour completed. */
	| { readonly type: "normal" }
	/** Its parent or the system ended it in order. */
	| { readonly type: "shutdown" }
	/** It did not end within its shutdown timeout, or was to be killed at once. */
	| { readonly type: "killed" }
	/** A hook threw; `interrupted` names the message, if one was being handled. */
	| { readonly type: "failed"; readonly error: ErrorObject; readonly interrupted: InterruptedMessage | null }
	/** Its thread died under it: crash, out of memory, stall, kill. */
	| {
			readonly type: "lost-with-thread";
			readonly thread: ThreadEnd;
			readonly interrupted: InterruptedMessage | null;
	  };

/** The message that was being handled when the actor failed. */
export interface InterruptedMessage {
	/** The message's `type` field, if it has one. */
	readonly messageType: string | null;
	readonly sender: Address | null;
	/** How often it had been delivered, this time included. */
	readonly deliveries: number;
}

/** How a thread ended. */
export interface ThreadEnd {
	readonly cause: "crashed" | "out-of-memory" | "exited" | "stalled" | "killed" | "stopped";
	readonly exitCode: number | null;
	readonly error: ErrorObject | null;
}

export type Signal =
	/**
	 * To the parent: a child failed and is suspended, its mailbox kept. The parent restarts it, stops it, or fails itself.
	 * A child that ended (`normal`, `shutdown`, `killed`) comes as `child-stopped`, also when the parent ordered it. `restarts` tells which of its lives failed
	 * (the number its `started` hook got): a parent that has restarted the child in the meantime ignores the old failure.
	 */
	| {
			readonly type: "child-failed";
			readonly child: ActorRef;
			readonly name: string;
			readonly restarts: number;
			readonly reason: StopReason;
	  }
	| { readonly type: "child-stopped"; readonly child: ActorRef; readonly name: string; readonly reason: StopReason }
	/**
	 * To a watcher, exactly once per watch: the watched actor has ended for good (a supervised restart is no end). It comes
	 * after every message that actor had sent to this watcher. A watch on a dead ref is answered at once, reason `normal`
	 * when nobody remembers better.
	 */
	| { readonly type: "terminated"; readonly ref: ActorRef; readonly reason: StopReason };
