/** Turns a fault as an experiment has it into one that a target can apply: every argument given, every draw made. */
import type { Generator } from "../../protocols/core/index.ts";
import { faultKind } from "./catalogue.ts";
import type { FaultArgument, FaultSpec } from "./experiment.ts";

/**
 * Completes a checked fault. `any` becomes a node, and the halves of a partition get their `side`; `leader` and
 * `follower` stay words, since only the target knows who that is.
 * @param generator the fault's own stream, so that other faults do not change its draws
 */
export function resolveFault(fault: FaultSpec, nodes: readonly string[], generator: Generator): FaultSpec {
	const given: Record<string, FaultArgument> = {};
	for (const { name, default: byDefault } of faultKind(fault.kind).arguments) {
		const value = fault.arguments[name] ?? byDefault;
		if (value !== undefined) given[name] = value as FaultArgument;
	}
	for (const name of ["target", "from"]) {
		if (given[name] === "any") given[name] = generator.pick(nodes);
	}
	if (given["to"] === "any") {
		const others = nodes.filter((node) => node !== given["from"]);
		given["to"] = others.length === 0 ? generator.pick(nodes) : generator.pick(others);
	}
	if (fault.kind === "partition" && given["side"] === undefined) {
		const side = sideOf(String(given["shape"]), nodes, generator);
		if (side !== null) given["side"] = side;
	}
	return { kind: fault.kind, arguments: given };
}

/** The nodes of the smaller side; null for shapes that are not two sides. */
function sideOf(shape: string, nodes: readonly string[], generator: Generator): readonly string[] | null {
	const half = Math.floor(nodes.length / 2);
	if (shape === "halves") return nodes.slice(0, half);
	if (shape !== "random-halves") return null;
	const rest = [...nodes];
	const drawn = new Set<string>();
	while (drawn.size < half) drawn.add(rest.splice(generator.below(rest.length), 1)[0] as string);
	return nodes.filter((node) => drawn.has(node));
}
