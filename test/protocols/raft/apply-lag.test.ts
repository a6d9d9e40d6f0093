/**
 * Goal: an application that can not keep up bounds what is decided ahead of it: a leader refuses commands, and says why; a
 * follower takes no more than it has. Nothing that is here already is held up, and all goes on when it has caught up.
 * Method: a lone machine that is told by its host; and a group, of which one or most members lag for a while.
 */
import { describe, expect, it } from "vitest";
import type { RaftRequest } from "../../../protocols/raft/index.ts";
import { change, leader } from "./changing-machine.ts";
import { Group, groupProposal } from "./group.ts";
import { accepted, append, b, c, d, entriesOf, index, LoneMachine, proposal, term } from "./lone-machine.ts";

const word = (isBehind: boolean): RaftRequest => ({ type: "application-behind", isBehind });
const told = (machine: LoneMachine, isBehind: boolean): LoneMachine =>
	machine.step({ type: "request", requestId: 0, request: word(isBehind) });

describe("a leader whose application is behind", () => {
	it("refuses commands and sessions with the bound, until it has caught up", () => {
		const machine = told(leader({ config: { maxUnappliedEntries: 100 } }), true);
		expect(machine.replies).toEqual([]);
		for (const request of [proposal("x"), { type: "open-session" } as const]) {
			machine.request(request);
			expect(machine.replies).toEqual([{ type: "refused", reason: "application-behind", limitEntries: 100 }]);
		}
		told(machine, false).request(proposal("x"));
		expect(machine.replies).toEqual([]);
		expect(machine.status.lastIndex).toBe(2);
	});

	it("refuses what followers forward", () => {
		const machine = told(leader(), true);
		const entries = entriesOf([1]);
		machine.receive(b, { type: "forwarded-proposals", term: term(1), life: 1, settledBelow: 0, first: 1, entries });
		expect(machine.sentOnly(b, "forward-refusal").refusal).toMatchObject({ reason: "application-behind" });
	});

	it("still reads, commits, hands over and changes members", () => {
		const machine = leader();
		machine.request(proposal("x"));
		told(machine, true).writesComplete().receive(b, accepted(1, 2));
		expect(machine.status.commitIndex).toBe(2);
		machine.request({ type: "read", query: new Uint8Array(0) });
		expect(machine.sentOnly(b, "append-entries").round).toBe(1);
		change(machine, { type: "add-learner", node: d });
		expect(machine.status.lastIndex).toBe(3);
		machine.request({ type: "transfer-leadership", to: c });
		expect(machine.replies).toEqual([]);
	});
});

describe("a follower whose application is behind", () => {
	const follower = (): LoneMachine => {
		const machine = new LoneMachine({ term: 1 });
		return machine.receive(b, append({ term: term(1), entries: entriesOf([1, 1]), commit: index(1) })).writesComplete();
	};
	const more = append({
		term: term(1),
		prevIndex: index(2),
		prevTerm: term(1),
		entries: entriesOf([1]),
		commit: index(3),
	});

	it("takes no entries, and acknowledges and commits what it has", () => {
		const machine = told(follower(), true).receive(b, more);
		expect(machine.logTerms).toEqual([1, 1]);
		expect(machine.status.commitIndex).toBe(2);
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 2 });
		expect(told(machine, false).receive(b, more).logTerms).toEqual([1, 1, 1]);
	});

	it("knows again what it has been sent before", () => {
		const again = append({ term: term(1), entries: entriesOf([1, 1]), commit: index(2) });
		const machine = told(follower(), true).receive(b, again);
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 2 });
	});

	it("cuts nothing of its own for what it does not take", () => {
		const machine = told(new LoneMachine({ term: 2, log: [1, 1, 1] }), true);
		const other = append({ term: term(2), prevIndex: index(1), prevTerm: term(1), entries: entriesOf([2, 2]) });
		machine.receive(b, other);
		expect(machine.logTerms).toEqual([1, 1, 1]);
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 1 });
	});
});

describe("a group", () => {
	const tell = (group: Group, ids: readonly ReturnType<Group["elect"]>[], isBehind: boolean): void => {
		for (const id of ids) group.driver.input(id, { type: "request", requestId: 0, request: word(isBehind) });
	};

	it("commits without a follower that is behind, which has everything again soon after it has caught up", () => {
		const group = new Group(3, { config: { maxInflightAppends: 2 } });
		const lead = group.elect();
		const [slow] = group.others(lead) as [typeof lead];
		tell(group, [slow], true);
		const { lastIndex } = group.status(slow);
		for (let i = 0; i < 50; i++) group.propose(lead, `${i}`);
		group.driver.run(1_000);
		expect(group.status(slow).lastIndex).toBe(lastIndex);
		// It is still led, and raises no term.
		expect(group.status(slow)).toMatchObject({ role: "follower", leader: lead });
		tell(group, [slow], false);
		group.converge(["0", "49"], 1_000);
	});

	it("decides nothing more while most are behind, and everything afterwards", () => {
		const group = new Group(3);
		const lead = group.elect();
		tell(group, group.others(lead), true);
		const waiting = group.ask(lead, groupProposal("x"));
		group.driver.run(3_000);
		expect(waiting.outcome).toBeNull();
		expect(group.leader).toBe(lead);
		tell(group, group.others(lead), false);
		group.converge(["x"], 1_000);
	});
});
