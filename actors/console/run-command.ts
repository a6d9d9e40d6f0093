/** The command `quorate run`: options, input, data directory, swarm, run, result, and everything put back in order. */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "../../runtime/index.ts";
import { makeTemporaryDirectory } from "../../runtime/storage/index.ts";
import { crdtRunCommand } from "./crdt-run-command.ts";
import { runErrors, usageErrors } from "./errors.ts";
import { type FlightRecords, generateRecords } from "./flight-records.ts";
import { gossipRunCommand } from "./gossip-run-command.ts";
import { HistoryWriter } from "./history.ts";
import { readInput } from "./input.ts";
import { namedProtocol } from "./named-protocol.ts";
import { Progress } from "./progress.ts";
import { printReport, type RunSetting, reportObject } from "./report.ts";
import { performRun, type RunReport } from "./run.ts";
import { attackList, PASSPHRASE_VARIABLE, parseRunOptions, type RunOptions, runHelp } from "./run-options.ts";
import type { RunTarget } from "./run-target.ts";
import { formatMs, formatNumber } from "./table.ts";
import { type Output, painter, silentOutput } from "./terminal.ts";
import { interruptExitCode } from "./verdict.ts";

/** Records that are made up where there is no input: as many as the data set has. */
const GENERATED_RECORDS = 200_000;
const DATA_SET_PACKAGE = "vega-datasets";
const DATA_SET_FILE = join(DATA_SET_PACKAGE, "data", "flights-200k.json");

/** What a swarm for the run is started from. */
export interface TargetOptions {
	readonly protocol: RunOptions["protocol"];
	/** Members that attack, and how; see `RunOptions`. */
	readonly byzantine: number;
	readonly attacks: readonly string[];
	readonly modes: RunOptions["modes"];
	readonly clients: number;
	/** Null writes no evidence. */
	readonly evidence: string | null;
	readonly nodes: number;
	/** With a passphrase keys are kept in the directory, too; a directory without one is a temporary one. */
	readonly storage:
		| { readonly type: "memory" }
		| { readonly type: "lmdb"; readonly directory: string; readonly passphrase?: string };
	readonly seed: number;
}

/** The world around a command. */
export interface CommandWorld {
	readonly version: string;
	readonly workingDirectory: string;
	readonly standardInput: Readable;
	readonly output: Output;
	readonly errors: Output;
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	/** Aborted by the first Ctrl-C or SIGTERM; the reason is the signal's name. */
	readonly interrupt: AbortSignal;
	/** Directories that are to be removed at the end: what is left behind when there is none. */
	readonly temporaries: Set<string>;
	/** Starts the swarm with the flight ledger as its application. */
	readonly startTarget: (options: TargetOptions) => Promise<RunTarget>;
}

/**
 * Performs `quorate run` and returns its exit code.
 * @throws QuorateError for everything that keeps the run from beginning
 */
export async function runCommand(args: readonly string[], world: CommandWorld): Promise<number> {
	const protocol = namedProtocol(args);
	if (protocol === "gossip") return await gossipRunCommand(args, world);
	if (protocol === "crdt") return await crdtRunCommand(args, world);
	const options = parseRunOptions(args);
	if (options.help) {
		world.output.write(runHelp());
		return 0;
	}
	if (options.listsAttacks) {
		world.output.write(attackList());
		return 0;
	}
	const output = options.json ? silentOutput : world.output;
	const progress = new Progress(output, periodOf(options));
	const announceEnd = (): void => {
		const exitCode = interruptExitCode(world.interrupt);
		// Nobody reads it any more.
		if (exitCode === 141) return;
		const signal = exitCode === 143 ? "SIGTERM" : "Ctrl-C";
		const text = `ending in order; ${signal} once more ends at once`;
		if (options.json) world.errors.write(`quorate: ${text}\n`);
		else progress.note(text);
	};
	world.interrupt.addEventListener("abort", announceEnd, { once: true });
	try {
		const passphrase = await passphraseOf(options, world);
		const input = await loadInput(options, world);
		const startMs = world.clock.nowMs();
		const nowNs = (): number => Math.round((world.clock.nowMs() - startMs) * 1e6);
		const history = options.history === null ? null : await HistoryWriter.open(options.history, nowNs);
		const report = await inDataDirectory(options, world, (place) =>
			runOnSwarm({ options, passphrase, input, history, output, progress, ...place }, world),
		);
		return report === null ? interruptedEarly(options, world) : report.verdict.exitCode;
	} catch (error) {
		// What fails because it was interrupted is no failure.
		if (world.interrupt.aborted) return interruptedEarly(options, world);
		throw error;
	} finally {
		world.interrupt.removeEventListener("abort", announceEnd);
	}
}

/** The last line, or the object, of a run that was interrupted before there was anything to report. */
function interruptedEarly({ json }: RunOptions, world: CommandWorld): number {
	const exitCode = interruptExitCode(world.interrupt);
	const line = "interrupted: before there was anything to report";
	const text = json ? JSON.stringify({ verdict: "interrupted", exitCode, line, faults: [] }) : line;
	world.output.write(`${text}\n`);
	return exitCode;
}

interface LoadedInput {
	readonly records: FlightRecords;
	readonly name: string;
}

async function loadInput({ input, seed }: RunOptions, world: CommandWorld): Promise<LoadedInput> {
	const path = input ?? findDataSet(world.workingDirectory);
	if (path === null) {
		return {
			records: generateRecords(GENERATED_RECORDS, seed),
			name: `a generator, since ${DATA_SET_PACKAGE} is not installed`,
		};
	}
	const records = await readInput(path, world.standardInput, world.interrupt);
	const name = path === "-" ? "standard input" : relative(world.workingDirectory, path);
	return { records, name: name.startsWith("..") ? path : name };
}

/** The data set among the packages that a module in this directory could import; null if it is not installed. */
function findDataSet(directory: string): string | null {
	const places = createRequire(join(directory, "any.js")).resolve.paths(DATA_SET_PACKAGE) ?? [];
	return places.map((place) => join(place, DATA_SET_FILE)).find((file) => existsSync(file)) ?? null;
}

/** Where a run keeps its data. */
interface DataPlace {
	/** Null: in memory. */
	readonly directory: string | null;
	/** There is something in it now. */
	readonly onStarted: () => void;
}

/** Gives `use` a directory; a temporary one is removed after success, and its path printed after a failed run. */
async function inDataDirectory(
	{ storage, data }: RunOptions,
	{ errors, interrupt, temporaries }: CommandWorld,
	use: (place: DataPlace) => Promise<RunReport | null>,
): Promise<RunReport | null> {
	if (storage === "memory" || data !== null) return await use({ directory: data, onStarted: () => undefined });
	const directory = await makeTemporaryDirectory();
	temporaries.add(directory);
	let isStarted = false;
	let isGood = false;
	try {
		const report = await use({
			directory,
			onStarted: () => {
				isStarted = true;
			},
		});
		isGood = report === null || report.verdict.exitCode !== 1;
		return report;
	} finally {
		if (isStarted && !isGood && !interrupt.aborted) {
			errors.write(`quorate: the data of this run are kept in ${directory}\n`);
		} else {
			await rm(directory, { recursive: true, force: true });
		}
		temporaries.delete(directory);
	}
}

/** Everything that is known before the swarm starts. */
interface PreparedRun extends DataPlace {
	readonly options: RunOptions;
	/** Opens the keys in the data directory; null where there are none. */
	readonly passphrase: string | null;
	readonly input: LoadedInput;
	readonly history: HistoryWriter | null;
	/** Keeps nothing when the result is to be JSON. */
	readonly output: Output;
	readonly progress: Progress;
}

async function runOnSwarm(prepared: PreparedRun, world: CommandWorld): Promise<RunReport | null> {
	const { options, input, directory, output } = prepared;
	const bold = (text: string): string => painter(output.hasColours)("bold", text);
	output.write(`${bold(`quorate ${world.version}`)}: ${describeSwarm(options, directory)}\n`);
	output.write(`${formatNumber(input.records.length)} records from ${input.name}\n${describeLoad(options)}\n`);
	const startMs = world.clock.nowMs();
	const target = await world.startTarget({
		protocol: options.protocol,
		byzantine: options.byzantine,
		attacks: options.attacks,
		clients: options.clients,
		modes: options.modes,
		evidence: options.evidence,
		nodes: options.nodes,
		storage: storageOf(prepared),
		seed: options.seed,
	});
	prepared.onStarted();
	const bootMs = world.clock.nowMs() - startMs;
	const report = await runOnTarget(prepared, target, bootMs, world).finally(() => target.stop());
	if (report === null) return null;
	if (options.json) {
		const setting = settingOf(options, input, directory, report, world.version);
		world.output.write(`${JSON.stringify(reportObject(report, setting))}\n`);
	} else {
		printReport(report, output);
	}
	return report;
}

function storageOf({ directory, passphrase }: PreparedRun): TargetOptions["storage"] {
	if (directory === null) return { type: "memory" };
	return { type: "lmdb", directory, ...(passphrase === null ? {} : { passphrase }) };
}

/** What opens the keys of a Byzantine group's data directory. @throws QuorateError `missing-value`, `passphrase-unreadable` */
async function passphraseOf(
	{ protocol, data, passphraseFile }: RunOptions,
	{ environment, workingDirectory }: CommandWorld,
): Promise<string | null> {
	if (protocol !== "pbft" || data === null) return null;
	const given =
		passphraseFile === null ? environment[PASSPHRASE_VARIABLE] : await firstLine(passphraseFile, workingDirectory);
	if (given !== undefined && given !== "") return given;
	throw usageErrors.missingValue({
		option: "--passphrase-file",
		expected: `FILE, or a passphrase in ${PASSPHRASE_VARIABLE}: --data keeps the members' keys, encrypted`,
	});
}

async function firstLine(file: string, workingDirectory: string): Promise<string> {
	try {
		return (await readFile(resolve(workingDirectory, file), "utf8")).split(/\r?\n/, 1)[0] ?? "";
	} catch (cause) {
		throw runErrors.passphraseUnreadable({ file, reason: (cause as Error).message }, { cause });
	}
}

async function runOnTarget(
	{ options, input, history, output, progress }: PreparedRun,
	target: RunTarget,
	bootMs: number,
	{ clock, interrupt, errors }: CommandWorld,
): Promise<RunReport | null> {
	if (interrupt.aborted) return null;
	for (const note of target.notes) errors.write(`quorate: ${note}\n`);
	const { leader } = target;
	const first = leader === null ? "" : `; ${leader.leader} leads ${periodOf(options)} ${leader.term}`;
	const members = target.nodes.length === 1 ? "1 participant runs" : `${target.nodes.length} participants run`;
	output.write(`${members} after ${formatMs(bootMs)}${first}\n\n`);
	return await performRun({ ...options, records: input.records }, { target, clock, progress, history, interrupt });
}

function describeSwarm(
	{ protocol, nodes, seed, data, byzantine, attacks, modes }: RunOptions,
	directory: string | null,
): string {
	const liars = byzantine === 0 ? "" : `, ${byzantine} of them attacking (${attacks.join(", ")})`;
	const storage = directory === null ? "memory" : `lmdb in ${directory}${data === null ? " (temporary)" : ""}`;
	const votes = modes.votes === "authenticated" ? ", votes authenticated" : "";
	const certificates = modes.certificates === "collector" ? ", certificates by a collector" : "";
	return `${protocol} with ${nodes} ${nodes === 1 ? "node" : "nodes"}${votes}${certificates}${liars}, ${storage}, seed ${seed}`;
}

function describeLoad({ rate, clients, killLeaderMs, forMs }: RunOptions): string {
	const parts = [
		`${rate === "max" ? "as fast as they go" : `${formatNumber(rate)} records/s`} from ${clients} ${clients === 1 ? "client" : "clients"}`,
	];
	if (forMs !== null) parts.push(`for ${forMs / 1_000} s at most`);
	if (killLeaderMs !== null) parts.push(`the leader's thread is killed every ${killLeaderMs / 1_000} s`);
	return parts.join(", ");
}

function settingOf(
	options: RunOptions,
	{ name }: LoadedInput,
	directory: string | null,
	report: RunReport,
	version: string,
): RunSetting {
	const { protocol, nodes, byzantine, attacks, modes, storage, rate, clients, killLeaderMs, seed, history, data } =
		options;
	const isKept = data !== null || report.verdict.exitCode === 1;
	return {
		version,
		protocol,
		nodes,
		byzantine,
		attacks,
		modes,
		storage,
		dataDirectory: isKept ? directory : null,
		input: name,
		rate,
		clients,
		killLeaderMs,
		seed,
		history,
	};
}

/** What the protocol calls the time of one leader. */
function periodOf({ protocol }: Pick<RunOptions, "protocol">): "term" | "view" {
	return protocol === "raft" ? "term" : "view";
}
