/**
 * Goal: the log behaves as a plain list of entries behind a base does, whatever is done to it, and never counts as durable
 * what the disk does not have.
 * Method: random sequences of operations against a simple model (fast-check), with a disk that holds what was handed to
 * it; and the searches of the conflict hints against their definition.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../protocols/core/index.ts";
import type { Entry, LogIndex, Term } from "../../../protocols/raft/entry.ts";
import { RaftLog } from "../../../protocols/raft/log.ts";
import { command, entriesOf, index, term } from "./lone-machine.ts";

interface Model {
	base: number;
	baseTerm: number;
	entries: Entry[];
}

type Operation =
	| { readonly type: "push"; readonly termStep: number }
	| { readonly type: "truncate" | "compact"; readonly at: number }
	| { readonly type: "hand" }
	| { readonly type: "reset"; readonly ahead: number };

const operation: fc.Arbitrary<Operation> = fc.oneof(
	{ weight: 8, arbitrary: fc.record({ type: fc.constant("push" as const), termStep: fc.nat(1) }) },
	{
		weight: 2,
		arbitrary: fc.record({ type: fc.constantFrom("truncate" as const, "compact" as const), at: fc.nat(1000) }),
	},
	{ weight: 2, arbitrary: fc.record({ type: fc.constant("hand" as const) }) },
	{ weight: 1, arbitrary: fc.record({ type: fc.constant("reset" as const), ahead: fc.integer({ min: 1, max: 5 }) }) },
);

/** Does the same to the log and to the model. What the model does not allow at the moment is left out. */
function perform(log: RaftLog, model: Model, step: Operation): void {
	const last = model.base + model.entries.length;
	const lastTerm = model.entries.at(-1)?.term ?? model.baseTerm;
	switch (step.type) {
		case "push": {
			const entry = command(lastTerm + step.termStep, `${last + 1}`);
			log.push(entry);
			model.entries.push(entry);
			return;
		}
		case "truncate": {
			if (model.entries.length === 0) return;
			const keep = step.at % model.entries.length;
			log.truncateFrom(index(model.base + keep + 1));
			model.entries.length = keep;
			return;
		}
		case "compact": {
			const handed = log.handedThrough - model.base;
			if (handed <= 0) return;
			const count = (step.at % handed) + 1;
			log.compactThrough(index(model.base + count));
			model.baseTerm = (model.entries[count - 1] as Entry).term;
			model.entries.splice(0, count);
			model.base += count;
			return;
		}
		case "hand":
			log.handedThrough = log.lastIndex;
			log.cutFrom = null;
			return;
		case "reset":
			model.base = last + step.ahead;
			model.baseTerm = lastTerm;
			model.entries = [];
			log.resetTo(index(model.base), term(model.baseTerm));
	}
}

describe("RaftLog", () => {
	it("is a list of entries behind a base, through any sequence of operations", () => {
		fc.assert(
			fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
				const log = new RaftLog(index(0), term(0), []);
				const model: Model = { base: 0, baseTerm: 0, entries: [] };
				for (const step of operations) {
					perform(log, model, step);
					const last = model.base + model.entries.length;
					expect([log.baseIndex, log.lastIndex]).toEqual([model.base, last]);
					expect(log.lastTerm).toBe(model.entries.at(-1)?.term ?? model.baseTerm);
					expect(log.durableThrough).toBeLessThanOrEqual(log.lastIndex);
					expect(log.handedThrough).toBeLessThanOrEqual(log.lastIndex);
				}
				for (const same of [log, log.copy()]) {
					const { lastIndex, baseIndex } = same;
					const all = lastIndex > baseIndex ? same.copyOf(index(baseIndex + 1), lastIndex) : [];
					expect(all).toEqual(model.entries);
					expect(same.termAt(baseIndex)).toBe(model.baseTerm);
					expect(same.baseTerm).toBe(model.baseTerm);
					expect(same.termAt(index(lastIndex + 1))).toBe(undefined);
					expect(baseIndex === 0 || same.termAt(index(baseIndex - 1)) === undefined).toBe(true);
				}
				expect(log.copy().view).toEqual(log.view);
			}),
			{ numRuns: 300, seed: 7 },
		);
	});

	it("frees what is compacted, and finds everything still, over many compactions", () => {
		const log = new RaftLog(index(0), term(0), []);
		for (let i = 1; i <= 10_000; i++) {
			log.push(command(1, `${i}`));
			if (i % 100 !== 0) continue;
			log.handedThrough = log.lastIndex;
			log.compactThrough(index(i - 10));
			expect(log.entryAt(index(i - 9)).data).toEqual(command(1, `${i - 9}`).data);
		}
		expect((log.view as { entries: unknown[] }).entries).toHaveLength(10);
	});

	it("a copy is independent", () => {
		const log = new RaftLog(index(0), term(0), entriesOf([1, 1]));
		const copy = log.copy();
		copy.push(command(2));
		log.truncateFrom(index(2));
		expect([log.lastIndex, copy.lastIndex]).toEqual([1, 3]);
	});

	it("equal logs have equal views, however they came to be", () => {
		const straight = new RaftLog(index(2), term(1), entriesOf([1, 1, 1, 2]).slice(2));
		const winding = new RaftLog(index(0), term(0), entriesOf([1, 1, 1, 2]));
		winding.compactThrough(index(2));
		expect(winding.view).toEqual(straight.view);
	});

	it("lastIndexWithTermAtMost is the largest index within the log whose term is small enough, or the base", () => {
		const terms = fc.array(fc.nat(3), { maxLength: 12 }).map((steps) => {
			let sum = 1;
			return steps.map((step) => {
				sum += step > 1 ? 1 : 0;
				return sum;
			});
		});
		fc.assert(
			fc.property(terms, fc.nat(15), fc.nat(6), (logTerms, at, atMost) => {
				const log = new RaftLog(index(0), term(0), entriesOf(logTerms));
				const expected = logTerms.reduce((best, own, i) => (i < at && own <= atMost ? i + 1 : best), 0);
				expect(log.lastIndexWithTermAtMost(at as LogIndex, atMost as Term)).toBe(expected);
			}),
			{ seed: 7 },
		);
	});

	it("refuses what would lose something: compacting what was never handed to the disk, cutting what it does not have", () => {
		const log = new RaftLog(index(0), term(0), []);
		log.push(command(1));
		expect(() => log.compactThrough(index(1))).toThrow(AssertionError);
		expect(() => log.truncateFrom(index(2))).toThrow(AssertionError);
	});
});
