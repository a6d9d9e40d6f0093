/**
 * Advice of gossip, put to a quorum. Each advice becomes one ordered change of the quorum's members, which the quorum decides by
 * its own protocol or refuses; one after the other, since a quorum changes one step at a time. A wrong advice costs a member
 * and never safety; advices that would leave too few members are not even put.
 */
import { Observable } from "rxjs";
import { type ErrorObject, errorToObject, type NodeId, requireInteger } from "../../protocols/core/index.ts";
import type { MembershipAdvice } from "./membership-advice.ts";

/** What decides. A `Swarm` is one. */
export interface QuorumMembers {
	readonly nodes: readonly { readonly node: NodeId }[];
	addMember(name: string): Promise<unknown>;
	removeMember(name: string): Promise<unknown>;
}

export interface QuorumMembershipOptions {
	/** Below so many members nobody is taken out. 1 to 10,000, default 3: the least that survives a failure. */
	readonly membersMin?: number;
	/** From so many members on nobody is taken in. 1 to 10,000, default 7. */
	readonly membersMax?: number;
}

/** What became of an advice. */
export type QuorumDecision = MembershipAdvice &
	(
		| { readonly outcome: "decided" }
		/** Not put to the quorum, since it would be left with too few members or too many. */
		| { readonly outcome: "declined"; readonly members: number; readonly limit: number }
		/** Put, and refused or not decided in time. */
		| { readonly outcome: "refused"; readonly error: ErrorObject }
	);

const MEMBERS_LIMIT = 10_000;

/**
 * Puts each advice to the quorum, for as long as it is subscribed to; tells what became of those that would change something.
 * @throws QuorateError `invalid-argument`
 * @example decideMembership(swarm, adviseOnMembership(coordinator.events$)).subscribe(console.log);
 */
export function decideMembership(
	quorum: QuorumMembers,
	advice$: Observable<MembershipAdvice>,
	options: QuorumMembershipOptions = {},
): Observable<QuorumDecision> {
	const { membersMin = 3, membersMax = 7 } = options;
	requireInteger("membersMin", membersMin, 1, MEMBERS_LIMIT);
	requireInteger("membersMax", membersMax, membersMin, MEMBERS_LIMIT);
	const limits = { membersMin, membersMax };
	return new Observable((told) => {
		// The latest of each member: a belief that has changed while others were decided is not put any more.
		const waiting = new Map<NodeId, MembershipAdvice>();
		let [isDeciding, isOver] = [false, false];
		const decideAll = async (): Promise<void> => {
			isDeciding = true;
			for (const [node, advice] of waiting) {
				waiting.delete(node);
				const decision = await decide(quorum, advice, limits);
				if (told.closed) return;
				if (decision !== null) told.next(decision);
			}
			isDeciding = false;
			if (isOver) told.complete();
		};
		return advice$.subscribe({
			next: (advice) => {
				waiting.set(advice.node, advice);
				if (!isDeciding) decideAll().catch((error: unknown) => told.error(error));
			},
			error: (error: unknown) => told.error(error),
			complete: () => {
				isOver = true;
				if (!isDeciding) told.complete();
			},
		});
	});
}

/** Null when the quorum already is as advised. */
async function decide(
	quorum: QuorumMembers,
	advice: MembershipAdvice,
	{ membersMin, membersMax }: Required<QuorumMembershipOptions>,
): Promise<QuorumDecision | null> {
	const { nodes } = quorum;
	const isAdded = advice.advice === "add";
	if (nodes.some(({ node }) => node === advice.node) === isAdded) return null;
	const limit = isAdded ? membersMax : membersMin;
	if (isAdded ? nodes.length >= limit : nodes.length <= limit) {
		return { ...advice, outcome: "declined", members: nodes.length, limit };
	}
	try {
		await (isAdded ? quorum.addMember(advice.node) : quorum.removeMember(advice.node));
		return { ...advice, outcome: "decided" };
	} catch (error) {
		return { ...advice, outcome: "refused", error: errorToObject(error) };
	}
}
