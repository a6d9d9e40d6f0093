/** Tests that pages and tables name, by file and title: a page that names one which is not there is wrong. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./source-tree.ts";

/** A test by its file, from the repository's root, and its title as it is written there. */
export type NamedTest = readonly [file: string, title: string];

/** As a page writes it: `` `test/a.test.ts` "says so" ``. */
export function writtenTest([file, title]: NamedTest): string {
	return `\`${file}\` "${title}"`;
}

/** Every test that a page names. */
export function testsNamedIn(page: string): readonly NamedTest[] {
	return [...page.matchAll(/`(test\/[^`]+\.test\.ts)` "([^"|]+)"/g)].map(
		([, file = "", title = ""]): NamedTest => [file, title],
	);
}

/** Those that do not exist: no such file, or no test of that title in it. */
export function missingTests(named: readonly NamedTest[]): readonly NamedTest[] {
	return named.filter(([file, title]) => {
		const place = join(projectRoot, file);
		return !existsSync(place) || !titlesIn(readFileSync(place, "utf8")).includes(title);
	});
}

/** Titles of tests, templates as they are: the first text behind `it(` or `test(`, also behind a table. */
function titlesIn(source: string): readonly string[] {
	const plain = [...source.matchAll(/\b(?:it|test)\(\s*"((?:[^"\\]|\\.)*)"/g)];
	const ofTables = [...source.matchAll(/\)\(\s*"((?:[^"\\]|\\.)*)",/g)];
	return [...plain, ...ofTables].map(([, title = ""]) => title.replaceAll('\\"', '"'));
}
