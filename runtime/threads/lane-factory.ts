/** Makes the lanes of one pair of threads, within what all lanes together may take. */
import { QuorateError } from "../../protocols/core/index.ts";
import type { ThreadSlot } from "../actor/index.ts";
import { createLane, type LanePair, SYSTEM_LANE_BYTES, USER_LANE_BYTES } from "../memory/index.ts";
import type { ThreadMemory } from "./thread-memory.ts";

export interface LaneFactory {
	/** The first lanes. @throws QuorateError `lane-memory-exhausted` */
	pair(): LanePair;
	/** A larger lane; null when there is no memory left for it. */
	successor(capacityBytes: number): SharedArrayBuffer | null;
}

export function laneFactory(
	producer: ThreadSlot,
	consumer: ThreadSlot,
	memory: ThreadMemory,
	fingerprint: number,
): LaneFactory {
	const make = (capacityBytes: number): SharedArrayBuffer =>
		createLane({ id: memory.nextLaneId(), producer, consumer, capacityBytes, fingerprint });
	return {
		pair() {
			memory.bookLane(USER_LANE_BYTES + SYSTEM_LANE_BYTES);
			return { user: make(USER_LANE_BYTES), system: make(SYSTEM_LANE_BYTES) };
		},
		successor(capacityBytes) {
			try {
				memory.bookLane(capacityBytes);
			} catch (error) {
				// Without memory for a larger lane the one at hand goes on.
				if (error instanceof QuorateError && error.code === "lane-memory-exhausted") return null;
				throw error;
			}
			return make(capacityBytes);
		},
	};
}
