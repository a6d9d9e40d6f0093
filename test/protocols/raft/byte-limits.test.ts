/**
 * Goal: what a leader sends ahead and what it holds uncommitted is bounded in bytes, exactly, and what is refused says so.
 * Method: a lone leader whose peers and disk the test plays; commands of known sizes against small bounds.
 */
import { describe, expect, it } from "vitest";
import { ENTRY_OVERHEAD_BYTES, type RaftRequest, type SessionId } from "../../../protocols/raft/index.ts";
import { accepted, append, b, c, LoneMachine, refused, term } from "./lone-machine.ts";

/** A command whose entry has so many bytes. */
function sized(sizeBytes: number): RaftRequest {
	const data = new Uint8Array(sizeBytes - ENTRY_OVERHEAD_BYTES);
	return { type: "propose", session: 0 as SessionId, serial: 0, firstIncomplete: 0, data };
}

describe("maxInflightBytes", () => {
	const config = { maxInflightBytes: 1024, maxInflightAppends: 100 };
	const inflight = (machine: LoneMachine): unknown => machine.status.peers.map(({ inflightBytes }) => inflightBytes);

	it("an append leaves while less is under way, and not when the bound is reached", () => {
		const machine = new LoneMachine({ config }).becomeLeader().commitAll();
		machine.request(sized(1023));
		machine.request(sized(500));
		expect(machine.sentOnly(b, "append-entries").entries).toHaveLength(1);
		expect(inflight(machine)).toEqual([1523, 1523]);
		machine.request(sized(100));
		expect(machine.sent()).toEqual([]);
	});

	it("is each peer's own, and opens with what the peer answers", () => {
		const machine = new LoneMachine({ config }).becomeLeader().commitAll();
		machine.request(sized(1024));
		machine.request(sized(100));
		expect(machine.sent()).toEqual([]);
		machine.receive(b, accepted(1, 2));
		expect(machine.sentOnly(b, "append-entries").entries).toHaveLength(1);
		expect(machine.sent(c)).toEqual([]);
		expect(inflight(machine)).toEqual([100, 1024]);
	});

	it("a refusal empties the window: what was sent ahead is sent anew", () => {
		const machine = new LoneMachine({ config }).becomeLeader().commitAll();
		machine.request(sized(1024));
		machine.receive(b, refused(1, 2, 1, 1));
		expect(inflight(machine)).toEqual([0, 1024]);
	});

	it("heartbeats pass a full window", () => {
		const machine = new LoneMachine({ config }).becomeLeader().commitAll();
		machine.request(sized(2000));
		expect(machine.heartbeat().sentOnly(b, "append-entries").entries).toEqual([]);
	});
});

describe("maxUncommittedBytes", () => {
	const config = { maxUncommittedBytes: 1024 };
	const tooMany = [{ type: "refused", reason: "too-many-uncommitted-bytes", limitBytes: 1024 }];

	it("commands are taken up to the bound, and beyond it refused until some are committed", () => {
		const machine = new LoneMachine({ config }).becomeLeader().commitAll();
		machine.request(sized(1000));
		machine.request(sized(ENTRY_OVERHEAD_BYTES));
		expect(machine.replies).toEqual(tooMany);
		expect(machine.status).toMatchObject({ uncommittedBytes: 1000, lastIndex: 2 });
		machine.request({ type: "open-session" });
		expect(machine.replies).toEqual(tooMany);
		machine.commitAll();
		expect(machine.status.uncommittedBytes).toBe(0);
		machine.request(sized(980));
		machine.request(sized(44));
		expect(machine.replies).toEqual([]);
	});

	it("a command larger than the bound is taken when nothing is uncommitted", () => {
		const machine = new LoneMachine({ config }).becomeLeader().commitAll();
		machine.request(sized(5000));
		expect(machine.replies).toEqual([]);
		machine.request(sized(ENTRY_OVERHEAD_BYTES));
		expect(machine.replies).toEqual(tooMany);
	});

	it("what a leader found uncommitted in its log counts too, until it is committed with its own", () => {
		const machine = new LoneMachine({ config, term: 1, log: [1, 1] }).becomeLeader();
		const bytesBefore = machine.status.uncommittedBytes;
		expect(bytesBefore).toBe(3 * ENTRY_OVERHEAD_BYTES + 2 * "1/1".length);
		machine.request(sized(1025 - bytesBefore));
		expect(machine.replies).toEqual(tooMany);
		expect(machine.commitAll().status.uncommittedBytes).toBe(0);
	});

	it("a leader that steps down and leads again has counted nothing twice", () => {
		const machine = new LoneMachine({ config }).becomeLeader().commitAll();
		machine.request(sized(600));
		machine.receive(b, append({ term: term(2) }));
		expect(machine.status.uncommittedBytes).toBe(0);
		machine.electionTimeout().becomeLeader();
		expect(machine.status.uncommittedBytes).toBe(600 + ENTRY_OVERHEAD_BYTES);
	});

	it("a membership change is taken all the same", () => {
		const machine = new LoneMachine({ config }).becomeLeader().commitAll();
		machine.request(sized(1024));
		machine.request({ type: "change-membership", change: { type: "remove", node: c }, transition: "automatic" });
		expect(machine.replies).toEqual([]);
	});
});
