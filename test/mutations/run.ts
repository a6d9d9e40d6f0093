/**
 * `npm run mutation [-- LIST…]`: plants one bug after the other in temporary copies of the built tree; each must be noticed by
 * the attempt that is stored for it. The unmutated copy passes all of them first. `--search` finds and stores attempts.
 *
 * Exit code 0 only if every bug was killed; 1 if one was not, or the unmutated tree does not pass; 2 for a wrong call; 130 and 143
 * after a signal.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatMs } from "../../actors/console/index.ts";
import { commandOf, isOfSeeds } from "./attempt.ts";
import { type GateProgress, isPassed, type Killers, runGate } from "./gate.ts";
import { readKillers, writeKillers } from "./killers.ts";
import { type Laboratory, TreeLaboratory } from "./laboratory.ts";
import { type MutationList, mutationLists } from "./lists.ts";
import { gateObject, type ListResult, resultsPage, summaryLine, tableLines } from "./results.ts";
import { searchKillers } from "./search.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const EXIT_TERMINATED = 143;
const JOBS_MAX = 64;
const PAGE = join("test", "mutations", "RESULTS.md");
const root = fileURLToPath(new URL("../../../", import.meta.url));
const help = `npm run mutation [-- LIST… options]: plants bugs, and sees each one noticed

LIST: ${mutationLists.map(({ name }) => name).join(", ")} (default: all)
  --only NAME,…  these mutations alone
  --seeds        those alone that a seed, bounds of a model or an experiment notices, without the unit tests: CI's part
  --search       find what notices those for which nothing is stored, and store it, before the gate
  --again        with --search: look anew for all of them
  --record       write ${PAGE}; not with --only or --seeds
  --jobs N       copies that work side by side, 1 to ${JOBS_MAX} (default: the cores)
  --json         print one object, nothing else
`;

interface Call {
	readonly lists: readonly MutationList[];
	readonly only: ReadonlySet<string> | null;
	readonly seeds: boolean;
	readonly search: boolean;
	readonly again: boolean;
	readonly record: boolean;
	readonly jobs: number;
	readonly json: boolean;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
	if (args.includes("--help")) {
		process.stdout.write(help);
		return 0;
	}
	let call: Call;
	try {
		call = parseCall(args);
	} catch (error) {
		process.stderr.write(`mutation: ${(error as Error).message}\n\n${help}`);
		return EXIT_USAGE;
	}
	const startMs = performance.now();
	const laboratories = Array.from({ length: call.jobs }, () => new TreeLaboratory(root));
	const results: ListResult[] = [];
	// Copies are large, and their processes may be in a loop.
	const interrupted = (signal: NodeJS.Signals): never => {
		for (const laboratory of laboratories) laboratory.close();
		process.exit(signal === "SIGINT" ? EXIT_INTERRUPTED : EXIT_TERMINATED);
	};
	process.once("SIGINT", interrupted);
	process.once("SIGTERM", interrupted);
	try {
		for (const list of call.lists) {
			const result = await runList(list, call, laboratories);
			if (result !== null) results.push(result);
		}
	} finally {
		for (const laboratory of laboratories) laboratory.close();
	}
	const elapsedMs = performance.now() - startMs;
	if (call.record) writePage(results, elapsedMs);
	if (call.json) process.stdout.write(`${JSON.stringify(gateObject(results))}\n`);
	else {
		for (const listed of results) process.stdout.write(`\n${tableLines(listed).join("\n")}\n`);
		process.stdout.write(`\n${results.map(summaryLine).join("\n")}\nin ${formatMs(elapsedMs)}\n`);
	}
	return results.length > 0 && results.every(({ result }) => isPassed(result)) ? 0 : EXIT_FAILED;
}

/** @throws Error naming what is wrong with the call */
function parseCall(args: readonly string[]): Call {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: {
			only: { type: "string" },
			seeds: { type: "boolean", default: false },
			search: { type: "boolean", default: false },
			again: { type: "boolean", default: false },
			record: { type: "boolean", default: false },
			jobs: { type: "string", default: String(availableParallelism()) },
			json: { type: "boolean", default: false },
		},
	});
	const lists = positionals.length === 0 ? mutationLists : positionals.map(listNamed);
	const jobs = Number(values.jobs);
	if (!Number.isInteger(jobs) || jobs < 1 || jobs > JOBS_MAX) throw new Error(`--jobs is 1 to ${JOBS_MAX}`);
	const only = values.only === undefined ? null : new Set(values.only.split(","));
	const known = new Set(lists.flatMap(({ mutations }) => mutations.map(({ name }) => name)));
	const unknown = [...(only ?? [])].filter((name) => !known.has(name));
	if (unknown.length > 0) throw new Error(`no such mutation: ${unknown.join(", ")}`);
	if (values.again && !values.search) throw new Error("--again goes with --search");
	if (values.seeds && values.search) throw new Error("--seeds is of what is stored, --search looks for what is not");
	const isPart = only !== null || values.seeds || positionals.length > 0;
	if (values.record && isPart) throw new Error(`${PAGE} is of all lists, in full`);
	const { seeds, search, again, record, json } = values;
	return { lists, only, seeds, jobs, search, again, record, json };
}

function listNamed(name: string): MutationList {
	const list = mutationLists.find((each) => each.name === name);
	if (list === undefined) throw new Error(`no such list: ${name}`);
	return list;
}

/** @returns null if the list has nothing that the call asks for */
async function runList(
	list: MutationList,
	call: Call,
	laboratories: readonly Laboratory[],
): Promise<ListResult | null> {
	const { only, seeds } = call;
	const named = only === null ? list.mutations : list.mutations.filter(({ name }) => only.has(name));
	if (call.search) await search(list, { ...call, mutations: named, laboratories });
	const killers = readKillers(root, list);
	const mutations = seeds ? named.filter(({ name }) => isKilledBySeeds(killers, name)) : named;
	if (seeds && mutations.length === 0) return null;
	const read = (file: string): string => readFileSync(join(root, file), "utf8");
	const result = await runGate({ mutations, read, killers, laboratories, progress: tellProgress(list.name) });
	return { list: list.name, result };
}

function isKilledBySeeds(killers: Killers, name: string): boolean {
	const attempt = killers[name];
	return attempt !== undefined && isOfSeeds(attempt);
}

interface SearchCall extends Pick<Call, "again"> {
	readonly mutations: MutationList["mutations"];
	readonly laboratories: readonly Laboratory[];
}

async function search(list: MutationList, { mutations, laboratories, again }: SearchCall): Promise<void> {
	let killers: Killers = readKillers(root, list);
	const wanted = mutations.filter(({ name }) => again || killers[name] === undefined);
	await searchKillers({
		mutations: wanted,
		attempts: list.attempts,
		laboratories,
		found: ({ name }, trial) => {
			const text = trial === null ? "nothing notices it" : `${commandOf(trial.attempt)}: ${trial.outcome.by}`;
			process.stderr.write(`${list.name} ${name}: ${text}\n`);
			if (trial === null) return;
			killers = { ...killers, [name]: trial.attempt };
			writeKillers(root, list, killers);
		},
	});
}

function tellProgress(list: string): (event: GateProgress) => void {
	return (event) => {
		if (event.type === "baseline") {
			if (event.done === event.total)
				process.stderr.write(`${list}: the tree without bugs passes ${event.total} attempts\n`);
			return;
		}
		const { mutation, state, trial } = event.result;
		const what = trial === null ? "" : ` ${trial.attempt[0]}, ${formatMs(trial.elapsedMs)}: ${trial.outcome.by}`;
		process.stderr.write(`${list} ${event.done}/${event.total} ${state} ${mutation.name}${what}\n`);
	};
}

function writePage(results: readonly ListResult[], elapsedMs: number): void {
	const processors = cpus();
	const machine = `Node ${process.versions.node}, ${processors.length} × ${processors[0]?.model ?? "unknown processor"}`;
	const date = new Date().toISOString().slice(0, 10);
	writeFileSync(join(root, PAGE), resultsPage(results, { date, machine, elapsedMs }));
}
