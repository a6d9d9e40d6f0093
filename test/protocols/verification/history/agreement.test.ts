/**
 * Goal: the checkers say what is true. Method: over thousands of small histories, legal by construction or with an answer
 * changed, each verdict and each offending operation equals that of a slow judge that tries every order on objects
 * written down anew; larger ones get the same verdict with and without foresight.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Generator } from "../../../../protocols/core/index.ts";
import {
	casRegisterModel,
	checkLinearizability,
	checkListAppend,
	counterModel,
	type History,
	keyValueModel,
	lockModel,
	type Model,
	queueModel,
	registerModel,
} from "../../../../protocols/verification/index.ts";
import { changeAnswer, generateHistory, type Shape } from "./generated-histories.ts";
import { isLinearizable, prefixThrough } from "./oracle.ts";

const RUNS = 400;
const SEED = 20_260_101;

/** Whether values are unique or come from a few, the checker must be right; foresight only speaks of unique ones. */
const value = (generator: Generator, serial: number): number =>
	generator.chance(0.7) ? serial + 10 : generator.below(3);
const key = (generator: Generator): string => (generator.chance(0.8) ? "a" : "b");

const calls: Readonly<Record<string, Shape["call"]>> = {
	register: (g, serial) => (g.chance(0.5) ? { op: "get" } : { op: "put", value: value(g, serial) }),
	"cas-register": (g, serial) => {
		const op = g.pick(["get", "put", "cas", "cas"]);
		if (op === "get") return { op };
		const from = g.chance(0.3) ? null : g.below(serial + 1) + 10;
		return op === "put" ? { op, value: value(g, serial) } : { op, from, value: value(g, serial) };
	},
	"kv lists": (g, serial) => {
		const op = g.pick(["get", "get", "append", "append", "append"]);
		return op === "get" ? { op, key: key(g) } : { op, key: key(g), value: value(g, serial) };
	},
	"kv lists that are replaced": (g, serial) => {
		const op = g.pick(["get", "get", "append", "append", "put", "delete"]);
		if (op === "get" || op === "delete") return { op, key: "a" };
		return { op, key: "a", value: op === "put" ? [value(g, serial)] : value(g, serial) };
	},
	"kv transactions": (g, serial) => ({
		op: "txn",
		value: Array.from({ length: 1 + g.below(3) }, (_, at) => {
			const own = g.pick(["a", "b", "c"]);
			return g.chance(0.5) ? ["get", own] : ["append", own, serial * 10 + at];
		}),
	}),
	counter: (g) => (g.chance(0.5) ? { op: "get" } : { op: "add", value: g.below(5) - 2 }),
	queue: (g, serial) => (g.chance(0.5) ? { op: "dequeue" } : { op: "enqueue", value: value(g, serial) }),
	lock: (g, _, operations) => {
		const op = g.pick(["acquire", "acquire", "release", "expire", "write"]);
		if (op === "acquire" || op === "expire") return { op };
		const tokens = operations.flatMap(({ op: other, answer }) =>
			other === "acquire" && answer !== undefined ? [answer] : [],
		);
		return { op, value: tokens.length > 0 && g.chance(0.8) ? g.pick(tokens) : 1 + g.below(3) };
	},
};

const judged: readonly (readonly [call: string, object: string, model: Model<unknown>])[] = [
	["register", "kv", registerModel as Model<unknown>],
	["cas-register", "kv", casRegisterModel as Model<unknown>],
	["kv lists", "kv", keyValueModel as Model<unknown>],
	["kv lists that are replaced", "kv", keyValueModel as Model<unknown>],
	["kv transactions", "kv", keyValueModel as Model<unknown>],
	["counter", "counter", counterModel as Model<unknown>],
	["queue", "queue", queueModel as Model<unknown>],
	["lock", "lock", lockModel as Model<unknown>],
];

function eachHistory(shape: Shape, check: (history: History, isChanged: boolean) => void): void {
	fc.assert(
		fc.property(fc.integer(), fc.boolean(), (seed, isChanged) => {
			const generator = new Generator(seed, shape.object);
			const history = generateHistory(generator, shape);
			check(isChanged ? changeAnswer(generator, history) : history, isChanged);
		}),
		{ numRuns: RUNS, seed: SEED },
	);
}

for (const [call, object, model] of judged) {
	test(`${call}: verdict and offending operation are the slow judge's`, () => {
		const shape: Shape = { object, operations: 7, clients: 3, call: calls[call]!, uncertain: 25 };
		const seen = { ok: 0, illegal: 0 };
		eachHistory(shape, (history, isChanged) => {
			const { operations } = history;
			const isLegal = isLinearizable(operations, object);
			if (!isChanged) expect(isLegal).toBe(true);
			const { verdict, partitions } = checkLinearizability(history, model);
			const hasAnswers = operations.some(({ outcome }) => outcome === "ok");
			expect(verdict).toBe(isLegal ? (hasAnswers ? "ok" : "unknown") : "illegal");
			if (isLegal) {
				seen.ok++;
				return;
			}
			seen.illegal++;
			const offending = partitions.flatMap(({ verdict: own }) =>
				own.type === "illegal" && own.offending !== null ? [own.offending] : [],
			);
			const ends = operations.filter(({ outcome }) => outcome === "ok").sort((a, b) => a.end - b.end);
			const first = ends.find(({ end }) => !isLinearizable(prefixThrough(operations, end), object));
			// Of several keys each has its own; the first of all is the whole history's.
			const earliest = offending.reduce((best, own) => (own.operation.end < best.operation.end ? own : best));
			expect(earliest.operation.id).toBe(first?.id);
			expect(isLinearizable(prefixThrough(operations, earliest.operation.end - 1), object)).toBe(true);
		});
		// A test that sees one verdict only says nothing.
		expect(Math.min(seen.ok, seen.illegal)).toBeGreaterThan(RUNS / 20);
	});

	if (model.foresee !== undefined) {
		test(`${call}: foresight changes no verdict`, () => {
			const { foresee: _, ...blind } = model;
			const shape: Shape = { object, operations: 30, clients: 4, call: calls[call]!, uncertain: 8 };
			let compared = 0;
			eachHistory(shape, (history) => {
				const [seeing, plain] = [model, blind].map((own) => checkLinearizability(history, own, { stepsMax: 40_000 }));
				if (seeing?.verdict === "unknown" || plain?.verdict === "unknown") return;
				compared++;
				expect(seeing?.verdict).toBe(plain?.verdict);
				const offending = [seeing, plain].map((report) =>
					report?.partitions.map(({ verdict }) =>
						verdict.type === "illegal" ? verdict.offending?.operation.id : null,
					),
				);
				// Whoever has no steps left to look for the operation names none.
				if (offending.some((ids) => ids?.includes(undefined))) return;
				expect(offending[0]).toEqual(offending[1]);
			});
			expect(compared).toBeGreaterThan(RUNS / 2);
		});
	}
}

test("list-append: a cycle, or what it finds besides, is there exactly when there is no serial order", () => {
	const shape: Shape = { object: "kv", operations: 7, clients: 3, call: calls["kv transactions"]!, uncertain: 15 };
	const seen = { ok: 0, illegal: 0 };
	eachHistory(shape, (history) => {
		const isLegal = isLinearizable(history.operations, "kv");
		const { verdict } = checkListAppend(history);
		if (verdict === "unknown") {
			expect(isLegal).toBe(true);
			return;
		}
		expect(verdict).toBe(isLegal ? "ok" : "illegal");
		seen[verdict]++;
	});
	expect(Math.min(seen.ok, seen.illegal)).toBeGreaterThan(RUNS / 20);
});
