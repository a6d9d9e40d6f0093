/** Loads what a module source names, with errors that say how to mend it. */
import { invalidArgument, QuorateError } from "../../protocols/core/index.ts";
import { exportMissing, moduleNotLoadable } from "./errors.ts";

/** A module and one of its exports: the part of a source that says where the code is. */
export interface ModuleExport {
	readonly module: URL | string;
	readonly export: string;
}

const TYPESCRIPT = /\.[cm]?tsx?$/;

/**
 * Imports the module and returns the named export. Modules are cached by Node, so a restart costs no second load.
 * @throws QuorateError `module-not-loadable` (no such file, TypeScript, or it throws: see `cause`), `export-missing`,
 *   `invalid-argument` when the module is not an absolute URL
 */
export async function loadModule(source: ModuleExport): Promise<unknown> {
	const module = moduleHref(source.module);
	let loaded: Readonly<Record<string, unknown>>;
	try {
		loaded = await import(module);
	} catch (cause) {
		throw moduleNotLoadable({ module, hint: hintFor(module, cause) }, { cause });
	}
	const value = loaded[source.export];
	if (value === undefined) {
		throw exportMissing({ module, export: source.export, exports: Object.keys(loaded) });
	}
	return value;
}

/**
 * The href of a module, which is what can be sent to another thread: a `URL` object arrives there as an empty record.
 * @throws QuorateError `invalid-argument`
 */
export function moduleHref(module: URL | string): string {
	try {
		return new URL(module).href;
	} catch (cause) {
		throw invalidArgument(
			{
				argument: "module",
				expected: 'an absolute URL such as new URL("./ledger.js", import.meta.url)',
				actual: String(module).slice(0, 200),
			},
			{ cause },
		);
	}
}

function hintFor(module: string, cause: unknown): string {
	const path = new URL(module).pathname;
	if (TYPESCRIPT.test(path)) {
		return "Node 20 can not load TypeScript in a thread; build it, and name the .js file that the build writes";
	}
	if (cause instanceof QuorateError) return cause.message;
	const code = cause instanceof Error && "code" in cause ? String(cause.code) : null;
	const text = cause instanceof Error ? cause.message : String(cause);
	if (code === "ERR_MODULE_NOT_FOUND") return `it, or a module that it imports, does not exist (${text})`;
	return `it throws while it loads (${text})`;
}
