/**
 * Goal: a witness votes and acknowledges as any voter and gets no command; it never leads, applies or answers; and whatever is
 * committed is on the disk of a full member.
 * Method: a lone machine as leader, witness and former witness, the test as its peers; then a whole group on virtual time.
 */
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../../protocols/core/index.ts";
import { configurationOf, type Entry, type RaftConfig, raftConfig } from "../../../protocols/raft/index.ts";
import { agree, change, lastEntry, leader, members, reasonOf, set } from "./changing-machine.ts";
import { Ledger } from "./chaos-run.ts";
import { DeterministicDriver } from "./deterministic-driver.ts";
import {
	a,
	accepted,
	append,
	b,
	bytes,
	c,
	chunk,
	command,
	d,
	e,
	entriesOf,
	five,
	index,
	LoneMachine,
	proposal,
	requestVote,
	snapshotAt,
	term,
	three,
} from "./lone-machine.ts";
import { StrictWatch } from "./strict-watch.ts";

const withheld = (inTerm: number): Entry => ({ ...command(inTerm, ""), kind: "withheld" });
const led = (options: Partial<RaftConfig> = {}): LoneMachine => leader({ config: { witnesses: [c], ...options } });
/** A witness that follows b in term 1. */
function witness(config: Partial<RaftConfig> = {}): LoneMachine {
	const machine = new LoneMachine({ config: { witnesses: [a], ...config } });
	return machine.receive(b, append({ term: term(1), entries: [withheld(1)], commit: index(1) })).writesComplete();
}
function committed(through: number, entries: readonly Entry[]): ReturnType<typeof append> {
	const prevIndex = index(through - entries.length);
	return append({ term: term(1), prevIndex, prevTerm: term(1), commit: index(through), entries });
}

describe("the leader of a witness", () => {
	it("sends it the term of each command and nothing else of it, and configurations as they are", () => {
		const machine = led();
		machine.request(proposal("secret"));
		expect(machine.sentOnly(b, "append-entries").entries).toEqual([command(1, "secret")]);
		machine.writesComplete();
		expect(machine.sentOnly(c, "append-entries").entries).toEqual([withheld(1)]);
		agree(machine, [b, c]);
		change(machine, { type: "add-learner", node: d });
		machine.writesComplete();
		expect(machine.sentOnly(c, "append-entries").entries).toMatchObject([{ kind: "configuration" }]);
	});

	it("sends it nothing that is not on the disk of a full voter: its own, or a follower's", () => {
		const machine = led();
		machine.request(proposal("x"));
		expect(machine.sent(c)).toEqual([]);
		expect(machine.writesComplete().sentOnly(c, "append-entries").entries).toHaveLength(1);
		machine.request(proposal("y"));
		expect(machine.sent(c)).toEqual([]);
		machine.receive(b, accepted(1, 3));
		expect(machine.sent(c)).toMatchObject([{ prevIndex: 2, entries: [withheld(1)] }]);
	});

	it("nor, when it leaves with a joint configuration, what only those who leave have", () => {
		const machine = led();
		change(machine, set([b, c]), "joint-explicit");
		machine.writesComplete();
		expect(machine.sent(c)).toEqual([]);
		expect(machine.receive(b, accepted(1, 2)).sentOnly(c, "append-entries").entries).toHaveLength(1);
	});

	it("counts its acknowledgements towards commits", () => {
		const machine = led();
		machine.request(proposal("x"));
		machine.writesComplete().receive(c, accepted(1, 2));
		expect(machine.status.commitIndex).toBe(2);
	});

	it("hands it no leadership", () => {
		const machine = led();
		machine.request({ type: "transfer-leadership", to: c });
		expect(machine.replies).toEqual([{ type: "refused", reason: "never-leads", node: c }]);
		machine.receive(c, accepted(1, 1)).request({ type: "transfer-leadership", to: null });
		expect(machine.status.transferTo).toBe(b);
	});

	it("sends it a snapshot without bytes, in one message and without a read, and again if it is lost", () => {
		const snapshot = snapshotAt(4, 1, 6);
		const durable = {
			hardState: { term: term(1), votedFor: null },
			snapshot,
			firstIndex: index(5),
			entries: entriesOf([1]),
		};
		const machine = new LoneMachine({ durable, config: { witnesses: [c] } });
		// The configuration of the snapshot has no witnesses: one that has comes with the log.
		machine.receive(b, append({ ...committed(6, [members(1, configurationOf(three, [], [c]))]) })).writesComplete();
		machine.electionTimeout().becomeLeader();
		machine.receive(c, { ...accepted(2, 0), accepted: false, index: index(6) });
		const [message] = machine.sent(c).filter(({ type }) => type === "install-snapshot");
		expect(message).toMatchObject({ lastIndex: 4, lastTerm: 1, sizeBytes: 0, offset: 0, withheld: true });
		expect(machine.all.filter(({ type }) => type === "read")).toEqual([]);
		machine.heartbeat();
		expect(machine.heartbeat().sent(c)).toContainEqual(message);
		machine.receive(c, { type: "snapshot-response", term: term(2), lastIndex: index(4), nextOffset: 0, round: 0 });
		expect(machine.status.peers.find(({ node }) => node === c)).toMatchObject({ mode: "replicate", match: 4 });
	});
});

describe("a witness", () => {
	it("votes by the terms and indices of its log, as any voter", () => {
		const machine = witness().electionTimeout();
		machine.receive(c, requestVote(2, 0, 0));
		expect(machine.sentOnly(c, "vote").granted).toBe(false);
		machine.receive(c, requestVote(3, 1, 1));
		expect(machine.sentOnly(c, "vote").granted).toBe(true);
	});

	it("acknowledges what is withheld when it is durable", () => {
		const machine = witness().receive(b, committed(2, [withheld(1)]));
		expect(machine.isHeld("append-response")).toBe(true);
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 2 });
	});

	it("never campaigns, not even when the leader asks for it", () => {
		const machine = witness();
		machine.receive(b, { type: "timeout-now", term: term(1), lastIndex: index(1) });
		for (let i = 0; i < 5; i++) machine.electionTimeout();
		expect(machine.status).toMatchObject({ role: "follower", term: 1 });
		expect(machine.all.filter(({ type }) => type === "send")).toHaveLength(1);
		const empty = new LoneMachine({ config: { witnesses: [a] } });
		empty.receive(b, { type: "timeout-now", term: term(1), lastIndex: index(0) });
		expect(empty.status).toMatchObject({ role: "follower", term: 1 });
	});

	it("hands its application nothing, and answers neither reads nor commands", () => {
		const machine = witness({ followerReads: true, forwardProposals: true });
		for (const request of [proposal("x"), { type: "read", query: bytes("?") } as const]) {
			machine.request(request);
			expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: b }]);
		}
		expect(machine.all.filter(({ type }) => type === "apply")).toEqual([]);
		expect(machine.status.deliveredIndex).toBe(1);
	});

	it("refuses what it was asked before it became one", () => {
		const machine = new LoneMachine({ term: 1, log: [1], config: { followerReads: true, forwardProposals: true } });
		machine.receive(b, committed(1, [command(1)])).writesComplete();
		machine.request({ type: "read", query: bytes("?") });
		machine.request(proposal("x"));
		machine.receive(b, committed(2, [members(1, configurationOf([b, c], [a], [a]))]));
		expect(machine.replies).toEqual([
			{ type: "refused", reason: "not-leader", leader: b },
			{ type: "outcome-unknown", leader: b },
		]);
	});

	it("shortens its log by a snapshot without bytes, in one persist, after snapshotEveryEntries", () => {
		const machine = witness({ snapshotEveryEntries: 3, retainedEntries: 1 });
		machine.receive(b, committed(4, [withheld(1), withheld(1), withheld(1)]));
		const configuration = configurationOf(three, [], [a]);
		const snapshot = { lastIndex: 4, lastTerm: 1, configuration, sizeBytes: 0, withheld: true };
		expect(machine.writes.at(-1)).toEqual({
			snapshotChunk: { lastIndex: 4, lastTerm: 1, offset: 0, data: new Uint8Array(0) },
			installSnapshot: snapshot,
			compactThrough: 3,
		});
		expect(machine.status).toMatchObject({ baseIndex: 3, snapshotIndex: 4 });
	});

	it("installs a snapshot without bytes, and begins its next life with it and without an application", () => {
		const snapshot = {
			...snapshotAt(9, 1, 0),
			configuration: configurationOf(three, [], [a]),
			withheld: true,
		} as const;
		const machine = witness().receive(b, chunk(1, snapshot, 0, bytes("")));
		expect(machine.sentOnly(b, "snapshot-response").nextOffset).toBe(0);
		machine.writesComplete().receive(b, committed(10, [withheld(1)]));
		expect(machine.status).toMatchObject({ commitIndex: 10, deliveredIndex: 10 });
		const durable = { hardState: { term: term(1), votedFor: null }, snapshot, firstIndex: index(10), entries: [] };
		const next = new LoneMachine({ durable }).receive(b, committed(10, [withheld(1)]));
		expect([...machine.all, ...next.all].filter(({ type }) => type === "apply")).toEqual([]);
	});

	it("that is removed neither applies nor campaigns: its log stays hollow", () => {
		const machine = witness();
		machine.receive(b, committed(3, [withheld(1), members(1, configurationOf([b, c]))]));
		for (let i = 0; i < 3; i++) machine.electionTimeout();
		expect(machine.status).toMatchObject({ role: "follower", deliveredIndex: 3 });
		expect(machine.all.filter(({ type }) => type === "apply")).toEqual([]);
	});

	it("that is a full member by mistake does not acknowledge what it lacks the commands of, until it has a snapshot", () => {
		const machine = witness();
		const full = members(1, configurationOf([b, c], [a]));
		expect(machine.receive(b, committed(3, [withheld(1), full])).sent()).toEqual([]);
		expect(machine.receive(b, committed(4, [command(1)])).sent()).toEqual([]);
		const snapshot = { ...snapshotAt(4, 1), configuration: configurationOf([b, c], [a]) };
		machine.receive(b, chunk(1, { ...snapshot, lastIndex: index(5) }, 0, bytes("abcdef"))).writesComplete();
		expect(machine.deliveries).toMatchObject([{ type: "restore-snapshot" }]);
		machine.receive(b, committed(6, [command(1)]));
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 6 });
		expect(machine.deliveries).toMatchObject([{ type: "entries", firstIndex: 6 }]);
	});
});

describe("members and witnesses", () => {
	it("a witness joins as a learner and is promoted as one", () => {
		const machine = leader();
		change(machine, { type: "add-learner", node: d, witness: true });
		agree(machine, [b, c, d]);
		change(machine, { type: "promote", node: d });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, c, d], [], [d]));
		agree(machine, [b, c, d]);
		machine.request(proposal("x"));
		machine.writesComplete();
		expect(machine.sentOnly(d, "append-entries").entries).toEqual([withheld(1)]);
	});

	it("a learner that is to be a witness gets no commands from the first on", () => {
		const machine = leader();
		machine.request(proposal("x"));
		machine.commitAll();
		change(machine, { type: "add-learner", node: d, witness: true });
		machine.writesComplete().receive(d, { ...accepted(1, 0), accepted: false, index: index(2) });
		expect(machine.sentOnly(d, "append-entries").entries.map(({ kind }) => kind)).toEqual([
			"no-op",
			"withheld",
			"configuration",
		]);
	});

	it("witnesses are fewer than a majority: no change leads beyond it", () => {
		const machine = led();
		change(machine, { type: "add-learner", node: d, witness: true });
		agree(machine, [b, c, d]);
		change(machine, set([a, c, d]));
		expect(machine.replies).toEqual([{ type: "refused", reason: "too-many-witnesses", witnesses: 2, limit: 1 }]);
		change(machine, { type: "promote", node: d });
		expect(reasonOf(machine.replies)).toBeUndefined();
		agree(machine, [b, c, d]);
		change(machine, { type: "remove", node: b });
		expect(reasonOf(machine.replies)).toBe("too-many-witnesses");
	});

	it("nor does promotion by itself", () => {
		const machine = led({ promoteLearners: true });
		change(machine, set(three, []));
		expect(reasonOf(machine.replies)).toBe("unchanged");
		change(machine, { type: "remove", node: b });
		agree(machine, [b, c]);
		change(machine, { type: "add-learner", node: d, witness: true });
		agree(machine, [c, d]);
		agree(machine, [c, d]);
		expect(machine.status.configuration).toEqual(configurationOf([a, c], [d], [c, d]));
	});

	it("a witness stays one, through every change, until it leaves", () => {
		const machine = led();
		change(machine, { type: "add-learner", node: d });
		agree(machine, [b, c, d]);
		change(machine, { type: "add-learner", node: d, witness: true });
		expect(machine.replies).toEqual([{ type: "refused", reason: "witness-fixed", node: d }]);
		change(machine, set([a, b, d], [c]), "joint-explicit");
		expect(lastEntry(machine)).toMatchObject({ outgoing: [a, b, c], witnesses: [c] });
		agree(machine, [b, c, d]);
		machine.request({ type: "leave-joint" });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, d], [c], [c]));
		agree(machine, [b, c, d]);
		change(machine, { type: "remove", node: c });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b, d]));
	});

	it("one that leaves with a joint configuration is a witness until then", () => {
		const machine = led();
		change(machine, set([a, b]), "joint-explicit");
		expect(lastEntry(machine)).toMatchObject({ voters: [a, b], outgoing: [a, b, c], witnesses: [c] });
		agree(machine, [b, c]);
		machine.request({ type: "leave-joint" });
		expect(lastEntry(machine)).toEqual(configurationOf([a, b]));
	});
});

describe("a group with witnesses", () => {
	const group = (seed: number, voters: readonly NodeId[], witnesses: readonly NodeId[]): DeterministicDriver => {
		const watch = new StrictWatch();
		const config = (id: NodeId): RaftConfig => raftConfig({ nodeId: id, voters, witnesses });
		const observe = watch.observe.bind(watch);
		return new DeterministicDriver({ seed, voters, config, application: () => new Ledger(), observe });
	};
	const leads = (driver: DeterministicDriver, id: NodeId): boolean =>
		driver.isUp(id) && driver.machine(id).status.role === "leader";

	it("of two full members and one witness outlives the loss of either full member, for every seed", () => {
		for (let seed = 1; seed <= 30; seed++) {
			const driver = group(seed, three, [c]);
			const lead = (): NodeId | undefined => driver.nodes.find((id) => leads(driver, id));
			driver.runUntil(() => lead() !== undefined, 5000);
			const first = lead() as NodeId;
			let isDone = false;
			driver.request(first, proposal("x"), (outcome) => {
				isDone = outcome.type === "result";
			});
			driver.runUntil(() => isDone, 1000);
			driver.run(200);
			driver.crash(first);
			expect(driver.runUntil(() => lead() !== undefined && lead() !== first, 5000)).toBe(true);
			isDone = false;
			driver.request(lead() as NodeId, proposal("y"), (outcome) => {
				isDone = outcome.type === "result";
			});
			expect(driver.runUntil(() => isDone, 1000)).toBe(true);
			expect((driver.application(lead() as NodeId) as Ledger).applied).toEqual(["x", "y"]);
		}
	});

	it("has no leader while the only full member that has what is committed is away, and loses nothing", () => {
		const driver = group(1, three, [c]);
		const lead = (): NodeId | undefined => driver.nodes.find((id) => leads(driver, id));
		driver.runUntil(() => lead() !== undefined, 5000);
		const first = lead() as NodeId;
		const other = first === a ? b : a;
		driver.crash(other);
		let isDone = false;
		driver.request(first, proposal("x"), (outcome) => {
			isDone = outcome.type === "result";
		});
		expect(driver.runUntil(() => isDone, 1000)).toBe(true);
		driver.crash(first);
		driver.restart(other);
		expect(driver.runUntil(() => lead() !== undefined, 20_000)).toBe(false);
		driver.restart(first);
		expect(driver.runUntil(() => lead() !== undefined, 5000)).toBe(true);
		driver.run(500);
		for (const id of [a, b]) expect((driver.application(id) as Ledger).applied).toEqual(["x"]);
	});

	it("of five with two witnesses writes no command to a witness's disk", () => {
		const driver = group(3, five, [d, e]);
		const lead = (): NodeId | undefined => driver.nodes.find((id) => leads(driver, id));
		driver.runUntil(() => lead() !== undefined, 5000);
		for (let i = 0; i < 20; i++) driver.request(lead() as NodeId, proposal(`x${i}`), () => {});
		driver.run(500);
		const kinds = (id: NodeId): Set<string> => new Set(driver.disk(id).entries.map(({ kind }) => kind));
		expect(kinds(d)).toEqual(new Set(["no-op", "withheld"]));
		expect(kinds(a)).toEqual(new Set(["no-op", "command"]));
	});
});
