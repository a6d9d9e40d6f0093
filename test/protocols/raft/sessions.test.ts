/**
 * Goal: a command of a session takes effect at most once, its repetition gets the first result, and the table stays within
 * its bounds the same way on every replica (thesis §6.3; RIFL for what may be forgotten).
 * Method: each rule by itself; then random commands with repetitions against two replicas, one of which lives on
 * from a snapshot.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../protocols/core/index.ts";
import { RaftApplier, type SessionId, SessionTable } from "../../../protocols/raft/index.ts";
import { Ledger } from "./chaos-run.ts";
import { bytes, index, term } from "./lone-machine.ts";

const limits = { sessionsMax: 3, resultsPerSessionMax: 2 };
const result = (at: number, text: string) => ({ type: "result", index: index(at), data: bytes(text) }) as const;

describe("SessionTable", () => {
	it("names a session after the index that opened it", () => {
		expect(new SessionTable().open(index(17))).toBe(17);
	});

	it("calls a command new once, then gives its first result", () => {
		const table = new SessionTable();
		const session = table.open(index(1));
		expect(table.look(session, 1, 1, index(2))).toEqual({ type: "new" });
		table.record(session, 1, result(2, "first"));
		expect(table.look(session, 1, 1, index(3))).toEqual(result(2, "first"));
	});

	it("keeps the results of several commands under way, in any order", () => {
		const table = new SessionTable();
		const session = table.open(index(1));
		for (const serial of [3, 1, 2]) {
			expect(table.look(session, serial, 1, index(serial + 1)).type).toBe("new");
			table.record(session, serial, result(serial + 1, `${serial}`));
		}
		for (const serial of [1, 2, 3]) expect(table.look(session, serial, 1, index(9)).type).toBe("result");
	});

	it("knows nothing of a session that was never opened", () => {
		expect(new SessionTable().look(5 as SessionId, 1, 1, index(9))).toEqual({ type: "session-unknown" });
	});

	it("forgets what the client has received; a repetition of that is stale, not new", () => {
		const table = new SessionTable();
		const session = table.open(index(1));
		for (const serial of [1, 2]) {
			table.look(session, serial, 1, index(serial + 1));
			table.record(session, serial, result(serial + 1, ""));
		}
		expect(table.look(session, 3, 3, index(4)).type).toBe("new");
		expect(table.look(session, 1, 1, index(5))).toEqual({ type: "stale-serial" });
		expect(table.look(session, 2, 1, index(6))).toEqual({ type: "stale-serial" });
		expect(table.takeSnapshot().sessions[0]?.results).toEqual([]);
	});

	it("keeps at most resultsPerSessionMax results: the lowest serial goes, and its repetition is stale", () => {
		const table = new SessionTable(limits);
		const session = table.open(index(1));
		for (const serial of [1, 2, 3]) {
			table.look(session, serial, 1, index(serial + 1));
			table.record(session, serial, result(serial + 1, ""));
		}
		expect(table.look(session, 1, 1, index(9))).toEqual({ type: "stale-serial" });
		expect(table.look(session, 2, 1, index(10)).type).toBe("result");
	});

	it("keeps at most sessionsMax sessions: the least recently used one goes", () => {
		const table = new SessionTable(limits);
		const [first, second, third] = [1, 2, 3].map((at) => table.open(index(at))) as [SessionId, SessionId, SessionId];
		table.look(first, 1, 1, index(4));
		table.open(index(5));
		expect(table.size).toBe(3);
		expect(table.look(second, 1, 1, index(6)).type).toBe("session-unknown");
		expect(table.look(first, 1, 1, index(7)).type).toBe("new");
		expect(table.look(third, 1, 1, index(8)).type).toBe("new");
	});

	it("travels in snapshots: results, forgotten serials and the order of use", () => {
		const table = new SessionTable(limits);
		const session = table.open(index(1));
		table.look(session, 2, 2, index(2));
		table.record(session, 2, result(2, "kept"));
		table.open(index(3));
		const other = new SessionTable(limits);
		other.open(index(99));
		other.restoreSnapshot(structuredClone(table.takeSnapshot()));
		expect(other.takeSnapshot()).toEqual(table.takeSnapshot());
		expect(other.look(session, 2, 2, index(4))).toEqual(result(2, "kept"));
		expect(other.look(session, 1, 1, index(5)).type).toBe("stale-serial");
		expect(other.look(99 as SessionId, 1, 1, index(6)).type).toBe("session-unknown");
	});

	it("a snapshot does not change with the table", () => {
		const table = new SessionTable();
		const session = table.open(index(1));
		const before = table.takeSnapshot();
		table.look(session, 1, 1, index(2));
		table.record(session, 1, result(2, ""));
		expect(before.sessions[0]).toMatchObject({ lastUsed: 1, results: [] });
	});

	it("refuses to record what it did not call new", () => {
		const table = new SessionTable();
		expect(() => table.record(1 as SessionId, 1, result(1, ""))).toThrow(AssertionError);
	});
});

describe("RaftApplier", () => {
	const entry = (
		kind: "no-op" | "open-session" | "command",
		session = 0,
		serial = 0,
		firstIncomplete = 0,
		text = "",
	) => ({
		term: term(1),
		kind,
		session: session as SessionId,
		serial,
		firstIncomplete,
		data: bytes(text),
	});
	const text = (data: Uint8Array): string => new TextDecoder().decode(data);

	it("answers only local requests, in order, each with its own result", () => {
		const applier = new RaftApplier(new Ledger());
		const entries = [
			entry("no-op"),
			entry("open-session"),
			entry("command", 0, 0, 0, "x"),
			entry("command", 2, 1, 1, "y"),
		];
		const answers = applier.perform({ type: "entries", firstIndex: index(1), entries, requestIds: [null, 7, null, 9] });
		expect(answers).toEqual([
			{ requestId: 7, answer: { type: "session-opened", session: 2 } },
			{ requestId: 9, answer: { type: "result", index: 4, data: bytes("2") } },
		]);
	});

	it("applies a repeated command once and answers with the first result and its index", () => {
		const ledger = new Ledger();
		const applier = new RaftApplier(ledger);
		const entries = [entry("open-session"), entry("command", 1, 1, 1, "x"), entry("command", 1, 1, 1, "x")];
		const answers = applier.perform({ type: "entries", firstIndex: index(1), entries, requestIds: [null, 1, 2] });
		expect(ledger.applied).toEqual(["x"]);
		expect(answers.map(({ answer }) => answer)).toEqual(Array(2).fill({ type: "result", index: 2, data: bytes("1") }));
	});

	it("does not apply a command of an unknown session, nor a stale one", () => {
		const ledger = new Ledger();
		const applier = new RaftApplier(ledger);
		const entries = [
			entry("command", 5, 1, 1, "x"),
			entry("open-session"),
			entry("command", 2, 3, 3, "y"),
			entry("command", 2, 1, 1, "z"),
		];
		const answers = applier.perform({ type: "entries", firstIndex: index(1), entries, requestIds: [1, null, null, 2] });
		expect(answers.map(({ answer }) => answer.type)).toEqual(["session-unknown", "stale-serial"]);
		expect(ledger.applied).toEqual(["y"]);
	});

	it("outside sessions a repeated command applies twice, as promised", () => {
		const ledger = new Ledger();
		const entries = [entry("command", 0, 0, 0, "x"), entry("command", 0, 0, 0, "x")];
		new RaftApplier(ledger).perform({ type: "entries", firstIndex: index(1), entries, requestIds: null });
		expect(ledger.applied).toEqual(["x", "x"]);
	});

	it("answers a query from the present state", () => {
		const applier = new RaftApplier(new Ledger());
		applier.perform({
			type: "entries",
			firstIndex: index(1),
			entries: [entry("command", 0, 0, 0, "x")],
			requestIds: null,
		});
		const [answer] = applier.perform({ type: "query", requestId: 3, query: bytes("?") });
		expect(answer).toEqual({ requestId: 3, answer: { type: "answer", data: bytes("x") } });
	});

	it("a replica that lives on from a snapshot ends like one that applied everything", () => {
		const commands = fc.array(
			fc.record({ client: fc.nat(4), serial: fc.integer({ min: 1, max: 6 }), received: fc.nat(5) }),
			{ maxLength: 60 },
		);
		fc.assert(
			fc.property(commands, fc.nat(60), (steps, cut) => {
				const entries = [
					...Array.from({ length: 5 }, () => entry("open-session")),
					...steps.map(({ client, serial, received }) =>
						entry("command", client + 1, serial, Math.min(serial, received), `${client}.${serial}`),
					),
				];
				const whole = new Ledger();
				const first = new RaftApplier(whole, { sessionsMax: 4, resultsPerSessionMax: 2 });
				const resumed = new Ledger();
				const second = new RaftApplier(resumed, { sessionsMax: 4, resultsPerSessionMax: 2 });
				const [before, after] = [entries.slice(0, cut), entries.slice(cut)];
				first.perform({ type: "entries", firstIndex: index(1), entries: before, requestIds: null });
				second.restoreSnapshot(structuredClone(first.takeSnapshot()));
				const firstIndex = index(before.length + 1);
				const requestIds = after.map((_, i) => i);
				const delivery = { type: "entries", firstIndex, entries: after, requestIds } as const;
				expect(second.perform(delivery)).toEqual(first.perform(delivery));
				expect(resumed.applied).toEqual(whole.applied);
				expect(new Set(whole.applied).size).toBe(whole.applied.length);
				expect(text(resumed.takeSnapshot())).toBe(text(whole.takeSnapshot()));
			}),
			{ numRuns: 300, seed: 7 },
		);
	});
});
