/**
 * Goal: on worker threads, a member of a Raft group that gossip finds dead is taken out of it by the group's own decision, and news
 * are measured where they arrive (GOS-20, GOS-22). Method: four members of both groups; one is killed in each.
 */
import { Swarm } from "quorate";
import { adviseOnMembership, decideMembership, GossipGroup, readSpreads } from "quorate/gossip-coordinator";
import { filter, firstValueFrom, map, take, toArray } from "rxjs";
import { expect, it } from "vitest";

it("a quorum takes out whom gossip finds dead, and a message is measured at all", async () => {
	const nodes = ["node-1", "node-2", "node-3", "node-4"];
	const group = await GossipGroup.start({ profile: "local", threads: 1, seed: 1 });
	const swarm = await Swarm.start({ raft: { nodes: 4 }, storage: { type: "memory" } });
	try {
		for (const node of nodes) await group.startMember(node);
		const met = firstValueFrom(
			group.events$.pipe(
				filter(({ event }) => event.type === "member-joined"),
				take(12),
				toArray(),
			),
		);
		await Promise.all(nodes.slice(1).map((node) => group.join(node, ["node-1"])));
		await met;

		const reading = firstValueFrom(readSpreads(group));
		await group.request("node-2", { type: "spread-event", name: "news", payload: new Uint8Array(8) }, "event-spread");
		const { members, heard, to50Ms, to100Ms } = await reading;
		expect([members, heard]).toEqual([4, 4]);
		expect(to100Ms).toBeGreaterThanOrEqual(to50Ms as number);

		const seen$ = group.events$.pipe(
			filter(({ node }) => node === "node-1"),
			map(({ event }) => event),
		);
		const decided = firstValueFrom(decideMembership(swarm, adviseOnMembership(seen$, { lastingMs: 100 })));
		await group.kill("node-4");
		expect(await decided).toMatchObject({ node: "node-4", because: "failed", outcome: "decided" });
		expect((await swarm.membership()).voters).toEqual(["node-1", "node-2", "node-3"]);
	} finally {
		await swarm.stop();
		await group.stop();
	}
});
