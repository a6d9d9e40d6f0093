/**
 * Goal: replication and commit do not fail in the ways in which others' did.
 * Method: a lone machine with the test as its peers. See `README.md` here for the reports that stand with a rule of the paper.
 */
import { describe, expect, it } from "vitest";
import { configurationOf } from "../../../../protocols/raft/index.ts";
import { agree, change, leader, members, withLearners } from "../changing-machine.ts";
import { a, accepted, append, b, c, d, e, entriesOf, index, LoneMachine, proposal, term } from "../lone-machine.ts";

describe("commit", () => {
	it("openraft beb0302b: learners alone commit nothing, however many they are", () => {
		const machine = withLearners([d, e]);
		machine.request(proposal("x"));
		const { commitIndex, lastIndex } = machine.status;
		agree(machine, [d, e]);
		expect(machine.status.commitIndex).toBe(commitIndex);
		expect(machine.receive(c, accepted(1, lastIndex)).status.commitIndex).toBe(lastIndex);
	});

	it("openraft beb0302b: a leader that no voter is left to follow commits nothing by itself", () => {
		// On its way out: the configuration without it is in force, and neither of the two voters has answered.
		const machine = leader();
		change(machine, { type: "set", voters: [b, c], learners: [] });
		machine.writesComplete();
		expect(machine.status).toMatchObject({ commitIndex: 1, lastIndex: 2 });
		expect(machine.receive(b, accepted(1, 2)).status.commitIndex).toBe(1);
	});
});

describe("replication", () => {
	it("openraft 6202138f: a heartbeat behind an entry that conflicts is refused, though it brings no entries", () => {
		const machine = new LoneMachine({ term: 2, log: [1, 1] });
		machine.receive(b, append({ term: term(2), prevIndex: index(2), prevTerm: term(2), commit: index(2) }));
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: false, index: 2 });
		expect(machine.status.commitIndex).toBe(0);
	});

	it("openraft 6d53aa12: hundreds of entries that conflict are passed in one refusal, not one by one", () => {
		const conflicting = Array.from({ length: 500 }, () => 2);
		const machine = new LoneMachine({ term: 3, log: [1, 1, ...conflicting] });
		const asked = { prevIndex: index(300), prevTerm: term(1) };
		const refusal = machine.receive(b, append({ term: term(3), ...asked })).sentOnly(b, "append-response");
		expect(refusal).toMatchObject({ accepted: false, hintIndex: 2, hintTerm: 1 });
		const entries = entriesOf([3]);
		machine.receive(b, append({ term: term(3), prevIndex: index(2), prevTerm: term(1), entries }));
		expect(machine.logTerms).toEqual([1, 1, 3]);
	});

	it("hashicorp#541: what comes while the window is full waits at the leader and leaves as one batch", () => {
		const machine = leader({ config: { maxInflightAppends: 2 } });
		for (let i = 0; i < 50; i++) machine.request(proposal(`${i}`));
		const sent = machine.all.flatMap((effect) =>
			effect.type === "send" && effect.to === b && effect.message.type === "append-entries" ? [effect.message] : [],
		);
		expect(sent.filter(({ entries }) => entries.length > 0).length).toBeLessThanOrEqual(3);
		const [last] = machine.receive(b, accepted(1, 3)).sent(b);
		expect(last).toMatchObject({ type: "append-entries", prevIndex: 3 });
		expect(last?.type === "append-entries" && last.entries.length).toBe(48);
	});

	it("etcd#15247: a leader whose disk hangs steps down for a later term at once, and answers no read after it", () => {
		const machine = leader();
		machine.request(proposal("never durable here"));
		machine.request({ type: "read", query: new Uint8Array(0) });
		machine.receive(b, append({ term: term(2) }));
		expect(machine.status).toMatchObject({ role: "follower", term: 2, leader: b });
		expect(machine.replies.map((reply) => reply.type)).toEqual(["outcome-unknown", "refused"]);
		expect(machine.deliveries).toEqual([]);
	});

	it("NuRaft#274: a leader that loses its own write in a crash gives its index to no other entry of that term", () => {
		const machine = leader();
		machine.request(proposal("sent, not written"));
		const [sent] = machine.sent(b);
		expect(sent).toMatchObject({ type: "append-entries", term: 1, prevIndex: 1 });
		const hardState = { term: term(1), votedFor: a };
		const durable = { hardState, snapshot: null, firstIndex: index(1), entries: machine.view.log.entries.slice(0, 1) };
		const next = new LoneMachine({ durable });
		// Whoever knew the term in which it led knows that it is over: to lead it needs a new one.
		next.becomeLeader();
		expect(next.status.term).toBe(2);
		expect(next.logTerms).toEqual([1, 2]);
	});

	it("ra 2.16.5: who does not vote begins no election, whatever time passes", () => {
		const machine = new LoneMachine({ voters: [b, c], term: 1 });
		machine.receive(
			b,
			append({ term: term(1), entries: [members(1, configurationOf([b, c], [a]))], commit: index(1) }),
		);
		for (let i = 0; i < 6; i++) machine.electionTimeout();
		expect(machine.all.some((effect) => effect.type === "send" && effect.message.type === "request-vote")).toBe(false);
	});
});
