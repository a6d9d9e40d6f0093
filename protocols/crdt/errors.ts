/** What can be wrong about a document, an update or a call, as typed errors. */
import { defineErrors, type ErrorMaker } from "../core/index.ts";

const crdtErrors = defineErrors({
	replicaReused: [
		"crdt-replica-reused",
		(d: { replica: string; seen: number; reason: string }) =>
			`replica ${d.replica} is in use elsewhere: ${d.reason} (its operations are known up to ${d.seen})`,
	],
	dotsExhausted: [
		"crdt-dots-exhausted",
		(d: { replica: string; used: number; limit: number }) =>
			`replica ${d.replica} has made ${d.used} of at most ${d.limit} operations: go on as its next incarnation`,
	],
	schemaInvalid: [
		"crdt-schema-invalid",
		(d: { path: string; expected: string; actual: string }) =>
			`schema at ${d.path}: expected ${d.expected}, got ${d.actual}`,
	],
	containerUnknown: [
		"crdt-container-unknown",
		(d: { path: string; expected: string; actual: string }) =>
			`no such part of the document: ${d.path} is ${d.actual}, not ${d.expected}`,
	],
	valueUnencodable: [
		"crdt-value-unencodable",
		(d: { kind: string; reason: string }) => `a value of kind ${d.kind} can not be replicated: ${d.reason}`,
	],
	updateDamaged: [
		"crdt-update-damaged",
		(d: { reason: string; offset: number }) => `damaged bytes at offset ${d.offset}: ${d.reason}`,
	],
	formatUnsupported: [
		"crdt-format-unsupported",
		(d: { found: number; supported: number }) => `format ${d.found} is not supported, only ${d.supported}`,
	],
	positionOutOfRange: [
		"crdt-position-out-of-range",
		(d: { position: number; count: number; length: number }) =>
			`${d.count} from ${d.position} is outside a sequence of length ${d.length}`,
	],
	bufferFull: [
		"crdt-buffer-full",
		(d: { buffered: number; limit: number; unit: string }) =>
			`updates that wait for their predecessors: ${d.buffered} ${d.unit}, at most ${d.limit}`,
	],
	behindFloor: [
		"crdt-behind-floor",
		(d: { replica: string; known: number; floor: number }) =>
			`the state of ${d.replica} is of collection ${d.known} and can not be joined with one of collection ${d.floor}`,
	],
	clockAhead: [
		"crdt-clock-ahead",
		(d: { stampMs: number; nowMs: number; toleranceMs: number }) =>
			`a stamp is ${d.stampMs - d.nowMs} ms ahead of the clock, more than ${d.toleranceMs} ms`,
	],
	amountInvalid: [
		"crdt-amount-invalid",
		(d: { amount: number; expected: string }) => `amount ${d.amount}: expected ${d.expected}`,
	],
	replicaConfigInvalid: [
		"crdt-replica-config-invalid",
		(d: { field: string; expected: string; actual: string }) =>
			`replica config: ${d.field} must have ${d.expected}, got ${d.actual}`,
	],
	operationInvalid: [
		"crdt-operation-invalid",
		(d: { author: string; reason: string }) => `an operation of ${d.author} is refused: ${d.reason}`,
	],
	changesHeld: [
		"crdt-changes-held",
		(d: { held: number; limit: number }) =>
			`${d.held} changes wait for the end of a collection, at most ${d.limit} may: ask again`,
	],
	rightsInsufficient: [
		"crdt-rights-insufficient",
		(d: { wanted: number; available: number }) => `${d.wanted} wanted, the rights of this replica allow ${d.available}`,
	],
});

/** A replica id is used by two, or again without its state: `{replica, seen, reason}`. */
export const replicaReused: ErrorMaker<{ replica: string; seen: number; reason: string }> = crdtErrors.replicaReused;
/** A replica can make no more operations: `{replica, used, limit}`. */
export const dotsExhausted: ErrorMaker<{ replica: string; used: number; limit: number }> = crdtErrors.dotsExhausted;
/** A schema can not be used: `{path, expected, actual}`. */
export const schemaInvalid: ErrorMaker<{ path: string; expected: string; actual: string }> = crdtErrors.schemaInvalid;
/** A path leads nowhere, or to another type: `{path, expected, actual}`. */
export const containerUnknown: ErrorMaker<{ path: string; expected: string; actual: string }> =
	crdtErrors.containerUnknown;
/** A value is no plain data: `{kind, reason}`. */
export const valueUnencodable: ErrorMaker<{ kind: string; reason: string }> = crdtErrors.valueUnencodable;
/** Bytes are cut, changed or no update at all: `{reason, offset}`. */
export const updateDamaged: ErrorMaker<{ reason: string; offset: number }> = crdtErrors.updateDamaged;
/** Bytes of another version of the format: `{found, supported}`. */
export const formatUnsupported: ErrorMaker<{ found: number; supported: number }> = crdtErrors.formatUnsupported;
/** A position or range lies outside a sequence: `{position, count, length}`. */
export const positionOutOfRange: ErrorMaker<{ position: number; count: number; length: number }> =
	crdtErrors.positionOutOfRange;
/** The buffer for updates with missing predecessors is full: `{buffered, limit, unit}`. */
export const bufferFull: ErrorMaker<{ buffered: number; limit: number; unit: string }> = crdtErrors.bufferFull;
/** Two states can not be joined, since only one of them was collected: `{replica, known, floor}`. */
export const behindFloor: ErrorMaker<{ replica: string; known: number; floor: number }> = crdtErrors.behindFloor;
/** A stamp lies too far in the future: `{stampMs, nowMs, toleranceMs}`. */
export const clockAhead: ErrorMaker<{ stampMs: number; nowMs: number; toleranceMs: number }> = crdtErrors.clockAhead;
/** A counter can not take this amount: `{amount, expected}`. */
export const amountInvalid: ErrorMaker<{ amount: number; expected: string }> = crdtErrors.amountInvalid;
/** A replica's config contradicts itself: `{field, expected, actual}`. */
export const replicaConfigInvalid: ErrorMaker<{ field: string; expected: string; actual: string }> =
	crdtErrors.replicaConfigInvalid;
/** A signed operation that its author can not have made, or must not: `{author, reason}`. */
export const operationInvalid: ErrorMaker<{ author: string; reason: string }> = crdtErrors.operationInvalid;
/** Too many changes wait while the group agrees on a collection: `{held, limit}`. */
export const changesHeld: ErrorMaker<{ held: number; limit: number }> = crdtErrors.changesHeld;
/** A bounded counter has too few rights at this replica: `{wanted, available}`. */
export const rightsInsufficient: ErrorMaker<{ wanted: number; available: number }> = crdtErrors.rightsInsufficient;
