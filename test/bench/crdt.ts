/**
 * The replicated types by themselves: a seeded typist's text with one encoded delta per edit, applying those, the encoded document and
 * its loading; a set. The floor beside the edits is a gap buffer without replication. Against other libraries: `npm run bench:peers:crdt`.
 */
import { CrdtDocument, replicaId } from "../../protocols/crdt/index.ts";
import { type Edit, elements, SET_ADDS, typistTrace } from "./peers-crdt/workload.ts";
import type { BenchRow } from "./row.ts";

const ROUNDS = 5;
const SEED = 1;
const schema = { text: "text", set: "add-wins-set" } as const;

export default function crdt(): readonly BenchRow[] {
	const { edits, text } = typistTrace(SEED);
	const rounds = Array.from({ length: ROUNDS }, () => ({ ...measureText(edits, text), ...measureSet() }));
	const of = (key: keyof (typeof rounds)[number]): number => median(rounds.map((round) => round[key]));
	const note = `median of ${ROUNDS} rounds, CPU time of the process`;
	const lower = { unit: "ms", target: null, stretch: null, better: "lower", note } as const;
	return [
		{
			name: `${edits.length} edits, one encoded delta each; floor: a gap buffer`,
			ours: of("edit"),
			theirs: of("floor"),
			...lower,
		},
		{ name: "applying those deltas", ours: of("apply"), ...lower },
		{ name: "loading the document to its first text", ours: of("load"), ...lower },
		{ name: `encoded document without history, ${text.length} characters`, ours: of("bytes"), ...lower, unit: "bytes" },
		{ name: `${SET_ADDS} additions to a set, one encoded delta each`, ours: of("add"), ...lower },
		{ name: `joining it with another one, ${SET_ADDS} elements in common`, ours: of("merge"), ...lower },
	];
}

function measureText(
	edits: readonly Edit[],
	expected: string,
): Record<"edit" | "floor" | "apply" | "load" | "bytes", number> {
	const document = new CrdtDocument({ replica: replicaId("a", 0), schema });
	const text = document.text("text");
	const updates: Uint8Array[] = [];
	const edit = cpuMs(() => {
		for (const [position, deleted, inserted] of edits) {
			if (deleted > 0) text.delete(position, deleted);
			if (inserted !== "") text.insert(position, inserted);
			updates.push(document.takeUpdate()!);
		}
	});
	const other = new CrdtDocument({ replica: replicaId("b", 0), schema });
	const apply = cpuMs(() => {
		for (const update of updates) other.apply(update);
	});
	if (other.text("text").toString() !== expected) throw new Error("the text in the end differs");
	document.cutLog(document.context);
	const state = document.encode();
	let loaded = "";
	const load = cpuMs(() => {
		loaded = CrdtDocument.load(state, { replica: replicaId("c", 0), schema })
			.text("text")
			.toString();
	});
	if (loaded !== expected) throw new Error("the loaded text differs");
	return { edit, floor: cpuMs(() => gapBuffer(edits, expected)), apply, load, bytes: state.length };
}

function measureSet(): Record<"add" | "merge", number> {
	const [one, other] = ["a", "b"].map((node) => new CrdtDocument({ replica: replicaId(node, 0), schema }));
	const add = cpuMs(() => {
		const set = one!.set("set");
		for (const element of elements(0, SET_ADDS)) {
			set.add(element);
			one!.takeUpdate();
		}
	});
	other!.merge(one!.encode());
	for (const element of elements(SET_ADDS, SET_ADDS / 5)) one!.set("set").add(element);
	for (const element of elements(2 * SET_ADDS, SET_ADDS / 5)) other!.set("set").add(element);
	const state = other!.encode();
	const merge = cpuMs(() => void one!.merge(state));
	if (one!.set("set").size !== SET_ADDS * 1.4) throw new Error("elements are missing after the join");
	return { add, merge };
}

/** What the edits cost when nothing is replicated. */
function gapBuffer(edits: readonly Edit[], expected: string): void {
	const units = new Uint16Array(edits.length + 1);
	let start = 0;
	let end = units.length;
	for (const [position, deleted, inserted] of edits) {
		if (position < start) {
			units.copyWithin(end - (start - position), position, start);
			end -= start - position;
			start = position;
		} else if (position > start) {
			units.copyWithin(start, end, end + position - start);
			end += position - start;
			start = position;
		}
		end += deleted;
		for (let i = 0; i < inserted.length; i++) units[start++] = inserted.charCodeAt(i);
	}
	if (start + units.length - end !== expected.length) throw new Error("the gap buffer's text differs");
}

function cpuMs(work: () => void): number {
	const before = process.cpuUsage();
	work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1_000;
}

function median(list: readonly number[]): number {
	const sorted = [...list].sort((a, b) => a - b);
	return sorted[sorted.length >> 1]!;
}
