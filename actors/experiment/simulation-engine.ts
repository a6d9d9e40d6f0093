/**
 * The engine `simulation`: a swarm as shipped (participants, mailboxes, supervisors, storage) on virtual time, decided by
 * one seed. Members are built with their machines under observation; nothing else differs from worker threads.
 */
import { raftProperties } from "../../protocols/raft/properties/index.ts";
import type { ExperimentEngine, ExperimentTarget, TargetOrder } from "../../supervisors/index.ts";
import { Swarm } from "../swarm/index.ts";
import { KEY_VALUE_WORKLOAD } from "./key-value-workload.ts";
import { probeNames } from "./probes.ts";
import { SimulatedWorld, type SimulationEngineOptions } from "./simulated-world.ts";
import { simulationFaultKinds } from "./simulation-faults.ts";
import { raftOptionsOf, START_TIMEOUT_MS } from "./swarm-options.ts";
import { SwarmTarget } from "./swarm-target.ts";

/** The engine; it may run any number of experiments, one after the other or side by side. */
export function simulationEngine(options: SimulationEngineOptions = {}): ExperimentEngine {
	return {
		name: "simulation",
		faults: simulationFaultKinds,
		// There is no kind of the catalogue that a simulation can not apply.
		refusals: new Map(),
		disks: new Set(["shared", "own"]),
		probes: probeNames,
		workloads: new Set([KEY_VALUE_WORKLOAD]),
		properties: new Map(raftProperties.map(({ id, kind }) => [id, kind])),
		start: (order) => startSimulation(order, options),
	};
}

async function startSimulation(order: TargetOrder, options: SimulationEngineOptions): Promise<ExperimentTarget> {
	const { topology, seed, observe } = order;
	const raft = raftOptionsOf(topology);
	const world = new SimulatedWorld(order, options);
	const { backend, simulation } = world;
	const swarm = await simulation.complete(
		Swarm.start({ raft, seed, backend, warmSpares: 0, startTimeoutMs: START_TIMEOUT_MS }),
	);
	return new SwarmTarget(world.stage(swarm), seed, observe);
}
