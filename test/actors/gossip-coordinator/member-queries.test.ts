/**
 * Goal: over the lanes, a query is heard and answered by those alone whose tags match (GOS-2). Method: eight members on
 * virtual time with tags of their own.
 */
import { expect, it } from "vitest";
import { nodeId } from "../../../protocols/core/index.ts";
import { decodeTags, encodeFilter, encodeTags } from "../../../protocols/gossip/index.ts";
import { GossipWorld } from "./gossip-world.ts";

const nodes = Array.from({ length: 8 }, (_, i) => `node-${i + 1}`);
const payload = new Uint8Array(0);

it("a query reaches those that its filter is for, and their answers come back", async () => {
	const world = new GossipWorld(nodes);
	await world.start({ profile: "local" });
	const { group, simulation } = world;
	const [asked, answered]: [string[], string[]] = [[], []];
	const known = new Map<string, string>();
	group.events$.subscribe(({ node, event }) => {
		if (event.type === "query-received") {
			asked.push(node);
			const { origin, lamport } = event;
			void group.request(node, { type: "answer-query", origin, lamport, payload }, "query-answer-sent");
		} else if (event.type === "query-answered") answered.push(event.from);
		else if (event.type === "member-updated" && node === "node-1")
			known.set(event.node, decodeTags(event.tags)?.get("role") ?? "");
	});
	for (const [i, node] of nodes.entries()) {
		const tags = encodeTags({ role: i % 2 === 0 ? `web-${i}` : "db", zone: i < 4 ? "a" : "b" });
		await simulation.complete(group.request(node, { type: "set-tags", tags }, "tags-set"));
	}
	await simulation.run({ untilMs: simulation.nowMs + 2_000 });
	expect(known.get("node-3")).toBe("web-2");
	const ask = async (filter: Parameters<typeof encodeFilter>[0]): Promise<string[]> => {
		asked.length = 0;
		const query = { type: "query", name: "load", payload, filter: encodeFilter(filter) } as const;
		await simulation.complete(group.request("node-2", query, "query-spread"));
		await simulation.run({ untilMs: simulation.nowMs + 2_000 });
		return [...asked].sort();
	};
	expect(await ask({ tags: { role: "web-*", zone: "a" } })).toEqual(["node-1", "node-3"]);
	expect(answered.every((node) => node === "node-1" || node === "node-3")).toBe(true);
	expect(answered.length).toBeGreaterThan(0);
	expect(await ask({ nodes: [nodeId("node-8"), nodeId("node-2")] })).toEqual(["node-2", "node-8"]);
	expect(await ask({})).toEqual(nodes);
	// A member whose thread dies says the same of itself in its next life.
	const [thread] = [...group.threads].find(([, members]) => members.some((member) => member === "node-3")) ?? [];
	await simulation.complete(group.killThread(thread ?? expect.fail("each member has a thread")));
	await simulation.run({ untilMs: simulation.nowMs + 20_000 });
	expect(await ask({ tags: { role: "web-*", zone: "a" } })).toEqual(["node-1", "node-3"]);
	await simulation.complete(group.request("node-3", { type: "set-tags", tags: encodeTags({}) }, "tags-set"));
	await simulation.run({ untilMs: simulation.nowMs + 2_000 });
	expect(await ask({ tags: { role: "web-*", zone: "a" } })).toEqual(["node-1"]);
	await world.stop();
});
