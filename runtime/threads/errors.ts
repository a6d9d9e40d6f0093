/** What can go wrong with threads, as typed errors: code and details. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	threadStartFailed: [
		"thread-start-failed",
		(d: { name: string; phase: string }) => `thread ${d.name} did not start: ${d.phase}`,
	],
	controlTimeout: [
		"control-timeout",
		(d: { name: string; slot: number; call: string; timeoutMs: number }) =>
			`thread ${d.name} (slot ${d.slot}) did not answer ${d.call} within ${d.timeoutMs} ms`,
	],
	threadStalled: [
		"thread-stalled",
		(d: { name: string; slot: number; actor: number; kind: string; messageType: string; stalledForMs: number }) =>
			`the thread ${d.name} (slot ${d.slot}) did not get on for ${d.stalledForMs} ms in actor ${d.actor} (${d.kind}${d.messageType === "" ? "" : ` ${d.messageType}`})`,
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

/** A worker ended or stayed silent while it booted: `{name, phase}`. */
export const threadStartFailed: ErrorMaker<{ name: string; phase: string }> = defined.threadStartFailed;
/** A control call was not answered in time; the outcome is unknown: `{name, slot, call, timeoutMs}`. */
export const controlTimeout: ErrorMaker<{ name: string; slot: number; call: string; timeoutMs: number }> =
	defined.controlTimeout;
/** Why a thread was killed: it ran and did not get on: `{slot, actor, kind, messageType, stalledForMs}`. */
export const threadStalled: ErrorMaker<{
	name: string;
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
/** The pool's queue is at its bound: `{export, maxQueue}`. */
export const computeQueueFull: ErrorMaker<{ export: string; maxQueue: number }> = defined.computeQueueFull;
/** A compute thread died under a task: `{module, export}`. */
export const computeThreadDied: ErrorMaker<{ module: string; export: string }> = defined.computeThreadDied;
/** `run` after `close`, or a task that `close` cut off: `{export}`. */
export const computePoolClosed: ErrorMaker<{ export: string }> = defined.computePoolClosed;
