/**
 * `protocols/pbft/model`: PBFT put into the checker of `protocols/verification/model-checker`, with members that lie. The machine is the
 * shipped one, the properties are those of `../properties`; here are only its disk, its bounds, what liars may say, and which of its
 * states behave alike.
 *
 * What a model leaves out: checkpoints and state transfer (they need more slots than a model has), authenticators of clients (every request
 * is signed), renewal of keys, collectors, membership, and repetition by the status timer, which here never fires.
 */
import type { GroupModel } from "../../verification/model-checker/index.ts";
import { pbftProperties } from "../properties/index.ts";
import type { PbftView } from "../view.ts";
import type { PbftTypes } from "../vocabulary.ts";
import { type PbftPortOptions, pbftPort } from "./pbft-port.ts";

export type { PbftPortOptions, ViewablePbft } from "./pbft-port.ts";

/** A model of one PBFT group: the bounds of its members, and of what the world and liars may do to them. */
export interface PbftModelOptions
	extends PbftPortOptions,
		Pick<GroupModel<PbftTypes, PbftView>, "disk" | "network" | "isReduced"> {
	/** Messages under way at once; `"any"` of a cumulative network. */
	readonly inFlight: number | "any";
	/** What may happen in one run: crashes, lost messages, messages that are delivered twice. */
	readonly crashes: number;
	readonly losses: number | "any";
	readonly duplicates: number | "any";
	/** Things that liars say in one run. */
	readonly forgeries: number | "any";
}

/** The model; whether its bounds are sound is checked by `groupSpace`. Members are not alike, since each leads another view. */
export function pbftModel(options: PbftModelOptions): GroupModel<PbftTypes, PbftView> {
	const { inFlight, crashes, losses, duplicates, forgeries, disk, network, isReduced } = options;
	return {
		name: "pbft",
		port: pbftPort(options),
		properties: pbftProperties.filter(({ id, kind }) => {
			if (kind === "always") return !(checkpointProperties.has(id) || (isUnproved(options) && convictions.has(id)));
			return isReachable(id, options);
		}),
		bounds: { inFlight, crashes, losses, duplicates, forgeries: options.liars.length === 0 ? 0 : forgeries },
		disk,
		network,
		isReduced,
		isSymmetric: false,
	};
}

/** They speak of checkpoints, and a model has none. */
const checkpointProperties: ReadonlySet<string> = new Set(["checkpoint-agreement"]);

/** They speak of convictions: authenticators convict nobody, and where nobody lies there is none to judge. */
const convictions: ReadonlySet<string> = new Set(["no-false-conviction", "convicted-never-leads", "member-convicted"]);

function isUnproved({ votes }: PbftModelOptions): boolean {
	return votes === "authenticated";
}

/** Whether a witness exists within such bounds, so that its absence would mean that the model is vacuous. */
function isReachable(id: string, options: PbftModelOptions): boolean {
	if (isUnproved(options) && convictions.has(id)) return false;
	const { views, slots, requests, liars } = options;
	switch (id) {
		case "something-decided":
			return slots >= 1 && requests + liars.length >= 1;
		case "view-changed":
			return views >= 1 && requests >= 1;
		case "decided-in-later-view":
			return views >= 1 && slots >= 1 && requests >= 1;
		case "member-convicted":
			return liars.length >= 1;
		default:
			return false;
	}
}
