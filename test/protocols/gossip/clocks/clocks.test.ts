/**
 * Goal: clocks say before, after and concurrent exactly as the history does, and siblings are what nobody has overwritten (GOS-9,
 * GOS-10). Method: random histories of three members, held against the events themselves (each event's whole past as a set).
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import {
	advance,
	clockEntries,
	compareClocks,
	joinClocks,
	joinSiblings,
	noSiblings,
	pruneClock,
	type Siblings,
	settleSiblings,
	type VectorClock,
	writeSibling,
} from "../../../../protocols/gossip/index.ts";

const ids = ["a", "b", "c"].map(nodeId) as [NodeId, NodeId, NodeId];
const step = fc.record({ who: fc.nat(2), from: fc.nat(2) });

describe("vector clocks (Mattern 1989)", () => {
	it("compare as the pasts of events do", () => {
		fc.assert(
			fc.property(fc.array(step, { minLength: 2, maxLength: 25 }), (steps) => {
				const clocks: VectorClock[] = ids.map(() => new Map());
				const pasts: Set<number>[] = ids.map(() => new Set());
				const events: { clock: VectorClock; past: ReadonlySet<number> }[] = [];
				for (const [event, { who, from }] of steps.entries()) {
					clocks[who] = advance(
						joinClocks(clocks[who] as VectorClock, clocks[from] as VectorClock),
						ids[who] as NodeId,
					);
					pasts[who] = new Set([...(pasts[who] as Set<number>), ...(pasts[from] as Set<number>), event]);
					events.push({ clock: clocks[who], past: pasts[who] });
				}
				events.forEach((one, i) => {
					events.forEach((other, j) => {
						const expected =
							i === j ? "equal" : other.past.has(i) ? "before" : one.past.has(j) ? "after" : "concurrent";
						expect(compareClocks(one.clock, other.clock)).toBe(expected);
					});
				});
			}),
		);
	});

	it("a member that is gone is pruned where its last event is known, and only there", () => {
		const [a, b] = ids;
		const clock = new Map([
			[a, 3],
			[b, 2],
		]);
		expect(clockEntries(pruneClock(clock, new Map([[b, 2]])))).toEqual([[a, 3]]);
		expect(clockEntries(pruneClock(clock, new Map([[b, 3]])))).toEqual([
			[a, 3],
			[b, 2],
		]);
	});
});

describe("dotted version vectors (Preguiça et al. 2012)", () => {
	it("two clients that write through one member what both have read give two siblings", () => {
		const [a] = ids;
		const first = writeSibling<string>(noSiblings, new Map(), a, "v1");
		const read = first.context;
		const second = writeSibling(first, read, a, "v2");
		const third = writeSibling(second, read, a, "v3");
		expect(third.values.map(({ value }) => value)).toEqual(["v2", "v3"]);
		expect(writeSibling(third, third.context, a, "v4").values.map(({ value }) => value)).toEqual(["v4"]);
	});

	it("a member that has lost what it held numbers its writes behind all that its client has read of it", () => {
		const [a] = ids;
		const written = writeSibling<string>(noSiblings, new Map([[a, 5]]), a, "new");
		expect(written.values).toEqual([{ dot: { node: a, count: 6 }, value: "new" }]);
	});

	it("hold exactly the values that no later write has seen, after any exchange", () => {
		const action = fc.oneof(
			fc.record({ type: fc.constant("write" as const), who: fc.nat(2), client: fc.nat(2) }),
			fc.record({ type: fc.constant("read" as const), who: fc.nat(2), client: fc.nat(2) }),
			fc.record({ type: fc.constant("join" as const), who: fc.nat(2), from: fc.nat(2) }),
		);
		fc.assert(
			fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
				const held: Siblings<number>[] = ids.map(() => noSiblings);
				const seenBy: VectorClock[] = [new Map(), new Map(), new Map()];
				// The same by sets: what each member has heard of, and what each write had seen.
				const heard: Set<number>[] = ids.map(() => new Set());
				const known: Set<number>[] = [new Set(), new Set(), new Set()];
				const overwrites: Set<number>[] = [];
				for (const each of actions) {
					const { who } = each;
					if (each.type === "write") {
						const value = overwrites.length;
						held[who] = writeSibling(
							held[who] as Siblings<number>,
							seenBy[each.client] as VectorClock,
							ids[who] as NodeId,
							value,
						);
						overwrites.push(new Set(known[each.client]));
						heard[who] = new Set([...(heard[who] as Set<number>), ...(known[each.client] as Set<number>), value]);
					} else if (each.type === "read") {
						seenBy[each.client] = (held[who] as Siblings<number>).context;
						known[each.client] = new Set(heard[who]);
					} else {
						held[who] = joinSiblings(held[who] as Siblings<number>, held[each.from] as Siblings<number>);
						heard[who] = new Set([...(heard[who] as Set<number>), ...(heard[each.from] as Set<number>)]);
					}
					const all = [...(heard[who] as Set<number>)];
					const living = all.filter((value) => !all.some((later) => overwrites[later]?.has(value)));
					const found = (held[who] as Siblings<number>).values.map(({ value }) => value).sort((x, y) => x - y);
					expect(found).toEqual(living.sort((x, y) => x - y));
				}
			}),
		);
	});

	it("joining is commutative, associative and idempotent in what is held", () => {
		const [a, b, c] = ids;
		const one = writeSibling<string>(noSiblings, new Map(), a, "x");
		const two = writeSibling(one, new Map(), b, "y");
		const three = writeSibling(one, one.context, c, "z");
		const values = (siblings: Siblings<string>): string[] => siblings.values.map(({ value }) => value).sort();
		expect(values(joinSiblings(two, three))).toEqual(values(joinSiblings(three, two)));
		expect(values(joinSiblings(joinSiblings(one, two), three))).toEqual(
			values(joinSiblings(one, joinSiblings(two, three))),
		);
		expect(values(joinSiblings(two, two))).toEqual(values(two));
	});

	it("siblings are settled alike wherever they are, by a rule of the application", () => {
		const [a, b] = ids;
		const one = writeSibling<number>(noSiblings, new Map(), a, 3);
		const two = writeSibling<number>(noSiblings, new Map(), b, 4);
		const settle = (held: Siblings<number>): Siblings<number> =>
			settleSiblings(held, a, (values) => values.reduce((x, y) => x * 10 + y, 0));
		expect(settle(joinSiblings(one, two)).values.map(({ value }) => value)).toEqual([34]);
		expect(settle(joinSiblings(two, one)).values.map(({ value }) => value)).toEqual([34]);
		expect(settle(one)).toBe(one);
	});
});
