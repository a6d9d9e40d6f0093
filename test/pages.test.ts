/**
 * Goal: the pages lead to what is there, in the repository and in the published package.
 * Method: every relative link of every page is followed; for the pages in the package also the list of its files.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { projectRoot, readSources } from "./source-tree.ts";

interface Lead {
	readonly page: string;
	/** Relative to the project. */
	readonly target: string;
}

const pages = readSources(".md");
/** Where the links of each page lead, but for those to other sites. */
const links: readonly Lead[] = pages.flatMap(({ path: page, text }) =>
	[...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
		.map(([, link = ""]) => link)
		.filter((link) => !/^\w+:/.test(link))
		.map((link) => ({ page, target: posix.join(posix.dirname(page), link) })),
);
/** Other pages that a page names in code, by their path in the project. */
const named: readonly Lead[] = pages.flatMap(({ path: page, text }) =>
	[...text.matchAll(/`((?:[\w-]+\/)+[\w-]+\.md)`/g)].map(([, target = ""]) => ({ page, target })),
);

test("every link, and every page that is named, is in the repository", () => {
	expect(links.length).toBeGreaterThan(15);
	expect([...links, ...named].filter(({ target }) => !existsSync(join(projectRoot, target)))).toEqual([]);
});

test("no link of a page in the package leads out of the package", () => {
	const { files }: { readonly files: readonly string[] } = JSON.parse(
		readFileSync(join(projectRoot, "package.json"), "utf8"),
	);
	const patterns = files.map((file) => new RegExp(`^${file.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}(?:/|$)`));
	const isPacked = (path: string): boolean => patterns.some((pattern) => pattern.test(path));
	const published = links.filter(({ page }) => isPacked(page));
	expect(published.length).toBeGreaterThan(10);
	expect(published.filter(({ target }) => !isPacked(target))).toEqual([]);
});
