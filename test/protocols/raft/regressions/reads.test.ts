/**
 * Goal: no read is answered from a state that may be old, in the situations in which others did.
 * Method: a lone machine with the test as its peers and its clock. See `README.md` here for the reports that stand with a rule.
 */
import { describe, expect, it } from "vitest";
import type { RaftRequest } from "../../../../protocols/raft/index.ts";
import { leader } from "../changing-machine.ts";
import { a, accepted, b, bytes, c, command, index, LoneMachine, term } from "../lone-machine.ts";

const read: RaftRequest = { type: "read", query: bytes("?") };
const queries = ({ deliveries }: LoneMachine): number => deliveries.filter(({ type }) => type === "query").length;

describe("reads", () => {
	it("etcd-io/raft#105: a single server that restarts commits what it has again before it answers reads", () => {
		const hardState = { term: term(1), votedFor: a };
		const durable = { hardState, snapshot: null, firstIndex: index(1), entries: [command(1, "x")] };
		const machine = new LoneMachine({ voters: [a], durable });
		expect(machine.status).toMatchObject({ commitIndex: 0, deliveredIndex: 0 });
		machine.electionTimeout().writesComplete();
		machine.request(read);
		expect(machine.deliveries).toEqual([]);
		machine.writesComplete();
		expect(machine.deliveries.map(({ type }) => type)).toEqual(["entries", "query"]);
	});

	it("redisraft#22: a new leader answers no read before an entry of its own term is committed, though all follow it", () => {
		const machine = new LoneMachine({ term: 1, log: [1, 1] }).becomeLeader();
		machine.request(read);
		for (const peer of [b, c]) machine.receive(peer, accepted(2, 2));
		machine.heartbeat();
		expect(queries(machine)).toBe(0);
		// The entry is committed; only now a round begins, and a quorum has to echo it.
		machine.writesComplete().receive(b, accepted(2, 3));
		expect(machine.sentOnly(c, "append-entries").round).toBe(1);
		expect(queries(machine)).toBe(0);
		expect(queries(machine.receive(b, accepted(2, 3, 1)))).toBe(1);
	});

	it("d-engine#381: a leader that a minority hears answers no read, however far it has applied", () => {
		const machine = leader();
		machine.request(read);
		expect(queries(machine)).toBe(0);
		for (let i = 0; i < 5; i++) {
			machine.heartbeat();
			expect(queries(machine)).toBe(0);
		}
		// Nobody has answered for two election timeouts.
		machine.electionTimeout().electionTimeout();
		expect(machine.status.role).toBe("follower");
		expect(machine.all.filter((effect) => effect.type === "reply").map(({ reply }) => reply)).toEqual([
			{ type: "refused", reason: "not-leader", leader: null },
		]);
	});

	it("raft-rs#141: a lease ends with what a quorum has confirmed, also while the leader still believes to lead", () => {
		const machine = leader({ config: { lease: { maxClockDriftPpm: 0 } } }).heartbeat();
		machine.receive(b, accepted(1, 1, 1));
		machine.request(read);
		expect(queries(machine)).toBe(1);
		// Heartbeats go on, and are answered by nobody.
		for (let i = 0; i < 4; i++) machine.after(50).heartbeat();
		machine.request(read);
		expect(machine.status.role).toBe("leader");
		expect(queries(machine)).toBe(0);
	});
});
