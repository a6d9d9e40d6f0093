/**
 * What a running supervisor can be asked for, OTP's interface as messages. A refused request rejects the ask with a
 * typed error; the supervisor goes on.
 */
import type { ActorRef, Address, AskOptions } from "../../runtime/actor/index.ts";
import type { ChildSpec } from "./child-spec.ts";

export type SupervisorRequest =
	/** Adds a child at the end of the start order and starts it. */
	| { readonly type: "start-child"; readonly child: ChildSpec }
	/** Starts one more child of a dynamic supervisor. `args` replaces the template's; `id` is made up when left out. */
	| { readonly type: "start-dynamic-child"; readonly id?: string; readonly args?: unknown }
	/** Ends a child. Its spec is kept (not of temporary and dynamic children): it can be restarted. */
	| { readonly type: "terminate-child"; readonly id: string }
	/** Starts a child that is not running. */
	| { readonly type: "restart-child"; readonly id: string }
	/** Forgets the spec of a child that is not running. */
	| { readonly type: "delete-child"; readonly id: string }
	| { readonly type: "which-children" }
	| { readonly type: "count-children" };

/** One child as `which-children` tells it. */
export interface ChildReport {
	readonly id: string;
	readonly state: "running" | "restarting" | "stopped";
	/** Null when the child has none now. It keeps its address while it is being restarted in place. */
	readonly address: Address | null;
	readonly type: "worker" | "supervisor";
	/** Restarts of this child by this life of the supervisor. */
	readonly restarts: number;
	/** How often it was found to be killed by poison messages. */
	readonly poisoned: number;
}

/** What `count-children` tells. */
export interface ChildCounts {
	readonly specs: number;
	readonly active: number;
	readonly supervisors: number;
	readonly workers: number;
}

/** A child that a request has started. */
export interface StartedChild {
	readonly id: string;
	readonly address: Address;
}

/** Requests wait for children to start and to end, so their time is longer than an ordinary ask's. */
const REQUEST_TIMEOUT_MS_DEFAULT = 60_000;

/** A supervisor's interface as methods; any actor or the outside may hold one. */
export class SupervisorClient {
	readonly ref: ActorRef<SupervisorRequest>;
	readonly #options: AskOptions;

	/** @param timeoutMs per request; default 60,000 */
	constructor(ref: ActorRef, timeoutMs: number = REQUEST_TIMEOUT_MS_DEFAULT) {
		this.ref = ref as ActorRef<SupervisorRequest>;
		this.#options = { timeoutMs };
	}

	/** Rejects with `child-already-started`, `child-already-present`, `invalid-child-spec`, `child-start-failed`, `dynamic-supervisor`. */
	startChild(child: ChildSpec): Promise<StartedChild> {
		return this.ref.ask({ type: "start-child", child }, this.#options);
	}

	/** Rejects with `child-already-started`, `child-start-failed`, `static-supervisor`. */
	startDynamicChild(start: { readonly id?: string; readonly args?: unknown } = {}): Promise<StartedChild> {
		return this.ref.ask({ type: "start-dynamic-child", ...start }, this.#options);
	}

	/** Rejects with `child-not-found`. */
	async terminateChild(id: string): Promise<void> {
		await this.ref.ask({ type: "terminate-child", id }, this.#options);
	}

	/** Rejects with `child-running`, `child-restarting`, `child-not-found`, `child-start-failed`, `dynamic-supervisor`. */
	restartChild(id: string): Promise<StartedChild> {
		return this.ref.ask({ type: "restart-child", id }, this.#options);
	}

	/** Rejects with `child-running`, `child-restarting`, `child-not-found`, `dynamic-supervisor`. */
	async deleteChild(id: string): Promise<void> {
		await this.ref.ask({ type: "delete-child", id }, this.#options);
	}

	/** In start order. */
	whichChildren(): Promise<readonly ChildReport[]> {
		return this.ref.ask({ type: "which-children" }, this.#options);
	}

	countChildren(): Promise<ChildCounts> {
		return this.ref.ask({ type: "count-children" }, this.#options);
	}
}
