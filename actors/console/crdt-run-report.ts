/** What a run of replicas has shown: the verdict, as a pure function of what was seen, and the tables. */

import type { CrdtFaultPlan } from "./crdt-faults.ts";
import type { CrdtRunReport, MetadataSize } from "./crdt-run.ts";
import { formatMs, formatNumber, formatTable } from "./table.ts";

export interface CrdtVerdict {
	/**
	 * `converged`: all replicas have the same bytes and every acknowledged operation. `vacuous`: they have, but what was to make
	 * that hard did not happen. `diverged`: they have not.
	 */
	readonly name: "converged" | "vacuous" | "diverged";
	readonly exitCode: 0 | 1;
	/** The last line of the run. */
	readonly line: string;
	/** What is wrong, one sentence each. */
	readonly faults: readonly string[];
}

/** Characters of a digest that are shown. */
const DIGEST_SHOWN = 16;

export function judgeCrdtRun(report: CrdtRunReport, plan: CrdtFaultPlan): CrdtVerdict {
	const faults = faultsOf(report);
	const hollow = hollownessOf(report, plan);
	const agreement = agreementOf(report);
	if (faults.length > 0) return { name: "diverged", exitCode: 1, line: `diverged: ${agreement}`, faults };
	if (hollow.length > 0) {
		return { name: "vacuous", exitCode: 1, line: `vacuous: ${hollow.join(", ")}; ${agreement}`, faults: hollow };
	}
	return { name: "converged", exitCode: 0, line: `converged: ${agreement}`, faults };
}

function faultsOf({ replicas, lost, convergenceMs }: CrdtRunReport): string[] {
	const faults: string[] = [];
	const silent = replicas.filter((replica) => replica === null).length;
	if (silent > 0) faults.push(`${silent} replicas did not answer`);
	const digests = new Set(replicas.flatMap((replica) => (replica === null ? [] : [replica.digest])));
	if (digests.size > 1) faults.push(`${digests.size} different states`);
	for (const replica of replicas) {
		if (replica !== null && replica.waiting > 0)
			faults.push(`${replica.waiting} updates wait at ${replica.node} for what they depend on`);
	}
	for (const [replica, count] of Object.entries(lost)) {
		faults.push(`${count} acknowledged operations of ${replica} are not everywhere`);
	}
	if (convergenceMs === null && faults.length === 0) faults.push("the replicas had not the same in time");
	return faults;
}

/** What was to happen and did not. */
function hollownessOf(report: CrdtRunReport, { killMs, cutMs }: CrdtFaultPlan): string[] {
	const hollow: string[] = [];
	if (report.edits.acknowledged === 0) hollow.push("no edit was acknowledged");
	if (killMs !== null && Math.min(report.kills, report.restarts) === 0) hollow.push("no thread died and came back");
	if (cutMs !== null && report.lostMessages === 0) hollow.push("no message was lost to a cut");
	return hollow;
}

/** How many replicas have what most of them have. */
function agreementOf({ replicas, edits }: CrdtRunReport): string {
	const counts = new Map<string, number>();
	for (const replica of replicas) {
		if (replica !== null) counts.set(replica.digest, (counts.get(replica.digest) ?? 0) + 1);
	}
	const [digest, count] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ["unknown", 0];
	const shown = digest.slice(0, DIGEST_SHOWN);
	return `${count} of ${replicas.length} replicas, ${edits.acknowledged} edits, digest ${shown}`;
}

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
