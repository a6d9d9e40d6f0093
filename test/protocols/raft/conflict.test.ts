/**
 * Goal: whatever tails two logs have, the leader's replaces the follower's, in at most one refusal for each run of terms
 * that the two can disagree about (§5.3, the optimisation at its end).
 * Method: random logs that share a prefix and differ afterwards (fast-check), two real machines that answer each other.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { a, b, LoneMachine, vote } from "./lone-machine.ts";

/** Terms that only grow, all with this remainder modulo 2: no other log has an entry of such a term. */
const tail = (parity: number): fc.Arbitrary<number[]> =>
	fc.array(fc.nat(2), { maxLength: 12 }).map((steps) => {
		let run = 2;
		return steps.map((step) => {
			run += step === 2 ? 1 : 0;
			return 2 * run + parity;
		});
	});
const prefix = fc.array(fc.nat(1), { maxLength: 6 }).map((steps) => {
	let inTerm = 1;
	return steps.map((step) => {
		inTerm += step;
		return Math.min(inTerm, 3);
	});
});
const runs = (terms: readonly number[]): number => new Set(terms).size;

describe("logs that differ", () => {
	it("end as the leader's, after few appends", () => {
		fc.assert(
			fc.property(prefix, tail(0), tail(1), (common, leaderTail, followerTail) => {
				const last = Math.max(0, ...common, ...leaderTail, ...followerTail);
				const leader = new LoneMachine({ term: last, log: [...common, ...leaderTail] }).becomeLeader();
				const follower = new LoneMachine({ term: last, log: [...common, ...followerTail], config: { nodeId: b } });
				let appends = 0;
				for (let messages = leader.heartbeat().sent(b); messages.length > 0; messages = leader.sent(b)) {
					for (const message of messages) {
						appends++;
						follower.receive(a, message);
					}
					for (const answer of follower.sent(a)) leader.receive(b, answer);
				}
				expect(follower.logTerms).toEqual(leader.logTerms);
				expect(appends).toBeLessThanOrEqual(3 + Math.min(runs(leaderTail), runs(followerTail)));
			}),
			{ numRuns: 500, seed: 7 },
		);
	});

	it("are never brought together by a vote: the shorter one's owner asks in vain (openraft a48a3282, liferaft#10)", () => {
		const voter = new LoneMachine({ term: 3, log: [1, 2, 3], config: { nodeId: b } });
		const asking = new LoneMachine({ term: 3, log: [1, 2] }).electionTimeout();
		for (const message of asking.sent(b)) voter.receive(a, message);
		expect(voter.sentOnly(a, "vote")).toEqual(vote(3, false, true));
	});
});
