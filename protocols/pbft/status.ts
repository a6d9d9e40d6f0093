/** What a member tells of itself when asked: plain data for people and dashboards. */
import type { NodeId } from "../core/index.ts";
import { hexOf } from "./bytes.ts";
import { outOfContact } from "./contact.ts";
import { type PbftCore, takesPart } from "./core.ts";
import { primaryOf } from "./entities.ts";

export interface PbftStatus {
	readonly view: number;
	readonly isActive: boolean;
	readonly primary: NodeId;
	/** Not so before it was added and after it was removed. */
	readonly isMember: boolean;
	/** Of the configuration in force, as far as this one knows. */
	readonly epoch: number;
	/** The last slot of this epoch, if a change of membership is ordered; else null. */
	readonly epochEndsAfter: number | null;
	readonly members: readonly NodeId[];
	readonly faults: number;
	readonly low: number;
	readonly executed: number;
	/** Digest chain over all decisions, in hex: equal at members that have executed equally many. */
	readonly chain: string;
	readonly waiting: number;
	readonly openSlots: number;
	readonly isTransferring: boolean;
	/** It hears no quorum, so nothing is decided on its side; see `contact.ts`. */
	readonly isParted: boolean;
	/** Members that it has not heard for `contactStatuses` of its statuses. */
	readonly outOfContact: readonly NodeId[];
	/** Against whom this member holds a proof. */
	readonly convicted: readonly NodeId[];
	/** Two decisions of one slot were seen: this member has stopped. */
	readonly isHalted: boolean;
}

export function statusOf(core: PbftCore): PbftStatus {
	let openSlots = 0;
	for (const { sequence, decision } of core.slots.values()) {
		if (sequence > core.executed && decision === null) openSlots++;
	}
	return {
		view: core.view,
		isActive: core.isActive,
		primary: primaryOf(core.configuration, core.view),
		isMember: takesPart(core),
		epoch: core.configuration.epoch,
		epochEndsAfter: core.pending?.effectiveAfter ?? null,
		members: core.configuration.members,
		faults: core.configuration.faults,
		low: core.low,
		executed: core.executed,
		chain: hexOf(core.chain),
		waiting: core.waiting.size,
		openSlots,
		isTransferring: core.transfer !== null,
		isParted: core.isParted,
		outOfContact: outOfContact(core),
		convicted: [...core.convicted.keys()],
		isHalted: core.alarm !== null,
	};
}
