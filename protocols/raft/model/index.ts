/**
 * `protocols/raft/model`: Raft put into the checker of `protocols/verification/model-checker`. The machine is the shipped
 * one, the properties are those of `../properties`; here are only its disk, its bounds, and which of its states behave
 * alike.
 *
 * What a model leaves out: snapshots, compaction and reads (they need more entries than a model has), leases (they need
 * time), and membership.
 * A follower's trust in its leader ends at once under reduction, so that ignored candidates are explored only without it.
 */
import type { GroupModel } from "../../verification/model-checker/index.ts";
import { raftProperties } from "../properties/index.ts";
import type { RaftView } from "../view.ts";
import type { RaftTypes } from "../vocabulary.ts";
import { type RaftPortOptions, raftPort } from "./raft-port.ts";

export type { RaftPortOptions, ViewableRaft } from "./raft-port.ts";

/** A model of one Raft group: the bounds of its members, and of what the world may do to them. */
export interface RaftModelOptions
	extends RaftPortOptions,
		Pick<GroupModel<RaftTypes, RaftView>, "disk" | "network" | "isReduced" | "isSymmetric"> {
	/** Messages under way at once; `"any"` of a cumulative network. */
	readonly inFlight: number | "any";
	/** What may happen in one run: crashes, lost messages, messages that are delivered twice. */
	readonly crashes: number;
	readonly losses: number | "any";
	readonly duplicates: number | "any";
	/**
	 * Judges what must be true in the end (`leader-exists`) on every fair run that goes on for ever within the bounds, instead of
	 * what must always be true. Default false. Only with bounds on the network, and without symmetry and reduction.
	 */
	readonly isEventual?: boolean;
}

/** The model; whether its bounds are sound is checked by `groupSpace`. */
export function raftModel(options: RaftModelOptions): GroupModel<RaftTypes, RaftView> {
	const { inFlight, crashes, losses, duplicates, disk, network, isReduced, isSymmetric, isEventual } = options;
	return {
		name: "raft",
		port: raftPort(options),
		properties: raftProperties.filter(({ id, kind }) => {
			if (isEventual === true) return eventualProperties.has(id);
			return kind === "always" ? !membershipProperties.has(id) : isReachable(id, options);
		}),
		bounds: { inFlight, crashes, losses, duplicates, forgeries: 0 },
		disk,
		network,
		isReduced,
		isSymmetric,
	};
}

/** They speak of changes of membership, and a model has none. */
const membershipProperties: ReadonlySet<string> = new Set(["one-change-at-a-time", "consecutive-quorums-intersect"]);

/** Of those that must be true in the end, the ones that the machines alone can show. */
const eventualProperties: ReadonlySet<string> = new Set(["leader-exists"]);

/** Whether a witness exists within such bounds, so that its absence would mean that the model is vacuous. */
function isReachable(id: string, { nodes, terms, log, crashes }: RaftModelOptions): boolean {
	switch (id) {
		case "leader-elected":
			return true;
		case "quorum-lost":
			return nodes >= 2;
		case "leader-replaced":
			return terms >= 2 && crashes >= 1;
		case "conflict-cut":
			return terms >= 2 && nodes >= 3;
		case "earlier-term-committed":
			return terms >= 2 && log >= 2 && nodes >= 2;
		default:
			return false;
	}
}
