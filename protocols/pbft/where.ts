/** Saying where this member is: the one thing that makes others repeat what it lacks. */
import type { NodeId } from "../core/index.ts";
import { type PbftCore, sendImmediate } from "./core.ts";
import type { Status } from "./messages.ts";

/** Claims nothing that a restart could take back but `executed`, which is repeated then. */
export function statusOf(core: PbftCore): Status {
	const { view, isActive, low, executed, chain } = core;
	return { type: "status", configurationEpoch: core.configuration.epoch, view, isActive, low, executed, chain };
}

export function tellStatus(core: PbftCore, to: NodeId): void {
	sendImmediate(core, to, statusOf(core));
}
