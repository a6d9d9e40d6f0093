/**
 * What gossip advises on membership. Its view is a belief that changes with one lost packet, so it is never a decision: an advice
 * is given when a belief has lasted, and whoever decides (a quorum) may decline it.
 */
import {
	asyncScheduler,
	filter,
	groupBy,
	map,
	mergeMap,
	type Observable,
	of,
	type SchedulerLike,
	switchMap,
	timer,
} from "rxjs";
import { type NodeId, requireInteger } from "../../protocols/core/index.ts";
import type { GossipCoordinatorEvent } from "./gossip-protocol-coordinator.ts";

/** A lasting belief of one member about another. */
export interface MembershipAdvice {
	readonly advice: "add" | "remove";
	readonly node: NodeId;
	/** Of what lasts: it is there, it does not answer, or it said that it leaves. */
	readonly because: "present" | "failed" | "left";
	/** The incarnation that the belief is about: a later one refutes it. */
	readonly incarnation: number;
}

export interface MembershipAdviceOptions {
	/**
	 * How long a member must be believed to be there, or dead, before that is an advice, in ms, 0 to 86,400,000. Default 10,000, ten
	 * probe intervals of the profile `lan`: who is held dead and lives hears of it and refutes within a few of them. Who says that it
	 * leaves is believed at once.
	 */
	readonly lastingMs?: number;
	/** Default: real time. */
	readonly scheduler?: SchedulerLike;
}

export const ADVICE_LASTING_MS_DEFAULT = 10_000;
const LASTING_MS_MAX = 86_400_000;

type Belief = Extract<GossipCoordinatorEvent, { type: "member-joined" | "member-failed" | "member-left" }>;
const REASONS = { "member-joined": "present", "member-failed": "failed", "member-left": "left" } as const;

/**
 * The lasting beliefs among a member's events. A belief that changes within the time starts the time anew; a member that is
 * forgotten is forgotten here too, so that the memory is that of the member's own list.
 * @throws QuorateError `invalid-argument`
 * @example adviseOnMembership(coordinator.events$).subscribe(({ advice, node }) => console.log(advice, node));
 */
export function adviseOnMembership(
	events$: Observable<GossipCoordinatorEvent>,
	options: MembershipAdviceOptions = {},
): Observable<MembershipAdvice> {
	const { lastingMs = ADVICE_LASTING_MS_DEFAULT, scheduler = asyncScheduler } = options;
	requireInteger("lastingMs", lastingMs, 0, LASTING_MS_MAX);
	return events$.pipe(
		filter((event) => isBelief(event) || event.type === "member-forgotten"),
		groupBy(({ node }) => node, { duration: (ofNode$) => ofNode$.pipe(filter((event) => !isBelief(event))) }),
		mergeMap((ofNode$) =>
			ofNode$.pipe(
				filter(isBelief),
				switchMap((belief) =>
					belief.type === "member-left" ? of(belief) : timer(lastingMs, scheduler).pipe(map(() => belief)),
				),
				map(adviceOf),
			),
		),
	);
}

function isBelief(event: GossipCoordinatorEvent): event is Belief {
	return event.type in REASONS;
}

function adviceOf({ type, node, incarnation }: Belief): MembershipAdvice {
	return { advice: type === "member-joined" ? "add" : "remove", node, because: REASONS[type], incarnation };
}
