/**
 * Fanout and interval as a control loop (Kermarrec, Massoulié, Ganesh, TPDS 2003): what a member reports of the group's size, of
 * its unanswered probes and of its bytes is the signal, `chooseFanout` the rule with its bounds and hysteresis, and the
 * member is tuned when the choice changes.
 */
import { exhaustMap, filter, interval, map, type Observable, type SchedulerLike, scan } from "rxjs";
import {
	chooseFanout,
	type FanoutChoice,
	type FanoutConfig,
	type FanoutSignal,
	fanoutConfig,
} from "../../protocols/gossip/index.ts";
import type { MemberReport } from "./member-messages.ts";

/** What the loop needs of a member. */
export interface TunedMember {
	report(): Promise<Pick<MemberReport, "present" | "traffic" | "gossip" | "probes">>;
	tune(choice: FanoutChoice): Promise<void>;
}

export interface GossipTuningOptions {
	readonly fanout?: Partial<FanoutConfig>;
	/** Between looks, in ms. Default 5,000; it must see some probes. */
	readonly periodMs?: number;
	/** Default: real time. */
	readonly scheduler?: SchedulerLike;
}

/** What was measured, and what was chosen from it. */
export interface TuningDecision extends FanoutChoice {
	readonly signal: FanoutSignal;
}

interface Look {
	readonly report: Pick<MemberReport, "present" | "traffic" | "gossip" | "probes">;
	/** Probes that were judged and answered, the older ones counting less. */
	readonly judged: number;
	readonly answered: number;
	readonly signal: FanoutSignal;
}

/** What was counted before a look counts so much of itself after it. */
const MEMORY = 0.95;
const PERIOD_MS = 5_000;

/**
 * Tunes a member for as long as it is subscribed to; tells each change. An error of the member ends it.
 * @throws QuorateError `gossip-config-invalid`
 */
export function tuneGossip(member: TunedMember, options: GossipTuningOptions = {}): Observable<TuningDecision> {
	const config = fanoutConfig(options.fanout);
	return interval(options.periodMs ?? PERIOD_MS, options.scheduler).pipe(
		// A look that takes longer than a period is not overtaken by the next.
		exhaustMap(() => member.report()),
		scan<Pick<MemberReport, "present" | "traffic" | "gossip" | "probes">, Look | null>(lookAt, null),
		map((look) => {
			const { report, signal } = look as Look;
			return { signal, ...chooseFanout(report.gossip, signal, config), present: report.gossip };
		}),
		filter(({ fanout, intervalMs, present }) => fanout !== present.fanout || intervalMs !== present.intervalMs),
		exhaustMap(async ({ signal, fanout, intervalMs }) => {
			await member.tune({ fanout, intervalMs });
			return { signal, fanout, intervalMs };
		}),
	);
}

/**
 * A probe and its answer both arrive with (1 − loss)². Counts are averaged, not shares: a member that finds itself slow probes
 * seldom, and a share of one probe is all or nothing.
 */
function lookAt(before: Look | null, report: Pick<MemberReport, "present" | "traffic" | "gossip" | "probes">): Look {
	const { present, traffic, probes } = report;
	const judged = MEMORY * (before?.judged ?? 0) + probes.judged - (before?.report.probes.judged ?? 0);
	const answered = MEMORY * (before?.answered ?? 0) + probes.answered - (before?.report.probes.answered ?? 0);
	const loss = judged > 0 ? 1 - Math.sqrt(Math.min(1, Math.max(0, answered / judged))) : 0;
	const messageBytes = traffic.sent === 0 ? 1 : traffic.sentBytes / traffic.sent;
	return { report, judged, answered, signal: { members: present, loss, messageBytes } };
}
