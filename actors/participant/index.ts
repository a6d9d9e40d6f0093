/**
 * `actors/participant`: the one place where a protocol's effects become I/O. {@link Participant} hosts any state machine
 * of `protocols/` as an actor and keeps the host's promises of `protocols/core`, first of all "durable before sent";
 * {@link RaftAdapter} tells it what is particular to Raft, and {@link RaftParticipant} is the two as an actor that a
 * thread can load.
 *
 * It knows no thread and no disk: messages, timers and the storage are those of its actor context, so it runs unchanged
 * on worker threads and in simulation. It restarts nobody; its supervisor does.
 */
export {
	CrdtAdapter,
	type CrdtAdapterSettings,
	type CrdtSummary,
	type CrdtSummaryQuestion,
	type CrdtTuning,
} from "./crdt-adapter.ts";
export {
	CrdtParticipant,
	type CrdtParticipantArgs,
	crdtParticipantModule,
	crdtParticipantSettings,
} from "./crdt-participant.ts";
export { CrdtStore, crdtStoreName, type RecoveredReplica } from "./crdt-store.ts";
export { constructApplication, HostedApplication, RESULT_BYTES_MAX } from "./hosted-application.ts";
export { applyingGauge, applyingGroupGauge, participantMetrics } from "./metrics.ts";
export {
	DELIVERIES_WAITING_MAX,
	type InspectionRequest,
	Participant,
	type ParticipantSettings,
	type PeerDownNotice,
	type PeersNotice,
	REQUESTS_WAITING_MAX,
} from "./participant.ts";
export { PbftAdapter, type PbftAdapterSettings, pbftStoreName } from "./pbft-adapter.ts";
export {
	PBFT_BATCH_BYTES_MAX,
	PbftParticipant,
	type PbftParticipantArgs,
	type PbftTuning,
	type PbftVariation,
	pbftParticipantModule,
	pbftParticipantSettings,
} from "./pbft-participant.ts";
export {
	type PbftClientAnswer,
	type PbftClientRefusals,
	type PbftClientRequests,
	type PbftClientResults,
	type PbftDecisionAnswer,
	type PbftDecisionQuestion,
	pbftClientLayouts,
} from "./pbft-requests.ts";
export { PbftStoreView } from "./pbft-store.ts";
export { participantName } from "./peers.ts";
export type { DeliveryHost, ProtocolAdapter, SnapshotPart } from "./protocol-adapter.ts";
export { RaftAdapter, type RaftAdapterSettings, raftStoreName } from "./raft-adapter.ts";
export {
	RaftParticipant,
	type RaftParticipantArgs,
	type RaftTuning,
	raftConfigOf,
	raftParticipantModule,
	raftParticipantSettings,
} from "./raft-participant.ts";
export { type RaftClientAnswer, type RaftClientRequest, raftClientLayouts } from "./raft-requests.ts";
export { RaftStoreView } from "./raft-store.ts";
export { HELD_EFFECTS_MAX, ReleaseQueue } from "./release-queue.ts";
export { decodeAnswer, decodeResult, decodeValue, encodeValue } from "./value-codec.ts";
