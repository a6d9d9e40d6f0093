/** The project's own files, for tests that read the source instead of running it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot: string = fileURLToPath(new URL("..", import.meta.url));

export interface SourceFile {
	/** Relative to the project, with slashes. */
	readonly path: string;
	readonly text: string;
}

const notOurs = new Set(["node_modules", "dist", "coverage", ".git", "quorate-data"]);

/** All files below these folders (default: the whole project) whose name ends like this. */
export function readSources(ending: string, folders: readonly string[] = [""]): SourceFile[] {
	return folders
		.flatMap((folder) => filesBelow(folder))
		.flatMap((path) => (path.endsWith(ending) ? [{ path, text: readFileSync(join(projectRoot, path), "utf8") }] : []));
}

function filesBelow(folder: string): string[] {
	return readdirSync(join(projectRoot, folder), { withFileTypes: true }).flatMap((entry) => {
		if (notOurs.has(entry.name)) return [];
		const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
		if (entry.isDirectory()) return filesBelow(path);
		return entry.isFile() ? [path] : [];
	});
}

/** Comments and the insides of strings replaced by blanks of the same length, so that only code is left. */
export function codeOf(text: string): string {
	const blank = (match: string): string => match.replaceAll(/[^\n]/g, " ");
	return text.replaceAll(
		/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g,
		blank,
	);
}
