/**
 * The catalogue of faults as data: what each kind does, what it takes, how long it lasts and what it costs of the
 * budget. The parser, the JSON Schema, the planner and the reports read it; an engine says which kinds it can apply.
 */
import { must } from "../../protocols/core/index.ts";
import type { FaultKind } from "./fault-kind.ts";
import { clockFaults } from "./faults/clock.ts";
import { membershipFaults } from "./faults/membership.ts";
import { networkFaults } from "./faults/network.ts";
import { processFaults } from "./faults/process.ts";
import { storageFaults } from "./faults/storage.ts";

/** Every kind of fault, in the order in which documentation lists them. */
export const FAULT_KINDS: readonly FaultKind[] = [
	...processFaults,
	...networkFaults,
	...storageFaults,
	...clockFaults,
	...membershipFaults,
];

const byName = new Map(FAULT_KINDS.map((kind) => [kind.kind, kind]));

/** The kind of this name; undefined if there is none. */
export function findFaultKind(kind: string): FaultKind | undefined {
	return byName.get(kind);
}

/** The kind of a fault that was checked before: it must exist. */
export function faultKind(kind: string): FaultKind {
	return must(byName.get(kind), "a checked fault is of a known kind");
}
