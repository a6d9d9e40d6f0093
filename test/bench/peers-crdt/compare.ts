/**
 * `npm run bench:peers:crdt [-- --trace FILE --rounds N --libraries A,B]`: CRDT libraries side by side, in one run, each measurement in a
 * process of its own, the libraries in turns. CPU time of the process, medians, the text in the end checked.
 *
 * First, once: `npm install --ignore-scripts` in `test/bench/peers-crdt`. A good trace is the one of a paper's LaTeX source (M. Kleppmann and
 * A. R. Beresford; CC BY 4.0), `sequential_traces/automerge-paper.json.gz` of the GitHub repository `josephg/editing-traces`.
 */
import { execFileSync, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { formatNumber, formatTable } from "../../../actors/console/index.ts";
import { type Library, libraries, type SetReplica, type TextReplica } from "./libraries.ts";
import { elements, readTrace, removedOf, SET_ADDS, SET_REMOVED_OF, type Trace, typistTrace } from "./workload.ts";

const TIMEOUT_MS = 300_000;
const ROUNDS_MAX = 20;
const SEED = 1;
/** Loads in one process, after the first. */
const LOADS = 9;

/** Figures of one process, by name; times in CPU milliseconds. */
type Figures = Readonly<Record<string, number>>;

const { values } = parseArgs({
	options: {
		trace: { type: "string" },
		rounds: { type: "string", default: "3" },
		libraries: { type: "string", default: Object.keys(libraries).join(",") },
		child: { type: "string" },
		cold: { type: "string" },
	},
});

if (values.child === undefined) await compare();
else if (values.cold === undefined) await measure(values.child);
else await printColdLoad(values.child, values.cold);

async function compare(): Promise<void> {
	const rounds = Number(values.rounds);
	if (!Number.isInteger(rounds) || rounds < 1 || rounds > ROUNDS_MAX) throw new Error(`--rounds: 1 to ${ROUNDS_MAX}`);
	const names = values.libraries.split(",");
	const figures = new Map<string, Map<string, number[]>>();
	for (let round = 0; round < rounds; round++) {
		for (const name of names) {
			const measured = await inChild(name);
			process.stderr.write(`round ${round + 1}: ${name}\n`);
			for (const [key, value] of Object.entries(measured)) {
				const row = figures.get(key) ?? new Map<string, number[]>();
				figures.set(key, row.set(name, [...(row.get(name) ?? []), value]));
			}
		}
	}
	const lines = [["", ...names]];
	for (const [key, row] of figures) {
		lines.push([key, ...names.map((name) => (row.has(name) ? formatNumber(median(row.get(name)!)) : ""))]);
	}
	console.log(trace().name);
	for (const line of formatTable(lines, ["left", ...names.map(() => "right" as const)])) console.log(line);
}

function median(list: readonly number[]): number {
	const sorted = [...list].sort((a, b) => a - b);
	return sorted[sorted.length >> 1]!;
}

function inChild(name: string): Promise<Figures> {
	return new Promise((resolve, reject) => {
		const args = ["--child", name, ...(values.trace === undefined ? [] : ["--trace", values.trace])];
		const execArgv = ["--expose-gc", "--no-warnings"];
		const child = fork(fileURLToPath(import.meta.url), args, { timeout: TIMEOUT_MS, execArgv });
		let figures: Figures | null = null;
		child.on("message", (message) => {
			figures = message as Figures;
		});
		child.on("exit", (code) => {
			if (figures === null) reject(new Error(`${name} ended with ${code} and without figures`));
			else resolve(figures);
		});
	});
}

async function measure(name: string): Promise<void> {
	const library = await libraries[name]!();
	const figures = { ...(library.editsMax > 0 ? measureText(name, library, trace()) : {}), ...measureSet(library) };
	process.send?.(figures);
	process.disconnect();
}

function trace(): Trace {
	return values.trace === undefined ? typistTrace(SEED) : readTrace(values.trace);
}

/** CPU milliseconds of a load in a process that has done nothing before it but import the library; with what V8 compiles meanwhile. */
function coldLoadMs(name: string, state: Uint8Array, text: string): number {
	const directory = mkdtempSync(join(tmpdir(), "quorate-peers-"));
	try {
		const file = join(directory, "state");
		writeFileSync(file, state);
		const args = [fileURLToPath(import.meta.url), "--child", name, "--cold", file];
		const [ms, hash] = execFileSync(process.execPath, args, { encoding: "utf8" }).trim().split(" ");
		if (hash !== sha256(text)) throw new Error(`${name}: the text of a fresh process differs`);
		return Number(ms);
	} finally {
		rmSync(directory, { recursive: true });
	}
}

async function printColdLoad(name: string, file: string): Promise<void> {
	const library = await libraries[name]!();
	const state = new Uint8Array(readFileSync(file));
	let text = "";
	const ms = cpuMs(() => {
		text = library.loadText(state).text();
	});
	console.log(ms, sha256(text));
}

function sha256(text: string): string {
	return createHash("sha256").update(text).digest("hex");
}

function measureText(name: string, library: Library, { edits, text }: Trace): Figures {
	const given = edits.slice(0, library.editsMax);
	const expected = given.length === edits.length ? text : null;
	const suffix = expected === null ? `, first ${given.length} edits` : "";
	const figures: Record<string, number> = {};
	const replica = library.createText(1);
	const updates: Uint8Array[] = [];
	figures[`edits with deltas, ms${suffix}`] = cpuMs(() => {
		for (const [position, deleted, inserted] of given) updates.push(replica.edit(position, deleted, inserted));
	});
	figures[`bytes of a delta${suffix}`] = updates.reduce((sum, update) => sum + update.length, 0) / updates.length;
	check(replica, expected);
	const remote = library.createText(2);
	figures[`applying them, ms${suffix}`] = cpuMs(() => {
		for (const update of updates) remote.apply(update);
	});
	check(remote, replica.text());
	if (replica.since !== undefined) {
		const behind = library.createText(3);
		for (const update of updates.slice(0, -Math.ceil(updates.length / 100))) behind.apply(update);
		const difference = replica.since(behind.version!());
		figures[`difference to 1 % behind, bytes${suffix}`] = difference.length;
		if (behind.applyDifference === undefined) behind.apply(difference);
		else behind.applyDifference(difference);
		check(behind, replica.text());
	}
	const state = replica.encode();
	figures[`encoded document, bytes${suffix}`] = state.length;
	figures[`the same gzipped, bytes${suffix}`] = gzipSync(state).length;
	const expectedText = replica.text();
	const load = (): TextReplica => {
		const loaded = library.loadText(state);
		if (loaded.text() !== expectedText) throw new Error(`${library.name}: the loaded text differs`);
		return loaded;
	};
	const kept: TextReplica[] = [];
	const before = memory();
	figures[`load to first text, in a fresh process, ms${suffix}`] = coldLoadMs(name, state, expectedText);
	figures[`load to first text, first time after the edits, ms${suffix}`] = cpuMs(() => void kept.push(load()));
	figures[`memory of the loaded document, KB${suffix}`] = (memory() - before) / 1024;
	const again = Array.from({ length: LOADS }, () => cpuMs(() => void kept.push(load())));
	figures[`load to first text, again, ms${suffix}`] = median(again);
	return figures;
}

function measureSet(library: Library): Figures {
	if (library.createSet === undefined) return {};
	const adds = library.setAddsMax ?? SET_ADDS;
	const suffix = adds === SET_ADDS ? "" : `, ${adds} only`;
	const figures: Record<string, number> = {};
	const [one, other] = [library.createSet(1), library.createSet(2)];
	const updates: Uint8Array[] = [];
	const added = elements(0, adds);
	const common = added.filter((_unused, i) => i % SET_REMOVED_OF !== 0);
	figures[`${SET_ADDS} set additions with deltas, ms${suffix}`] = cpuMs(() => {
		for (const element of added) updates.push(one.add(element));
	});
	figures[`${SET_ADDS / SET_REMOVED_OF} removals with deltas, ms${suffix}`] = cpuMs(() => {
		for (const element of removedOf(added, 0)) updates.push(one.remove(element));
	});
	figures[`bytes of a set delta${suffix}`] = updates.reduce((sum, update) => sum + update.length, 0) / updates.length;
	checkSet(library, one, common);
	const state = one.encode();
	figures[`encoded set, bytes${suffix}`] = state.length;
	if (other.merge === undefined || one.merge === undefined) return figures;
	other.merge(state);
	checkSet(library, other, common);
	const [here, there] = [elements(adds, adds * 0.2), elements(adds * 2, adds * 0.2)];
	const [goneHere, goneThere] = [removedOf(added, 1), removedOf(added, 2)];
	for (const element of here) one.add(element);
	for (const element of goneHere) one.remove(element);
	for (const element of there) other.add(element);
	for (const element of goneThere) other.remove(element);
	const others = other.encode();
	figures[`merge of two diverged sets, ms${suffix}`] = cpuMs(() => one.merge?.(others));
	const gone = new Set([...goneHere, ...goneThere]);
	checkSet(library, one, [...common.filter((element) => !gone.has(element)), ...here, ...there]);
	return figures;
}

function checkSet(library: Library, set: SetReplica, expected: readonly string[]): void {
	const found = new Set(set.elements());
	if (found.size === expected.length && expected.every((element) => found.has(element))) return;
	throw new Error(`${library.name}: ${found.size} elements, which are not the ${expected.length} that are left`);
}

function check(replica: TextReplica, expected: string | null): void {
	if (expected !== null && replica.text() !== expected) throw new Error("the text in the end differs");
}

function cpuMs(work: () => void): number {
	const before = process.cpuUsage();
	work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1_000;
}

function memory(): number {
	const { gc } = globalThis as { readonly gc?: () => void };
	gc?.();
	gc?.();
	const { heapUsed, arrayBuffers } = process.memoryUsage();
	return heapUsed + arrayBuffers;
}
