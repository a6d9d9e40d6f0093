/** What has to go to the disk with the next persist, gathered while a batch is handled. */
import type { JournalRecord, PbftWrite } from "./vocabulary.ts";

/** What the disk was not handed yet. */
export interface Unsaved {
	records: JournalRecord[];
	/** Something is to leave that rests on these records; else they wait for the next persist. */
	isUrgent: boolean;
	isView: boolean;
	/** Somebody was convicted. It leaves with the next persist: who leaves a view for it makes one. */
	isConviction: boolean;
	/** The water marks have moved. It leaves with the next vote, since nothing rests on it before. */
	isStable: boolean;
	parts: NonNullable<PbftWrite["parts"]>[number][];
	base: NonNullable<PbftWrite["base"]> | null;
}

export function nothingUnsaved(): Unsaved {
	return {
		records: [],
		isUrgent: false,
		isView: false,
		isConviction: false,
		isStable: false,
		parts: [],
		base: null,
	};
}
