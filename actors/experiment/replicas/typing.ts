/**
 * What writers do, without knowing the text: a replica knows its own, and turns edits into changes of it. So five writers can
 * write at once, and each edit still means something where others have written meanwhile.
 */
import { Generator } from "../../../protocols/core/index.ts";
import type { CrdtCommand, Path } from "../../../protocols/crdt/index.ts";

/** One edit: a key that is pressed, a replacement of a trace, or taking back the last change of one's own. */
export type Edit =
	/** Types at the cursor, after a jump to this share of the text in [0, 1) if there is one. */
	| { readonly type: "type"; readonly text: string; readonly jump: number | null }
	/** Deletes one character before the cursor. */
	| { readonly type: "erase" }
	/** As a trace has it; what lies beyond the end of the replica's text is moved to the end. */
	| { readonly type: "replace"; readonly position: number; readonly deleted: number; readonly inserted: string }
	| { readonly type: "undo" };

/** Changes that a replica remembers for undo. */
export const UNDO_GROUPS_MAX = 100;

/** Edits for a replica to do as one transaction. An undo stands alone. */
export interface EditRequest {
	readonly type: "edit-text";
	readonly edits: readonly Edit[];
}

/** Turns edits into commands on a text of this length. */
export function commandsOf(
	edits: readonly Edit[],
	path: Path,
	at: { readonly length: number; readonly cursor: number },
): { readonly commands: readonly CrdtCommand[]; readonly cursor: number } {
	const commands: CrdtCommand[] = [];
	let { length, cursor } = at;
	cursor = Math.min(cursor, length);
	const replace = (position: number, count: number, content: string): void => {
		if (count > 0) commands.push({ type: "delete", path, position, count });
		if (content !== "") commands.push({ type: "insert", path, position, content });
		length += content.length - count;
		cursor = position + content.length;
	};
	for (const edit of edits) {
		switch (edit.type) {
			case "type":
				replace(edit.jump === null ? cursor : Math.floor(edit.jump * (length + 1)), 0, edit.text);
				break;
			case "erase":
				if (cursor > 0) replace(cursor - 1, 1, "");
				break;
			case "replace": {
				const position = Math.min(edit.position, length);
				replace(position, Math.min(edit.deleted, length - position), edit.inserted);
				break;
			}
			case "undo":
				commands.push({ type: "undo" });
				break;
		}
	}
	return { commands, cursor };
}

/** Where a writer's edits come from. */
export interface Writer {
	/** The next edit, or null if there is none any more. */
	next(): Edit | null;
}

const RUN_KEYS_MAX = 60;
const ERASES_MAX = 12;
const JUMP_CHANCE = 0.3;
const ERASE_CHANCE = 0.25;
const UNDO_CHANCE = 0.03;
const letters = "etaoinshrdlucmfwypvbgkqjxz";

/** A person at a keyboard: runs of typing, runs of backspaces, jumps of the cursor, and undo now and then. */
export class Typist implements Writer {
	readonly #draw: Generator;
	#left = 0;
	#isErasing = false;
	#jumps = true;

	constructor(seed: number, writer: string) {
		this.#draw = new Generator(seed, `typist/${writer}`);
	}

	next(): Edit {
		if (this.#left === 0) {
			if (this.#draw.chance(UNDO_CHANCE)) return { type: "undo" };
			this.#begin();
		}
		this.#left -= 1;
		if (this.#isErasing) return { type: "erase" };
		const jump = this.#jumps ? this.#draw.fraction() : null;
		this.#jumps = false;
		return { type: "type", text: this.#key(), jump };
	}

	#begin(): void {
		this.#isErasing = this.#draw.chance(ERASE_CHANCE);
		this.#left = 1 + this.#draw.below(this.#isErasing ? ERASES_MAX : RUN_KEYS_MAX);
		this.#jumps = !this.#isErasing && this.#draw.chance(JUMP_CHANCE);
	}

	/** A blank every sixth key or so; of letters the frequent ones more often. */
	#key(): string {
		if (this.#draw.chance(1 / 6)) return " ";
		const place = Math.floor(this.#draw.fraction() * this.#draw.fraction() * letters.length);
		return letters[place]!;
	}
}

/** Transactions in a row that one writer takes of a trace. */
const TRACE_STRETCH = 40;

/** One of several writers who share a trace: each takes every n-th stretch of it, so what it types in a row stays together. */
export class TraceWriter implements Writer {
	readonly #edits: readonly Edit[];
	readonly #writers: number;
	#at: number;

	constructor(edits: readonly Edit[], writer: number, writers: number) {
		this.#edits = edits;
		this.#writers = writers;
		this.#at = writer * TRACE_STRETCH;
	}

	next(): Edit | null {
		const edit = this.#edits[this.#at];
		if (edit === undefined) return null;
		this.#at += 1;
		if (this.#at % TRACE_STRETCH === 0) this.#at += (this.#writers - 1) * TRACE_STRETCH;
		return edit;
	}
}
