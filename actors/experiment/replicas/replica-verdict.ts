/** The verdict on a run of replicas, as a pure function of what was seen. */
import type { CrdtFaultPlan } from "./replica-faults.ts";
import type { CrdtRunReport } from "./replica-run.ts";

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
