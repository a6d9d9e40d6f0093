/**
 * Goal: large messages reach all over the tree, each member about once, and go around members that die; what is no message is dropped.
 * Method: a group on virtual time; shapes of messages by themselves.
 */
import { expect, it } from "vitest";
import { MemberBroadcast } from "../../../actors/gossip-coordinator/member-broadcast.ts";
import { Generator, nodeId } from "../../../protocols/core/index.ts";
import { isBroadcastMessage } from "../../../protocols/gossip/index.ts";
import { GossipWorld } from "./gossip-world.ts";

const payload = new Uint8Array(20_000).fill(7);
const nodes = Array.from({ length: 16 }, (_, i) => `node-${String(i + 1).padStart(2, "0")}`);

it("after the first message a tree carries them with n - 1 payloads, and the dead are gone around", async () => {
	const world = new GossipWorld(nodes);
	await world.start({ profile: "local", dissemination: "tree" });
	const { group, simulation } = world;
	const heard = new Map<string, string[]>();
	group.events$.subscribe(({ node, event }) => {
		if (event.type !== "user-event") return;
		expect(Buffer.compare(event.payload, payload)).toBe(0);
		heard.set(event.name, [...(heard.get(event.name) ?? []), node]);
	});
	const payloads = async (): Promise<number> => {
		const reports = await simulation.complete(Promise.all(group.nodes.map((node) => group.report(node))));
		return reports.reduce((sum, { tree }) => sum + (tree?.payloadsSent ?? 0), 0);
	};
	const send = async (from: string, name: string): Promise<number> => {
		const before = await payloads();
		await simulation.complete(group.broadcast(from, name, payload));
		await simulation.run({ untilMs: simulation.nowMs + 500 });
		expect(heard.get(name)?.sort()).toEqual(group.nodes);
		return (await payloads()) - before;
	};
	const flood = await send("node-01", "first");
	expect(flood).toBeGreaterThan(20);
	await send("node-01", "second");
	expect(await send("node-01", "third")).toBe(15);
	await simulation.complete(group.kill("node-05"));
	const [before, after] = [
		await simulation.complete(group.broadcast("node-09", "fourth", payload)),
		await simulation.complete(group.broadcast("node-09", "fifth", payload)),
	];
	expect(after.lamport).toBeGreaterThan(before.lamport);
	await simulation.run({ untilMs: simulation.nowMs + 2_000 });
	expect(heard.get("fifth")?.sort()).toEqual(nodes.filter((node) => node !== "node-05"));
	await world.stop();
});

it("refuses what is too large, and a name that is none", async () => {
	const world = new GossipWorld(["a", "b"]);
	await world.start({ dissemination: "tree" });
	const { group } = world;
	const refused = { code: "gossip-request-refused" };
	await expect(group.broadcast("a", "x", new Uint8Array(262_144))).rejects.toMatchObject(refused);
	await expect(group.broadcast("a", "", new Uint8Array(1))).rejects.toMatchObject(refused);
	await world.stop();
});

it("pushes nothing more to who prunes the link, only says what it has, until that one asks for it", () => {
	// After a flood both ends of a spare link have had a duplicate, and need no word of the other; here only one has.
	const sent: [to: string, type: string][] = [];
	const timers = new Map<string, () => void>();
	const member = new MemberBroadcast({
		context: {
			clock: { nowMs: () => 0 },
			generator: new Generator(1, "prune"),
			timers: {
				run: (key: string, _afterMs: number, call: () => void) => timers.set(key, call),
				cancel: () => undefined,
			},
		} as never,
		node: nodeId("a"),
		life: 1,
		peers: () => [],
		send: (to, { type }) => sent.push([to, type]),
		publish: () => undefined,
	});
	member.start();
	const [b, c] = [nodeId("b"), nodeId("c")];
	for (const peer of [b, c]) member.receive(peer, { type: "join" });
	const pushed = (name: string): string[] => {
		sent.length = 0;
		member.broadcast(name, new Uint8Array(1));
		return sent.filter(([, type]) => type === "tree-gossip").map(([to]) => to);
	};
	expect(pushed("first").sort()).toEqual([b, c]);
	member.receive(b, { type: "tree-prune" });
	expect([member.report.neighbours.length, member.report.eager]).toEqual([2, [c]]);
	expect(pushed("second")).toEqual([c]);
	timers.get("broadcast/lazy")?.();
	expect(sent.at(-1)).toEqual([b, "tree-have"]);
	member.receive(b, { type: "tree-graft", id: "a/1/2" });
	expect(sent.at(-1)).toEqual([b, "tree-gossip"]);
	expect(pushed("third").sort()).toEqual([b, c]);
});

it("believes only messages", () => {
	const sound = [
		{ type: "join" },
		{ type: "shuffle", origin: "a", nodes: ["b"], hops: 3 },
		{ type: "tree-have", ids: ["a/1/1"], hops: [1] },
		{ type: "tree-gossip", broadcast: { id: "a/1/1", payload }, hops: 1 },
	];
	const bad = [
		{ type: "nonsense" },
		{ type: "forward-join", node: "not a node", hops: 1 },
		{ type: "neighbour", isUrgent: 1 },
		{ type: "shuffle", origin: "a", nodes: Array.from({ length: 300 }, () => "b"), hops: 3 },
		{ type: "tree-have", ids: [7], hops: [1] },
		{ type: "tree-gossip", broadcast: null, hops: 1 },
		{ type: "tree-gossip", broadcast: { id: "x".repeat(200), payload }, hops: 1 },
		{ type: "tree-gossip", broadcast: { id: "a/1/1", payload }, hops: -1 },
	];
	expect(sound.map(isBroadcastMessage)).toEqual(sound.map(() => true));
	expect(bad.map(isBroadcastMessage)).toEqual(bad.map(() => false));
});
