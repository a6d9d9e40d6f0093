/**
 * Goal: the threat model and the map of published requirements name, in each line, a test that is there. Method: the lines of their
 * tables, and the titles in the test files.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missingTests, testsNamedIn } from "../../named-tests.ts";
import { projectRoot } from "../../source-tree.ts";

const readPage = (name: string): string => readFileSync(join(projectRoot, "protocols/security", name), "utf8");

describe.each(["THREATS.md", "COMPLIANCE.md"])("%s", (name) => {
	const page = readPage(name);
	const rows = page.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("|---"));

	it("names a test in each line", () => {
		const [, ...lines] = rows;
		expect(lines.length).toBeGreaterThan(20);
		expect(lines.filter((line) => testsNamedIn(line).length === 0)).toEqual([]);
	});

	it("names tests that are there", () => {
		expect(missingTests(testsNamedIn(page))).toEqual([]);
	});
});

it("the threat model has lines for all of STRIDE", () => {
	const page = readPage("THREATS.md");
	const kinds = ["spoofing", "tampering", "repudiation", "disclosure", "denial of service", "elevation"];
	for (const kind of kinds) expect(page.split(`\n| ${kind}: `).length, kind).toBeGreaterThan(3);
});
