/** What participants measure, for a catalogue of metrics. */
import type { MetricDescription } from "../../runtime/telemetry/index.ts";

export const participantMetrics: readonly MetricDescription[] = [
	{
		name: "participant.lost_messages",
		kind: "counter",
		unit: "1",
		help: "Messages to members that found no way: not there, lane full, too large.",
	},
	{
		name: "participant.persist_us",
		kind: "histogram",
		unit: "microseconds",
		help: "From handing a batch's persists to the storage until they are flushed.",
	},
	{
		name: "raft.{node}.commits",
		kind: "counter",
		unit: "1",
		help: "Log positions that a member has seen committed, without those it found when it started.",
	},
	{ name: "raft.{node}.commit_index", kind: "gauge", unit: "1", help: "The last position a member knows committed." },
	{
		name: "raft.{node}.applying_index",
		kind: "gauge",
		unit: "1",
		help: "The position of the command that a member's application is applying now; 0 between commands.",
	},
	{
		name: "raft.{node}.applying_group",
		kind: "gauge",
		unit: "1",
		help: "Where groups share their threads: the number of the one that applied a command last, or does.",
	},
	{ name: "raft.{node}.term", kind: "gauge", unit: "1", help: "The term in which a member last changed its role." },
];

/** The gauge by which others see at which command a member's thread ended. */
export function applyingGauge(node: string): string {
	return `raft.${node}.applying_index`;
}

/** The same of the group it was, where groups share their threads. */
export function applyingGroupGauge(node: string): string {
	return `raft.${node}.applying_group`;
}
