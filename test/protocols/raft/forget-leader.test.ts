/**
 * Goal: a follower that is told its leader is gone helps the next one at once, and nothing else changes: its vote, its
 * term, a leader that is there after all.
 * Method: a lone machine whose peers the test plays.
 */
import { describe, expect, it } from "vitest";
import type { RaftRequest } from "../../../protocols/raft/index.ts";
import { append, b, bytes, c, LoneMachine, requestVote, term, vote } from "./lone-machine.ts";

const forget: RaftRequest = { type: "forget-leader" };
const follower = (config = {}): LoneMachine =>
	new LoneMachine({ term: 1, config }).receive(b, append({ term: term(1) })).writesComplete();

describe("forget-leader", () => {
	it("lets pre-votes and votes pass that a follower refuses while it trusts its leader", () => {
		const machine = follower();
		expect(machine.receive(c, requestVote(2, 0, 0, true)).sent()).toEqual([]);
		machine.request(forget);
		expect(machine.replies).toEqual([{ type: "leader-forgotten", leader: b }]);
		expect(machine.status).toMatchObject({ role: "follower", term: 1, leader: null });
		expect(machine.receive(c, requestVote(2, 0, 0, true)).sentOnly(c, "vote")).toEqual(vote(2, true, true));
		expect(machine.receive(c, requestVote(2, 0, 0)).sentOnly(c, "vote")).toEqual(vote(2, true));
	});

	it("a leader that is there after all is followed again, and trusted", () => {
		const machine = follower();
		machine.request(forget);
		machine.receive(b, append({ term: term(1) }));
		expect(machine.status).toMatchObject({ leader: b, term: 1 });
		expect(machine.receive(c, requestVote(2, 0, 0)).sent()).toEqual([]);
	});

	it("a vote that was given stays given", () => {
		const machine = new LoneMachine({ term: 1, votedFor: b }).receive(b, append({ term: term(1) }));
		machine.request(forget);
		expect(machine.receive(c, requestVote(1, 0, 0)).sentOnly(c, "vote").granted).toBe(false);
	});

	it("reads that wait for the leader are refused", () => {
		const machine = follower({ followerReads: true });
		machine.request({ type: "read", query: bytes("all") });
		machine.request(forget);
		expect(machine.replies).toContainEqual({ type: "refused", reason: "not-leader", leader: null });
	});

	it("is answered where no leader is known, and refused by the leader itself", () => {
		const machine = new LoneMachine({});
		machine.request(forget);
		expect(machine.replies).toEqual([{ type: "leader-forgotten", leader: null }]);
		machine.becomeLeader().request(forget);
		expect(machine.replies).toEqual([{ type: "refused", reason: "already-leader" }]);
		expect(machine.status.role).toBe("leader");
	});

	it("is refused where leaders have leases", () => {
		const machine = follower({ lease: { maxClockDriftPpm: 0 } });
		machine.request(forget);
		expect(machine.replies).toEqual([{ type: "refused", reason: "leader-has-lease" }]);
		expect(machine.status.leader).toBe(b);
		expect(machine.receive(c, requestVote(2, 0, 0, true)).sent()).toEqual([]);
	});
});
