/** The command `quorate simulate --protocol crdt`: replicas as they run on threads, on virtual time, many seeds or one. */
import { availableParallelism } from "node:os";
import { ComputePool } from "../../runtime/index.ts";
import {
	type ReplicaFault,
	type ReplicaSeedOrder,
	type ReplicaSeedResult,
	replicaFaults,
	replicaSeedTask,
	runReplicaSeed,
} from "../experiment/replicas/index.ts";
import { describeOptions, expected, type OptionSpec, type OptionValues, parseOptions } from "./option-table.ts";
import { duration, integer, oneOf } from "./option-values.ts";
import type { CommandWorld } from "./run-command.ts";
import { flag, helpOption, jsonOption, singleSeedOption, threadsOption } from "./shared-options.ts";
import { type SeedRange, seedRange } from "./simulate-options.ts";
import { SeedsProgress } from "./simulate-progress.ts";
import { formatMs, formatNumber, formatTable } from "./table.ts";
import { painter, silentOutput } from "./terminal.ts";
import { interruptExitCode } from "./verdict.ts";

const NODES_MAX = 16;
const HEAP_LIMIT_MB = 1_024;
/** Failing seeds that are told one by one. */
const FAILURES_SHOWN = 10;

const options = {
	protocol: {
		value: "NAME",
		help: "crdt; see quorate simulate --help for the others",
		fallback: "crdt",
		parse: (text) => oneOf(text, ["crdt"]),
	} satisfies OptionSpec<"crdt">,
	seeds: {
		value: "A..B",
		help: "run the seeds from A to B (default 1..20)",
		fallback: { first: 1, last: 20 },
		parse: seedRange,
	} satisfies OptionSpec<SeedRange>,
	seed: singleSeedOption,
	nodes: {
		value: "N",
		help: `replicas, 2 to ${NODES_MAX} (default 5)`,
		fallback: 5,
		parse: (text) => integer(text, 2, NODES_MAX),
	} satisfies OptionSpec<number>,
	for: {
		value: "TIME",
		help: "virtual time of writing and faults, at least 1s (default 10s)",
		fallback: 10_000,
		parse: (text) => duration(text, 1_000),
	} satisfies OptionSpec<number>,
	faults: {
		value: "KINDS",
		help: `all, none, or some with commas: ${replicaFaults.join(", ")} (default all)`,
		fallback: replicaFaults,
		parse: faultKinds,
	} satisfies OptionSpec<readonly ReplicaFault[]>,
	threads: threadsOption,
	trace: flag("with --seed: tell what happens, line by line"),
	json: jsonOption,
	help: helpOption,
};

function faultKinds(text: string): readonly ReplicaFault[] {
	if (text === "all") return replicaFaults;
	if (text === "none") return [];
	const kinds = text.split(",");
	const known = replicaFaults.filter((kind) => kinds.includes(kind));
	if (known.length !== kinds.length) throw expected(`all, none or some of ${replicaFaults.join(", ")}`);
	return known;
}

/** @throws QuorateError for a wrong call */
export async function crdtSimulateCommand(args: readonly string[], world: CommandWorld): Promise<number> {
	const values: OptionValues<typeof options> = parseOptions(options, args, "quorate simulate --protocol crdt");
	if (values.help) {
		world.output.write(help());
		return 0;
	}
	const { seed, nodes, for: forMs, faults, json } = values;
	const seeds = seed === null ? values.seeds : { first: seed, last: seed };
	const output = json ? silentOutput : world.output;
	const which = seed === null ? `seeds ${seeds.first} to ${seeds.last}` : `seed ${seed}`;
	const what = faults.length === 0 ? "none" : faults.join(", ");
	output.write(
		`${painter(output.hasColours)("bold", `quorate ${world.version}`)}: ${which}, crdt with ${nodes} replicas, `,
	);
	output.write(`${forMs / 1_000} s of virtual time each, faults: ${what}\n\n`);
	const order = (one: number): ReplicaSeedOrder => ({ seed: one, nodes, forMs, faults });
	const startMs = world.clock.nowMs();
	const results =
		values.trace && seed !== null
			? [
					await runReplicaSeed(order(seed), (atMs, text) =>
						output.write(`${(atMs / 1_000).toFixed(3).padStart(8)} s  ${text}\n`),
					),
				]
			: await runSeeds(seeds, order, values.threads, world, new SeedsProgress(output));
	if (world.interrupt.aborted) return interruptExitCode(world.interrupt);
	const wallMs = world.clock.nowMs() - startMs;
	const replay = (one: number): string => {
		const kinds =
			faults.length === replicaFaults.length ? "" : ` --faults ${faults.length === 0 ? "none" : faults.join(",")}`;
		return `quorate simulate --protocol crdt --seed ${one} --nodes ${nodes} --for ${forMs}ms${kinds} --trace`;
	};
	const failed = results.filter(({ verdict }) => verdict !== "pass");
	const exitCode = failed.length === 0 ? 0 : 1;
	if (json) {
		const told = results.map((result) => ({ ...result, replay: replay(result.seed) }));
		world.output.write(`${JSON.stringify({ exitCode, wallMs, seeds: told })}\n`);
		return exitCode;
	}
	output.write(`${summary(results, wallMs).join("\n")}\n\n`);
	const paint = painter(output.hasColours);
	for (const { seed: one, verdict, reasons } of failed.slice(0, FAILURES_SHOWN)) {
		output.write(`${paint("red", verdict)}  seed ${one}: ${reasons.join("; ")}\n      ${replay(one)}\n`);
	}
	const passed = results.length - failed.length;
	output.write(`${paint(exitCode === 0 ? "green" : "red", `${passed} of ${results.length} seeds passed`)}\n`);
	return exitCode;
}

async function runSeeds(
	{ first, last }: SeedRange,
	order: (seed: number) => ReplicaSeedOrder,
	threads: number | null,
	{ clock, interrupt }: CommandWorld,
	progress: SeedsProgress,
): Promise<ReplicaSeedResult[]> {
	const total = last - first + 1;
	const width = Math.min(threads ?? availableParallelism(), total);
	const pool = new ComputePool({ threadsMax: width, heapLimitMb: HEAP_LIMIT_MB });
	const startMs = clock.nowMs();
	const results: ReplicaSeedResult[] = [];
	try {
		let next = first;
		const worker = async (): Promise<void> => {
			while (next <= last && !interrupt.aborted) {
				results.push(await pool.run<ReplicaSeedResult>(replicaSeedTask(order(next++))));
				const failed = results.filter(({ verdict }) => verdict !== "pass").length;
				const virtualMs = results.reduce((sum, result) => sum + result.virtualMs, 0);
				progress.show({ done: results.length, total, failed, virtualMs, elapsedMs: clock.nowMs() - startMs });
			}
		};
		await Promise.all(Array.from({ length: width }, worker));
	} finally {
		progress.clear();
		await pool.close();
	}
	return results.sort((a, b) => a.seed - b.seed);
}

function summary(results: readonly ReplicaSeedResult[], wallMs: number): string[] {
	const sum = (of: (result: ReplicaSeedResult) => number): number => results.reduce((total, one) => total + of(one), 0);
	const virtualMs = sum((one) => one.virtualMs);
	const seconds = Math.max(1, wallMs) / 1_000;
	const converged = results.flatMap(({ convergenceMs }) => (convergenceMs === null ? [] : [convergenceMs]));
	const rows = [
		["edits", `${formatNumber(sum((one) => one.edits.acknowledged))} acknowledged`],
		["converged after", converged.length === 0 ? "–" : `${formatMs(Math.max(...converged))} of virtual time at most`],
		["events", `${formatNumber(sum((one) => one.steps))}, ${formatNumber(sum((one) => one.steps) / seconds)} a second`],
		["virtual time", `${formatMs(virtualMs)}, ${formatNumber(virtualMs / Math.max(1, wallMs), 1)} times real time`],
		["trace", results.length === 1 ? results[0]!.traceHash : "one hash each: --json"],
	];
	const happened = [...new Set(results.flatMap(({ sometimes }) => Object.keys(sometimes)))].map((name) => {
		const seeds = results.filter(({ sometimes }) => (sometimes[name] ?? 0) > 0).length;
		return [
			`  ${name}`,
			formatNumber(sum(({ sometimes }) => sometimes[name] ?? 0)),
			`in ${seeds} of ${results.length} seeds`,
		];
	});
	return [
		...formatTable(rows, ["left", "left"]),
		"",
		"what shall happen sometimes",
		...formatTable(happened, ["left", "right", "left"]),
	];
}

function help(): string {
	return `quorate simulate --protocol crdt: replicas with a typist at each, on virtual time; their threads die, their machines lose power, links
are cut, messages are lost, doubled, sent again and overtaken, and deleted text is freed meanwhile. Then all is mended.

Usage: quorate simulate --protocol crdt [options]

${describeOptions(options).join("\n")}

A seed passes if in the end all replicas have the same bytes, nothing waits, every acknowledged edit is everywhere, and the group can
be collected. One seed decides everything: the same call gives the same trace hash. A failing seed is told with the call that
repeats it. Exit code 1 if a seed does not pass.
`;
}
