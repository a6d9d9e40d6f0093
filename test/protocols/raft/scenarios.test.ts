/**
 * Goal: whole groups behave in the situations in which published implementations did not: each test names the situation
 * and, where there is one, the report.
 * Method: the deterministic driver without random faults; the situation is made by hand, all properties of Raft are
 * watched throughout, and time is virtual.
 */
import { describe, expect, it } from "vitest";
import { must, type NodeId } from "../../../protocols/core/index.ts";
import { Group, groupProposal as proposal } from "./group.ts";

describe("elections", () => {
	it("a group elects a leader within a few election timeouts, for every seed", () => {
		const waits = Array.from({ length: 100 }, (_, seed) => {
			const group = new Group(5, { seed });
			group.elect(2000);
			return group.driver.now;
		}).sort((x, y) => x - y);
		expect(waits[50]).toBeLessThan(400);
		expect(waits[99]).toBeLessThan(1500);
	});

	it("a crashed leader is replaced within a few election timeouts, for every seed", () => {
		const waits = Array.from({ length: 60 }, (_, seed) => {
			const group = new Group(5, { seed });
			group.driver.crash(group.elect());
			const crashedAt = group.driver.now;
			group.elect(3000);
			return group.driver.now - crashedAt;
		}).sort((x, y) => x - y);
		expect(waits[30]).toBeLessThan(450);
	});

	it("an isolated server that comes back deposes nobody and raises no term (thesis §9.6; hashicorp#605)", () => {
		const group = new Group(5);
		const leader = group.elect();
		const lonely = must(group.others(leader)[0], "there are others");
		const { term } = group.status(leader);
		group.driver.partition([group.others(lonely), [lonely]]);
		group.propose(leader, "meanwhile");
		group.driver.run(3000);
		expect(group.status(lonely)).toMatchObject({ term, role: "pre-candidate" });
		group.driver.heal();
		group.converge(["meanwhile"]);
		expect(group.status(leader)).toMatchObject({ role: "leader", term });
	});

	it("a bridge between two halves keeps one leader with a quorum (openraft#2080)", () => {
		for (let seed = 0; seed < 10; seed++) {
			const group = new Group(5, { seed });
			group.elect();
			const [n1, n2, bridge, n4, n5] = group.voters as [NodeId, NodeId, NodeId, NodeId, NodeId];
			for (const left of [n1, n2]) {
				for (const right of [n4, n5]) {
					group.driver.cutLink(left, right);
					group.driver.cutLink(right, left);
				}
			}
			group.driver.run(1000);
			const leader = group.voters.find((id) => group.status(id).role === "leader");
			group.propose(must(leader, "one leads"), "over the bridge");
			const { term } = group.status(leader as NodeId);
			group.driver.run(3000);
			expect(group.status(leader as NodeId)).toMatchObject({ role: "leader", term });
			expect(group.ledger(bridge)).toContain("over the bridge");
		}
	});

	it("a leader that sends but hears nothing steps down, and the others elect one that hears", () => {
		const group = new Group(3);
		const deaf = group.elect();
		for (const other of group.others(deaf)) group.driver.cutLink(other, deaf);
		group.elect(3000, deaf);
		expect(group.status(deaf).role).not.toBe("leader");
		group.driver.heal();
		group.propose(group.elect(), "heard");
		group.converge(["heard"]);
	});

	it("a leader that hears but whose messages are lost is replaced", () => {
		const group = new Group(3);
		const mute = group.elect();
		for (const other of group.others(mute)) group.driver.cutLink(mute, other);
		expect(group.elect(3000, mute)).not.toBe(mute);
	});

	it("servers whose terms and logs lead in different ways still elect one (etcd#8501)", () => {
		const group = new Group(3);
		const old = group.elect();
		const [behind, ahead] = group.others(old) as [NodeId, NodeId];
		group.driver.partition([[old, ahead], [behind]]);
		group.propose(old, "x");
		group.driver.crash(old);
		// `behind` gets a higher term by force, `ahead` has the longer log.
		const { term } = group.status(ahead);
		const later = { type: "vote", term: (term + 10) as typeof term, granted: false, preVote: false } as const;
		group.driver.input(behind, { type: "message", from: old, message: later });
		group.driver.heal();
		expect(group.elect()).toBe(ahead);
		group.driver.restart(old);
		group.converge(["x"]);
	});
});

describe("commits", () => {
	it("a minority commits nothing, and learns afterwards that its commands are lost or decided, never both", () => {
		const group = new Group(5);
		const leader = group.elect();
		const ally = must(group.others(leader)[0], "there are others");
		group.driver.partition([[leader, ally], group.others(leader, ally)]);
		const lost = group.ask(leader, proposal("minority"));
		const next = group.elect(3000, leader);
		group.propose(next, "majority");
		expect(lost.outcome).toMatchObject({ type: "outcome-unknown" });
		group.driver.heal();
		group.converge(["majority"]);
		expect(group.ledger(leader)).not.toContain("minority");
	});

	it("a follower's slow disk does not slow commits", () => {
		const group = new Group(3, { world: { writeMs: { min: 2, max: 2 } } });
		const leader = group.elect();
		group.driver.run(200);
		const slow = must(group.others(leader)[0], "there are others");
		group.driver.world = { ...group.driver.world, slowDisks: [slow] };
		for (let i = 0; i < 20; i++) {
			const before = group.driver.now;
			group.propose(leader, `c${i}`);
			expect(group.driver.now - before).toBeLessThan(15);
		}
	});

	it("a leader's slow disk does not slow commits either: a quorum of followers is enough", () => {
		const group = new Group(3, { world: { writeMs: { min: 2, max: 2 } } });
		const leader = group.elect();
		group.driver.run(200);
		group.driver.world = { ...group.driver.world, slowDisks: [leader] };
		for (let i = 0; i < 20; i++) {
			const before = group.driver.now;
			group.propose(leader, `c${i}`);
			expect(group.driver.now - before).toBeLessThan(15);
		}
	});

	it("a lone proposal takes one round trip and one write", () => {
		const group = new Group(3, { world: { latencyMs: { min: 5, max: 5 }, writeMs: { min: 3, max: 3 } } });
		const leader = group.elect();
		group.driver.run(200);
		const before = group.driver.now;
		group.propose(leader, "x");
		expect(group.driver.now - before).toBe(5 + 3 + 5);
	});

	it("many proposals at once take few messages", () => {
		const group = new Group(3);
		const leader = group.elect();
		group.driver.run(200);
		const before = group.driver.counts.messages;
		const answers = Array.from({ length: 500 }, (_, i) => group.ask(leader, proposal(`c${i}`)));
		group.driver.runUntil(() => answers.every(({ outcome }) => outcome?.type === "result"), 1000);
		expect(group.driver.counts.messages - before).toBeLessThan(20);
	});

	it("an idle follower learns of the last commit within a heartbeat (etcd lagging_commit)", () => {
		const group = new Group(3);
		const leader = group.elect();
		group.propose(leader, "last");
		const before = group.driver.now;
		group.converge(["last"]);
		expect(group.driver.now - before).toBeLessThanOrEqual(60);
	});
});

describe("crashes", () => {
	it("the power fails everywhere at once, again and again: what was acknowledged stays", () => {
		const group = new Group(3, { config: { snapshotEveryEntries: 7, retainedEntries: 2 } });
		const acknowledged: string[] = [];
		for (let round = 0; round < 10; round++) {
			const leader = group.elect();
			for (let i = 0; i < 5; i++) {
				group.propose(leader, `${round}.${i}`);
				acknowledged.push(`${round}.${i}`);
			}
			group.ask(leader, proposal(`${round}.lost`));
			group.driver.run(round % 4);
			for (const id of group.voters) group.driver.crash(id);
			for (const id of group.voters) group.driver.restart(id);
		}
		group.propose(group.elect(), "end");
		group.converge([...acknowledged, "end"]);
	});

	it("each server restarts in turn under load, and nothing is lost", () => {
		const group = new Group(3);
		const acknowledged: string[] = [];
		for (const id of group.voters) {
			group.driver.crash(id);
			for (let i = 0; i < 5; i++) {
				const command = `${id}.${i}`;
				group.propose(group.elect(), command);
				acknowledged.push(command);
			}
			group.driver.restart(id);
			group.converge(acknowledged);
		}
	});

	it("a server that was away for long gets the snapshot, then the log, and counts towards a quorum again", () => {
		const group = new Group(3, { config: { snapshotEveryEntries: 10, retainedEntries: 0, snapshotChunkBytes: 50 } });
		const leader = group.elect();
		const away = must(group.others(leader)[0], "there are others");
		const other = must(group.others(leader, away)[0], "there are three");
		group.driver.crash(away);
		for (let i = 0; i < 35; i++) group.propose(leader, `c${i}`);
		group.driver.restart(away);
		group.converge(["c34"]);
		expect(group.watch.evaluations.get("snapshot-installed")).toBe(1);
		group.driver.crash(other);
		group.propose(leader, "with the returned one");
	});

	it("a leader that crashes in the midst of sending a snapshot is replaced by one that starts it anew", () => {
		const config = { snapshotEveryEntries: 10, retainedEntries: 0, snapshotChunkBytes: 10 };
		const group = new Group(5, { config });
		const leader = group.elect();
		const away = must(group.others(leader)[0], "there are others");
		group.driver.crash(away);
		for (let i = 0; i < 25; i++) group.propose(leader, `c${i}`);
		group.driver.restart(away);
		const isReceiving = (): boolean => (group.driver.machine(away).state as { receipt: unknown }).receipt !== null;
		expect(group.driver.runUntil(isReceiving, 3000)).toBe(true);
		group.driver.crash(leader);
		group.elect();
		group.driver.restart(leader);
		group.converge(["c24"], 20_000);
		expect(group.watch.evaluations.get("snapshot-installed")).toBeGreaterThanOrEqual(1);
	});
});

describe("divergence", () => {
	it("a long tail that was never committed is replaced in a few messages (yugabyte#32876)", () => {
		const group = new Group(3, { config: { maxPendingProposals: 3000 } });
		const old = group.elect();
		group.driver.partition([[old], group.others(old)]);
		for (let i = 0; i < 2000; i++) group.ask(old, proposal(`lost${i}`));
		const next = group.elect(3000, old);
		group.propose(next, "kept");
		const before = group.driver.counts.messages;
		group.driver.heal();
		group.converge(["kept"], 500);
		expect(group.driver.counts.messages - before).toBeLessThan(60);
		expect(group.ledger(old)).toEqual(["kept"]);
	});
});
