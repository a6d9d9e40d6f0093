/**
 * Goal: where members have zones, nothing is acknowledged that only one zone has; without zones, or with one, a quorum is enough, and
 * what a quorum lacks no zones replace. Method: a lone leader, the test as its peers; then a group whose zone is cut off, and then lost.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../protocols/core/index.ts";
import type { RaftConfig } from "../../../protocols/raft/index.ts";
import { change, leader, set } from "./changing-machine.ts";
import { Group, groupProposal } from "./group.ts";
import { a, accepted, b, c, type LoneMachine, proposal } from "./lone-machine.ts";

const [d, e] = ["d", "e"].map(nodeId) as [typeof a, typeof a];
const commitZones = { a: "east", b: "east", c: "east", d: "west", e: "west" };

/** A leader of five; its next command is index 2, and on its own disk. */
function leading(config: Partial<RaftConfig>): LoneMachine {
	const machine = leader({ voters: [a, b, c, d, e], config });
	machine.request(proposal("x"));
	return machine.writesComplete();
}
/** What is committed after these have acknowledged index 2, one after the other. */
const commits = (machine: LoneMachine, ...peers: readonly (typeof a)[]): number[] =>
	peers.map((peer) => machine.receive(peer, accepted(1, 2)).status.commitIndex);

describe("a leader", () => {
	it("commits when a quorum and two zones have it, whichever comes last", () => {
		expect(commits(leading({ commitZones }), b, c, d)).toEqual([1, 1, 2]);
		expect(commits(leading({ commitZones }), d, b)).toEqual([1, 2]);
		// Two zones are no quorum of five.
		expect(commits(leading({ commitZones }), e)).toEqual([1]);
	});

	it("needs a quorum alone without zones, with one zone, or with one that has no voter", () => {
		const one = { a: "east", b: "east", c: "east", d: "east", e: "east" };
		for (const zones of [{}, one, { a: "east" }, { a: "east", z: "west" }])
			expect(commits(leading({ commitZones: zones }), b, c)).toEqual([1, 2]);
	});

	it("does not count who has no zone, nor a witness, which has no command", () => {
		expect(commits(leading({ commitZones: { a: "east", b: "west" } }), c, d, e, b)).toEqual([1, 1, 1, 2]);
		const witnessed = leading({ commitZones: { ...commitZones, e: "middle" }, witnesses: [e] });
		expect(commits(witnessed, b, c, e, d)).toEqual([1, 1, 1, 2]);
	});

	it("goes by the zones of the members that there are", () => {
		const machine = leading({ commitZones });
		expect(commits(machine, b, c, d)).toEqual([1, 1, 2]);
		change(machine, set([a, b, c]), "joint");
		machine.writesComplete();
		const before = machine.status.commitIndex;
		const { lastIndex } = machine.status;
		for (const peer of [b, c]) machine.receive(peer, accepted(1, lastIndex));
		// Joint: the outgoing voters' other zone still counts.
		expect(machine.status.commitIndex).toBe(before);
		machine.receive(d, accepted(1, lastIndex));
		expect(machine.status.commitIndex).toBe(lastIndex);
	});
});

describe("a group of two zones", () => {
	it("acknowledges nothing while one is cut off, goes on when it is back, and what was acknowledged outlives a zone", () => {
		const zones = { n1: "east", n2: "east", n3: "east", n4: "west", n5: "west" };
		const group = new Group(5, { config: { commitZones: zones, priorities: { n1: 9, n2: 8, n3: 7 } } });
		const east = ["n1", "n2", "n3"].map(nodeId);
		const west = ["n4", "n5"].map(nodeId);
		const first = group.elect();
		expect(east).toContain(first);
		group.propose(first, "before");
		group.driver.partition([east, west]);
		const held = group.ask(first, groupProposal("during"));
		group.driver.run(3_000);
		expect(held.outcome).toBeNull();
		expect(group.status(first).role).toBe("leader");
		expect(group.ledger(first)).not.toContain("during");
		group.driver.heal();
		group.driver.runUntil(() => held.outcome !== null, 5_000);
		expect(held.outcome?.type).toBe("result");
		for (const lost of east) group.driver.crash(lost);
		const logs = west.map((node) => group.driver.disk(node).entries.map(({ data }) => new TextDecoder().decode(data)));
		expect(logs.some((entries) => entries.includes("before"))).toBe(true);
		expect(logs.some((entries) => entries.includes("during"))).toBe(true);
	});
});
