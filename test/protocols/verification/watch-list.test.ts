/**
 * Goal: a watch list tells for each property what was found, where, and what was never shown; a property that throws is
 * named as the fault it is.
 * Method: properties of numbers, told by hand.
 */
import { describe, expect, it } from "vitest";
import { QuorateError } from "../../../protocols/core/index.ts";
import {
	type Finding,
	holds,
	type Property,
	type PropertyKind,
	violated,
	type Watcher,
	WatchList,
} from "../../../protocols/verification/index.ts";

interface Numbered {
	readonly type: "number" | "other";
	readonly value: number;
}

const numbers = (...values: number[]): Numbered[] => values.map((value) => ({ type: "number", value }));

function property(
	kind: PropertyKind,
	observe: (value: number) => Finding | null,
	more: Partial<Property<Numbered>> = {},
): Property<Numbered> {
	const watcher: Watcher<Numbered> = { observe: ({ value }) => observe(value), state: null, copy: () => watcher };
	return { id: kind, kind, statement: "It is so.", source: "here", needs: "events", watch: () => watcher, ...more };
}

const below = (limit: number) => (value: number) => (value < limit ? holds : violated({ value, limit }));

function watch(properties: readonly Property<Numbered>[], observations: readonly Numbered[]): WatchList<Numbered> {
	const list = new WatchList(properties);
	for (const observation of observations) list.observe(observation);
	return list;
}

describe("a watch list", () => {
	it("keeps the first violation of an always, with its position and details, and counts evaluations", () => {
		const list = watch([property("always", below(3))], numbers(1, 2, 5, 4, 1));
		const violation = { property: "always", position: 2, details: { value: 5, limit: 3 } };
		expect(list.violation).toEqual(violation);
		expect(list.observations).toBe(5);
		expect(list.results[0]).toMatchObject({ verdict: "violated", evaluations: 3, violation });
	});

	it("tells the earliest violation of all", () => {
		const properties = [property("always", below(9), { id: "late" }), property("always", below(3), { id: "early" })];
		const list = watch(properties, numbers(1, 5, 9));
		expect(list.violation?.property).toBe("early");
		expect(list.results.map(({ violation }) => violation?.position)).toEqual([2, 1]);
	});

	it("tells at once what decides a property: the first violation of an always, the first witness of a sometimes", () => {
		const told: string[] = [];
		const witness = property("sometimes", (value) => (value > 3 ? holds : null));
		const list = new WatchList(
			[property("always", below(3)), witness, property("eventually", below(1))],
			"events",
			(of, finding) => {
				told.push(`${list.observations} ${of.id} ${finding.type}`);
			},
		);
		for (const observation of numbers(1, 5, 4, 1, 6)) list.observe(observation);
		expect(told).toEqual(["2 always violated", "2 sometimes holds"]);
	});

	it("takes the last evaluation of an eventually", () => {
		const settles = property("eventually", (value) => (value === 0 ? null : below(3)(value)));
		expect(watch([settles], numbers(5, 1, 0)).results[0]).toMatchObject({ verdict: "holds", violation: null });
		const list = watch([settles], numbers(1, 5, 0));
		expect(list.results[0]).toMatchObject({ verdict: "violated", violation: { position: 1 } });
		expect(list.violation).toBeNull();
	});

	it("counts the witnesses of a sometimes, and only them", () => {
		const list = watch([property("sometimes", below(3))], numbers(1, 5, 2));
		expect(list.results[0]).toMatchObject({ verdict: "holds", evaluations: 2, violation: null });
		expect(watch([property("sometimes", below(3))], numbers(5)).results[0]).toMatchObject({ verdict: "vacuous" });
	});

	it("knows what was never evaluated", () => {
		const never = (): null => null;
		const list = watch([property("always", never), property("eventually", never)], numbers(1, 2));
		expect(list.results.map(({ verdict }) => verdict)).toEqual(["vacuous", "vacuous"]);
	});

	it.each([
		["events", ["holds", "out-of-sight", "out-of-sight"]],
		["machine", ["holds", "holds", "out-of-sight"]],
		["disk", ["holds", "holds", "holds"]],
	] as const)("leaves out what an observer of depth %s can not see", (depth, verdicts) => {
		const depths = ["events", "machine", "disk"] as const;
		const list = new WatchList(
			depths.map((needs) => property("always", below(3), { id: needs, needs })),
			depth,
		);
		for (const observation of numbers(1)) list.observe(observation);
		expect(list.results.map(({ verdict }) => verdict)).toEqual(verdicts);
	});

	it("shows a property only the observations it looks at", () => {
		const shown: number[] = [];
		const note = (value: number): null => {
			shown.push(value);
			return null;
		};
		const picky = property("always", note, { observes: ["other"] });
		watch([picky], [...numbers(1), { type: "other", value: 2 }, ...numbers(3)]);
		expect(shown).toEqual([2]);
	});

	it("names a property that throws, with what it threw as the cause", () => {
		const cause = new RangeError("beyond");
		const faulty = property("always", (value) => {
			if (value === 2) throw cause;
			return holds;
		});
		const list = watch([property("sometimes", below(3)), faulty], numbers(1));
		const observe = (): void => list.observe({ type: "number", value: 2 });
		const details = { property: "always", position: 1, reason: "beyond" };
		expect(observe).toThrow(expect.objectContaining({ code: "property-threw", details, cause }));
		expect(observe).toThrow(QuorateError);
	});

	it("refuses two properties of one name", () => {
		const twice = [property("always", below(3)), property("always", below(4))];
		expect(() => new WatchList(twice)).toThrow(
			expect.objectContaining({ code: "property-repeated", details: { property: "always" } }),
		);
	});
});
