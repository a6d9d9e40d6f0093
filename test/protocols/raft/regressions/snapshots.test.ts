/**
 * Goal: snapshots, their transfer and what they do to log and members do not fail in the ways in which others' did.
 * Method: a lone machine with the test as its peers and its disk. See `README.md` here for the reports that stand with a rule.
 */
import { describe, expect, it } from "vitest";
import { must } from "../../../../protocols/core/index.ts";
import { configurationOf, type RaftMessage } from "../../../../protocols/raft/index.ts";
import { leader, members } from "../changing-machine.ts";
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
	index,
	LoneMachine,
	proposal,
	snapshotAt,
	term,
	three,
} from "../lone-machine.ts";

const policy = { snapshotEveryEntries: 4, retainedEntries: 0, snapshotChunkBytes: 4 };
const reads = (machine: LoneMachine): unknown[] =>
	machine.effects.flatMap((effect) => (effect.type === "read" ? [effect.read] : []));
const arrived = (nextOffset: number, lastIndex = 4): RaftMessage => ({
	type: "snapshot-response",
	term: term(1),
	lastIndex: index(lastIndex),
	nextOffset,
	round: 0,
});
/** A leader that sends its snapshot through 4 (6 bytes, chunks of 4) to b; the first chunk is being read. */
function transferring(config = {}): LoneMachine {
	const machine = new LoneMachine({ config: { ...policy, ...config } }).becomeLeader();
	machine.step(...[1, 2, 3].map((i) => ({ type: "request" as const, requestId: i, request: proposal(`${i}`) })));
	machine.writesComplete().receive(c, accepted(1, 4));
	return machine.step({ type: "snapshot-ready", snapshot: snapshotAt(4, 1) }).receive(b, accepted(1, 0));
}
const chunkRead = (readId: number, offset: number, data: string) => {
	const result = { type: "chunk", lastIndex: index(4), offset, data: bytes(data) } as const;
	return { type: "read-completed", readId, result } as const;
};

describe("a leader that sends a snapshot", () => {
	it("etcd-io/raft#110: a peer that is back within the leader's log goes on with entries, though the snapshot never came", () => {
		const machine = transferring();
		machine.request(proposal("next"));
		expect(machine.receive(b, accepted(1, 3)).sent(b)).toEqual([]);
		expect(machine.receive(b, accepted(1, 4)).sentOnly(b, "append-entries")).toMatchObject({ prevIndex: 4 });
	});

	it("dgraph#2698: a peer that crashes while it receives gets all of it again, and then the log", () => {
		const machine = transferring()
			.step(chunkRead(1, 0, "abcd"))
			.receive(b, arrived(4));
		machine.step(chunkRead(2, 4, "ef"));
		// It is back with nothing of the snapshot, and says so when the chunk that was under way is repeated.
		machine.heartbeat().heartbeat();
		machine.receive(b, arrived(0));
		expect(reads(machine)).toEqual([{ lastIndex: 4, offset: 0, lengthBytes: 4 }]);
		machine.step(chunkRead(4, 0, "abcd")).receive(b, arrived(4));
		machine.step(chunkRead(5, 4, "ef"));
		machine.request(proposal("after it"));
		expect(machine.receive(b, arrived(6)).sentOnly(b, "append-entries")).toMatchObject({ prevIndex: 4 });
	});

	it("ra#589, camunda#46345: it goes on with heartbeats to that peer, which do not interrupt the transfer", () => {
		const machine = transferring().step(chunkRead(1, 0, "abcd"));
		for (let i = 0; i < 3; i++) {
			const types = machine
				.heartbeat()
				.sent(b)
				.map(({ type }) => type);
			expect(types).toContain("append-entries");
		}
		// The peer that is receiving takes the heartbeat, and keeps what it has of the snapshot.
		const peer = new LoneMachine({ term: 1, config: { nodeId: b } });
		peer.receive(a, chunk(1, snapshotAt(4, 1), 0, bytes("abcd")));
		peer.receive(a, append({ term: term(1), commit: index(0) }));
		peer.receive(a, chunk(1, snapshotAt(4, 1), 4, bytes("ef")));
		expect(peer.sentOnly(a, "snapshot-response").nextOffset).toBe(6);
		expect(peer.status.snapshotIndex).toBe(4);
	});

	it("openraft#1795: what can not be read sends nothing; it is read again", () => {
		const machine = transferring();
		machine.step({ type: "read-completed", readId: 1, result: { type: "missing", lastIndex: index(4) } });
		expect(machine.sent(b)).toEqual([]);
		machine.heartbeat().heartbeat();
		expect(reads(machine)).toEqual([{ lastIndex: 4, offset: 0, lengthBytes: 4 }]);
		expect(machine.all.some((effect) => effect.type === "send" && effect.message.type === "install-snapshot")).toBe(
			false,
		);
	});
});

describe("who takes a snapshot of its own", () => {
	it("databend#10873, dragonboat#325: heartbeats, commits and acknowledgements go on meanwhile", () => {
		const machine = leader({ config: policy });
		for (let i = 0; i < 3; i++) machine.request(proposal(`${i}`));
		machine.commitAll();
		expect(machine.all.some((effect) => effect.type === "apply" && effect.delivery.type === "take-snapshot")).toBe(
			true,
		);
		// It takes long: ten heartbeats, and a command meanwhile.
		for (let i = 0; i < 10; i++) expect(machine.heartbeat().sentOnly(b, "append-entries").entries).toEqual([]);
		machine.request(proposal("meanwhile"));
		expect(machine.writesComplete().receive(b, accepted(1, 5)).deliveries).toMatchObject([{ type: "entries" }]);
		const follower = new LoneMachine({ config: { ...policy, snapshotEveryEntries: 1 } });
		follower.receive(b, append({ term: term(1), entries: entriesOf([1]), commit: index(1) }));
		expect(follower.deliveries.at(-1)?.type).toBe("take-snapshot");
		const more = append({ term: term(1), prevIndex: index(1), prevTerm: term(1), entries: entriesOf([1]) });
		expect(follower.receive(b, more).writes).toMatchObject([{ append: { firstIndex: 2 } }]);
		expect(follower.sent(b).at(-1)).toMatchObject({ type: "append-response", accepted: true, index: 2 });
	});

	it("openraft#1829: a snapshot that falls due while another is under way is ordered with the next entry", () => {
		const machine = new LoneMachine({ config: { snapshotEveryEntries: 2 } });
		const committed = (through: number, count: number): ReturnType<typeof append> => {
			const prevIndex = index(through - count);
			const entries = Array.from({ length: count }, () => command(1));
			return append({ term: term(1), prevIndex, prevTerm: term(prevIndex && 1), entries, commit: index(through) });
		};
		machine.receive(b, committed(2, 2));
		expect(machine.deliveries.at(-1)).toMatchObject({ type: "take-snapshot", lastIndex: 2 });
		machine.receive(b, committed(5, 3)).step({ type: "snapshot-ready", snapshot: snapshotAt(2, 1) });
		const last = machine.receive(b, committed(6, 1)).deliveries.at(-1);
		expect(last).toMatchObject({ type: "take-snapshot", lastIndex: 6 });
	});
});

describe("who is sent a snapshot", () => {
	it("nebula#1769: a candidate takes the snapshot of who has won the term", () => {
		const machine = new LoneMachine({ config: { preVote: false } }).electionTimeout();
		expect(machine.status).toMatchObject({ role: "candidate", term: 1 });
		machine.receive(b, chunk(1, snapshotAt(4, 1), 0, bytes("abcdef"))).writesComplete();
		expect(machine.status).toMatchObject({ role: "follower", leader: b, commitIndex: 4 });
		expect(machine.deliveries).toMatchObject([{ type: "restore-snapshot" }]);
	});

	it("hashicorp#212: begins no election while chunks come, each of which counts as a word of its leader", () => {
		const machine = new LoneMachine({ term: 1 });
		for (let offset = 0; offset < 12; offset += 4) {
			machine.receive(b, chunk(1, snapshotAt(4, 1, 16), offset, bytes("abcd")));
			expect(machine.timers("election")).toEqual([{ min: 150, max: 150 }]);
			// Its timer fires once between two chunks: it has heard its leader since.
			machine.electionTimeout();
			expect(machine.status).toMatchObject({ role: "follower", leader: b });
		}
	});

	it("hashicorp#697, hashicorp#704: drops a tail that conflicts at the snapshot's last index, and follows on from there", () => {
		const machine = new LoneMachine({ term: 2, log: [1, 1, 1, 2, 2, 2] });
		machine.receive(b, chunk(3, snapshotAt(4, 3), 0, bytes("abcdef"))).writesComplete();
		expect(machine.view.log).toMatchObject({ baseIndex: 4, entries: [] });
		const next = append({ term: term(3), prevIndex: index(4), prevTerm: term(3), entries: entriesOf([3]) });
		expect(machine.receive(b, next).sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 5 });
	});

	it("camunda#10202, camunda#6092: a log that is behind the snapshot is replaced, one that goes beyond it keeps its tail", () => {
		const behind = new LoneMachine({ term: 1, log: [1] });
		behind.receive(b, chunk(1, snapshotAt(4, 1), 0, bytes("abcdef"))).writesComplete();
		const next = append({ term: term(1), prevIndex: index(4), prevTerm: term(1), entries: entriesOf([1]) });
		expect(behind.receive(b, next).sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 5 });
		const beyond = new LoneMachine({ term: 1, log: [1, 1, 1, 1, 1, 1] });
		beyond.receive(b, chunk(1, snapshotAt(4, 1), 0, bytes("abcdef"))).writesComplete();
		expect(beyond.status).toMatchObject({ baseIndex: 4, lastIndex: 6 });
	});

	it("openraft#559, openraft#561: the snapshot and the removal of what it contradicts are one write, whole or not at all", () => {
		const machine = new LoneMachine({ term: 2, log: [1, 1, 2, 2] });
		machine.receive(b, chunk(3, snapshotAt(3, 3), 0, bytes("abcdef")));
		const [write, ...more] = machine.writes;
		expect(more).toEqual([]);
		expect(write).toMatchObject({ truncateFrom: 1, installSnapshot: snapshotAt(3, 3), compactThrough: 3 });
	});

	it("openraft#1808: forgets a configuration that was not committed and that the snapshot has replaced", () => {
		// A change that its leader could not commit, further on than the configuration of the snapshot.
		const stale = members(1, configurationOf([a, d, e]));
		const machine = new LoneMachine({ term: 1 });
		machine.receive(b, append({ term: term(1), entries: [...entriesOf([1, 1]), stale] })).writesComplete();
		expect(machine.status.configuration).toEqual(configurationOf([a, d, e]));
		machine.receive(c, chunk(2, snapshotAt(4, 2, 6, three), 0, bytes("abcdef"))).writesComplete();
		expect(machine.status.configuration).toEqual(configurationOf(three));
		expect(machine.electionTimeout().electionTimeout().sent(d)).toEqual([]);
	});

	it("dragonboat#156, dragonboat#369: after a restart the application gets the snapshot and all behind it, whatever it had", () => {
		const hardState = { term: term(1), votedFor: null };
		const entries = entriesOf([1, 1, 1, 1]);
		const durable = { hardState, snapshot: snapshotAt(4, 1), firstIndex: index(3), entries };
		const machine = new LoneMachine({ durable });
		expect(machine.deliveries).toMatchObject([{ type: "restore-snapshot", snapshot: { lastIndex: 4 } }]);
		machine.receive(b, append({ term: term(1), prevIndex: index(6), prevTerm: term(1), commit: index(6) }));
		expect(machine.deliveries).toMatchObject([{ type: "entries", firstIndex: 5 }]);
	});

	it("etcd#13766: the application's state and the index that it is of are one durable thing", () => {
		const config = { snapshotEveryEntries: 2 };
		const machine = new LoneMachine({ config });
		machine.receive(b, append({ term: term(1), entries: entriesOf([1, 1]), commit: index(2) }));
		const ordered = machine.deliveries.at(-1);
		expect(ordered).toMatchObject({ type: "take-snapshot", lastIndex: 2, lastTerm: 1 });
		// Nothing else says how far the application is: a restart without that snapshot applies all from the beginning.
		const durable = { hardState: { term: term(1), votedFor: null }, snapshot: null, firstIndex: index(1) };
		const next = new LoneMachine({ config, durable: { ...durable, entries: entriesOf([1, 1]) } });
		expect(next.status).toMatchObject({ commitIndex: 0, deliveredIndex: 0 });
		next.receive(b, append({ term: term(1), prevIndex: index(2), prevTerm: term(1), commit: index(2) }));
		expect(next.deliveries).toMatchObject([{ type: "entries", firstIndex: 1 }, { type: "take-snapshot" }]);
	});

	it("etcd#14370: a single server answers a command only when its own disk has it", () => {
		const machine = new LoneMachine({ voters: [a] }).electionTimeout().writesComplete().writesComplete();
		machine.request(proposal("x"));
		expect(machine.deliveries).toEqual([]);
		const [persist] = machine.effects.flatMap((effect) => (effect.type === "persist" ? [effect] : []));
		machine.request(proposal("y"));
		// The disk has the first of them: it says nothing about the other.
		machine.step({ type: "write-completed", writeId: must(persist, "it was handed to the disk").writeId });
		expect(machine.deliveries).toMatchObject([{ type: "entries", firstIndex: 2, requestIds: [1] }]);
		expect(machine.writesComplete().deliveries).toMatchObject([{ type: "entries", firstIndex: 3, requestIds: [2] }]);
	});
});
