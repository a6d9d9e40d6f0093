/** Which engine a storage actor opens: data where it must reach another thread, a function where it need not. */
import { assertNever } from "../../protocols/core/index.ts";
import type { ActorContext } from "../actor/behaviour.ts";
import type { StorageEngine } from "./contract.ts";
import type { DataOwner } from "./data-directory.ts";
import { MemoryEngine } from "./memory-engine.ts";

export type EngineSource =
	| { readonly type: "memory" }
	/** `directory`: of one process at a time, for ever of this cluster and these nodes. */
	| ({ readonly type: "lmdb"; readonly directory: string } & DataOwner)
	/** For an actor on the calling thread: the simulator's disk, and tests. */
	| { readonly type: "provided"; open(context: StorageContext): StorageEngine | Promise<StorageEngine> };

/** What a storage, and an engine, need of the actor that they live in. */
export type StorageContext = Pick<ActorContext, "clock" | "generator" | "metrics" | "publish"> & {
	readonly timers: Pick<ActorContext["timers"], "run" | "cancel">;
};

/** @throws QuorateError what the engine's opening throws */
export async function openEngine(source: EngineSource, context: StorageContext): Promise<StorageEngine> {
	switch (source.type) {
		case "memory":
			return new MemoryEngine();
		case "lmdb": {
			// Loaded where it is used: no other thread needs the native module.
			const { LmdbEngine } = await import("./lmdb-engine.ts");
			return LmdbEngine.open(source.directory, source);
		}
		case "provided":
			return source.open(context);
		default:
			return assertNever(source, "engine source");
	}
}
