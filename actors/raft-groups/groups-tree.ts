/** The supervision tree of many groups as data: who starts whom, what is restarted how, and which threads they share. */
import type { NodeId } from "../../protocols/core/index.ts";
import type { ChildSpec } from "../../supervisors/index.ts";
import { groupChild } from "../swarm/tree.ts";

/** Supervises the groups' supervisors. */
export const GROUPS_SUPERVISOR_NAME = "raft-groups";

const THREAD_PREFIX = "node:";

/** The thread on which this node's members of all groups live. Ids have no colon, so it is no actor's name. */
export function nodeThreadName(node: string): string {
	return `${THREAD_PREFIX}${node}`;
}

/** The node whose thread has this name; null: no node's. */
export function nodeOfThread(thread: string): NodeId | null {
	return thread.startsWith(THREAD_PREFIX) ? (thread.slice(THREAD_PREFIX.length) as NodeId) : null;
}

/** One-for-one: what happens to one group concerns no other. Groups are added as they start. */
export function groupsChild(): ChildSpec {
	return {
		id: GROUPS_SUPERVISOR_NAME,
		restart: "temporary",
		start: { name: GROUPS_SUPERVISOR_NAME, strategy: "one-for-one", intensity: 0, periodMs: 1_000, children: [] },
	};
}

/** A group whose members fail again and again is not started anew with the same log: it has failed, and the others go on. */
export function groupChildOf(group: string): ChildSpec {
	return { ...groupChild(group), restart: "temporary" };
}
