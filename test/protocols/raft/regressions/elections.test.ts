/**
 * Goal: elections do not fail in the ways in which those of other implementations did.
 * Method: `README.md` here lists every report with the test that shows it absent, also those that stand with a rule of the
 * paper. These are the others: a lone machine with the test as its peers, or a whole group in the reported situation.
 */
import { describe, expect, it } from "vitest";
import { must, type NodeId } from "../../../../protocols/core/index.ts";
import { configurationOf, type Term } from "../../../../protocols/raft/index.ts";
import { joint, members } from "../changing-machine.ts";
import { Group, groupProposal } from "../group.ts";
import { a, append, b, c, e, five, index, LoneMachine, proposal, requestVote, term, vote } from "../lone-machine.ts";

describe("elections", () => {
	it("nebula#2419: a candidate that asks again in the same term gets its vote again", () => {
		const machine = new LoneMachine({});
		for (let i = 0; i < 2; i++) expect(machine.receive(b, requestVote(1, 0, 0)).sentOnly(b, "vote").granted).toBe(true);
	});

	it("etcd#8334, raft-rs#84: who campaigns knows of no leader any more, and names none to clients", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1) }));
		machine.electionTimeout().electionTimeout();
		expect(machine.status).toMatchObject({ role: "pre-candidate", leader: null });
		machine.request(proposal("x"));
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: null }]);
	});

	it("hashicorp#524, hashicorp#526: a voter that was demoted never campaigns, so that it raises no term and deposes nobody", () => {
		const machine = new LoneMachine({ term: 1 });
		const demoted = members(1, configurationOf([b, c], [a]));
		machine.receive(b, append({ term: term(1), entries: [demoted], commit: index(1) })).writesComplete();
		for (let i = 0; i < 5; i++) machine.electionTimeout();
		expect(machine.status).toMatchObject({ role: "follower", term: 1 });
	});
});

/** Makes a member of a group believe in a later term, as if it had been in elections that the others did not hear of. */
function raiseTerm(group: Group, id: NodeId, from: NodeId, by: number): void {
	const later = { type: "vote", term: (group.status(id).term + by) as Term, granted: false, preVote: false } as const;
	group.driver.input(id, { type: "message", from, message: later });
}

describe("pre-vote", () => {
	it("etcd#8243: a member of an old term and one of a new one, with the leader gone, still elect a leader", () => {
		const group = new Group(3);
		const old = group.elect();
		const [away, near] = group.others(old) as [NodeId, NodeId];
		group.driver.partition([[old, near], [away]]);
		// Elections that the one behind the partition hears nothing of; all logs are alike.
		for (const id of [old, near]) raiseTerm(group, id, away, 4);
		group.driver.crash(old);
		group.driver.heal();
		group.driver.run(1);
		expect(group.status(near).term).toBeGreaterThan(group.status(away).term);
		expect(group.others(old)).toContain(group.elect(3000, old));
	});

	it("canonical/raft#279: of four, one comes back with an old term when two wait for it: they elect a leader", () => {
		const group = new Group(4);
		const first = group.elect();
		const [returned, ...two] = group.others(first) as [NodeId, NodeId, NodeId];
		group.driver.crash(returned);
		// No elections: a vote of the first's would do as well.
		for (const id of [first, ...two]) raiseTerm(group, id, returned, 2);
		group.propose(group.elect(3000), "without it");
		group.driver.crash(must(group.leader ?? undefined, "just elected"));
		group.driver.run(1000);
		expect(group.leader).toBeNull();
		group.driver.restart(returned);
		group.propose(group.elect(3000), "with it");
	});

	it("openraft#1796: in a joint change, who has the longest log has the older term: a leader is elected all the same", () => {
		// The one with the longer log, in which the change is, and the others with a later term, block each other.
		const change = members(1, joint([a, b, c], five));
		const machine = new LoneMachine({ voters: five, term: 1, config: { nodeId: a } });
		machine.receive(b, append({ term: term(1), entries: [change] })).writesComplete();
		machine.electionTimeout().electionTimeout();
		expect(machine.status).toMatchObject({ role: "pre-candidate", term: 1 });
		// Refused by one that is further: its term is taken up, or this member would ask with the old one for ever.
		machine.receive(c, vote(5, false, true));
		expect(machine.status).toMatchObject({ role: "follower", term: 5 });
		machine.electionTimeout();
		expect(machine.sentOnly(c, "request-vote")).toMatchObject({ term: 6, preVote: true, lastIndex: 1 });
		machine.receive(b, vote(6, true, true));
		expect(machine.status).toMatchObject({ role: "pre-candidate", term: 5 });
		machine.receive(e, vote(6, true, true));
		expect(machine.status).toMatchObject({ role: "candidate", term: 6 });
	});

	it("openraft#1796: who asks with an old term is told the later one, whatever its log", () => {
		const machine = new LoneMachine({ term: 5, log: [1] });
		machine.receive(b, requestVote(2, 9, 1, true));
		expect(machine.sentOnly(b, "vote")).toMatchObject({ granted: false, term: 5 });
	});

	it("ra#418: who asks for pre-votes follows the leader of its own term as soon as it hears it", () => {
		const machine = new LoneMachine({ term: 1 }).electionTimeout();
		expect(machine.status.role).toBe("pre-candidate");
		machine.receive(b, append({ term: term(1) }));
		expect(machine.status).toMatchObject({ role: "follower", leader: b, term: 1 });
	});

	it("ra#439: a candidate with a shorter log lets one that only asks for pre-votes win", () => {
		const group = new Group(3);
		const old = group.elect();
		const [behind, ahead] = group.others(old) as [NodeId, NodeId];
		group.driver.partition([[old, ahead], [behind]]);
		group.propose(old, "x");
		group.driver.crash(old);
		// The one with the shorter log is a candidate of a later term; nobody votes for it.
		const { term: now } = group.status(behind);
		const wish = { type: "timeout-now", term: now, lastIndex: group.status(behind).lastIndex } as const;
		group.driver.input(behind, { type: "message", from: old, message: wish });
		group.driver.run(2);
		expect(group.status(behind)).toMatchObject({ role: "candidate", term: now + 1 });
		group.driver.heal();
		expect(group.elect(3000, old)).toBe(ahead);
		const answer = group.ask(ahead, groupProposal("y"));
		expect(group.driver.runUntil(() => answer.outcome !== null, 2000)).toBe(true);
	});
});
