/** The bounds of threads and lanes, each with its name. */
import { assert } from "../../protocols/core/index.ts";
import { THREADS_MAX } from "../memory/index.ts";

/** Old-generation heap of a worker thread unless its spec says otherwise. */
export const HEAP_LIMIT_MB = 256;
/** Young generation of a worker thread: larger costs memory per idle thread, smaller costs collections under load. */
export const YOUNG_GENERATION_MB = 3;
/** From `new Worker` to the modules being loaded; generous, because a busy machine is slow and not broken. */
export const BOOT_TIMEOUT_MS = 30_000;
/** From the assignment to the kernel running. */
export const ASSIGN_TIMEOUT_MS = 30_000;

/** Threads that wait ready for an assignment. */
export const WARM_SPARES_DEFAULT = 1;
export const WARM_SPARES_MAX = 2;

/** All lanes of a system together; a lane over it is refused with `lane-memory-exhausted`. */
export const LANE_BYTES_MAX: number = 256 * 1024 * 1024;
/** A lane that keeps being full is replaced by one of twice its capacity, up to this. */
export const LANE_GROWTH_BYTES_MAX: number = 4 * 1024 * 1024;

/** A lane that has refused so often is too small for its traffic. */
export const GROWTH_REFUSALS = 3;
/** Signals and answers that may wait in one thread for another that does not take them. */
export const SYSTEM_BACKLOG_BYTES_MAX: number = 64 * 1024 * 1024;

/** How often a message may be interrupted by the death of its thread before it is quarantined. */
export const REDELIVERIES_MAX = 2;

/** A name of a thread. */
export const THREAD_NAME_LENGTH_MAX = 128;

assert(THREADS_MAX <= 64, "a set of slots fits in two words");
