/** The command `quorate run --protocol crdt`. */
import { ReplicaGroup } from "../crdt-synchronizer/index.ts";
import {
	CrdtRun,
	type CrdtRunReport,
	judgeCrdtRun,
	LinkBoard,
	TEXT_PART,
	TraceWriter,
	Typist,
	typingReplicaModule,
	UNDO_GROUPS_MAX,
	type Writer,
} from "../experiment/replicas/index.ts";
import { type CrdtRunOptions, crdtRunHelp, parseCrdtRunOptions, TYPED_EDITS_DEFAULT } from "./crdt-run-options.ts";
import { crdtSummary } from "./crdt-run-report.ts";
import { readTrace } from "./editing-trace.ts";
import type { CommandWorld } from "./run-command.ts";
import { formatMs, formatNumber } from "./table.ts";
import { type Output, painter, silentOutput } from "./terminal.ts";
import { interruptExitCode } from "./verdict.ts";

/** Who writes, and how much. */
interface Manuscript {
	readonly name: string;
	readonly writers: readonly Writer[];
	readonly edits: number;
}

/** @throws QuorateError for a wrong call or input, and what starting threads and storage throws */
export async function crdtRunCommand(args: readonly string[], world: CommandWorld): Promise<number> {
	const options = parseCrdtRunOptions(args);
	if (options.help) {
		world.output.write(crdtRunHelp());
		return 0;
	}
	const output = options.json ? silentOutput : world.output;
	try {
		const manuscript = await manuscriptOf(options, world);
		const bold = (text: string): string => painter(output.hasColours)("bold", text);
		output.write(`${bold(`quorate ${world.version}`)}: ${describe(options)}\n`);
		output.write(`${formatNumber(manuscript.edits)} edits from ${manuscript.name}\n`);
		const report = await runOnThreads(options, manuscript, world, output);
		return world.interrupt.aborted ? interrupted(options, world) : finish(report, options, world, output);
	} catch (error) {
		// What fails because it was interrupted is no failure.
		if (world.interrupt.aborted) return interrupted(options, world);
		throw error;
	}
}

async function manuscriptOf(
	{ input, nodes, edits, seed }: CrdtRunOptions,
	{ standardInput, interrupt }: CommandWorld,
): Promise<Manuscript> {
	const places = Array.from({ length: nodes }, (_unused, place) => place);
	if (input === null) {
		const writers = places.map((place) => new Typist(seed, `${place}`));
		return { name: `${nodes} seeded typists`, writers, edits: edits ?? TYPED_EDITS_DEFAULT };
	}
	const trace = await readTrace(input, standardInput, interrupt);
	const writers = places.map((place) => new TraceWriter(trace, place, nodes));
	return {
		name: input === "-" ? "standard input" : input,
		writers,
		edits: Math.min(edits ?? trace.length, trace.length),
	};
}

async function runOnThreads(
	options: CrdtRunOptions,
	{ writers, edits }: Manuscript,
	{ clock, interrupt }: CommandWorld,
	output: Output,
): Promise<CrdtRunReport> {
	const { nodes, seed, storage, data } = options;
	const links = new LinkBoard(nodes);
	const startMs = clock.nowMs();
	const group = await ReplicaGroup.start({
		nodes,
		seed,
		schema: { [TEXT_PART]: "text" },
		storage: storage === "memory" || data === null ? { type: storage } : { type: "lmdb", directory: data },
		tuning: { undoGroupsMax: UNDO_GROUPS_MAX },
		participant: { module: typingReplicaModule, export: "TypingReplica", args: { links: links.memory } },
	});
	try {
		output.write(`${nodes} replicas run after ${formatMs(clock.nowMs() - startMs)}\n\n`);
		const paint = painter(output.hasColours);
		const note = (elapsedMs: number, text: string): void =>
			output.write(`${paint("dim", `${(elapsedMs / 1_000).toFixed(1).padStart(6)} s`)}  ${text}\n`);
		const run = new CrdtRun({ ...options, writers, editsMax: edits }, { group, links, clock, note, interrupt });
		const failed = group.failed.then((error) => {
			throw error;
		});
		return await Promise.race([run.perform(), failed]);
	} finally {
		await group.stop();
	}
}

function finish(report: CrdtRunReport, options: CrdtRunOptions, world: CommandWorld, output: Output): number {
	const verdict = judgeCrdtRun(report, options);
	const { exitCode, faults, line, name } = verdict;
	if (options.json) {
		world.output.write(`${JSON.stringify({ verdict: name, exitCode, line, faults, ...report })}\n`);
		return exitCode;
	}
	const paint = painter(output.hasColours);
	const fault = faults.map((text) => `${paint("red", "✗")} ${text}\n`).join("");
	const last = line.replace(name, paint(exitCode === 0 ? "green" : "red", name));
	output.write(`\n${crdtSummary(report).join("\n")}\n\n${fault}${last}\n`);
	return exitCode;
}

/** The last line, or the object, of a run that was interrupted. */
function interrupted({ json }: CrdtRunOptions, { output, interrupt }: CommandWorld): number {
	const exitCode = interruptExitCode(interrupt);
	const line = "interrupted: the replicas were not compared";
	output.write(`${json ? JSON.stringify({ verdict: "interrupted", exitCode, line, faults: [] }) : line}\n`);
	return exitCode;
}

function describe({ nodes, rate, killMs, cutMs, collectMs, storage, data, seed }: CrdtRunOptions): string {
	const every = (what: string, ms: number | null): string => (ms === null ? "" : `, ${what} every ${ms / 1_000} s`);
	const speed = rate === "max" ? "as fast as they go" : `${formatNumber(rate)} edits/s`;
	const place = storage === "memory" ? "memory" : `lmdb in ${data ?? "a temporary directory"}`;
	const faults = every("a thread killed", killMs) + every("links cut", cutMs) + every("a collection", collectMs);
	return `crdt with ${nodes} replicas, ${speed}, ${place}${faults}, seed ${seed}`;
}
