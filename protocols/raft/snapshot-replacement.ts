/**
 * A leader whose own snapshot can not be read when it is to be sent. Its application has all of the state, so it takes
 * another, whose bytes go to the same peers. That one must reach further: chunks are told apart by the snapshot's last index, and
 * two snapshots of one index may differ in their bytes.
 */
import { emit, type RaftCore } from "./core.ts";
import { orderSnapshot } from "./delivery.ts";
import type { LogIndex } from "./entry.ts";
import { appendOwn } from "./replication.ts";
import { noOp } from "./roles.ts";

/** A read of the snapshot through `lastIndex` has found it damaged. It is read again with each heartbeat, until it is replaced. */
export function replaceSnapshot(core: RaftCore, lastIndex: LogIndex): void {
	// It was replaced meanwhile, or is about to be; a follower need not read it.
	if (core.role !== "leader" || core.snapshot?.lastIndex !== lastIndex || core.orderedSnapshot !== null) return;
	if (core.deliveredIndex > lastIndex) orderSnapshot(core);
	else if (core.log.lastIndex === lastIndex) appendOwn(core, noOp(core.term), null);
	else return;
	emit(core, { type: "snapshot-damaged", lastIndex, remedy: "own" });
}
