/** What detectors say: proofs, which convict, and suspicions, which do not. */
import type { NodeId } from "../../core/index.ts";
import { detectorConfigInvalid } from "../errors.ts";

export type Severity = "low" | "medium" | "high";

/** A statement that its sender has signed, in the form that its signature covers. */
export interface SignedStatement {
	readonly sender: NodeId;
	/** Names what it is a statement on: two different ones for one place contradict each other. */
	readonly slot: string;
	/** The signed bytes. */
	readonly bytes: Uint8Array;
	readonly signature: Uint8Array;
}

/** What one detector has found. Only a `proof` may lead to exclusion; a suspicion lowers reputation. */
export type Finding =
	| {
			readonly kind: "contradiction";
			readonly severity: "high";
			readonly weight: "proof";
			readonly culprits: readonly [NodeId];
			readonly evidence: readonly [SignedStatement, SignedStatement];
	  }
	/** The protocol's own judge has checked evidence of another kind, which stays with it. */
	| {
			readonly kind: "conviction";
			readonly severity: "high";
			readonly weight: "proof";
			readonly culprits: readonly [NodeId];
			/** What the evidence is. */
			readonly evidence: string;
	  }
	| {
			readonly kind: "timing";
			readonly severity: "medium";
			readonly weight: "suspicion";
			readonly culprits: readonly [NodeId];
			/** How many robust deviations the delay lies above the link's median. */
			readonly score: number;
	  }
	| {
			readonly kind: "collusion";
			readonly severity: "high";
			readonly weight: "suspicion";
			readonly culprits: readonly NodeId[];
			/** The probability of so many common misvotes if the two were independent, times the number of pairs. */
			readonly chance: number;
	  };

/** Refuses a setting of a detector. @throws QuorateError `detector-config-invalid` */
export function requireSetting(field: string, value: number, min: number, max: number, isWhole = true): void {
	if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return;
	const kind = isWhole ? "an integer" : "a number";
	throw detectorConfigInvalid({ field, expected: `${kind} in ${min} to ${max}`, actual: value });
}
