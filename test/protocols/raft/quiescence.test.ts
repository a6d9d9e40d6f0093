/**
 * Goal: a group without work sends nothing, and is there again as soon as anybody wants something, also if its leader is gone,
 * a member missed the word, or the leader was replaced in silence.
 * Method: a lone machine with the test as its peers; and whole groups on the deterministic driver, all properties watched.
 */
import { describe, expect, it } from "vitest";
import { must, type NodeId } from "../../../protocols/core/index.ts";
import { type RaftConfig, raftConfig } from "../../../protocols/raft/index.ts";
import { leader } from "./changing-machine.ts";
import { Group, groupProposal } from "./group.ts";
import {
	a,
	accepted,
	append,
	b,
	c,
	entriesOf,
	index,
	LoneMachine,
	proposal,
	requestVote,
	term,
	three,
} from "./lone-machine.ts";

const config = { quiesceAfterHeartbeats: 2 };

/** A leader of three whose members have told that they have everything, and which has fallen silent. */
function quiet(): LoneMachine {
	const machine = leader({ config });
	for (let beat = 0; beat < 3; beat++) {
		machine.heartbeat();
		for (const peer of [b, c]) machine.receive(peer, accepted(1, 1));
	}
	return machine;
}
/** A follower of b that has been told so. */
function quietFollower(settings: Partial<RaftConfig> = config): LoneMachine {
	const machine = new LoneMachine({ term: 1, config: settings });
	machine.receive(b, append({ term: term(1), entries: entriesOf([1]), commit: index(1) })).writesComplete();
	return machine.receive(b, { type: "quiesce", term: term(1), lastIndex: index(1) });
}
const types = (machine: LoneMachine, to: NodeId): string[] => machine.sent(to).map(({ type }) => type);

describe("a leader without work", () => {
	it("tells its members after so many heartbeats, and sets no timer any more", () => {
		const machine = leader({ config });
		for (let beat = 0; beat < 2; beat++) expect(types(machine.heartbeat(), b)).toEqual(["append-entries"]);
		expect(machine.heartbeat().sentOnly(b, "quiesce")).toEqual({ type: "quiesce", term: 1, lastIndex: 1 });
		expect(machine.timers("heartbeat")).toEqual([]);
		expect(machine.effects).toContainEqual({ type: "cancel-timer", timer: "election" });
		expect(machine.status).toMatchObject({ role: "leader", isQuiet: true });
	});

	it("is not silent while a member lacks something, is not heard, or a read waits", () => {
		const lagging = leader({ config });
		lagging.request(proposal("x"));
		lagging.writesComplete().receive(c, accepted(1, 2));
		for (let beat = 0; beat < 5; beat++) expect(types(lagging.heartbeat(), c)).toEqual(["append-entries"]);
		const unreachable = leader({ config }).step({ type: "peer-unreachable", peer: b });
		for (let beat = 0; beat < 5; beat++) expect(types(unreachable.heartbeat(), c)).toEqual(["append-entries"]);
		const reading = leader({ config });
		reading.request({ type: "read", query: new Uint8Array(0) });
		for (let beat = 0; beat < 5; beat++) expect(types(reading.heartbeat(), c)).toEqual(["append-entries"]);
	});

	it("stays silent for the last words of the others, and speaks again for anything else", () => {
		for (const last of [accepted(1, 1), accepted(1, 1)]) expect(quiet().receive(b, last).effects).toEqual([]);
		const byRequest = quiet();
		byRequest.request(proposal("x"));
		expect(types(byRequest, b)).toContain("append-entries");
		expect(byRequest.timers("heartbeat")).toEqual([{ min: 50, max: 50 }]);
		expect(byRequest.timers("election")).toEqual([{ min: 150, max: 150 }]);
		const byMessage = quiet().receive(b, requestVote(2, 1, 1, true));
		expect(types(byMessage, b)).toContain("append-entries");
		expect(byMessage.status).toMatchObject({ role: "leader", isQuiet: false });
	});

	it("checks its quorum again when it speaks: who has lost touch meanwhile steps down", () => {
		const machine = quiet();
		machine.request(proposal("x"));
		machine.electionTimeout();
		expect(machine.status.role).toBe("follower");
	});
});

describe("a member of a silent group", () => {
	it("waits for no heartbeat, if it is where its leader says that it is", () => {
		const machine = quietFollower();
		expect(machine.status.isQuiet).toBe(true);
		expect(machine.timers("election")).toEqual([]);
		expect(machine.electionTimeout().status).toMatchObject({ role: "follower", leader: b, term: 1 });
		const behind = new LoneMachine({ term: 1, config });
		behind.receive(b, { type: "quiesce", term: term(1), lastIndex: index(1) });
		expect(behind.status.isQuiet).toBe(false);
		expect(behind.timers("election")).toEqual([{ min: 150, max: 150 }]);
	});

	it("campaigns when the host says that its leader is gone, and waits when it says so of another", () => {
		const machine = quietFollower().step({ type: "peer-unreachable", peer: c });
		expect(machine.status.isQuiet).toBe(true);
		machine.step({ type: "peer-unreachable", peer: b });
		expect(machine.timers("election")).toEqual([{ min: 0, max: 150 }]);
		expect(machine.electionTimeout().status.role).toBe("pre-candidate");
	});

	it("does not wait for the priority of a leader that is gone", () => {
		const preferred = { ...config, priorities: { [b]: 2 } };
		const machine = quietFollower(preferred).step({ type: "peer-unreachable", peer: b });
		expect(machine.electionTimeout().status.role).toBe("pre-candidate");
	});

	it("waits for its leader again when a client or a candidate asks, and then helps", () => {
		const machine = quietFollower();
		machine.request(proposal("x"));
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: b }]);
		expect(machine.timers("election")).toEqual([{ min: 150, max: 150 }]);
		const asked = quietFollower().receive(c, requestVote(2, 1, 1, true));
		expect(asked.sent(c)).toEqual([]);
		asked.electionTimeout().receive(c, requestVote(2, 1, 1, true));
		expect(asked.sentOnly(c, "vote").granted).toBe(true);
	});
});

describe("whole groups", () => {
	const sentIn = (group: Group, ms: number): number => {
		const before = group.driver.counts.messages;
		group.driver.run(ms);
		return group.driver.counts.messages - before;
	};

	it("fifty of them without work send nothing at all, and each serves the next client", () => {
		const groups = Array.from({ length: 50 }, (_, seed) => new Group(3, { seed, config }));
		for (const group of groups) {
			group.propose(group.elect(), "x");
			group.driver.run(1_000);
			expect(sentIn(group, 60_000)).toBe(0);
			const before = group.driver.now;
			group.propose(must(group.leader ?? undefined, "it leads on"), "y");
			expect(group.driver.now - before).toBeLessThan(20);
			group.converge(["x", "y"]);
		}
	});

	it("replace a leader that is gone once the host tells the members", () => {
		for (let seed = 0; seed < 20; seed++) {
			const group = new Group(3, { seed, config });
			const old = group.elect();
			group.driver.run(2_000);
			group.driver.crash(old);
			expect(sentIn(group, 5_000)).toBe(0);
			for (const id of group.others(old)) group.driver.input(id, { type: "peer-unreachable", peer: old });
			group.propose(group.elect(2_000, old), "with another");
		}
	});

	it("replace a leader that is cut off once a client asks one of the others", () => {
		for (let seed = 0; seed < 20; seed++) {
			const group = new Group(3, { seed, config });
			const old = group.elect();
			group.driver.run(2_000);
			const asked = must(group.others(old)[0], "there are others");
			group.driver.partition([[old], group.others(old)]);
			expect(group.ask(asked, groupProposal("x")).outcome).toBeNull();
			const next = group.elect(3_000, old);
			group.propose(next, "y");
			group.driver.heal();
			// The old one has been silent all the time. It learns of it from whoever speaks next.
			group.converge(["y"]);
			expect(group.status(old)).toMatchObject({ role: "follower", leader: next });
		}
	});

	it("are silent under no loss of the word for longer than an election takes", () => {
		for (let seed = 0; seed < 20; seed++) {
			const group = new Group(3, { seed, config, world: { lossChance: 0.2 } });
			group.propose(group.elect(), "x");
			group.driver.run(5_000);
			const { term: before } = group.status(must(group.leader ?? undefined, "one leads"));
			group.driver.world = { ...group.driver.world, lossChance: 0 };
			group.driver.run(5_000);
			expect(sentIn(group, 60_000)).toBe(0);
			expect(group.status(must(group.leader ?? undefined, "one leads")).term).toBe(before);
		}
	});
});

it("contradicts leases and handovers by priority, which live of heartbeats", () => {
	const base = { nodeId: a, voters: three, quiesceAfterHeartbeats: 1 };
	expect(() => raftConfig({ ...base, lease: { maxClockDriftPpm: 0 } })).toThrow(/never silent/);
	expect(() => raftConfig({ ...base, handoverPriorityGap: 1 })).toThrow(/never silent/);
});
