/** The lists of planted bugs, by name, and what a search tries for each. */
import type { Attempt } from "./attempt.ts";
import { crdtMutations } from "./crdt.ts";
import { crdtAttempts } from "./crdt-attempts.ts";
import { gossipMutations } from "./gossip.ts";
import { gossipAttempts } from "./gossip-attempts.ts";
import type { Mutation } from "./mutation.ts";
import { pbftMutations } from "./pbft.ts";
import { pbftAttempts } from "./pbft-attempts.ts";
import { pbftModeMutations } from "./pbft-modes.ts";
import { raftMutations } from "./raft.ts";
import { raftAttempts } from "./raft-attempts.ts";
import { securityMutations } from "./security.ts";
import { securityAttempts } from "./security-attempts.ts";

export interface MutationList {
	/** Also the name of the file beside this one that holds what notices each: `NAME.killers.json`. */
	readonly name: string;
	readonly mutations: readonly Mutation[];
	/** What a search tries, in this order: cheap and telling ones first, unit tests last. */
	readonly attempts: readonly Attempt[];
}

export const mutationLists: readonly MutationList[] = [
	{ name: "raft", mutations: raftMutations, attempts: raftAttempts },
	{ name: "pbft", mutations: [...pbftMutations, ...pbftModeMutations], attempts: pbftAttempts },
	{ name: "security", mutations: securityMutations, attempts: securityAttempts },
	{ name: "gossip", mutations: gossipMutations, attempts: gossipAttempts },
	{ name: "crdt", mutations: crdtMutations, attempts: crdtAttempts },
];
