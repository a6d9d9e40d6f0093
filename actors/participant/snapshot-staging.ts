/**
 * Brings the application's own snapshots to the store. A store stages one snapshot at a time, and one may be arriving from
 * a leader: starting an own one would destroy it half-way, so the own one waits until that has been installed (it is
 * then out of date and forgotten) or given up.
 */
import type { ProtocolTypes } from "../../protocols/core/index.ts";
import type { StoreOperation } from "../../runtime/storage/index.ts";
import type { DeliveryHost } from "./protocol-adapter.ts";

/** Bytes of one staged chunk. */
const STAGE_CHUNK_BYTES = 1024 * 1024;

/** A snapshot that was taken, encoded. */
export interface TakenSnapshot {
	readonly name: string;
	readonly data: Uint8Array;
	readonly description: Uint8Array;
}

/** One member's staging. */
export class SnapshotStaging {
	/** A leader's snapshot is being staged. */
	#receiving = false;
	/** An own snapshot that waits for that to end. */
	#waiting: (() => void) | null = null;

	/** Stages and publishes a snapshot; calls back when it is durable. Not at all if it is out of date before. */
	begin<P extends ProtocolTypes>(host: DeliveryHost<P>, snapshot: TakenSnapshot, published: () => void): void {
		const stage = (): void => {
			this.#stage(host, snapshot).then(
				(complete) => {
					if (complete) published();
					else if (this.#receiving) this.#waiting = stage;
				},
				(error: unknown) => host.fail(error),
			);
		};
		stage();
	}

	/**
	 * Writes chunk by chunk, each when the one before is durable: a large snapshot must not stand in the way of the log.
	 * False when a leader's snapshot got in between: what was staged is gone.
	 */
	async #stage<P extends ProtocolTypes>(host: DeliveryHost<P>, snapshot: TakenSnapshot): Promise<boolean> {
		for (const operations of stagingWrites(snapshot)) {
			if (this.#receiving) return false;
			await host.write(operations);
		}
		return true;
	}

	/** A chunk of a leader's snapshot is written. */
	received(): void {
		this.#receiving = true;
	}

	/** A leader's snapshot is complete; it reaches further than any that waits. */
	installed(): void {
		this.#receiving = false;
		this.#waiting = null;
	}

	/** The log goes on without a leader's snapshot: it was given up. */
	abandoned(): void {
		this.#receiving = false;
		const stage = this.#waiting;
		this.#waiting = null;
		stage?.();
	}
}

/** The writes that stage and publish a snapshot, in order; the last one publishes. */
function* stagingWrites({ name, data, description }: TakenSnapshot): Generator<StoreOperation[]> {
	let offset = 0;
	while (data.length - offset > STAGE_CHUNK_BYTES) {
		yield [{ type: "stage-snapshot", name, offset, data: data.subarray(offset, offset + STAGE_CHUNK_BYTES) }];
		offset += STAGE_CHUNK_BYTES;
	}
	yield [
		{ type: "stage-snapshot", name, offset, data: data.subarray(offset) },
		{ type: "publish-snapshot", name, sizeBytes: data.length, description },
	];
}
