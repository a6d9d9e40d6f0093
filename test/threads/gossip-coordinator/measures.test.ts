/**
 * Goal: what members on threads find out about the whole: where they are among the others (GOS-14, GOS-15). Method: coordinators on real
 * threads; each step waits for what must happen, without a limit of its own.
 */
import { GossipProtocolCoordinator } from "quorate";
import { filter, firstValueFrom } from "rxjs";
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
