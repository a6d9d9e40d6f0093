/**
 * `quorate`: consensus inside a program. {@link Swarm} starts participants, each an actor on a thread of its own under
 * supervision, that agree on the order of commands; {@link RaftConsensusManager} is one member's view of it, and {@link RaftGroups}
 * runs many groups over few threads.
 * {@link ByzantineConsensusCoordinator} is the same for groups of which some members may lie.
 * {@link CRDTSynchronizer} is a member's view of values that need no order; {@link GossipProtocolCoordinator} knows who is there and
 * spreads the word; {@link SecurityManager} makes keys that participants hold together, and {@link SecureConsensusWrapper} has Byzantine
 * decisions signed with one.
 */
export {
	ByzantineClient,
	type ByzantineClientOptions,
	ByzantineConsensusCoordinator,
	type ByzantineCoordinatorOptions,
	type ByzantineEvent,
	ByzantineGroup,
	type ByzantineGroupOptions,
	type ByzantineNodeStatus,
	type CertifiedDecision,
	type Conviction,
	certificateFile,
	type Decision,
	type DecisionCertificate,
	decodeProofs,
	type GroupTrust,
	type ObservedAnswer,
	type Primacy,
	type ProofFile,
	type ProofVerdict,
	verifyProofs,
} from "./byzantine-coordinator/index.ts";
export {
	type CRDTMetrics,
	type CRDTOf,
	type CRDTStorageOptions,
	CRDTSynchronizer,
	type CRDTSynchronizerEvent,
	type CRDTSynchronizerOptions,
	type CRDTType,
	type Synchronized,
} from "./crdt-synchronizer/index.ts";
export {
	type GossipCoordinatorOptions,
	type GossipMessage,
	GossipProtocolCoordinator,
} from "./gossip-coordinator/index.ts";
export {
	type GroupFailed,
	type RaftGroup,
	RaftGroups,
	type RaftGroupsEvent,
	type RaftGroupsOptions,
} from "./raft-groups/index.ts";
export { RaftConsensusManager, type RaftManagerOptions } from "./raft-manager/index.ts";
export {
	type DecisionSignature,
	type SecureConsensusOptions,
	SecureConsensusWrapper,
	type SecuredDecision,
	type TrustedKey,
	verifyDecisionSignature,
	verifySecuredDecision,
} from "./secure-consensus/index.ts";
export {
	type BackupPiece,
	backUpShare,
	type Custodian,
	type DistributedKey,
	forwardBackupPiece,
	type ObservedRound,
	recoverShare,
	type SecurityAlert,
	SecurityManager,
	type SecurityManagerOptions,
	type SecurityMetrics,
	SecurityMonitor,
	type SecurityMonitorOptions,
	type ThresholdSignature,
} from "./security-manager/index.ts";
export {
	type ApplicationSource,
	type ClientOptions,
	type Committed,
	type EventStamp,
	type KeyValueAnswer,
	type KeyValueCommand,
	type KeyValueQuery,
	type KeyValueResult,
	KeyValueStore,
	type Leadership,
	type NodeStatus,
	type RaftOptions,
	type ReadOptions,
	type StorageOptions,
	Swarm,
	type SwarmBackend,
	type SwarmClient,
	type SwarmEvent,
	type SwarmHappening,
	type SwarmMetrics,
	type SwarmOptions,
} from "./swarm/index.ts";
