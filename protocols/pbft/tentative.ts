/**
 * Tentative execution (OSDI'99 §5.1.2): a batch that is prepared, next in order, and behind committed ones alone, is executed before it is
 * committed, which saves a message delay. A client believes a quorum of equal tentative answers of one view: so many members have the batch
 * prepared in that view that every view change carries it on. Whoever leaves the view undoes what is not committed; at most one batch is.
 *
 * What a view change carries does not change by it (rule 35): it is what is prepared, executed or not. Changes of membership are never
 * executed tentatively, and reads wait until nothing is (rule 13).
 */
import type { RequestId } from "../core/index.ts";
import { equalBytes } from "./bytes.ts";
import { deliver, type PbftCore } from "./core.ts";
import { type Batch, type ClientRequest, type Digest, type SequenceNumber, sequenceAfter } from "./entities.ts";
import { releaseReads } from "./reads.ts";
import { keyOf } from "./requests.ts";
import { bodyOf } from "./slots.ts";

/** Executes the next slot if it is prepared and not committed. */
export function executeTentatively(core: PbftCore): void {
	if (!core.config.executesTentatively || core.tentative !== null || !core.isActive || core.alarm !== null) return;
	const slot = core.slots.get(sequenceAfter(core.executed));
	if (slot === undefined || !slot.isPrepared || slot.accepted === null || slot.decision !== null) return;
	const batch = bodyOf(core, slot, slot.accepted.digest) ?? null;
	if (batch === null || batch.requests.some(({ kind }) => kind === "configure")) return;
	const { sequence } = slot;
	const requests = newRequestsOf(core, batch);
	if (requests.length === 0) return;
	core.tentative = { sequence, digest: slot.accepted.digest };
	const requestIds = requests.map((request) => takeAskers(core, request));
	const isAwaited = requestIds.some((ids) => ids.length > 0);
	const awaited = isAwaited ? requestIds : null;
	const { view } = core;
	const { choice } = batch;
	deliver(core, { type: "execute-tentatively", sequence, view, requests, requestIds: awaited, choice });
}

/** Those that committing the batch now would execute; nothing is recorded of them yet. */
function newRequestsOf(core: PbftCore, { requests }: Batch): ClientRequest[] {
	const seen = new Set<string>();
	return requests.filter((request) => {
		const key = keyOf(request);
		if (seen.has(key) || core.clients.look(request.client, request.timestamp) !== "new") return false;
		seen.add(key);
		return true;
	});
}

/** Who asks for a request gets the tentative answer; who asks again gets the committed one. */
function takeAskers(core: PbftCore, request: ClientRequest): readonly RequestId[] {
	const waiting = core.waiting.get(keyOf(request));
	if (waiting === undefined) return [];
	const { requestIds } = waiting;
	waiting.requestIds = [];
	return requestIds;
}

/** Undoes what is not committed: the view is left, or another batch was decided in its slot. */
export function rollBack(core: PbftCore): void {
	if (core.tentative === null) return;
	const { sequence } = core.tentative;
	core.tentative = null;
	deliver(core, { type: "roll-back", sequence });
	releaseReads(core);
}

/** Whether a slot was executed already, with the batch that turned out to be decided. */
export function isExecutedAs({ tentative }: PbftCore, sequence: SequenceNumber, digest: Digest): boolean {
	return tentative !== null && tentative.sequence === sequence && equalBytes(tentative.digest, digest);
}
