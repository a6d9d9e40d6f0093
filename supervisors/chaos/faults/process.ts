/** Faults of processes: members, their threads and their supervisors. */
import {
	choiceArgument,
	countArgument,
	durationArgument,
	type FaultKind,
	factorArgument,
	target,
} from "../fault-kind.ts";
import { text } from "../shape.ts";

const kind = (
	name: string,
	lasts: boolean,
	counts: "crash" | null,
	means: string,
	args: FaultKind["arguments"],
	concerns: FaultKind["concerns"] = "target",
): FaultKind => ({ kind: name, category: "process", lasts, counts, means, arguments: args, concerns });

export const processFaults: readonly FaultKind[] = [
	kind("kill", false, "crash", "Kills a member with its thread; its supervisor restarts it.", [target("any")]),
	kind("crash", true, "crash", "Kills a member and keeps it down until the fault is removed.", [target("any")]),
	kind("kill-at", true, "crash", "Kills a member once, when it passes a labelled point for the n-th time from now.", [
		target("any"),
		{
			key: "point",
			name: "point",
			shape: text(1, 80),
			means: "The point's label, as the engine names it; * is any point.",
			default: "*",
		},
		countArgument("nth", "Which passing of the point, counted from 1.", 1_000_000, {
			default: 1,
			typical: { min: 1, max: 50 },
		}),
	]),
	kind("pause", true, "crash", "Stops a member as SIGSTOP would: it does nothing, and loses nothing.", [target("any")]),
	kind("slow", true, null, "Makes all work of a member take so many times longer.", [
		target("any"),
		factorArgument("factor", "How many times longer.", 1_000, { default: 10, typical: { min: 2, max: 20 } }),
	]),
	kind("crash-loop", true, "crash", "Kills a member again each time it has come up, until the fault is removed.", [
		target("any"),
		durationArgument("up", "How long each life lasts before it is killed.", {
			default: 100,
			typical: { min: 10, max: 1_000 },
		}),
	]),
	kind("oom", false, "crash", "Lets a member's thread run out of memory.", [target("any")]),
	kind("busy-loop", true, "crash", "Keeps a member's thread in a loop that never yields.", [target("any")]),
	kind(
		"restart-power-loss",
		false,
		"crash",
		"Cuts a member's power and starts it again: everything that was not flushed is lost.",
		[target("any")],
	),
	kind(
		"supervisor-kill",
		false,
		"crash",
		"Kills a member, and lets the members' supervisor fail as it hears of it: it takes all of them down with it.",
		[target("any")],
		"all",
	),
	kind("mailbox-flood", true, "crash", "Fills a member's mailbox with messages it has no use for.", [
		target("any"),
		countArgument("messagesPerSecond", "How many messages a second.", 10_000_000, {
			default: 10_000,
			typical: { min: 1_000, max: 50_000 },
		}),
	]),
	kind("lane-full", true, "crash", "Keeps the lanes to a member (or from it) full, so that sends are refused.", [
		target("any"),
		choiceArgument("direction", ["in", "out"], "in", "The lanes to the member, or those from it."),
	]),
];
