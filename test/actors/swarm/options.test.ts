/**
 * Goal: what a start can not mean is refused before anything is started; above all, a misspelt option never means its
 * default.
 * Method: one example per place where options stand.
 */
import { describe, expect, it } from "vitest";
import type { SwarmOptions } from "../../../actors/swarm/contract.ts";
import { checkOptions } from "../../../actors/swarm/options.ts";

const refusals: readonly (readonly [option: string, options: unknown])[] = [
	["warmSpare", { raft: { nodes: 1 }, warmSpare: 1 }],
	["raft.aplication", { raft: { nodes: 1, aplication: {} } }],
	["raft.config.electionTimeout", { raft: { nodes: 1, config: { electionTimeout: 5 } } }],
	["storage.dir", { raft: { nodes: 1 }, storage: { type: "lmdb", dir: "x" } }],
];

describe("checkOptions", () => {
	it.each(refusals)("refuses the unknown option %s and names those there are", async (option, options) => {
		await expect(checkOptions(options as SwarmOptions)).rejects.toMatchObject({
			code: "option-unknown",
			details: { option },
		});
	});

	it("takes every option there is", async () => {
		const options: SwarmOptions = {
			raft: { nodes: 3, group: "g", config: { heartbeatMs: 20, electionTimeoutMs: { min: 100, max: 200 } } },
			storage: { type: "memory" },
			seed: 1,
			actors: [],
			warmSpares: 0,
			startTimeoutMs: 1_000,
		};
		const checked = await checkOptions(options);
		expect(checked.raft).toMatchObject({ nodes: ["node-1", "node-2", "node-3"], group: "g" });
		expect(checked).toMatchObject({ seed: 1, warmSpares: 0, startTimeoutMs: 1_000 });
	});
});
