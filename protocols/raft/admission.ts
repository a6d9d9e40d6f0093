/** Whether a leader takes one more entry for a client, local or of a follower: its bounds, each with a refusal of its own. */
import { ENTRY_OVERHEAD_BYTES } from "./config.ts";
import type { RaftCore } from "./core.ts";
import type { RaftRefusal } from "./vocabulary.ts";

/** Why a command of `dataBytes` is too large for any leader, or null. */
export function refusalBySize(core: RaftCore, dataBytes: number): RaftRefusal | null {
	const { maxEntryBytes } = core.config;
	return dataBytes > maxEntryBytes ? { reason: "too-large", sizeBytes: dataBytes, limitBytes: maxEntryBytes } : null;
}

/** Why this leader does not take an entry of `dataBytes` now, or null; `pending` are those that count against its bound. */
export function refusalByLoad(core: RaftCore, dataBytes: number, pending: number): RaftRefusal | null {
	const { maxPendingProposals, maxUncommittedBytes, maxUnappliedEntries } = core.config;
	if (core.isApplicationBehind) return { reason: "application-behind", limitEntries: maxUnappliedEntries };
	if (pending >= maxPendingProposals) return { reason: "too-many-pending", limit: maxPendingProposals };
	const sizeBytes = ENTRY_OVERHEAD_BYTES + dataBytes;
	// One that is larger than the bound alone would never be taken if it had to fit in.
	if (core.uncommittedBytes === 0 || core.uncommittedBytes + sizeBytes <= maxUncommittedBytes) return null;
	return { reason: "too-many-uncommitted-bytes", limitBytes: maxUncommittedBytes };
}
