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
	 * As long as exchanges find nothing to exchange, the time between two of them grows by half each round of all members, up to this;
	 * anything new brings it back to `syncIntervalMs`. At least that, at most 3,600,000 milliseconds. Default: `syncIntervalMs`, so it
	 * stays the same.
	 */
	readonly syncIntervalMaxMs: number;
	/**
	 * Log records kept for members that have not acknowledged them, 1 to 10,000,000; with more, the log is cut, and who is behind
	 * gets the whole state. Default 1,000.
	 */
	readonly logRecordsMax: number;
	/** Updates appended before the whole state is written in their place, 1 to 1,000,000. Default 1,000. */
	readonly appendsMax: number;
	/** Bytes of an update above which the whole state is written instead, 1 to 1 GiB. Default 1 MiB. */
	readonly appendBytesMax: number;
	/** Attempts, one each `syncIntervalMs`, after which a round for a collection has taken too long, 2 to 10,000. Default 20. */
	readonly collectionAttemptsMax: number;
	/** Own changes that wait for the end of such a round, 0 to 1,000,000; more are refused. Default 1,000. */
	readonly heldChangesMax: number;
	/** Changes that `undo` can take back, each as a whole, 0 to 1,000,000. With the default 0 nothing is kept for it. */
	readonly undoGroupsMax: number;
}

const SYNC_INTERVAL_MS_DEFAULT = 100;
const defaults = {
	logRecordsMax: 1_000,
	appendsMax: 1_000,
	appendBytesMax: 1_048_576,
	collectionAttemptsMax: 20,
	heldChangesMax: 1_000,
	undoGroupsMax: 0,
} as const;

/** The defaults, for a replica of a group. */
export function replicaConfig(
	given: Pick<ReplicaConfig, "replica" | "members" | "schema"> & Partial<ReplicaConfig>,
): ReplicaConfig {
	const { syncIntervalMs = SYNC_INTERVAL_MS_DEFAULT } = given;
	return { ...defaults, syncIntervalMs, syncIntervalMaxMs: syncIntervalMs, ...given };
}

/** @throws QuorateError `crdt-replica-config-invalid`, `crdt-schema-invalid`, `invalid-argument` */
export function validateReplicaConfig(config: ReplicaConfig): void {
	validateSchema(config.schema);
	requireInteger("syncIntervalMs", config.syncIntervalMs, 1, 3_600_000);
	requireInteger("syncIntervalMaxMs", config.syncIntervalMaxMs, config.syncIntervalMs, 3_600_000);
	requireInteger("logRecordsMax", config.logRecordsMax, 1, 10_000_000);
	requireInteger("appendsMax", config.appendsMax, 1, 1_000_000);
	requireInteger("appendBytesMax", config.appendBytesMax, 1, 2 ** 30);
	requireInteger("collectionAttemptsMax", config.collectionAttemptsMax, 2, 10_000);
	requireInteger("heldChangesMax", config.heldChangesMax, 0, 1_000_000);
	requireInteger("undoGroupsMax", config.undoGroupsMax, 0, 1_000_000);
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
