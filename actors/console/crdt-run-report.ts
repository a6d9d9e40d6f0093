/** The tables of what a run of replicas has shown. */

import type { CrdtRunReport, MetadataSize } from "../experiment/replicas/index.ts";
import { formatMs, formatNumber, formatTable } from "./table.ts";

/** The tables of the summary. */
export function crdtSummary(report: CrdtRunReport): string[] {
	const { edits, traffic, collections, before, after, lostMessages } = report;
	const bytes = (count: number): string => `${formatNumber(count)} B`;
	const rows = [
		[
			"edits",
			`${formatNumber(edits.acknowledged)} acknowledged in ${report.seconds.toFixed(1)} s, ` +
				`${formatNumber(edits.unresolved)} without an answer, ${formatNumber(edits.refused)} refused`,
		],
		["threads", `${report.kills} killed, ${report.restarts} back`],
		["links", `${report.cuts} times cut, ${formatNumber(lostMessages)} messages lost`],
		["convergence", report.convergenceMs === null ? "–" : `${formatMs(report.convergenceMs)} after the last edit`],
		["deltas", `${bytes(traffic.delta.bytes)} in ${formatNumber(traffic.delta.messages)} messages`],
		["the same as whole states", `${bytes(report.wholeStateBytes)}${timesOf(report)}`],
		["whole states", `${bytes(traffic.state.bytes)} in ${formatNumber(traffic.state.messages)} messages`],
		["digests", `${bytes(traffic.digest.bytes)} in ${formatNumber(traffic.digest.messages)} messages`],
		[
			"collections",
			`${collections.done} agreed on, ${collections.aborted} given up, ${formatNumber(collections.tombstones)} deleted characters freed`,
		],
	];
	const size = (name: string, { sharedBytes, runs, logRecords }: MetadataSize): string[] => [
		name,
		bytes(sharedBytes),
		formatNumber(runs),
		formatNumber(logRecords),
	];
	const states = [
		["state", "bytes", "runs", "log records"],
		size("before the last collection", before),
		...(after === null ? [] : [size("after it", after)]),
		["the same text, written anew", bytes(report.freshBytes), "1", "0"],
		["its characters alone", bytes(report.textLength)],
	];
	return [...formatTable(rows, ["left", "left"]), "", ...formatTable(states, ["left", "right", "right", "right"])];
}

function timesOf({ wholeStateBytes, traffic }: CrdtRunReport): string {
	if (traffic.delta.bytes === 0 || wholeStateBytes === 0) return "";
	return `, ${formatNumber(wholeStateBytes / traffic.delta.bytes, 1)} times as much`;
}
