/**
 * Goal: what a user is promised of a swarm on real threads: agreement, exactly-once commands over the death of leaders,
 * own applications and actors, durable data over starts, and typed errors.
 * Method: the built package, small groups, one story a test. Nothing waits for a time to pass; it waits for events.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Swarm, type SwarmEvent, type SwarmOptions } from "quorate";
import { filter, firstValueFrom } from "rxjs";
import { afterEach, describe, expect, it } from "vitest";
import type { TallyState } from "../../fixtures/tally-application.ts";

const tally = {
	module: new URL("../../../dist/test/fixtures/tally-application.js", import.meta.url),
	export: "TallyApplication",
};
const echo = new URL("../../../dist/test/fixtures/echo-actor.js", import.meta.url);

const running: Swarm[] = [];
async function start(options: SwarmOptions): Promise<Swarm> {
	// A machine that is busy with other things is no failure: times are generous, and nothing is judged by them.
	const swarm = await Swarm.start({ startTimeoutMs: 120_000, ...options });
	running.push(swarm);
	return swarm;
}
afterEach(async () => {
	for (const swarm of running.splice(0)) await swarm.stop();
});

function next<T extends SwarmEvent["type"]>(swarm: Swarm, type: T, node?: string): Promise<SwarmEvent> {
	const wanted = filter((event: SwarmEvent) => event.type === type && (node === undefined || event.node === node));
	return firstValueFrom(swarm.events$.pipe(wanted));
}

/** Kills the leader and waits until another leads and the killed one is back. */
async function killLeader(swarm: Swarm): Promise<string> {
	const killed = swarm.leader?.leader as string;
	const back = next(swarm, "participant-started", killed);
	await swarm.kill(killed);
	expect(swarm.leader?.leader).not.toBe(killed);
	await swarm.untilLeader(120_000);
	await back;
	return killed;
}

/** All replicas' own states, once they are equal. */
async function converged(swarm: Swarm, commands: number): Promise<TallyState> {
	for (;;) {
		const states = await Promise.all(swarm.nodes.map(({ node }) => swarm.inspect<TallyState>(node, null)));
		if (states.every((state) => state.commands >= commands)) {
			for (const state of states) expect(state).toEqual(states[0]);
			return states[0] as TallyState;
		}
	}
}

describe("a swarm on worker threads", () => {
	it("agrees, reads what it wrote, and tells who leads", async () => {
		const swarm = await start({ raft: { nodes: 3 } });
		expect(await swarm.propose({ type: "put", key: "a", value: 1 })).toEqual({ value: null });
		expect(await swarm.read({ type: "get", key: "a" })).toEqual({ value: 1 });
		const status = await swarm.status();
		expect(status.map(({ node }) => node)).toEqual(["node-1", "node-2", "node-3"]);
		expect(status.filter(({ role }) => role === "leader")).toHaveLength(1);
		expect(status.every(({ state, threadLives }) => state === "running" && threadLives === 1)).toBe(true);
		expect(swarm.notes).toEqual([]);
	});

	it("goes on when the leader's thread is killed, and applies each command once", async () => {
		const swarm = await start({ raft: { nodes: 3, application: tally } });
		const client = swarm.client({ window: 32, timeoutMs: 120_000 });
		let acknowledged = 0;
		let proposing = true;
		const load = Promise.all(
			Array.from({ length: 32 }, async () => {
				while (proposing) {
					await client.propose({ add: 1 });
					acknowledged += 1;
				}
			}),
		);
		const killed = [await killLeader(swarm), await killLeader(swarm)];
		proposing = false;
		await load;
		const state = await converged(swarm, acknowledged);
		expect(state).toMatchObject({ total: acknowledged, commands: acknowledged });
		const status = await swarm.status();
		for (const node of killed) expect(status.find((one) => one.node === node)?.threadLives).toBeGreaterThan(1);
	});

	it("continues from its data directory, with other sessions than before", { timeout: 120_000 }, async () => {
		const directory = await mkdtemp(join(tmpdir(), "quorate-swarm-"));
		try {
			const options: SwarmOptions = {
				raft: { nodes: 3, application: { ...tally, args: { step: 2 } } },
				storage: { type: "lmdb", directory },
			};
			const first = await start(options);
			const client = first.client({ timeoutMs: 120_000 });
			await Promise.all(Array.from({ length: 50 }, () => client.propose({ add: 1 })));
			await first.stop();
			const second = await start(options);
			expect(await second.propose({ add: 1 })).toMatchObject({ total: 102, commands: 51 });
			await second.stop();
			await expect(start({ ...options, raft: { nodes: 5, application: tally } })).rejects.toMatchObject({
				code: "data-directory-foreign",
			});
			const third = await start(options);
			await expect(start(options)).rejects.toMatchObject({ code: "data-directory-in-use" });
			expect(await third.read(null)).toMatchObject({ total: 102, commands: 51 });
		} finally {
			await rm(directory, { recursive: true, force: true });
		}
	});

	it("starts the members that it had, not those that it began with", { timeout: 120_000 }, async () => {
		const directory = await mkdtemp(join(tmpdir(), "quorate-swarm-"));
		try {
			const options: SwarmOptions = { raft: { nodes: 3, application: tally }, storage: { type: "lmdb", directory } };
			const first = await start(options);
			await first.propose({ add: 1 });
			expect(await first.addMember()).toBe("node-4");
			await first.removeMember("node-1");
			await first.changeMembers(["node-3", "node-4", "node-5"]);
			await first.propose({ add: 1 });
			expect(await first.membership()).toMatchObject({ voters: ["node-3", "node-4", "node-5"], learners: [] });
			await first.stop();
			const second = await start(options);
			while (second.nodes.map(({ node }) => node).join() !== "node-3,node-4,node-5") await second.read(null);
			expect(await second.propose({ add: 1 })).toMatchObject({ total: 3, commands: 3 });
			await second.transferLeadership();
			expect(await converged(second, 3)).toMatchObject({ total: 3 });
		} finally {
			await rm(directory, { recursive: true, force: true });
		}
	});

	it("tells who asked when the application throws at a query, and goes on", async () => {
		const swarm = await start({ raft: { nodes: 3, application: tally } });
		await swarm.propose({ add: 1 });
		await expect(swarm.read("throws")).rejects.toMatchObject({ code: "query-failed" });
		await expect(swarm.inspect("node-1", "throws")).rejects.toMatchObject({ code: "query-failed" });
		expect(await swarm.read(null)).toMatchObject({ total: 1 });
		expect((await swarm.status()).every(({ restarts }) => restarts === 0)).toBe(true);
	});

	it("runs actors of yours beside it, under supervision", async () => {
		const swarm = await start({
			actors: [
				{
					id: "echo",
					start: {
						name: "echo",
						behaviour: { module: echo, export: "EchoActor", args: { greeting: "hello" } },
						placement: "dedicated",
					},
				},
			],
		});
		const ref = await swarm.lookup("echo");
		expect(await ref?.ask("you")).toBe("hello you");
		const restarted = next(swarm, "child-restarted");
		ref?.tell("fail");
		await restarted;
		expect(await ref?.ask("again")).toBe("hello again");
	});

	it("tells of a thread that does not get on, and of its end", async () => {
		const swarm = await start({
			actors: [
				{
					id: "echo",
					start: {
						name: "echo",
						behaviour: { module: echo, export: "EchoActor", args: { greeting: "hello" } },
						placement: "dedicated",
					},
				},
			],
		});
		const ref = await swarm.lookup("echo");
		const stalled = next(swarm, "thread-stalled");
		const ended = next(swarm, "thread-ended");
		ref?.tell("hang");
		expect(await stalled).toMatchObject({
			name: "echo",
			origin: "echo",
			detail: expect.stringMatching(/^at tell for/),
		});
		expect(await ended).toMatchObject({ origin: "echo", end: { cause: "stalled" } });
	});

	it("stops everything, and says so to who comes late", async () => {
		const swarm = await start({ raft: { nodes: 1 } });
		const client = swarm.client();
		await client.propose({ type: "put", key: "a", value: 1 });
		await swarm.stop();
		await swarm.stop();
		await expect(client.propose({ type: "get", key: "a" })).rejects.toMatchObject({ code: "swarm-stopped" });
		expect(() => swarm.client()).toThrowError(expect.objectContaining({ code: "swarm-stopped" }));
	});

	it("refuses a value over the limit before it is sent", async () => {
		const swarm = await start({ raft: { nodes: 1, config: { maxEntryBytes: 1_000 } } });
		await expect(swarm.propose({ type: "put", key: "a", value: "x".repeat(2_000) })).rejects.toMatchObject({
			code: "value-too-large",
			details: { limitBytes: 1_000 },
		});
	});

	it("fails loudly when the application throws again and again", async () => {
		const swarm = await start({ raft: { nodes: 1, application: tally } });
		const client = swarm.client({ timeoutMs: 120_000 });
		const outcome = client.propose({ add: 1, throws: true }).catch((error: unknown) => error);
		const failure = await swarm.failed;
		expect(failure).toMatchObject({ code: "swarm-failed" });
		expect(await outcome).toMatchObject({ code: "outcome-unknown" });
		expect(failure.message).toMatch(/failed in apply at index [0-9]+: it threw: as told$/);
	});

	it("fails loudly when a command ends each thread that applies it, naming member and index", async () => {
		const swarm = await start({ raft: { nodes: 3, application: tally } });
		const client = swarm.client({ timeoutMs: 120_000 });
		await client.propose({ add: 1 });
		const outcome = client.propose({ add: 1, exits: true }).catch((error: unknown) => error);
		const failure = await swarm.failed;
		expect(failure).toMatchObject({
			code: "swarm-failed",
			cause: { code: "command-fatal", details: { deaths: 3 } },
		});
		expect(failure.message).toMatch(
			/3 threads of node-[123], one after the other, ended \(exited\) while the application applied the command at index [0-9]+$/,
		);
		expect(await outcome).toMatchObject({ code: "outcome-unknown" });
	});
});

describe("a swarm that can not be", () => {
	const cases: readonly (readonly [string, SwarmOptions, string])[] = [
		["no members", { raft: { nodes: 0 } }, "node-count-invalid"],
		["a member twice", { raft: { nodes: ["a", "a"] } }, "node-count-invalid"],
		["a negative timeout", { raft: { nodes: 1 }, startTimeoutMs: -1 }, "invalid-argument"],
		["contradictory timing", { raft: { nodes: 1, config: { heartbeatMs: 200 } } }, "raft-config-contradiction"],
		[
			"an application that does not exist",
			{ raft: { nodes: 1, application: { module: "file:///no/such.js", export: "X" } } },
			"module-not-loadable",
		],
		["an export that does not exist", { raft: { nodes: 1, application: { ...tally, export: "X" } } }, "export-missing"],
		[
			"an application that is none",
			{ raft: { nodes: 1, application: { module: echo, export: "EchoActor", args: { greeting: "" } } } },
			"application-invalid",
		],
	];
	it.each(cases)("is refused for %s", async (_, options, code) => {
		await expect(start(options)).rejects.toMatchObject({ code });
	});

	it("notes an even count in one line", async () => {
		const swarm = await start({ raft: { nodes: 2 } });
		expect(swarm.notes).toHaveLength(1);
	});
});
