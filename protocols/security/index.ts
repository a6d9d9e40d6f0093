/**
 * `protocols/security`: keys that no single participant holds, and proofs that need no trust.
 */

export {
	type AuditFault,
	type AuditHead,
	AuditLog,
	type AuditLogOptions,
	type AuditRecord,
	type AuditVerdict,
	AuditVerifier,
	verifyAuditHead,
	verifyAuditLog,
} from "./audit/audit-log.ts";
export { AUDIT_LINE_LENGTH_MAX, formatAuditRecord, parseAuditRecord } from "./audit/record-line.ts";
export {
	type Ballot,
	type Ciphertext,
	castBallot,
	checkBallot,
	type Election,
	type EncryptedMark,
} from "./ballot/ballot.ts";
export {
	type BallotBox,
	collectBallots,
	countVotes,
	isTallyShareValid,
	openTally,
	type Tally,
	type TallyShare,
	verifyTally,
} from "./ballot/tally.ts";
export type { Equivocation } from "./ceremony/board.ts";
export { type CeremonyConfig, type CeremonyPlan, planCeremony } from "./ceremony/config.ts";
export { type CeremonyMachine, type CeremonySecrets, joinCeremony } from "./ceremony/machine.ts";
export { type CeremonyMessage, type Post, type PostBody, type SealedShare, signedBytes } from "./ceremony/messages.ts";
export { type CeremonyCertificate, verifyCeremonyCertificate } from "./ceremony/outcome.ts";
export type { ShareChannel } from "./ceremony/share-channel.ts";
export type { CeremonyEvent, CeremonyFault, CeremonyPhase, CeremonyTypes } from "./ceremony/types.ts";
export { type Ciphersuite, ciphersuite, type GroupElement, type SuiteName } from "./ciphersuite.ts";
export { CircuitBreaker, type CircuitBreakerOptions, type CircuitState } from "./detection/circuit-breaker.ts";
export { CollusionDetector, type CollusionDetectorOptions } from "./detection/collusion-detector.ts";
export { ContradictionDetector, isContradiction } from "./detection/contradiction-detector.ts";
export { type Admission, DosLadder, type DosLadderOptions } from "./detection/dos-ladder.ts";
export {
	type ConnectionVerdict,
	type DiversityReport,
	EclipseGuard,
	type EclipseGuardOptions,
	type PeerLabels,
} from "./detection/eclipse-guard.ts";
export type { Finding, Severity, SignedStatement } from "./detection/finding.ts";
export { ReputationBook, type ReputationOptions, type ReputationSnapshot } from "./detection/reputation.ts";
export { type RequestPriority, RequestQueue } from "./detection/request-queue.ts";
export {
	type AdmissionFactor,
	type AdmissionVerdict,
	type Credential,
	credentialBytes,
	type JoinRequest,
	SybilAdmission,
	type SybilAdmissionOptions,
	workBytes,
} from "./detection/sybil-admission.ts";
export {
	THREAT_LIFT_MIN,
	THREAT_SUPPORT_MIN,
	type Threat,
	ThreatForecaster,
	type ThreatForecastOptions,
	type ThreatPatterns,
} from "./detection/threat-forecast.ts";
export { median, TimingDetector, type TimingDetectorOptions } from "./detection/timing-detector.ts";
export { TokenBucket, type TokenBucketOptions } from "./detection/token-bucket.ts";
export {
	type KeyEpochAnswer,
	type KeyEpochCommand,
	type KeyEpochQuery,
	KeyEpochRegister,
	type KeyEpochResult,
	type KeyEpochSnapshot,
	type KeyEpochStatus,
} from "./epochs/key-epochs.ts";
export { GroupKey, type GroupKeyData, type KeyMember, KeyShare } from "./frost/key-share.ts";
export { commitNonces, type NonceCommitment, SigningNonces } from "./frost/nonces.ts";
export { verifySignature } from "./frost/signature.ts";
export { type SignatureShare, type SigningPackage, SigningSession } from "./frost/signing-session.ts";
export { type DealtKey, dealKey } from "./frost/trusted-dealer.ts";
export {
	type Bulletproof,
	type BulletproofWidth,
	proveRange,
	type RangeStatement,
	verifyRange,
	verifyRanges,
} from "./proofs/bulletproof.ts";
export { type EqualLogarithms, proveEqualLogarithms, verifyEqualLogarithms } from "./proofs/dleq.ts";
export { blindingGenerator, commit, generatorFromLabel, type Opening, opens, proofSuite } from "./proofs/pedersen.ts";
export { ProofCache } from "./proofs/proof-cache.ts";
export {
	type BitProof,
	type BitRangeProof,
	type NumberRange,
	proveRangeByBits,
	verifyRangeByBits,
} from "./proofs/range-bits.ts";
export { proveKnowledge, verifyKnowledge } from "./proofs/schnorr.ts";
export { RoastCoordinator } from "./roast/coordinator.ts";
export { ThresholdSigner } from "./roast/signer.ts";
export type { RoastEvent, RoastFault, RoastMessage, RoastTypes, SignRequest, SignResponse } from "./roast/types.ts";
export { ScalarSource } from "./scalar-source.ts";
export {
	combineShares,
	commitPolynomial,
	type Identifier,
	isShareOf,
	lagrangeCoefficient,
	type SecretShare,
	splitSecret,
} from "./shamir.ts";
