/** What may be asked about members and leadership, and why a leader refuses it. */
import type { NodeId } from "../core/index.ts";
import type { LogIndex, Term } from "./entry.ts";

/** Who shall be a member. A new voter must be a learner that has caught up; see `catchUpLagEntries` of the config. */
export type MembershipChange =
	/** Exactly these; without `learners` those that there are, save who is to vote. */
	| { readonly type: "set"; readonly voters: readonly NodeId[]; readonly learners?: readonly NodeId[] }
	/** One more learner, and whether it is a witness (`witness.ts`); default: it is not. */
	| { readonly type: "add-learner"; readonly node: NodeId; readonly witness?: boolean }
	/** A learner becomes a voter. */
	| { readonly type: "promote"; readonly node: NodeId }
	/** A voter or learner is a member no more. */
	| { readonly type: "remove"; readonly node: NodeId };

/**
 * By which way a change is made. `automatic`: `simple` if it differs by one voter at most, else `joint`. `simple`: the new
 * configuration at once (thesis §4.1), refused if it differs by more. `joint`: over a joint configuration that the leader,
 * or the one after it, leaves by itself (§6). `joint-explicit`: the same, but it stays until `leave-joint`.
 */
export type MembershipTransition = "automatic" | "simple" | "joint" | "joint-explicit";

/** Why a membership change was refused by a leader. */
export type MembershipRefusal =
	/** The configuration in force, of the entry at `index`, is not committed yet. */
	| { readonly reason: "change-in-progress"; readonly index: LogIndex }
	/** The configuration is joint, and must be left first. */
	| { readonly reason: "joint" }
	| { readonly reason: "not-joint" }
	/** The leader has committed nothing of its term yet (Ongaro 2015); a moment later it will have. */
	| { readonly reason: "term-not-committed"; readonly term: Term }
	| { readonly reason: "no-voters" }
	| { readonly reason: "too-many-members"; readonly of: "voters" | "learners"; readonly limit: number }
	/** Not a node id. */
	| { readonly reason: "member-invalid"; readonly node: string }
	/** Named twice. */
	| { readonly reason: "member-repeated"; readonly node: NodeId }
	/** No member (of a new voter: no learner). */
	| { readonly reason: "member-unknown"; readonly node: NodeId }
	/** A learner that lacks more entries than `catchUpLagEntries`, or does not follow the log at present. */
	| {
			readonly reason: "not-caught-up";
			readonly node: NodeId;
			readonly lagEntries: number;
			readonly limitEntries: number;
	  }
	/** Asked for as `simple`, but so many voters differ. */
	| { readonly reason: "not-simple"; readonly differing: number }
	/** Of so many voters only `limit` may be witnesses, or a quorum could do without a full member. */
	| { readonly reason: "too-many-witnesses"; readonly witnesses: number; readonly limit: number }
	/** A member that is a witness stays one, and no other becomes one; it would have to leave first. */
	| { readonly reason: "witness-fixed"; readonly node: NodeId }
	/** These are the members already. */
	| { readonly reason: "unchanged" };

/** Why a transfer was refused by a leader. */
export type TransferRefusal =
	| { readonly reason: "not-a-voter"; readonly node: NodeId }
	/** It is a witness. */
	| { readonly reason: "never-leads"; readonly node: NodeId }
	| { readonly reason: "already-leader" }
	| { readonly reason: "target-unreachable"; readonly node: NodeId }
	| {
			readonly reason: "target-behind";
			readonly node: NodeId;
			readonly lagEntries: number;
			readonly limitEntries: number;
	  }
	/** There is no other voter, or each would be refused. */
	| { readonly reason: "no-target" };
