/** Faults of a member's disk. */
import {
	choiceArgument,
	durationArgument,
	type FaultKind,
	factorArgument,
	probability,
	target,
} from "../fault-kind.ts";

const kind = (name: string, counts: "crash" | null, means: string, args: FaultKind["arguments"] = []): FaultKind => ({
	kind: name,
	category: "storage",
	lasts: true,
	counts,
	means,
	arguments: [target("any", "Whose disk."), ...args],
	concerns: "target",
});

/** Nobody notices before it is read: when the member starts, or when it is to be sent. */
const damage = (name: string, means: string): FaultKind => ({
	kind: name,
	category: "storage",
	lasts: false,
	counts: "damage",
	means,
	arguments: [
		target("any", "Whose disk."),
		choiceArgument(
			"part",
			["any", "log", "snapshot", "hard-state"],
			"any",
			"What is hit: the log or the snapshot, whichever it is; either of them; or what can not be got again, term and vote.",
		),
		choiceArgument(
			"restart",
			["yes", "no"],
			"yes",
			"Whether the member is killed with it, so that its next life finds it; else it waits until somebody reads there.",
		),
	],
	concerns: "target",
});

export const storageFaults: readonly FaultKind[] = [
	kind("slow-disk", null, "Makes writes and flushes take longer.", [
		durationArgument("latency", "Added to each flush.", { default: 50, typical: { min: 1, max: 1_000 } }),
		factorArgument("factor", "And each is so many times longer.", 1_000, { default: 1, typical: { min: 1, max: 10 } }),
	]),
	kind("stalled-disk", "crash", "Answers no write and no flush until the fault is removed."),
	kind("disk-full", "crash", "Refuses every write for want of space."),
	kind(
		"failed-flush",
		"crash",
		"Fails flushes with this probability, and the disk with the first; its removal mends it.",
		[probability("Of each flush.", 1)],
	),
	kind("read-error", "crash", "Fails reads with this probability, and the disk with the first; its removal mends it.", [
		probability("Of each read.", 0.1),
	]),
	damage("bit-rot", "Flips a bit of what a member's disk holds."),
	damage("misdirected-write", "Puts what belongs elsewhere in the place of something that a member's disk holds."),
	kind(
		"wipe",
		"crash",
		"Loses a member's disk with all that was on it; at its end a new member takes its place, under a name of its own.",
	),
];
