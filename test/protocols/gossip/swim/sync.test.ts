/**
 * Goal: members meet through seeds, exchange whole states, grow together after a partition and leave in order (GOS-1, GOS-7,
 * GOS-11, GOS-13). Method: one member, messages by hand.
 */
import { describe, expect, it } from "vitest";
import { must, type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import { LAMPORT_LEAP_MAX } from "../../../../protocols/gossip/index.ts";
import { a, alive, b, c, d, dead, LoneMember, left, suspected } from "./lone-member.ts";

function answer(
	member: LoneMember,
	from: NodeId,
	sequence: number,
	...members: ReturnType<typeof alive>[]
): LoneMember {
	return member.receive(from, { type: "sync-response", sequence, members, lamport: 0 });
}

describe("join (GOS-11)", () => {
	it("asks every seed but itself, and is joined when one has answered", () => {
		const member = new LoneMember();
		expect(member.request({ type: "join", seeds: [a, b, c] })).toEqual([]);
		const asked = member.sent("sync-request");
		expect(asked.map(({ to }) => to)).toEqual([b, c]);
		expect(must(asked[0], "counted").message.members).toEqual([alive(a)]);
		answer(member, c, must(asked[0], "counted").message.sequence, alive(c), alive(b), alive(d));
		expect(member.replies).toEqual([{ type: "joined", through: c }]);
		expect(member.machine.status.present).toBe(4);
		expect(member.cancelled).toContain("join");
	});

	it("is joined by an answer of a seed to what was asked, and by no other", () => {
		const member = new LoneMember();
		member.request({ type: "join", seeds: [b] });
		const { sequence } = must(member.sent("sync-request")[0], "it asks").message;
		expect(answer(member, b, sequence + 1, alive(b)).replies).toEqual([]);
		expect(answer(member, d, sequence, alive(b)).replies).toEqual([]);
		expect(answer(member, b, sequence, alive(b)).replies).toEqual([{ type: "joined", through: b }]);
	});

	it("asks again, so often, then says that nobody answered", () => {
		const member = new LoneMember({ config: { joinAttemptsMax: 3 } });
		member.request({ type: "join", seeds: [b] });
		for (let i = 0; i < 2; i++) expect(member.timer("join").sent("sync-request").length).toBe(1);
		member.timer("join");
		expect(member.replies).toEqual([{ type: "refused", reason: "no-seed-answered", attempts: 3 }]);
		expect(member.sent("sync-request")).toEqual([]);
	});

	it.each([
		["no seeds", []],
		["a bad id", ["no id!" as NodeId]],
		["too many", Array.from({ length: 65 }, (_, i) => nodeId(`s${i}`))],
	])("refuses %s", (_what, seeds) => {
		expect(new LoneMember().request({ type: "join", seeds })).toEqual([
			{ type: "refused", reason: "malformed", field: "seeds" },
		]);
	});

	it("refuses a second one meanwhile", () => {
		const member = new LoneMember();
		member.request({ type: "join", seeds: [b] });
		expect(member.request({ type: "join", seeds: [c] })).toEqual([{ type: "refused", reason: "join-in-progress" }]);
	});
});

describe("what a newcomer hears", () => {
	const joining = (...others: NodeId[]): [LoneMember, number] => {
		const member = new LoneMember({ others });
		member.request({ type: "join", seeds: [b, c] });
		return [member, must(member.sent("sync-request")[0], "it asks").message.sequence];
	};

	it("from its first seed is not spread: that seed knows it, and there is nobody else to tell", () => {
		const [member, sequence] = joining();
		answer(member, b, sequence, alive(b), alive(d));
		expect(member.waitingAbout(d)).toBeUndefined();
		expect(member.waitingAbout(a)).toEqual(alive(a));
	});

	it("from a second seed is: the two may not know each other", () => {
		const [member, sequence] = joining();
		answer(answer(member, b, sequence, alive(b)), c, sequence, alive(c), alive(d));
		expect(member.waitingAbout(d)).toEqual(alive(d));
	});

	it("is spread by whoever knew somebody before, or asks later", () => {
		const [known, sequence] = joining(b);
		expect(answer(known, c, sequence, alive(d)).waitingAbout(d)).toEqual(alive(d));
		const [later, first] = joining();
		answer(later, b, first, alive(b));
		expect(answer(later, b, first + 1, alive(d)).waitingAbout(d)).toEqual(alive(d));
	});
});

describe("exchange of whole states (GOS-7)", () => {
	it("is answered with all that is held, suspects as both known and suspected", () => {
		const member = new LoneMember({ others: [b, c, d] }).hear(c, suspected(b, c)).hear(c, dead(d, c));
		member.receive(c, { type: "sync-request", sequence: 5, members: [], lamport: 0 });
		const { members } = must(member.sent("sync-response")[0], "it answers").message;
		expect(new Set(members)).toEqual(new Set([alive(a), alive(b), suspected(b, c), alive(c), dead(d, a)]));
	});

	it("in messages of at most `syncMembersMax`", () => {
		const others = Array.from({ length: 30 }, (_, i) => nodeId(`m${i}`));
		const member = new LoneMember({ others, config: { syncMembersMax: 8 } });
		member.receive(b, { type: "sync-request", sequence: 5, members: [], lamport: 0 });
		const lengths = member.sent("sync-response").map(({ message }) => message.members.length);
		expect(lengths).toEqual([8, 8, 8, 7]);
	});

	it("tells who has left, and not who is buried: that would be suspected anew wherever it is still believed", () => {
		const member = new LoneMember({ others: [b, c, d] }).hear(c, dead(b, c)).timer(`dead/${b}`).hear(d, left(d));
		member.receive(c, { type: "sync-request", sequence: 5, members: [], lamport: 0 });
		const { members } = must(member.sent("sync-response")[0], "it answers").message;
		expect(new Set(members)).toEqual(new Set([alive(a), alive(c), left(d)]));
	});

	it("a verdict on oneself is refuted as what it is", () => {
		const member = new LoneMember({ others: [b, c] });
		member.receive(c, { type: "sync-request", sequence: 5, members: [dead(a, b)], lamport: 0 });
		expect(member.events).toContainEqual({ type: "refuted", incarnation: 2, accusation: "dead", by: b });
	});

	it("no word of another moves the Lamport time further than an event may, but that of the seed through which one joins", () => {
		const far = Number.MAX_SAFE_INTEGER;
		const member = new LoneMember({ others: [b, c] });
		member.receive(b, { type: "sync-request", sequence: 5, members: [], lamport: far });
		expect(member.machine.status.lamport).toBe(LAMPORT_LEAP_MAX);
		member.receive(b, { type: "sync-response", sequence: 5, members: [], lamport: far });
		expect(member.machine.status.lamport).toBe(2 * LAMPORT_LEAP_MAX);
		const joining = new LoneMember();
		joining.request({ type: "join", seeds: [b] });
		const { sequence } = must(joining.sent("sync-request")[0], "it asks").message;
		joining.receive(b, { type: "sync-response", sequence, members: [], lamport: 2 ** 30 });
		expect(joining.machine.status.lamport).toBe(2 ** 30);
	});

	it("another's verdict is only a reason to suspect", () => {
		const member = new LoneMember({ others: [b, c] });
		member.receive(c, { type: "sync-request", sequence: 5, members: [dead(b, c)], lamport: 0 });
		expect(member.stateOf(b)).toBe("suspect");
	});

	it("a leave is one", () => {
		const member = new LoneMember({ others: [b, c] });
		member.receive(c, { type: "sync-request", sequence: 5, members: [left(b)], lamport: 0 });
		expect(member.stateOf(b)).toBe("left");
	});

	it("is asked of one member an interval, more seldom in a large group", () => {
		const small = new LoneMember({ others: [b, c] }).timer("sync");
		expect(small.sent("sync-request").length).toBe(1);
		expect(small.timers.get("sync")?.min).toBe(30_000);
		const others = Array.from({ length: 64 }, (_, i) => nodeId(`m${i}`));
		expect(new LoneMember({ others }).timer("sync").timers.get("sync")?.min).toBe(90_000);
	});

	it("in a group of thousands comes first at any moment of the group's own interval, so that those who start together are spread", () => {
		const others = Array.from({ length: 1_024 }, (_, i) => nodeId(`m${i}`));
		const large = new LoneMember({ others }).timer("sync");
		// The first part of it, up to 30 s, has passed.
		expect(large.timers.get("sync")).toEqual({ min: 1, max: 180_000 });
		expect(large.sent("sync-request")).toEqual([]);
		large.timer("sync");
		// 1,025 statements, 512 a message.
		expect(large.sent("sync-request").length).toBe(3);
		expect(large.timers.get("sync")).toEqual({ min: 210_000, max: 210_000 });
		expect(large.timer("sync").sent("sync-request").length).toBe(3);
	});
});

describe("the healer", () => {
	const below = (answer: number) => ({ below: (bound: number) => Math.min(answer, bound - 1) });

	it("tries a dead member with probability dead/present", () => {
		const tried = (choice: number): number => {
			const member = new LoneMember({ others: [b, c, d], choices: below(choice) }).hear(c, dead(b, c));
			return member
				.timer("heal")
				.sent("sync-request")
				.filter(({ to }) => to === b).length;
		};
		// Three are present and one is dead: of the three answers only 0 tries.
		expect([0, 1, 2].map(tried)).toEqual([1, 0, 0]);
	});

	it("the buried too, until they are forgotten; who has left never", () => {
		const member = new LoneMember({ others: [b, c] }).hear(c, dead(b, c)).timer(`dead/${b}`);
		expect(
			member
				.timer("heal")
				.sent("sync-request")
				.map(({ to }) => to),
		).toEqual([b]);
		expect(member.timer(`dead/${b}`).timer("heal").sent("sync-request")).toEqual([]);
		const other = new LoneMember({ others: [b, c] }).hear(b, left(b));
		expect(other.timer("heal").sent("sync-request")).toEqual([]);
	});
});

describe("leave (GOS-13)", () => {
	it("is spread, answered after `leaveMs`, and then the member is silent", () => {
		const member = new LoneMember({ others: [b, c] }).spreadAll();
		expect(member.request({ type: "leave" })).toEqual([]);
		expect(member.timers.get("leave")).toEqual({ min: 5_000, max: 5_000 });
		expect(member.timer("gossip").sent("gossip")[0]?.message.updates).toEqual([left(a)]);
		expect(member.ping(b).sent("ack").length).toBe(1);
		member.timer("leave");
		expect(member.replies).toEqual([{ type: "left" }]);
		expect(member.ping(b).effects).toEqual([]);
		expect(member.timer("probe").effects).toEqual([]);
		expect(member.request({ type: "join", seeds: [b] })).toEqual([{ type: "refused", reason: "leaving" }]);
	});

	it("the others hear that it left, not that it failed, and remember it for as long as the dead", () => {
		const member = new LoneMember({ others: [b, c] }).hear(b, left(b));
		expect(member.events).toEqual([{ type: "member-left", node: b, incarnation: 1 }]);
		const { forgetDeadAfterMs } = member.config;
		expect(member.timers.get(`dead/${b}`)).toEqual({ min: forgetDeadAfterMs, max: forgetDeadAfterMs });
	});

	it("who has left may come back at a later incarnation", () => {
		const member = new LoneMember({ others: [b, c] }).hear(b, left(b)).hear(b, alive(b, 2));
		expect(member.events).toContainEqual({ type: "member-joined", node: b, incarnation: 2, tags: new Uint8Array(0) });
		expect(member.cancelled).toContain(`dead/${b}`);
	});
});

describe("tags", () => {
	it("are spread at a new incarnation and told to observers", () => {
		const member = new LoneMember({ others: [b] });
		expect(member.request({ type: "set-tags", tags: Uint8Array.of(1) })).toEqual([
			{ type: "tags-set", incarnation: 2 },
		]);
		expect(member.waitingAbout(a)).toEqual(alive(a, 2, Uint8Array.of(1)));
		member.hear(b, alive(b, 2, Uint8Array.of(5)));
		expect(member.events).toEqual([{ type: "member-updated", node: b, incarnation: 2, tags: Uint8Array.of(5) }]);
	});

	it("that a suspect refutes with are told beside that it is cleared", () => {
		const member = new LoneMember({ others: [b, c] }).hear(c, suspected(b, c)).hear(b, alive(b, 2, Uint8Array.of(5)));
		expect(member.events).toEqual([
			{ type: "member-cleared", node: b, incarnation: 2 },
			{ type: "member-updated", node: b, incarnation: 2, tags: Uint8Array.of(5) },
		]);
	});

	it("more than 512 bytes are refused", () => {
		expect(new LoneMember().request({ type: "set-tags", tags: new Uint8Array(513) })).toEqual([
			{ type: "refused", reason: "too-large", sizeBytes: 513, limitBytes: 512 },
		]);
	});
});
