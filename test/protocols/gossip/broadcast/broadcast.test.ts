/**
 * Goal: partial views stay joined and heal, and messages reach all along a tree that costs hardly a duplicate (GOS-14, GOS-15,
 * GOS-19). Method: the shipped machine on virtual time; limits are those of the papers and of iroh-gossip's own simulator.
 */
import { describe, expect, it } from "vitest";
import { BroadcastCrowd } from "./broadcast-crowd.ts";

describe("HyParView (DSN 2007)", () => {
	it("views are bounded, symmetric, and join everybody", () => {
		const group = new BroadcastCrowd(1, 500);
		group.form();
		// A link that is there on one side only is seen as soon as it is used.
		for (let i = 0; i < 5; i++) group.measure(i);
		for (let place = 0; place < 500; place++) {
			const { active, passive } = group.machine(place);
			expect(active.length).toBeGreaterThan(0);
			expect(active.length).toBeLessThanOrEqual(5);
			expect(passive.length).toBeLessThanOrEqual(30);
			expect(active.filter((peer) => passive.includes(peer))).toEqual([]);
			for (const peer of active) {
				expect(group.machine(group.crowd.placeOf(peer)).active).toContain(group.crowd.nodeAt(place));
			}
		}
		expect(group.largestPart()).toBe(500);
	});

	it.each([0.3, 0.5, 0.7])("after a share %f of all has failed at once, the rest grows together again", (share) => {
		const group = new BroadcastCrowd(2, 1_000, { shuffleIntervalMs: 5_000 });
		group.form(60_000);
		const survivors = Math.round(1_000 * (1 - share));
		for (let place = survivors; place < 1_000; place++) group.crowd.crash(place);
		// Links are seen to be broken when something is sent on them; a few broadcasts and shuffles do that.
		for (let i = 0; i < 5; i++) group.measure(i * 7, 5_000);
		expect(group.largestPart() / survivors).toBeGreaterThan(0.99);
		const { delivered } = group.measure(1, 5_000);
		expect(delivered / survivors).toBeGreaterThan(0.99);
	});
});

describe("Plumtree (SRDS 2007)", () => {
	it("one sender: everybody once, hardly a duplicate, few hops (iroh: last hop < 15, redundancy < 0.2)", () => {
		const group = new BroadcastCrowd(3, 1_000, {}, true);
		group.form();
		for (let i = 0; i < 10; i++) group.measure(0);
		group.counts.hopsMax = 0;
		const { delivered, duplicates, gossip } = group.measure(0);
		expect(delivered).toBe(1_000);
		expect(duplicates / 999).toBeLessThan(0.2);
		// A tree has one message a member.
		expect(gossip - duplicates).toBe(999);
		expect(group.counts.hopsMax).toBeLessThan(15);
		expect([...(group.deliveries ?? [])].filter(([, times]) => times !== 1)).toEqual([]);
	});

	it("the first flood makes the tree: later broadcasts have fewer duplicates", () => {
		const group = new BroadcastCrowd(4, 500);
		group.form();
		const first = group.measure(0);
		const second = group.measure(0);
		expect(first.delivered).toBe(500);
		expect(first.duplicates).toBeGreaterThan(500);
		expect(second.duplicates).toBeLessThan(first.duplicates / 10);
	});

	it("many senders at once: nothing is missed (iroh: redundancy < 3)", () => {
		const group = new BroadcastCrowd(5, 300);
		group.form();
		for (let place = 0; place < 300; place += 3) group.broadcast(place);
		group.crowd.run(group.crowd.nowMs + 10_000);
		expect(group.counts.delivered).toBe(100 * 300);
		expect(group.counts.duplicates / (100 * 299)).toBeLessThan(3);
	});

	it("lost messages are noticed by announcements and fetched (lazy repair)", () => {
		const group = new BroadcastCrowd(6, 300);
		group.form();
		for (let i = 0; i < 5; i++) group.measure(0);
		group.crowd.network.lossChance = 0.05;
		let delivered = 0;
		for (let i = 0; i < 10; i++) delivered += group.measure(i).delivered;
		expect(group.counts.graft).toBeGreaterThan(50);
		// Pushed alone, a loss cuts off the whole branch behind it: after some 8 hops 0.95^8, two of three, would be reached.
		expect(delivered / 3_000).toBeGreaterThan(0.99);
	});

	it("a member that fails on the tree is gone round", () => {
		const group = new BroadcastCrowd(7, 300);
		group.form();
		for (let i = 0; i < 5; i++) group.measure(0);
		for (const peer of group.machine(0).eager.slice(1)) group.crowd.crash(group.crowd.placeOf(peer));
		const up = Array.from({ length: 300 }, (_, place) => place).filter((place) => group.crowd.isUp(place)).length;
		expect(up).toBeLessThan(300);
		expect(group.measure(0, 5_000).delivered).toBe(up);
	});
});
