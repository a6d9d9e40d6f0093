/**
 * How fast histories are judged: 20,000 operations of 8 clients on 5 keys (get, put, append; a few of unknown
 * outcome), and the history of the main job in its real size: 200,000 appends to 24 lists with 2,000 reads of whole
 * lists, 512 operations open at once. CPU time of the check alone, without reading the file.
 */
import { assert, Generator } from "../../protocols/core/index.ts";
import {
	checkLinearizability,
	type History,
	HistoryRecorder,
	type Json,
	keyValueModel,
} from "../../protocols/verification/index.ts";
import type { BenchRow } from "./row.ts";

const ROUNDS = 5;
const LARGE_ROUNDS = 3;

interface Shape {
	readonly operations: number;
	readonly clients: number;
	readonly keys: number;
	readonly kind: "mixed" | "lists";
}

interface Call {
	readonly id: number;
	readonly op: string;
	readonly key: string;
	readonly value: Json;
	answer: Json | undefined;
	isApplied: boolean;
}

/** Clients call at random; each call takes effect at a random moment before its end. */
function generate({ operations, clients, keys, kind }: Shape, seed: number): History {
	const generator = new Generator(seed, "bench");
	const recorder = new HistoryRecorder();
	const store = new Map<string, Json>();
	const open: (Call | null)[] = Array.from({ length: clients }, () => null);
	const numbers = Array.from(open.keys());
	let [begun, pending, nextClient] = [0, 0, clients];
	while (begun < operations || pending > 0) {
		const slot = generator.below(clients);
		const call = open[slot];
		if (call === null || call === undefined) {
			if (begun === operations) continue;
			const id = begun++;
			const op =
				kind === "lists" ? (id % 100 === 0 ? "get" : "append") : generator.pick(["get", "get", "put", "append"]);
			const own: Call = {
				id,
				op,
				key: `k${generator.below(keys)}`,
				value: op === "put" ? [id] : id,
				answer: undefined,
				isApplied: false,
			};
			recorder.invoke({ id, client: numbers[slot]!, op, key: own.key, ...(op === "get" ? {} : { value: own.value }) });
			open[slot] = own;
			pending++;
		} else if (!call.isApplied) {
			call.isApplied = true;
			const found = store.get(call.key) as readonly Json[] | undefined;
			if (call.op === "get") call.answer = kind === "lists" ? [...(found ?? [])] : (found ?? null);
			else if (call.op === "put") store.set(call.key, call.value);
			else if (kind === "lists" && found !== undefined) (found as Json[]).push(call.value);
			else store.set(call.key, [...(found ?? []), call.value]);
		} else {
			open[slot] = null;
			pending--;
			if (kind === "mixed" && generator.chance(0.001)) {
				recorder.info(call.id);
				numbers[slot] = nextClient++;
			} else recorder.ok(call.id, call.answer === undefined ? {} : { value: call.answer });
		}
	}
	return recorder.history;
}

function cpuMs(work: () => void): number {
	const before = process.cpuUsage();
	work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1_000;
}

function measure(shape: Shape, rounds: number): number {
	const times: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const history = generate(shape, round + 1);
		times.push(
			cpuMs(() => {
				assert(checkLinearizability(history, keyValueModel).verdict === "ok", "the history is linearizable");
			}),
		);
	}
	return times.sort((a, b) => a - b)[Math.floor(rounds / 2)]! / 1_000;
}

export default function bench(): BenchRow[] {
	return [
		{
			name: "linearizability, 20,000 operations, 8 clients, 5 keys",
			ours: measure({ operations: 20_000, clients: 8, keys: 5, kind: "mixed" }, ROUNDS),
			unit: "s CPU",
			target: 2,
			stretch: 0.5,
			better: "lower",
			note: `median of ${ROUNDS} histories, the first one cold; Porcupine (Go) took 0.27 s for one of this size`,
		},
		{
			name: "linearizability, 200,000 appends and 2,000 reads of whole lists, 24 keys",
			ours: measure({ operations: 202_000, clients: 512, keys: 24, kind: "lists" }, LARGE_ROUNDS),
			unit: "s CPU",
			target: null,
			stretch: null,
			better: "lower",
			note: `median of ${LARGE_ROUNDS} histories, 512 operations open at once`,
		},
	];
}
