/**
 * Goal: a suspicion lasts as long as Lifeguard §IV-B says, however confirmations and time interleave (GOS-12). Method: the
 * formula's table; one member with its timers by hand; the sum of the timers against the formula.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { must, type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import { confirmationsWanted, suspicionMinMs, suspicionMs } from "../../../../protocols/gossip/index.ts";
import { a, alive, b, c, d, dead, e, LoneMember, suspected } from "./lone-member.ts";

describe("formulae", () => {
	it("the minimum grows with the logarithm of the group (memberlist `suspicionTimeout`)", () => {
		expect([1, 5, 10, 100, 1_000].map((n) => suspicionMinMs(4, n, 1_000))).toEqual([
			4_000, 4_000, 4_000, 8_000, 12_000,
		]);
	});

	it("from the maximum, each confirmation shortens it, down to the minimum", () => {
		const at = (confirmations: number): number => suspicionMs(confirmations, 3, 2_000, 30_000);
		// log 2 / log 4 is a half of the way, log 3 / log 4 0.79 of it.
		expect([0, 1, 2, 3, 4].map(at)).toEqual([30_000, 16_000, 7_810, 2_000, 2_000]);
	});

	it("no confirmations can be had in a tiny group: the minimum counts", () => {
		expect(confirmationsWanted(4, 3)).toBe(0);
		expect(confirmationsWanted(4, 4)).toBe(2);
		expect(suspicionMs(0, 0, 4_000, 24_000)).toBe(4_000);
	});
});

/** `a` with b … and so many more that log10 n is 1; α 4 gives k = 2, minimum 4 s, maximum 24 s. */
function suspecting(): LoneMember {
	const others = ["b", "c", "d", "e", "f", "g"].map(nodeId);
	return new LoneMember({ others }).hear(c, suspected(b, c));
}
/** Lets the suspicion's timer run out; returns how long it was. */
function elapse(member: LoneMember, before: LoneMember["timers"]): number {
	const set = must(before.get(`suspicion/${b}`), "the timer is set");
	member.timer(`suspicion/${b}`);
	return set.min;
}

describe("one suspicion", () => {
	it("unconfirmed, it lasts its maximum and then is a death", () => {
		const member = suspecting();
		let waitedMs = 0;
		while (member.stateOf(b) === "suspect") waitedMs += elapse(member, member.timers);
		expect(waitedMs).toBe(24_000);
		expect(member.events).toContainEqual({ type: "member-failed", node: b, incarnation: 1, by: a });
		expect(member.waitingAbout(b)).toEqual(dead(b, a));
	});

	it("confirmed k times, it lasts its minimum", () => {
		const member = suspecting();
		const { timers } = member;
		member.hear(d, suspected(b, d)).hear(e, suspected(b, e));
		expect(elapse(member, timers)).toBe(4_000);
		expect(member.stateOf(b)).toBe("dead");
	});

	it("the same accuser confirms once", () => {
		const member = suspecting();
		for (let i = 0; i < 5; i++) member.hear(d, suspected(b, c)).hear(d, suspected(b, d));
		member.timer(`suspicion/${b}`);
		expect(member.stateOf(b)).toBe("suspect");
	});

	it("one's own further failed probes confirm nothing", () => {
		const member = suspecting();
		for (let failed = 0; failed < 3; ) if (member.failProbe() === b) failed++;
		member.timer(`suspicion/${b}`);
		expect(member.stateOf(b)).toBe("suspect");
		member.hear(d, suspected(b, d));
		expect(member.stateOf(b)).toBe("dead");
	});

	it("a confirmation that comes after its moment decides at once", () => {
		const member = suspecting();
		member.timer(`suspicion/${b}`).timer(`suspicion/${b}`);
		expect(member.stateOf(b)).toBe("suspect");
		member.hear(d, suspected(b, d));
		expect(member.stateOf(b)).toBe("dead");
	});

	it("only as many confirmations are passed on as could shorten it", () => {
		const member = suspecting().spreadAll();
		const spread = ["d", "e", "f"].map((id) => {
			member.hear(nodeId(id), suspected(b, nodeId(id)));
			return member.waitingAbout(b)?.by;
		});
		expect(spread).toEqual(["d", "e", "e"]);
	});

	it("a refutation ends it", () => {
		const member = suspecting().hear(b, alive(b, 2));
		expect(member.stateOf(b)).toBe("alive");
		expect(member.cancelled).toContain(`suspicion/${b}`);
		member.timer(`suspicion/${b}`);
		expect(member.stateOf(b)).toBe("alive");
	});

	it("whenever confirmations come, death comes when the formula says", () => {
		const ks = fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 2 });
		fc.assert(
			fc.property(ks, (given) => {
				const confirmAt = given.toSorted((x, y) => x - y);
				const accusers = [d, e] as NodeId[];
				const member = suspecting();
				let [nowMs, fireAt, confirmed] = [0, must(member.timers.get(`suspicion/${b}`), "set").min, 0];
				while (member.stateOf(b) === "suspect") {
					const next = confirmAt[confirmed] ?? Number.POSITIVE_INFINITY;
					if (next < fireAt) {
						nowMs = next;
						const accuser = must(accusers[confirmed++], "two at most");
						member.hear(accuser, suspected(b, accuser));
					} else {
						nowMs = fireAt;
						member.timer(`suspicion/${b}`);
						fireAt += member.timers.get(`suspicion/${b}`)?.min ?? 0;
					}
				}
				// The first moment at which so many confirmations were there as the time passed lets be enough.
				const ends = [0, 1, 2].map((n) =>
					Math.max(suspicionMs(n, 2, 4_000, 24_000), n === 0 ? 0 : (confirmAt[n - 1] ?? Number.POSITIVE_INFINITY)),
				);
				expect(nowMs).toBe(Math.min(...ends));
			}),
		);
	});
});
