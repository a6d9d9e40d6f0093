/**
 * Replicated key-values with one writer each (Scuttlebutt, LADIS 2008) and certificates of what was deleted (Demers et al.,
 * PODC 1987, §2). Both are pure data: a coordinator carries digests and deltas between members.
 */
export { type CertificateLimits, DeathCertificates, type ItemVersion } from "./death-certificates.ts";
export type { KeyChange } from "./node-state.ts";
export {
	Scuttlebutt,
	type ScuttlebuttLimits,
	type StateDelta,
	type StateDigest,
	scuttlebuttLimits,
} from "./scuttlebutt.ts";
