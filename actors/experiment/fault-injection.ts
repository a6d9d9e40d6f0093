/** What both engines do alike with a fault of the catalogue: find whom it hits, apply it to each, end it for all. */
import type { NetworkFault } from "../../runtime/index.ts";
import type { FaultSpec } from "../../supervisors/index.ts";
import { FaultArguments } from "./fault-arguments.ts";
import { isNetworkKind, networkFaultsOf } from "./network-faults.ts";
import type { InjectedFault } from "./staged-target.ts";
import type { TargetSelection } from "./target-selection.ts";

/** The catalogue's kinds that hit a disk, whether of one member or of all. */
export const diskKinds = ["slow-disk", "stalled-disk", "disk-full", "failed-flush", "read-error"] as const;
export type DiskKind = (typeof diskKinds)[number];

/** Ends a fault. */
export type Removal = () => Promise<void>;

/** How one engine applies faults. Each method may throw QuorateError `fault-not-applicable`. */
export interface FaultHandlers<MemberKind extends string> {
	/** Puts a fault between members; what is returned ends it. */
	onNetwork(fault: NetworkFault): () => void;
	/** Null: the disks of all members. */
	onDisk(kind: DiskKind, given: FaultArguments, nodes: readonly string[] | null): Removal;
	/** Returns what ends it; null for what is over at once. */
	onMember(kind: MemberKind, node: string, given: FaultArguments): Promise<Removal | null>;
}

/**
 * Applies a fault of a kind that the engine has.
 * @throws QuorateError `fault-not-applicable`, and what the engine's own handlers throw
 */
export async function injectFault<MemberKind extends string>(
	fault: FaultSpec,
	selection: TargetSelection,
	handlers: FaultHandlers<MemberKind>,
): Promise<InjectedFault> {
	const { kind } = fault;
	if (isNetworkKind(kind)) {
		const { faults, description } = networkFaultsOf(fault, selection);
		const removals = faults.map((one) => handlers.onNetwork(one));
		return { description, remove: async () => removals.forEach((remove) => void remove()) };
	}
	const given = new FaultArguments(fault);
	const target = given.text("target");
	const { nodes, text } = selection.select(kind, target);
	if (isDiskKind(kind))
		return { description: text, remove: handlers.onDisk(kind, given, target === "all" ? null : nodes) };
	const removals: Removal[] = [];
	for (const node of nodes) {
		const remove = await handlers.onMember(kind as MemberKind, node, given);
		if (remove !== null) removals.push(remove);
	}
	const remove = async (): Promise<void> => {
		for (const one of removals) await one();
	};
	return { description: text, remove: removals.length === 0 ? null : remove };
}

/** What ends something that a part of an engine has added. */
export function ends(added: { remove(): void }): Removal {
	return async () => added.remove();
}

function isDiskKind(kind: string): kind is DiskKind {
	return (diskKinds as readonly string[]).includes(kind);
}
