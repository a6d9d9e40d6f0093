/**
 * Replica ids. A replica is a node in one incarnation: whoever starts without its own durable state takes a new incarnation,
 * for two that number their operations under one id would give one name to two things (y-crdt#361).
 */
import { type Brand, compareIds, isNodeId, type NodeId, nodeId, requireInteger } from "../../core/index.ts";

/** A replica's id as text, `node#incarnation`. */
export type ReplicaId = Brand<string, "ReplicaId">;

/** The highest incarnation. */
export const INCARNATION_MAX = 0xffff_ffff;

/**
 * Who has written what was there at a document's last collection, whoever did (`document/settled-ids.ts`). No replica may call itself so:
 * its elements are numbered anew at each collection, it is in no causal context, and it never writes.
 */
export const SETTLED_REPLICA: ReplicaId = "-#0" as ReplicaId;

/**
 * The id of a node's incarnation.
 * @param incarnation an integer from 0 to {@link INCARNATION_MAX}, higher than any the node has used before
 * @throws QuorateError `invalid-argument`
 * @example replicaId("node-1", 0)
 */
export function replicaId(node: NodeId | string, incarnation: number): ReplicaId {
	return `${nodeId(node)}#${requireInteger("incarnation", incarnation, 0, INCARNATION_MAX)}` as ReplicaId;
}

/** The node of a replica. */
export function nodeOf(replica: ReplicaId): NodeId {
	return replica.slice(0, replica.lastIndexOf("#")) as NodeId;
}

/** The incarnation of a replica. */
export function incarnationOf(replica: ReplicaId): number {
	return Number(replica.slice(replica.lastIndexOf("#") + 1));
}

/** Whether a text is a replica id as {@link replicaId} spells it. */
export function isReplicaId(text: string): text is ReplicaId {
	const cut = text.lastIndexOf("#");
	if (cut < 1 || !isNodeId(text.slice(0, cut))) return false;
	const incarnation = Number(text.slice(cut + 1));
	return Number.isInteger(incarnation) && incarnation <= INCARNATION_MAX && String(incarnation) === text.slice(cut + 1);
}

/** The one order of replicas: by node in code-unit order, then by incarnation. Ties are broken by it everywhere. */
export function compareReplicas(a: ReplicaId, b: ReplicaId): number {
	if (a === b) return 0;
	return compareIds(nodeOf(a), nodeOf(b)) || incarnationOf(a) - incarnationOf(b);
}

/**
 * The replicas that a document knows, as small integers in order of their first appearance. The numbers are this document's
 * own: what is encoded names replicas in {@link compareReplicas} order.
 */
export class ReplicaTable {
	readonly #ids: ReplicaId[] = [];
	readonly #numbers = new Map<ReplicaId, number>();

	get size(): number {
		return this.#ids.length;
	}

	/** The number of a replica, given to it now if it has none. */
	intern(replica: ReplicaId): number {
		const found = this.#numbers.get(replica);
		if (found !== undefined) return found;
		this.#numbers.set(replica, this.#ids.length);
		return this.#ids.push(replica) - 1;
	}

	/** The number of a replica, -1 if it has none. */
	find(replica: ReplicaId): number {
		return this.#numbers.get(replica) ?? -1;
	}

	/** The replica of a number that {@link intern} has given. */
	at(number: number): ReplicaId {
		return this.#ids[number]!;
	}

	/** {@link compareReplicas} of two numbers. */
	compare(a: number, b: number): number {
		return a === b ? 0 : compareReplicas(this.#ids[a]!, this.#ids[b]!);
	}

	/** All numbers, in {@link compareReplicas} order of their replicas. */
	sorted(): number[] {
		return this.#ids.map((_id, number) => number).sort((a, b) => this.compare(a, b));
	}
}
