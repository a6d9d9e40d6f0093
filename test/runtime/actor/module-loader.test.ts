// Goal: a module that can not be loaded says how to mend it. Method: one module of each kind of fault.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModule } from "../../../runtime/actor/module-loader.ts";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "quorate-modules-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function moduleOf(name: string, text: string): URL {
	const path = join(folder, name);
	writeFileSync(path, text);
	return pathToFileURL(path);
}

test("the named export, by URL or href", async () => {
	const module = moduleOf("good.mjs", "export const answer = 42; export function other() {}");
	expect(await loadModule({ module, export: "answer" })).toBe(42);
	expect(await loadModule({ module: module.href, export: "answer" })).toBe(42);
	await expect(loadModule({ module, export: "question" })).rejects.toMatchObject({
		code: "export-missing",
		details: { export: "question", exports: ["answer", "other"] },
	});
});

test("a missing module and one that throws", async () => {
	const missing = pathToFileURL(join(folder, "missing.mjs"));
	await expect(loadModule({ module: missing, export: "x" })).rejects.toMatchObject({ code: "module-not-loadable" });
	const broken = moduleOf("broken.mjs", "throw new Error('on fire')");
	await expect(loadModule({ module: broken, export: "x" })).rejects.toMatchObject({
		code: "module-not-loadable",
		details: { hint: "it throws while it loads (on fire)" },
	});
	const misspelt = moduleOf("misspelt.mjs", "throw new SyntaxError('Unexpected token')");
	await expect(loadModule({ module: misspelt, export: "X" })).rejects.toMatchObject({
		message: expect.stringMatching(
			/\(Unexpected token; if that is in its source, node --check .+misspelt\.mjs shows where\)$/,
		),
	});
});

test("a path that is no URL", async () => {
	await expect(loadModule({ module: "./ledger.js", export: "x" })).rejects.toMatchObject({ code: "invalid-argument" });
});

test("a module whose top level never ends, as one that waits for itself", async () => {
	const module = moduleOf("endless.mjs", "export class Machine {}\nawait new Promise(() => {});");
	await expect(loadModule({ module, export: "Machine" }, 50)).rejects.toMatchObject({
		code: "module-not-loadable",
		message: expect.stringContaining("top level"),
	});
});
