/**
 * `protocols/raft/model`: Raft as a model for the checker of `protocols/verification/model-checker`, over the shipped
 * machine.
 */
import type { GroupModel } from "../../verification/model-checker/index.ts";
import type { RaftTypes } from "../vocabulary.ts";
import type { RaftView } from "../view.ts";
import { raftProperties } from "../properties/index.ts";
import { raftPort, type RaftPortOptions } from "./raft-port.ts";

export interface RaftModelOptions extends RaftPortOptions {
	readonly inFlight: number;
	readonly crashes: number;
	readonly losses: number | "any";
	readonly duplicates: number;
	readonly disk: "synchronous" | "asynchronous";
	readonly isSymmetric: boolean;
	readonly isReduced: boolean;
	readonly network: "set" | "multiset";
}

export function raftModel(options: RaftModelOptions): GroupModel<RaftTypes, RaftView> {
	const { inFlight, crashes, losses, duplicates, disk, isSymmetric, isReduced, network } = options;
	return {
		name: "raft",
		port: raftPort(options),
		properties: raftProperties.filter(({ kind, id }) => kind !== "eventually" && !["snapshot-installed", "log-compacted", "read-answered"].includes(id)),
		bounds: { inFlight, crashes, losses, duplicates, forgeries: 0 },
		disk,
		isSymmetric,
		isReduced,
		network,
	};
}
