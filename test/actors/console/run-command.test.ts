/**
 * Goal: `quorate run` from its options to its exit code: verdict, output, files, continuation, interruption. Method: the
 * command with a target in memory that keeps or breaks its promises as the test says; real swarms run in test/threads.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, expect, test } from "vitest";
import type { FlightLedger } from "../../../actors/console/flight-ledger.ts";
import { generateRecords } from "../../../actors/console/flight-records.ts";
import { runCommand, type TargetOptions } from "../../../actors/console/run-command.ts";
import type { Output } from "../../../actors/console/terminal.ts";
import { checkLinearizability, keyValueModel, parseHistory } from "../../../protocols/verification/index.ts";
import { LedgerTarget, type LedgerTargetOptions } from "./ledger-target.ts";
import { ManualClock } from "./manual-clock.ts";

const directory = mkdtempSync(join(tmpdir(), "quorate-run-"));
afterAll(() => rmSync(directory, { recursive: true }));

const records = generateRecords(3_000, 5);
const input = join(directory, "flights.json");
writeFileSync(input, JSON.stringify(Array.from({ length: records.length }, (_, i) => records.at(i))));

interface Outcome {
	readonly exitCode: number;
	readonly output: string;
	readonly errors: string;
	readonly target: LedgerTarget;
	readonly started: TargetOptions;
}

interface Circumstances extends Partial<LedgerTargetOptions> {
	readonly interruptAfterMs?: number;
	/** The signal arrives before the swarm has started. */
	readonly interruptAtStart?: NodeJS.Signals;
	readonly isTerminal?: boolean;
}

async function run(args: string[], circumstances: Circumstances = {}): Promise<Outcome> {
	const { interruptAfterMs, interruptAtStart, isTerminal, ...options } = circumstances;
	const clock = new ManualClock();
	const written = { output: "", errors: "" };
	const sink = (stream: "output" | "errors"): Output => ({
		write: (text) => {
			written[stream] += text;
		},
		isTerminal: isTerminal ?? false,
		columns: 100,
		hasColours: false,
	});
	const interrupt = new AbortController();
	let target: LedgerTarget | null = null;
	let started: TargetOptions | null = null;
	const command = runCommand(args, {
		version: "1.2.3",
		workingDirectory: directory,
		standardInput: Readable.from([readFileSync(input)]),
		environment: {},
		output: sink("output"),
		errors: sink("errors"),
		clock,
		interrupt: interrupt.signal,
		temporaries: new Set(),
		startTarget: async (asked) => {
			started = asked;
			target = new LedgerTarget({ nodes: asked.nodes, clock, ...options });
			if (interruptAtStart !== undefined) interrupt.abort(interruptAtStart);
			if (interruptAfterMs !== undefined) clock.schedule(interruptAfterMs, () => interrupt.abort());
			return target;
		},
	});
	const exitCode = await clock.drive(command);
	return { exitCode, ...written, target: target!, started: started! };
}

const quick = ["--input", input, "--rate", "1000", "--kill-leader", "700ms"];

test("a good run: exit code 0, and the last line is the promised one", async () => {
	const { exitCode, output, errors, target, started } = await run(quick);
	expect(exitCode).toBe(0);
	expect(output.trimEnd().split("\n").at(-1)).toBe(
		`agreed: 5 of 5 replicas, 3000 of 3000 records, order ${target.ledgers[0]!.summary().orderHash}`,
	);
	expect(output).toContain("4 killed while leading and replaced, at least 3 required");
	expect(output).toContain("killed the thread of node-1, leader of term 1");
	expect(errors).toBe("");
	expect(target.isStopped).toBe(true);
	// The temporary directory of the default storage is gone.
	expect(started.storage.type).toBe("lmdb");
	expect(existsSync((started.storage as { directory: string }).directory)).toBe(false);
});

test("fewer kills than the schedule asked for: vacuous, exit code 1, and the data are kept", async () => {
	const { exitCode, output, errors, started } = await run(quick, { restartMs: 60_000 });
	expect(exitCode).toBe(1);
	expect(output).toMatch(/\nvacuous: leaders killed and replaced: 1, at least 3 required; 5 of 5 replicas, /);
	const kept = (started.storage as { directory: string }).directory;
	expect(errors).toBe(`quorate: the data of this run are kept in ${kept}\n`);
	expect(existsSync(kept)).toBe(true);
	rmSync(kept, { recursive: true });
});

test("a replica that drops, repeats or reorders one record is found out", async () => {
	const bad: LedgerTargetOptions["distort"][] = [
		(node, command) => (node === 3 && command[2] === 1_500 && command[0] === "append" ? [] : [command]),
		(node, command) => (node === 3 && command[2] === 1_500 && command[0] === "append" ? [command, command] : [command]),
		(node, command) => {
			if (node !== 3 || command[0] !== "append" || command[2] !== 1_500) return [command];
			const [type, at, , delay, distance, time] = command;
			return [[type, at, 1_501, delay, distance, time]];
		},
	];
	for (const distort of bad) {
		const { exitCode, output } = await run([...quick, "--storage", "memory"], { distort: distort! });
		expect(exitCode).toBe(1);
		expect(output).toMatch(/\ndisagreed: 4 of 5 replicas, 3000 of 3000 records, order [0-9a-f]{32}\n$/);
		expect(output).toContain("✗ node-4 applied");
	}
});

test("every replica applies a record twice: all agree, and still it is found out", async () => {
	const { exitCode, output } = await run([...quick, "--storage", "memory"], {
		distort: (_, command) => (command[0] === "append" && command[2] === 9 ? [command, command] : [command]),
	});
	expect(exitCode).toBe(1);
	expect(output).toContain("disagreed: 5 of 5 replicas, 3001 of 3000 records");
});

test("--json prints one object and nothing else", async () => {
	const { exitCode, output, target } = await run([...quick, "--json", "--storage", "memory", "--nodes", "3"]);
	expect(exitCode).toBe(0);
	expect(output.trimEnd().split("\n")).toHaveLength(1);
	expect(JSON.parse(output)).toMatchObject({
		verdict: "agreed",
		exitCode: 0,
		faults: [],
		run: 1,
		total: 3_000,
		earlier: 0,
		acknowledged: 3_000,
		killsRequired: 3,
		kills: [1, 2, 3, 4].map((term) => ({ term, newTerm: term + 1, restartMs: 100 })),
		replicas: target.ledgers.map((ledger, i) => ({ node: `node-${i + 1}`, ...ledger.summary() })),
		setting: { version: "1.2.3", nodes: 3, storage: "memory", dataDirectory: null, input: "flights.json", seed: 1 },
	});
});

test("the time limit ends the run early, and what was acknowledged is judged", async () => {
	const { exitCode, output } = await run([...quick, "--for", "1s", "--storage", "memory"]);
	expect(exitCode).toBe(0);
	expect(output).toMatch(/\nagreed: 5 of 5 replicas, 100[0-9] of 3000 records, order [0-9a-f]{32}\n$/);
});

test("Ctrl-C ends the run in order: exit code 130, the target stopped, the temporary data removed", async () => {
	const { exitCode, output, errors, target, started } = await run(quick, { interruptAfterMs: 1_500 });
	expect(exitCode).toBe(130);
	expect(output).toContain("\nending in order; Ctrl-C once more ends at once\n");
	expect(output).toMatch(/\ninterrupted: 5 of 5 replicas, 1[0-9]{3} of 3000 records, order [0-9a-f]{32}\n$/);
	expect(errors).toBe("");
	expect(target.isStopped).toBe(true);
	expect(existsSync((started.storage as { directory: string }).directory)).toBe(false);
});

test("a signal while the run starts: the last line says so, with --json too, and names the signal", async () => {
	const plain = await run(quick, { interruptAtStart: "SIGTERM" });
	expect(plain.exitCode).toBe(143);
	expect(plain.output).toMatch(
		/\nending in order; SIGTERM once more ends at once\n(.*\n)*interrupted: before there was anything to report\n$/,
	);
	const json = await run([...quick, "--json"], { interruptAtStart: "SIGINT" });
	expect(json.exitCode).toBe(130);
	expect(JSON.parse(json.output)).toMatchObject({ verdict: "interrupted", exitCode: 130 });
	expect(json.errors).toBe("quorate: ending in order; Ctrl-C once more ends at once\n");
});

test("a reader of the output that goes away ends the run in order, with the code of SIGPIPE and no word to nobody", async () => {
	const piped = await run(quick, { interruptAtStart: "SIGPIPE" });
	expect(piped.exitCode).toBe(141);
	expect(piped.output).not.toContain("ending in order");
});

test("a second run on the same data proposes only what is missing; a third begins the next run", async () => {
	const data = join(directory, "data");
	const first = await run([...quick, "--data", data], { interruptAfterMs: 1_500 });
	const ledgers = first.target.ledgers;
	const missing = 3_000 - ledgers[0]!.summary().applied;
	expect(missing).toBeGreaterThan(1_000);

	const proposed: number[] = [];
	const second = await run([...quick, "--data", data, "--history", join(directory, "second.jsonl")], {
		ledgers: ledgers as FlightLedger[],
		distort: (node, command) => {
			if (node === 0 && command[0] === "append") proposed.push(command[2]);
			return [command];
		},
	});
	expect(second.exitCode).toBe(0);
	expect(new Set(proposed).size).toBe(missing);
	expect(proposed).toHaveLength(missing);
	expect(second.output).toContain(
		`run 1 goes on: ${(3_000 - missing).toLocaleString("en-US")} records are applied already`,
	);
	expect(second.output).toMatch(/\nagreed: 5 of 5 replicas, 3000 of 3000 records/);

	const third = await run([...quick, "--data", data, "--json"], { ledgers: ledgers as FlightLedger[] });
	expect(JSON.parse(third.output)).toMatchObject({ verdict: "agreed", run: 2, earlier: 0, acknowledged: 3_000 });
	// A history of a continued run holds what was there before it, or its reads could not be explained.
	const lists = historyOf(join(directory, "second.jsonl"));
	expect(lists.appended.size).toBe(3_000);
});

test("--history records every operation in real-time order, one at a time for each client number", async () => {
	const file = join(directory, "history.jsonl");
	const { exitCode } = await run([...quick, "--history", file, "--storage", "memory"]);
	expect(exitCode).toBe(0);
	const { appended, reads, operations } = historyOf(file);
	expect([...appended].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
	expect(reads).toBe(30 - (30 % 8));
	expect(operations).toBe(3_000 + reads);
});

interface Recorded {
	/** The values of the appends that were answered. */
	readonly appended: ReadonlySet<unknown>;
	/** Reads that were answered. */
	readonly reads: number;
	readonly operations: number;
}

/** What a history holds, and that it is linearizable. */
function historyOf(file: string): Recorded {
	const history = parseHistory(readFileSync(file, "utf8"));
	expect(checkLinearizability(history, keyValueModel).verdict).toBe("ok");
	const answered = history.operations.filter(({ outcome }) => outcome === "ok");
	return {
		appended: new Set(answered.filter(({ op }) => op === "append").map(({ value }) => value)),
		reads: answered.filter(({ op }) => op === "get").length,
		operations: history.operations.length,
	};
}

test("standard input, and a generator where no data set is installed, which says so", async () => {
	const piped = await run(["--input", "-", "--rate", "max", "--storage", "memory"]);
	expect(piped.exitCode).toBe(0);
	expect(piped.output).toContain("3,000 records from standard input");
	const generated = await run(["--for", "100ms", "--storage", "memory"]);
	expect(generated.exitCode).toBe(0);
	expect(generated.output).toContain("200,000 records from a generator, since vega-datasets is not installed");
});

test("what can not begin is thrown with its code, and nothing is left running", async () => {
	await expect(run(["--nodes", "0"])).rejects.toMatchObject({ code: "invalid-value" });
	await expect(run(["--input", join(directory, "none.json")])).rejects.toMatchObject({ code: "input-not-found" });
	await expect(run([...quick, "--history", directory])).rejects.toMatchObject({ code: "history-unwritable" });
});

test("--help", async () => {
	const { exitCode, output } = await run(["--help"]);
	expect(exitCode).toBe(0);
	expect(output).toContain("Usage: quorate run [options]");
});

test("in a terminal the bar is written over in place, and lines of events stay", async () => {
	const { output } = await run([...quick, "--storage", "memory"], { isTerminal: true });
	const bars = output.split("█").length - 1;
	expect(bars).toBeGreaterThan(10);
	const up = "\u001b[2A\u001b[0J";
	const frames = output.split(up);
	expect(frames.length).toBeGreaterThan(20);
	// What is left when every rewind has taken its two lines away.
	const screen: string[] = [];
	for (const [number, frame] of frames.entries()) {
		if (number > 0) screen.splice(screen.length - 2, 2);
		screen.push(...frame.split("\n").slice(0, -1));
	}
	expect(screen.filter((line) => line.includes("█") && line.includes("%"))).toEqual([]);
	expect(screen.filter((line) => line.includes("killed the thread of"))).toHaveLength(4);
	expect(screen.at(-1)).toMatch(/^agreed: /);
});
