/** The supervision tree of many groups as data: below the root, beside the storage, a supervisor for each group. */
import type { NodeId } from "../../protocols/core/index.ts";
import type { Address } from "../../runtime/actor/index.ts";
import type { ChildSpec } from "../../supervisors/index.ts";
import type { CheckedGroup } from "../swarm/options.ts";
import { groupSupervisorName, memberActor, membersSupervisor } from "../swarm/tree.ts";

/** The thread of a node: all its members share it. No id of a group or node has a colon, so it is no actor's name. */
export function nodeThread(node: NodeId): string {
	return `node:${node}`;
}

/** The inverse of {@link nodeThread}; null for another thread. */
export function nodeOfThread(name: string): NodeId | null {
	return name.startsWith("node:") ? (name.slice("node:".length) as NodeId) : null;
}

/** One group with its members, each on its node's thread. A group that gives up is not started again, and takes nobody with it. */
export function hostedGroupChild(group: CheckedGroup, storage: Address): ChildSpec {
	const children = group.nodes.map((node): ChildSpec => {
		const member = memberActor(group, node, group.nodes, storage);
		return { id: member.name, start: { ...member, placement: { group: nodeThread(node) } } };
	});
	const name = groupSupervisorName(group.group);
	return { id: name, restart: "temporary", start: membersSupervisor(name, children) };
}
