/** The writes that wait for the disk, of all stores, in the order they came; cut into groups for the engine. */
import type { StoreOperation, StoreWrite } from "./contract.ts";
import { STORAGE_GROUP_BYTES_MAX, STORAGE_GROUP_WRITES_MAX } from "./limits.ts";
import type { Session } from "./session.ts";

/** One write with where to report it. */
export interface QueuedWrite extends StoreWrite {
	readonly session: Session;
	readonly sequence: number;
	readonly operations: readonly StoreOperation[];
	readonly sizeBytes: number;
	/** Counts the writes of all stores. */
	readonly ticket: number;
}

export class GroupQueue {
	#writes: QueuedWrite[] = [];
	#sizeBytes = 0;
	#lastTicket = 0;

	get length(): number {
		return this.#writes.length;
	}

	get sizeBytes(): number {
		return this.#sizeBytes;
	}

	/** The ticket of the last write that was ever queued. */
	get lastTicket(): number {
		return this.#lastTicket;
	}

	/** The ticket of the first write that waits; one past the last ever queued when none does. */
	get firstTicket(): number {
		return this.#writes[0]?.ticket ?? this.#lastTicket + 1;
	}

	/** Whether a living one of these sessions has nothing in the queue. */
	misses(sessions: ReadonlyMap<Session, unknown>): boolean {
		for (const session of sessions.keys()) {
			if (session.alive && !this.#writes.some((write) => write.session === session)) return true;
		}
		return false;
	}

	add({ store, session, sequence, operations, sizeBytes }: Omit<QueuedWrite, "ticket">): void {
		this.#lastTicket += 1;
		this.#writes.push({ store, session, sequence, operations, sizeBytes, ticket: this.#lastTicket });
		this.#sizeBytes += sizeBytes;
	}

	/** Takes the next group off the queue: at least one write if there is any. */
	take(): QueuedWrite[] {
		let count = 0;
		let bytes = 0;
		for (const write of this.#writes) {
			if (count > 0 && bytes + write.sizeBytes > STORAGE_GROUP_BYTES_MAX) break;
			if (count === STORAGE_GROUP_WRITES_MAX) break;
			count += 1;
			bytes += write.sizeBytes;
		}
		const group = this.#writes.splice(0, count);
		this.#sizeBytes -= bytes;
		return group;
	}

	/** Puts writes back to the front. */
	putBack(writes: readonly QueuedWrite[]): void {
		this.#writes = [...writes, ...this.#writes];
		for (const { sizeBytes } of writes) this.#sizeBytes += sizeBytes;
	}

	/** Forgets the writes of a session. */
	drop(session: Session): void {
		this.#writes = this.#writes.filter((write) => write.session !== session);
		this.#sizeBytes = this.#writes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
	}

	clear(): void {
		this.#writes = [];
		this.#sizeBytes = 0;
	}
}
