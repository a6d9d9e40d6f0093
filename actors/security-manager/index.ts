/**
 * `actors/security-manager`: the security manager of the design document. {@link SecurityManager} makes and uses keys that its
 * participants, each an actor on a thread of its own, hold together; {@link SecurityMonitor} joins the detectors and limits of
 * `protocols/security` to reputations, alerts and a forensic log. Identities on other machines, and TLS, are not its business.
 */
export { decisionStatement } from "./decision-guard.ts";
export {
	type CeremonyEnd,
	KeyHolder,
	type KeyHolderArgs,
	type KeyHolderMessage,
	keyHolderModule,
} from "./key-holder.ts";
export { type DistributedKey, SecurityManager, type SecurityManagerOptions } from "./security-manager.ts";
export {
	type ObservedRound,
	type SecurityAlert,
	type SecurityMetrics,
	SecurityMonitor,
	type SecurityMonitorOptions,
} from "./security-monitor.ts";
export { type BackupPiece, backUpShare, type Custodian, forwardBackupPiece, recoverShare } from "./share-backup.ts";
export type { ThresholdSignature } from "./threshold-signing.ts";
