/** Goal: settings are refused, never repaired, and the profiles are memberlist's. Method: each field beyond its bounds. */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../../protocols/core/index.ts";
import {
	broadcastConfig,
	fanoutConfig,
	PhiDetector,
	rumourConfig,
	type SwimConfig,
	swimConfig,
	swimProfiles,
} from "../../../../protocols/gossip/index.ts";

const a = nodeId("a");

describe("settings", () => {
	it("the profiles have memberlist's times", () => {
		const times = ({
			probeIntervalMs,
			probeTimeoutMs,
			gossipIntervalMs,
			syncIntervalMs,
			gossipToDeadMs,
		}: Omit<SwimConfig, "nodeId">) => [
			probeIntervalMs,
			probeTimeoutMs,
			gossipIntervalMs,
			syncIntervalMs,
			gossipToDeadMs,
		];
		expect(times(swimProfiles.lan)).toEqual([1_000, 500, 200, 30_000, 30_000]);
		expect(times(swimProfiles.wan)).toEqual([5_000, 3_000, 500, 60_000, 60_000]);
		expect(times(swimProfiles.local)).toEqual([1_000, 200, 100, 15_000, 15_000]);
		for (const profile of ["lan", "wan", "local"] as const)
			expect(() => swimConfig({ nodeId: a }, profile)).not.toThrow();
	});

	it("a profile that there is not is refused by its name", () => {
		const unknown = expect.objectContaining({ message: "profile: expected lan, wan, local, got zz" });
		expect(() => swimConfig({ nodeId: a }, "zz" as "lan")).toThrow(unknown);
		expect(() => swimConfig({ nodeId: a }, "toString" as "lan")).toThrow(
			expect.objectContaining({ code: "invalid-argument" }),
		);
	});

	const fields = Object.entries(swimProfiles.lan).filter(([, value]) => typeof value === "number");
	it.each(fields.map(([field]) => field))("%s is an integer in its bounds", (field) => {
		for (const value of [-1, 0.5, Number.NaN, 2 ** 40, "7" as unknown as number]) {
			expect(() => swimConfig({ nodeId: a, [field]: value })).toThrow(
				expect.objectContaining({ code: "gossip-config-invalid" }),
			);
		}
	});

	it("a probe's timeout leaves time for others to be asked", () => {
		const contradiction = { nodeId: a, probeIntervalMs: 500, probeTimeoutMs: 500 };
		expect(() => swimConfig(contradiction)).toThrow(expect.objectContaining({ code: "gossip-config-contradiction" }));
	});

	it.each([
		["a bad id", () => swimConfig({ nodeId: "no id!" as typeof a }), "invalid-argument"],
		["a rumour's k", () => rumourConfig({ nodeId: a, peers: [], k: 0 }), "gossip-config-invalid"],
		["itself as a peer", () => rumourConfig({ nodeId: a, peers: [a] }), "gossip-config-invalid"],
		["no active view", () => broadcastConfig({ nodeId: a, activeViewMax: 1 }), "gossip-config-invalid"],
		[
			"a passive walk that is longer",
			() => broadcastConfig({ nodeId: a, passiveWalk: 9 }),
			"gossip-config-contradiction",
		],
		["a fanout below its minimum", () => fanoutConfig({ fanoutMin: 5, fanoutMax: 4 }), "gossip-config-invalid"],
		["no threshold", () => new PhiDetector({ threshold: 0 }), "gossip-config-invalid"],
	])("refuses %s", (_what, make, code) => {
		expect(make).toThrow(expect.objectContaining({ code }));
	});
});
