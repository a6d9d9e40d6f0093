/** Raft as an actor: what a thread builds from a member's settings. */

import { type NodeId, nodeId, nodeIds } from "../../protocols/core/index.ts";
import { type RaftConfig, type RaftTypes, raftConfig } from "../../protocols/raft/index.ts";
import type { Address, Metrics } from "../../runtime/actor/index.ts";
import { constructApplication, HostedApplication } from "./hosted-application.ts";
import { applyingGauge, applyingGroupGauge } from "./metrics.ts";
import { Participant, type ParticipantSettings } from "./participant.ts";
import { RaftAdapter, raftStoreName } from "./raft-adapter.ts";

/** What a group may change of Raft's configuration: all but who its members are. `witnesses` are those of its first boot. */
export type RaftTuning = Partial<Omit<RaftConfig, "nodeId" | "voters" | "witnesses">> & {
	readonly witnesses?: readonly string[];
};

/** @throws QuorateError `invalid-argument`, `raft-config-invalid`, `raft-config-contradiction` */
export function raftConfigOf(
	node: NodeId,
	voters: readonly NodeId[],
	{ witnesses = [], ...tuning }: RaftTuning,
): RaftConfig {
	return raftConfig({ ...tuning, nodeId: node, voters, witnesses: nodeIds("witnesses", witnesses) });
}

/** A member's settings: cloneable, since they travel to its thread. */
export interface RaftParticipantArgs {
	readonly group: string;
	readonly node: string;
	/** The voters of the group's first boot; this member, if it joins later, is none of them. */
	readonly voters: readonly string[];
	/** All that are known of when this member is started, this one included. */
	readonly members: readonly string[];
	/** Where the storage actor is. Its thread is never replaced, so the address stays true. */
	readonly storage: Address;
	readonly application: { readonly module: string; readonly export: string; readonly args?: unknown };
	readonly tuning: RaftTuning;
	/** Which of the groups this is that share its thread, from 1; told by a gauge while the application applies. */
	readonly groupNumber?: number;
}

/** Where this module is, for a behaviour source: {@link RaftParticipant} is its export. */
export const raftParticipantModule: string = import.meta.url;

/** One member of a Raft group. */
export class RaftParticipant extends Participant<RaftTypes> {
	constructor(args: RaftParticipantArgs) {
		super(raftParticipantSettings(args));
	}
}

/** What makes a {@link Participant} a member of a Raft group; an observer may put itself around the adapter. */
export function raftParticipantSettings(args: RaftParticipantArgs): ParticipantSettings<RaftTypes> {
	const node = nodeId(args.node);
	const members = args.members.map(nodeId);
	const store = raftStoreName(args.group, node);
	return {
		group: args.group,
		node,
		members,
		store,
		storage: args.storage,
		open: async (context) => {
			const { application: source } = args;
			const name = `${source.export} of ${source.module}`;
			const application = constructApplication(name, await context.loadModule(source), source.args);
			return new RaftAdapter({
				group: args.group,
				store,
				config: raftConfigOf(node, args.voters.map(nodeId), args.tuning),
				application: new HostedApplication(name, application, applyingGauges(context.metrics, args)),
				metrics: context.metrics,
			});
		},
	};
}

/** Where others see what a member applies, if its thread ends in that. */
function applyingGauges(metrics: Metrics, { node, groupNumber }: RaftParticipantArgs): { set(value: number): void } {
	const index = metrics.gauge(applyingGauge(node));
	if (groupNumber === undefined) return index;
	const group = metrics.gauge(applyingGroupGauge(node));
	return {
		set: (value) => {
			if (value !== 0) group.set(groupNumber);
			index.set(value);
		},
	};
}
