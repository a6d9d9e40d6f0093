/** What members' disks hold of the log, as far as a watcher remembers it. */
import type { NodeId } from "../../core/index.ts";
import type { LogIndex } from "../entry.ts";
import type { RaftDurable } from "../vocabulary.ts";
import { type EntryDigest, entryDigest } from "./entry-digest.ts";

/** One disk's log as digests. It is followed from one durable state to the next for the price of what changed. */
class DiskLog {
	#snapshotIndex = 0;
	#firstIndex = 1;
	#digests: EntryDigest[] = [];
	#isUnderRepair = false;

	/** Whether the disk has one of these at an index, or a snapshot that covers it. */
	holds(index: LogIndex, ...digests: readonly EntryDigest[]): boolean {
		const found = this.#digests[index - this.#firstIndex];
		return index <= this.#snapshotIndex || (found !== undefined && digests.includes(found));
	}

	/** It has lost what it may have held, and its member counts as one that is down. */
	get isUnderRepair(): boolean {
		return this.#isUnderRepair;
	}

	/** Takes up what the disk holds now. Returns the lowest index at which it has lost an entry, or null. */
	follow({ hardState, snapshot, firstIndex, entries, damagedFrom }: RaftDurable): LogIndex | null {
		// What was just found damaged is noted with the next write.
		this.#isUnderRepair = hardState.isUnderRepair === true || damagedFrom !== undefined;
		this.#snapshotIndex = snapshot?.lastIndex ?? 0;
		const lastBefore = this.#firstIndex + this.#digests.length - 1;
		if (firstIndex !== this.#firstIndex) {
			// It begins earlier only when all of it was lost.
			if (firstIndex < this.#firstIndex) this.#digests = [];
			this.#digests.splice(0, Math.max(0, firstIndex - this.#firstIndex));
			this.#firstIndex = firstIndex;
		}
		// Logs change at their end only: the last entry that is still there has all before it.
		let kept = Math.min(this.#digests.length, entries.length);
		while (kept > 0 && this.#digests[kept - 1] !== entryDigest(entries[kept - 1] as (typeof entries)[number])) kept--;
		this.#digests.length = kept;
		for (let i = kept; i < entries.length; i++) this.#digests.push(entryDigest(entries[i] as (typeof entries)[number]));
		const lastKept = firstIndex + kept - 1;
		return lastKept < lastBefore ? ((lastKept + 1) as LogIndex) : null;
	}

	get state(): unknown {
		const shown = { snapshotIndex: this.#snapshotIndex, firstIndex: this.#firstIndex, digests: this.#digests };
		return this.#isUnderRepair ? { ...shown, isUnderRepair: true } : shown;
	}

	copy(): DiskLog {
		const copy = new DiskLog();
		copy.#snapshotIndex = this.#snapshotIndex;
		copy.#firstIndex = this.#firstIndex;
		copy.#digests = this.#digests.slice();
		copy.#isUnderRepair = this.#isUnderRepair;
		return copy;
	}
}

/** What a watcher remembers of the disks of a group: a disk that it was never shown is not there. */
export class DiskLogs {
	readonly #disks: Map<NodeId, DiskLog>;

	constructor(disks: Map<NodeId, DiskLog> = new Map()) {
		this.#disks = disks;
	}

	of(node: NodeId): DiskLog | undefined {
		return this.#disks.get(node);
	}

	/** Takes up what a member's disk holds now; returns as {@link DiskLog.follow}. */
	follow(node: NodeId, durable: RaftDurable): LogIndex | null {
		let disk = this.#disks.get(node);
		if (disk === undefined) {
			disk = new DiskLog();
			this.#disks.set(node, disk);
		}
		return disk.follow(durable);
	}

	get state(): unknown {
		return new Map([...this.#disks].map(([node, disk]) => [node, disk.state]));
	}

	copy(): DiskLogs {
		return new DiskLogs(new Map([...this.#disks].map(([node, disk]) => [node, disk.copy()])));
	}
}
