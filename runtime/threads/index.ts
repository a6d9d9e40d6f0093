/**
 * `runtime/threads`: the backend on real worker threads. It starts and ends them, keeps warm spares, moves envelopes
 * over lanes of shared memory, waits without spinning, tells how each thread ended and on which message, and watches
 * for threads that stall. Beside it stands a pool of threads for stateless computation.
 *
 * It does not know what an actor is (`runtime/actor` does), lays out no memory (`runtime/memory`), encodes nothing
 * (`runtime/codec`), and decides nothing about restarts (`supervisors/`).
 */
export { digestBatchTask, digestFileTask, type FileDigest } from "./digest-tasks.ts";
export { ComputePool, type ComputePoolOptions, type ComputeTask } from "./pool.ts";
export {
	createThreadBackend,
	type StallPolicy,
	type ThreadBackend,
	type ThreadBackendInspection,
	type ThreadBackendOptions,
} from "./thread-backend.ts";
export { machineNowMs, ThreadClock } from "./thread-clock.ts";
export type { StallReport } from "./watchdog.ts";
