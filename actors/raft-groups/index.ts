/**
 * `actors/raft-groups`: many Raft groups in one process, over as many threads as there are nodes (multi-raft, as in dragonboat,
 * TiKV and CockroachDB). Node k of every group lives on thread k; idle groups send nothing.
 *
 * It decides nothing: agreement and silence are `protocols/raft`'s, restarts are `supervisors/`', clients and members'
 * supervision are `actors/swarm`'s. It creates no groups at run time, changes no members and moves no group.
 */
export {
	GROUP_MEMBERS_MAX,
	GROUPS_MAX,
	type GroupFailed,
	groupTuning,
	type RaftGroup,
	type RaftGroupsEvent,
	type RaftGroupsOptions,
} from "./contract.ts";
export { RaftGroups } from "./raft-groups.ts";
