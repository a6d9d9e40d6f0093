/**
 * Goal: `quorate chaos` from its subcommands to its exit codes; a malformed file is one error that names file, line and
 * key; reports are written where they were asked for.
 * Method: the command on files in a temporary directory, on the simulator; threads are in test/threads.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { chaosCommand } from "../../../actors/console/chaos-command.ts";
import { isUsageError } from "../../../actors/console/errors.ts";
import { FAULT_KINDS, parseExperiment } from "../../../supervisors/index.ts";
import { TestWorld } from "./command-world.ts";

vi.setConfig({ testTimeout: 120_000 });

const good = `apiVersion: quorate/chaos/v1
title: a leader dies
topology: {protocol: raft, nodes: 3}
workload: {kind: key-value, clients: 3, rate: 40/s, keys: 2, for: 3s}
steady-state:
  title: one leader
  probes:
    - {probe: leader-count, tolerance: 1}
    - {probe: term, tolerance: {min: 1}}
    - {probe: restarts, tolerance: {min: 0, max: 5}}
method:
  - {at: 1s, fault: kill, target: leader}
guards:
  - {probe: running-members, tolerance: {min: 1}}
properties: {sometimes: [leader-replaced]}
`;

function worldWith(text: string): TestWorld {
	const world = new TestWorld();
	writeFileSync(join(world.workingDirectory, "file.yaml"), text);
	return world;
}

describe("quorate chaos run", () => {
	it("runs a file, tells its verdict and writes journal, page, history and JUnit", async () => {
		const world = worldWith(good);
		const args = ["run", "file.yaml", "--report", "out", "--junit", "out/junit.xml"];
		expect(await chaosCommand(args, world)).toBe(0);
		expect(world.written).toMatch(/kill +applied +node-[123] \(leader of term [0-9]+\)/);
		expect(world.written.trimEnd().split("\n").at(-1)).toBe("pass: a leader dies");
		const read = (name: string): string => readFileSync(join(world.workingDirectory, "out", name), "utf8");
		const journal = JSON.parse(read("journal.json"));
		expect(journal).toMatchObject({
			verdict: "pass",
			engine: "simulation",
			versions: { quorate: "1.2.3" },
			replay: "quorate chaos run file.yaml --engine sim",
		});
		expect(read("report.html")).toContain("a leader dies");
		expect(read("junit.xml")).toContain('failures="0" errors="0"');
		expect(read("history.jsonl").split("\n").length).toBeGreaterThan(100);
	});

	it("repeats itself, and is another run with another seed", async () => {
		const hash = async (...args: string[]): Promise<string> => {
			const world = worldWith(good);
			await chaosCommand(["run", "file.yaml", "--json", ...args], world);
			return JSON.parse(world.written).traceHash;
		};
		const first = await hash();
		expect(await hash()).toBe(first);
		expect(await hash("--seed", "2")).not.toBe(first);
	});

	it.each([
		["vacuous", good.replace("leader-replaced", "snapshot-installed")],
		["aborted", good.replace("tolerance: 1}", "tolerance: 2}")],
		["aborted", good.replace("{min: 1}}\nproperties", "{min: 4}}\nproperties")],
		["inconclusive", good.replace("probe: restarts,", "probe: restarts, arguments: {of: 1},")],
		["fail", `${good}expect: {violated: election-safety}\n`],
	])("exits 1 for %s", async (verdict, text) => {
		const world = worldWith(text);
		expect(await chaosCommand(["run", "file.yaml", "--json"], world)).toBe(1);
		expect(JSON.parse(world.written)).toMatchObject({ verdict });
	});

	it.each([
		["an unknown key", good.replace("target:", "tagret:"), { code: "experiment-unknown-key", line: 12, key: "tagret" }],
		["a wrong value", good.replace("nodes: 3", "nodes: none"), { code: "experiment-invalid", line: 3, key: "nodes" }],
		["another version", good.replace("v1", "v0"), { code: "experiment-invalid", line: 1, key: "apiVersion" }],
		["no YAML", good.replace("{at:", "{{at:"), { code: "experiment-malformed", line: 12, key: undefined }],
	])("refuses %s with its place", async (_what, text, { code, line, key }) => {
		for (const subcommand of ["run", "validate"]) {
			const error: { readonly code: string; readonly message: string; readonly details: Record<string, unknown> } =
				await chaosCommand([subcommand, "file.yaml"], worldWith(text)).then(
					() => expect.fail("it must be refused"),
					(thrown) => thrown,
				);
			expect(error).toMatchObject({ code, details: { file: "file.yaml", line } });
			if (key !== undefined) expect(String(error.details["key"])).toContain(key);
			expect(error.message).toMatch(new RegExp(`^file\\.yaml, line ${line}`));
			expect(isUsageError(error.code)).toBe(true);
		}
	});

	it("refuses what the engine does not have", async () => {
		for (const text of [
			good.replace("probe: term", "probe: temperature"),
			good.replace("leader-replaced", "leader-replacd"),
			good.replace("kind: key-value", "kind: queue"),
			good.replace("protocol: raft", "protocol: pbft"),
		]) {
			await expect(chaosCommand(["run", "file.yaml"], worldWith(text))).rejects.toMatchObject({
				code: "experiment-unsupported",
			});
		}
	});

	it("refuses a report that can not be written before it runs anything, and says why", async () => {
		for (const option of ["--report", "--junit"]) {
			const world = worldWith(good);
			const running = chaosCommand(["run", "file.yaml", option, "file.yaml/out/junit.xml"], world);
			await expect(running).rejects.toMatchObject({
				code: "report-unwritable",
				message: expect.stringMatching(/^can not write file\.yaml\/out\S*: what should be a directory .* is none$/),
			});
			expect(world.written).toBe("");
		}
	});

	it("names a file that is not there, or is a directory, without the words of the operating system", async () => {
		const refusals = ["none.yaml", "."].map((file) =>
			chaosCommand(["validate", file], worldWith(good)).catch((thrown) => thrown.message),
		);
		expect(await Promise.all(refusals)).toEqual([
			"can not read none.yaml: there is no such file or directory",
			"can not read .: it is a directory",
		]);
	});

	it("does not repeat the bytes of a file that is no text", async () => {
		const world = worldWith(good);
		writeFileSync(join(world.workingDirectory, "binary.yaml"), Uint8Array.of(0xff, 0xfe, 0x1b, 0x5b, 0x80));
		await expect(chaosCommand(["validate", "binary.yaml"], world)).rejects.toMatchObject({
			message: "can not read binary.yaml: it is not UTF-8 text",
		});
	});

	it("leads to its own help from a subcommand that does not exist", async () => {
		await expect(chaosCommand(["runn"], new TestWorld())).rejects.toMatchObject({
			message: 'there is no command "chaos runn" (did you mean chaos run?); see quorate chaos --help',
		});
	});

	it("rolls back and exits 130 when it is interrupted", async () => {
		const world = worldWith(good);
		const running = chaosCommand(["run", "file.yaml", "--json"], world);
		world.interruption.abort("SIGINT");
		expect(await running).toBe(130);
		expect(JSON.parse(world.written)).toMatchObject({ verdict: "aborted", reasons: ["the run was interrupted"] });
	});
});

describe("quorate chaos", () => {
	it("lists every kind of fault with the engines that can apply it", async () => {
		const world = new TestWorld();
		expect(await chaosCommand(["list", "--json"], world)).toBe(0);
		const kinds: readonly { readonly kind: string; readonly engines: readonly string[] }[] = JSON.parse(world.written);
		expect(kinds.map(({ kind }) => kind)).toEqual(FAULT_KINDS.map(({ kind }) => kind));
		const enginesOf = (name: string) => kinds.find(({ kind }) => kind === name)?.engines;
		expect(enginesOf("kill")).toEqual(["sim", "threads"]);
		expect(enginesOf("restart-power-loss")).toEqual(["sim"]);
		const table = new TestWorld();
		await chaosCommand(["list"], table);
		expect(table.written).toMatch(/busy-loop +process +sim, threads/);
	});

	it("prints a JSON Schema, and checks a file", async () => {
		const schema = new TestWorld();
		expect(await chaosCommand(["schema"], schema)).toBe(0);
		expect(JSON.parse(schema.written)).toHaveProperty("$schema");
		const world = worldWith(good);
		expect(await chaosCommand(["validate", "file.yaml"], world)).toBe(0);
		expect(world.written).toBe(`file.yaml: ${parseExperiment(good).title}, 1 fault\n`);
	});

	it.each([
		[["rnu", "x"], "unknown-command"],
		[["run"], "missing-operand"],
		[["run", "a.yaml", "b.yaml"], "unexpected-argument"],
		[["run", "none.yaml"], "experiment-unreadable"],
		[["run", "a.yaml", "--engine", "real"], "invalid-value"],
		[["schema", "x"], "unexpected-argument"],
	])("refuses %j", async (args, code) => {
		await expect(chaosCommand(args, new TestWorld())).rejects.toMatchObject({ code });
	});
});
