/**
 * Goal: with Lifeguard slow members hardly harm healthy ones (published: more than 50 times fewer false positives than SWIM,
 * 50 to 100 times with all three parts; GOS-12). Method: the paper's set-up at 32 members, fixed seeds; the ratio that the paper
 * gives is the bound, with what our own runs show as room above it.
 */
import { describe, expect, it } from "vitest";
import { lifeguardParts, runAnomalies } from "./anomalies.ts";

const setting = { members: 32, slow: 4, muteMs: 16_384, gapMs: 4, durationMs: 60_000 };

describe("four slow members of 32", () => {
	const total = (part: string): number =>
		[1, 2].reduce(
			(sum, seed) => sum + runAnomalies({ ...setting, seed }, lifeguardParts[part] ?? {}).falsePositives,
			0,
		);

	it("Lifeguard has at least 50 times fewer false positives than SWIM", () => {
		const swim = total("SWIM");
		expect(swim).toBeGreaterThan(500);
		expect(total("Lifeguard")).toBeLessThanOrEqual(swim / 50);
	});

	it("LHA-Probe and LHA-Suspicion each help by themselves", () => {
		const swim = total("SWIM");
		expect(total("LHA-Probe")).toBeLessThan(swim / 3);
		expect(total("LHA-Suspicion")).toBeLessThan(swim / 3);
	});
});
