/**
 * The engine `simulation`: a swarm as shipped (participants, mailboxes, supervisors, storage) on virtual time, decided by
 * one seed. Members are built with their machines under observation; nothing else differs from worker threads.
 */
import { type RaftTypes, type RaftView, raftLayouts } from "../../protocols/raft/index.ts";
import { raftProperties } from "../../protocols/raft/properties/index.ts";
import type { ExperimentEngine, ExperimentTarget, TargetOrder } from "../../supervisors/index.ts";
import { RaftStoreView, raftClientLayouts, raftParticipantModule, raftStoreName } from "../participant/index.ts";
import { Swarm } from "../swarm/index.ts";
import { KEY_VALUE_WORKLOAD } from "./key-value-workload.ts";
import { askForTransfer } from "./leadership-transfer.ts";
import { type MachineWrapper, observedParticipant } from "./observed-participant.ts";
import { probeNames } from "./probes.ts";
import type { SimulatedProtocol } from "./simulated-protocol.ts";
import { SimulatedWorld, type SimulationOptions } from "./simulated-world.ts";
import { simulationFaultKinds } from "./simulation-faults.ts";
import { GROUP, raftOptionsOf, START_TIMEOUT_MS } from "./swarm-options.ts";
import { SwarmTarget } from "./swarm-target.ts";

export interface SimulationEngineOptions extends SimulationOptions {
	/** Puts something around each member's machine, such as a planted bug; default: nothing. */
	readonly machine?: MachineWrapper;
}

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
	const world = new SimulatedWorld(order, simulatedRaft(options.machine ?? ((machine) => machine)), options);
	const { backend, simulation } = world;
	const swarm = await simulation.complete(
		Swarm.start({ raft, seed, backend, warmSpares: 0, startTimeoutMs: START_TIMEOUT_MS }),
	);
	const stage = world.stage({
		get nodes() {
			return swarm.nodes;
		},
		get leader() {
			return swarm.leader;
		},
		lookup: (actor) => swarm.lookup(actor),
		orders: {
			transferLeadership: (node) => askForTransfer(swarm, node),
			replaceMember: async (node) => {
				await simulation.complete(swarm.removeMember(node));
				await simulation.complete(swarm.addMember());
			},
		},
		stop: () => swarm.stop(),
	});
	return new SwarmTarget(swarm, stage, seed, observe);
}

function simulatedRaft(wrap: MachineWrapper): SimulatedProtocol<RaftTypes, RaftView> {
	return {
		group: GROUP,
		storeOf: (node) => raftStoreName(GROUP, node),
		properties: raftProperties,
		layouts: [raftLayouts, raftClientLayouts],
		viewOf: (contents) => RaftStoreView.of(contents),
		isJudged: () => true,
		modules: (observer) => [[raftParticipantModule, { RaftParticipant: observedParticipant(observer, wrap) }]],
	};
}
