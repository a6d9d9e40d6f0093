/**
 * Goal: whatever answers come, late, twice or out of order, a leader's picture of a peer stays possible: it never falls
 * behind what is acknowledged and never runs ahead of its window.
 * Method: random sequences of the room's operations (fast-check), with the invariants of the fields checked after each.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	acknowledge,
	becomeProbe,
	becomeReplicate,
	bytesUnderWay,
	initialProgress,
	isFreshRefusal,
	mayAppend,
} from "../../../protocols/raft/progress.ts";
import { index } from "./lone-machine.ts";

const WINDOW = 3;
const LIMITS = { maxInflightAppends: WINDOW, maxInflightBytes: 100 };

describe("Progress", () => {
	it("keeps match below next, the window in order and within its bound (etcd-io/raft#148, raft-rs#555)", () => {
		const step = fc.record({ what: fc.constantFrom("send", "ack", "refuse", "probe"), at: fc.nat(30) });
		fc.assert(
			fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
				const progress = initialProgress(index(10));
				let sent = 10;
				for (const { what, at } of steps) {
					const matchBefore = progress.match;
					if (what === "send" && mayAppend(progress, LIMITS)) {
						sent = Math.max(sent, progress.next + (at % 3));
						if (progress.mode === "probe") progress.probeSent = true;
						else {
							progress.inflight.push(index(progress.next + (at % 3)));
							progress.inflightBytes.push(2 * at);
							progress.next = index(progress.next + (at % 3) + 1);
						}
					} else if (what === "ack") {
						// A follower acknowledges only what was sent to it.
						if (acknowledge(progress, index(Math.min(at, sent))) && progress.mode === "probe")
							becomeReplicate(progress);
					} else if (what === "refuse" && isFreshRefusal(progress, index(at))) becomeProbe(progress, index(at));
					else if (what === "probe") becomeProbe(progress, index(at));
					expect(progress.match).toBeGreaterThanOrEqual(matchBefore);
					expect(progress.match).toBeLessThan(progress.next);
					expect(progress.inflight.length).toBeLessThanOrEqual(WINDOW);
					expect(progress.inflightBytes).toHaveLength(progress.inflight.length);
					expect(bytesUnderWay(progress)).toBeLessThan(LIMITS.maxInflightBytes + 60);
					expect([...progress.inflight].sort((x, y) => x - y)).toEqual(progress.inflight);
					for (const last of progress.inflight) expect(last > progress.match && last < progress.next).toBe(true);
				}
			}),
			{ numRuns: 500, seed: 7 },
		);
	});

	it("believes a refusal only of what is not acknowledged, and while probing only of the one append under way", () => {
		const progress = initialProgress(index(10));
		expect(isFreshRefusal(progress, index(10))).toBe(true);
		expect(isFreshRefusal(progress, index(9))).toBe(false);
		acknowledge(progress, index(5));
		becomeReplicate(progress);
		expect(isFreshRefusal(progress, index(5))).toBe(false);
		expect(isFreshRefusal(progress, index(6))).toBe(true);
	});
});
