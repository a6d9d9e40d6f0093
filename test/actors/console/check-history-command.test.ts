/**
 * Goal: `quorate check-history` from its call to its exit code: what it prints, 0 for `ok` alone, and one clear line for
 * what can not be judged. Method: the command on files that the test writes, with a clock that the test moves; the built
 * program judges a real run's history in test/threads.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { type CheckHistoryWorld, checkHistoryCommand } from "../../../actors/console/check-history-command.ts";
import { ManualClock } from "./manual-clock.ts";

const directory = mkdtempSync(join(tmpdir(), "quorate-check-history-"));
afterAll(() => rmSync(directory, { recursive: true }));

interface Outcome {
	readonly exitCode: number;
	readonly output: string;
}

/** A clock on which every look takes so long. */
class SlowClock extends ManualClock {
	readonly #lookMs: number;
	#lookedMs = 0;
	constructor(lookMs: number) {
		super();
		this.#lookMs = lookMs;
	}
	override nowMs(): number {
		this.#lookedMs += this.#lookMs;
		return super.nowMs() + this.#lookedMs;
	}
}

async function checked(args: readonly string[], input = "", lookMs = 0, isInterrupted = false): Promise<Outcome> {
	let output = "";
	const interrupt = new AbortController();
	const clock = new SlowClock(lookMs);
	const sink = { isTerminal: false, columns: 100, hasColours: false };
	const world: CheckHistoryWorld = {
		version: "1.2.3",
		standardInput: Readable.from([Buffer.from(input)]),
		output: {
			...sink,
			write: (text) => {
				output += text;
				if (isInterrupted) interrupt.abort("SIGTERM");
			},
		},
		errors: { ...sink, write: () => undefined },
		clock,
		interrupt: interrupt.signal,
	};
	const exitCode = await clock.drive(checkHistoryCommand(args, world));
	return { exitCode, output };
}

const lastLine = ({ output }: Outcome): string => output.trimEnd().split("\n").at(-1) ?? "";
const lines = (...events: readonly object[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join("");
const invoke = (id: number, client: number, op: string, rest: object = {}): object => ({
	t: "invoke",
	id,
	client,
	op,
	...rest,
});
const ok = (id: number, rest: object = {}): object => ({ t: "ok", id, ...rest });

const good = lines(
	...[invoke(1, 0, "put", { key: "a", value: 1 }), ok(1), invoke(2, 1, "get", { key: "a" }), ok(2, { value: 1 })],
);
const stale =
	good +
	lines(invoke(3, 0, "put", { key: "a", value: 2 }), ok(3), invoke(4, 1, "get", { key: "a" }), ok(4, { value: 1 }));

function file(name: string, bytes: string | Uint8Array): string {
	const path = join(directory, name);
	writeFileSync(path, bytes);
	return path;
}

test("a good history: exit code 0, from a file, from gzip and from standard input", async () => {
	for (const outcome of [
		await checked([file("good.jsonl", good)]),
		await checked([file("good.jsonl.gz", gzipSync(good)), "--model", "kv"]),
		await checked(["--model", "register", "-"], good),
	]) {
		expect(outcome.exitCode).toBe(0);
		expect(lastLine(outcome)).toMatch(/^ok: 2 operations on 1 key are linearizable as (kv|register) \(/);
		expect(outcome.output).toMatch(/key "a" +2 +0 +ok/);
	}
});

test("a stale read: exit code 1, the longest linearizable prefix, the offending operation", async () => {
	const outcome = await checked(["-"], stale);
	expect(outcome.exitCode).toBe(1);
	expect(lastLine(outcome)).toBe('illegal: key "a" is not linearizable as kv: get "a" → 1 (client 1, line 7 to 8)');
	expect(outcome.output).toContain("longest linearizable prefix: 3 answered operations of 4");
	expect(outcome.output).toContain('then there is: "a" = 2');
	const json = await checked(["-", "--json"], stale);
	expect(json.exitCode).toBe(1);
	expect(JSON.parse(json.output)).toMatchObject({
		verdict: "illegal",
		exitCode: 1,
		operations: 4,
		partitions: [{ keys: ["a"], verdict: "illegal", offending: { id: 4, line: 7, prefixLength: 3, state: '"a" = 2' } }],
	});
});

test("the other judges, by name", async () => {
	const sessions = await checked(["-", "--model", "sessions"], stale);
	expect(sessions).toMatchObject({ exitCode: 0 });
	const nothing = { value: null };
	const own = good + lines(invoke(3, 0, "get", { key: "a" }), ok(3, nothing));
	expect(lastLine(await checked(["-", "--model", "sessions"], own))).toBe("illegal: read-your-writes 1");
	const set = lines(invoke(1, 0, "add", { value: 5 }), ok(1), invoke(2, 0, "get"), ok(2, { value: [] }));
	expect(lastLine(await checked(["-", "--model", "set"], set))).toBe("illegal: lost 1");
	const append = lines(
		invoke(1, 0, "append", { key: "x", value: 5 }),
		ok(1),
		invoke(2, 0, "get", { key: "x" }),
		ok(2, nothing),
	);
	const cycle = await checked(["-", "--model", "list-append"], append);
	expect(lastLine(cycle)).toBe("illegal: G-single-realtime 1");
	expect(cycle.output).toContain("—real time→");
	expect((await checked(["-", "--model", "list-append", "--json"], append)).exitCode).toBe(1);
	for (const model of ["counter", "queue", "lock", "cas-register"]) {
		const call: Readonly<Record<string, readonly [string, object]>> = {
			counter: ["get", { value: 0 }],
			queue: ["dequeue", { value: null }],
			lock: ["acquire", { ok: true, value: 1 }],
			"cas-register": ["get", { value: null }],
		};
		const [op, answer] = call[model]!;
		expect((await checked(["-", "--model", model], lines(invoke(1, 0, op), ok(1, answer)))).exitCode, model).toBe(0);
	}
});

/** Concurrent writes of which none can explain the read: all orders would have to be tried. */
const hard = lines(
	...Array.from({ length: 16 }, (_, id) => invoke(id, id, "put", { value: id })),
	...Array.from({ length: 16 }, (_, id) => ok(id)),
	...[invoke(16, 0, "get"), ok(16, { value: 99 })],
);

test("a budget that ends: unknown, which is said, and exit code 1", async () => {
	const outcome = await checked(["-", "--budget", "2s"], hard, 300);
	expect(outcome.exitCode).toBe(1);
	expect(lastLine(outcome)).toBe(
		"unknown: the budget of 2.00 s ended with 1 of 1 key undecided; this is no proof of anything",
	);
	const json = await checked(["-", "--budget", "1s", "--json"], hard, 300);
	expect(JSON.parse(json.output)).toMatchObject({
		verdict: "unknown",
		partitions: [{ verdict: "unknown", reason: "budget" }],
	});
});

test("long work shows which key it is at", async () => {
	const { output } = await checked(["-", "--budget", "10s"], hard, 300);
	expect(output).toMatch(/ {2}0 of 1 keys decided, [0-9,]+ steps; the only object: 16 of 17 operations explained\n/);
});

test("nothing that was answered is no proof either", async () => {
	const outcome = await checked(["-"], lines(invoke(1, 0, "put", { value: 1 })));
	expect(outcome).toMatchObject({ exitCode: 1 });
	expect(lastLine(outcome)).toMatch(/^unknown: no operation was answered/);
});

test("an interruption ends it with the signal's exit code", async () => {
	expect((await checked(["-"], hard, 300, true)).exitCode).toBe(143);
});

test("wrong calls and bad files have their code and name the place", async () => {
	const bad: readonly (readonly [args: string[], input: string, code: string, text: RegExp])[] = [
		[[], "", "missing-operand", /needs the file of a history/],
		[["a", "b"], "", "unexpected-argument", /"b" belongs to no option; see quorate check-history --help/],
		[["-", "--svg", "a.svg", "--model", "set"], "", "invalid-value", /--svg: expected one of the models kv, register/],
		[["-", "--svg", join(directory, "none", "a.svg")], good, "report-unwritable", /none/],
		[["-", "--model", "stack"], "", "invalid-value", /--model: expected kv or register or/],
		[["-", "--budgets", "1s"], "", "unknown-option", /did you mean --budget\?/],
		[[join(directory, "none.jsonl")], "", "input-not-found", /none\.jsonl/],
		[["-"], "", "history-empty", /standard input holds no operation/],
		[
			["-"],
			`${good}{"t":`,
			"history-malformed",
			/^standard input, line 5, column 6: expected a JSON value, found the end/,
		],
		[["-"], lines(ok(3)), "history-hole", /^standard input, line 1: id: operation 3 was never invoked$/],
		[
			["-", "--model", "queue"],
			good,
			"history-operation-invalid",
			/line 1: model queue: op: expected enqueue or dequeue/,
		],
	];
	for (const [args, input, code, text] of bad) {
		await expect(checked(args, input), args.join(" ")).rejects.toMatchObject({
			code,
			message: expect.stringMatching(text),
		});
	}
});

test("--svg draws who did what when, and what no order explains", async () => {
	const file = join(directory, "history.svg");
	// Two clients write, one after the other, and the first value is read again.
	const stale = lines(
		invoke(1, 0, "put", { key: "a", value: 1 }),
		ok(1),
		invoke(2, 0, "put", { key: "a", value: 2 }),
		ok(2),
		invoke(3, 1, "get", { key: "b" }),
		ok(3, { value: null }),
		invoke(4, 1, "get", { key: "a" }),
		ok(4, { value: 1 }),
		invoke(5, 0, "put", { key: "a", value: 3 }),
	);
	expect((await checked(["-", "--svg", file], stale)).exitCode).toBe(1);
	const svg = readFileSync(file, "utf8");
	// Of key a alone: two writes with their places in the order, the read, and one that came after it.
	expect([...svg.matchAll(/<g class="([a-z]+)"><title>([^<]*)</g)].map(([, kind, title]) => [kind, title])).toEqual([
		["ordered", expect.stringMatching(/^1 put /)],
		["ordered", expect.stringMatching(/^2 put /)],
		["offending", expect.stringMatching(/^✗ get .* → 1$/)],
		["later", expect.stringMatching(/^put .*\(no known end\)$/)],
	]);
	expect((await checked(["-", "--svg", file], good)).exitCode).toBe(0);
	const fine = readFileSync(file, "utf8");
	expect(fine).toContain('class="ordered"');
	expect(fine).not.toMatch(/class="offending"|class="cut"/);
});

test("--help", async () => {
	const { exitCode, output } = await checked(["--help"]);
	expect(exitCode).toBe(0);
	expect(output).toContain("Usage: quorate check-history FILE [options]");
});
