/** The command `quorate check-history`: options, history, judge, result. */
import { writeFile } from "node:fs/promises";
import { QuorateError } from "../../protocols/core/index.ts";
import {
	casRegisterModel,
	checkListAppend,
	checkSessions,
	checkSet,
	counterModel,
	type History,
	HistoryParser,
	keyValueModel,
	LinearizabilityCheck,
	lockModel,
	type Model,
	queueModel,
	registerModel,
} from "../../protocols/verification/index.ts";
import { formatHistorySvg, type HistoryChart } from "../../supervisors/index.ts";
import { historyChart } from "../experiment/index.ts";
import { type CheckHistoryOptions, checkHistoryHelp, parseCheckHistoryOptions } from "./check-history-options.ts";
import {
	anomalyResult,
	describeKeys,
	type HistoryResult,
	linearizabilityResult,
	printHistoryResult,
	resultObject,
} from "./check-history-report.ts";
import { experimentErrors, historyFileErrors } from "./errors.ts";
import type { CommandWorld } from "./run-command.ts";
import { formatCount, formatNumber } from "./table.ts";
import { type Output, silentOutput } from "./terminal.ts";
import { fileErrorReason, readText, sourceName } from "./text-source.ts";
import { interruptExitCode } from "./verdict.ts";

/** The world of this command: what it reads, where it writes, its time. */
export type CheckHistoryWorld = Pick<
	CommandWorld,
	"version" | "standardInput" | "output" | "errors" | "clock" | "interrupt"
>;

/** How long the check goes on before it lets the process's other events run, such as Ctrl-C. */
const SLICE_MS = 25;
/** Between two lines of progress. */
const PROGRESS_INTERVAL_MS = 2_000;

/**
 * Performs `quorate check-history` and returns its exit code.
 * @throws QuorateError for a wrong call, and for a history that can not be read
 */
export async function checkHistoryCommand(args: readonly string[], world: CheckHistoryWorld): Promise<number> {
	const options = parseCheckHistoryOptions(args);
	if (options === null) {
		world.output.write(checkHistoryHelp());
		return 0;
	}
	const output = options.json ? silentOutput : world.output;
	try {
		const history = await readHistory(options.file, world);
		const name = sourceName(options.file);
		output.write(`quorate ${world.version}: ${name} as ${options.model}\n${describeHistory(history)}\n`);
		const result = await judged(history, options, output, world);
		if (world.interrupt.aborted) return interruptExitCode(world.interrupt);
		if (options.svg !== null) await writeSvg(options.svg, historyChart(history, result.partitions, options.model));
		if (options.json) world.output.write(`${JSON.stringify(resultObject(result, options, history, world.version))}\n`);
		else printHistoryResult(result, output);
		return result.verdict === "ok" ? 0 : 1;
	} catch (error) {
		if (world.interrupt.aborted) return interruptExitCode(world.interrupt);
		throw error;
	}
}

async function readHistory(file: string, { standardInput, interrupt }: CheckHistoryWorld): Promise<History> {
	const parser = new HistoryParser();
	const inFile = <T>(work: () => T): T => {
		try {
			return work();
		} catch (thrown) {
			throw withFile(file, thrown);
		}
	};
	await readText(file, standardInput, interrupt, (piece) => inFile(() => parser.write(piece)));
	const history = inFile(() => parser.end());
	if (history.events === 0) throw historyFileErrors.empty({ file: sourceName(file) });
	return history;
}

async function writeSvg(file: string, chart: HistoryChart): Promise<void> {
	try {
		await writeFile(file, formatHistorySvg(chart));
	} catch (cause) {
		throw experimentErrors.unwritable({ file, reason: fileErrorReason(cause) }, { cause });
	}
}

/** The parser knows lines; which file they are in is known here. */
function withFile(file: string, thrown: unknown): unknown {
	if (!(thrown instanceof QuorateError)) return thrown;
	const { code, message, details } = thrown;
	return new QuorateError(
		code,
		`${sourceName(file)}, ${message}`,
		{ file: sourceName(file), ...details },
		{ cause: thrown },
	);
}

function describeHistory({ operations, clients }: History): string {
	const unknown = operations.filter(({ outcome }) => outcome === "unknown").length;
	const failed = operations.filter(({ outcome }) => outcome === "fail").length;
	return `${formatCount(operations.length, "operation")} by ${formatCount(clients, "client")}, ${formatNumber(unknown)} of unknown outcome, ${formatNumber(failed)} without effect`;
}

async function judged(
	history: History,
	options: CheckHistoryOptions,
	output: Output,
	world: CheckHistoryWorld,
): Promise<HistoryResult> {
	const { file, model } = options;
	try {
		switch (model) {
			case "set":
				return anomalyResult(checkSet(history), "every element that was known is shown", "nothing was read");
			case "sessions":
				return anomalyResult(checkSessions(history), "all sessions keep their guarantees", "nothing was read");
			case "list-append":
				return anomalyResult(
					checkListAppend(history),
					"the transactions are strictly serializable",
					"nothing was read",
				);
			case "kv":
				return await linearizable(history, keyValueModel, options, output, world);
			case "register":
				return await linearizable(history, registerModel, options, output, world);
			case "cas-register":
				return await linearizable(history, casRegisterModel, options, output, world);
			case "counter":
				return await linearizable(history, counterModel, options, output, world);
			case "queue":
				return await linearizable(history, queueModel, options, output, world);
			case "lock":
				return await linearizable(history, lockModel, options, output, world);
		}
	} catch (thrown) {
		throw withFile(file, thrown);
	}
}

/** Checks in slices, so that Ctrl-C is heard and progress is shown. */
async function linearizable<State>(
	history: History,
	model: Model<State>,
	{ budgetMs }: CheckHistoryOptions,
	output: Output,
	{ clock, interrupt }: CheckHistoryWorld,
): Promise<HistoryResult> {
	const check = new LinearizabilityCheck(history, model);
	const startMs = clock.nowMs();
	let shownMs = startMs;
	for (;;) {
		const sliceEndMs = clock.nowMs() + SLICE_MS;
		let isDone: boolean;
		do isDone = check.advance();
		while (!isDone && clock.nowMs() < sliceEndMs);
		const nowMs = clock.nowMs();
		if (isDone || interrupt.aborted || nowMs - startMs >= budgetMs) {
			return linearizabilityResult(check.end(), model.name, nowMs - startMs, budgetMs);
		}
		if (nowMs - shownMs >= PROGRESS_INTERVAL_MS) {
			shownMs = nowMs;
			showProgress(check, nowMs - startMs, output);
		}
		await new Promise<void>((resume) => clock.schedule(0, resume));
	}
}

function showProgress<State>(check: LinearizabilityCheck<State>, elapsedMs: number, output: Output): void {
	const { current, decided, partitions, steps } = check;
	const seconds = (elapsedMs / 1_000).toFixed(1).padStart(6);
	const present =
		current === null
			? ""
			: `; ${describeKeys(current.keys)}: ${formatNumber(current.explained)} of ${formatNumber(current.operations)} operations explained`;
	output.write(`${seconds} s  ${decided} of ${partitions} keys decided, ${formatNumber(steps)} steps${present}\n`);
}
