/**
 * What supervision publishes on the system's event stream: plain data, so that a console, an audit log or a test can
 * follow every decision. `supervisor` is the supervisor's name, `child` the child's id, times are milliseconds.
 */
import type { ErrorObject } from "../../protocols/core/index.ts";
import type { Address, StopReason, ThreadEnd, ThreadSlot } from "../../runtime/actor/index.ts";
import type { Suspect } from "./poison-log.ts";

interface OfChild {
	readonly supervisor: string;
	readonly child: string;
}

interface OfThread {
	readonly slot: ThreadSlot;
	readonly name: string;
}

/** About actors, from a {@link Supervisor}. */
export type SupervisionEvent =
	/** Started for the first time, or on request. */
	| ({ readonly type: "child-started"; readonly address: Address } & OfChild)
	/** Failed or ended otherwise than by its supervisor's will. `counted`: it burnt restart intensity. */
	| ({ readonly type: "child-failed"; readonly reason: StopReason; readonly counted: boolean } & OfChild)
	/** Will be restarted, but not yet: the `attempts`-th time in a row. */
	| ({ readonly type: "child-restart-delayed"; readonly delayMs: number; readonly attempts: number } & OfChild)
	/** A start during a restart failed; it counts as one more restart. */
	| ({ readonly type: "child-start-failed"; readonly error: ErrorObject } & OfChild)
	/** Runs again; `afterMs` since the failure that caused the restart. */
	| ({ readonly type: "child-restarted"; readonly address: Address; readonly afterMs: number } & OfChild)
	/** Its present life was ended by its supervisor; the spec, and often the address, wait for the restart. */
	| ({ readonly type: "child-suspended" } & OfChild)
	/** Ended, and not about to be restarted. */
	| ({ readonly type: "child-stopped"; readonly reason: StopReason["type"] } & OfChild)
	/**
	 * The same kind of message from the same sender has killed this child `deaths` times, as far as its supervisor has heard: of several
	 * deaths during one restart it hears at the next. A single message that kills ends as the system's `message-quarantined` in any case.
	 */
	| ({ readonly type: "poison-message" } & OfChild & Suspect)
	/** Restart intensity exceeded: the supervisor ends its children and fails. */
	| ({ readonly type: "supervisor-gave-up"; readonly intensity: number; readonly periodMs: number } & OfChild)
	/** A significant child ended by itself, and with it the supervisor. */
	| ({ readonly type: "supervisor-auto-shutdown" } & OfChild)
	/** A request that was told, not asked, was refused: nobody else would hear of it. */
	| { readonly type: "supervisor-request-refused"; readonly supervisor: string; readonly error: ErrorObject };

/** About threads, from a {@link ThreadSupervisor}. */
export type ThreadSupervisionEvent =
	/**
	 * The heartbeat stood still while the thread was at work. Unless it is one that must not be killed, `thread-ended` with
	 * cause `stalled` follows.
	 */
	| ({ readonly type: "thread-stalled"; readonly detail: string } & OfThread)
	| ({
			readonly type: "thread-restart-delayed";
			readonly delayMs: number;
			readonly attempts: number;
			readonly cause: ThreadEnd["cause"];
	  } & OfThread)
	| ({ readonly type: "thread-start-failed"; readonly error: ErrorObject } & OfThread)
	/** Runs again, `afterMs` since its end. */
	| ({
			readonly type: "thread-restarted";
			readonly afterMs: number;
			readonly cause: ThreadEnd["cause"];
	  } & OfThread)
	/** Restart intensity exceeded: its slot is given back, and its actors can not be restarted in place. */
	| ({ readonly type: "thread-gave-up"; readonly intensity: number; readonly periodMs: number } & OfThread);
