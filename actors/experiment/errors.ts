/** What can go wrong when a swarm is under experiment. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	faultNotApplicable: [
		"fault-not-applicable",
		(d: { fault: string; reason: string }) => `the fault ${d.fault} can not be applied: ${d.reason}`,
	],
	probeFailed: [
		"probe-failed",
		(d: { probe: string; reason: string }) => `the probe ${d.probe} can not be asked: ${d.reason}`,
	],
	workloadUnknown: [
		"workload-unknown",
		(d: { workload: string; known: readonly string[] }) =>
			`there is no workload ${d.workload}, only ${d.known.join(", ")}`,
	],
	protocolUnknown: [
		"protocol-unknown",
		(d: { protocol: string; known: readonly string[] }) =>
			`there is no protocol ${d.protocol}, only ${d.known.join(", ")}`,
	],
});

/** `fault-not-applicable` */
export const faultNotApplicable: ErrorMaker<{ fault: string; reason: string }> = defined.faultNotApplicable;
/** `probe-failed` */
export const probeFailed: ErrorMaker<{ probe: string; reason: string }> = defined.probeFailed;
/** `workload-unknown` */
export const workloadUnknown: ErrorMaker<{ workload: string; known: readonly string[] }> = defined.workloadUnknown;
/** `protocol-unknown` */
export const protocolUnknown: ErrorMaker<{ protocol: string; known: readonly string[] }> = defined.protocolUnknown;
