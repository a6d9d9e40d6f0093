/**
 * Goal: a bug is planted in source and build of a copy alone and taken out again; attempts run with the code of the copy, and
 * what dies, hangs or can not be loaded is told apart.
 * Method: the laboratory on a tiny tree that is made here, whose performer and tests are a few lines.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { projectRoot } from "../source-tree.ts";
import { type Attempt, isBroken, type Outcome } from "./attempt.ts";
import { TreeLaboratory } from "./laboratory.ts";
import type { Mutation } from "./mutation.ts";

/** What stands where a tree has its performer: it says what the code of its tree answers, or dies of it. */
const performer = `
import { answer } from "../../room/answer.js";
process.send({ type: "ready" });
process.on("message", ([tool]) => {
	const value = answer();
	if (tool === "check" && value === 13) process.exit(3);
	process.send({ outcome: { isNoticed: value !== 42, by: String(value), reason: "", effort: "" } });
});
`;
const source = `import type { Unused } from "./unused.ts";
import { base } from "./base.ts";

export function answer(): number {
	return (base as number) + 1;
}
export type { Unused };
`;
const test = `import { expect, it } from "vitest";
import { answer } from "../room/answer.ts";
it("knows (the) answer", () => expect(answer()).toBe(42));
it("knows that it is a number", () => expect(typeof answer()).toBe("number"));
`;
const otherTest = `import { expect, it } from "vitest";
import { answer } from "../room/answer.ts";
it("likes even numbers", () => expect(answer() % 2).toBe(0));
`;

const bug = (replacement: string): Mutation => ({
	name: "wrong-answer",
	bug: "answers something else",
	file: "room/answer.ts",
	old: "(base as number) + 1",
	new: replacement,
});

/** The one of this project, as it is built; it works in the directory of its process. */
const unitPerformer = pathToFileURL(join(projectRoot, "dist/test/mutations/perform-unit.js")).href;

describe("a laboratory", () => {
	let root = "";
	let laboratory: TreeLaboratory;
	const inTree = (directory: string, path: string): string => readFileSync(join(directory, path), "utf8");

	beforeEach(() => {
		root = mkdtempSync(join(tmpdir(), "quorate-tree-"));
		const files: Readonly<Record<string, string>> = {
			"package.json": '{ "type": "module" }',
			"room/base.ts": "export const base = 41;\n",
			"room/unused.ts": "export type Unused = 1;\n",
			"room/answer.ts": source,
			"dist/room/base.js": "export const base = 41;\n",
			"dist/room/answer.js": 'import { base } from "./base.js";\nexport function answer() {\n\treturn base + 1;\n}\n',
			"dist/room/answer.d.ts": "export declare function answer(): number;\n",
			"dist/test/mutations/perform.js": performer,
			"dist/test/mutations/perform-unit.js": `import ${JSON.stringify(unitPerformer)};`,
			"test/answer.test.ts": test,
			"test/even.test.ts": otherTest,
			"vitest.config.ts": 'export default { test: { projects: [{ extends: true, test: { name: "pure" } }] } };\n',
		};
		for (const [path, text] of Object.entries(files)) {
			mkdirSync(dirname(join(root, path)), { recursive: true });
			writeFileSync(join(root, path), text);
		}
		symlinkSync(join(projectRoot, "node_modules"), join(root, "node_modules"), "dir");
		laboratory = new TreeLaboratory(root);
	});
	afterEach(() => {
		laboratory.close();
		rmSync(root, { recursive: true, force: true });
	});

	async function outcomeOf(attempt: Attempt): Promise<Outcome | undefined> {
		return (await laboratory.try([attempt])).at(-1)?.outcome;
	}

	it("plants a bug in source and build of its copy, and takes it out again", async () => {
		const { directory } = laboratory;
		const built = inTree(directory, "dist/room/answer.js");
		await laboratory.plant(bug("(base as number) + 2"));
		expect(inTree(directory, "room/answer.ts")).toContain("(base as number) + 2");
		expect(inTree(directory, "dist/room/answer.js")).toContain("return base + 2");
		expect(inTree(directory, "dist/room/answer.js")).toContain('from "./base.js"');
		expect(inTree(directory, "dist/room/answer.js")).not.toContain("unused");
		expect(inTree(root, "room/answer.ts")).toBe(source);
		laboratory.restore();
		expect(inTree(directory, "room/answer.ts")).toBe(source);
		expect(inTree(directory, "dist/room/answer.js")).toBe(built);
	});

	it("refuses a bug that does not match once, or can not be parsed", async () => {
		await expect(laboratory.plant({ ...bug("x"), old: "base" })).rejects.toThrow("occurs 3 times");
		await expect(laboratory.plant(bug("(("))).rejects.toThrow();
		expect(await outcomeOf(["simulate"])).toMatchObject({ isNoticed: false, by: "42" });
	});

	it("makes attempts with the code of the copy, until one notices something", async () => {
		expect(await outcomeOf(["simulate"])).toMatchObject({ isNoticed: false, by: "42" });
		await laboratory.plant(bug("7"));
		const trials = await laboratory.try([["simulate"], ["chaos"]]);
		expect(trials.map(({ attempt, outcome }) => [attempt[0], outcome.by])).toEqual([["simulate", "7"]]);
		laboratory.restore();
		expect(await outcomeOf(["simulate"])).toMatchObject({ isNoticed: false });
	});

	it("notices a process that dies, and goes on with another", async () => {
		await laboratory.plant(bug("13"));
		expect(await outcomeOf(["check"])).toMatchObject({ isNoticed: true, by: "the process died" });
		expect(await outcomeOf(["simulate"])).toMatchObject({ isNoticed: true, by: "13" });
	});

	it("knows a mutant that can not be loaded for no mutant", async () => {
		await laboratory.plant({ ...bug(""), old: 'from "./base.ts"', new: 'from "./nowhere.ts"' });
		const outcome = await outcomeOf(["simulate"]);
		expect(outcome !== undefined && isBroken(outcome)).toBe(true);
	});

	it("runs one test, or a folder and says which one of it notices; a test that is not there notices nothing", async () => {
		await laboratory.plant(bug("43"));
		const one: Attempt = ["unit", "test/answer.test.ts", "knows (the) answer"];
		expect(await outcomeOf(["unit", "test"])).toMatchObject({
			isNoticed: true,
			by: "knows (the) answer",
			narrower: one,
		});
		expect(await outcomeOf(one)).toMatchObject({ isNoticed: true, effort: "1 test" });
		const other: Attempt = ["unit", "test/answer.test.ts", "knows that it is a number"];
		expect(await outcomeOf(other)).toMatchObject({ isNoticed: false, effort: "1 test" });
		const gone: Attempt = ["unit", "test/answer.test.ts", "knows another answer"];
		expect(await outcomeOf(gone)).toMatchObject({ isNoticed: false, reason: "no such test" });
	});

	it("remembers nothing of earlier mutants and their tests", async () => {
		const even: Attempt = ["unit", "test/even.test.ts"];
		await laboratory.plant(bug("43"));
		expect(await outcomeOf(even)).toMatchObject({ isNoticed: true, by: "likes even numbers" });
		await laboratory.plant(bug('"42"'));
		const number = "knows that it is a number";
		expect(await outcomeOf(["unit", "test/answer.test.ts", number])).toMatchObject({ isNoticed: true, by: number });
		laboratory.restore();
		expect(await outcomeOf(["unit", "test"])).toMatchObject({ isNoticed: false, effort: "3 tests" });
		await laboratory.plant(bug("44"));
		expect(await outcomeOf(even)).toMatchObject({ isNoticed: false, effort: "1 test" });
	});
});
