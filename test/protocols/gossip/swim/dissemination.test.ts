/**
 * Goal: news leave a bounded number of times in packets of bounded size, the least sent and newest first, to live members and
 * the lately dead (SWIM §4.1; GOS-2, GOS-6, GOS-18). Method: one member; sizes held against the codec that encodes them.
 */
import { describe, expect, it } from "vitest";
import { must, type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import { messageBytes, retransmitLimit, type SwimMessage, swimLayouts } from "../../../../protocols/gossip/index.ts";
import { type CompiledLayout, compileLayouts } from "../../../../runtime/codec/index.ts";
import { alive, b, c, d, dead, e, LoneMember, left, suspected, variedChoices } from "./lone-member.ts";

const layouts: ReadonlyMap<string, CompiledLayout> = new Map(
	compileLayouts(swimLayouts, 1).map((layout, i) => [must(swimLayouts.messages[i], "one each").type, layout]),
);
/** Bytes that the codec makes of a message, its schema number included. */
function encodedBytes(message: SwimMessage): number {
	const layout = must(layouts.get(message.type), "every message has a layout");
	const bytes = new Uint8Array(layout.sizeBound(message));
	return 1 + layout.encode(message, bytes, new DataView(bytes.buffer), 0);
}

function crowd(count: number): NodeId[] {
	return Array.from({ length: count }, (_, i) => nodeId(`member-${i}`));
}

describe("retransmission", () => {
	it("an update leaves multiplier × ⌈log10(n + 1)⌉ times", () => {
		expect([1, 9, 10, 99, 100, 1_000].map((n) => retransmitLimit(4, n))).toEqual([4, 4, 8, 8, 12, 16]);
		const member = new LoneMember({ others: [b, c, d, e] }).spreadAll();
		member.hear(b, suspected(c, b));
		let times = 0;
		for (let i = 0; i < 20; i++) {
			for (const { message } of member.timer("gossip").sent("gossip")) times += message.updates.length;
		}
		expect(times).toBe(4);
	});

	it("what is newer about a member takes the place of what is older", () => {
		const member = new LoneMember({ others: [b, c, d] }).hear(b, suspected(c, b)).hear(c, alive(c, 2));
		const said = member
			.timer("gossip")
			.sent("gossip")
			.flatMap(({ message }) => message.updates);
		const kinds = said.flatMap(({ node, kind }) => (node === c ? [kind] : []));
		expect(new Set(kinds)).toEqual(new Set(["alive"]));
	});

	it("the least sent leave first, of these the newest", () => {
		const others = crowd(8);
		const member = new LoneMember({ others, config: { packetBytesMax: 1_024 } }).spreadAll();
		for (const id of others) member.hear(id, alive(id, 2, new Uint8Array(400)));
		const packets = [1, 2].flatMap(() => member.timer("gossip").sent("gossip"));
		const order = packets.flatMap(({ message }) => message.updates.map(({ node }) => node));
		expect(order.slice(0, 8)).toEqual(others.toReversed());
	});

	it("without news no gossip leaves and no timer is set", () => {
		const member = new LoneMember({ others: [b, c] }).spreadAll();
		expect(member.timers.has("gossip")).toBe(false);
		expect(member.timer("gossip").sent("gossip")).toEqual([]);
	});
});

describe("packets (GOS-18)", () => {
	it("sizes are the codec's, for every kind of message", () => {
		const updates = [
			alive(b, 3, Uint8Array.of(1, 2, 3)),
			{ ...suspected(c, d, 4), signature: new Uint8Array(64) },
			left(e, 2),
		];
		const events = [
			{ name: "deploy", lamport: 9, origin: b, payload: Uint8Array.of(7), isQuery: true, filter: Uint8Array.of(1, 2) },
		];
		const messages: SwimMessage[] = [
			{ type: "ping", sequence: 1, updates, events },
			{ type: "ack", sequence: 1, payload: new Uint8Array(40), updates, events },
			{ type: "ping-request", sequence: 1, target: d, updates, events },
			{ type: "nack", sequence: 1 },
			{ type: "gossip", updates, events },
			{ type: "sync-request", sequence: 1, members: updates, lamport: 3 },
			{ type: "sync-response", sequence: 1, members: updates, lamport: 3 },
			{ type: "query-answer", lamport: 3, payload: Uint8Array.of(1, 2) },
		];
		expect(messages.map(messageBytes)).toEqual(messages.map(encodedBytes));
	});

	it("no packet is larger than its limit, and news fill it", () => {
		const others = crowd(300);
		const member = new LoneMember({ others });
		for (const id of others) member.hear(id, alive(id, 2, new Uint8Array(40)));
		const packets: SwimMessage[] = [];
		for (let i = 0; i < 30; i++) {
			packets.push(
				...member
					.timer("gossip")
					.sent("gossip")
					.map(({ message }) => message),
			);
			packets.push(
				...member
					.timer("probe")
					.sent("ping")
					.map(({ message }) => message),
			);
			packets.push(
				...member
					.timer("probe-timeout")
					.sent("ping-request")
					.map(({ message }) => message),
			);
			packets.push(
				...member
					.ping(nodeId("member-0"))
					.sent("ack")
					.map(({ message }) => message),
			);
		}
		const sizes = packets.map(encodedBytes);
		expect(Math.max(...sizes)).toBeLessThanOrEqual(1_400);
		// Another update would not have fitted.
		expect(Math.max(...sizes)).toBeGreaterThan(1_400 - 120);
		expect(packets.length).toBeGreaterThan(100);
	});

	it("a suspicion told by a buddy counts against the limit too", () => {
		const others = crowd(100);
		const member = new LoneMember({ others });
		for (const id of others) member.hear(id, alive(id, 2));
		for (const id of others) member.hear(nodeId("member-1"), suspected(id, nodeId("member-1"), 2));
		const sizes = Array.from({ length: 20 }, () =>
			member
				.timer("probe")
				.sent("ping")
				.map(({ message }) => encodedBytes(message)),
		).flat();
		expect(Math.max(...sizes)).toBeLessThanOrEqual(1_400);
	});
});

describe("who is gossiped to (GOS-6)", () => {
	const receivers = (member: LoneMember): Set<NodeId> => {
		const seen = new Set<NodeId>();
		for (let i = 0; i < 200; i++) {
			member.hear(e, alive(e, i + 2)).timer("gossip");
			for (const { to } of member.sent("gossip")) seen.add(to);
		}
		return seen;
	};
	const choices = variedChoices(1);

	it("fanout different members each time", () => {
		const member = new LoneMember({ others: crowd(60), choices });
		for (let i = 0; i < 100; i++) {
			const to = member
				.timer("gossip")
				.sent("gossip")
				.map((sent) => sent.to);
			expect(new Set(to).size).toBe(to.length);
			expect(to.length).toBe(3);
			member.hear(b, alive(b, i + 1));
		}
	});

	it("the lately dead too, that they may refute, and no longer than `gossipToDeadMs`", () => {
		const member = new LoneMember({ others: [b, c, e], choices, config: { gossipFanout: 1 } }).hear(c, dead(b, c));
		expect(member.timers.get(`dead/${b}`)).toEqual({ min: 30_000, max: 30_000 });
		expect(receivers(member)).toEqual(new Set([b, c, e]));
		member.timer(`dead/${b}`);
		expect(receivers(member)).toEqual(new Set([c, e]));
	});

	it("who has left is left alone", () => {
		const member = new LoneMember({ others: [b, c, e], choices, config: { gossipFanout: 1 } }).hear(b, left(b));
		expect(receivers(member)).toEqual(new Set([c, e]));
	});

	it("the dead are forgotten in the end, and free their place", () => {
		const member = new LoneMember({ others: [b, c], config: { membersMax: 2 } }).hear(c, dead(b, c));
		member.timer(`dead/${b}`).timer(`dead/${b}`);
		expect(member.events).toEqual([{ type: "member-forgotten", node: b }]);
		expect(member.hear(d, alive(d)).stateOf(d)).toBe("alive");
	});
});
