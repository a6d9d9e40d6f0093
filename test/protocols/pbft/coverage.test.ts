/**
 * Goal: the list of what of the Byzantine coordinator's capabilities is done stays true. Method: `coverage.json` names, for each id, a
 * source and tests; all must exist; each id is there once; the room's page shows the same list.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { missingTests, type NamedTest, testsNamedIn, writtenTest } from "../../named-tests.ts";
import { projectRoot } from "../../source-tree.ts";

interface Done {
	readonly what: string;
	readonly source: string;
	readonly tests: readonly NamedTest[];
	readonly limit?: string;
}

interface Coverage {
	readonly done: Readonly<Record<string, Done>>;
	readonly notDone: Readonly<Record<string, string>>;
}

const IDS = 25;
const { done, notDone } = JSON.parse(readFileSync(new URL("./coverage.json", import.meta.url), "utf8")) as Coverage;
const all = Array.from({ length: IDS }, (_, at) => `BYZ-${at + 1}`);

/** The table as the page has it. */
function table(): string {
	const lines = all.map((id) => {
		const found = done[id];
		if (found === undefined) return `| ${id} | not done: ${notDone[id]} | | |`;
		const { what, source, tests, limit } = found;
		const told = limit === undefined ? what : `${what}; ${limit}`;
		return `| ${id} | ${told} | \`${source}\` | ${tests.map(writtenTest).join("; ")} |`;
	});
	return ["| id | what | source | tests |", "|---|---|---|---|", ...lines].join("\n");
}

test("every id is done or not done", () => {
	expect([...Object.keys(done), ...Object.keys(notDone)].sort()).toEqual([...all].sort());
});

test("what is done has a source, and tests that are there", () => {
	for (const { source, tests } of Object.values(done)) {
		expect(existsSync(join(projectRoot, source)), source).toBe(true);
		expect(tests.length, source).toBeGreaterThan(0);
		expect(missingTests(tests)).toEqual([]);
	}
});

test("the room's page shows this list", () => {
	const page = readFileSync(join(projectRoot, "protocols/pbft/README.md"), "utf8");
	expect(page).toContain(table());
	expect(testsNamedIn(page).length).toBeGreaterThan(all.length);
});

test("a test that is not there is missed", () => {
	const here = "test/protocols/pbft/coverage.test.ts";
	expect(missingTests([[here, "every id is done or not done"]])).toEqual([]);
	expect(missingTests([[here, "nobody wrote this"]])).toHaveLength(1);
	expect(missingTests([["test/protocols/pbft/nowhere.test.ts", "every id is done or not done"]])).toHaveLength(1);
});
