/**
 * Goal: what the README shows works as shown. Method: each snippet of JavaScript or TypeScript runs in a process of its own,
 * in a temporary directory where the built package is installed by a link; a snippet whose first line names a file is
 * written under that name, for the others to import. Its calls of the command are judged in `test/actors/console`.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectRoot } from "../source-tree.ts";

const TIMEOUT_MS = 50_000;
/** The first screen promises an example of fewer lines than this. */
const FIRST_EXAMPLE_LINES_MAX = 20;

interface Snippet {
	readonly language: string;
	readonly text: string;
}

const readme = readFileSync(join(projectRoot, "README.md"), "utf8");
const snippets: Snippet[] = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
	([, language = "", text = ""]) => ({
		language,
		text,
	}),
);
const javascript = snippets.filter(({ language }) => language === "js");
const typescript = snippets.filter(({ language }) => language === "ts");
const shell = snippets.filter(({ language }) => language === "sh").flatMap(({ text }) => text.trimEnd().split("\n"));

const directory = mkdtempSync(join(tmpdir(), "quorate-readme-"));
const moduleName = /^\/\/ (\S+\.js)\n/;
beforeAll(() => {
	mkdirSync(join(directory, "node_modules"));
	symlinkSync(projectRoot, join(directory, "node_modules", "quorate"), "junction");
	symlinkSync(join(projectRoot, "node_modules", "@types"), join(directory, "node_modules", "@types"), "junction");
	symlinkSync(join(projectRoot, "node_modules", "rxjs"), join(directory, "node_modules", "rxjs"), "junction");
	writeFileSync(join(directory, "package.json"), '{"type":"module"}');
	for (const { text } of javascript) {
		const name = moduleName.exec(text)?.[1];
		if (name !== undefined) writeFileSync(join(directory, name), text);
	}
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function run(program: string, ...args: string[]): Promise<string> {
	return new Promise((resolve, reject) => {
		execFile(program, args, { cwd: directory, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
			if (error === null) resolve(stdout);
			else reject(new Error(`${error.message}\n${stdout}${stderr}`));
		});
	});
}

async function runModule(name: string, text: string): Promise<string> {
	writeFileSync(join(directory, name), text);
	return await run(process.execPath, name);
}

test("the two commands stand there literally", () => {
	expect(shell).toContain("npm ci && npm start");
	expect(shell).toContain("npm ci && npm test");
});

test("the first example is short, and does what its comments say", async () => {
	const [first] = javascript as [Snippet];
	expect(first.text.trimEnd().split("\n").length).toBeLessThan(FIRST_EXAMPLE_LINES_MAX);
	const output = await runModule("first.js", first.text);
	expect(output).toContain("{ value: 'hello' }");
	expect(new Set(output.match(/leader: node-[1-5]/g)).size).toBeGreaterThan(1);
});

const documents = javascript.filter(({ text }) => text.includes("quorate/protocols/crdt"));
const others = javascript.slice(1).filter((snippet) => !moduleName.test(snippet.text) && !documents.includes(snippet));

test("the snippet of an application of one's own runs, and goes on from its directory", async () => {
	expect(others).toHaveLength(5);
	const [auction] = others as [Snippet];
	expect(await runModule("auction-house.js", auction.text)).toBe("true 5\n");
	// "The next start with the same directory goes on from there": nobody bids more than 5 any more.
	expect(await runModule("auction-house.js", auction.text)).toBe("false 5\n");
});

test("the snippet of members that change runs", async () => {
	const [, members] = others as [Snippet, Snippet];
	const printed = await runModule("members.js", members.text);
	expect(printed).toContain("[ 'node-2', 'node-4', 'node-5' ]");
	expect(printed.match(/lacks \d+ entries/g)).toHaveLength(2);
});

test("the snippet of many groups runs, and a node's death loses nothing", async () => {
	const [, , groups] = others as [Snippet, Snippet, Snippet];
	expect(await runModule("groups.js", groups.text)).toBe("{ value: 'paid' }\n");
});

test("the snippet of replicated documents runs, and both have the same", async () => {
	expect(documents).toHaveLength(1);
	const value = "{ text: 'Hello world', tags: [], votes: { red: 1 } }";
	expect(await runModule("documents.js", documents[0]!.text)).toBe(`${value} ${value}\n`);
});

test("the snippet of members that gossip runs, and ends by itself", async () => {
	const [, , , gossip] = others as [Snippet, Snippet, Snippet, Snippet];
	expect(await runModule("gossip.js", gossip.text)).toMatch(/^there: /m);
});

test("the snippet of values that merge runs, in one thread and in three", async () => {
	expect(await runModule("values.js", others[4]!.text)).toBe("3 3\n{ hits: 1 }\n");
});

test("the snippet of TypeScript compiles strictly, and ends its swarm by itself", async () => {
	expect(typescript).toHaveLength(1);
	writeFileSync(join(directory, "using.ts"), (typescript[0] as Snippet).text);
	const compiler = join(projectRoot, "node_modules", "typescript", "bin", "tsc");
	const flags = ["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node", "--skipLibCheck"];
	await run(process.execPath, compiler, ...flags, "--lib", "es2023,esnext.disposable", "using.ts");
	expect(await run(process.execPath, "using.js")).toBe("hello\n");
});

test("every npm script that is shown exists", () => {
	const { scripts } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
	for (const line of shell) {
		const name = /npm run ([\w:]+)/.exec(line)?.[1];
		if (name !== undefined) expect(scripts).toHaveProperty([name]);
	}
});
