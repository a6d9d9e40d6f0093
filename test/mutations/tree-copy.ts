/**
 * A temporary copy of the tree, sources and build, in which bugs are planted: the source for tests that compile on the way,
 * its built module for programs. Only the one module is compiled again, and its types are not checked.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformWithOxc } from "vite";
import { type Mutation, mutate } from "./mutation.ts";

/** Links, what is copied apart, and what no attempt needs. */
const leftOut = ["node_modules", "dist", ".git"];

export class TreeCopy {
	readonly directory: string = mkdtempSync(join(tmpdir(), "quorate-mutation-"));
	/** What must be written back: content by path. */
	readonly #originals = new Map<string, string>();

	/** @param root a tree that is built */
	constructor(root: string) {
		for (const name of readdirSync(root)) {
			if (!leftOut.includes(name)) cpSync(join(root, name), join(this.directory, name), { recursive: true });
		}
		mkdirSync(join(this.directory, "dist"));
		cpSync(join(root, "dist"), join(this.directory, "dist"), {
			recursive: true,
			filter: (path) => !/\.(?:d\.ts|map|tsbuildinfo)$/.test(path),
		});
		symlinkSync(join(root, "node_modules"), join(this.directory, "node_modules"), "dir");
	}

	/** @throws Error if the edit does not match exactly once, or what it makes can not be parsed */
	async plant(mutation: Mutation): Promise<void> {
		this.restore();
		const { file } = mutation;
		const mutant = mutate(readFileSync(join(this.directory, file), "utf8"), mutation);
		// The sources import each other as `.ts`, what is built as `.js`.
		const { code } = await transformWithOxc(mutant, join(this.directory, file), {
			typescript: { rewriteImportExtensions: "rewrite", onlyRemoveTypeImports: true },
		});
		this.#replace(file, mutant);
		this.#replace(join("dist", file.replace(/\.ts$/, ".js")), code);
	}

	/** Takes the planted bug out. Returns the files that have changed by that. */
	restore(): readonly string[] {
		for (const [path, original] of this.#originals) writeFileSync(join(this.directory, path), original);
		const changed = [...this.#originals.keys()];
		this.#originals.clear();
		return changed;
	}

	remove(): void {
		rmSync(this.directory, { recursive: true, force: true });
	}

	#replace(path: string, content: string): void {
		this.#originals.set(path, readFileSync(join(this.directory, path), "utf8"));
		writeFileSync(join(this.directory, path), content);
	}
}
