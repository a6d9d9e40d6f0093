/**
 * `actors/swarm`: the public entry. {@link Swarm} starts threads, supervision, storage and a Raft group, and gives
 * clients with exactly-once commands and linearizable reads; {@link KeyValueStore} is what a group replicates when it
 * is given nothing else.
 *
 * It decides nothing: agreement is `protocols/raft`'s, restarts are `supervisors/`', durability is `actors/participant`'s
 * and `runtime/storage`'s.
 */
export { type SwarmBackend, startBackend, startThreads, type ThreadSetup } from "./backend.ts";
export { CLIENT_WINDOW_MAX } from "./client.ts";
export {
	type AddMemberOptions,
	type ApplicationSource,
	type ChangeOptions,
	type ClientOptions,
	type Committed,
	type EventStamp,
	type Leadership,
	type MembershipView,
	NODES_MAX,
	type NodeStatus,
	type RaftOptions,
	type ReadOptions,
	type StorageOptions,
	type SwarmClient,
	type SwarmEvent,
	type SwarmHappening,
	type SwarmMetrics,
	type SwarmOptions,
} from "./contract.ts";
export {
	type KeyValueAnswer,
	type KeyValueCommand,
	type KeyValueQuery,
	type KeyValueResult,
	type KeyValueSnapshot,
	KeyValueStore,
	keyValueModule,
} from "./key-value.ts";
export { eventProperties, observationOf, type PropertyAlert } from "./monitors.ts";
export { membershipOf } from "./nodes.ts";
export { checkOptions } from "./options.ts";
export { STORAGE_STALL_MS_MAX } from "./storage-stall-watch.ts";
export { Swarm } from "./swarm.ts";
export { groupSupervisorName } from "./tree.ts";
