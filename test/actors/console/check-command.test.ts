/**
 * Goal: `quorate check` does what it is told, says what its search is worth, and exits accordingly. Method: the command in
 * this process, with an output that keeps what is written; small models.
 */
import { describe, expect, it } from "vitest";
import { checkCommand } from "../../../actors/console/check-command.ts";
import { parseCheckOptions } from "../../../actors/console/check-options.ts";
import { printCheck } from "../../../actors/console/check-report.ts";
import type { Output } from "../../../actors/console/terminal.ts";
import type { RaftModelOptions } from "../../../protocols/raft/model/index.ts";
import { explore, modelSpace } from "../../../protocols/verification/model-checker/index.ts";
import { ManualClock } from "./manual-clock.ts";

const tiny = ["raft", "--terms", "1", "--log", "1", "--in-flight", "2", "--requests", "0", "--losses", "0"];

/** An output that keeps what is written. */
function keeper(): { readonly output: Output; readonly written: () => string } {
	const pieces: string[] = [];
	const write = (text: string): void => {
		pieces.push(text);
	};
	return { output: { write, isTerminal: false, columns: 100, hasColours: false }, written: () => pieces.join("") };
}

function raftOf(...args: readonly string[]): RaftModelOptions | undefined {
	const options = parseCheckOptions(["raft", ...args]);
	return options?.model === "raft" ? options.raft : undefined;
}

async function check(args: readonly string[], interrupt = new AbortController().signal) {
	const { output, written } = keeper();
	const exitCode = await checkCommand(args, { version: "9.9.9", output, clock: new ManualClock(), interrupt });
	return { exitCode, text: written() };
}

describe("quorate check", () => {
	it("proves a small model and says so", async () => {
		const { exitCode, text } = await check(tiny);
		expect(exitCode).toBe(0);
		expect(text).toMatch(/exhausted +yes/);
		expect(text).toMatch(/holds +always +election-safety/);
		expect(text.trimEnd().split("\n").at(-1)).toMatch(/^proved: every one of [0-9,]+ states within the bounds/);
	});

	it("--eventually judges what must be true in the end, where cycles are whole", async () => {
		const small = [
			"--nodes",
			"2",
			"--terms",
			"2",
			"--log",
			"1",
			"--in-flight",
			"1",
			"--losses",
			"0",
			"--duplicates",
			"0",
		];
		const { exitCode, text } = await check(["raft", "--eventually", ...small, "--crashes", "0", "--requests", "0"]);
		expect(exitCode).toBe(0);
		expect(text).toContain("network set; symmetry off, reduction off; judged by what must be true in the end");
		expect(text).toMatch(/holds +eventually +leader-exists/);
		expect(text).not.toContain("election-safety");
		expect(text.trimEnd().split("\n").at(-1)).toMatch(/^proved: /);
		// A network that forgets nothing keeps no cycles.
		expect(() => parseCheckOptions(["raft", "--eventually", "--network", "cumulative"])).toThrow(
			"--network cumulative",
		);
	});

	it("prints one JSON object", async () => {
		const { exitCode, text } = await check([...tiny, "--json"]);
		expect(exitCode).toBe(0);
		const result = JSON.parse(text);
		expect(result).toMatchObject({
			model: "raft",
			verdict: "proved",
			exhausted: true,
			frontier: 0,
			counterexample: null,
		});
		expect(result.bounds).toMatchObject({ nodes: 3, terms: 1, inFlight: 2, disk: "synchronous", preVote: false });
	});

	it("a search that is cut before it saw anything is vacuous and fails, a later cut is bounded", async () => {
		expect(await check([...tiny, "--states-max", "3"])).toMatchObject({
			exitCode: 1,
			text: expect.stringContaining("vacuous: "),
		});
		const cut = await check([...tiny, "--states-max", "40"]);
		expect(cut.exitCode).toBe(0);
		expect(cut.text).toContain("bounded: no violation in ");
		expect(cut.text).toContain("no proof");
	});

	it("proves that PBFT's members agree though its first primary lies, and shows how two liars divide them", async () => {
		const one = await check(["pbft", "--views", "0", "--json"]);
		expect(one.exitCode).toBe(0);
		expect(JSON.parse(one.text)).toMatchObject({
			model: "pbft",
			verdict: "proved",
			bounds: { liars: [1], shown: "one" },
		});
		const two = await check(["pbft", "--views", "0", "--liars", "1,2"]);
		expect(two.exitCode).toBe(1);
		expect(two.text).toContain("1 and 2 lie, one batch to each, forgeries any");
		expect(two.text).toMatch(/violated: [a-z-]+ after [0-9]+ steps/);
	});

	it("an interrupted search ends with the signal's exit code", async () => {
		const interrupt = new AbortController();
		interrupt.abort("SIGTERM");
		expect((await check(["raft"], interrupt.signal)).exitCode).toBe(143);
	});

	it("shows a counterexample as numbered steps with what changes", () => {
		const result = explore(
			modelSpace<number, string>({
				name: "counter",
				initial: [0],
				actions: () => ["up"],
				next: (state) => state + 1,
				properties: [
					{ id: "below-two", kind: "always", statement: "It stays below two.", holds: (state) => state < 2 },
				],
				isWithin: (state) => state < 9,
			}),
			{ statesMax: 10 },
		);
		const { output, written } = keeper();
		const sizes = { members: 0, messages: 0, transitions: 0 };
		printCheck(result, { elapsedMs: 1, cpuMs: 1, residentBytes: 1, sizes }, output);
		const text = written();
		expect(text).toContain('    1. "up"\n       1\n    2. "up"\n       2\n');
		expect(text).toContain("violated: below-two after 2 steps");
	});

	it("bounds messages if a bound was given, and else not", async () => {
		expect(raftOf()).toMatchObject({ network: "cumulative", inFlight: "any", losses: "any" });
		const bounded = { network: "set", inFlight: 3, losses: 1, duplicates: 1 };
		expect(raftOf("--in-flight", "3")).toMatchObject(bounded);
		expect(raftOf("--reduction", "off")).toMatchObject({ ...bounded, inFlight: 4 });
		const small = ["raft", "--terms", "1", "--log", "1", "--requests", "0", "--crashes", "0"];
		const { exitCode, text } = await check(small);
		expect(text).toContain("in flight any; crashes <= 0, losses any, duplicates any");
		expect(text).toMatch(/exhausted +yes/);
		expect(text).toMatch(/bytes of tables a state +[1-9]/);
		expect(exitCode).toBe(0);
	});

	it("tells about itself", async () => {
		const { exitCode, text } = await check(["--help"]);
		expect(exitCode).toBe(0);
		for (const option of ["--in-flight", "--disk", "--symmetry", "--states-max", "--for"])
			expect(text).toContain(option);
	});
});

describe("a wrong call", () => {
	it.each([
		[[], "missing-operand"],
		[["paxos"], "invalid-value"],
		[["raft", "raft"], "unexpected-argument"],
		[["raft", "--nodes", "0"], "invalid-value"],
		[["raft", "--losses", "many"], "invalid-value"],
		[["raft", "--network", "cumulative", "--losses", "1"], "invalid-value"],
		[["raft", "--network", "cumulative", "--reduction", "off"], "invalid-value"],
		[["raft", "--pre-vote", "maybe"], "invalid-value"],
		[["raft", "--states-max", "all"], "invalid-value"],
		[["raft", "--node", "3"], "unknown-option"],
		[["raft", "--for"], "missing-value"],
		[["raft", "--liars", "1"], "unknown-option"],
		[["pbft", "--terms", "1"], "unknown-option"],
		[["pbft", "--liars", "5"], "invalid-value"],
		[["pbft", "--votes", "none"], "invalid-value"],
		[["pbft", "--liars", "1,1"], "invalid-value"],
		[["pbft", "--liars", "first"], "invalid-value"],
		[["pbft", "--network", "set", "--forgeries", "any"], "invalid-value"],
		[["pbft", "raft"], "unexpected-argument"],
	])("%j is %s", (args, code) => {
		expect(() => parseCheckOptions(args)).toThrow(expect.objectContaining({ code }));
	});

	it("takes any number of losses by name", () => {
		expect(raftOf("--losses", "any")?.losses).toBe("any");
	});
});
