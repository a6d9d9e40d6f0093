/**
 * Brings the application's own snapshots to the store. A store stages one snapshot at a time, and one may be arriving from
 * a leader: starting an own one would destroy it half-way, so the own one waits until that has been installed (it is
 * then out of date and forgotten) or given up.
 */
import type { ProtocolTypes } from "../../protocols/core/index.ts";
import type { DeliveryHost } from "./protocol-adapter.ts";

/** Bytes of one staged chunk. */
const STAGE_CHUNK_BYTES = 1024 * 1024;

/** A snapshot that was taken, encoded. */
export interface TakenSnapshot {
	readonly name: string;
	readonly data: Uint8Array;
	readonly description: Uint8Array;
}

/** A staging under way, until its last write is handed over. */
interface Staging {
	displaced: boolean;
	readonly restart: () => void;
}

/** One member's staging. */
export class SnapshotStaging {
	/** A leader's snapshot is being staged. */
	#receiving = false;
	#current: Staging | null = null;
	/** An own snapshot that waits for the leader's to end. */
	#waiting: (() => void) | null = null;

	/** Stages and publishes a snapshot; calls back when it is durable. Not at all if it is out of date before. */
	begin<P extends ProtocolTypes>(host: DeliveryHost<P>, snapshot: TakenSnapshot, published: () => void): void {
		const restart = (): void => this.begin(host, snapshot, published);
		if (this.#receiving) {
			this.#waiting = restart;
			return;
		}
		const staging: Staging = { displaced: false, restart };
		this.#current = staging;
		const { name, data, description } = snapshot;
		// Chunk by chunk, each when the one before is durable: a large snapshot must not stand in the way of the log.
		const stageFrom = (offset: number): void => {
			if (staging.displaced) return;
			const end = Math.min(offset + STAGE_CHUNK_BYTES, data.length);
			const chunk = { type: "stage-snapshot", name, offset, data: data.subarray(offset, end) } as const;
			if (end < data.length) {
				host.write([chunk], () => stageFrom(end));
				return;
			}
			this.#current = null;
			host.write([chunk, { type: "publish-snapshot", name, sizeBytes: data.length, description }], published);
		};
		stageFrom(0);
	}

	/** A chunk of a leader's snapshot is about to be written; it takes the place of what is staged. */
	received(): void {
		this.#receiving = true;
		if (this.#current === null) return;
		this.#current.displaced = true;
		this.#waiting = this.#current.restart;
		this.#current = null;
	}

	/** A leader's snapshot is complete; it reaches further than any that waits. */
	installed(): void {
		this.#receiving = false;
		this.#waiting = null;
	}

	/** The log goes on without a leader's snapshot: it was given up. */
	abandoned(): void {
		this.#receiving = false;
		const restart = this.#waiting;
		this.#waiting = null;
		restart?.();
	}
}
