/** The errors of supervision. */
import { defineErrors, type QuorateError } from "../../protocols/core/index.ts";

type Refusal = { readonly supervisor: string; readonly child: string };
type Made<D> = (details: D, options?: { cause?: unknown }) => QuorateError;

const made = defineErrors({
	invalidSupervisorSpec: [
		"invalid-supervisor-spec",
		(d: { supervisor: string; field: string; expected: string; actual: string }) =>
			`supervisor ${d.supervisor}: ${d.field}: expected ${d.expected}, got ${d.actual}`,
	],
	invalidChildSpec: [
		"invalid-child-spec",
		(d: { supervisor: string; child: string; field: string; expected: string; actual: string }) =>
			`child ${d.child} of ${d.supervisor}: ${d.field}: expected ${d.expected}, got ${d.actual}`,
	],
	duplicateChild: ["duplicate-child-id", (d: Refusal) => `supervisor ${d.supervisor} has two children ${d.child}`],
	tooManyChildren: [
		"too-many-children",
		(d: { supervisor: string; max: number }) => `supervisor ${d.supervisor} has ${d.max} children already`,
	],
	childStartFailed: ["child-start-failed", (d: Refusal) => `supervisor ${d.supervisor} could not start ${d.child}`],
	intensityExceeded: [
		"intensity-exceeded",
		(d: Refusal & { intensity: number; periodMs: number }) =>
			`supervisor ${d.supervisor} gave up on ${d.child}: more than ${d.intensity} restarts in ${d.periodMs} ms`,
	],
	childAlreadyStarted: ["child-already-started", (d: Refusal) => `${d.child} of ${d.supervisor} is running already`],
	childAlreadyPresent: [
		"child-already-present",
		(d: Refusal) => `${d.supervisor} has a child ${d.child} that is not running: restart it or delete it`,
	],
	childNotFound: ["child-not-found", (d: Refusal) => `${d.supervisor} has no child ${d.child}`],
	childRunning: ["child-running", (d: Refusal) => `${d.child} of ${d.supervisor} is running`],
	childRestarting: ["child-restarting", (d: Refusal) => `${d.child} of ${d.supervisor} is about to be restarted`],
	dynamicSupervisor: [
		"dynamic-supervisor",
		(d: { supervisor: string; request: string }) =>
			`${d.supervisor} is dynamic: ${d.request} is for supervisors with a list of children`,
	],
	staticSupervisor: [
		"static-supervisor",
		(d: { supervisor: string; request: string }) =>
			`${d.supervisor} has a list of children: ${d.request} is for dynamic supervisors`,
	],
	unknownRequest: [
		"unknown-supervisor-request",
		(d: { supervisor: string; request: string }) => `supervisor ${d.supervisor} does not understand ${d.request}`,
	],
});

/** A flag of a supervisor is outside what its documentation allows: `{supervisor, field, expected, actual}`. */
export const invalidSupervisorSpec: Made<{ supervisor: string; field: string; expected: string; actual: string }> =
	made.invalidSupervisorSpec;
/** The same of a child: `{supervisor, child, field, expected, actual}`. */
export const invalidChildSpec: Made<{
	supervisor: string;
	child: string;
	field: string;
	expected: string;
	actual: string;
}> = made.invalidChildSpec;
export const duplicateChild: Made<Refusal> = made.duplicateChild;
export const tooManyChildren: Made<{ supervisor: string; max: number }> = made.tooManyChildren;
/** A child's first start failed, and with it the start of its supervisor or the request; the cause is what it threw. */
export const childStartFailed: Made<Refusal> = made.childStartFailed;
/** The supervisor has ended its children and fails: its own supervisor decides. */
export const intensityExceeded: Made<Refusal & { intensity: number; periodMs: number }> = made.intensityExceeded;
export const childAlreadyStarted: Made<Refusal> = made.childAlreadyStarted;
export const childAlreadyPresent: Made<Refusal> = made.childAlreadyPresent;
export const childNotFound: Made<Refusal> = made.childNotFound;
export const childRunning: Made<Refusal> = made.childRunning;
export const childRestarting: Made<Refusal> = made.childRestarting;
export const dynamicSupervisor: Made<{ supervisor: string; request: string }> = made.dynamicSupervisor;
export const staticSupervisor: Made<{ supervisor: string; request: string }> = made.staticSupervisor;
export const unknownRequest: Made<{ supervisor: string; request: string }> = made.unknownRequest;
