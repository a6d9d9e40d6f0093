/**
 * What the libraries are compared on: an editing trace, one encoded delta per edit, and a set to which is added and from which is removed. The trace is a file in the
 * form of `josephg/editing-traces` (gzipped JSON); without one, a seeded typist writes a text of its own.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Generator } from "../../../protocols/core/index.ts";

/** Replace `deleted` units from `position` on by `inserted`. */
export type Edit = readonly [position: number, deleted: number, inserted: string];

export interface Trace {
	readonly name: string;
	readonly edits: readonly Edit[];
	/** The text in the end. */
	readonly text: string;
}

/** The typist stops after the run of typing in which it comes to so many edits. */
const TYPIST_EDITS = 100_000;

/** Reads a sequential trace; every transaction must be one patch. */
export function readTrace(file: string): Trace {
	const { txns, endContent } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
		readonly txns: readonly { readonly patches: readonly Edit[] }[];
		readonly endContent: string;
	};
	const edits = txns.map(({ patches }) => {
		if (patches.length !== 1) throw new Error(`${file}: a transaction of ${patches.length} patches`);
		return patches[0]!;
	});
	return { name: `${file.split("/").at(-1)}, ${edits.length} edits`, edits, text: endContent };
}

/** Runs of typing at a cursor that jumps now and then, a third of the edits deletions backwards. */
export function typistTrace(seed: number): Trace {
	const draw = new Generator(seed, "typist");
	const edits: Edit[] = [];
	let text: string[] = [];
	let cursor = 0;
	while (edits.length < TYPIST_EDITS) {
		if (draw.below(25) === 0) cursor = draw.below(text.length + 1);
		const backspaces = cursor > 10 && draw.below(6) === 0 ? 1 + draw.below(8) : 0;
		for (let i = 0; i < backspaces; i++) {
			cursor -= 1;
			edits.push([cursor, 1, ""]);
			text.splice(cursor, 1);
		}
		for (let left = 1 + draw.below(12); left > 0; left--) {
			const character = String.fromCharCode(97 + draw.below(26));
			edits.push([cursor, 0, character]);
			text.splice(cursor, 0, character);
			cursor += 1;
		}
	}
	const end = text.join("");
	text = [];
	return { name: `seeded typist, ${edits.length} edits`, edits, text: end };
}

export const SET_ADDS = 100_000;
/** One element of so many is removed again. */
export const SET_REMOVED_OF = 10;

/** The elements of the set workload. */
export function elements(from: number, count: number): string[] {
	return Array.from({ length: count }, (_unused, i) => `element-${from + i}`);
}

/** One element of every {@link SET_REMOVED_OF}: which one of them is `offset`. */
export function removedOf(added: readonly string[], offset: number): string[] {
	return added.filter((_unused, i) => i % SET_REMOVED_OF === offset);
}
