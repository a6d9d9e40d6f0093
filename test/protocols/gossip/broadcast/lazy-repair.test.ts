/**
 * Goal: what was announced and has not come is asked for in time, of one announcer after the other, and announcements go to
 * the links that were lazy when a message came (Plumtree §3.4, GOS-15). Method: one machine, its timers fired by hand.
 */
import { describe, expect, it } from "vitest";
import { type Effect, type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import {
	BroadcastMachine,
	type BroadcastMessage,
	type BroadcastTypes,
	broadcastConfig,
} from "../../../../protocols/gossip/index.ts";

const [a, b, c] = [nodeId("a"), nodeId("b"), nodeId("c")];

class Lone {
	readonly machine = new BroadcastMachine(broadcastConfig({ nodeId: nodeId("me") }), { below: () => 0 });

	constructor(neighbours: readonly NodeId[]) {
		this.step({ type: "start", durable: null });
		for (const node of neighbours) this.hear(node, { type: "neighbour", isUrgent: true });
	}
	step(input: Parameters<BroadcastMachine["step"]>[0]): Effect<BroadcastTypes>[] {
		const effects: Effect<BroadcastTypes>[] = [];
		this.machine.step(input, 0, effects);
		this.machine.step({ type: "batch-ended" }, 0, effects);
		return effects;
	}
	hear(from: NodeId, message: BroadcastMessage): Effect<BroadcastTypes>[] {
		return this.step({ type: "message", from, message });
	}
	announce(from: NodeId, id: string): Effect<BroadcastTypes>[] {
		return this.hear(from, { type: "tree-have", ids: [id], hops: [1] });
	}
	gossip(from: NodeId, id: string, hops = 1): Effect<BroadcastTypes>[] {
		return this.hear(from, { type: "tree-gossip", broadcast: { id, payload: new Uint8Array(0) }, hops });
	}
}

const grafts = (effects: readonly Effect<BroadcastTypes>[]): [NodeId, string][] =>
	effects.flatMap((effect) =>
		effect.type === "send" && effect.message.type === "tree-graft" ? [[effect.to, effect.message.id]] : [],
	);
const timers = (effects: readonly Effect<BroadcastTypes>[]): [string, number][] =>
	effects.flatMap((effect) => (effect.type === "set-timer" ? [[effect.timer, effect.afterMs.min]] : []));

describe("a message that was announced", () => {
	it("is asked for after 80 ms, and of the next announcer 40 ms later, until nobody is left", () => {
		const lone = new Lone([a, b]);
		expect(timers(lone.announce(a, "x"))).toEqual([["graft", 80]]);
		expect(timers(lone.announce(b, "x"))).toEqual([]);
		const first = lone.step({ type: "timer", timer: "graft" });
		expect([grafts(first), timers(first)]).toEqual([[[a, "x"]], [["graft", 40]]]);
		expect(grafts(lone.step({ type: "timer", timer: "graft" }))).toEqual([[b, "x"]]);
		const last = lone.step({ type: "timer", timer: "graft" });
		expect([grafts(last), timers(last)]).toEqual([[], []]);
	});

	it("while another is waited for, is asked for after 80 ms at least", () => {
		const lone = new Lone([a, b]);
		lone.announce(a, "x");
		lone.announce(b, "y");
		const asked = [1, 2, 3].map(() => grafts(lone.step({ type: "timer", timer: "graft" })));
		// The first tick may come at once after the announcement, so it does not count: two of 40 ms are left.
		expect(asked).toEqual([[[a, "x"]], [], [[b, "y"]]]);
	});

	it("and comes is not waited for any more", () => {
		const lone = new Lone([a, b]);
		lone.announce(a, "x");
		expect(lone.gossip(b, "x")).toContainEqual({ type: "cancel-timer", timer: "graft" });
		expect(lone.announce(a, "x")).toEqual([]);
	});

	it("by a neighbour that is gone is not asked of it", () => {
		const lone = new Lone([a, b]);
		lone.announce(a, "x");
		lone.announce(b, "x");
		lone.step({ type: "peer-unreachable", peer: a });
		expect(grafts(lone.step({ type: "timer", timer: "graft" }))).toEqual([[b, "x"]]);
	});
});

describe("a message that takes a long way", () => {
	const shown = (effects: readonly Effect<BroadcastTypes>[]): string[] =>
		effects.flatMap((effect) => {
			if (effect.type !== "send") return [];
			const { type } = effect.message;
			return type === "tree-graft" || type === "tree-prune" ? [`${type} ${effect.to}`] : [];
		});

	it("makes the link on which it was announced much shorter one of the tree, in place of its own (Plumtree §3.8)", () => {
		const { optimisationHops } = broadcastConfig({ nodeId: nodeId("me") });
		const lone = new Lone([a, b]);
		lone.announce(b, "x");
		expect(shown(lone.gossip(a, "x", optimisationHops))).toEqual([]);
		lone.announce(b, "y");
		expect(shown(lone.gossip(a, "y", 1 + optimisationHops))).toEqual(["tree-graft b", "tree-prune a"]);
	});
});

describe("announcements", () => {
	it("of each message go to those links that were lazy when it came", () => {
		const lone = new Lone([a, b, c]);
		lone.hear(b, { type: "tree-prune" });
		lone.gossip(a, "x");
		lone.hear(c, { type: "tree-prune" });
		lone.gossip(a, "y");
		const sent = lone.step({ type: "timer", timer: "lazy" });
		expect(sent.map((effect) => effect.type === "send" && [effect.to, effect.message])).toEqual([
			[b, { type: "tree-have", ids: ["x", "y"], hops: [2, 2] }],
			[c, { type: "tree-have", ids: ["y"], hops: [2] }],
		]);
	});

	it("on a link that only the other side has are answered, unless they announce nothing new", () => {
		const lone = new Lone([a]);
		lone.gossip(a, "x");
		expect(lone.announce(b, "x")).toEqual([]);
		expect(lone.announce(b, "z")).toContainEqual(
			expect.objectContaining({ type: "send", to: b, message: { type: "disconnect" } }),
		);
	});

	it("tell a new neighbour of the latest that are kept, the oldest of them first", () => {
		const lone = new Lone([a]);
		for (let i = 0; i < 1_100; i++) lone.gossip(a, `m${i}`);
		const told = lone.hear(b, { type: "neighbour", isUrgent: true });
		const have = told.flatMap((effect) =>
			effect.type === "send" && effect.message.type === "tree-have" ? [effect.message.ids] : [],
		);
		expect(have).toEqual([Array.from({ length: 64 }, (_, i) => `m${1_036 + i}`)]);
		// What has left the ring can not be had any more; what is in it can.
		expect(lone.hear(a, { type: "tree-graft", id: "m75" })).toEqual([]);
		expect(lone.hear(a, { type: "tree-graft", id: "m76" })).toHaveLength(1);
	});
});
