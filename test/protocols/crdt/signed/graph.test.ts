/**
 * Goal: which branch of a fork counts is the rule at the head of `graph.ts`, at its edges. Method: a graph by itself, whose operations
 * are names and what they name.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../../protocols/core/index.ts";
import { OperationGraph } from "../../../../protocols/crdt/signed/graph.ts";

const none = new Uint8Array();

/** Adds operations, each written `id author previous dependencies…`, with `-` for no predecessor. */
function graph(membersCount: number, ...operations: readonly string[]): OperationGraph {
	const made = new OperationGraph(membersCount);
	for (const operation of operations) {
		const [id, author, previous, ...dependencies] = operation.split(" ") as [string, string, string];
		const before = previous === "-" ? null : previous;
		made.add({ id, author: nodeId(author), previous: before, dependencies, update: none, signature: none });
	}
	return made;
}

function taken(of: OperationGraph): string[] {
	return of
		.taken()
		.map(({ id }) => id)
		.sort();
}

describe("a fork", () => {
	const fork = ["x1 a -", "x2 a -"];

	it("has a branch taken with votes of more than half of all members, not of half", () => {
		expect(taken(graph(4, ...fork, "b1 b - x1", "c1 c - x1"))).toEqual([]);
		expect(taken(graph(4, ...fork, "b1 b - x1", "c1 c - x1", "d1 d - x1"))).toEqual(["b1", "c1", "d1", "x1"]);
		expect(taken(graph(3, ...fork, "b1 b - x1", "c1 c - x1"))).toEqual(["b1", "c1", "x1"]);
	});

	it("has no vote of another who says two things", () => {
		const liar = ["d1 d - x1", "d2 d -"];
		expect(taken(graph(5, ...fork, "b1 b - x1", "c1 c - x1", ...liar))).toEqual([]);
		expect(taken(graph(5, ...fork, "b1 b - x1", "c1 c - x1", ...liar, "e1 e - x1"))).toContain("x1");
	});

	it("has of each member the vote of its first operation that knows a branch: the lowest, if that knows several", () => {
		const both = ["b1 b - x1 x2", "c1 c - x1 x2"];
		expect(taken(graph(3, ...fork, ...both)).filter((id) => id.startsWith("x"))).toEqual(["x1"]);
		const later = ["b1 b - x2", "b2 b b1 x1", "c1 c - x2", "c2 c c1 x1"];
		expect(taken(graph(3, ...fork, ...later))).toEqual(["b1", "c1", "x2"]);
	});
});
