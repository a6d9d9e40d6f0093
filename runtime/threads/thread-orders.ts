/** What main and workers say to each other outside of lanes and of the control plane: rare, small, cloneable. */

import type { MessagePort } from "node:worker_threads";
import type { LaneKind, ThreadSlot } from "../actor/index.ts";
import type { CodecSpec } from "../codec/index.ts";
import type { LanePair } from "../memory/index.ts";
import type { MetricsMemory } from "../telemetry/index.ts";

/** The lanes from one slot to another, oldest first: each continues the one before it. */
export interface LaneChains {
	readonly from: ThreadSlot;
	readonly to: ThreadSlot;
	readonly user: readonly SharedArrayBuffer[];
	readonly system: readonly SharedArrayBuffer[];
}

/** A pair of slots has its first lanes, or a lane has got a larger successor. */
export type LaneNews =
	| { readonly type: "lanes-made"; readonly from: ThreadSlot; readonly to: ThreadSlot; readonly lanes: LanePair }
	| {
			readonly type: "lane-continued";
			readonly from: ThreadSlot;
			readonly to: ThreadSlot;
			readonly kind: LaneKind;
			readonly lane: SharedArrayBuffer;
	  };

/** What a worker boots with. */
export interface BootData {
	/** Hrefs of modules to load before it reports; see `ThreadBackendOptions.preload`. */
	readonly preload: readonly string[];
}

/** All that a booted worker needs to become the thread of a slot. */
export interface Assignment {
	readonly slot: ThreadSlot;
	readonly name: string;
	/** See {@link KernelPorts.life}. */
	readonly life: number;
	/** See {@link KernelPorts.inherits}. */
	readonly inherits: boolean;
	readonly dedicated: boolean;
	readonly waiting: "async" | "blocking";
	/** When the system started, on the machine's monotonic clock. */
	readonly originMs: number;
	/** Of the system; each life of a thread draws from a sub-stream. */
	readonly seed: number;
	readonly codec: CodecSpec;
	/** The control blocks of all threads. */
	readonly control: SharedArrayBuffer;
	/** See `thread-memory.ts`. */
	readonly memory: SharedArrayBuffer;
	/** Where the thread's instruments count; a replacement goes on in the words of its predecessor. */
	readonly metrics: MetricsMemory;
	/** All lanes from and to this slot: a replacement goes on with those of its predecessor. */
	readonly lanes: readonly LaneChains[];
	/** Where the kernel's control plane is served; transferred. */
	readonly controlPort: MessagePort;
}

export type OrderToThread = { readonly type: "assign"; readonly assignment: Assignment } | LaneNews;

/** What a worker tells main; lane news are of lanes that it has made, which main keeps and hands to their consumer. */
export type ReportFromThread = { readonly type: "booted" } | { readonly type: "assigned" } | LaneNews;
