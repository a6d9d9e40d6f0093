/**
 * `npm run reproduce [-- TABLE… --members N --large N --record]`: the published tables of gossip protocols next to what the shipped machines
 * do in this run, on virtual time with fixed seeds, and whether each figure keeps its bound. Exit code 1 if one does not, 2 for
 * a wrong call. `--members` sets the size of Lifeguard's group (default 32, the paper has 128). `--large N` runs the table
 * `large-group` alone, SWIM with N members that each hold all others: minutes, and with 10,000 some gigabytes. `--record` keeps the
 * results in `RESULTS.md` beside this file's source, those of the large group in `LARGE-GROUP.md`.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatMs } from "../../../actors/console/index.ts";
import { requireInteger } from "../../../protocols/core/index.ts";
import { failuresTable, treeTable } from "./broadcast-tables.ts";
import { largeGroupTable } from "./large-group-table.ts";
import { lifeguardTable } from "./lifeguard-table.ts";
import { isKept, type ReproducedTable, type Reproduction, reproductionLines } from "./reproduction.ts";
import { rumourTable } from "./rumour-table.ts";
import { detectionTable, loadTable, lossTable, serfTable, spreadTable } from "./swim-tables.ts";

/** From the root of the project, where npm runs scripts. */
const pageOf = (name: string): string => join("test", "bench", "gossip", name);

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		members: { type: "string", default: "32" },
		large: { type: "string" },
		record: { type: "boolean", default: false },
	},
});
const isLarge = values.large !== undefined;
const everyday: readonly ReproducedTable[] = [
	rumourTable,
	spreadTable,
	detectionTable,
	lossTable,
	loadTable,
	serfTable,
	lifeguardTable(requireInteger("--members", Number(values.members), 16, 256)),
	failuresTable,
	treeTable,
];
const tables = isLarge ? [largeGroupTable(requireInteger("--large", Number(values.large), 200, 10_000))] : everyday;
const unknown = positionals.filter((name) => !tables.some((table) => table.name === name));
if (unknown.length > 0) {
	console.error(`no such table: ${unknown.join(", ")}; there are ${tables.map(({ name }) => name).join(", ")}`);
	process.exitCode = 2;
} else {
	reproduce(tables.filter(({ name }) => positionals.length === 0 || positionals.includes(name)));
}

function reproduce(chosen: readonly ReproducedTable[]): void {
	const startedMs = performance.now();
	const done: Reproduction[] = [];
	for (const { name, run } of chosen) {
		const fromMs = performance.now();
		const reproduction = run((step) => process.stderr.write(`${name}: ${step}\n`));
		process.stderr.write(`${name}: done in ${formatMs(performance.now() - fromMs)}\n`);
		done.push(reproduction);
		console.log(`\n${reproductionLines(reproduction).join("\n")}`);
	}
	const bounds = done.flatMap((reproduction) => reproduction.bounds);
	const broken = bounds.filter((bound) => !isKept(bound));
	const verdict = `${bounds.length - broken.length} of ${bounds.length} bounds are kept`;
	console.log(`\n${verdict}${broken.length === 0 ? "" : `; broken: ${broken.map(({ what }) => what).join("; ")}`}`);
	if (values.record) record(done, verdict, performance.now() - startedMs);
	if (broken.length > 0) process.exitCode = 1;
}

function record(done: readonly Reproduction[], verdict: string, elapsedMs: number): void {
	const processors = cpus();
	const machine = `Node ${process.versions.node}, ${processors.length} × ${processors[0]?.model ?? "unknown processor"}`;
	const date = new Date().toISOString().slice(0, 10);
	const command = ["npm run reproduce --", ...process.argv.slice(2)].join(" ");
	const page = [
		"# Published tables, and what is measured here",
		"",
		`Printed by \`${command}\` on ${date}, in ${formatMs(elapsedMs)}; ${machine}. Runs are on virtual time, so that their figures`,
		"depend on the seeds alone, not on the machine. What each table is made of is said in the sources beside this page.",
		`${verdict}.`,
		...done.flatMap((reproduction) => ["", "```text", ...reproductionLines(reproduction), "```"]),
		"",
	];
	const path = pageOf(isLarge ? "LARGE-GROUP.md" : "RESULTS.md");
	writeFileSync(path, page.join("\n"));
	console.log(`recorded in ${path}`);
}
