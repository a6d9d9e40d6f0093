/**
 * Goal: packed states are equal exactly when the states are, under every renaming of the nodes. Method: random plain data
 * against `canonicalText`, which is another way to the same answer.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { canonicalText } from "../../../../protocols/core/index.ts";
import { allRenamings } from "../../../../protocols/verification/model-checker/component-table.ts";
import { StateEncoder } from "../../../../protocols/verification/model-checker/state-encoder.ts";

const nodes = ["n1", "n2", "n3"];
const leaf = fc.oneof(
	fc.integer({ min: -3, max: 3 }).map((value) => value + 0),
	fc.constantFrom(70_000, 2 ** 40, 0.5, true, false, null, undefined, "follower", "n", "", ...nodes),
	fc.uint8Array({ maxLength: 3 }),
);
const data = fc.letrec((tie) => ({
	value: fc.oneof(
		{ maxDepth: 3 },
		leaf,
		fc.array(tie("value"), { maxLength: 3 }),
		fc.dictionary(fc.constantFrom("a", "b", "c", "n1", "n2"), tie("value"), { maxKeys: 3 }),
		fc.array(fc.tuple(leaf, tie("value")), { maxLength: 3 }).map((pairs) => new Map(pairs)),
		fc.array(leaf, { maxLength: 3 }).map((items) => new Set(items)),
	),
})).value;

function renamed(value: unknown, order: readonly number[]): unknown {
	if (typeof value === "string") return nodes.includes(value) ? nodes[order[nodes.indexOf(value)]!] : value;
	if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
	const of = (item: unknown): unknown => renamed(item, order);
	if (Array.isArray(value)) return value.map(of);
	if (value instanceof Set) return new Set([...value].map(of));
	if (value instanceof Map) return new Map([...value].map(([key, item]) => [of(key), of(item)]));
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [of(key), of(item)]));
}

function keyOf(encoder: StateEncoder, value: unknown, order: readonly number[]): string {
	encoder.encode(value, order);
	return `${encoder.key}/${encoder.high}/${encoder.low}`;
}

it("tells apart what canonical texts tell apart, and nothing else", () => {
	const encoder = new StateEncoder(nodes);
	const texts = new Map<string, string>();
	const keys = new Map<string, string>();
	fc.assert(
		fc.property(data, (value) => {
			const key = keyOf(encoder, value, [0, 1, 2]);
			const text = canonicalText(value);
			expect(texts.get(key) ?? text).toBe(text);
			expect(keys.get(text) ?? key).toBe(key);
			texts.set(key, text);
			keys.set(text, key);
		}),
		{ numRuns: 3_000 },
	);
	expect(texts.size).toBeGreaterThan(300);
});

it("writes a value under a renaming as it writes the renamed value", () => {
	const encoder = new StateEncoder(nodes);
	fc.assert(
		fc.property(data, fc.constantFrom(...allRenamings(3)), (value, order) => {
			expect(keyOf(encoder, value, order)).toBe(keyOf(encoder, renamed(value, order), [0, 1, 2]));
		}),
		{ numRuns: 500 },
	);
	expect(allRenamings(3)[0]).toEqual([0, 1, 2]);
	expect(new Set(allRenamings(4).map(String)).size).toBe(24);
});

it("writes what is frozen as it writes what is not, each time and under each renaming", () => {
	const encoder = new StateEncoder(nodes);
	const record = fc.dictionary(fc.constantFrom("a", "b", "n1", "n3"), data, { maxKeys: 3 });
	fc.assert(
		fc.property(
			record,
			fc.array(fc.constantFrom(...allRenamings(3)), { minLength: 1, maxLength: 8 }),
			(plain, orders) => {
				const frozen = Object.freeze({ ...plain });
				for (const order of orders) {
					expect(keyOf(encoder, ["before", frozen, "after"], order)).toBe(
						keyOf(encoder, ["before", plain, "after"], order),
					);
				}
			},
		),
		{ numRuns: 300 },
	);
});
