/** What can go wrong with threads, as typed errors: code and details. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	tooManyThreads: [
		"too-many-threads",
		(d: { name: string; threadsMax: number }) =>
			`no slot is free for thread ${d.name}: a system has at most ${d.threadsMax} threads`,
	],
	threadStartFailed: [
		"thread-start-failed",
		(d: { name: string; phase: string }) => `thread ${d.name} did not start: ${d.phase}`,
	],
	threadDied: [
		"thread-died",
		(d: { name: string; slot: number; cause: string; call: string }) =>
			`thread ${d.name} (slot ${d.slot}) ended (${d.cause}) before it answered ${d.call}; the outcome is unknown`,
	],
	controlTimeout: [
		"control-timeout",
		(d: { name: string; slot: number; call: string; timeoutMs: number }) =>
			`thread ${d.name} (slot ${d.slot}) did not answer ${d.call} within ${d.timeoutMs} ms`,
	],
	threadNotRunning: [
		"thread-not-running",
		(d: { slot: number; state: string }) => `slot ${d.slot} holds no running thread (it is ${d.state})`,
	],
	threadStalled: [
		"thread-stalled",
		(d: { slot: number; actor: number; kind: string; messageType: string; stalledForMs: number }) =>
			`the thread of slot ${d.slot} did not get on for ${d.stalledForMs} ms in actor ${d.actor} (${d.kind}${d.messageType === "" ? "" : ` ${d.messageType}`})`,
	],
	watchdogFailed: ["watchdog-failed", (_: Record<string, never>) => "the watchdog thread ended unasked"],
	laneMemoryExhausted: [
		"lane-memory-exhausted",
		(d: { wantedBytes: number; usedBytes: number; maxBytes: number }) =>
			`a lane of ${d.wantedBytes} bytes does not fit: ${d.usedBytes} of ${d.maxBytes} bytes are in use`,
	],
	systemLaneOverflow: [
		"system-lane-overflow",
		(d: { waitingBytes: number; maxBytes: number }) =>
			`${d.waitingBytes} bytes of signals and answers wait for a thread that takes none; the limit is ${d.maxBytes}`,
	],
	moduleNotLoadable: [
		"module-not-loadable",
		(d: { module: string; hint: string }) => `module ${d.module} can not be loaded: ${d.hint}`,
	],
	exportMissing: [
		"export-missing",
		(d: { module: string; export: string; exports: readonly string[] }) =>
			`module ${d.module} has no export ${d.export}; it exports ${d.exports.join(", ") || "nothing"}`,
	],
	localSourceOnThread: [
		"local-source-on-thread",
		(d: { name: string }) =>
			`actor ${d.name} is a closure, which can not travel to another thread: name its behaviour by module and export`,
	],
	computeQueueFull: [
		"compute-queue-full",
		(d: { export: string; maxQueue: number }) =>
			`task ${d.export} was refused: ${d.maxQueue} tasks wait for a compute thread already`,
	],
	computeThreadDied: [
		"compute-thread-died",
		(d: { module: string; export: string }) =>
			`the compute thread of task ${d.export} of ${d.module} ended before the task did`,
	],
	computePoolClosed: [
		"compute-pool-closed",
		(d: { export: string }) => `task ${d.export} was refused: the pool is closed`,
	],
});

/** All slots are taken: `{name, threadsMax}`. */
export const tooManyThreads: ErrorMaker<{ name: string; threadsMax: number }> = defined.tooManyThreads;
/** A worker ended or stayed silent while it booted: `{name, phase}`. */
export const threadStartFailed: ErrorMaker<{ name: string; phase: string }> = defined.threadStartFailed;
/** The thread ended while a control call was pending; the outcome is unknown: `{name, slot, cause, call}`. */
export const threadDied: ErrorMaker<{ name: string; slot: number; cause: string; call: string }> = defined.threadDied;
/** A control call was not answered in time; the outcome is unknown: `{name, slot, call, timeoutMs}`. */
export const controlTimeout: ErrorMaker<{ name: string; slot: number; call: string; timeoutMs: number }> =
	defined.controlTimeout;
/** The slot is free, starting or dead: `{slot, state}`. */
export const threadNotRunning: ErrorMaker<{ slot: number; state: string }> = defined.threadNotRunning;
/** Why a thread was killed: it ran and did not get on: `{slot, actor, kind, messageType, stalledForMs}`. */
export const threadStalled: ErrorMaker<{
	slot: number;
	actor: number;
	kind: string;
	messageType: string;
	stalledForMs: number;
}> = defined.threadStalled;
/** The watchdog's own thread ended: `{}`, see `cause`. */
export const watchdogFailed: ErrorMaker<Record<string, never>> = defined.watchdogFailed;
/** All lanes together would exceed their limit: `{wantedBytes, usedBytes, maxBytes}`. */
export const laneMemoryExhausted: ErrorMaker<{ wantedBytes: number; usedBytes: number; maxBytes: number }> =
	defined.laneMemoryExhausted;
/** A thread takes no signals and no answers any more: `{waitingBytes, maxBytes}`. */
export const systemLaneOverflow: ErrorMaker<{ waitingBytes: number; maxBytes: number }> = defined.systemLaneOverflow;
/** A module that does not exist, throws while it loads, or is TypeScript: `{module, hint}`. */
export const moduleNotLoadable: ErrorMaker<{ module: string; hint: string }> = defined.moduleNotLoadable;
/** The module has no such export: `{module, export, exports}`. */
export const exportMissing: ErrorMaker<{ module: string; export: string; exports: readonly string[] }> =
	defined.exportMissing;
/** A closure was to start on another thread: `{name}`. */
export const localSourceOnThread: ErrorMaker<{ name: string }> = defined.localSourceOnThread;
/** The pool's queue is at its bound: `{export, maxQueue}`. */
export const computeQueueFull: ErrorMaker<{ export: string; maxQueue: number }> = defined.computeQueueFull;
/** A compute thread died under a task: `{module, export}`. */
export const computeThreadDied: ErrorMaker<{ module: string; export: string }> = defined.computeThreadDied;
/** `run` after `close`, or a task that `close` cut off: `{export}`. */
export const computePoolClosed: ErrorMaker<{ export: string }> = defined.computePoolClosed;
