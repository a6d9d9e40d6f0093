/**
 * Goal: arrows between the floors of the house point down only, and a wrong one does not pass. Method: copies the source
 * into a temporary directory, plants each kind of wrong import there, and sees the compiler or the linter refuse it, while the
 * compiler takes the unplanted copy and the linter finds fault with no other file.
 */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectRoot } from "./source-tree.ts";

/** A build of the whole product, while other tests use the other core. */
const BUILD_TIMEOUT_MS = 180_000;
const floors = ["protocols", "runtime", "supervisors", "actors"];

const copy = mkdtempSync(join(tmpdir(), "quorate-layers-"));
beforeAll(() => {
	for (const name of [...floors, "package.json", "biome.json", "tsconfig.base.json"]) {
		cpSync(join(projectRoot, name), join(copy, name), { recursive: true, preserveTimestamps: true });
	}
	// What is built already need not be compiled a second time: the compiler looks at what has changed since.
	for (const name of floors) {
		const built = join("dist", name);
		if (!existsSync(join(projectRoot, built))) continue;
		cpSync(join(projectRoot, built), join(copy, built), { recursive: true, preserveTimestamps: true });
	}
	symlinkSync(join(projectRoot, "node_modules"), join(copy, "node_modules"), "junction");
}, BUILD_TIMEOUT_MS);
afterAll(() => rmSync(copy, { recursive: true }));

/** Runs a tool of this project in the copy; resolves with what it prints, and null if it found nothing. */
function refusalBy(tool: string, ...args: string[]): Promise<string | null> {
	return new Promise((resolve) => {
		execFile(join("node_modules", ".bin", tool), args, { cwd: copy, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
			resolve(error === null ? null : `${stdout}${stderr}`),
		);
	});
}

const compile = (): Promise<string | null> => refusalBy("tsc", "-b", ...floors, "--pretty", "false");
const lint = (): Promise<string | null> =>
	refusalBy("biome", "lint", "--vcs-enabled=false", "--max-diagnostics=none", ...floors);

test(
	"a relative import that points up, or from one tower into the other, does not compile",
	async () => {
		const wrong: [from: string, to: string][] = [
			["protocols/core", "protocols/raft"],
			["protocols/raft", "runtime/actor"],
			["runtime/actor", "protocols/raft"],
			["runtime/actor", "supervisors/tree"],
			["supervisors/tree", "actors/swarm"],
			["supervisors/tree", "protocols/raft"],
		];
		expect(await compile()).toBeNull();
		for (const [number, [from, to]] of wrong.entries()) {
			const up = "../".repeat(from.split("/").length);
			const text = `import * as planted from "${up}${to}/index.ts";\nexport const count: number = Object.keys(planted).length;\n`;
			writeFileSync(join(copy, from, `planted-${number}.ts`), text);
		}
		const refusal = await compile();
		for (const number of wrong.keys()) expect(refusal).toContain(`planted-${number}.ts`);
		expect(refusal).toMatch(/TS6307|TS6059/);
		for (const [number, [from]] of wrong.entries()) rmSync(join(copy, from, `planted-${number}.ts`));
	},
	BUILD_TIMEOUT_MS,
);

test(
	"the package's own name below examples and test, and Node's modules in protocols, do not pass the linter",
	async () => {
		const wrong: [folder: string, specifier: string][] = [
			["protocols/raft", "quorate/runtime"],
			["protocols/core", "node:fs"],
			["runtime/actor", "quorate"],
			["supervisors/tree", "quorate/supervisors"],
			["actors/swarm", "quorate/protocols/raft"],
		];
		for (const [folder, specifier] of wrong) {
			writeFileSync(join(copy, folder, "planted.ts"), `import "${specifier}";\n`);
		}
		const refusal = await lint();
		const refused = [...(refusal ?? "").matchAll(/^([\w/.-]+):\d+:\d+ lint\/(\S+)/gm)].map(([, file, rule]) => [
			file,
			rule,
		]);
		const planted = wrong.map(([folder]) => [`${folder}/planted.ts`, "style/noRestrictedImports"]);
		expect(refused.sort()).toEqual(planted.sort());
	},
	BUILD_TIMEOUT_MS,
);
