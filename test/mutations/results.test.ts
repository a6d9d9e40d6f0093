/** Goal: what is stored reads back, and what is told is what was found. Method: made-up results. */
import { describe, expect, it } from "vitest";
import type { Attempt, Trial } from "./attempt.ts";
import type { GateResult, MutantResult, MutantState } from "./gate.ts";
import { formatKillers } from "./killers.ts";
import type { Mutation } from "./mutation.ts";
import { gateObject, resultsPage, summaryLine, tableLines } from "./results.ts";

const mutation = (name: string): Mutation => ({ name, bug: `does ${name} | wrong`, file: "a.ts", old: "a", new: "b" });

function mutant(name: string, state: MutantState, attempt: Attempt | null, by = ""): MutantResult {
	const outcome = { isNoticed: state === "killed", by, reason: "a reason", effort: "1 seed" };
	const trial: Trial | null = attempt === null ? null : { attempt, outcome, elapsedMs: 1_250 };
	return { mutation: mutation(name), state, trial };
}

const result: GateResult = {
	baseline: [],
	mutants: [
		mutant("one", "killed", ["simulate", "--seed", "3"], "election-safety"),
		mutant("two", "killed", ["unit", "test/a.test.ts", 'says "so"'], 'says "so"'),
		mutant("three", "survived", ["check", "raft"]),
		mutant("four", "no-attempt", null),
	],
};
const listed = { list: "raft", result };

describe("the results", () => {
	it("count what was killed, by tool, and say why nothing was planted", () => {
		expect(summaryLine(listed)).toBe("raft: 2 of 4 planted bugs killed: 1 simulator, 1 unit test only");
		const failed = { list: "raft", result: { baseline: ["check raft finds x"], mutants: [] } };
		expect(summaryLine(failed)).toContain("does not pass: check raft finds x");
	});

	it("show bug, tool, what tells, seeds or states, time and the command, and who survives", () => {
		const [head, one, two, three, four] = tableLines(listed);
		expect(head).toMatch(/^bug +tool +what tells +it took +time +again$/);
		expect(one).toMatch(/^one +simulator +election-safety +1 seed +1\.25 s +quorate simulate --seed 3$/);
		expect(two).toMatch(/^two +unit test only +says "so"/);
		expect(three).toMatch(/^three +SURVIVED/);
		expect(four).toMatch(/^four +NO ATTEMPT STORED$/);
	});

	it("are a page with a row for each bug", () => {
		const page = resultsPage([listed], { date: "2026-01-31", machine: "Node 20", elapsedMs: 90_000 });
		expect(page).toContain("on 2026-01-31, in 90.00 s; Node 20.");
		expect(page).toContain(
			"| `one`: does one \\| wrong | simulator | election-safety | 1 seed | 1.25 s | `quorate simulate --seed 3` |",
		);
		expect(page).toContain('`npx vitest run test/a.test.ts -t "says \\"so\\""`');
		expect(page.split("\n").filter((line) => line.startsWith("| `"))).toHaveLength(4);
	});

	it("are an object that passes only if everything is killed", () => {
		expect(gateObject([listed])).toMatchObject({ passed: false, lists: [{ list: "raft", baseline: [] }] });
		const killed = { list: "raft", result: { baseline: [], mutants: result.mutants.slice(0, 2) } };
		expect(gateObject([killed])).toMatchObject({ passed: true, lists: [{ mutants: [{ state: "killed" }, {}] }] });
		expect(gateObject([])).toMatchObject({ passed: false });
	});
});

describe("what is stored", () => {
	const mutations = ["one", "two"].map(mutation);

	it("reads back, in the order of the list, without what is not in it", () => {
		const killers = { gone: ["check"], two: ["simulate", "--seed", "3"], one: ["check", "raft"] } as const;
		const text = formatKillers({ mutations }, killers);
		expect(text).toBe('{\n\t"one": ["check", "raft"],\n\t"two": ["simulate", "--seed", "3"]\n}\n');
		expect(formatKillers({ mutations }, {})).toBe("{}\n");
	});

	it("breaks lines where the formatter would", () => {
		// Two for the tab, and a comma behind.
		const fits = "x".repeat(120 - 2 - '"one": ["unit", ""],'.length);
		const lines = (name: string): number => formatKillers({ mutations }, { one: ["unit", name] }).split("\n").length;
		expect(lines(fits)).toBe(4);
		expect(lines(`${fits}x`)).toBe(7);
	});
});
