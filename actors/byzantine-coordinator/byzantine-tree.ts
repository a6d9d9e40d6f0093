/**
 * The supervision tree of a Byzantine group as data. Unlike in a swarm each member has a supervisor of its own: one that fails again and
 * again is given up alone. Whoever lies can also crash as often as it likes, and must not end the others by it.
 */
import type { NodeId } from "../../protocols/core/index.ts";
import type { Address, ModuleSource } from "../../runtime/actor/index.ts";
import type { ChildSpec } from "../../supervisors/index.ts";
import { type PbftParticipantArgs, participantName } from "../participant/index.ts";
import { groupSupervisorName } from "../swarm/tree.ts";
import { ADMINISTRATOR, type Identities } from "./identities.ts";
import type { CheckedByzantineGroup } from "./options.ts";

/** The members, one-for-one: each failure concerns one of them, and the others decide without it. */
export function byzantineGroupChild(
	group: CheckedByzantineGroup,
	running: readonly NodeId[],
	identities: Identities,
	storage: Address,
): ChildSpec {
	const name = groupSupervisorName(group.group);
	return {
		id: name,
		restart: "temporary",
		start: {
			name,
			strategy: "one-for-one",
			children: running.map((node) => memberChild(group, node, identities, storage)),
		},
	};
}

/** One member, or a node in reserve that is to become one: it begins with the first configuration, and is shown the later ones. */
export function memberChild(
	group: CheckedByzantineGroup,
	node: NodeId,
	identities: Identities,
	storage: Address,
): ChildSpec {
	const { application, tuning, nodes, standbys, faults } = group;
	const args: PbftParticipantArgs = {
		group: group.group,
		node,
		members: nodes,
		candidates: [...nodes, ...standbys],
		administrators: [ADMINISTRATOR],
		faults,
		storage,
		durability: group.storage === "memory" ? "handed-over" : "flushed",
		application,
		tuning,
		identity: identities.secretOf(node),
		enrolled: identities.enrolled,
	};
	const attack = group.attackers.get(node);
	const source: ModuleSource = attack === undefined ? group.participant : group.attacker;
	const name = participantName(group.group, node);
	const participant: ChildSpec = {
		id: name,
		start: {
			name,
			behaviour: { ...source, args: attack === undefined ? args : { ...args, attack, seed: group.seed } },
			placement: "dedicated",
			waiting: "blocking",
		},
	};
	return {
		id: name,
		restart: "temporary",
		start: {
			name: memberSupervisorName(group.group, node),
			strategy: "one-for-one",
			intensity: 5,
			periodMs: 10_000,
			backoff: { minMs: 50, maxMs: 2_000, jitter: 0.2, stableMs: 5_000, immediate: 1 },
			children: [participant],
		},
	};
}

/** Who starts one member again. */
export function memberSupervisorName(group: string, node: NodeId): string {
	return `${groupSupervisorName(group)}/${node}`;
}
