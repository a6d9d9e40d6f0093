/** What a replica is told at its start. */
import { type NodeId, requireInteger } from "../../core/index.ts";
import { nodeOf, type ReplicaId } from "../causality/replica.ts";
import { replicaConfigInvalid } from "../errors.ts";
import { type DocumentSchema, validateSchema } from "../types/schema.ts";

export interface ReplicaConfig {
	/** This replica; its node is one of the members. */
	readonly replica: ReplicaId;
	/** All nodes of the group, this one included. */
	readonly members: readonly NodeId[];
	readonly schema: DocumentSchema;
	/**
	 * Time between two exchanges with one other member, in milliseconds, 1 to 3,600,000; the host draws up to half more. Default 100. A lost
	 * update is repaired after about this times the number of members.
	 */
	readonly syncIntervalMs: number;
	/**
	 * Log records kept for members that have not acknowledged them, 1 to 10,000,000; with more, the log is cut, and who is behind
	 * gets the whole state. Default 1,000.
	 */
	readonly logRecordsMax: number;
	/** Updates appended before the whole state is written in their place, 1 to 1,000,000. Default 1,000. */
	readonly appendsMax: number;
}

/** The defaults, for a replica of a group. */
export function replicaConfig(
	given: Pick<ReplicaConfig, "replica" | "members" | "schema"> & Partial<ReplicaConfig>,
): ReplicaConfig {
	return { syncIntervalMs: 100, logRecordsMax: 1000, appendsMax: 1000, ...given };
}

/** @throws QuorateError `crdt-replica-config-invalid`, `crdt-schema-invalid`, `invalid-argument` */
export function validateReplicaConfig(config: ReplicaConfig): void {
	validateSchema(config.schema);
	requireInteger("syncIntervalMs", config.syncIntervalMs, 1, 3_600_000);
	requireInteger("logRecordsMax", config.logRecordsMax, 1, 10_000_000);
	requireInteger("appendsMax", config.appendsMax, 1, 1_000_000);
	if (new Set(config.members).size !== config.members.length) {
		throw replicaConfigInvalid({ field: "members", expected: "no member twice", actual: config.members.join(", ") });
	}
	if (!config.members.includes(nodeOf(config.replica))) {
		throw replicaConfigInvalid({
			field: "members",
			expected: nodeOf(config.replica),
			actual: config.members.join(", "),
		});
	}
}
