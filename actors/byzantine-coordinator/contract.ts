/** What a Byzantine group is to its user. Types only. */
import type { ErrorObject, NodeId } from "../../protocols/core/index.ts";
import type { Configuration, DecisionProof, Evidence, PbftEvent } from "../../protocols/pbft/index.ts";
import type { PublicIdentity } from "../../runtime/crypto/index.ts";
import type { PbftTuning } from "../participant/index.ts";
import type { ApplicationSource, EventStamp, SwarmBackend } from "../swarm/index.ts";
import type { Identities } from "./identities.ts";

export interface ByzantineGroupOptions {
	/** How many members (named `node-1`, `node-2`, …) or their names; 1 to 31. */
	readonly nodes: number | readonly string[];
	/** f: how many of them may behave arbitrarily; default as many as can be borne, `⌊(n − 1) / 3⌋`. More is refused. */
	readonly faults?: number;
	/** Default: the key-value store of `actors/swarm`. */
	readonly application?: ApplicationSource;
	/** Timing and limits; what is not given keeps PBFT's default. */
	readonly config?: PbftTuning;
	/** Names the group in everything that is signed; default `pbft`. */
	readonly group?: string;
	/**
	 * `memory` (the default) survives the death of any participant's thread, not of the process. `lmdb` flushes to a fresh temporary
	 * directory, which is removed by {@link ByzantineGroup.stop}; or to `directory`, which is kept, with everybody's keys encrypted under
	 * `passphrase`. Another start with the same directory goes on where the last one was: it names the same first members, reserve, f, votes
	 * and attackers, comes up with the present members, and remembers who is convicted.
	 */
	readonly storage?:
		| { readonly type: "memory" }
		| { readonly type: "lmdb"; readonly directory?: string; readonly passphrase?: string };
	/** Clients, beside the group's own, whose keys the members know from the beginning; 0 to 1,024, default 16. */
	readonly clientsMax?: number;
	/** A safe integer; default: from the system's entropy. Keys always come from the platform's generator. */
	readonly seed?: number;
	/** Threads kept started ahead of need; 0 to 2, default 1. */
	readonly warmSpares?: number;
	/**
	 * Nodes in reserve, beyond the members: how many (named on from the members) or their names; default none. Their keys are known to all
	 * from the beginning; their threads start when they are added. Members and reserve together are at most 31.
	 */
	readonly standbys?: number | readonly string[];
	/** Isolate a member as soon as it is convicted, for the next node in reserve if there is one. Default false. */
	readonly isolateConvicted?: boolean;
	/** Members that misbehave on purpose, by name, and how: see `attacks` of `quorate/protocols/pbft`. Default none. */
	readonly attackers?: Readonly<Record<string, string>>;
	/** What it runs on; default: worker threads. A simulation's brings {@link ByzantineGroupOptions.identities} of its own. */
	readonly backend?: SwarmBackend;
	/** Whose keys count; default: fresh ones of the platform's generator, for this group alone. */
	readonly identities?: Identities;
}

/** One member as it tells of itself. What a faulty one tells is worth nothing. */
export interface ByzantineNodeStatus {
	readonly node: NodeId;
	readonly state: "running" | "down";
	readonly view: number;
	/** All up to here was applied. */
	readonly executed: number;
	/** Digest chain over all decisions, in hex. */
	readonly chain: string;
	readonly convicted: readonly NodeId[];
	readonly isHalted: boolean;
	/** It hears no quorum of the members: the network is parted, or too many are down. Told as `quorum-lost` and `quorum-regained` too. */
	readonly isParted: boolean;
	/** Threads that have carried this member, the present one included. */
	readonly threadLives: number;
}

/** One member as it was last heard of. */
export interface MemberFigures {
	readonly node: NodeId;
	readonly isDown: boolean;
	readonly executed: number;
	/** Threads that have carried it. */
	readonly lives: number;
}

/** A member convicted by a proof that this process has checked itself. */
export interface Conviction {
	readonly culprit: NodeId;
	readonly evidence: Evidence;
	/** When the first proof was heard; milliseconds on the system's clock. */
	readonly atMs: number;
	/** Who told it first. */
	readonly toldBy: NodeId;
}

/** Who leads, as f + 1 members say. */
export interface Primacy {
	readonly primary: NodeId;
	readonly view: number;
}

export type ByzantineHappening =
	/** What a member says of its protocol; a faulty one may lie. Decisions are counted, not told. */
	| PbftEvent
	/** A member's actor runs (again) and has taken up what was durable. */
	| { readonly type: "participant-started"; readonly restarts: number }
	| { readonly type: "primary-changed"; readonly primary: NodeId; readonly view: number }
	| { readonly type: "member-convicted"; readonly conviction: Conviction }
	/** From here on these are the members, as f + 1 of those before say. */
	| { readonly type: "members-changed"; readonly configuration: Configuration }
	/** A convicted member could not be isolated: with no node in reserve too few members might be left. */
	| { readonly type: "isolation-refused"; readonly culprit: NodeId; readonly error: ErrorObject }
	/** The member `node` has failed more often than is tolerated, and stays down. */
	| { readonly type: "member-given-up" }
	| { readonly type: "thread-started"; readonly lives: number }
	| { readonly type: "thread-ended"; readonly cause: string }
	| { readonly type: "group-failed"; readonly error: ErrorObject }
	/** Everything else of the system: supervision, dead letters, what your application publishes. */
	| { readonly type: "published"; readonly event: { readonly type: string } };

export type ByzantineEvent = EventStamp & ByzantineHappening;

/** A decided proposal. */
export interface Decision<Result = unknown> {
	/** What the application returned, as f + 1 members say. */
	readonly result: Result;
	/** Its slot in the group's order. */
	readonly sequence: number;
	readonly view: number;
}

/** A decision that a third party can check off line: see `quorate verify-certificate`. */
export interface CertifiedDecision<Result = unknown> extends Decision<Result> {
	readonly certificate: DecisionCertificate;
}

/** What a judge of a group's proofs has to know. */
export interface GroupTrust {
	readonly cluster: string;
	readonly epoch: number;
	/** f. */
	readonly faults: number;
	readonly members: readonly PublicIdentity[];
}

/** The proof, and whose keys it is to be checked with. A judge compares the keys with those that it trusts. */
export interface DecisionCertificate {
	readonly proof: DecisionProof;
	readonly epoch: number;
	readonly faults: number;
	readonly members: readonly PublicIdentity[];
}
