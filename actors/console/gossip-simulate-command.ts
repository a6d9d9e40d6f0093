/** The command `quorate simulate --protocol gossip`: a large group on virtual time. */
import { GossipSimulation, type GossipSimulationReport } from "./gossip-simulation.ts";
import { describeOptions, type OptionSpec, type OptionValues, parseOptions } from "./option-table.ts";
import { duration, integer, oneOf } from "./option-values.ts";
import type { CommandWorld } from "./run-command.ts";
import { helpOption, jsonOption, lossOption, profileOption, seedOption } from "./shared-options.ts";
import { TimeProgress } from "./simulate-progress.ts";
import { formatMs, formatNumber, formatTable } from "./table.ts";
import { painter, silentOutput } from "./terminal.ts";
import { interruptExitCode } from "./verdict.ts";

const NODES_MIN = 8;
const NODES_MAX = 10_000;

const options = {
	protocol: {
		value: "NAME",
		help: "gossip; see quorate simulate --help for the others",
		fallback: "gossip",
		parse: (text) => oneOf(text, ["gossip"]),
	} satisfies OptionSpec<"gossip">,
	nodes: {
		value: "N",
		help: `members, ${NODES_MIN} to ${NODES_MAX.toLocaleString("en-US")} (default 1000)`,
		fallback: 1_000,
		parse: (text) => integer(text, NODES_MIN, NODES_MAX),
	} satisfies OptionSpec<number>,
	profile: profileOption,
	crash: {
		value: "N",
		help: "members that crash at once, up to a quarter of them (default 1 in 100, at least 1)",
		fallback: null,
		parse: (text) => integer(text, 0, NODES_MAX / 4),
	} satisfies OptionSpec<number | null>,
	slow: {
		value: "N",
		help: "members that neither send nor hear for 8 s, again and again, up to a quarter (default 0)",
		fallback: 0,
		parse: (text) => integer(text, 0, NODES_MAX / 4),
	} satisfies OptionSpec<number>,
	loss: lossOption,
	for: {
		value: "TIME",
		help: "virtual time, at least 30s (default 120s)",
		fallback: 120_000,
		parse: (text) => duration(text, 30_000),
	} satisfies OptionSpec<number>,
	seed: seedOption("decides everything"),
	json: jsonOption,
	help: helpOption,
};

/** Between two looks at whether somebody wants it to end. */
const SLICE_MS = 1_000;
const JOINS_AT_ONCE = 100;

/** @throws QuorateError for a wrong call */
export async function gossipSimulateCommand(args: readonly string[], world: CommandWorld): Promise<number> {
	const values: OptionValues<typeof options> = parseOptions(options, args, "quorate simulate --protocol gossip");
	if (values.help) {
		world.output.write(help());
		return 0;
	}
	const { nodes, profile, seed, loss } = values;
	const quarter = Math.floor(nodes / 4);
	const crashes = Math.min(quarter, values.crash ?? Math.max(1, Math.floor(nodes / 100)));
	const slow = Math.min(quarter, values.slow);
	const output = values.json ? silentOutput : world.output;
	const paint = painter(output.hasColours);
	const what = `gossip with ${formatNumber(nodes)} members on virtual time, profile ${profile}, seed ${seed}`;
	output.write(`${paint("bold", `quorate ${world.version}`)}: ${what}\n`);
	output.write(`${crashes} crash, ${slow} are slow, ${formatNumber(100 * loss)} % of all messages are lost\n`);
	const startMs = world.clock.nowMs();
	const simulation = new GossipSimulation({ seed, nodes, profile, crashes, lossChance: loss, slow, forMs: values.for });
	const progress = new TimeProgress(output);
	// Signals are heard between turns of the event loop.
	const isInterrupted = async (): Promise<boolean> => {
		await new Promise((resolve) => world.clock.schedule(0, () => resolve(undefined)));
		if (world.interrupt.aborted) progress.clear();
		return world.interrupt.aborted;
	};
	while (!simulation.gather(JOINS_AT_ONCE)) {
		progress.join(simulation.gathered, nodes, world.clock.nowMs() - startMs);
		if (await isInterrupted()) return interruptExitCode(world.interrupt);
	}
	const joiningMs = world.clock.nowMs() - startMs;
	while (simulation.nowMs < values.for) {
		simulation.run(Math.min(SLICE_MS, values.for - simulation.nowMs));
		progress.run(simulation.nowMs, values.for, world.clock.nowMs() - startMs, joiningMs);
		if (await isInterrupted()) return interruptExitCode(world.interrupt);
	}
	progress.clear();
	const report = simulation.report();
	const faults = faultsOf(report, slow);
	const exitCode = faults.length === 0 ? 0 : 1;
	if (values.json) {
		world.output.write(`${JSON.stringify({ exitCode, faults, ...report })}\n`);
		return exitCode;
	}
	const verdict = faults.length === 0 ? paint("green", "converged") : paint("red", "failed");
	const line =
		faults.length === 0
			? "every crash was noticed by all, every event reached all, every view is whole"
			: faults.join("; ");
	output.write(`\n${summary(report, world.clock.nowMs() - startMs).join("\n")}\n\n${verdict}: ${line}\n`);
	return exitCode;
}

/** Views of a group with slow members are never whole for long, so they are judged without them. */
function faultsOf(report: GossipSimulationReport, slow: number): string[] {
	const faults: string[] = [];
	const unnoticed = report.detections.filter(({ allMs }) => allMs === null).length;
	if (unnoticed > 0 && slow === 0) faults.push(`${unnoticed} crashes were not noticed by all`);
	const unheard = report.events.filter(({ heard, due }) => heard < due * HEARD_MIN).length;
	if (unheard > 0) faults.push(`${unheard} events reached fewer than ${100 * HEARD_MIN} %`);
	if (report.wholeViews < report.up && slow === 0) faults.push(`${report.up - report.wholeViews} views are not whole`);
	return faults;
}

/** Who crashes while an event spreads may not have heard it. */
const HEARD_MIN = 0.98;

function summary(report: GossipSimulationReport, tookMs: number): string[] {
	const times = (values: readonly (number | null)[]): string => {
		const known = values.filter((value) => value !== null).sort((a, b) => a - b);
		const median = known[known.length >> 1];
		return median === undefined ? "–" : `median ${formatMs(median)}, longest ${formatMs(known.at(-1) ?? median)}`;
	};
	const rounds = report.events.map((event) => event.rounds);
	const mean = rounds.reduce((sum, value) => sum + value, 0) / Math.max(1, rounds.length);
	const perMember = (value: number): string => formatNumber((1_000 * value) / report.virtualMs / report.up, 1);
	return formatTable(
		[
			["crash noticed first", times(report.detections.map(({ firstMs }) => firstMs))],
			["crash noticed by all", times(report.detections.map(({ allMs }) => allMs))],
			["false positives", formatNumber(report.falsePositives)],
			[
				"events",
				`${report.events.length} spread, rounds to all: mean ${mean.toFixed(1)}, most ${Math.max(0, ...rounds).toFixed(1)}`,
			],
			["messages", `${perMember(report.messages)} a second and member, ${perMember(report.bytes)} B`],
			["whole views in the end", `${report.wholeViews} of ${report.up}`],
			["took", `${formatMs(tookMs)} for ${formatMs(report.virtualMs)}, ${formatNumber(report.inputs)} inputs`],
		],
		["left", "left"],
	);
}

function help(): string {
	return `quorate simulate --protocol gossip: a group that knows itself, on virtual time in one thread; members crash, are slow,
lose messages, and tell all something every five seconds.

Usage: quorate simulate --protocol gossip [options]

${describeOptions(options).join("\n")}

It succeeds (exit code 0) only if every crash was noticed by all, every event reached at least ${100 * HEARD_MIN} % of those that were
up, and in the end all that are up see each other and nobody else. With --slow the first and the last are not judged, since
somebody is always about to be suspected. One seed decides everything: the same call prints the same figures, but for the time
it took.

A minute of virtual time with one crash in a hundred took 20 s of processor time and 0.3 GB with 2,000 members. Each holds all others,
so time and memory grow with the square: with 10,000 members and 50 crashes a minute took 430 s and 2.2 GB.

The published tables next to figures of the same machines: npm run reproduce, in the project's repository.
`;
}
