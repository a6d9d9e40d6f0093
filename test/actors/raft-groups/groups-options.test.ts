/**
 * Goal: what can not be meant is refused before anything is started, with a code and the values. Method: one call for each
 * mistake; no thread starts.
 */
import { describe, expect, it } from "vitest";
import {
	GROUP_MEMBERS_MAX,
	GROUPS_MAX,
	RaftGroups,
	type RaftGroupsOptions,
} from "../../../actors/raft-groups/index.ts";
import { checkGroupsOptions } from "../../../actors/raft-groups/options.ts";

const refusals: readonly (readonly [string, object, object])[] = [
	["no options", undefined as unknown as object, { code: "invalid-argument" }],
	["a misspelt option", { nodes: 3, groups: 2, thread: 3 }, { code: "option-unknown", details: { option: "thread" } }],
	["no groups", { nodes: 3, groups: 0 }, { code: "group-count-invalid", details: { groups: "0", limit: GROUPS_MAX } }],
	["groups left out", { nodes: 3 }, { code: "group-count-invalid" }],
	["an empty list", { nodes: 3, groups: [] }, { code: "group-count-invalid" }],
	["half a group", { nodes: 3, groups: 1.5 }, { code: "group-count-invalid" }],
	["too many groups", { nodes: 1, groups: GROUPS_MAX + 1 }, { code: "group-count-invalid" }],
	["a name twice", { nodes: 3, groups: ["a", "b", "a"] }, { code: "group-count-invalid" }],
	["a name with a slash", { nodes: 3, groups: ["a/b"] }, { code: "invalid-argument" }],
	["no name", { nodes: 3, groups: [7] }, { code: "invalid-argument" }],
	["no nodes", { nodes: 0, groups: 2 }, { code: "node-count-invalid" }],
	[
		"too many members",
		{ nodes: 5, groups: 900 },
		{ code: "too-many-members", details: { groups: 900, nodes: 5, limit: GROUP_MEMBERS_MAX } },
	],
	[
		"leases, which need heartbeats, for groups that shall be silent",
		{ nodes: 3, groups: 2, config: { quiesceAfterHeartbeats: 1, lease: { maxClockDriftPpm: 100 } } },
		{ code: "raft-config-contradiction" },
	],
	["a setting that is none", { nodes: 3, groups: 2, config: { heartbeats: 1 } }, { code: "option-unknown" }],
	["a setting out of its bounds", { nodes: 3, groups: 2, config: { heartbeatMs: 0 } }, { code: "raft-config-invalid" }],
	["no settings", { nodes: 3, groups: 2, config: null }, { code: "invalid-argument" }],
	[
		"no application",
		{ nodes: 3, groups: 2, application: { module: "file:///no/such.js", export: "A" } },
		{ code: "module-not-loadable" },
	],
	["a wrong storage", { nodes: 3, groups: 2, storage: { type: "tape" } }, { code: "invalid-argument" }],
];

describe("many groups refuse", () => {
	it.each(refusals)("%s", async (_, options, refusal) => {
		await expect(RaftGroups.start(options as RaftGroupsOptions)).rejects.toMatchObject(refusal);
	});
});

describe("settings", () => {
	it("are the same for all groups, but for who should lead; groups fall silent unless the user says otherwise", async () => {
		const { groups } = await checkGroupsOptions({ nodes: 3, groups: 4 });
		expect(groups.map(({ group }) => group)).toEqual(["group-1", "group-2", "group-3", "group-4"]);
		expect(groups.map(({ tuning }) => tuning.priorities)).toEqual([
			{ "node-1": 2 },
			{ "node-2": 2 },
			{ "node-3": 2 },
			{ "node-1": 2 },
		]);
		expect(groups[0]?.tuning).toMatchObject({ quiesceAfterHeartbeats: 1, heartbeatMs: 500 });
		for (const config of [
			{ quiesceAfterHeartbeats: 0 },
			{ lease: { maxClockDriftPpm: 100 } },
			{ handoverPriorityGap: 1 },
		]) {
			const awake = { ...config, priorities: { "node-2": 5 } };
			const given = await checkGroupsOptions({ nodes: 3, groups: 2, config: awake });
			const tuning = { ...awake, quiesceAfterHeartbeats: 0 };
			expect(given.groups.map((group) => group.tuning)).toMatchObject([tuning, tuning]);
		}
	});
});
