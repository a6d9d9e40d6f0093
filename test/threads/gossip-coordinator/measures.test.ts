/**
 * Goal: what members on threads find out about the whole: where they are among the others (GOS-14, GOS-15), and figures of all
 * (GOS-16). Method: coordinators on real
 * threads; each step waits for what must happen, without a limit of its own.
 */
import { GossipProtocolCoordinator } from "quorate";
import { GossipGroup } from "quorate/gossip-coordinator";
import { filter, firstValueFrom, take } from "rxjs";
import { expect, it } from "vitest";

it("coordinators measure round trips, estimate those between others, and map them", async () => {
	const settings = {
		group: "measured",
		profile: "local",
		coordinates: true,
		tuning: { probeIntervalMs: 250 },
	} as const;
	const one = new GossipProtocolCoordinator("node-1", ["seed-1", "seed-2"], settings);
	const two = new GossipProtocolCoordinator("node-2", ["seed-1"], settings);
	await one.initialize();
	try {
		await two.initialize();
		const placed = await firstValueFrom(one.coordinates$.pipe(filter(({ others }) => others.length === 3)));
		expect(placed.others.every(({ roundTripMs }) => roundTripMs > 0)).toBe(true);
		const estimateMs = await one.estimateRoundTrip("seed-1", "node-2");
		expect(estimateMs).toBeGreaterThan(0);
		expect(await one.estimateRoundTrip("seed-1", "nobody")).toBeNull();
		const map = await two.topology();
		expect(map.members).toEqual(["node-1", "node-2", "seed-1", "seed-2"]);
		expect(map.reachableFrom(one.node)).toContain("seed-2");
	} finally {
		await two.shutdown();
		await one.shutdown();
	}
});

it("members find out figures of all, also of those who are left after one has died", async () => {
	const nodes = ["a", "b", "c", "d", "e"];
	const group = await GossipGroup.start({ profile: "local", threads: 2, seed: 1, tuning: { probeIntervalMs: 300 } });
	try {
		const met = firstValueFrom(
			group.events$.pipe(
				filter(({ event }) => event.type === "member-joined"),
				take(nodes.length * (nodes.length - 1)),
				filter((_, i) => i === nodes.length * (nodes.length - 1) - 1),
			),
		);
		for (const node of nodes) await group.startMember(node);
		await Promise.all(nodes.slice(1).map((node) => group.join(node, ["a"])));
		await met;
		await Promise.all(nodes.map((node, i) => group.contribute(node, "load", i)));
		const options = { of: "load", roundMs: 20 };
		const isNear = (estimate: number | null, truth: number): boolean =>
			estimate !== null && Math.abs(estimate - truth) <= 0.01 * truth;
		// A member that is suspected in vain, on a machine that is busy, is given no mass meanwhile: it is asked again.
		for (const wanted of [5, 4]) {
			if (wanted === 4) await group.kill("e");
			while (!isNear((await group.aggregate("a", "count", options)).estimate, wanted));
			while (!isNear((await group.aggregate("b", "average", options)).estimate, (wanted - 1) / 2));
		}
	} finally {
		await group.stop();
	}
});
