/** What main and workers say to each other outside of lanes and of the control plane: rare, small, cloneable. */
import type { MessagePort } from "node:worker_threads";
import type { ThreadSlot } from "../actor/address.ts";
import type { LaneKind } from "../actor/ports.ts";
import type { CodecSpec } from "../codec/index.ts";

/** A lane and the two slots it joins. Whoever receives it attaches the end that is its own. */
export interface LaneGrant {
	readonly from: ThreadSlot;
	readonly to: ThreadSlot;
	readonly kind: LaneKind;
	readonly lane: SharedArrayBuffer;
}

/** All that a booted worker needs to become the thread of a slot. */
export interface Assignment {
	readonly slot: ThreadSlot;
	readonly name: string;
	/** See {@link KernelPorts.life}. */
	readonly life: number;
	readonly dedicated: boolean;
	readonly waiting: "async" | "blocking";
	/** When the system started, on the machine's monotonic clock. */
	readonly originMs: number;
	/** Of the system; each life of a thread draws from a sub-stream. */
	readonly seed: number;
	readonly codec: CodecSpec;
	/** The memory that all threads of the system share beside the lanes. */
	readonly shared: SharedArrayBuffer;
	/** All lanes from and to this slot, oldest first: a replacement goes on with those of its predecessor. */
	readonly lanes: readonly LaneGrant[];
	/** Where the kernel's control plane is served; transferred. */
	readonly controlPort: MessagePort;
}

export type OrderToThread =
	| { readonly type: "assign"; readonly assignment: Assignment }
	/** Another thread has made a lane to this one. */
	| { readonly type: "lane"; readonly grant: LaneGrant };

/** What a worker asks of main. */
export type ThreadRequest =
	/** It has made a lane (a first one, or a larger one to replace a full one): keep it, and tell the consumer. */
	{ readonly type: "lane-made"; readonly grant: LaneGrant };

export type ReportFromThread = { readonly type: "booted" } | { readonly type: "assigned" } | ThreadRequest;
