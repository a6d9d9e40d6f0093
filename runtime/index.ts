/**
 * `quorate/runtime`: actors on worker threads and shared memory, without any protocol.
 */
export {
	ComputePool,
	type ComputePoolOptions,
	type ComputeTask,
	digestBatchTask,
	digestFileTask,
	type FileDigest,
} from "./threads/index.ts";
