/** What notices each mutation, as a file beside its list: written by a search, read by the gate. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Attempt } from "./attempt.ts";
import type { Killers } from "./gate.ts";
import type { MutationList } from "./lists.ts";

/** As the formatter has it: what fits on a line is on one. */
const LINE_WIDTH = 120;
const TAB_WIDTH = 2;

function fileOf(root: string, { name }: MutationList): string {
	return join(root, "test", "mutations", `${name}.killers.json`);
}

/** @param root of the tree whose file is read */
export function readKillers(root: string, list: MutationList): Killers {
	const file = fileOf(root, list);
	return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Killers) : {};
}

/** In the order of the mutations; what is stored for others is dropped. */
export function writeKillers(root: string, list: MutationList, killers: Killers): void {
	writeFileSync(fileOf(root, list), formatKillers(list, killers));
}

export function formatKillers({ mutations }: Pick<MutationList, "mutations">, killers: Killers): string {
	const entries = mutations.flatMap(({ name }) => {
		const attempt = killers[name];
		return attempt === undefined ? [] : [formatEntry(name, attempt)];
	});
	return entries.length === 0 ? "{}\n" : `{\n${entries.join(",\n")}\n}\n`;
}

function formatEntry(name: string, attempt: Attempt): string {
	const parts = attempt.map((part) => JSON.stringify(part));
	const line = `${JSON.stringify(name)}: [${parts.join(", ")}]`;
	// A comma follows.
	if (TAB_WIDTH + line.length + 1 <= LINE_WIDTH) return `\t${line}`;
	return `\t${JSON.stringify(name)}: [\n${parts.map((part) => `\t\t${part}`).join(",\n")}\n\t]`;
}
