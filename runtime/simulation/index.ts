/**
 * `runtime/simulation`: the deterministic backend. Virtual threads, each with a kernel of its own, run in one real
 * thread on virtual time; one seed decides latencies, the order of what happens at the same time, and every draw of
 * the actors. Everything above the backend ports (mailboxes, asks, supervision, participants) is the code that runs on
 * worker threads, unchanged. After FoundationDB's and TigerBeetle's simulators.
 *
 * Threads die between events, or at a point that a test chooses ({@link KillRule}); lanes keep what real lanes keep. A
 * {@link NetworkPolicy} loses, delays, duplicates and reorders messages between chosen actors.
 *
 * It does not simulate parallel access to memory (the lanes have tests of their own for that), nor how long a handler
 * takes: a turn is instantaneous.
 */
export type { NetworkDelivery, NetworkPolicy } from "./network.ts";
export { type RunEnd, type RunLimits, Simulation, type SimulationOptions } from "./simulation.ts";
export { type KillPoint, type KillRule, REDELIVERIES_MAX } from "./threads.ts";
export type { DurationRange } from "./timeline.ts";
