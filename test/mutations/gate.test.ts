/**
 * Goal: the gate passes only if every edit matches once, the unmutated tree passes every stored attempt, and each bug is
 * noticed by its own; a search stores what notices, and cheaply. Method: gate and search on a laboratory that is a table.
 */
import { describe, expect, it } from "vitest";
import type { Attempt, Outcome, Trial } from "./attempt.ts";
import { type GateResult, isPassed, type Killers, runGate } from "./gate.ts";
import type { Laboratory } from "./laboratory.ts";
import type { Mutation } from "./mutation.ts";
import { searchKillers } from "./search.ts";

const source = "first line\nsecond line\nthird line\n";

function mutation(name: string, old: string, replacement = "other"): Mutation {
	return { name, bug: `bug of ${name}`, file: "source.ts", old, new: replacement };
}

const nothing: Outcome = { isNoticed: false, by: "", reason: "", effort: "1 seed" };
const noticed = (by: string, reason = "it is violated"): Outcome => ({ isNoticed: true, by, reason, effort: "1 seed" });

/** Outcomes by `planted bug: attempt`; what is not in the table notices nothing. */
class TableLaboratory implements Laboratory {
	readonly #outcomes: Readonly<Record<string, Outcome>>;
	planted = "none";
	readonly made: string[] = [];

	constructor(outcomes: Readonly<Record<string, Outcome>> = {}) {
		this.#outcomes = outcomes;
	}

	async plant({ name }: Mutation): Promise<void> {
		if (name === "unplantable") throw new Error("it can not be parsed");
		this.planted = name;
	}

	restore(): void {
		this.planted = "none";
	}

	async try(attempts: Iterable<Attempt>): Promise<readonly Trial[]> {
		const trials: Trial[] = [];
		for (const attempt of attempts) {
			const key = `${this.planted}: ${attempt.join(" ")}`;
			this.made.push(key);
			const outcome = this.#outcomes[key] ?? nothing;
			trials.push({ attempt, outcome, elapsedMs: 5 });
			if (outcome.isNoticed) break;
		}
		return trials;
	}

	close(): void {}
}

async function gate(
	mutations: readonly Mutation[],
	killers: Killers,
	laboratory = new TableLaboratory(),
): Promise<GateResult> {
	const read = (): string => source;
	return runGate({ mutations, killers, read, laboratories: [laboratory], progress: () => undefined });
}

const first = mutation("first", "first");
const second = mutation("second", "second");
const killers: Killers = { first: ["simulate", "--seed", "1"], second: ["check", "raft"] };
const bothKilled = { "first: simulate --seed 1": noticed("election-safety"), "second: check raft": noticed("vacuous") };

describe("the gate", () => {
	it("passes when each bug is noticed by its own attempt, and nothing without a bug", async () => {
		const laboratory = new TableLaboratory(bothKilled);
		const result = await gate([first, second], killers, laboratory);
		expect(isPassed(result)).toBe(true);
		expect(result.mutants.map(({ state, trial }) => [state, trial?.outcome.by])).toEqual([
			["killed", "election-safety"],
			["killed", "vacuous"],
		]);
		expect(laboratory.made).toEqual([
			"none: simulate --seed 1",
			"none: check raft",
			"first: simulate --seed 1",
			"second: check raft",
		]);
		expect(laboratory.planted).toBe("none");
	});

	it.each([
		["matches twice", mutation("broad", "line"), "mutation broad: its old text occurs 3 times in source.ts"],
		["matches nowhere", mutation("gone", "fourth"), "mutation gone: its old text occurs 0 times in source.ts"],
		["changes nothing", mutation("idle", "first", "first"), "mutation idle: it changes nothing in source.ts"],
		["has another's name", mutation("second", "first"), "mutation second: there are two of that name"],
	])("fails before anything is run when an edit %s", async (_what, wrong, fault) => {
		const laboratory = new TableLaboratory(bothKilled);
		const result = await gate([second, wrong], { ...killers, [wrong.name]: ["check", "raft"] }, laboratory);
		expect(result).toEqual({ baseline: [fault], mutants: [] });
		expect(isPassed(result)).toBe(false);
		expect(laboratory.made).toEqual([]);
	});

	it("fails when a bug survives its attempt, and says which", async () => {
		const laboratory = new TableLaboratory({ "first: simulate --seed 1": noticed("election-safety") });
		const result = await gate([first, second], killers, laboratory);
		expect(isPassed(result)).toBe(false);
		expect(result.mutants.map(({ mutation: { name }, state }) => [name, state])).toEqual([
			["first", "killed"],
			["second", "survived"],
		]);
	});

	it("fails when an attempt finds something without any bug, and plants nothing", async () => {
		const laboratory = new TableLaboratory({ ...bothKilled, "none: check raft": noticed("log-matching") });
		const result = await gate([first, second], killers, laboratory);
		expect(result.baseline).toEqual(["check raft finds log-matching without any bug: it is violated"]);
		expect(result.mutants).toEqual([]);
		expect(isPassed(result)).toBe(false);
		expect(laboratory.made.filter((made) => !made.startsWith("none"))).toEqual([]);
	});

	it("fails when nothing is stored for a bug, and when there is no bug", async () => {
		const result = await gate([first], {});
		expect(result.mutants.map(({ state }) => state)).toEqual(["no-attempt"]);
		expect(isPassed(result)).toBe(false);
		expect(isPassed(await gate([], {}))).toBe(false);
	});

	it("does not take a mutant that can not be run for one that was noticed", async () => {
		const outcome = noticed("aborted", "node-1 failed: quorumOf is not defined");
		const result = await gate([first], killers, new TableLaboratory({ "first: simulate --seed 1": outcome }));
		expect(result.mutants.map(({ state }) => state)).toEqual(["broken"]);
		expect(isPassed(result)).toBe(false);
	});

	it("leaves no bug behind when one can not be planted", async () => {
		const laboratory = new TableLaboratory(bothKilled);
		const unplantable = mutation("unplantable", "third");
		await expect(gate([unplantable], { unplantable: ["check", "raft"] }, laboratory)).rejects.toThrow("parsed");
		expect(laboratory.planted).toBe("none");
	});

	it("runs whole test files once without a bug, and one test with each", async () => {
		const tests: Killers = {
			first: ["unit", "a.test.ts", "says one"],
			second: ["unit", "a.test.ts", "says two"],
			third: ["unit", "b.test.ts", "says three"],
		};
		const laboratory = new TableLaboratory();
		await gate([first, second, mutation("third", "third")], tests, laboratory);
		expect(laboratory.made).toEqual([
			"none: unit a.test.ts,b.test.ts",
			"first: unit a.test.ts says one",
			"second: unit a.test.ts says two",
			"third: unit b.test.ts says three",
		]);
	});

	it("spreads mutants over laboratories and keeps their order", async () => {
		const laboratories = [new TableLaboratory(bothKilled), new TableLaboratory(bothKilled)];
		const done: string[] = [];
		const result = await runGate({
			mutations: [first, second],
			killers,
			read: () => source,
			laboratories,
			progress: (event) => {
				if (event.type === "mutant") done.push(`${event.done} of ${event.total}`);
			},
		});
		expect(result.mutants.map(({ mutation: { name } }) => name)).toEqual(["first", "second"]);
		expect(laboratories.map(({ made }) => made.length)).toEqual([2, 2]);
		expect(done).toEqual(["1 of 2", "2 of 2"]);
	});
});

describe("a search", () => {
	async function search(outcomes: Readonly<Record<string, Outcome>>): Promise<Attempt | null> {
		const found: (Attempt | null)[] = [];
		await searchKillers({
			mutations: [first],
			attempts: [
				["check", "raft"],
				["simulate", "--seed", "1"],
				["unit", "tests"],
			],
			laboratories: [new TableLaboratory(outcomes)],
			found: (_mutation, trial) => found.push(trial?.attempt ?? null),
		});
		expect(found.length).toBe(1);
		return found[0] ?? null;
	}

	it("takes the first attempt that notices the bug", async () => {
		const outcomes = { "first: simulate --seed 1": noticed("history"), "first: unit tests": noticed("a test") };
		expect(await search(outcomes)).toEqual(["simulate", "--seed", "1"]);
	});

	it("looks first where a mutation says that it must be noticed", async () => {
		const found: (Attempt | null)[] = [];
		const laboratory = new TableLaboratory({ "first: unit a.test.ts": noticed("says one") });
		await searchKillers({
			mutations: [{ ...first, test: "a.test.ts" }],
			attempts: [["check", "raft"]],
			laboratories: [laboratory],
			found: (_mutation, trial) => found.push(trial?.attempt ?? null),
		});
		expect(found).toEqual([["unit", "a.test.ts"]]);
		expect(laboratory.made).toEqual(["first: unit a.test.ts", "none: unit a.test.ts"]);
	});

	it("finds nothing where nothing is noticed, or the mutant can not be run", async () => {
		expect(await search({})).toBeNull();
		const unrunnable = noticed("x is not defined", "ReferenceError: x is not defined");
		expect(await search({ "first: check raft": unrunnable, "first: unit tests": noticed("a test") })).toBeNull();
	});

	it("looks further when an attempt finds something without the bug too", async () => {
		const vacuous = { "none: check raft": noticed("vacuous"), "first: check raft": noticed("vacuous") };
		expect(await search({ ...vacuous, "first: unit tests": noticed("a test") })).toEqual(["unit", "tests"]);
		expect(await search(vacuous)).toBeNull();
	});

	it("looks further when a mutant hangs", async () => {
		const outcomes = { "first: check raft": noticed("hangs"), "first: unit tests": noticed("a test") };
		expect(await search(outcomes)).toEqual(["unit", "tests"]);
	});

	it("takes one test instead of a folder, if that notices the bug alone", async () => {
		const narrower: Attempt = ["unit", "tests/a.test.ts", "says one"];
		const folder = { "first: unit tests": { ...noticed("says one"), narrower } };
		expect(await search({ ...folder, "first: unit tests/a.test.ts says one": noticed("says one") })).toEqual(narrower);
		expect(await search(folder)).toEqual(["unit", "tests"]);
	});
});
