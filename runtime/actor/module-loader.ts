/** Loads what a module source names, with errors that say how to mend it. */
import { invalidArgument, QuorateError } from "../../protocols/core/index.ts";
import { exportMissing, moduleNotLoadable } from "./errors.ts";

/** A module and one of its exports: the part of a source that says where the code is. */
export interface ModuleExport {
	readonly module: URL | string;
	readonly export: string;
}

/**
 * A module that takes longer does not end. The usual one awaits, at its own top level, what loads this very module: then
 * each waits for the other, which Node can not tell.
 */
const LOAD_MS_MAX = 10_000;

const TYPESCRIPT = /\.[cm]?tsx?$/;

/**
 * Imports the module and returns the named export. Modules are cached by Node, so a restart costs no second load.
 * @throws QuorateError `module-not-loadable` (no such file, TypeScript, it throws: see `cause`, or it does not end within
 *   `limitMs`), `export-missing`, `invalid-argument` when the module is not an absolute URL
 */
export async function loadModule(source: ModuleExport, limitMs: number = LOAD_MS_MAX): Promise<unknown> {
	const module = moduleHref(source.module);
	let loaded: Readonly<Record<string, unknown>>;
	try {
		loaded = await within(limitMs, module, import(module));
	} catch (cause) {
		if (cause instanceof QuorateError && cause.code === "module-not-loadable") throw cause;
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

async function within<T>(limitMs: number, module: string, loading: Promise<T>): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const limit = new Promise<never>((_, reject) => {
		const hint = `it has not ended loading after ${limitMs} ms; if it awaits Swarm.start at its own top level, move the class to a module of its own, or the call into a function`;
		// It holds the process open on purpose: with nothing else to do, Node would end it without a word.
		timer = setTimeout(() => reject(moduleNotLoadable({ module, hint })), limitMs);
	});
	try {
		return await Promise.race([loading, limit]);
	} finally {
		clearTimeout(timer);
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
	// Node keeps to itself where a syntax error is, unless it ends the process.
	const where = cause instanceof SyntaxError ? `; if that is in its source, node --check ${path} shows where` : "";
	return `it throws while it loads (${text}${where})`;
}
