/**
 * The engine `simulation` for PBFT: a Byzantine group as shipped (participants, mailboxes, supervisors, storage, clients) on virtual
 * time, decided by one seed. Correct members have their machines under observation, liars run others in their place; cryptography is
 * ideal, see {@link IdealIdentities}.
 */
import { nodeId } from "../../../protocols/core/index.ts";
import { pbftProperties } from "../../../protocols/pbft/properties/index.ts";
import {
	type ExperimentEngine,
	type ExperimentTarget,
	experimentUnsupported,
	type TargetOrder,
} from "../../../supervisors/index.ts";
import { ByzantineGroup } from "../../byzantine-coordinator/index.ts";
import { KEY_VALUE_WORKLOAD } from "../key-value-workload.ts";
import { probeNames } from "../probes.ts";
import { SimulatedWorld, type SimulationOptions } from "../simulated-world.ts";
import { type ByzantinePlan, byzantineFaultKinds, byzantineRefusals, liarsOf } from "./byzantine-plan.ts";
import { ByzantineTarget } from "./byzantine-target.ts";
import { IdealIdentities } from "./ideal-identities.ts";
import { GROUP, type PbftMachineWrapper, simulatedPbft } from "./simulated-pbft.ts";

/** Clients that a group knows: those of a workload, at most. */
const CLIENTS = 64;

export interface ByzantineSimulationOptions extends SimulationOptions {
	/** Puts something around each correct member's machine; default: nothing. */
	readonly machine?: PbftMachineWrapper;
}

/** The engine for runs of a plan; it may run any number of experiments, one after the other or side by side. */
export function byzantineEngine(plan: ByzantinePlan, options: ByzantineSimulationOptions = {}): ExperimentEngine {
	return {
		name: "simulation",
		faults: byzantineFaultKinds,
		refusals: byzantineRefusals,
		disks: new Set(["shared", "own"]),
		probes: probeNames,
		workloads: new Set([KEY_VALUE_WORKLOAD]),
		properties: new Map(pbftProperties.map(({ id, kind }) => [id, kind])),
		start: (order) => startGroup(order, plan, options),
	};
}

async function startGroup(
	order: TargetOrder,
	plan: ByzantinePlan,
	{ machine = (shipped) => shipped, ...options }: ByzantineSimulationOptions,
): Promise<ExperimentTarget> {
	const { topology, seed, observe } = order;
	const { protocol, nodes, config } = topology;
	if (protocol !== plan.protocol) {
		throw experimentUnsupported({ engine: "Byzantine groups", what: "protocol", name: protocol, nearest: "pbft" });
	}
	const members = Array.from({ length: nodes }, (_, i) => nodeId(`node-${i + 1}`));
	const liars = liarsOf(seed, plan);
	const identities = new IdealIdentities(seed, members, CLIENTS);
	const portOf = identities.portOf.bind(identities);
	const world = new SimulatedWorld(order, simulatedPbft({ members, liars, portOf, wrap: machine, seed }), options);
	const { backend, simulation } = world;
	const group = await simulation.complete(
		ByzantineGroup.start({
			nodes: members,
			group: GROUP,
			config: { ...config, ...plan.modes },
			seed,
			backend,
			identities,
		}),
	);
	const stage = world.stage({
		get nodes() {
			return group.nodes.map((node) => ({ node }));
		},
		get leader() {
			const { primary, view } = group.primary;
			return { leader: primary, term: view };
		},
		lookup: (actor) => group.lookup(actor),
		orders: {},
		stop: () => group.stop(),
	});
	return new ByzantineTarget(group, stage, liars, seed, observe);
}
