/**
 * Goal: the search says what is true of a model, and no more than it saw. Method: models whose answers are known (Peterson's
 * algorithm, the dining philosophers, counters), each with a twin that must be refused; every counterexample is walked
 * again through the model.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalText } from "../../../../protocols/core/index.ts";
import {
	exploreModel,
	type Model,
	modelSpace,
	Search,
} from "../../../../protocols/verification/model-checker/index.ts";
import { peterson, philosophers } from "./toy-models.ts";

const bounds = { statesMax: 100_000 };

/** Counts up to a bound; violated at `bad`, if that is within. */
function counter(limit: number, bad: number): Model<number, string> {
	return {
		name: "counter",
		initial: [0],
		actions: () => ["one", "two"],
		next: (state, action) => state + (action === "one" ? 1 : 2),
		properties: [{ id: "never-bad", kind: "always", statement: "", holds: (state) => state !== bad }],
		isWithin: (state) => state <= limit,
	};
}

describe("always and sometimes", () => {
	it("explores Peterson's algorithm to the end and finds it safe", () => {
		const result = exploreModel(peterson(), bounds);
		expect(result).toMatchObject({ verdict: "proved", exhausted: true, distinct: 20, frontier: 0, boundaryHits: 0 });
		const model = peterson();
		const seen = new Map(model.initial.map((state) => [JSON.stringify(state), state]));
		for (const state of seen.values()) {
			for (const process of [0, 1] as const) {
				const next = model.next(state, process);
				if (next !== null) seen.set(JSON.stringify(next), next);
			}
		}
		expect(seen.size).toBe(20);
		expect(result.properties.map(({ outcome }) => outcome)).toEqual(["holds", "witnessed"]);
	});

	it("finds the shortest way into the broken twin", () => {
		const { verdict, exhausted, counterexample } = exploreModel(peterson(true), bounds);
		expect({ verdict, exhausted }).toEqual({ verdict: "violated", exhausted: false });
		// Three steps a process, and none can be left out.
		expect(counterexample?.steps.length).toBe(6);
		expect(counterexample?.steps.at(-1)?.state.join()).toContain("at");
	});

	it("judges what lies beyond the bounds, and explores nothing there", () => {
		expect(exploreModel(counter(10, 12), bounds)).toMatchObject({ verdict: "violated", distinct: 11 });
		expect(exploreModel(counter(10, 13), bounds)).toMatchObject({ verdict: "proved", distinct: 11, boundaryHits: 3 });
	});

	it("a search that was cut is no proof", () => {
		const result = exploreModel(counter(1_000, 2_000), { statesMax: 100 });
		expect(result).toMatchObject({ verdict: "bounded", exhausted: false });
		expect(result.frontier).toBeGreaterThan(0);
	});

	it("a sometimes without a witness makes the rest vacuous", () => {
		const model = counter(10, 99);
		const never = { id: "reaches-99", kind: "sometimes", statement: "", holds: (s: number) => s === 99 } as const;
		const result = exploreModel({ ...model, properties: [...model.properties, never] }, bounds);
		expect(result).toMatchObject({ verdict: "vacuous", exhausted: true });
	});

	it("an initial state may be the violation", () => {
		const { counterexample } = exploreModel(counter(10, 0), bounds);
		expect(counterexample).toMatchObject({ property: "never-bad", steps: [], initial: ["0"] });
	});

	it("finds as many states, and as short ways, as a plain breadth-first search", () => {
		fc.assert(
			fc.property(fc.array(fc.array(fc.nat(19), { maxLength: 3 }), { minLength: 20, maxLength: 20 }), (edges) => {
				const depths = new Map([[0, 0]]);
				for (const [state, depth] of depths) {
					for (const next of edges[state] ?? []) if (!depths.has(next)) depths.set(next, depth + 1);
				}
				const model = (bad: number): Model<number, number> => ({
					name: "graph",
					initial: [0],
					actions: (state) => [...new Set(edges[state])],
					next: (_, target) => target,
					properties: [{ id: "avoids", kind: "always", statement: "", holds: (state) => state !== bad }],
					isWithin: () => true,
				});
				expect(exploreModel(model(-1), bounds).distinct).toBe(depths.size);
				for (const [state, depth] of depths) {
					expect(exploreModel(model(state), bounds).counterexample?.steps.length).toBe(depth);
				}
			}),
			{ numRuns: 50 },
		);
	});
});

describe("symmetry", () => {
	/** Processes that take a lock in turn: [idle, waiting, holding], and who may be served is anybody. */
	function lock(count: number, hasSymmetry: boolean, isBroken = false): Model<readonly number[], number> {
		return {
			name: "lock",
			initial: [new Array<number>(count).fill(0)],
			actions: (state) => state.map((_, who) => who),
			next: (state, who) => {
				if (state[who] === 1 && !isBroken && state.includes(2)) return null;
				return state.with(who, ((state[who] ?? 0) + 1) % 3);
			},
			properties: [
				{
					id: "exclusion",
					kind: "always",
					statement: "",
					holds: (state) => state.filter((place) => place === 2).length <= 1,
				},
			],
			isWithin: () => true,
			...(hasSymmetry ? { renamings: (state: readonly number[]) => [[...state].sort((a, b) => a - b)] } : {}),
		};
	}

	it("counts states that differ by names once, and agrees on verdicts", () => {
		const full = exploreModel(lock(6, false), bounds);
		const reduced = exploreModel(lock(6, true), bounds);
		// 2^6 without a holder, 6 · 2^5 with one; and by how many wait: 7 and 6.
		expect([full.distinct, reduced.distinct]).toEqual([256, 13]);
		expect([full.verdict, reduced.verdict]).toEqual(["proved", "proved"]);
		const broken = [lock(6, false, true), lock(6, true, true)].map((model) => exploreModel(model, bounds));
		expect(broken.map(({ counterexample }) => counterexample?.steps.length)).toEqual([4, 4]);
	});

	it("is refused beside an eventually", () => {
		const model = { ...philosophers(3, true), renamings: () => [] };
		expect(() => exploreModel(model, bounds)).toThrow(expect.objectContaining({ code: "model-malformed" }));
	});
});

describe("eventually", () => {
	/** Walks a lasso through the model: every step exists, the cycle closes, and nobody eats on the way. */
	function expectRealLasso(model: Model<readonly number[], number>): { readonly stop: readonly number[] } {
		const { verdict, counterexample } = exploreModel(model, bounds);
		expect(verdict).toBe("violated");
		let state = model.initial[0] ?? [];
		let start = state;
		for (const [number, { action, state: shown }] of (counterexample?.steps ?? []).entries()) {
			if (number === counterexample?.cycleFrom) start = state;
			const next = model.next(state, Number(action));
			expect(canonicalText(next)).toBe(shown.join());
			state = next ?? [];
			expect(model.properties[0]?.holds(state)).toBe(false);
		}
		if (counterexample?.cycleFrom === counterexample?.steps.length) start = state;
		expect(state).toEqual(start);
		return { stop: state };
	}

	it("philosophers who all take the left fork first may wait for ever", () => {
		expect(expectRealLasso(philosophers(3, false)).stop).toEqual([1, 1, 1]);
	});

	it("with a left-handed one somebody always eats", () => {
		expect(exploreModel(philosophers(3, true), bounds)).toMatchObject({ verdict: "proved", exhausted: true });
	});

	it("who eats is not promised: one may be passed over by neighbours that take turns", () => {
		const table = philosophers(3, true);
		const model = {
			...table,
			properties: [{ ...table.properties[0]!, holds: (state: readonly number[]) => state[0] === 2 }],
		};
		expectRealLasso(model);
		expect(exploreModel(model, bounds).counterexample?.cycleFrom).not.toBe(null);
	});

	it("nothing is promised where nothing is fair: a run may stop", () => {
		const { fairness: _none, ...model } = philosophers(3, true);
		expect(exploreModel(model, bounds).counterexample).toMatchObject({ steps: [], cycleFrom: 0 });
	});

	it("is not judged before everything is explored", () => {
		const result = exploreModel(philosophers(5, true), { statesMax: 5 });
		expect(result.properties[0]?.outcome).toBe("undecided");
	});
});

describe("bad models", () => {
	it("a model without bounds is a typed error", () => {
		const { isWithin: _none, ...model } = counter(1, 2);
		expect(() => exploreModel(model as Model<number, string>, bounds)).toThrow(
			expect.objectContaining({ code: "model-unbounded", details: expect.objectContaining({ bound: "isWithin" }) }),
		);
		for (const statesMax of [undefined, 0, 1.5, Number.POSITIVE_INFINITY, Number.NaN]) {
			expect(() => new Search(modelSpace(counter(1, 2)), { statesMax: statesMax as number })).toThrow(
				expect.objectContaining({ code: "model-unbounded" }),
			);
		}
	});

	it("a property that throws is named", () => {
		const broken = {
			id: "broken",
			kind: "always",
			statement: "",
			holds: () => {
				throw new Error("no judge");
			},
		} as const;
		expect(() => exploreModel({ ...counter(1, 9), properties: [broken] }, bounds)).toThrow(
			expect.objectContaining({ code: "property-threw", details: { property: "broken", reason: "no judge" } }),
		);
	});
});
