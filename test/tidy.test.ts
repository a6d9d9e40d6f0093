/**
 * Goal: what no compiler checks about this code stays true. Method: reads the sources, in the manner of TigerBeetle's
 * tidy: each rule is one test, and names the places that break it.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { codeOf, projectRoot, readSources, type SourceFile } from "./source-tree.ts";

const rooms = ["protocols", "runtime", "supervisors", "actors"];
const product = readSources(".ts", rooms);
const tests = readSources(".test.ts", ["test"]);
const typescript = [...product, ...readSources(".ts", ["examples", "test"])];

/** A file of one main type is shorter than this, or stands in the list with its reason. */
const FILE_LINES_MAX = 600;
const longOnPurpose: ReadonlyMap<string, string> = new Map([
	["runtime/actor/kernel.ts", "one type: the dispatch loop of a thread"],
	["test/runtime/compliance/actor-compliance.ts", "one test a promise of the kernel, as a suite for every backend"],
	["test/protocols/raft/paper.test.ts", "one test a sentence of the paper"],
	["test/protocols/raft/properties/twins.ts", "a pair of runs for each property, as data"],
	["actors/swarm/swarm.ts", "one type: the public entry, half of it documentation"],
	["test/protocols/pbft/rules.test.ts", "one test a rule of PBFT"],
	["test/supervisors/tree/supervision-compliance.ts", "one test a rule of supervision, as a suite for every backend"],
]);

/** `path:line` of every match in the code (or, with `inText`, anywhere) of these files. */
function places(files: readonly SourceFile[], pattern: RegExp, inText = false): string[] {
	return files.flatMap(({ path, text }) =>
		[...(inText ? text : codeOf(text)).matchAll(pattern)].map(
			(match) => `${path}:${text.slice(0, match.index).split("\n").length}: ${match[0]}`,
		),
	);
}

test("a rule sees what it forbids", () => {
	const planted = [{ path: "planted.ts", text: "// Date.now()\nconst a = 'Date.now()';\nconst b = Date.now();\n" }];
	expect(places(planted, /Date\.now/g)).toEqual(["planted.ts:3: Date.now"]);
	expect(product.length).toBeGreaterThan(20);
	expect(tests.length).toBeGreaterThan(5);
});

test("protocols have no clock, no dice, no timers, no process", () => {
	const impure =
		/\b(?:Date\.now|new Date|Math\.random|performance\.|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|console\.|fetch\(|async |await |Promise\b)/g;
	expect(places(readSources(".ts", ["protocols"]), impure)).toEqual([]);
	expect(places(readSources(".ts", ["protocols"]), /from "node:/g, true)).toEqual([]);
});

test("the runtime loads single files of RxJS: its index costs each thread some two hundred", () => {
	const values = /import (?!type\b)[^;]*? from "rxjs(?:\/operators)?"/g;
	expect(places(readSources(".ts", ["runtime"]), values, true)).toEqual([]);
});

test("RxJS time operators are given a scheduler, or virtual time breaks", () => {
	const operators =
		/\b(?:timer|interval|delay|debounceTime|throttleTime|auditTime|sampleTime|bufferTime|windowTime|timeout|timeInterval|timestamp)\b/g;
	const faults = product.flatMap(({ path, text }) => {
		const imported = [...text.matchAll(/import \{([^}]*)\} from "rxjs(?:\/[\w/]+)?"/g)].map((match) => match[1]).join();
		const names = new Set(imported.match(operators) ?? []);
		const code = codeOf(text);
		return [...names].flatMap((name) =>
			[...code.matchAll(new RegExp(`(?<![.\\w#])${name}\\(`, "g"))]
				.filter((match) => !/scheduler/i.test(argumentsAt(code, match.index + match[0].length)))
				.map((match) => `${path}:${code.slice(0, match.index).split("\n").length}: ${name}`),
		);
	});
	expect(faults).toEqual([]);
});

function argumentsAt(code: string, start: number): string {
	let depth = 1;
	let end = start;
	for (; end < code.length && depth > 0; end++) depth += code[end] === "(" ? 1 : code[end] === ")" ? -1 : 0;
	return code.slice(start, end);
}

test("every room has a face that opens with what it is", () => {
	const faces = rooms.flatMap((folder) =>
		readdirSync(join(projectRoot, folder), { withFileTypes: true })
			.filter((entry) => entry.isDirectory())
			.map((entry) => `${folder}/${entry.name}/index.ts`),
	);
	const faults = faces.filter((face) => {
		const file = join(projectRoot, face);
		return !existsSync(file) || !/^\/\*\*\n \* \S/.test(readFileSync(file, "utf8"));
	});
	expect(faults).toEqual([]);
});

test("every module opens with a comment that says what it is for", () => {
	const faults = product.filter(({ path, text }) => !path.endsWith(".d.ts") && !/^(?:#!.*\n)?\/\*\*/.test(text));
	expect(faults.map(({ path }) => path)).toEqual([]);
});

test("no test is switched off, singled out or run again until it passes", () => {
	expect(places(tests, /\.(?:only|skip|todo|fails|skipIf)\b|\bretry:/g)).toEqual([]);
});

test("nothing is left for later", () => {
	const marks = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`, "g");
	expect(places(typescript, marks, true)).toEqual([]);
});

test("no error is swallowed without a word", () => {
	expect(places(product, /catch\s*(?:\([^)]*\))?\s*\{\s*\}/g, true)).toEqual([]);
	// A rejection that is dropped says why, in a comment within or right above.
	const dropped = product.flatMap(({ path, text }) =>
		[...text.matchAll(/\.catch\(\(\)\s*=>\s*(?:\{\s*\}|undefined|null)\)/g)]
			.filter(({ index }) => !text.slice(0, index).split("\n").slice(-4).join("\n").includes("//"))
			.map(({ index }) => `${path}:${text.slice(0, index).split("\n").length}`),
	);
	expect(dropped).toEqual([]);
});

test("no file names a machine's own paths or a package registry's host", () => {
	const files = [".ts", ".json", ".md", ".sh", "run", ".yml", ".npmrc"].flatMap((ending) => readSources(ending));
	const homes = ["home", "Users", "root", "wo" + "rk", "opt"].join("|");
	const own = new RegExp(
		`(?<![\\w.~/-])/(?:${homes})/[\\w.-]+|https?://[\\w.-]*(?:regis${"try"}|mirr${"or"})[\\w.-]*`,
		"g",
	);
	expect(places(files, own, true)).toEqual([]);
});

test("the lock file holds no download addresses", () => {
	expect(readFileSync(join(projectRoot, "package-lock.json"), "utf8")).not.toContain('"resolved"');
});

test("files have one main type: none is very long", () => {
	const long = typescript
		.map(({ path, text }) => ({ path, lines: text.split("\n").length }))
		.filter(({ path, lines }) => lines > FILE_LINES_MAX && !longOnPurpose.has(path));
	expect(long).toEqual([]);
});

test("every example is run by a test", () => {
	const examples = readSources(".ts", ["examples"]).map(({ path }) => path.replace(/^examples\/(.*)\.ts$/, "$1"));
	const runs = readSources(".test.ts", ["test/threads/examples"])
		.map(({ text }) => text)
		.join();
	expect(examples.filter((example) => !runs.includes(`"${example}"`))).toEqual([]);
});
