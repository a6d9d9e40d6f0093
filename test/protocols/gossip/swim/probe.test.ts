/**
 * Goal: the failure detector does what SWIM §3.1 and §4.3 and Lifeguard §IV say (GOS-6, GOS-12). Method: one member, timers
 * and answers by hand.
 */
import { describe, expect, it } from "vitest";
import { must, type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import { a, alive, b, c, d, dead, e, LoneMember, suspected, variedChoices } from "./lone-member.ts";

const others = [b, c, d, e];

describe("direct and indirect probes (SWIM §3.1)", () => {
	it("a ping is answered with its sequence number", () => {
		const member = new LoneMember({ others }).ping(b, 42);
		expect(member.sent("ack")).toMatchObject([{ to: b, message: { sequence: 42 } }]);
	});

	it("an answer ends the probe", () => {
		const member = new LoneMember({ others }).timer("probe");
		const { to, message } = must(member.sent("ping")[0], "one is probed");
		member.ack(to, message.sequence);
		expect(member.cancelled).toContain("probe-timeout");
		member.timer("probe");
		expect(member.stateOf(to)).toBe("alive");
	});

	it("an answer with another number, or of another member, does not", () => {
		const member = new LoneMember({ others }).timer("probe");
		const { to, message } = must(member.sent("ping")[0], "one is probed");
		const other = must(
			others.find((id) => id !== to),
			"there are others",
		);
		member
			.ack(to, message.sequence + 1)
			.ack(other, message.sequence)
			.timer("probe-timeout")
			.timer("probe");
		expect(member.stateOf(to)).toBe("suspect");
	});

	it("without an answer k others are asked, all different, never the target", () => {
		const member = new LoneMember({ others }).timer("probe");
		const { to, message } = must(member.sent("ping")[0], "one is probed");
		member.timer("probe-timeout");
		const asked = member.sent("ping-request");
		expect(new Set(asked.map((request) => request.to))).toEqual(new Set(others.filter((id) => id !== to)));
		for (const request of asked) expect(request.message).toMatchObject({ target: to, sequence: message.sequence });
	});

	it("who is asked pings the target, and passes the answer back under the asker's number", () => {
		const member = new LoneMember({ others });
		member.receive(b, { type: "ping-request", sequence: 9, target: c, updates: [], events: [] });
		const { to, message } = must(member.sent("ping")[0], "it pings");
		expect(to).toBe(c);
		member.ack(c, message.sequence);
		expect(member.sent("ack")).toMatchObject([{ to: b, message: { sequence: 9 } }]);
	});

	it("who is asked and hears nothing says so", () => {
		const member = new LoneMember({ others });
		member.receive(b, { type: "ping-request", sequence: 9, target: c, updates: [], events: [] });
		const sequence = must(member.sent("ping")[0], "it pings").message.sequence;
		member.timer(`relay/${sequence}`);
		expect(member.sent("nack")).toEqual([{ to: b, message: { type: "nack", sequence: 9 } }]);
		member.ack(c, sequence);
		expect(member.sent("ack")).toEqual([]);
	});

	it("an indirect answer within the period counts", () => {
		const member = new LoneMember({ others }).timer("probe");
		const { to, message } = must(member.sent("ping")[0], "one is probed");
		member.timer("probe-timeout");
		const relay = must(member.sent("ping-request")[0], "others are asked").to;
		member.ack(relay, message.sequence).timer("probe");
		expect(member.stateOf(to)).toBe("alive");
	});

	it("a relay passes on the answer of the target alone", () => {
		const member = new LoneMember({ others });
		member.receive(b, { type: "ping-request", sequence: 9, target: c, updates: [], events: [] });
		const { sequence } = must(member.sent("ping")[0], "it pings").message;
		expect(member.ack(d, sequence).sent("ack")).toEqual([]);
		expect(member.ack(c, sequence).sent("ack")).toMatchObject([{ to: b, message: { sequence: 9 } }]);
	});

	it("what loss is estimated from counts direct probes alone: an answer through a relay makes none of them answered", () => {
		const member = new LoneMember({ others }).timer("probe");
		const { message } = must(member.sent("ping")[0], "one is probed");
		member.timer("probe-timeout");
		member.ack(must(member.sent("ping-request")[0], "others are asked").to, message.sequence);
		expect(member.machine.status.probes).toEqual({ judged: 1, answered: 0 });
		const next = must(member.timer("probe").sent("ping")[0], "one is probed");
		member.ack(next.to, next.message.sequence);
		expect(member.machine.status.probes).toEqual({ judged: 2, answered: 1 });
	});

	it("relays that are under way have a bound", () => {
		const member = new LoneMember({ others, config: { relaysMax: 2 } });
		const ask = (): number => {
			member.receive(b, { type: "ping-request", sequence: 9, target: c, updates: [], events: [] });
			return member.sent("ping").length;
		};
		expect([ask(), ask(), ask()]).toEqual([1, 1, 0]);
	});
});

describe("the order of probing (SWIM §4.3)", () => {
	it("every member once in each pass, whatever is chosen", () => {
		const choices = variedChoices(1);
		const many = Array.from({ length: 20 }, (_, i) => nodeId(`m${i}`));
		const member = new LoneMember({ others: many, choices });
		const probed: NodeId[] = [];
		for (let i = 0; i < 80; i++) {
			const { to, message } = must(member.timer("probe").sent("ping")[0], "one is probed");
			member.ack(to, message.sequence);
			probed.push(to);
		}
		const passes = [1, 2, 3].map((pass) => probed.slice(20 * pass, 20 * pass + 20));
		for (const pass of passes) expect(new Set(pass)).toEqual(new Set(many));
		// A new order each time, or a joiner's place would tell who probes it.
		expect(passes[0]).not.toEqual(passes[1]);
	});

	it("the dead are not probed", () => {
		const member = new LoneMember({ others: [b, c] }).hear(c, dead(b, c));
		for (let i = 0; i < 6; i++) {
			const { to, message } = must(member.timer("probe").sent("ping")[0], "one is probed");
			expect(to).toBe(c);
			member.ack(to, message.sequence);
		}
	});

	it("alone, nobody is probed", () => {
		expect(new LoneMember().timer("probe").sent("ping")).toEqual([]);
	});
});

describe("LHA-Probe (Lifeguard §IV-A)", () => {
	it("each relay that has not even said nack counts, and none if all have", () => {
		const score = (nacks: number): number => {
			const member = new LoneMember({ others }).timer("probe");
			const { message } = must(member.sent("ping")[0], "one is probed");
			member.timer("probe-timeout");
			for (const { to } of member.sent("ping-request").slice(0, nacks)) {
				// Twice, which must not count twice.
				for (let i = 0; i < 2; i++) member.receive(to, { type: "nack", sequence: message.sequence });
			}
			return member.timer("probe").machine.status.health;
		};
		expect([0, 1, 2, 3].map(score)).toEqual([3, 2, 1, 0]);
	});

	it("a failed probe that nobody could be asked about counts one", () => {
		const member = new LoneMember({ others: [b] });
		member.failProbe();
		expect(member.machine.status.health).toBe(1);
	});

	it("periods are score + 1 times as long, up to the maximum, and shorten with each success", () => {
		const member = new LoneMember({ others, config: { healthScoreMax: 4 } });
		member.failProbe();
		member.timer("probe-timeout").timer("probe");
		expect(member.machine.status.health).toBe(4);
		expect(member.timers.get("probe")).toEqual({ min: 5_000, max: 5_000 });
		const { to, message } = must(member.sent("ping")[0], "one is probed");
		member.ack(to, message.sequence).timer("probe");
		expect(member.timers.get("probe")).toEqual({ min: 4_000, max: 4_000 });
	});

	it("with a maximum of 0 it is off", () => {
		const member = new LoneMember({ others, config: { healthScoreMax: 0 } });
		member.failProbe();
		expect(member.timers.get("probe")).toEqual({ min: 1_000, max: 1_000 });
	});
});

describe("the Buddy System (Lifeguard §IV-C)", () => {
	const pingTo = (member: LoneMember, target: NodeId): readonly unknown[] => {
		for (let i = 0; i < 8; i++) {
			const { to, message } = must(member.timer("probe").sent("ping")[0], "one is probed");
			if (to === target) return message.updates;
			member.ack(to, message.sequence);
		}
		throw new Error("the target was not probed");
	};

	it("a ping to a suspect tells it of the suspicion, even when that was spread long ago", () => {
		const member = new LoneMember({ others }).hear(c, suspected(b, c)).spreadAll();
		expect(pingTo(member, b)).toEqual([suspected(b, c)]);
	});

	it("off, it does not", () => {
		const member = new LoneMember({ others, config: { buddySystem: false } }).hear(c, suspected(b, c)).spreadAll();
		expect(pingTo(member, b)).toEqual([]);
	});

	it("the suspect refutes at once", () => {
		const member = new LoneMember({ others });
		const message = { type: "ping", sequence: 1, updates: [suspected(a, c)], events: [] } as const;
		const [ack] = member.receive(b, message).sent("ack");
		expect(ack?.message.updates).toContainEqual(alive(a, 2));
	});
});
