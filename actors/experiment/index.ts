/**
 * `actors/experiment`: swarms as targets of chaos experiments. {@link simulationEngine} runs the shipped swarm on virtual
 * time, decided by one seed, with every member's machine under observation; {@link planSeed} makes the experiment that a
 * seed becomes, {@link seedTask} runs one in a compute thread.
 *
 * Place: it joins `supervisors/chaos` (experiments, runner, verdicts) to `actors/swarm`. Properties are the protocol's own
 * (`protocols/raft/properties`), histories are judged by `protocols/verification/history`; none of that stands here.
 */
export { type ByzantineSimulationOptions, byzantineEngine } from "./byzantine/byzantine-engine.ts";
export {
	type ByzantinePlan,
	byzantineFaults,
	faultsBorne,
	isSimulatedAttack,
	liarsOf,
	planByzantineSeed,
} from "./byzantine/byzantine-plan.ts";
export type { PbftMachineWrapper } from "./byzantine/simulated-pbft.ts";
export { historyChart } from "./history-chart.ts";
export { KEY_VALUE_WORKLOAD } from "./key-value-workload.ts";
export type { MachineWrapper, ViewableRaft } from "./observed-participant.ts";
export { engineOf, experimentOf, runSeed, type SeedOrder, type SeedResult, seedTask } from "./seed-run.ts";
export { type SimulationEngineOptions, simulationEngine } from "./simulation-engine.ts";
export { KILL_POINTS } from "./simulation-faults.ts";
export { plannedFaults, planSeed, type SimulationPlan } from "./simulation-plan.ts";
export { threadsEngine } from "./threads-engine.ts";
