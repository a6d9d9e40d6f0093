/**
 * `actors/experiment/replicas`: groups of replicas that are written to while threads die, links are cut and deleted text is freed.
 * {@link CrdtRun} is such a run, on whatever backend its group is; {@link runReplicaSeed} runs one on virtual time, decided by a seed.
 */
export type { CrdtFaultPlan } from "./replica-faults.ts";
export { CrdtRun, type CrdtRunReport, type MetadataSize } from "./replica-run.ts";
export {
	type ReplicaSeedOrder,
	type ReplicaSeedResult,
	replicaSeedTask,
	runReplicaSeed,
} from "./replica-seed.ts";
export { judgeCrdtRun } from "./replica-verdict.ts";
export { type ReplicaFault, replicaFaults } from "./simulated-replicas.ts";
export { type Edit, TraceWriter, Typist, UNDO_GROUPS_MAX, type Writer } from "./typing.ts";
export { LinkBoard, TEXT_PART, typingReplicaModule } from "./typing-replica.ts";
