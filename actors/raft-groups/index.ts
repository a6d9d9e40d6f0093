/**
 * `actors/raft-groups`: many Raft groups over few threads. {@link RaftGroups} starts them, {@link RaftGroup} is a handle on one.
 * Each member is the participant of `actors/participant`, each client that of `actors/swarm`.
 */
export {
	GROUP_MEMBERS_MAX,
	type GroupsEvent,
	HEARTBEAT_MESSAGES_PER_SECOND_MAX,
	QUIESCE_AFTER_HEARTBEATS_DEFAULT,
	type RaftGroupsOptions,
} from "./contract.ts";
export type { RaftGroup } from "./raft-group.ts";
export { RaftGroups } from "./raft-groups.ts";
