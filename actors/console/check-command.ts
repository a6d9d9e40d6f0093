/** The command `quorate check`: options, model, search, result. */
import { pbftModel } from "../../protocols/pbft/model/index.ts";
import { raftModel } from "../../protocols/raft/model/index.ts";
import { groupSpace, type StateSearch, startSearch } from "../../protocols/verification/model-checker/index.ts";
import { type CheckOptions, checkHelp, parseCheckOptions } from "./check-options.ts";
import { type CheckFacts, checkObject, describeBounds, describeProgress, printCheck } from "./check-report.ts";
import type { CommandWorld } from "./run-command.ts";
import { type Output, silentOutput } from "./terminal.ts";
import { interruptExitCode } from "./verdict.ts";

/** The world of this command: where it writes, its time. */
export type CheckWorld = Pick<CommandWorld, "version" | "output" | "clock" | "interrupt">;

/** States that are expanded before the process's other events may run, such as Ctrl-C. */
const EXPANSIONS_AT_ONCE = 2_000;
const PROGRESS_INTERVAL_MS = 2_000;

/**
 * Performs `quorate check` and returns its exit code.
 * @throws QuorateError for a wrong call, and `property-threw`
 */
export async function checkCommand(args: readonly string[], world: CheckWorld): Promise<number> {
	const options = parseCheckOptions(args);
	if (options === null) {
		world.output.write(checkHelp());
		return 0;
	}
	const output = options.json ? silentOutput : world.output;
	output.write(`quorate ${world.version}: ${describeBounds(options)}\n`);
	const space = options.model === "raft" ? groupSpace(raftModel(options.raft)) : groupSpace(pbftModel(options.pbft));
	const search = startSearch(space, { statesMax: options.statesMax });
	const facts = { ...(await advance(search, options, output, world)), sizes: space.sizes };
	const result = search.result();
	if (options.json) world.output.write(`${JSON.stringify(checkObject(result, facts, options, world.version))}\n`);
	else printCheck(result, facts, output);
	if (world.interrupt.aborted && !result.exhausted) return interruptExitCode(world.interrupt);
	return result.verdict === "proved" || result.verdict === "bounded" ? 0 : 1;
}

/** Searches until there is nothing left, the time is over or somebody interrupts. */
async function advance(
	search: StateSearch,
	{ forMs }: CheckOptions,
	output: Output,
	{ clock, interrupt }: CheckWorld,
): Promise<Omit<CheckFacts, "sizes">> {
	const startMs = clock.nowMs();
	const cpuStart = process.cpuUsage();
	const elapsedMs = (): number => clock.nowMs() - startMs;
	const cpuMs = (): number => {
		const { user, system } = process.cpuUsage(cpuStart);
		return (user + system) / 1_000;
	};
	let shownMs = 0;
	while (search.advance(EXPANSIONS_AT_ONCE)) {
		if (interrupt.aborted || (forMs !== null && elapsedMs() >= forMs)) break;
		if (elapsedMs() - shownMs >= PROGRESS_INTERVAL_MS) {
			shownMs = elapsedMs();
			output.write(`${(shownMs / 1_000).toFixed(1).padStart(6)} s  ${describeProgress(search.progress, cpuMs())}\n`);
		}
		await new Promise((resolve) => setImmediate(resolve));
	}
	const residentBytes = process.resourceUsage().maxRSS * 1_024;
	return { elapsedMs: elapsedMs(), cpuMs: cpuMs(), residentBytes };
}
