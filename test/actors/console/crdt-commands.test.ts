/**
 * Goal: `quorate run --protocol crdt` takes what its help says and refuses the rest with a typed error, plays edits as it says, counts what
 * was acknowledged, and judges what was seen; so does `quorate simulate --protocol crdt`. It fails when a run that proved nothing, or lost something, could succeed.
 * Method: options, traces, writers on a driven clock, the verdict of made-up reports; replicas on threads are in test/threads.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { crdtRunHelp, parseCrdtRunOptions } from "../../../actors/console/crdt-run-options.ts";
import { crdtSummary } from "../../../actors/console/crdt-run-report.ts";
import { readTrace } from "../../../actors/console/editing-trace.ts";
import { runCommand } from "../../../actors/console/run-command.ts";
import { simulateCommand } from "../../../actors/console/simulate-command.ts";
import { areSame, type CrdtRunReport, lostOperations } from "../../../actors/experiment/replicas/replica-run.ts";
import { judgeCrdtRun } from "../../../actors/experiment/replicas/replica-verdict.ts";
import { CrdtWriters } from "../../../actors/experiment/replicas/replica-writers.ts";
import {
	commandsOf,
	type Edit,
	type EditRequest,
	TraceWriter,
	Typist,
} from "../../../actors/experiment/replicas/typing.ts";
import { LinkBoard } from "../../../actors/experiment/replicas/typing-replica.ts";
import { CrdtDocument, type CrdtReply, performCommand, replicaId } from "../../../protocols/crdt/index.ts";
import { TestWorld } from "./command-world.ts";

const path = ["text"];

function document(): CrdtDocument {
	return new CrdtDocument({ replica: replicaId("a", 0), schema: { text: "text" } });
}

/** Plays edits as a replica does. */
function play(one: CrdtDocument, edits: readonly Edit[], cursor = 0): number {
	const done = commandsOf(edits, path, { length: one.text("text").length, cursor });
	for (const command of done.commands) performCommand(one, command);
	return done.cursor;
}

describe("options", () => {
	it("defaults, and what is given", () => {
		expect(parseCrdtRunOptions([])).toMatchObject({
			nodes: 5,
			input: null,
			killMs: 3_000,
			cutMs: 2_000,
			storage: "lmdb",
		});
		expect(parseCrdtRunOptions(["--kill", "off", "--rate", "max", "--edits", "9", "--for", "2s"])).toMatchObject({
			killMs: null,
			rate: "max",
			edits: 9,
			forMs: 2_000,
		});
	});

	it.each([
		[["--nodes", "1"], "invalid-value"],
		[["--kill", "0s"], "invalid-value"],
		[["--edits", "0"], "invalid-value"],
		[["--protocol", "raft"], "invalid-value"],
		[["--leader", "x"], "unknown-option"],
		[["--data", "d", "--storage", "memory"], "conflicting-options"],
	])("refuses %s", (args, code) => {
		expect(() => parseCrdtRunOptions(args)).toThrow(expect.objectContaining({ code }) as Error);
	});

	it("--help names every option", async () => {
		const world = new TestWorld();
		expect(await runCommand(["--protocol", "crdt", "--help"], world)).toBe(0);
		expect(world.written).toBe(crdtRunHelp());
		for (const option of ["nodes", "input", "edits", "rate", "kill", "cut", "collect", "data", "for", "seed", "json"]) {
			expect(world.written).toContain(`--${option}`);
		}
	});
});

describe("a trace", () => {
	async function read(text: string | Buffer): Promise<Edit[]> {
		const file = join(new TestWorld().workingDirectory, "trace.json.gz");
		writeFileSync(file, text);
		return readTrace(file, Readable.from([]), new AbortController().signal);
	}

	it("is read plain or compressed, and gives its own text when one writer plays it", async () => {
		const text = JSON.stringify({
			txns: [
				{ patches: [[0, 0, "hallo"]] },
				{
					patches: [
						[1, 1, "e"],
						[5, 0, "!"],
					],
				},
			],
		});
		for (const bytes of [text, gzipSync(text)]) {
			const one = document();
			const edits = await read(bytes);
			expect(edits).toHaveLength(3);
			play(one, edits);
			expect(one.text("text").toString()).toBe("hello!");
		}
	});

	it.each([
		['{"txns": [', "input-malformed"],
		["[]", "trace-invalid"],
		['{"txns": []}', "input-empty"],
		['{"txns": [{}]}', "trace-invalid"],
		['{"txns": [{"patches": [[0, -1, "x"]]}]}', "trace-invalid"],
		['{"txns": [{"patches": [[0, 0, 1]]}]}', "trace-invalid"],
	])("refuses %s", async (text, code) => {
		await expect(read(text)).rejects.toMatchObject({ code });
	});

	it("is dealt to writers in stretches, every edit once and those of one writer in order", () => {
		const edits = Array.from(
			{ length: 1_003 },
			(_unused, position): Edit => ({ type: "replace", position, deleted: 0, inserted: "x" }),
		);
		const taken = [0, 1, 2].map((writer) => {
			const trace = new TraceWriter(edits, writer, 3);
			const mine: Edit[] = [];
			for (let edit = trace.next(); edit !== null; edit = trace.next()) mine.push(edit);
			return mine.map((edit) => (edit.type === "replace" ? edit.position : -1));
		});
		for (const mine of taken) expect(mine).toEqual([...mine].sort((a, b) => a - b));
		expect(taken.flat().sort((a, b) => a - b)).toEqual(edits.map((_edit, position) => position));
	});
});

describe("edits", () => {
	it("that lie beyond the text are moved to its end", () => {
		const one = document();
		play(one, [{ type: "replace", position: 9, deleted: 9, inserted: "ab" }]);
		play(one, [{ type: "replace", position: 1, deleted: 9, inserted: "" }]);
		expect(one.text("text").toString()).toBe("a");
	});

	it("of a typist: typing, backspaces, jumps and undo, all of which come, and the same for one seed", () => {
		const [one, again] = [new Typist(1, "0"), new Typist(1, "0")];
		const edits = Array.from({ length: 3_000 }, () => one.next());
		expect(Array.from({ length: 3_000 }, () => again.next())).toEqual(edits);
		const written = document();
		written.undoHistory();
		let cursor = 0;
		for (const edit of edits) cursor = play(written, [edit], cursor);
		const kinds = new Set(edits.map((edit) => (edit.type === "type" && edit.jump !== null ? "jump" : edit.type)));
		expect(kinds).toEqual(new Set(["type", "jump", "erase", "undo"]));
		expect(written.text("text").length).toBeGreaterThan(500);
	});
});

describe("writers", () => {
	const typed = (text: string): Edit => ({ type: "type", text, jump: null });
	const of = (edits: Edit[]): { next(): Edit | null } => ({ next: () => edits.shift() ?? null });

	async function write(
		edits: Edit[],
		answer: (message: EditRequest) => Promise<CrdtReply>,
		isUp: () => boolean = () => true,
	): Promise<CrdtWriters> {
		const world = new TestWorld();
		const setting = { writers: [of(edits)], editsMax: 1_000, rate: "max", forMs: null } as const;
		const group = { nodes: ["a"], request: (_node: string, message: EditRequest) => answer(message) };
		const writers = new CrdtWriters(setting, { group, clock: world.clock, interrupt: world.interrupt, isUp });
		await world.clock.drive(writers.write());
		return writers;
	}

	it("count what was acknowledged, refused, and left without an answer", async () => {
		let calls = 0;
		const writers = await write([typed("a"), { type: "undo" }, typed("b"), typed("c")], async () => {
			calls += 1;
			if (calls === 1) return { type: "changed", replica: replicaId("a", 0), through: 4 };
			if (calls === 2) return { type: "refused", error: { code: "x", message: "", details: {} }, done: 0 };
			return { type: "changed", replica: replicaId("a", 0), through: 6 };
		});
		// An undo is a transaction of its own: three of them.
		expect(calls).toBe(3);
		expect(writers.report).toEqual({ acknowledged: 3, refused: 1, unresolved: 0 });
		expect([...writers.acknowledgedThrough]).toEqual([["a#0", 6]]);
	});

	it("do not wait for a thread that has died", async () => {
		let hasDied = false;
		const die = (): Promise<CrdtReply> => {
			hasDied = true;
			return new Promise(() => undefined);
		};
		const writers = await write([typed("a")], die, () => {
			const isDown = hasDied;
			// At the next look it is back.
			hasDied = false;
			return !isDown;
		});
		expect(writers.report).toEqual({ acknowledged: 0, refused: 0, unresolved: 1 });
	});
});

describe("the verdict", () => {
	const summary = (node: string): CrdtRunReport["replicas"][number] => ({
		node,
		replica: `${node}#0`,
		context: { "a#0": 10, "b#0": 5 },
		epoch: 1,
		digest: "d".repeat(64),
		sharedBytes: 100,
		stateBytes: 120,
		runs: 3,
		logRecords: 0,
		waiting: 0,
	});
	const traffic = { messages: 10, bytes: 1_000 };
	const good: CrdtRunReport = {
		nodes: 2,
		edits: { acknowledged: 15, unresolved: 0, refused: 0 },
		replicas: [summary("a"), summary("b")],
		lost: {},
		kills: 1,
		restarts: 1,
		cuts: 1,
		lostMessages: 4,
		convergenceMs: 30,
		traffic: { digest: traffic, delta: traffic, state: traffic, collection: traffic },
		wholeStateBytes: 30_000,
		collections: { done: 1, aborted: 0, tombstones: 7 },
		before: { sharedBytes: 100, runs: 5, logRecords: 2 },
		after: { sharedBytes: 90, runs: 3, logRecords: 0 },
		freshBytes: 80,
		textLength: 70,
		seconds: 3,
	};
	const plan = { killMs: 1_000, cutMs: 1_000, collectMs: null };

	it("is good when all have the same, and says so in the last line", () => {
		const verdict = judgeCrdtRun(good, plan);
		expect(verdict).toMatchObject({ name: "converged", exitCode: 0, faults: [] });
		expect(verdict.line).toBe("converged: 2 of 2 replicas, 15 edits, digest dddddddddddddddd");
		expect(crdtSummary(good).join("\n")).toContain("30,000 B, 30.0 times as much");
	});

	it.each([
		["another state", { replicas: [summary("a"), { ...summary("b")!, digest: "e" }] }, "diverged"],
		["a silent replica", { replicas: [summary("a"), null] }, "diverged"],
		["an acknowledged operation that is gone", { lost: { "a#0": 1 } }, "diverged"],
		["updates that wait", { replicas: [summary("a"), { ...summary("b")!, waiting: 1 }] }, "diverged"],
		["no agreement in time", { convergenceMs: null }, "diverged"],
		["no thread that died", { kills: 0 }, "vacuous"],
		["no thread that came back", { restarts: 0 }, "vacuous"],
		["no message lost to a cut", { lostMessages: 0 }, "vacuous"],
		["no edit", { edits: { acknowledged: 0, unresolved: 3, refused: 0 } }, "vacuous"],
	])("of %s is bad", (_what, fields, name) => {
		expect(judgeCrdtRun({ ...good, ...fields }, plan)).toMatchObject({ name, exitCode: 1 });
	});

	it("asks for no kills and cuts that were not to be", () => {
		const quiet = { ...good, kills: 0, restarts: 0, cuts: 0, lostMessages: 0 };
		expect(judgeCrdtRun(quiet, { killMs: null, cutMs: null, collectMs: null }).name).toBe("converged");
	});

	it("counts by dots what some replica lacks", () => {
		const [a, b] = [summary("a"), { ...summary("b")!, context: { "a#0": 8 } }];
		const acknowledged = new Map([
			["a#0", 10],
			["b#0", 5],
		]);
		expect(lostOperations(acknowledged, [a!, a!])).toEqual({});
		expect(lostOperations(acknowledged, [a!, b])).toEqual({ "a#0": 2, "b#0": 5 });
		expect(lostOperations(acknowledged, [a!, null])).toEqual({ "a#0": 10, "b#0": 5 });
		expect(areSame([a!, a!])).toBe(true);
		expect(areSame([a!, { ...a!, waiting: 1 }])).toBe(false);
		expect(areSame([])).toBe(false);
	});
});

describe("links", () => {
	it("are cut between two halves and whole within each", () => {
		const board = new LinkBoard(3);
		const seen = new LinkBoard(3, board.memory);
		board.cut([0, 2]);
		expect([seen.isCut(0, 1), seen.isCut(1, 2), seen.isCut(0, 2)]).toEqual([true, true, false]);
		seen.noteLost();
		board.cut([]);
		expect(seen.isCut(0, 1)).toBe(false);
		expect(board.lost).toBe(1);
	});
});

describe("quorate simulate --protocol crdt", () => {
	async function simulate(...args: string[]): Promise<{ exitCode: number; written: string }> {
		const world = new TestWorld();
		const exitCode = await simulateCommand(["--protocol", "crdt", ...args], world);
		return { exitCode, written: world.written };
	}

	it("runs a seed, tells how to run it again, and runs the same again", async () => {
		const args = ["--seed", "1", "--nodes", "2", "--for", "1s", "--faults", "kill,loss"];
		const { exitCode, written } = await simulate(...args, "--trace");
		expect(exitCode).toBe(0);
		expect(written).toMatch(/bytes in [1-9]\d* deltas/);
		expect(written).toContain("1 of 1 seeds passed");
		const told = JSON.parse((await simulate(...args, "--trace", "--json")).written);
		expect(told).toMatchObject({ exitCode: 0, seeds: [{ seed: 1, verdict: "pass" }] });
		expect(told.seeds[0].replay).toBe(
			"quorate simulate --protocol crdt --seed 1 --nodes 2 --for 1000ms --faults kill,loss --trace",
		);
		expect(written).toContain(told.seeds[0].traceHash);
	});

	it("refuses what is no call, and its help names every option", async () => {
		await expect(simulate("--faults", "rain")).rejects.toMatchObject({ code: "invalid-value" });
		await expect(simulate("--nodes", "1")).rejects.toMatchObject({ code: "invalid-value" });
		const { exitCode, written } = await simulate("--help");
		expect(exitCode).toBe(0);
		for (const option of ["seeds", "seed", "nodes", "for", "faults", "threads", "trace", "json"]) {
			expect(written).toContain(`--${option}`);
		}
	});
});
