/**
 * `actors/byzantine-coordinator`: agreement among members of which up to f may do anything. {@link ByzantineGroup} starts threads,
 * supervision, storage, keys and PBFT participants; its {@link ByzantineClient}s believe what f + 1 members say.
 * {@link ByzantineConsensusCoordinator} is one member's view of it, as the design document writes it.
 *
 * It decides nothing: agreement and evidence are `protocols/pbft`'s, keys `runtime/crypto`'s. All members live in this process, so what
 * they are protected from is each other's faults and not whoever owns the process.
 */
export {
	AttackingParticipant,
	type AttackingParticipantArgs,
	attackerModule,
	attackNames,
	attackOf,
	isAttack,
	knownAttacks,
	missingMode,
	type VotingModes,
} from "./attackers.ts";
export { ByzantineClient, type ByzantineClientOptions, type ObservedAnswer } from "./byzantine-client.ts";
export {
	ByzantineConsensusCoordinator,
	type ByzantineCoordinatorOptions,
} from "./byzantine-consensus-coordinator.ts";
export { ByzantineGroup } from "./byzantine-group.ts";
export type {
	ByzantineEvent,
	ByzantineGroupOptions,
	ByzantineHappening,
	ByzantineNodeStatus,
	CertifiedDecision,
	Conviction,
	Decision,
	DecisionCertificate,
	GroupTrust,
	Primacy,
} from "./contract.ts";
export { clientsExhausted } from "./errors.ts";
export { ADMINISTRATOR, type Identities, type Speaker } from "./identities.ts";
export {
	certificateFile,
	decodeProofs,
	encodeProofs,
	fingerprintOf,
	PROOF_FILE_BYTES_MAX,
	type ProofFile,
	type ProofVerdict,
	verifyProofs,
} from "./proof-file.ts";
