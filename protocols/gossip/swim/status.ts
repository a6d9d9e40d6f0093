/** What a member tells of itself and of the group, as plain data. */
import type { NodeId } from "../../core/index.ts";
import type { SwimCore } from "./core.ts";
import type { MemberState } from "./member-table.ts";

export interface SwimStatus {
	readonly nodeId: NodeId;
	readonly phase: "new" | "running" | "leaving" | "left";
	readonly incarnation: number;
	/** Local health score; 0 is well. */
	readonly health: number;
	/** Members believed to be there, this one included. */
	readonly present: number;
	readonly suspects: number;
	readonly dead: number;
	readonly left: number;
	/** Statements that are still to be spread. */
	readonly updatesWaiting: number;
	readonly lamport: number;
	/** Present knobs of gossip. */
	readonly gossip: { readonly fanout: number; readonly intervalMs: number };
	/** Direct probes of this life that were judged, and those of them that were answered in time. */
	readonly probes: { readonly judged: number; readonly answered: number };
	/** What each other member is held for. Computed when it is called. */
	members(): readonly MemberStatus[];
	/** The state of one member. */
	stateOf(id: NodeId): MemberState;
}

export interface MemberStatus {
	readonly node: NodeId;
	readonly state: MemberState;
	readonly incarnation: number;
	readonly tags: Uint8Array;
}

export function statusOf(core: SwimCore): SwimStatus {
	const { members, config, phase, incarnation, health, lamport } = core;
	return {
		nodeId: config.nodeId,
		phase,
		incarnation,
		health,
		present: members.present + 1,
		suspects: members.count("suspect"),
		dead: members.count("dead") + members.count("buried"),
		left: members.count("left"),
		updatesWaiting: core.updates.size,
		lamport,
		gossip: core.gossip,
		probes: core.probes,
		members: () =>
			members.ids().map((node) => {
				const { tags } = members.statementOf(node);
				return { node, state: members.stateOf(node), incarnation: members.incarnationOf(node), tags };
			}),
		stateOf: (id) => members.stateOf(id),
	};
}
