/**
 * `npm run bench [-- NAME… --json FILE]`: runs every benchmark of this folder, each alone in a child process, one
 * after the other, and prints one table. NAME is a module's name (`lanes`); without one all are run.
 */
import { fork } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatNumber, formatTable } from "../../actors/console/index.ts";
import { type Bench, type BenchRow, type Reached, reached } from "./row.ts";

/** A benchmark that takes longer than this hangs. */
const MODULE_TIMEOUT_MS = 300_000;
const notBenchmarks = ["run", "row", "peers"];

const marks: Readonly<Record<Reached, string>> = {
	stretch: "stretch",
	target: "reached",
	missed: "missed",
	"no-target": "",
};

interface Outcome {
	readonly module: string;
	readonly rows: readonly BenchRow[];
	readonly failure: string | null;
	readonly seconds: number;
}

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { json: { type: "string" }, child: { type: "string" } },
});
if (values.child === undefined) await runAll(positionals, values.json);
else await runOne(values.child);

async function runAll(names: readonly string[], jsonFile: string | undefined): Promise<void> {
	const known = readdirSync(fileURLToPath(new URL(".", import.meta.url)))
		.filter((file) => file.endsWith(".js") && !file.endsWith(".test.js"))
		.map((file) => file.slice(0, -".js".length))
		.filter((name) => !notBenchmarks.includes(name))
		.sort();
	const unknown = names.filter((name) => !known.includes(name));
	if (unknown.length > 0) {
		console.error(`no such benchmark: ${unknown.join(", ")}; there are ${known.join(", ")}`);
		process.exitCode = 2;
		return;
	}
	const outcomes: Outcome[] = [];
	for (const name of names.length > 0 ? names : known) {
		process.stderr.write(`${name} …`);
		const outcome = await inChild(name);
		process.stderr.write(` ${outcome.seconds.toFixed(0)} s${outcome.failure === null ? "" : `, ${outcome.failure}`}\n`);
		outcomes.push(outcome);
	}
	print(outcomes);
	if (jsonFile !== undefined)
		writeFileSync(jsonFile, `${JSON.stringify({ machine: machine(), outcomes }, null, "\t")}\n`);
	if (outcomes.some((outcome) => outcome.failure !== null)) process.exitCode = 1;
}

function inChild(module: string): Promise<Outcome> {
	const startedMs = performance.now();
	return new Promise((resolve) => {
		let rows: readonly BenchRow[] = [];
		const child = fork(fileURLToPath(import.meta.url), ["--child", module], { timeout: MODULE_TIMEOUT_MS });
		child.on("message", (message) => {
			rows = message as readonly BenchRow[];
		});
		child.on("exit", (code, signal) => {
			const failure =
				signal !== null
					? `ended by ${signal}`
					: code !== 0
						? `failed with exit code ${code}`
						: rows.length === 0
							? "reported nothing"
							: null;
			resolve({ module, rows, failure, seconds: (performance.now() - startedMs) / 1_000 });
		});
	});
}

async function runOne(module: string): Promise<void> {
	const loaded = (await import(new URL(`./${module}.js`, import.meta.url).href)) as { readonly default?: Bench };
	if (typeof loaded.default !== "function") throw new Error(`test/bench/${module}.ts has no default export to run`);
	const rows = await loaded.default();
	await new Promise<void>((sent, failed) => {
		process.send?.(rows, undefined, undefined, (error) => (error === null ? sent() : failed(error)));
	});
	process.disconnect();
}

function print(outcomes: readonly Outcome[]): void {
	const lines: string[][] = [["work", "ours", "theirs", "unit", "ratio", "target", "stretch", ""]];
	for (const row of outcomes.flatMap((outcome) => outcome.rows)) {
		const sign = row.better === "lower" ? "≤ " : "";
		const times = row.ratio === undefined ? "" : "x";
		lines.push([
			row.name,
			figure(row.ours),
			row.theirs === undefined ? "" : figure(row.theirs),
			row.unit,
			row.ratio === undefined ? "" : `${row.ratio.toFixed(2)}x`,
			row.target === null ? "" : `${sign}${figure(row.target)}${times}`,
			row.stretch === null ? "" : `${sign}${figure(row.stretch)}${times}`,
			marks[reached(row)],
		]);
	}
	console.log(machine());
	for (const line of formatTable(lines, ["left", "right", "right", "left", "right", "right", "right", "left"])) {
		console.log(line);
	}
	for (const row of outcomes.flatMap((outcome) => outcome.rows)) {
		if (row.note !== undefined) console.log(`${row.name}: ${row.note}`);
	}
	for (const { module, failure } of outcomes) if (failure !== null) console.log(`${module}: ${failure}`);
}

function figure(value: number): string {
	if (value >= 100 || Number.isInteger(value)) return formatNumber(value);
	return formatNumber(value, value >= 10 ? 1 : 2);
}

function machine(): string {
	const processors = cpus();
	return `Node ${process.versions.node}, ${processors.length} × ${processors[0]?.model ?? "unknown processor"}, ${process.platform} ${release()}`;
}
