/**
 * Goal: every impossible membership is refused with its values, every possible one is ordered, an even one is noted.
 * Method: one example per rule.
 */
import { describe, expect, it } from "vitest";
import { NODES_MAX } from "../../../actors/swarm/contract.ts";
import { membershipOf } from "../../../actors/swarm/nodes.ts";

describe("membership", () => {
	it("numbers the members of a count", () => {
		expect(membershipOf(3)).toEqual({ nodes: ["node-1", "node-2", "node-3"], notes: [] });
	});

	it("orders names by code units, also past ten", () => {
		expect(membershipOf(["b", "C", "a"]).nodes).toEqual(["C", "a", "b"]);
		expect(membershipOf(11).nodes.slice(0, 3)).toEqual(["node-1", "node-10", "node-11"]);
	});

	it("notes an even count in one line", () => {
		expect(membershipOf(4).notes).toEqual(["4 members tolerate 1 failure, no more than 3 would: prefer an odd number"]);
		expect(membershipOf(2).notes).toEqual([
			"2 members tolerate 0 failures, no more than 1 would: prefer an odd number",
		]);
		expect(membershipOf(5).notes).toEqual([]);
	});

	it.each([0, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY, NODES_MAX + 1])("refuses a count of %s", (count) => {
		expect(() => membershipOf(count)).toThrowError(expect.objectContaining({ code: "node-count-invalid" }));
	});

	it.each([undefined, null, "3", {}])("refuses %s, which plain JavaScript may hand in", (nodes) => {
		expect(() => membershipOf(nodes as unknown as number)).toThrowError(
			expect.objectContaining({ code: "node-count-invalid" }),
		);
	});

	it("accepts the largest count", () => {
		expect(membershipOf(NODES_MAX).nodes).toHaveLength(NODES_MAX);
	});

	it("refuses no names, a name twice, and a name with other characters", () => {
		expect(() => membershipOf([])).toThrowError(expect.objectContaining({ code: "node-count-invalid" }));
		expect(() => membershipOf(["a", "b", "a"])).toThrowError(
			expect.objectContaining({ code: "node-count-invalid", message: expect.stringContaining("a is listed twice") }),
		);
		expect(() => membershipOf([])).toThrowError("not an empty list: nobody would be left to decide");
		expect(() => membershipOf("3" as never)).toThrowError('not "3": a whole number or a list of names is expected');
		expect(() => membershipOf(["a b"])).toThrowError(expect.objectContaining({ code: "invalid-argument" }));
	});
});
