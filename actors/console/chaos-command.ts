/** The command `quorate chaos`: runs experiment files on either engine, and tells what can be in them. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { nearestName } from "../../supervisors/chaos/index.ts";
import {
	type ExperimentEngine,
	type ExperimentRun,
	experimentSchemaText,
	FAULT_KINDS,
	formatHtmlReport,
	formatJournal,
	formatJUnit,
	type Journal,
	type RunProgress,
	runExperiment,
} from "../../supervisors/index.ts";
import { simulationEngine, threadsEngine } from "../experiment/index.ts";
import { type ChaosRunOptions, chaosHelp, chaosListOptions, chaosRunOptions, plainOptions } from "./chaos-options.ts";
import { experimentErrors, usageErrors } from "./errors.ts";
import { readExperiment } from "./experiment-file.ts";
import { type OptionTable, type OptionValues, parseCall } from "./option-table.ts";
import type { CommandWorld } from "./run-command.ts";
import { formatCount, formatMs, formatNumber, formatTable } from "./table.ts";
import { type Output, painter, silentOutput } from "./terminal.ts";
import { fileErrorReason } from "./text-source.ts";
import { interruptExitCode } from "./verdict.ts";

type Subcommand = (args: readonly string[], world: CommandWorld) => Promise<number>;

const subcommands: ReadonlyMap<string, Subcommand> = new Map([
	["run", run],
	["list", list],
	["schema", schema],
	["validate", validate],
]);

/** By the names under which users ask for them. */
const engines: Readonly<Record<ChaosRunOptions["engine"], () => ExperimentEngine>> = {
	sim: () => simulationEngine(),
	threads: () => threadsEngine(),
};

/**
 * Performs `quorate chaos` and returns its exit code.
 * @throws QuorateError for everything that keeps it from beginning
 */
export async function chaosCommand(args: readonly string[], world: CommandWorld): Promise<number> {
	const [name, ...rest] = args;
	if (name === undefined || name === "--help" || name === "-h") {
		world.output.write(chaosHelp());
		return name === undefined ? 2 : 0;
	}
	const subcommand = subcommands.get(name);
	if (subcommand === undefined) {
		const suggestion = nearestName(name, [...subcommands.keys()]);
		throw usageErrors.unknownCommand({
			command: `chaos ${name}`,
			suggestion: suggestion && `chaos ${suggestion}`,
			parent: "quorate chaos",
		});
	}
	return subcommand(rest, world);
}

async function run(args: readonly string[], world: CommandWorld): Promise<number> {
	const call = theCall(chaosRunOptions, args, "quorate chaos run", 1, world);
	if (call === null) return 0;
	const { values } = call;
	const file = call.operand("the name of an experiment file");
	const experiment = await readExperiment(file, world.workingDirectory);
	await makeDirectories(values, world);
	const output = values.json ? silentOutput : world.output;
	output.write(`quorate ${world.version}: ${experiment.title}, on ${values.engine}\n`);
	const progress = new PhaseProgress(output);
	const done = await runExperiment(values.seed === null ? experiment : { ...experiment, seed: values.seed }, {
		engine: engines[values.engine](),
		signal: world.interrupt,
		versions: { quorate: world.version },
		replay: `quorate chaos run ${file} --engine ${values.engine}${values.seed === null ? "" : ` --seed ${values.seed}`}`,
		progress: (reading) => progress.show(reading),
	});
	progress.clear();
	if (values.json) world.output.write(`${JSON.stringify(verdictObject(done.journal))}\n`);
	else printJournal(done.journal, output);
	await writeReports(done, values, world);
	if (world.interrupt.aborted) return interruptExitCode(world.interrupt);
	return done.journal.verdict === "pass" ? 0 : 1;
}

async function list(args: readonly string[], world: CommandWorld): Promise<number> {
	const call = theCall(chaosListOptions, args, "quorate chaos list", 0, world);
	if (call === null) return 0;
	const made = Object.entries(engines).map(([name, make]) => ({ name, engine: make() }));
	const rows = FAULT_KINDS.map((kind) => ({
		...kind,
		engines: made.filter(({ engine }) => engine.faults.has(kind.kind)).map(({ name }) => name),
	}));
	if (call.values.json) {
		world.output.write(`${JSON.stringify(rows)}\n`);
		return 0;
	}
	const cells = rows.map(({ kind, category, engines: on, means }) => [
		kind,
		category,
		on.join(", ") || "none yet",
		means,
	]);
	const faults = formatTable([["fault", "", "engines", ""], ...cells], ["left", "left", "left", "left"]);
	world.output.write(`${faults.join("\n")}\n\n`);
	for (const { name, engine } of made) {
		const properties = [...engine.properties].map(([id, kind]) => (kind === "always" ? id : `${id} (${kind})`));
		world.output.write(
			`${name}: probes ${[...engine.probes].join(", ")}; workloads ${[...engine.workloads].join(", ")}\n`,
		);
		world.output.write(`  properties ${properties.join(", ")}\n`);
	}
	return 0;
}

async function schema(args: readonly string[], world: CommandWorld): Promise<number> {
	const call = theCall(plainOptions, args, "quorate chaos schema", 0, world);
	if (call !== null) world.output.write(experimentSchemaText());
	return 0;
}

async function validate(args: readonly string[], world: CommandWorld): Promise<number> {
	const call = theCall(plainOptions, args, "quorate chaos validate", 1, world);
	if (call === null) return 0;
	const file = call.operand("the name of an experiment file");
	const { title, method } = await readExperiment(file, world.workingDirectory);
	world.output.write(`${file}: ${title}, ${formatCount(method.length, "fault")}\n`);
	return 0;
}

/** Options and operands of a subcommand; null when it only had to print its help. */
function theCall<Table extends OptionTable>(
	table: Table,
	args: readonly string[],
	command: string,
	operandsMax: number,
	world: CommandWorld,
): { readonly values: OptionValues<Table>; readonly operand: (expected: string) => string } | null {
	const { values, operands } = parseCall(table, args, command);
	if (values["help"] === true) {
		world.output.write(chaosHelp());
		return null;
	}
	const stray = operands[operandsMax];
	if (stray !== undefined) throw usageErrors.unexpectedArgument({ argument: stray, command });
	return {
		values,
		operand: (expected) => {
			const [first] = operands;
			if (first === undefined) throw usageErrors.missingOperand({ command, expected });
			return first;
		},
	};
}

/** Before the run: nobody wants to wait for an experiment whose report can not be written. */
async function makeDirectories({ report, junit }: ChaosRunOptions, { workingDirectory }: CommandWorld): Promise<void> {
	for (const directory of [report, junit === null ? null : dirname(junit)]) {
		if (directory === null) continue;
		try {
			await mkdir(resolve(workingDirectory, directory), { recursive: true });
		} catch (cause) {
			throw experimentErrors.unwritable({ file: directory, reason: fileErrorReason(cause) }, { cause });
		}
	}
}

async function writeReports(
	{ journal, history }: ExperimentRun,
	{ report, junit }: ChaosRunOptions,
	{ workingDirectory }: CommandWorld,
): Promise<void> {
	const files: [name: string, text: string][] = [];
	if (report !== null) {
		files.push([join(report, "journal.json"), formatJournal(journal)]);
		files.push([join(report, "report.html"), formatHtmlReport(journal)]);
		if (history !== null) files.push([join(report, "history.jsonl"), history]);
	}
	if (junit !== null) files.push([junit, formatJUnit("quorate chaos", [journal])]);
	for (const [file, text] of files) {
		try {
			await writeFile(resolve(workingDirectory, file), text);
		} catch (cause) {
			throw experimentErrors.unwritable({ file, reason: fileErrorReason(cause) }, { cause });
		}
	}
}

function verdictObject(journal: Journal): Readonly<Record<string, unknown>> {
	const { experiment, engine, verdict, reasons, violations, notChecked, traceHash, time, steps, replay, workload } =
		journal;
	return {
		title: experiment.title,
		seed: experiment.seed,
		engine,
		verdict,
		reasons,
		violations,
		notChecked,
		operations: workload.counts,
		traceHash,
		time,
		steps,
		replay,
	};
}

function printJournal(journal: Journal, output: Output): void {
	const { verdict, reasons, faults, properties, workload, notChecked, time, replay } = journal;
	const rows = faults.map(({ fault, outcome, description, appliedAtMs }) => {
		return [appliedAtMs === null ? "" : formatMs(appliedAtMs), fault.kind, outcome, description ?? ""];
	});
	if (rows.length > 0) output.write(`${formatTable(rows, ["right", "left", "left", "left"]).join("\n")}\n\n`);
	const witnessed = properties.filter(({ kind, first }) => kind === "sometimes" && first !== null).map(({ id }) => id);
	if (witnessed.length > 0) output.write(`happened: ${witnessed.join(", ")}\n`);
	const { begun, ok, failed, unknown } = workload.counts;
	output.write(
		`operations: ${formatNumber(begun)} begun, ${formatNumber(ok)} answered, ${failed} without effect, ${unknown} unknown\n`,
	);
	output.write(`time: ${formatMs(time.targetMs)} of the target's, ${formatMs(time.wallMs)} of ours\n`);
	for (const gap of notChecked) output.write(`not checked: ${gap}\n`);
	for (const reason of reasons) output.write(`${reason}\n`);
	if (verdict !== "pass" && replay !== null) output.write(`again: ${replay}\n`);
	output.write(
		`${painter(output.hasColours)(verdict === "pass" ? "green" : "red", `${verdict}: ${journal.experiment.title}`)}\n`,
	);
}

/** The phase of a run, drawn over in a terminal and told once elsewhere. */
class PhaseProgress {
	readonly #output: Output;
	#phase: RunProgress["phase"] | null = null;
	#isDrawn = false;

	constructor(output: Output) {
		this.#output = output;
	}

	show({ phase, elapsedMs, lengthMs, faultsApplied, operationsOk }: RunProgress): void {
		const figures = `${formatCount(faultsApplied, "fault")}, ${formatCount(operationsOk, "operation")} answered`;
		if (!this.#output.isTerminal) {
			if (phase !== this.#phase) this.#output.write(`${phase}: ${figures}\n`);
			this.#phase = phase;
			return;
		}
		this.clear();
		const share = lengthMs === 0 ? "" : ` ${Math.min(100, Math.floor((100 * elapsedMs) / lengthMs))}%`;
		this.#output.write(`${phase}${share}  ${figures}`.slice(0, this.#output.columns - 1));
		this.#isDrawn = true;
	}

	clear(): void {
		if (this.#isDrawn) this.#output.write("\r\u001b[0J");
		this.#isDrawn = false;
	}
}
