/**
 * Goal: events and queries reach a member once, in bounds, and what is old or malformed is dropped (serf; GOS-2). Method: one
 * member, messages by hand.
 */
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../../../protocols/core/index.ts";
import { encodeFilter, encodeTags, LAMPORT_LEAP_MAX, type UserEvent } from "../../../../protocols/gossip/index.ts";
import { EVENTS_PER_TIME_MAX } from "../../../../protocols/gossip/swim/user-events.ts";
import { a, b, c, d, LoneMember } from "./lone-member.ts";

const none = new Uint8Array(0);
const event = (fields: Partial<UserEvent> = {}): UserEvent => ({
	name: "e",
	lamport: 1,
	origin: c,
	payload: none,
	isQuery: false,
	filter: none,
	...fields,
});
const hear = (member: LoneMember, from: NodeId, ...events: UserEvent[]): LoneMember =>
	member.receive(from, { type: "gossip", updates: [], events });
const told = (member: LoneMember): number => member.events.filter(({ type }) => type === "user-event").length;

describe("user events", () => {
	it("are delivered once, whoever passes them on, and passed on", () => {
		const member = new LoneMember({ others: [b, c] }).spreadAll();
		expect(told(hear(member, b, event()))).toBe(1);
		expect(told(hear(member, c, event()))).toBe(0);
		expect(member.timer("gossip").sent("gossip")[0]?.message.events).toEqual([event()]);
	});

	it("of one time are told apart by origin and name", () => {
		const member = new LoneMember({ others: [b, c] });
		expect(told(hear(member, b, event(), event({ origin: d }), event({ name: "f" })))).toBe(3);
	});

	it("start at a Lamport time above all that was heard", () => {
		const member = new LoneMember({ others: [b, c] });
		hear(member, b, event({ lamport: 41 }));
		expect(member.request({ type: "spread-event", name: "mine", payload: none })).toEqual([
			{ type: "event-spread", lamport: 42 },
		]);
		expect(told(member)).toBe(1);
	});

	it("that are older than the memory of them are dropped, or they would be delivered again", () => {
		const member = new LoneMember({ others: [b, c] });
		hear(member, b, event({ lamport: 1_000 }));
		expect(told(hear(member, b, event({ lamport: 1_000 - 512 })))).toBe(0);
		expect(told(hear(member, b, event({ lamport: 1_000 - 511 })))).toBe(1);
	});

	it("of one time have a bound: a flood of names does not grow the memory of them", () => {
		const member = new LoneMember({ others: [b, c] });
		const flood = Array.from({ length: EVENTS_PER_TIME_MAX + 1 }, (_, i) => event({ name: `e${i}` }));
		expect(told(hear(member, b, ...flood))).toBe(EVENTS_PER_TIME_MAX);
	});

	it.each([
		["from far in the future", { lamport: LAMPORT_LEAP_MAX + 2 }],
		["without a name", { name: "" }],
		["of a bad origin", { origin: "no id!" as NodeId }],
		["at no time", { lamport: 0 }],
		["over 512 bytes", { payload: new Uint8Array(512) }],
	])("%s are dropped", (_what, fields) => {
		expect(told(hear(new LoneMember({ others: [b, c] }), b, event(fields)))).toBe(0);
	});

	it("of one's own that are too large are refused", () => {
		const member = new LoneMember();
		expect(member.request({ type: "spread-event", name: "e", payload: new Uint8Array(512) })).toEqual([
			{ type: "refused", reason: "too-large", sizeBytes: 513, limitBytes: 512 },
		]);
	});
});

describe("queries", () => {
	it("are answered to their origin, once", () => {
		const member = new LoneMember({ others: [b, c] });
		hear(member, b, event({ isQuery: true }));
		expect(member.events).toMatchObject([{ type: "query-received", origin: c, lamport: 1 }]);
		const answer = { type: "answer-query", origin: c, lamport: 1, payload: Uint8Array.of(9) } as const;
		expect(member.request(answer)).toEqual([{ type: "query-answer-sent" }]);
		expect(member.sent("query-answer")).toEqual([
			{ to: c, message: { type: "query-answer", lamport: 1, payload: Uint8Array.of(9) } },
		]);
		expect(member.request(answer)).toMatchObject([{ type: "refused", reason: "malformed" }]);
	});

	it("are for those that a filter is for: the others pass them on, and can not answer", () => {
		const filter = encodeFilter({ tags: { role: "web-*" } });
		const ask = (member: LoneMember, tags: Uint8Array): LoneMember => {
			member.request({ type: "set-tags", tags });
			return hear(member.spreadAll(), b, event({ isQuery: true, filter }));
		};
		const answer = { type: "answer-query", origin: c, lamport: 1, payload: none } as const;
		const asked = ask(new LoneMember({ others: [b, c] }), encodeTags({ role: "web-1" }));
		expect(asked.events).toMatchObject([{ type: "query-received", origin: c }]);
		expect(asked.request(answer)).toEqual([{ type: "query-answer-sent" }]);
		for (const tags of [encodeTags({ role: "db-1" }), Uint8Array.of(9, 9), none]) {
			const other = ask(new LoneMember({ others: [b, c] }), tags);
			expect(other.events).toEqual([]);
			expect(other.request(answer)).toMatchObject([{ type: "refused", reason: "malformed" }]);
			expect(other.timer("gossip").sent("gossip")[0]?.message.events).toEqual([event({ isQuery: true, filter })]);
		}
	});

	it("whose filter is none are dropped or refused, and events have none", () => {
		const filter = Uint8Array.of(7);
		const member = new LoneMember({ others: [b, c] }).spreadAll();
		hear(member, b, event({ isQuery: true, filter }));
		hear(member, b, event({ filter: encodeFilter({ nodes: [a] }) }));
		expect([member.events, member.timers.has("gossip")]).toEqual([[], false]);
		expect(member.request({ type: "query", name: "q", payload: none, filter })).toEqual([
			{ type: "refused", reason: "malformed", field: "filter" },
		]);
	});

	it("count their filter among their bytes", () => {
		const filter = encodeFilter({ nodes: [b] });
		expect(
			new LoneMember().request({ type: "query", name: "q", payload: new Uint8Array(511 - filter.length + 1), filter }),
		).toEqual([{ type: "refused", reason: "too-large", sizeBytes: 513, limitBytes: 512 }]);
	});

	it("count one answer of each member, until their time is over", () => {
		const member = new LoneMember({ others: [b, c] });
		const [spread] = member.request({ type: "query", name: "q", payload: none });
		expect(spread).toEqual({ type: "query-spread", lamport: 1, timeoutMs: 200 * 16 });
		expect(member.timers.get("query/1")).toEqual({ min: 3_200, max: 3_200 });
		const answer = { type: "query-answer", lamport: 1, payload: none } as const;
		expect(member.receive(b, answer).events.length).toBe(1);
		expect(member.receive(b, answer).events.length).toBe(0);
		expect(member.receive(c, answer).events.length).toBe(1);
		expect(member.timer("query/1").events).toEqual([{ type: "query-ended", lamport: 1, answers: 2 }]);
		expect(member.receive(d, answer).events).toEqual([]);
	});

	it("may be answered by who asks, too", () => {
		const member = new LoneMember({ others: [b] });
		member.request({ type: "query", name: "q", payload: none });
		member.request({ type: "answer-query", origin: a, lamport: 1, payload: none });
		expect(member.events).toMatchObject([{ type: "query-answered", from: a }]);
	});
});
