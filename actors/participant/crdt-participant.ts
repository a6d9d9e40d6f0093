/** A replica of replicated values as an actor: what a thread builds from a member's settings. */
import { nodeId } from "../../protocols/core/index.ts";
import type { CrdtTypes, DocumentSchema } from "../../protocols/crdt/index.ts";
import type { Address } from "../../runtime/actor/index.ts";
import { CrdtAdapter, type CrdtAdapterSettings, type CrdtTuning } from "./crdt-adapter.ts";
import { crdtStoreName } from "./crdt-store.ts";
import { Participant, type ParticipantSettings } from "./participant.ts";

/** A member's settings: cloneable, since they travel to its thread. */
export interface CrdtParticipantArgs {
	readonly group: string;
	readonly node: string;
	/** All members, this one included. */
	readonly members: readonly string[];
	readonly schema: DocumentSchema;
	/** Where the storage actor is. Its thread is never replaced, so the address stays true. */
	readonly storage: Address;
	/** The incarnation of a member whose store is empty: none that it has had before. */
	readonly incarnation: number;
	readonly tuning: CrdtTuning;
}

/** Where this module is, for a behaviour source: {@link CrdtParticipant} is its export. */
export const crdtParticipantModule: string = import.meta.url;

/** One member of a group of replicas. */
export class CrdtParticipant extends Participant<CrdtTypes> {
	constructor(args: CrdtParticipantArgs) {
		super(crdtParticipantSettings(args));
	}
}

/**
 * What makes a {@link Participant} a replica.
 * @param wallMs the wall clock, in milliseconds since 1970
 */
export function crdtParticipantSettings(
	args: CrdtParticipantArgs,
	translate?: CrdtAdapterSettings["translate"],
	wallMs: () => number = Date.now,
): ParticipantSettings<CrdtTypes> {
	const { group, schema, tuning, incarnation } = args;
	const node = nodeId(args.node);
	const members = args.members.map(nodeId);
	return {
		group,
		node,
		members,
		store: crdtStoreName(group, node),
		storage: args.storage,
		open: async ({ metrics }) => {
			const settings = { group, node, members, schema, tuning, incarnation, metrics, wallMs };
			return new CrdtAdapter(translate === undefined ? settings : { ...settings, translate });
		},
	};
}
