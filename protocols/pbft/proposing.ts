/** The primary's part: it gathers requests into batches and gives them numbers (OSDI'99 §4.2; batching: §6, "request batching"). */
import { accept } from "./agreement.ts";
import { broadcast, cancelTimer, highOf, isPrimary, type PbftCore, setTimer, type WaitingRequest } from "./core.ts";
import { type Batch, type SequenceNumber, sequenceAfter } from "./entities.ts";
import { slotAt } from "./slots.ts";
import { batchDigestOf, type Statement } from "./statements.ts";
import { sign } from "./vote-authentication.ts";

/** Proposes what waits, as far as the bounds allow. What does not fit leaves with a later batch. */
export function propose(core: PbftCore): void {
	if (!core.isActive || !isPrimary(core) || core.alarm !== null) return;
	while (openSlots(core) < core.config.openSlotsMax && core.nextSequence <= highOf(core)) {
		const next = gather(core);
		if (next.length === 0 ? !isEmptyBatchDue(core) : !isTimeFor(core, next)) return;
		proposeBatch(core, next);
	}
}

/** A change of membership waits for slots: where there are no requests, empty batches fill them. */
function isEmptyBatchDue(core: PbftCore): boolean {
	return core.pending !== null;
}

/** Slots that this primary has begun and that are not executed. */
function openSlots(core: PbftCore): number {
	return core.nextSequence - 1 - Math.max(core.executed, core.low);
}

/** The next batch: requests that are in no slot, in the order in which they came. */
function gather(core: PbftCore): WaitingRequest[] {
	const { batchMaxRequests, batchMaxBytes } = core.config;
	const gathered: WaitingRequest[] = [];
	let sizeBytes = 0;
	for (const waiting of core.unproposed.values()) {
		sizeBytes += waiting.request.operation.length;
		if (sizeBytes > batchMaxBytes) {
			core.isBatchDue = true;
			break;
		}
		gathered.push(waiting);
		if (gathered.length === batchMaxRequests) break;
	}
	return gathered;
}

/** A batch that is not full waits while others are under way, and for `batchDelayMs` from its first request on. */
function isTimeFor(core: PbftCore, batch: readonly WaitingRequest[]): boolean {
	const { batchDelayMs, batchMaxRequests, partialSlotsMax } = core.config;
	if (core.isBatchDue || batch.length === batchMaxRequests) return true;
	if (openSlots(core) >= partialSlotsMax) return false;
	if (batchDelayMs === 0) return true;
	if (!core.isBatchTimerSet) {
		core.isBatchTimerSet = true;
		setTimer(core, "batch", batchDelayMs);
	}
	return false;
}

export function handleBatchTimer(core: PbftCore): void {
	core.isBatchTimerSet = false;
	core.isBatchDue = true;
}

function proposeBatch(core: PbftCore, gathered: readonly WaitingRequest[]): void {
	if (core.isBatchTimerSet) {
		core.isBatchTimerSet = false;
		cancelTimer(core, "batch");
	}
	core.isBatchDue = false;
	const choice = core.choices.propose(core.choice);
	const batch: Batch = { requests: gathered.map(({ request }) => request), choice };
	const digest = batchDigestOf(
		core.crypto.digest,
		gathered.map((waiting) => waiting.digest),
		choice,
	);
	const sequence: SequenceNumber = core.nextSequence;
	core.nextSequence = sequenceAfter(sequence);
	const { view } = core;
	const { epoch } = core.configuration;
	const statement: Statement = { type: "pre-prepare", epoch, view, sequence, digest };
	const signature = sign(core, statement);
	broadcast(core, { type: "pre-prepare", epoch, view, sequence, digest, batch, signature });
	accept(core, slotAt(core, sequence), digest, signature, batch);
}
