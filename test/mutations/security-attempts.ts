/**
 * What is tried on mutants of the security protocols: the tests of their room. No explorer looks for a wrong challenge, which is no
 * interleaving.
 */
import type { Attempt } from "./attempt.ts";
import { tests } from "./attempt-series.ts";

const room = "test/protocols/security";

export const securityAttempts: readonly Attempt[] = [
	tests(room, "epochs/key-epochs", "audit/audit-log", "detection/detectors", "detection/mitigation"),
	tests(room, "frost/refusals", "roast/coordinator", "proofs/knowledge"),
	tests(room, "ceremony/key-ceremony"),
	tests(room, "proofs/range", "ballot/ballot"),
	tests("test/runtime/crypto", "sealed-channel", "key-store", "hpke"),
	tests("test/actors/security-manager", "security-manager", "share-backup"),
];
