/**
 * Goal: a command that ends every thread that applies it ends the swarm, and nothing else does. Method: ends of threads in
 * sequence, with what they were applying.
 */
import { expect, it } from "vitest";
import { APPLY_DEATHS_MAX, ApplyWatch } from "../../../actors/swarm/apply-watch.ts";
import { nodeId } from "../../../protocols/core/index.ts";
import type { ThreadEnd } from "../../../runtime/actor/index.ts";

type Death = readonly [node: string, index: number, cause?: ThreadEnd["cause"]];

function after(...deaths: readonly Death[]): (string | null)[] {
	let applying = 0;
	const watch = new ApplyWatch(() => applying);
	return deaths.map(([node, index, cause = "stalled"]) => {
		applying = index;
		return watch.ended(nodeId(node), { cause } as ThreadEnd)?.message ?? null;
	});
}

it("so many threads of one member that end at one command are its end, with node, index and cause", () => {
	expect(APPLY_DEATHS_MAX).toBe(3);
	expect(after(["a", 5], ["a", 5, "exited"], ["a", 5, "out-of-memory"])).toEqual([
		null,
		null,
		"3 threads of a, one after the other, ended (out-of-memory) while the application applied the command at index 5",
	]);
});

it.each<[string, readonly Death[]]>([
	[
		"at different commands",
		[
			["a", 5],
			["a", 6],
			["a", 7],
			["a", 6],
		],
	],
	[
		"of different members",
		[
			["a", 5],
			["b", 5],
			["c", 5],
			["a", 5],
			["b", 5],
		],
	],
	[
		"outside of apply",
		[
			["a", 0],
			["a", 0],
			["a", 0],
			["a", 0],
		],
	],
	[
		"by somebody's order",
		[
			["a", 5, "killed"],
			["a", 5, "killed"],
			["a", 5, "killed"],
			["a", 5, "killed"],
		],
	],
])("deaths %s are not", (_, deaths) => {
	expect(after(...deaths).every((message) => message === null)).toBe(true);
});
