/** The catalogue's network faults in the words of the faulty network, which both engines put between members. */
import { assert, assertNever } from "../../protocols/core/index.ts";
import type { DelayDistribution, LinkFilter, NetworkFault } from "../../runtime/index.ts";
import { type FaultSpec, faultNotApplicable } from "../../supervisors/index.ts";
import { FaultArguments } from "./fault-arguments.ts";
import type { TargetSelection } from "./target-selection.ts";

/** Bytes that may wait before a link of limited bandwidth. */
const BANDWIDTH_QUEUE_BYTES = 1024 * 1024;

/** The catalogue's kinds that {@link networkFaultsOf} translates. */
export const networkKinds = [
	"partition",
	"loss",
	"delay",
	"duplicate",
	"reorder",
	"corrupt",
	"replay",
	"clog",
	"bandwidth",
	"flap",
	"drop-kind",
] as const;
export type NetworkKind = (typeof networkKinds)[number];

export function isNetworkKind(kind: string): kind is NetworkKind {
	return (networkKinds as readonly string[]).includes(kind);
}

export interface NetworkFaults {
	/** In force together. */
	readonly faults: readonly NetworkFault[];
	readonly description: string;
}

/** @throws QuorateError `fault-not-applicable` */
export function networkFaultsOf(fault: FaultSpec, selection: TargetSelection): NetworkFaults {
	const { kind } = fault;
	assert(isNetworkKind(kind), "only network faults come here", { kind });
	const given = new FaultArguments(fault);
	if (kind === "partition") return partition(given, selection);
	if (kind === "clog") return clog(given, selection);
	const { nodes, text } = selection.select(kind, given.text("target"));
	const isAll = nodes.length === selection.all.length;
	const filters: readonly LinkFilter[] = isAll ? [{}] : [{ from: nodes }, { to: nodes }];
	const faults = filters.map((links): NetworkFault => ({ ...onLinks(kind, given), ...links }));
	return { faults, description: `${isAll ? "all links" : `the links of ${text}`}, ${figures(fault)}` };
}

/** What happens on the links concerned. */
function onLinks(kind: Exclude<NetworkKind, "partition" | "clog">, given: FaultArguments): NetworkFault {
	switch (kind) {
		case "loss":
		case "duplicate":
			return { kind, probability: given.number("probability") };
		case "delay":
			return { kind, delay: delayOf(given) };
		case "reorder":
			return { kind, probability: given.number("probability"), windowMs: Math.max(1, given.number("windowMs")) };
		case "corrupt":
			return { kind, probability: given.number("probability"), bits: given.number("bits") };
		case "replay":
			return { kind, probability: given.number("probability"), ageMs: { min: 0, max: given.number("ageMs") } };
		case "bandwidth":
			return { kind, bytesPerMs: given.number("bytesPerSecond") / 1_000, queueBytesMax: BANDWIDTH_QUEUE_BYTES };
		case "flap": {
			const halfMs = Math.max(1, given.number("periodMs") / 2);
			return { kind, upMs: halfMs, downMs: halfMs };
		}
		case "drop-kind":
			return { kind, messageTypes: [given.text("message")], probability: given.number("probability") };
		default:
			return assertNever(kind, "kind of network fault");
	}
}

function delayOf(given: FaultArguments): DelayDistribution {
	const meanMs = given.number("meanMs");
	const jitterMs = Math.min(meanMs, given.number("jitterMs"));
	if (given.text("distribution") === "exponential") {
		return { type: "exponential", minMs: meanMs - jitterMs, meanMs: jitterMs };
	}
	return { type: "uniform", min: meanMs - jitterMs, max: meanMs + jitterMs };
}

function partition(given: FaultArguments, selection: TargetSelection): NetworkFaults {
	const { all } = selection;
	const shape = given.text("shape");
	const versus = (side: readonly string[]): NetworkFaults => ({
		faults: [{ kind: "partition", groups: [side, all.filter((node) => !side.includes(node))] }],
		description: `${side.join(", ")} | ${all.filter((node) => !side.includes(node)).join(", ")}`,
	});
	const one = (): string => selection.one("partition", given.text("target"));
	switch (shape) {
		case "halves":
		case "random-halves":
			return versus(given.list("side"));
		case "isolate":
			return versus([one()]);
		case "leader-vs-rest":
			return versus([selection.one("partition", "leader")]);
		case "majorities-ring": {
			// A majority is the node itself and the next ones on both sides.
			const reach = Math.max(1, Math.ceil(Math.floor(all.length / 2) / 2));
			return { faults: [{ kind: "ring", order: all, reach }], description: `a ring of majorities: ${all.join(", ")}` };
		}
		case "bridge": {
			const bridge = one();
			const others = all.filter((node) => node !== bridge);
			const half = Math.floor(others.length / 2);
			const sides = [others.slice(0, half), others.slice(half)];
			return {
				faults: [{ kind: "partition", groups: sides.map((side) => [...side, bridge]) }],
				description: `${sides.map((side) => side.join(", ")).join(" | ")}, joined by ${bridge}`,
			};
		}
		case "one-way": {
			const node = one();
			const isIn = given.text("direction") === "in";
			const links: LinkFilter = isIn ? { to: [node] } : { from: [node] };
			return {
				faults: [{ kind: "one-way", ...links }],
				description: `nothing ${isIn ? "reaches" : "leaves"} ${selection.describe(node)}`,
			};
		}
		default:
			throw faultNotApplicable({ fault: "partition", reason: `there is no shape ${shape}` });
	}
}

function clog(given: FaultArguments, selection: TargetSelection): NetworkFaults {
	const from = selection.select("clog", given.text("from"));
	const to = selection.select("clog", given.text("to"));
	return {
		faults: [{ kind: "clog", from: from.nodes, to: to.nodes }],
		description: `what ${from.text} sends to ${to.text}`,
	};
}

function figures({ arguments: given }: FaultSpec): string {
	const parts = Object.entries(given).filter(([name]) => name !== "target");
	return parts.length === 0 ? "as by default" : parts.map(([name, value]) => `${name} ${String(value)}`).join(", ");
}
