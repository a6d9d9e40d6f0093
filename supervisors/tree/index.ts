/**
 * `supervisors/tree`: keeps actors and threads alive. Child specs, OTP's restart strategies and restart intensity,
 * backoff, the supervisor as an actor, and the supervisor of threads.
 *
 * Source: Erlang/OTP's `supervisor` (rules, names and defaults), Akka's backoff supervision (delays, restart in place).
 * Place: above the runtime, whose actors and threads it starts and restarts; below the participants, which it keeps alive.
 * It does not detect stalls (the backend sees heartbeats), keeps nothing across the end of the process, and does not
 * move a child to another thread than its spec says.
 */
export { attemptsLeft, type BackoffSpec, restartDelayMs } from "./backoff.ts";
export {
	type AutoShutdown,
	CHILDREN_MAX,
	type ChildSpec,
	type ChildTemplate,
	type DynamicSupervisorSpec,
	type RestartType,
	type Shutdown,
	type StaticSupervisorSpec,
	type Strategy,
	type SupervisorFlags,
	type SupervisorSpec,
} from "./child-spec.ts";
export type { SupervisionEvent, ThreadSupervisionEvent } from "./events.ts";
export {
	type ChildCounts,
	type ChildReport,
	type StartedChild,
	SupervisorClient,
	type SupervisorRequest,
} from "./requests.ts";
export { EMPTY_WINDOW, type RestartWindow, recordRestart } from "./restart-intensity.ts";
export { validateSupervisor } from "./spec-validation.ts";
export { type ChildStanding, endsSupervisor, mustRestart, planRestart, type RestartPlan } from "./strategy.ts";
export { Supervisor, supervisorActor } from "./supervisor.ts";
export {
	OUT_OF_MEMORY_BACKOFF,
	type SlotHistory,
	THREAD_BACKOFF,
	ThreadSupervisor,
	type ThreadSupervisorOptions,
} from "./thread-supervisor.ts";
