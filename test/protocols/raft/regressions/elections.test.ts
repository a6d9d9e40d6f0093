/**
 * Goal: faults that other implementations had, named by their repositories and numbers, are not here. Those that a rule of
 * the paper covers stand with that rule's test; these are the others.
 * Method: a lone machine, the test as its peers.
 */
import { describe, expect, it } from "vitest";
import { configurationOf } from "../../../protocols/raft/index.ts";
import { members } from "./changing-machine.ts";
import {
	a,
	append,
	b,
	bytes,
	c,
	chunk,
	command,
	index,
	LoneMachine,
	proposal,
	requestVote,
	snapshotAt,
	term,
} from "./lone-machine.ts";

describe("elections", () => {
	it("a candidate that asks again in the same term gets its vote again (nebula#2419)", () => {
		const machine = new LoneMachine({});
		for (let i = 0; i < 2; i++) expect(machine.receive(b, requestVote(1, 0, 0)).sentOnly(b, "vote").granted).toBe(true);
	});

	it("who campaigns knows of no leader any more, and names none to clients (etcd#8334, raft-rs#84)", () => {
		const machine = new LoneMachine({ term: 1 }).receive(b, append({ term: term(1) }));
		machine.electionTimeout().electionTimeout();
		expect(machine.status).toMatchObject({ role: "pre-candidate", leader: null });
		machine.request(proposal("x"));
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: null }]);
	});

	it("a voter that was demoted never campaigns, so that it raises no term and deposes nobody (hashicorp#524, #526)", () => {
		const machine = new LoneMachine({ term: 1 });
		const demoted = members(1, configurationOf([b, c], [a]));
		machine.receive(b, append({ term: term(1), entries: [demoted], commit: index(1) })).writesComplete();
		for (let i = 0; i < 5; i++) machine.electionTimeout();
		expect(machine.status).toMatchObject({ role: "follower", term: 1 });
	});
});

describe("snapshots", () => {
	it("a candidate takes the snapshot of who has won the term (nebula#1769)", () => {
		const machine = new LoneMachine({ config: { preVote: false } }).electionTimeout();
		expect(machine.status).toMatchObject({ role: "candidate", term: 1 });
		machine.receive(b, chunk(1, snapshotAt(4, 1), 0, bytes("abcdef"))).writesComplete();
		expect(machine.status).toMatchObject({ role: "follower", leader: b, commitIndex: 4 });
		expect(machine.deliveries).toMatchObject([{ type: "restore-snapshot" }]);
	});

	it("a snapshot that falls due while another is under way is ordered with the next entry (openraft#1829)", () => {
		const machine = new LoneMachine({ config: { snapshotEveryEntries: 2 } });
		const committed = (through: number, count: number): ReturnType<typeof append> => {
			const prevIndex = index(through - count);
			const entries = Array.from({ length: count }, () => command(1));
			return append({ term: term(1), prevIndex, prevTerm: term(prevIndex && 1), entries, commit: index(through) });
		};
		machine.receive(b, committed(2, 2));
		expect(machine.deliveries.at(-1)).toMatchObject({ type: "take-snapshot", lastIndex: 2 });
		machine.receive(b, committed(5, 3)).step({ type: "snapshot-ready", snapshot: snapshotAt(2, 1) });
		expect(machine.receive(b, committed(6, 1)).deliveries.at(-1)).toMatchObject({
			type: "take-snapshot",
			lastIndex: 6,
		});
	});
});

describe("restarts", () => {
	it("a single server that restarts commits what it has again before it answers reads (etcd-io/raft#105)", () => {
		const hardState = { term: term(1), votedFor: a };
		const durable = { hardState, snapshot: null, firstIndex: index(1), entries: [command(1, "x")] };
		const machine = new LoneMachine({ voters: [a], durable });
		expect(machine.status).toMatchObject({ commitIndex: 0, deliveredIndex: 0 });
		machine.electionTimeout().writesComplete();
		machine.request({ type: "read", query: bytes("?") });
		expect(machine.deliveries).toEqual([]);
		machine.writesComplete();
		expect(machine.deliveries.map(({ type }) => type)).toEqual(["entries", "query"]);
	});
});
