/** What an update does and leans on, without applying it: for whoever does not believe its author. */
import { CausalContext } from "../causality/causal-context.ts";
import type { ReplicaId } from "../causality/replica.ts";
import type { DocumentCore } from "./core.ts";
import { DELETION, ENTRY, INSERTION } from "./update-builder.ts";
import { readUpdate, type UpdateRecord } from "./update-reader.ts";

export interface UpdateScope {
	readonly epoch: number;
	/** Whose operations it has, and which. */
	readonly sections: readonly { readonly replica: ReplicaId; readonly first: number; readonly last: number }[];
	/** Everything that must be applied before it: what it says it needs, and what its operations refer to beside each other. */
	readonly needs: CausalContext;
}

/** @throws QuorateError as `readUpdate` */
export function scopeOf(core: DocumentCore, bytes: Uint8Array): UpdateScope {
	const { epoch, sections, requires } = readUpdate(core, bytes);
	const needs = new CausalContext();
	const need = (replica: number, sequence: number): void => {
		if (replica < 0) return;
		const isWithin = sections.some((own) => own.replica === replica && own.first <= sequence && sequence <= own.last);
		if (!isWithin) needs.addThrough(core.replicas.at(replica), sequence);
	};
	for (let at = 0; at < requires.length; at += 2) need(requires[at]!, requires[at + 1]!);
	for (const { records } of sections) for (const record of records) eachReference(record, need);
	return {
		epoch,
		sections: sections.map(({ replica, first, last }) => ({ replica: core.replicas.at(replica), first, last })),
		needs,
	};
}

function eachReference(record: UpdateRecord, need: (replica: number, sequence: number) => void): void {
	switch (record.kind) {
		case INSERTION:
			need(record.leftReplica, record.leftSequence);
			need(record.rightReplica, record.rightSequence);
			return;
		case DELETION:
			need(record.targetReplica, record.targetSequence + record.length - 1);
			return;
		case ENTRY: {
			const supersedes = record.supersedes ?? [];
			for (let at = 0; at < supersedes.length; at += 3) need(supersedes[at]!, supersedes[at + 2]!);
			return;
		}
	}
}
