/**
 * Goal: a client gets each command decided exactly once or says honestly that it does not know.
 * Method: a scripted group under a clock that the test drives: each attempt is answered as the test says, and what was
 * asked is recorded.
 */
import { describe, expect, it } from "vitest";
import {
	decodeValue,
	encodeValue,
	type RaftClientAnswer,
	type RaftClientRequest,
} from "../../../actors/participant/index.ts";
import { type GroupAccess, SessionClient } from "../../../actors/swarm/client.ts";
import { Generator, type NodeId, QuorateError } from "../../../protocols/core/index.ts";
import { defaultSessionLimits, type LogIndex, type SessionId, SessionTable } from "../../../protocols/raft/index.ts";
import type { Clock, TimerHandle } from "../../../runtime/actor/clock.ts";

const members = ["a", "b", "c"] as NodeId[];
const [a, b] = members as [NodeId, NodeId];

/** A clock that jumps to the next timer whenever everybody waits. */
class JumpingClock implements Clock {
	#nowMs = 0;
	#timers: { readonly atMs: number; readonly callback: () => void }[] = [];
	nowMs(): number {
		return this.#nowMs;
	}
	schedule(afterMs: number, callback: () => void): TimerHandle {
		this.#timers.push({ atMs: this.#nowMs + afterMs, callback });
		return {} as TimerHandle;
	}
	cancel(): void {}
	/** Runs until the promise settles. */
	async until<T>(promise: Promise<T>): Promise<T> {
		let settled = false;
		const mark = (): void => {
			settled = true;
		};
		promise.then(mark, mark);
		for (let turn = 0; turn < 10_000; turn++) {
			for (let i = 0; i < 50; i++) await Promise.resolve();
			if (settled) return promise;
			this.#timers.sort((x, y) => x.atMs - y.atMs);
			const next = this.#timers.shift();
			if (next === undefined) throw new Error("everybody waits for nothing");
			this.#nowMs = Math.max(this.#nowMs, next.atMs);
			next.callback();
		}
		throw new Error("never settled");
	}
}

type Script = (node: NodeId, request: RaftClientRequest, attempt: number) => RaftClientAnswer | QuorateError;

class ScriptedGroup implements GroupAccess {
	readonly name = "raft";
	readonly members = members;
	readonly clock = new JumpingClock();
	readonly generator = new Generator(1);
	readonly valueBytesMax = 1_000;
	readonly asked: { readonly node: NodeId; readonly request: RaftClientRequest }[] = [];
	known: NodeId | null = a;
	readonly #script: Script;
	constructor(script: Script) {
		this.#script = script;
	}
	leader(): NodeId | null {
		return this.known;
	}
	async ask(node: NodeId, request: RaftClientRequest): Promise<RaftClientAnswer> {
		this.asked.push({ node, request });
		const answer = this.#script(node, request, this.asked.length);
		if (answer instanceof QuorateError) throw answer;
		return answer;
	}
	get proposals(): Extract<RaftClientRequest, { type: "propose" }>[] {
		return this.asked.flatMap(({ request }) => (request.type === "propose" ? [request] : []));
	}
}

const opened: RaftClientAnswer = { type: "session-opened", session: 7 as SessionId };
const echo = (request: RaftClientRequest): RaftClientAnswer =>
	request.type === "propose" ? { type: "result", index: 8 as LogIndex, data: request.data } : opened;
const timeout = (): QuorateError => new QuorateError("ask-timeout", "no answer", {});
const dead = (): QuorateError => new QuorateError("actor-dead", "gone", {});

describe("a client with a session", () => {
	it("opens a session once and numbers its commands", async () => {
		const group = new ScriptedGroup((_, request) => echo(request));
		const client = new SessionClient(group);
		expect(await client.commit({ x: 1 })).toEqual({ index: 8, result: { x: 1 } });
		expect(await client.propose("two")).toBe("two");
		expect(group.asked.map(({ request }) => request.type)).toEqual(["open-session", "propose", "propose"]);
		expect(group.proposals).toMatchObject([
			{ session: 7, serial: 1, firstIncomplete: 1 },
			{ session: 7, serial: 2, firstIncomplete: 2 },
		]);
	});

	it("follows the refusing member's word to the leader", async () => {
		const group = new ScriptedGroup((node, request) =>
			node === b ? echo(request) : { type: "refused", reason: "not-leader", leader: b },
		);
		await group.clock.until(new SessionClient(group).propose(1));
		// Once for the session and once for the command: the group itself goes on to say a.
		expect(group.asked.map(({ node }) => node)).toEqual([a, b, a, b]);
	});

	it("does not run to and fro for ever between members that disagree", async () => {
		const group = new ScriptedGroup((node) => ({ type: "refused", reason: "not-leader", leader: node === a ? b : a }));
		const refused = group.clock.until(new SessionClient(group, { timeoutMs: 1_000 }).propose(1));
		await expect(refused).rejects.toMatchObject({ code: "not-decided" });
		expect(group.asked.length).toBeLessThan(100);
	});

	it.each([
		["a timeout", timeout],
		["the death of the leader", dead],
	])("retries the same serial after %s", async (_, failure) => {
		const group = new ScriptedGroup((_node, request, attempt) => (attempt === 2 ? failure() : echo(request)));
		expect(await group.clock.until(new SessionClient(group).propose("x"))).toBe("x");
		expect(group.proposals.map(({ session, serial }) => [session, serial])).toEqual([
			[7, 1],
			[7, 1],
		]);
	});

	it("says outcome-unknown when time is over and an attempt may have been decided", async () => {
		const group = new ScriptedGroup((_, request, attempt) =>
			request.type === "open-session"
				? opened
				: attempt === 2
					? timeout()
					: { type: "refused", reason: "not-leader", leader: null },
		);
		const result = group.clock.until(new SessionClient(group, { timeoutMs: 500 }).propose("x"));
		await expect(result).rejects.toMatchObject({ code: "outcome-unknown" });
	});

	it.each([
		["a leader that does not know what became of it", "outcome-unknown", { type: "outcome-unknown", leader: null }],
		["a node that was down", "not-decided", new QuorateError("node-down", "down", {})],
	] as const)("says after %s: %s", async (_, code, first) => {
		const group = new ScriptedGroup((__, request, attempt) => {
			if (request.type === "open-session") return opened;
			return attempt === 2 ? first : { type: "refused", reason: "not-leader", leader: null };
		});
		const result = group.clock.until(new SessionClient(group, { timeoutMs: 500 }).propose("x"));
		await expect(result).rejects.toMatchObject({ code });
	});

	it("says not-decided when every attempt was definitely refused", async () => {
		const group = new ScriptedGroup((_, request) =>
			request.type === "open-session" ? opened : { type: "refused", reason: "too-many-pending", limit: 1 },
		);
		const result = group.clock.until(new SessionClient(group, { timeoutMs: 500 }).propose("x"));
		await expect(result).rejects.toMatchObject({ code: "not-decided", details: { reason: "too-many-pending" } });
	});

	it("opens another session when the group has forgotten this one and nothing is in doubt", async () => {
		let session = 0;
		const group = new ScriptedGroup((_, request) => {
			if (request.type === "open-session") return { type: "session-opened", session: ++session as SessionId };
			if (request.type === "propose" && request.session === 1) return { type: "session-unknown" };
			return echo(request);
		});
		expect(await group.clock.until(new SessionClient(group).propose("x"))).toBe("x");
		expect(group.proposals.map((proposal) => proposal.session)).toEqual([1, 2]);
	});

	it("does not repeat a doubtful command under another session", async () => {
		const group = new ScriptedGroup((_, request, attempt) => {
			if (request.type === "open-session") return opened;
			return attempt === 2 ? timeout() : { type: "session-unknown" };
		});
		const result = group.clock.until(new SessionClient(group).propose("x"));
		await expect(result).rejects.toMatchObject({ code: "outcome-unknown" });
		expect(group.proposals).toHaveLength(2);
	});

	it("keeps no more commands outstanding than its window, and tells the lowest open serial", async () => {
		const answers: (() => void)[] = [];
		const group = new ScriptedGroup((_, request) => echo(request));
		const ask = group.ask.bind(group);
		group.ask = async (node, request) => {
			if (request.type === "propose") await new Promise<void>((resolve) => answers.push(resolve));
			return ask(node, request);
		};
		const client = new SessionClient(group, { window: 2 });
		const all = Promise.all([1, 2, 3].map((n) => client.propose(n)));
		const settle = async (): Promise<void> => {
			for (let i = 0; i < 50; i++) await Promise.resolve();
		};
		await settle();
		expect(answers).toHaveLength(2);
		// The second answers first: the third then still says that the first is open.
		answers[1]?.();
		await settle();
		expect(answers).toHaveLength(3);
		answers[0]?.();
		answers[2]?.();
		expect(await all).toEqual([1, 2, 3]);
		const third = group.proposals.find(({ data }) => decodeValue(data) === 3);
		expect(third).toMatchObject({ serial: 3, firstIncomplete: 1 });
	});

	it("refuses a value over the limit before anything is sent", async () => {
		const group = new ScriptedGroup((_, request) => echo(request));
		const value = new Uint8Array(2_000);
		await expect(new SessionClient(group).propose(value)).rejects.toMatchObject({
			code: "value-too-large",
			details: { sizeBytes: encodeValue(value).length, limitBytes: 1_000 },
		});
		expect(group.asked).toEqual([]);
	});

	it("never runs ahead of a slow command by more than the group remembers", async () => {
		const table = new SessionTable();
		let index = 1;
		let span = 0;
		let attempts = 0;
		const group = new ScriptedGroup(() => opened);
		group.ask = async (_, request) => {
			if (request.type !== "propose") return { type: "session-opened", session: table.open(index as LogIndex) };
			const { session, serial, firstIncomplete, data } = request;
			span = Math.max(span, serial - firstIncomplete + 1);
			// The first command gets no answer, again and again, and is not applied before the last attempt.
			const isLost = serial === 1 && ++attempts < 4;
			await new Promise<void>((resume) => void group.clock.schedule(isLost ? 100 : 0.1, resume));
			if (isLost) throw new QuorateError("ask-timeout", "lost", {});
			index += 1;
			const verdict = table.look(session, serial, firstIncomplete, index as LogIndex);
			if (verdict.type !== "new") return verdict as RaftClientAnswer;
			const result = { type: "result", index: index as LogIndex, data } as const;
			table.record(session, serial, result);
			return result;
		};
		const client = new SessionClient(group);
		const results = Array.from({ length: 3_000 }, (_, n) => client.propose(n));
		expect(await group.clock.until(Promise.all(results))).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
		expect(attempts).toBe(4);
		expect(span).toBe(defaultSessionLimits.resultsPerSessionMax);
	});

	it("refuses what is no data", async () => {
		const client = new SessionClient(new ScriptedGroup((_, request) => echo(request)));
		await expect(client.propose(() => 1)).rejects.toMatchObject({ code: "value-not-encodable" });
	});

	it("refuses commands after close", async () => {
		const client = new SessionClient(new ScriptedGroup((_, request) => echo(request)));
		client.close();
		await expect(client.propose(1)).rejects.toMatchObject({ code: "client-closed" });
	});

	it("rejects what is outstanding when it is closed, even if no answer ever comes", async () => {
		const group = new ScriptedGroup((_, request) => echo(request));
		const ask = group.ask.bind(group);
		group.ask = (node, request) => (request.type === "propose" ? new Promise(() => undefined) : ask(node, request));
		const client = new SessionClient(group, { window: 1 });
		const sent = client.propose(1);
		const waiting = client.propose(2);
		for (let i = 0; i < 50; i++) await Promise.resolve();
		client.close();
		await expect(sent).rejects.toMatchObject({ code: "outcome-unknown", cause: { code: "client-closed" } });
		await expect(waiting).rejects.toMatchObject({ code: "client-closed" });
	});

	it.each([{ windo: 1 }, { timeout: 5 }])("refuses the unknown option of %j", (options) => {
		expect(() => new SessionClient(new ScriptedGroup(() => opened), options as object)).toThrowError(
			expect.objectContaining({
				code: "option-unknown",
				details: expect.objectContaining({ known: ["window", "timeoutMs"] }),
			}),
		);
	});

	it.each([{ window: 0 }, { window: 1.5 }, { window: 2_000 }, { timeoutMs: 0 }, { timeoutMs: Number.NaN }])(
		"refuses %j",
		(options) => {
			expect(() => new SessionClient(new ScriptedGroup(() => opened), options)).toThrowError(
				expect.objectContaining({ code: "invalid-argument" }),
			);
		},
	);
});
