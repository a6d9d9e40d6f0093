/**
 * Goal: the command as its user meets it, on real threads and a real disk: the main job in small, Ctrl-C, a process that is
 * killed and continued, and bad input, each with its exit code. Method: runs the built program in a process of its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { generateRecords } from "../../../../actors/console/flight-records.ts";
import { projectRoot } from "../../../source-tree.ts";

const main = join(projectRoot, "dist", "actors", "console", "main.js");
/** Only ends a hang. */
const TIMEOUT_MS = 150_000;

const directory = mkdtempSync(join(tmpdir(), "quorate-command-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const records = generateRecords(6_000, 3);
const input = join(directory, "flights.json");
writeFileSync(input, JSON.stringify(Array.from({ length: records.length }, (_, i) => records.at(i))));

interface Outcome {
	readonly exitCode: number | null;
	readonly output: string;
	readonly errors: string;
}

interface Started {
	readonly child: ChildProcess;
	/** Resolves once the process has printed the text. */
	readonly shows: (text: string) => Promise<void>;
	readonly ended: Promise<Outcome>;
}

/** Starts the command; temporary directories it makes are below the test's own. */
function start(...args: string[]): Started {
	const child = spawn(process.execPath, [main, ...args], {
		cwd: directory,
		env: { ...process.env, TMPDIR: directory },
		stdio: ["ignore", "pipe", "pipe"],
		timeout: TIMEOUT_MS,
		killSignal: "SIGKILL",
	});
	let output = "";
	let errors = "";
	const watchers: { text: string; found: () => void }[] = [];
	const look = (): void => {
		for (const { text, found } of watchers) if (output.includes(text) || errors.includes(text)) found();
	};
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		output += text;
		look();
	});
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		errors += text;
		look();
	});
	return {
		child,
		shows: (text) => new Promise((found) => watchers.push({ text, found })),
		ended: new Promise((resolve) => child.once("close", (exitCode) => resolve({ exitCode, output, errors }))),
	};
}

const run = (...args: string[]): Promise<Outcome> => start(...args).ended;
const temporaryDirectories = (): string[] =>
	readdirSync(directory).filter((name) => /^quorate-[A-Za-z0-9]{6}$/.test(name));
const lastLine = ({ output }: Outcome): string => output.trimEnd().split("\n").at(-1) ?? "";

test("the main job in small: leaders die, every replica agrees, nothing is left behind", async () => {
	const outcome = await run("run", "--input", input, "--rate", "1000", "--kill-leader", "900ms");
	expect(outcome.errors).toBe("");
	expect(lastLine(outcome)).toMatch(/^agreed: 5 of 5 replicas, 6000 of 6000 records, order [0-9a-f]{32}$/);
	expect(outcome.exitCode).toBe(0);
	// How many it takes depends on how long the load ran, and is the command's to judge; without any there was nothing to survive.
	expect(outcome.output).toMatch(/killed the thread of node-[1-5], leader of term/);
	expect(temporaryDirectories()).toEqual([]);
});

test("--json prints one object about the same facts", async () => {
	const { exitCode, output } = await run(
		...[
			"run",
			"--input",
			input,
			"--nodes",
			"3",
			"--rate",
			"1500",
			"--kill-leader",
			"500ms",
			"--storage",
			"memory",
			"--json",
		],
	);
	const result = JSON.parse(output);
	expect(result.line).toMatch(/^agreed: /);
	expect(result).toMatchObject({ verdict: "agreed", exitCode: 0, acknowledged: 6_000, total: 6_000, faults: [] });
	expect(exitCode).toBe(0);
	expect(new Set(result.replicas.map((replica: { orderHash: string }) => replica.orderHash)).size).toBe(1);
	for (const kill of result.kills) {
		expect(kill.newTerm).toBeGreaterThan(kill.term);
		expect(kill.electionMs).toBeGreaterThan(0);
		expect(kill.restartMs).toBeGreaterThan(0);
	}
	expect(result.kills.length).toBeGreaterThanOrEqual(result.killsRequired);
});

test("what clients saw while leaders died is linearizable", async () => {
	const history = join(directory, "under-fire.jsonl");
	const outcome = await run(
		...["run", "--input", input, "--nodes", "3", "--rate", "1500", "--kill-leader", "600ms", "--history", history],
	);
	expect(outcome.exitCode).toBe(0);
	const judged = await run("check-history", history, "--json");
	expect(judged.exitCode).toBe(0);
	const { verdict, operations, partitions } = JSON.parse(judged.output);
	expect(verdict).toBe("ok");
	expect(partitions).toHaveLength(24);
	expect(operations).toBeGreaterThanOrEqual(6_056);
	// One read that shows less than it did, and the same command refuses the history.
	const lines = readFileSync(history, "utf8").split("\n");
	const last = lines.findLastIndex((line) => line.includes('"value":['));
	lines[last] = lines[last]!.replace(/\[[0-9]+,?/, "[");
	writeFileSync(history, lines.join("\n"));
	const refused = await run("check-history", history);
	expect(refused.exitCode).toBe(1);
	expect(lastLine(refused)).toMatch(/^illegal: key "[0-9]+" is not linearizable as kv: get /);
});

test("a process that is killed in the middle goes on with the same --data, and every record is applied once", async () => {
	const data = join(directory, "data");
	const args = ["run", "--input", input, "--nodes", "3", "--rate", "1500", "--kill-leader", "off", "--data", data];
	const first = start(...args);
	await first.shows(" commits/s");
	first.child.kill("SIGKILL");
	expect((await first.ended).exitCode).toBeNull();

	const second = await run(...args);
	expect(second.errors).toBe("");
	expect(second.output).toMatch(/run 1 goes on: [0-9,]+ records are applied already/);
	expect(lastLine(second)).toMatch(/^agreed: 3 of 3 replicas, 6000 of 6000 records, order [0-9a-f]{32}$/);

	const third = await run(...args.slice(0, -4), "--kill-leader", "off", "--data", data, "--rate", "max");
	expect(lastLine(third)).toMatch(/^agreed: 3 of 3 replicas, 6000 of 6000 records/);
	expect(lastLine(third)).not.toBe(lastLine(second));

	// The directory belongs to these three nodes: another group is refused, and nothing in it is touched.
	const foreign = await run("run", "--input", input, "--nodes", "5", "--data", data);
	expect(foreign.exitCode).toBe(1);
	expect(foreign.errors).toMatch(/^quorate: data-directory-foreign: [^\n]+\n$/);
});

test("a Byzantine group that is killed in the middle goes on with the same --data and the same keys", async () => {
	const data = join(directory, "byzantine-data");
	const passphrase = join(directory, "passphrase");
	writeFileSync(passphrase, "open sesame\n");
	const few = join(directory, "few-kept.json");
	writeFileSync(few, JSON.stringify(Array.from({ length: 300 }, (_, i) => records.at(i))));
	const load = ["run", "--protocol", "pbft", "--byzantine", "1", "--clients", "2", "--input", few];
	const args = [...load, "--data", data];
	const refused = await run(...args);
	expect(refused.exitCode).toBe(2);
	expect(refused.errors).toMatch(/^quorate: missing-value: --passphrase-file [^\n]+\n$/);
	const first = start(...args, "--passphrase-file", passphrase, "--rate", "50");
	await first.shows("p50 ");
	first.child.kill("SIGKILL");
	expect((await first.ended).exitCode).toBeNull();

	const second = await run(...args, "--passphrase-file", passphrase, "--rate", "max");
	expect(second.errors).toBe("");
	expect(second.output).toMatch(/run 1 goes on: [0-9,]+ records are applied already/);
	expect(lastLine(second)).toMatch(/^agreed: 3 of 3 replicas, 300 of 300 records, order [0-9a-f]{32}$/);
});

test("SIGTERM ends the run in order too, with its own exit code", async () => {
	const started = start("run", "--input", input, "--rate", "500");
	await started.shows(" commits/s");
	started.child.kill("SIGTERM");
	const outcome = await started.ended;
	expect(outcome.exitCode).toBe(143);
	expect(lastLine(outcome)).toMatch(/^interrupted: /);
});

test("Ctrl-C ends the run in order and says what was reached", async () => {
	const history = join(directory, "history.jsonl");
	const started = start("run", "--input", input, "--rate", "500", "--history", history);
	await started.shows(" commits/s");
	started.child.kill("SIGINT");
	const outcome = await started.ended;
	expect(outcome.exitCode).toBe(130);
	expect(lastLine(outcome)).toMatch(/^interrupted: 5 of 5 replicas, [0-9]+ of 6000 records, order [0-9a-f]{32}$/);
	expect(temporaryDirectories()).toEqual([]);
	const lines = readFileSync(history, "utf8").trimEnd().split("\n");
	expect(lines.filter((line) => line.includes('"t":"invoke"')).length * 2).toBe(lines.length);
});

test("a second Ctrl-C ends it at once, and what it leaves behind is named", async () => {
	const before = temporaryDirectories();
	const started = start("run", "--input", input, "--rate", "500");
	await started.shows(" commits/s");
	started.child.kill("SIGINT");
	await started.shows("once more ends at once");
	started.child.kill("SIGINT");
	const { exitCode, errors } = await started.ended;
	expect(exitCode).toBe(130);
	for (const name of temporaryDirectories()) {
		if (!before.includes(name))
			expect(errors).toContain(`quorate: temporary data are left in ${join(directory, name)}: they can be removed\n`);
	}
});

test("an even number of nodes works, with one line of advice", async () => {
	const outcome = await run(
		...["run", "--input", input, "--nodes", "2", "--rate", "max", "--storage", "memory", "--kill-leader", "off"],
	);
	expect(outcome.exitCode).toBe(0);
	expect(outcome.errors).toMatch(/^quorate: 2 members tolerate [^\n]+\n$/);
});

test("bad calls and bad input: one clear line and a non-zero exit code", async () => {
	const broken = join(directory, "broken.json");
	writeFileSync(broken, '[\n{"delay": 1, "distance": 2, "time": 3},\n{"delay": }]');
	const notADirectory = join(input, "data");
	const cases: [args: string[], exitCode: number, line: RegExp][] = [
		[["rum"], 2, /^quorate: unknown-command: there is no command "rum" \(did you mean run\?\)/],
		[["run", "--node", "5"], 2, /^quorate: unknown-option: there is no option --node \(did you mean --nodes\?\)/],
		[["run", "--nodes", "0"], 2, /^quorate: invalid-value: --nodes: expected an integer from 1 to/],
		[["run", "--input", "none.json"], 1, /^quorate: input-not-found: there is no file none\.json$/],
		[
			["run", "--input", broken],
			1,
			/^quorate: input-malformed: .*line 3, column 11: expected a JSON value, found "}"$/,
		],
		[["run", "--input", input, "--data", notADirectory], 1, /^quorate: [a-z-]+: /],
		[["run", "--input", input, "--history", directory], 1, /^quorate: history-unwritable: /],
	];
	for (const [args, exitCode, line] of cases) {
		const outcome = await run(...args);
		expect(outcome.errors.trimEnd().split("\n"), args.join(" ")).toHaveLength(1);
		expect(outcome.errors.trimEnd()).toMatch(line);
		expect(outcome.exitCode).toBe(exitCode);
	}
	expect(existsSync(notADirectory)).toBe(false);
});

test("--version and --help", async () => {
	const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
	expect(await run("--version")).toEqual({ exitCode: 0, output: `${version}\n`, errors: "" });
	expect((await run("--help")).output).toContain("Usage: quorate COMMAND [options]");
	expect((await run("run", "--help")).output).toContain("Usage: quorate run [options]");
	expect((await run()).exitCode).toBe(2);
});

const agreed = /^agreed: 3 of 3 replicas, 300 of 300 records, order [0-9a-f]{32}$/;

test("of members that lie one is named, with evidence that others check off line", async () => {
	const evidence = join(directory, "evidence.json");
	const load = ["--protocol", "pbft", "--for", "60s", "--rate", "max", "--clients", "2"];
	const few = join(directory, "few.json");
	writeFileSync(few, JSON.stringify(Array.from({ length: 300 }, (_, i) => records.at(i))));
	const attack = ["--byzantine", "1", "--attack", "equivocate,double-vote", "--evidence", evidence];
	const outcome = await run("run", "--input", few, ...load, ...attack);
	expect(lastLine(outcome)).toMatch(agreed);
	expect(outcome.output).toMatch(/node-1 attacks \(equivocate, double-vote\); convicted: /);
	const verified = await run("verify-certificate", evidence);
	expect(verified).toMatchObject({ exitCode: 0 });
	expect(verified.output).toContain("node-1");
	expect(verified.output).not.toMatch(/node-[234] is guilty/);
});

test.each([
	["--votes", "authenticated", "--attack", "spoilt-parts"],
	["--certificates", "collector", "--attack", "half-collector"],
])("with %s %s the others agree, too", async (...modes) => {
	const few = join(directory, `few${modes[1]}.json`);
	writeFileSync(few, JSON.stringify(Array.from({ length: 300 }, (_, i) => records.at(i))));
	const load = ["--protocol", "pbft", "--byzantine", "1", "--rate", "max", "--clients", "2"];
	const outcome = await run("run", "--input", few, ...load, ...modes);
	expect(lastLine(outcome)).toMatch(agreed);
	expect(outcome.output).toMatch(/node-1 attacks \([a-z-]+\); (authenticated votes prove nothing|no proof) against it/);
	expect(outcome.exitCode).toBe(0);
});
