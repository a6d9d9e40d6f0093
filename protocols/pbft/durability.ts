/**
 * What goes to the disk and what may follow it. Everything that a batch of inputs gives rise to is persisted at once when the
 * batch ends, and what rests on it leaves behind that persist (see `Release` of the contract), so a member that restarts has
 * never said anything that it does not remember.
 */
import { type PbftCore, type Slot, viewRecordOf } from "./core.ts";
import { nothingUnsaved } from "./unsaved.ts";
import type { JournalRecord, PbftWrite } from "./vocabulary.ts";

/** Puts a record into the journal. One that is not urgent leaves with the next that is. */
export function journal(core: PbftCore, slot: Slot, record: JournalRecord, isUrgent = true): void {
	slot.firstRecord ??= core.nextRecord;
	core.nextRecord++;
	core.unsaved.records.push(record);
	if (isUrgent) core.unsaved.isUrgent = true;
}

/** Emits the persist of this batch, if there is one, and then what was gathered. */
export function persistAndRelease(core: PbftCore): void {
	const { unsaved, gathered, out } = core;
	if (unsaved.isUrgent || unsaved.isView || unsaved.parts.length > 0 || unsaved.base !== null) {
		out.push({ type: "persist", writeId: core.nextWriteId++, write: takeUnsaved(core) });
	}
	for (const effect of gathered) out.push(effect);
	core.gathered = [];
}

function takeUnsaved(core: PbftCore): PbftWrite {
	const { records, isView, isConviction, isStable, parts, base } = core.unsaved;
	core.unsaved = nothingUnsaved();
	const firstIndex = core.nextRecord - records.length;
	return {
		...(isView || isConviction ? { view: viewRecordOf(core) } : {}),
		...(isStable && core.stable !== null ? { stable: core.stable } : {}),
		...(records.length > 0 ? { append: { firstIndex, records } } : {}),
		...(parts.length > 0 ? { parts } : {}),
		...(base !== null ? { base, compactThrough: obsoleteThrough(core) } : {}),
	};
}

/** Records before the first one of any slot above the base are of no use any more. */
function obsoleteThrough(core: PbftCore): number {
	const base = core.base?.certificate.sequence ?? 0;
	let first = core.nextRecord;
	for (const { sequence, firstRecord } of core.slots.values()) {
		if (sequence > base && firstRecord !== null && firstRecord < first) first = firstRecord;
	}
	return first - 1;
}
