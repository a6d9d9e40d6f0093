/**
 * How the synchronizers of one process reach each other: by their group. Messages are handed over in order, each in a task of its
 * own, to whoever is open at that time; for one who is not they are lost, as on a network.
 */
import { asapScheduler, type SchedulerLike } from "rxjs";
import type { NodeId } from "../../protocols/core/index.ts";
import type { CrdtMessage } from "../../protocols/crdt/index.ts";
import { nodeTaken } from "./errors.ts";

/** A member's way to the others. */
export interface Exchange {
	send(to: NodeId, message: CrdtMessage): void;
	/** Leaves; nothing arrives any more. */
	leave(): void;
}

export type Receive = (from: NodeId, message: CrdtMessage) => void;

/** Joins a group as a member. */
export type JoinExchange = (members: readonly NodeId[], node: NodeId, receive: Receive) => Exchange;

const groups = new Map<string, Map<NodeId, Receive>>();

/** @throws QuorateError `crdt-node-taken` */
export function joinLocally(scheduler: SchedulerLike = asapScheduler): JoinExchange {
	return (members, node, receive) => {
		const key = [...members].sort().join(" ");
		const group = groups.get(key) ?? new Map<NodeId, Receive>();
		if (group.has(node)) throw nodeTaken({ node });
		groups.set(key, group.set(node, receive));
		return {
			send: (to, message) => {
				scheduler.schedule(() => group.get(to)?.(node, message));
			},
			leave: () => {
				if (group.get(node) === receive) group.delete(node);
				if (group.size === 0 && groups.get(key) === group) groups.delete(key);
			},
		};
	};
}
