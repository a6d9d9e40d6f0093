/** What a supervisor knows of its children: who they are, in start order, and how they are. No effects. */
import { assert } from "../../protocols/core/index.ts";
import type { ActorRef } from "../../runtime/actor/index.ts";
import { type Address, addressText } from "../../runtime/actor/index.ts";
import { CHILDREN_MAX, type CheckedChild, type CheckedFlags } from "./child-spec.ts";
import { tooManyChildren } from "./errors.ts";
import { PoisonLog } from "./poison-log.ts";
import type { ChildCounts, ChildReport } from "./requests.ts";
import { EMPTY_WINDOW, type RestartWindow } from "./restart-intensity.ts";
import type { ChildStanding } from "./strategy.ts";

/**
 * - `running`: its `started` hook has completed;
 * - `restarting`: it is down and a restart is due, under way, or waits for its delay or its thread;
 * - `stopped`: it is down and stays so until someone asks or a sibling's restart includes it.
 */
export type ChildState = "running" | "restarting" | "stopped";

/** One child. Invariant: a running child has a ref. */
export class Child {
	readonly spec: CheckedChild;
	readonly poison: PoisonLog;
	state: ChildState = "stopped";
	/** Its address, which outlives a failure but not an end; null when it must be spawned anew. */
	ref: ActorRef | null = null;
	/** Which life of `ref` is the present one. A failure of an earlier one is old news. */
	life = 0;
	/** Since when it runs, on the context's clock. */
	startedAtMs = 0;
	/** When the failure occurred that it is being restarted for. */
	failedAtMs = 0;
	/** Restarts in a row without a stable time between them, for the backoff. */
	attempts = 0;
	/** Restarts in all. */
	restarts = 0;
	/** Reports of poison in all. */
	poisoned = 0;
	/** Its thread died under it: a restart may have to wait for the replacement. */
	lost = false;
	/** The restart that is responsible for it now; an older one leaves it alone. */
	restart: object | null = null;

	/** A notice that came while its return was awaited; looked at once that has settled. */
	heard: (() => Promise<void>) | null = null;

	constructor(spec: CheckedChild, poisonLimit: number) {
		this.spec = spec;
		this.poison = new PoisonLog(poisonLimit);
	}

	get id(): string {
		return this.spec.id;
	}
}

/** The children in start order, and the window of their restarts. */
export class SupervisorState {
	readonly flags: CheckedFlags;
	window: RestartWindow = EMPTY_WINDOW;
	/** Insertion order is start order. */
	readonly #children = new Map<string, Child>();
	readonly #byAddress = new Map<string, Child>();

	constructor(flags: CheckedFlags) {
		this.flags = flags;
	}

	/** Adds a child at the end of the start order. @throws QuorateError `too-many-children` */
	add(spec: CheckedChild): Child {
		assert(!this.#children.has(spec.id), "ids are unique", { id: spec.id });
		if (this.#children.size >= CHILDREN_MAX) {
			throw tooManyChildren({ supervisor: this.flags.name, max: CHILDREN_MAX });
		}
		const child = new Child(spec, this.flags.poisonLimit);
		this.#children.set(spec.id, child);
		return child;
	}

	remove(child: Child): void {
		this.detach(child);
		this.#children.delete(child.id);
	}

	/** The child has this address from now on. */
	attach(child: Child, ref: ActorRef): void {
		this.detach(child);
		child.ref = ref;
		this.#byAddress.set(addressText(ref.address), child);
	}

	/** The child has lost its address: it must be spawned anew. */
	detach(child: Child): void {
		if (child.ref !== null) this.#byAddress.delete(addressText(child.ref.address));
		child.ref = null;
	}

	get(id: string): Child | undefined {
		return this.#children.get(id);
	}

	at(address: Address): Child | undefined {
		return this.#byAddress.get(addressText(address));
	}

	inStartOrder(): Child[] {
		return [...this.#children.values()];
	}

	standings(): ChildStanding[] {
		return this.inStartOrder().map((child) => ({
			id: child.id,
			restart: child.spec.restart,
			significant: child.spec.significant,
			alive: child.state !== "stopped",
		}));
	}

	report(): ChildReport[] {
		return this.inStartOrder().map((child) => ({
			id: child.id,
			state: child.state,
			address: child.ref?.address ?? null,
			type: child.spec.type,
			restarts: child.restarts,
			poisoned: child.poisoned,
		}));
	}

	count(): ChildCounts {
		const all = this.inStartOrder();
		const supervisors = all.filter((child) => child.spec.type === "supervisor").length;
		return {
			specs: this.flags.dynamic ? 1 : all.length,
			active: all.filter((child) => child.state === "running").length,
			supervisors,
			workers: all.length - supervisors,
		};
	}
}
