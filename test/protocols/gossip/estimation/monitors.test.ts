/**
 * Goal: one member sees who reaches whom, which ways are faster, and when replicas have converged (GOS-14, GOS-15, GOS-16). Method:
 * random maps against all simple paths tried out; rounds of made-up digests, and of a spreading rumour.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Generator, type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import { ConvergenceMonitor, type MeasuredLink, TopologyMap } from "../../../../protocols/gossip/index.ts";

const ids = ["a", "b", "c", "d", "e"].map(nodeId);
const [a, b, c, d] = ids as [NodeId, NodeId, NodeId, NodeId];

describe("TopologyMap", () => {
	/** The fastest of all ways without a circle, found by trying each. */
	function bruteForce(
		links: ReadonlyMap<NodeId, readonly MeasuredLink[]>,
		from: NodeId,
		to: NodeId,
		seen: readonly NodeId[] = [],
	): number {
		if (from === to) return 0;
		let best = Number.POSITIVE_INFINITY;
		for (const link of links.get(from) ?? []) {
			if (seen.includes(link.to)) continue;
			best = Math.min(best, link.roundTripMs + bruteForce(links, link.to, to, [...seen, from]));
		}
		return best;
	}

	it("finds the fastest way of all", () => {
		const link = fc.record({ to: fc.constantFrom(...ids), roundTripMs: fc.integer({ min: 1, max: 50 }) });
		fc.assert(
			fc.property(fc.array(fc.array(link, { maxLength: 5 }), { minLength: 5, maxLength: 5 }), (reports) => {
				const map = new TopologyMap();
				const links = new Map(ids.map((id, i) => [id, (reports[i] ?? []).filter(({ to }) => to !== id)]));
				for (const [id, measured] of links) map.report(id, measured);
				for (const to of ids) {
					const path = map.fastestPath(a, to);
					expect(path?.roundTripMs ?? Number.POSITIVE_INFINITY).toBe(bruteForce(links, a, to));
					if (path !== null) expect([path.nodes[0], path.nodes.at(-1)]).toEqual([a, to]);
				}
			}),
		);
	});

	it("suggests ways that are faster by the share that is asked for, and to whom there is no link", () => {
		const map = new TopologyMap();
		map.report(a, [
			{ to: b, roundTripMs: 10 },
			{ to: c, roundTripMs: 100 },
		]);
		map.report(b, [
			{ to: c, roundTripMs: 20 },
			{ to: d, roundTripMs: 5 },
		]);
		expect(map.suggestPaths(a)).toEqual([
			{ nodes: [a, b, c], roundTripMs: 30, directMs: 100 },
			{ nodes: [a, b, d], roundTripMs: 15, directMs: null },
		]);
		expect(map.suggestPaths(a, 0.8).map(({ nodes }) => nodes.at(-1))).toEqual([d]);
		map.forget(b);
		expect(map.reachableFrom(a)).toEqual([a, c]);
	});

	it("is bounded, and takes no time that is none", () => {
		const map = new TopologyMap({ membersMax: 2, linksMax: 1 });
		const links = [Number.NaN, -1, 0, Number.POSITIVE_INFINITY].map((roundTripMs) => ({ to: b, roundTripMs }));
		expect(map.report(a, [...links, { to: c, roundTripMs: 9 }, { to: d, roundTripMs: 3 }])).toBe(true);
		expect(map.reachableFrom(a)).toEqual([a, d]);
		expect([map.report(b, []), map.report(c, [])]).toEqual([true, false]);
	});
});

describe("ConvergenceMonitor", () => {
	it("counts the rounds from a change until all that are expected agree", () => {
		const monitor = new ConvergenceMonitor();
		monitor.hear(b, "old");
		expect(monitor.endRound("new", 3)).toMatchObject({
			heard: 2,
			agreeing: 1,
			share: 0.5,
			isConverged: false,
			roundsToConverge: null,
		});
		monitor.hear(b, "new");
		expect(monitor.endRound("new", 3)).toMatchObject({ heard: 2, agreeing: 2, isConverged: false });
		monitor.hear(c, "new");
		expect(monitor.endRound("new", 3)).toMatchObject({ share: 1, isConverged: true, roundsToConverge: 2 });
		expect(monitor.endRound("new", 3).roundsToConverge).toBe(2);
		expect(monitor.endRound("newer", 3)).toMatchObject({ isConverged: false, roundsToConverge: null });
	});

	it("does not count whom it has not heard for its window, or who is gone", () => {
		const monitor = new ConvergenceMonitor(2);
		monitor.hear(b, "x");
		monitor.hear(c, "other");
		monitor.forget(c);
		expect(
			[monitor.endRound("x", 2), monitor.endRound("x", 2), monitor.endRound("x", 2)].map(({ heard }) => heard),
		).toEqual([2, 2, 1]);
	});

	it("a hundred replicas that merge what they hear see it, and about when it is so", () => {
		const dice = new Generator(4, "replicas");
		const nodes = Array.from({ length: 100 }, (_, i) => nodeId(`r${i}`));
		const values: number[] = nodes.map((_, i) => (i === 0 ? 1 : 0));
		const monitors = nodes.map(() => new ConvergenceMonitor(50));
		let allEqualAt: number | null = null;
		let seenAt: number | null = null;
		for (let round = 0; round < 60; round++) {
			nodes.forEach((node, i) => {
				for (let contact = 0; contact < 8; contact++) {
					const peer = dice.below(100);
					values[peer] = Math.max(values[peer] as number, values[i] as number);
					monitors[peer]?.hear(node, `${values[i]}`);
				}
			});
			if (allEqualAt === null && values.every((value) => value === 1)) allEqualAt = round;
			const readings = monitors.map((monitor, i) => monitor.endRound(`${values[i]}`, 90));
			if (seenAt === null && readings.every(({ isConverged }) => isConverged)) seenAt = round;
			// Nobody is told so too early: who says it has heard at least 90 that agree.
			if (allEqualAt === null) expect(readings.filter(({ isConverged }) => isConverged)).toEqual([]);
		}
		expect(allEqualAt).not.toBeNull();
		expect(seenAt).not.toBeNull();
		expect(seenAt as number).toBeGreaterThanOrEqual(allEqualAt as number);
	});
});
