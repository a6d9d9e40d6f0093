/** The command `quorate run --protocol gossip`. */
import { GossipGroup } from "../gossip-coordinator/index.ts";
import { faultsOf, GossipRun, type GossipRunReport } from "./gossip-run.ts";
import { type GossipRunOptions, gossipRunHelp, parseGossipRunOptions } from "./gossip-run-options.ts";
import type { CommandWorld } from "./run-command.ts";
import { formatCount, formatMs, formatNumber, formatTable } from "./table.ts";
import { painter, silentOutput } from "./terminal.ts";
import { interruptExitCode } from "./verdict.ts";

/** @throws QuorateError for a wrong call, and what starting threads throws */
export async function gossipRunCommand(args: readonly string[], world: CommandWorld): Promise<number> {
	const options = parseGossipRunOptions(args);
	if (options.help) {
		world.output.write(gossipRunHelp());
		return 0;
	}
	const output = options.json ? silentOutput : world.output;
	const paint = painter(output.hasColours);
	output.write(`${paint("bold", `quorate ${world.version}`)}: ${describe(options)}\n`);
	const { profile, lossChance, threads, seed, signed } = options;
	const group = await GossipGroup.start({ profile, lossChance, threads, seed, signed });
	try {
		const note = (elapsedMs: number, text: string): void =>
			output.write(`${paint("dim", `${(elapsedMs / 1_000).toFixed(1).padStart(6)} s`)}  ${text}\n`);
		const run = new GossipRun(group, options, world.clock, note);
		const gatherMs = await run.gather(world.interrupt);
		if (world.interrupt.aborted) return interruptExitCode(world.interrupt);
		output.write(`${options.nodes} members see each other after ${formatMs(gatherMs)}\n\n`);
		const report = await run.perform(world.interrupt);
		if (world.interrupt.aborted) return interruptExitCode(world.interrupt);
		const faults = faultsOf(report, options.killMs, options.killThreadMs);
		const exitCode = faults.length === 0 ? 0 : 1;
		if (options.json) world.output.write(`${JSON.stringify({ exitCode, faults, gatherMs, ...report })}\n`);
		else output.write(`\n${summary(report).join("\n")}\n\n${verdict(report, faults, paint)}\n`);
		return exitCode;
	} finally {
		await group.stop();
	}
}

function describe(options: GossipRunOptions): string {
	const { nodes, threads, profile, killMs, killThreadMs, lossChance, seed, signed } = options;
	const kills = killMs === null ? "nobody is killed" : `a member is killed every ${killMs / 1_000} s`;
	const loss = lossChance === 0 ? "" : `, ${formatNumber(100 * lossChance)} % loss`;
	const threadKills = killThreadMs === null ? "" : `, a thread every ${killThreadMs / 1_000} s`;
	const how = `profile ${profile}${signed ? ", signed" : ""}${loss}`;
	return `gossip with ${nodes} members on ${threads} threads, ${how}, ${kills}${threadKills}, seed ${seed}`;
}

function summary(report: GossipRunReport): string[] {
	const seconds = (ms: number | null): string => (ms === null ? "–" : `${(ms / 1_000).toFixed(2)} s`);
	const kills = report.kills.map(({ node, firstMs, allMs }) => [node, seconds(firstMs), seconds(allMs)]);
	const each = (value: number): string => formatNumber(value / report.seconds / report.nodes, 1);
	const rows = [
		["spread", `${report.spread} messages, ${(100 * report.delivered).toFixed(2)} % heard`],
		[
			"time to the last member",
			report.spreadMs === null
				? "–"
				: `median ${formatMs(report.spreadMs.median)}, longest ${formatMs(report.spreadMs.max)}`,
		],
		["false positives", `${report.falsePositives}`],
		...(report.threadKills.length === 0 ? [] : [["threads killed", threadKillsText(report, seconds)]]),
		["suspicions, refutations", `${report.suspicions}, ${report.refutations}`],
		[
			"messages",
			`${formatNumber(report.messages)} sent, ${formatNumber(report.lost)} lost, ${each(report.messages)} a second and member`,
		],
		["bandwidth", `${each(report.bytes)} B a second and member`],
		["whole views in the end", `${report.wholeViews} of ${report.nodes}`],
	];
	const table =
		kills.length === 0
			? []
			: formatTable([["killed", "first noticed", "all noticed"], ...kills], ["left", "right", "right"]);
	return [...table, ...(table.length === 0 ? [] : [""]), ...formatTable(rows, ["left", "left"])];
}

function threadKillsText({ threadKills }: GossipRunReport, seconds: (ms: number | null) => string): string {
	const lost = threadKills.reduce((sum, kill) => sum + kill.members, 0);
	const back = threadKills.map(({ backMs }) => backMs ?? Number.POSITIVE_INFINITY);
	const slowestMs = Math.max(...back);
	const outcome = Number.isFinite(slowestMs) ? `all back after ${seconds(slowestMs)} at most` : "not all came back";
	return `${threadKills.length} with ${lost} members, ${outcome}`;
}

function verdict(report: GossipRunReport, faults: readonly string[], paint: ReturnType<typeof painter>): string {
	if (faults.length > 0) return `${paint("red", "failed")}: ${faults.join("; ")}`;
	return `${paint("green", "converged")}: ${formatCount(report.kills.length, "crash", "crashes")} noticed by all, every view is whole`;
}
