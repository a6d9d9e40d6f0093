/**
 * Goal: at the papers' size of 10,000 members the overlay joins all and the tree reaches all with hardly a duplicate (HyParView §5.1,
 * Plumtree §4, GOS-14, GOS-19). Method: the shipped machines on virtual time, one group; failures at this size are in `npm run
 * reproduce`, which takes minutes.
 */
import { expect, it } from "vitest";
import { BroadcastCrowd } from "./broadcast-crowd.ts";

it("10,000 members: one part, every broadcast delivered to all, and after the first few hardly a duplicate", () => {
	const group = new BroadcastCrowd(1, 10_000);
	group.form(500);
	expect(group.largestPart()).toBe(10_000);
	const broadcasts = Array.from({ length: 4 }, () => group.measure(0, 500));
	expect(broadcasts.map(({ delivered }) => delivered)).toEqual([10_000, 10_000, 10_000, 10_000]);
	const last = broadcasts.at(-1);
	expect((last?.duplicates ?? Infinity) / 9_999).toBeLessThan(0.2);
	// A tree has one message a member.
	expect((last?.gossip ?? 0) - (last?.duplicates ?? 0)).toBe(9_999);
});
