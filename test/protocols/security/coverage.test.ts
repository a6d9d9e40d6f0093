/**
 * Goal: the list of what of the security manager's capabilities is done stays true. Method: `coverage.json` names, for each id, a source
 * and a test; both must exist and the test must name the id; each id is there once; the room's page shows the same list.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../source-tree.ts";

interface Coverage {
	readonly done: Readonly<Record<string, readonly [source: string, test: string]>>;
	readonly limits: Readonly<Record<string, string>>;
	readonly notDone: Readonly<Record<string, string>>;
}

const IDS = 45;
const { done, limits, notDone } = JSON.parse(
	readFileSync(new URL("./coverage.json", import.meta.url), "utf8"),
) as Coverage;
const all = Array.from({ length: IDS }, (_, at) => `SEC-${at + 1}`);

/** The table as the page has it. */
function table(): string {
	const lines = all.map((id) => {
		const found = done[id];
		if (found === undefined) return `| ${id} | not done: ${notDone[id]} | |`;
		const limit = limits[id] === undefined ? "" : `; ${limits[id]}`;
		return `| ${id} | \`${found[0]}\`${limit} | \`${found[1]}\` |`;
	});
	return ["| id | source | test |", "|---|---|---|", ...lines].join("\n");
}

test("every id is done or not done", () => {
	expect([...Object.keys(done), ...Object.keys(notDone)].sort()).toEqual([...all].sort());
});

test("what is done has a source, and a test that names it", () => {
	for (const [id, [source, proof]] of Object.entries(done)) {
		expect(existsSync(join(projectRoot, source)), source).toBe(true);
		expect(new RegExp(`${id}\\b`).test(readFileSync(join(projectRoot, proof), "utf8")), `${id} in ${proof}`).toBe(true);
	}
});

test("the room's page shows this list", () => {
	expect(readFileSync(join(projectRoot, "protocols/security/README.md"), "utf8")).toContain(table());
});
