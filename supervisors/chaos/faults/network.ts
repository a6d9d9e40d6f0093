/** Faults of the network between members. They act on what members send each other, below their mailboxes. */
import {
	choiceArgument,
	countArgument,
	durationArgument,
	type FaultKind,
	nodesArgument,
	probability,
	target,
	targetShape,
} from "../fault-kind.ts";
import { choice, integer, text } from "../shape.ts";

/** How a partition cuts; names from Jepsen's nemeses. */
export const PARTITION_SHAPES: readonly string[] = [
	"halves",
	"random-halves",
	"isolate",
	"majorities-ring",
	"bridge",
	"one-way",
	"leader-vs-rest",
];

const kind = (
	name: string,
	counts: "crash" | null,
	means: string,
	args: FaultKind["arguments"],
	concerns: FaultKind["concerns"] = "target",
): FaultKind => ({ kind: name, category: "network", lasts: true, counts, means, arguments: args, concerns });

/** The links of this member, both ways. */
const links = target("all", "Whose links are concerned; all: every link.");

export const networkFaults: readonly FaultKind[] = [
	kind(
		"partition",
		"crash",
		"Cuts links: nothing passes them until the fault is removed.",
		[
			{
				key: "shape",
				name: "shape",
				shape: choice(PARTITION_SHAPES),
				means:
					"halves: the first half of the nodes against the rest; random-halves: a drawn smaller half; isolate: the target alone; " +
					"majorities-ring: each node sees a majority, no two the same; bridge: two halves that only one node connects; " +
					"one-way: the target is cut in one direction; leader-vs-rest: the leader alone.",
				default: "random-halves",
			},
			target("any", "Of isolate, one-way and bridge: the member that is cut off, or is the bridge."),
			choiceArgument(
				"direction",
				["in", "out"],
				"out",
				"Of one-way: what reaches the target is lost, or what it sends.",
			),
			nodesArgument("side", "Of halves and random-halves: the nodes of one side; left out, halves as the shape says."),
		],
		"cut-off",
	),
	kind("loss", null, "Loses each message with this probability.", [
		links,
		probability("Of each message, independently.", 0.1),
	]),
	kind(
		"delay",
		null,
		"Holds each message back for a drawn time, so that messages overtake each other only by jitter.",
		[
			links,
			durationArgument("mean", "Added to each message.", { default: 50, typical: { min: 1, max: 300 } }),
			durationArgument("jitter", "Spread around the mean, at most the mean.", {
				default: 20,
				typical: { min: 0, max: 100 },
			}),
			choiceArgument("distribution", ["uniform", "exponential"], "uniform", "How the time is drawn."),
		],
	),
	kind("duplicate", null, "Delivers each message twice with this probability.", [
		links,
		probability("Of each message, independently.", 0.1),
	]),
	kind("reorder", null, "Lets messages overtake each other within a window.", [
		links,
		probability("That a message is held back.", 0.3),
		durationArgument("window", "For how long at most.", { default: 100, typical: { min: 5, max: 500 } }),
	]),
	kind("corrupt", null, "Flips bits of a message's bytes with this probability.", [
		links,
		probability("Of each message, independently.", 0.01),
		countArgument("bits", "How many bits.", 64, { default: 1, typical: { min: 1, max: 8 } }),
	]),
	kind("replay", null, "Delivers an old message again with this probability, for each new one.", [
		links,
		probability("Of each message, independently.", 0.05),
		durationArgument("age", "How old a replayed message may be.", {
			default: 5_000,
			typical: { min: 100, max: 20_000 },
		}),
	]),
	kind("clog", null, "Holds everything on one link back until the fault is removed, then delivers it.", [
		{ key: "from", name: "from", shape: targetShape, means: "The sender.", default: "any" },
		{ key: "to", name: "to", shape: targetShape, means: "The receiver; all: every other member.", default: "any" },
	]),
	kind("bandwidth", null, "Lets only so many bytes a second pass each link.", [
		links,
		{
			key: "bytesPerSecond",
			name: "bytesPerSecond",
			shape: integer(1, 1_000_000_000_000),
			means: "Of each link, in each direction.",
			default: 64_000,
			typical: { min: 2_000, max: 1_000_000 },
		},
	]),
	kind("flap", "crash", "Cuts the links of a member and restores them, again and again.", [
		target("any", "Whose links flap."),
		durationArgument("period", "From one cut to the next; each half of it cut and whole.", {
			default: 1_000,
			typical: { min: 50, max: 5_000 },
		}),
	]),
	kind("drop-kind", null, "Loses every message of one kind.", [
		links,
		{
			key: "message",
			name: "message",
			shape: text(1, 80),
			means: "The kind as the protocol's room names it, such as append-request.",
		},
		probability("Of each such message.", 1),
	]),
];
