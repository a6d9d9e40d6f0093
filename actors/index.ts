/**
 * `quorate`: consensus inside a program. A swarm of participants, each an actor in a thread of its own, that agree on
 * the order of commands; and what can be said to it.
 */
export type {
	ApplicationSource,
	ClientOptions,
	Committed,
	EventStamp,
	Leadership,
	NodeStatus,
	RaftOptions,
	StorageOptions,
	SwarmClient,
	SwarmEvent,
	SwarmMetrics,
	SwarmOptions,
} from "./swarm/contract.ts";
