/**
 * Goal: sets, sessions and transactions: each fault is found under its name, and nothing where nothing is. Method: the
 * smallest history of each anomaly with a legal twin; sessions and sets against slow judges that follow the definitions.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Generator } from "../../../../protocols/core/index.ts";
import {
	type AnomalyReport,
	checkListAppend,
	checkSessions,
	checkSet,
	type History,
	HistoryRecorder,
	type Json,
	type Operation,
} from "../../../../protocols/verification/index.ts";
import { historyOf } from "./transcript.ts";

type Case = readonly [names: string, steps: string];

function expectCases(check: (history: History) => AnomalyReport, cases: readonly Case[]): void {
	for (const [names, steps] of cases) {
		const report = check(historyOf(...steps.split(";")));
		expect([...report.counts.keys()].sort().join(", "), steps).toBe(names);
		expect(report.verdict).toBe(names === "" ? "ok" : "illegal");
	}
}

test("set", () => {
	expectCases(checkSet, [
		["", "0 add 1;0 ok;1 get;1 ok [1]"],
		["", "0 add 1;1 get;1 ok [];0 ok;1 get;1 ok [1]"],
		["", "0 add 1;0 info;1 get;1 ok [];1 get;1 ok [1]"],
		["", "0 add 1;0 fail;1 get;1 ok []"],
		["lost", "0 add 1;0 ok;1 get;1 ok []"],
		["lost", "0 add 1;0 ok;1 get;1 ok [1];1 get;1 ok []"],
		["lost", "0 add 1;0 info;1 get;1 ok [1];1 get;1 ok []"],
		["stale", "0 add 1;0 ok;1 get;1 ok [];1 get;1 ok [1]"],
		["duplicated", "0 add 1;0 ok;1 get;1 ok [1,1]"],
		["phantom", "0 add 1;0 ok;1 get;1 ok [1,2]"],
		["phantom", "0 add 1;0 fail;1 get;1 ok [1]"],
		["phantom", "1 get;1 ok [1];0 add 1;0 ok"],
	]);
	expect(checkSet(historyOf("0 add 1", "0 ok")).verdict).toBe("unknown");
});

test("sessions", () => {
	expectCases(checkSessions, [
		["", "0 put 1;0 ok;0 get;0 ok 1;1 get;1 ok null;1 get;1 ok 1"],
		["", "0 put 1;0 ok;1 put 2;1 ok;0 get;0 ok 2;1 get;1 ok 2"],
		["", "0 append:a 1;0 ok;0 append:a 2;0 ok;1 get:a;1 ok [1];1 get:a;1 ok [1,2]"],
		["read-your-writes", "0 put 1;0 ok;0 get;0 ok null"],
		["read-your-writes", "0 append 1;0 ok;0 get;0 ok []"],
		["read-your-writes", "0 append 1;0 ok;1 append 2;1 ok;0 get;0 ok [2];1 get;1 ok [2,1]"],
		["monotonic-reads", "0 put 1;0 ok;1 get;1 ok 1;1 get;1 ok null"],
		["monotonic-reads", "0 put 1;1 put 2;0 ok;1 ok;2 get;2 ok 1;2 get;2 ok 2;3 get;3 ok 2;3 get;3 ok 1"],
		["monotonic-writes", "0 append 1;0 ok;0 append 2;0 ok;1 get;1 ok [2,1]"],
		["diverging-order, writes-follow-reads", "0 append 1;0 ok;1 get;1 ok [1];1 append 2;1 ok;2 get;2 ok [2,1]"],
		["monotonic-reads and monotonic-writes", "0 put 1;0 ok;0 put 2;0 ok;1 get;1 ok 2;1 get;1 ok 1"],
		["diverging-order", "0 append 1;0 ok;1 append 2;1 ok;2 get;2 ok [1,2];3 get;3 ok [2]"],
		["phantom", "0 put 1;0 fail;1 get;1 ok 1"],
		["phantom", "1 get;1 ok 7"],
	]);
	expect(() => checkSessions(historyOf("0 append 1", "0 ok", "1 get", "1 ok 1"))).toThrow(
		expect.objectContaining({ code: "history-ambiguous" }),
	);
	expect(() => checkSessions(historyOf("0 put null"))).toThrow(
		expect.objectContaining({ code: "history-operation-invalid" }),
	);
	expect(() => checkSessions(historyOf("0 put 1", "0 ok", "1 put 1"))).toThrow(
		expect.objectContaining({ code: "history-ambiguous" }),
	);
	expect(() => checkSessions(historyOf("0 put 1", "0 ok", "1 append 2"))).toThrow(
		expect.objectContaining({ code: "history-ambiguous" }),
	);
});

/** `T 0 get:x append:y=1 -> [..] ..`: a client begins a transaction; `E 0 [1]` ends it with what its gets showed. */
function transactions(...steps: readonly string[]): History {
	const recorder = new HistoryRecorder();
	const asked = new Map<number, { id: number; steps: Json[][] }>();
	let nextId = 0;
	for (const step of steps) {
		const [what, client = "", ...parts] = step.split(" ");
		const number = Number(client);
		if (what === "T") {
			const own = parts.map((part) => {
				const [op = "", key = "", value] = part.split(/[:=]/);
				return value === undefined ? [op, key] : [op, key, JSON.parse(value) as Json];
			});
			recorder.invoke({ id: nextId, client: number, op: "txn", value: own });
			asked.set(number, { id: nextId++, steps: own });
			continue;
		}
		const own = asked.get(number)!;
		if (what === "F") recorder.fail(own.id);
		else if (what === "I") recorder.info(own.id);
		else {
			const shown = parts.map((part) => JSON.parse(part) as Json);
			recorder.ok(own.id, {
				value: own.steps.map((own) => (own[0] === "get" ? [...own, shown.shift() ?? null] : own)),
			});
		}
	}
	return recorder.history;
}

test("list-append: Adya's anomalies by name", () => {
	const cases: readonly Case[] = [
		["", "T 0 append:x=1;E 0;T 1 get:x append:x=2;E 1 [1];T 0 get:x;E 0 [1,2]"],
		["", "T 0 append:x=1;I 0;T 1 get:x;E 1 [];T 1 get:x;E 1 [1]"],
		["", "T 0 append:x=1 append:x=2 get:x;E 0 [1,2]"],
		["G0", "T 0 append:x=1 append:y=1;T 1 append:x=2 append:y=2;E 0;E 1;T 2 get:x get:y;E 2 [1,2] [2,1]"],
		["G1a", "T 0 append:x=1;F 0;T 1 get:x;E 1 [1]"],
		["G1b", "T 0 append:x=1 append:x=2;T 1 get:x;E 0;E 1 [1];T 2 get:x;E 2 [1,2]"],
		["G1c", "T 0 append:x=1 get:y;T 1 append:y=1 get:x;E 0 [1];E 1 [1]"],
		["G-single", "T 0 get:x get:y;T 1 append:x=1 append:y=1;E 0 [] [1];E 1;T 2 get:x;E 2 [1]"],
		["G-single", "T 0 get:x append:x=1;T 1 get:x append:x=2;E 0 [];E 1 [];T 2 get:x;E 2 [1,2]"],
		// Of unknown outcome, but y shows that it took effect, so x had to show it too.
		["G-single", "T 0 append:x=1 append:y=1;I 0;T 1 get:x get:y;E 1 [] [1]"],
		["G2", "T 0 get:x append:y=1;T 1 get:y append:x=1;E 0 [];E 1 [];T 2 get:x get:y;E 2 [1] [1]"],
		["G0-realtime", "T 0 append:x=1;E 0;T 1 append:x=2;E 1;T 2 get:x;E 2 [2,1]"],
		["G1c-realtime", "T 0 get:x;E 0 [1];T 1 append:x=1;E 1"],
		["G-single-realtime", "T 0 append:x=1;E 0;T 1 get:x;E 1 []"],
		["internal", "T 0 append:x=1 get:x;E 0 []"],
		["internal", "T 1 append:x=1;E 1;T 0 get:x get:x;E 0 [1] []"],
		["internal", "T 0 get:x append:x=1;E 0 [1]"],
		["phantom", "T 0 get:x;E 0 [7]"],
		["duplicated", "T 0 append:x=1;E 0;T 0 get:x;E 0 [1,1]"],
		["incompatible-order", "T 0 append:x=1;T 1 append:x=2;E 0;E 1;T 2 get:x;T 3 get:x;E 2 [1,2];E 3 [2]"],
	];
	for (const [names, steps] of cases) {
		const { counts, verdict } = checkListAppend(transactions(...steps.split(";")));
		// Some anomalies imply others; the named one is there, and where there is none, there is none.
		if (names === "") expect([...counts.keys()], steps).toEqual([]);
		else expect([...counts.keys()], steps).toContain(names);
		expect(verdict).toBe(names === "" ? "ok" : "illegal");
	}
});

test("list-append: a cycle is printed edge by edge, each beginning where the last one ended", () => {
	const history = transactions(
		"T 0 get:x append:y=1",
		"T 1 get:y append:x=1",
		"E 0 []",
		"E 1 []",
		"T 2 get:x get:y",
		"E 2 [1] [1]",
	);
	const cycle = checkListAppend(history).anomalies.find(({ name }) => name === "G2")?.evidence ?? [];
	expect(cycle).toHaveLength(2);
	const ends = cycle.map((line) => line.split(" —rw→ "));
	expect(ends[0]?.[1]).toContain(ends[1]?.[0]);
	expect(ends[1]?.[1]).toContain(ends[0]?.[0]);
});

test("list-append: linear: 40,000 transactions take steps in proportion", () => {
	const recorder = new HistoryRecorder();
	const list: number[] = [];
	for (let id = 0; id < 40_000; id++) {
		recorder.invoke({
			id,
			client: 0,
			op: id % 100 === 0 ? "get" : "append",
			key: "x",
			...(id % 100 === 0 ? {} : { value: id }),
		});
		if (id % 100 !== 0) list.push(id);
		recorder.ok(id, id % 100 === 0 ? { value: list.slice() } : {});
	}
	expect(checkListAppend(recorder.history).verdict).toBe("ok");
});

test("sessions and sets against their definitions", () => {
	const seen = { set: { ok: 0, illegal: 0 }, sessions: { ok: 0, illegal: 0 } };
	fc.assert(
		fc.property(fc.integer(), (seed) => {
			const generator = new Generator(seed, "weak");
			const sets = weakHistory(generator, "add");
			const set = checkSet(sets);
			if (set.verdict !== "unknown") {
				expect(set.verdict).toBe(isGoodSet(sets.operations) ? "ok" : "illegal");
				seen.set[set.verdict]++;
			}
			const registers = weakHistory(generator, "put");
			const sessions = checkSessions(registers);
			if (sessions.verdict !== "unknown") {
				expect(sessions.verdict).toBe(haveOrder(registers.operations) ? "ok" : "illegal");
				seen.sessions[sessions.verdict]++;
			}
		}),
		{ numRuns: 1_500, seed: 11 },
	);
	for (const { ok, illegal } of Object.values(seen)) expect(Math.min(ok, illegal)).toBeGreaterThan(50);
});

/** Two replicas that hear of writes late or never; a client mostly asks the same one. */
function weakHistory(generator: Generator, write: "add" | "put"): History {
	const recorder = new HistoryRecorder();
	const replicas: number[][] = [[], []];
	const pending: { replica: number; value: number }[] = [];
	for (let id = 0; id < 8; id++) {
		const client = generator.below(3);
		const replica = generator.chance(0.8) ? client % 2 : generator.below(2);
		while (pending.length > 0 && generator.chance(0.5)) {
			const { replica: late, value } = pending.shift()!;
			replicas[late]!.push(value);
		}
		if (generator.chance(0.5)) {
			recorder.invoke({ id, client, op: write, value: id });
			replicas[replica]!.push(id);
			pending.push({ replica: 1 - replica, value: id });
			recorder.ok(id);
		} else {
			recorder.invoke({ id, client, op: "get" });
			const values = replicas[replica]!;
			recorder.ok(id, { value: write === "add" ? [...values] : (values.at(-1) ?? null) });
		}
	}
	return recorder.history;
}

/** By the definition: what is known before a read begins is in it. */
function isGoodSet(operations: readonly Operation[]): boolean {
	const reads = operations.filter(({ op }) => op === "get");
	return reads.every((read) => {
		const shown = read.answer as number[];
		const known = operations.flatMap(({ op, value, answer, end }) =>
			end > read.begin ? [] : op === "add" ? [value] : (answer as number[]),
		);
		return known.every((value) => shown.includes(value as number));
	});
}

/** By the definition: whether any order of all versions keeps every pair of a session's operations. */
function haveOrder(operations: readonly Operation[]): boolean {
	const values = operations.flatMap(({ op, value }) => (op === "put" ? [value as number] : []));
	const version = ({ op, value, answer }: Operation): Json => (op === "put" ? (value as Json) : (answer as Json));
	return permutations(values).some((order) =>
		operations.every((later, at) =>
			operations.slice(0, at).every((earlier) => {
				if (earlier.client !== later.client) return true;
				// The initial value stands before all others.
				const place = (own: Operation): number => (version(own) === null ? -1 : order.indexOf(version(own) as number));
				return place(earlier) <= place(later);
			}),
		),
	);
}

function permutations(values: readonly number[]): number[][] {
	if (values.length === 0) return [[]];
	return values.flatMap((first, at) => permutations(values.toSpliced(at, 1)).map((rest) => [first, ...rest]));
}
