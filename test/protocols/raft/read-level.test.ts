/**
 * Goal: a read is answered as it asks to be, and never by less: `index` by a round although there is a lease, `lease` only with
 * leases, `follower` and `stale` by any member, the last at once as long as its state is as fresh as asked for.
 * Method: a lone machine with the test as its peers and its clock.
 */
import { describe, expect, it } from "vitest";
import { ANY_STALENESS_MS, type RaftRequest, type ReadLevel } from "../../../protocols/raft/index.ts";
import { leader } from "./changing-machine.ts";
import { a, accepted, append, b, bytes, entriesOf, index, LoneMachine, proposal, term } from "./lone-machine.ts";

const readAt = (level: ReadLevel, maxStalenessMs = 0): RaftRequest => {
	return { type: "read-at", level, maxStalenessMs, query: bytes("?") };
};
const stale = (maxStalenessMs: number): RaftRequest => readAt("stale", maxStalenessMs);
const queries = ({ deliveries }: LoneMachine): number => deliveries.filter(({ type }) => type === "query").length;
function answersNow(machine: LoneMachine, request: RaftRequest): boolean {
	machine.request(request);
	return queries(machine) === 1;
}

/** A follower of b with one committed entry. */
function follower(config = {}): LoneMachine {
	const machine = new LoneMachine({ term: 1, config });
	return machine.receive(b, append({ term: term(1), entries: entriesOf([1]), commit: index(1) })).writesComplete();
}
/** It has asked its leader now, and got this index. */
function asked(machine: LoneMachine, at: number): LoneMachine {
	machine.request(readAt("follower"));
	machine.writesComplete();
	const request = machine.all.findLast(
		(effect) => effect.type === "send" && effect.message.type === "read-index-request",
	);
	const { life, question } = (request as { readonly message: { readonly life: number; readonly question: number } })
		.message;
	return machine.receive(b, { type: "read-index-response", term: term(1), life, question, index: index(at) });
}

describe("a read of level", () => {
	it("index asks a quorum although there is a lease; others of the same batch are not answered before it", () => {
		const machine = leader({ config: { lease: { maxClockDriftPpm: 0 } } })
			.heartbeat()
			.receive(b, accepted(1, 1, 1));
		expect(answersNow(machine, { type: "read", query: bytes("?") })).toBe(true);
		expect(answersNow(machine, readAt("lease"))).toBe(true);
		expect(answersNow(machine, readAt("index"))).toBe(false);
		expect(machine.sentOnly(b, "append-entries").round).toBe(2);
		expect(queries(machine.receive(b, accepted(1, 1, 2)))).toBe(1);
	});

	it("lease is refused where there are none, and asks a quorum when there is none now", () => {
		const without = leader();
		without.request(readAt("lease"));
		expect(without.replies).toEqual([{ type: "refused", reason: "lease-off" }]);
		const machine = leader({ config: { lease: { maxClockDriftPpm: 0 } } });
		expect(answersNow(machine, readAt("lease"))).toBe(false);
		expect(machine.sentOnly(b, "append-entries").round).toBe(1);
	});

	it("follower is answered by a follower, whatever the config says of others", () => {
		const machine = follower();
		machine.request({ type: "read", query: bytes("?") });
		expect(machine.replies).toMatchObject([{ reason: "not-leader" }]);
		for (const level of ["index", "lease"] as const) {
			machine.request(readAt(level));
			expect(machine.replies).toMatchObject([{ reason: "not-leader" }]);
		}
		expect(queries(asked(machine, 1))).toBe(1);
	});

	it("follower or stale needs an application", () => {
		const machine = new LoneMachine({ term: 1, voters: [a, b], config: { witnesses: [a] } });
		machine.receive(b, append({ term: term(1) }));
		for (const request of [readAt("follower"), stale(ANY_STALENESS_MS)]) {
			machine.request(request);
			expect(machine.replies).toMatchObject([{ reason: "not-leader", leader: b }]);
		}
	});
});

describe("a stale read", () => {
	it("without a bound is answered by whoever it is, from what it has applied, also without a leader", () => {
		const machine = follower();
		expect(answersNow(machine, stale(ANY_STALENESS_MS))).toBe(true);
		machine.electionTimeout().electionTimeout();
		expect(machine.status.leader).toBeNull();
		expect(answersNow(machine, stale(ANY_STALENESS_MS))).toBe(true);
		expect(machine.status.pendingReads).toBe(0);
	});

	it("with a bound is answered at once for so long after the question whose index is applied was put", () => {
		const machine = asked(follower(), 1);
		expect(answersNow(machine.after(100), stale(100))).toBe(true);
		expect(machine.sent()).toEqual([]);
		expect(answersNow(machine.after(1), stale(100))).toBe(false);
		expect(machine.sentOnly(b, "read-index-request").question).toBe(2);
	});

	it("counts from when the question was put, not from its answer", () => {
		const machine = follower();
		machine.request(readAt("follower"));
		machine.writesComplete().after(80);
		machine.receive(b, { type: "read-index-response", term: term(1), life: 1, question: 1, index: index(1) });
		expect(queries(machine)).toBe(1);
		expect(answersNow(machine, stale(80))).toBe(true);
		expect(answersNow(machine, stale(79))).toBe(false);
	});

	it("is not fresh before the index of the answer is applied", () => {
		const machine = asked(follower(), 2);
		expect(answersNow(machine, stale(1_000))).toBe(false);
		machine.receive(
			b,
			append({ term: term(1), prevIndex: index(1), prevTerm: term(1), entries: entriesOf([1]), commit: index(2) }),
		);
		expect(queries(machine)).toBeGreaterThanOrEqual(1);
		expect(answersNow(machine, stale(1_000))).toBe(true);
	});

	it("with a bound is refused where nobody can vouch for it: no leader is known, or none answers", () => {
		const machine = follower().electionTimeout().electionTimeout();
		machine.request(stale(50));
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: null }]);
		const waiting = follower();
		waiting.request(stale(50));
		for (let i = 0; i < 6; i++) waiting.step({ type: "timer", timer: "read" });
		expect(waiting.replies).toEqual([{ type: "refused", reason: "read-index-timeout", leader: b }]);
		// What was never answered shows nothing.
		expect(answersNow(waiting, stale(1_000))).toBe(false);
	});

	it("at a leader is a round, unless it has no bound", () => {
		const machine = leader();
		machine.request(proposal("x"));
		expect(answersNow(machine, stale(1_000))).toBe(false);
		expect(answersNow(machine, stale(ANY_STALENESS_MS))).toBe(true);
	});

	it("is not answered from a state that is known to be wrong", () => {
		const machine = follower();
		machine.request({ type: "request-snapshot" });
		expect(answersNow(machine, stale(ANY_STALENESS_MS))).toBe(false);
	});
});
