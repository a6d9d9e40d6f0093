/**
 * Which children a failure concerns: which to stop, which to start, and in which order (`supervisor.erl`, `restart` and
 * `restart_multiple_children`). Pure functions over the children in start order.
 */
import { assert } from "../../protocols/core/index.ts";
import type { AutoShutdown, RestartType, Strategy } from "./child-spec.ts";

/** What the decisions below need to know of a child. */
export interface ChildStanding {
	readonly id: string;
	readonly restart: RestartType;
	readonly significant: boolean;
	/** False when it has ended and nobody is about to restart it. */
	readonly alive: boolean;
}

export interface RestartPlan {
	/** To be stopped, in this order: the reverse of their start. The failed child is down already. */
	readonly stop: readonly string[];
	/** Temporary children among those: not started again, their specs are forgotten. */
	readonly forget: readonly string[];
	/** To be started, in this order, once all are stopped. */
	readonly start: readonly string[];
}

/**
 * The restart that the failure of `failed` asks for. As in OTP, a concerned sibling is started even when it was down
 * before (terminated on request, or a transient one that had ended normally): the group begins anew as a whole.
 */
export function planRestart(strategy: Strategy, failed: string, children: readonly ChildStanding[]): RestartPlan {
	const at = children.findIndex((child) => child.id === failed);
	assert(at >= 0, "the failed child is one of the supervisor's", { failed });
	const concerned = concernedBy(strategy, at, children);
	const others = concerned.filter((child) => child.id !== failed);
	return {
		stop: others
			.filter((child) => child.alive)
			.map((child) => child.id)
			.reverse(),
		forget: others.filter((child) => child.restart === "temporary").map((child) => child.id),
		start: concerned.filter((child) => child.id === failed || child.restart !== "temporary").map((child) => child.id),
	};
}

function concernedBy(strategy: Strategy, at: number, children: readonly ChildStanding[]): readonly ChildStanding[] {
	switch (strategy) {
		case "one-for-one":
			return children.slice(at, at + 1);
		case "one-for-all":
			return children;
		case "rest-for-one":
			return children.slice(at);
	}
}

/** How a child ended, as its restart type sees it: OTP calls `normal` and `shutdown` normal, everything else not. */
export type Ending = "normal" | "abnormal";

export function mustRestart(restart: RestartType, ending: Ending): boolean {
	return restart === "permanent" || (restart === "transient" && ending === "abnormal");
}

/**
 * Whether the supervisor ends itself now that `ended` has ended by itself and will not be restarted. `remaining` are
 * the children that are left.
 */
export function endsSupervisor(
	policy: AutoShutdown,
	ended: Pick<ChildStanding, "significant">,
	remaining: readonly ChildStanding[],
): boolean {
	if (policy === "never" || !ended.significant) return false;
	return policy === "any-significant" || !remaining.some((child) => child.significant && child.alive);
}
