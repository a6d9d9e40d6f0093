/**
 * `protocols/core`: the few words that protocols and runtime both speak. The contract between a protocol and its
 * host ({@link StateMachine}, with the duties of both sides), identifiers, the seeded generator, assertions,
 * typed errors, message layouts, the canonical form of states and the place where a text stops being JSON.
 *
 * It holds no protocol and no I/O, and imports nothing.
 */
export type { Application, LogPosition } from "./application.ts";
export { AssertionError, assert, assertNever, must } from "./assert.ts";
export { canonicalHash, canonicalText, hashText } from "./canonical.ts";
export type { ChoicePort } from "./choice.ts";
export type { CryptoPort } from "./crypto.ts";
export {
	defineErrors,
	type ErrorDetails,
	type ErrorMaker,
	type ErrorObject,
	errorFromObject,
	errorToObject,
	invalidArgument,
	QuorateError,
	requireBytes,
	requireInteger,
} from "./errors.ts";
export { type DrawOracle, type DrawStream, Generator } from "./generator.ts";
export {
	type Brand,
	compareIds,
	type GroupId,
	groupId,
	isNodeId,
	NODE_ID_LENGTH_MAX,
	type NodeId,
	nodeId,
	nodeIds,
} from "./ids.ts";
export { describeCharacter, findJsonFault, type JsonFault } from "./json-fault.ts";
export type { Field, FieldKind, LayoutTable, MessageLayout } from "./layout.ts";
export type {
	Apply,
	BatchEnded,
	CancelTimer,
	Effect,
	Emit,
	Input,
	MessageReceived,
	MonotonicMs,
	PeerReachability,
	Persist,
	ProtocolTypes,
	Read,
	ReadCompleted,
	ReadId,
	Release,
	Reply,
	RequestId,
	RequestReceived,
	Send,
	SetTimer,
	SnapshotReady,
	Start,
	StateMachine,
	TimerFired,
	WriteCompleted,
	WriteId,
} from "./state-machine.ts";
