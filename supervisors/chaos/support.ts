/** Whether an engine can run an experiment: asked before anything is started. */
import { experimentInvalid, experimentUnsupported } from "./errors.ts";
import type { Experiment, FaultSpec } from "./experiment.ts";
import { TARGET_WORDS } from "./fault-kind.ts";
import { nearestName } from "./nearest.ts";
import type { ExperimentEngine } from "./target.ts";

/** Selects everything, in a list of property ids. */
export const ALL = "all";

/**
 * Refuses what the engine can not do.
 * @throws QuorateError `experiment-unsupported`, `experiment-invalid` (a property of the wrong kind)
 */
export function requireSupport(experiment: Experiment, engine: ExperimentEngine): void {
	const require = (what: string, name: string, known: ReadonlySet<string>): void => {
		if (!known.has(name)) {
			throw experimentUnsupported({ engine: engine.name, what, name, nearest: nearestName(name, [...known]) });
		}
	};
	for (const { fault } of experiment.method) {
		const reason = engine.refusals.get(fault.kind);
		if (reason === undefined) require("fault", fault.kind, engine.faults);
		else throw experimentUnsupported({ engine: engine.name, what: "fault", name: fault.kind, nearest: null, reason });
	}
	require("topology with disks", experiment.topology.disks, engine.disks);
	for (const { probe } of [...experiment.steadyState.probes, ...experiment.guards])
		require("probe", probe, engine.probes);
	require("workload", experiment.workload.kind, engine.workloads);
	const ids = new Set(engine.properties.keys());
	for (const list of ["always", "sometimes"] as const) {
		for (const id of experiment.properties[list]) {
			if (id === ALL) continue;
			require("property", id, ids);
			if ((engine.properties.get(id) === "sometimes") === (list === "sometimes")) continue;
			throw experimentInvalid({
				...{ file: null, line: null, column: null },
				key: `properties.${list}`,
				expected: list === "always" ? "ids of always and eventually properties" : "ids of sometimes properties",
				actual: `${id}, which is ${engine.properties.get(id)}`,
				nearest: null,
			});
		}
	}
}

/** The ids on which the verdict depends. */
export function requiredProperties({ properties }: Experiment, engine: ExperimentEngine): ReadonlySet<string> {
	const required = new Set([...properties.always, ...properties.sometimes]);
	for (const [id, kind] of engine.properties) {
		const selected = kind === "sometimes" ? properties.sometimes : properties.always;
		if (selected.includes(ALL)) required.add(id);
	}
	required.delete(ALL);
	return required;
}

/** Refuses names of nodes that the target does not have. @throws QuorateError `experiment-unsupported` */
export function requireNodes(faults: readonly FaultSpec[], nodes: readonly string[], engine: string): void {
	const known = new Set([...nodes, ...TARGET_WORDS]);
	for (const { arguments: given } of faults) {
		const side = given["side"];
		const named = [given["target"], given["from"], given["to"], ...(Array.isArray(side) ? side : [])];
		for (const name of named) {
			if (typeof name !== "string" || known.has(name)) continue;
			throw experimentUnsupported({ engine, what: "node", name, nearest: nearestName(name, nodes) });
		}
	}
}
