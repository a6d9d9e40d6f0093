/** New incarnations for replicas that start with nothing: none that their node has had, as long as its clock does not go back. */
import type { NodeId } from "../../protocols/core/index.ts";

/** 2020-01-01: incarnations count seconds from here, so they last until 2156. */
const INCARNATION_EPOCH_MS = 1_577_836_800_000;
/** The last incarnation of each node in this process, for two in one second. */
const lastIncarnations = new Map<NodeId, number>();

/** @param nowMs the wall clock, in milliseconds since 1970 */
export function nextIncarnation(node: NodeId, nowMs: number): number {
	const byClock = Math.max(0, Math.floor((nowMs - INCARNATION_EPOCH_MS) / 1_000));
	const incarnation = Math.max(byClock, (lastIncarnations.get(node) ?? -1) + 1);
	lastIncarnations.set(node, incarnation);
	return incarnation;
}
