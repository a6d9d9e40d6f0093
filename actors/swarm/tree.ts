/** The supervision tree of a swarm as data: who starts whom, and what is restarted how. */
import type { NodeId } from "../../protocols/core/index.ts";
import type { ActorSpec, Address } from "../../runtime/actor/index.ts";
import type { ChildSpec, StaticSupervisorSpec } from "../../supervisors/index.ts";
import { participantName, type RaftParticipantArgs } from "../participant/index.ts";
import type { CheckedGroup } from "./options.ts";

export const ROOT_NAME = "swarm";
export const STORAGE_SUPERVISOR_NAME = "storage-supervisor";
export const USER_SUPERVISOR_NAME = "user-supervisor";

/** The root; a swarm without a group needs no storage. */
export function rootSpec(storage: ActorSpec | null): StaticSupervisorSpec {
	return {
		name: ROOT_NAME,
		strategy: "one-for-one",
		intensity: 2,
		periodMs: 60_000,
		children: storage === null ? [] : [{ id: STORAGE_SUPERVISOR_NAME, start: storageSupervisorSpec(storage) }],
	};
}

/**
 * The storage is never restarted: with memory storage a new one would be empty, and a member that has lost what it
 * promised must not come back under its name.
 */
function storageSupervisorSpec(storage: ActorSpec): StaticSupervisorSpec {
	return {
		name: STORAGE_SUPERVISOR_NAME,
		children: [{ id: storage.name, start: storage, restart: "temporary", shutdownMs: 30_000 }],
	};
}

/** No id has a colon, so no group's supervisor is called as another actor. */
export function groupSupervisorName(group: string): string {
	return `group:${group}`;
}

/**
 * The members' supervisor, one-for-one: each failure concerns one of them, and the others decide without it. When one fails
 * again and again it gives up, which ends the swarm: there is no sense in starting all of them anew with the same log and the
 * same application. A supervisor that fails by itself is started again, and `GroupMembers` starts in it whoever is a member then.
 */
export function groupChild(group: string): ChildSpec {
	const name = groupSupervisorName(group);
	return {
		id: name,
		start: {
			name,
			strategy: "one-for-one",
			// A member that fails by itself (not with its thread) fails for a reason: the application, the disk.
			intensity: 5,
			periodMs: 10_000,
			backoff: { minMs: 50, maxMs: 2_000, jitter: 0.2, stableMs: 5_000, immediate: 1 },
			children: [],
		},
	};
}

/**
 * One member; `members` are those that are known of now, and it will hear of later ones. It has a thread of its own, unless the
 * group says that each node of its has one, which the groups share.
 */
export function memberChild(
	{ group, nodes, application, tuning, participant, shared }: CheckedGroup,
	node: NodeId,
	members: readonly NodeId[],
	storage: Address,
): ChildSpec {
	const args: RaftParticipantArgs = {
		group,
		node,
		voters: nodes,
		members,
		storage,
		application,
		tuning,
		...(shared === undefined ? {} : { groupNumber: shared.groupNumber }),
	};
	const name = participantName(group, node);
	return {
		id: name,
		start: {
			name,
			behaviour: { ...participant, args: { ...args, ...(participant.args as object | undefined) } },
			...(shared === undefined
				? ({ placement: "dedicated", waiting: "blocking" } as const)
				: { placement: { group: shared.threadOf(node) } }),
		},
	};
}

/** The user's actors, one-for-one. */
export function userChild(actors: readonly ChildSpec[]): ChildSpec {
	return {
		id: USER_SUPERVISOR_NAME,
		start: { name: USER_SUPERVISOR_NAME, strategy: "one-for-one", intensity: 5, periodMs: 10_000, children: actors },
	};
}
