/**
 * Goal: each strategy stops and starts exactly whom OTP stops and starts, in OTP's order.
 * Method: one named case per rule, then random groups of children against what must hold for every plan.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	type ChildStanding,
	endsSupervisor,
	mustRestart,
	planRestart,
	type Strategy,
} from "../../../supervisors/index.ts";

const child = (id: string, more: Partial<ChildStanding> = {}): ChildStanding => ({
	id,
	restart: "permanent",
	significant: false,
	alive: true,
	...more,
});
const abcd = ["a", "b", "c", "d"].map((id) => child(id));

describe("planRestart", () => {
	it("one-for-one concerns the failed child alone", () => {
		expect(planRestart("one-for-one", "b", abcd)).toEqual({ stop: [], forget: [], start: ["b"] });
	});

	it("one-for-all stops the others in reverse and starts all in start order", () => {
		expect(planRestart("one-for-all", "b", abcd)).toEqual({
			stop: ["d", "c", "a"],
			forget: [],
			start: ["a", "b", "c", "d"],
		});
	});

	it("rest-for-one stops those after it in reverse and starts it and them in start order", () => {
		expect(planRestart("rest-for-one", "b", abcd)).toEqual({ stop: ["d", "c"], forget: [], start: ["b", "c", "d"] });
		expect(planRestart("rest-for-one", "d", abcd)).toEqual({ stop: [], forget: [], start: ["d"] });
	});

	it("stops but never starts a temporary sibling", () => {
		const group = [child("a"), child("b", { restart: "temporary" }), child("c")];
		expect(planRestart("one-for-all", "c", group)).toEqual({ stop: ["b", "a"], forget: ["b"], start: ["a", "c"] });
	});

	it("starts a concerned sibling that was down before, and does not stop it again", () => {
		const group = [child("a"), child("b", { restart: "transient", alive: false }), child("c")];
		expect(planRestart("one-for-all", "a", group)).toEqual({ stop: ["c"], forget: [], start: ["a", "b", "c"] });
	});

	it("holds for every group: stops in reverse, starts in order, each concerned child in its place", () => {
		const groups = fc.record({
			strategy: fc.constantFrom<Strategy>("one-for-one", "one-for-all", "rest-for-one"),
			at: fc.nat(),
			kinds: fc.array(
				fc.record({
					restart: fc.constantFrom<ChildStanding["restart"]>("permanent", "transient", "temporary"),
					alive: fc.boolean(),
				}),
				{ minLength: 1, maxLength: 9 },
			),
		});
		fc.assert(
			fc.property(groups, ({ strategy, at, kinds }) => {
				const group = kinds.map((kind, index) => child(`c${index}`, kind));
				const failed = at % group.length;
				const plan = planRestart(strategy, `c${failed}`, group);
				const position = (id: string): number => group.findIndex((one) => one.id === id);
				const inOrder = (ids: readonly string[]): boolean =>
					ids.every((id, index) => index === 0 || position(ids[index - 1] ?? "") < position(id));
				expect(inOrder(plan.start)).toBe(true);
				expect(inOrder([...plan.stop].reverse())).toBe(true);
				for (const [index, one] of group.entries()) {
					const concerned =
						index === failed || strategy === "one-for-all" || (strategy === "rest-for-one" && index > failed);
					expect(plan.start.includes(one.id)).toBe(concerned && (index === failed || one.restart !== "temporary"));
					expect(plan.stop.includes(one.id)).toBe(concerned && index !== failed && one.alive);
				}
			}),
		);
	});
});

describe("mustRestart", () => {
	it.each([
		["permanent", "normal", true],
		["permanent", "abnormal", true],
		["transient", "normal", false],
		["transient", "abnormal", true],
		["temporary", "normal", false],
		["temporary", "abnormal", false],
	] as const)("a %s child after a(n) %s end: %s", (restart, ending, expected) => {
		expect(mustRestart(restart, ending)).toBe(expected);
	});
});

describe("endsSupervisor", () => {
	const significant = (id: string, alive = true): ChildStanding =>
		child(id, { restart: "transient", significant: true, alive });

	it("never: not even with the last significant child", () => {
		expect(endsSupervisor("never", significant("a", false), [])).toBe(false);
	});

	it("any-significant: with the first significant child", () => {
		expect(endsSupervisor("any-significant", significant("a", false), [significant("b")])).toBe(true);
	});

	it("all-significant: with the last significant child only", () => {
		expect(endsSupervisor("all-significant", significant("a", false), [significant("b"), child("c")])).toBe(false);
		expect(endsSupervisor("all-significant", significant("a", false), [significant("b", false), child("c")])).toBe(
			true,
		);
	});

	it("an insignificant child's end changes nothing", () => {
		expect(endsSupervisor("any-significant", child("a", { alive: false }), [])).toBe(false);
		expect(endsSupervisor("all-significant", child("a", { alive: false }), [])).toBe(false);
	});
});
