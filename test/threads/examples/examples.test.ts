/**
 * Goal: each example does what its text says, as a user would run it. Method: runs the compiled file in a process of its
 * own and compares what it prints; a process that does not end by itself fails.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { projectRoot } from "../../source-tree.ts";

/** Only ends one that hangs. */
const TIMEOUT_MS = 50_000;

function run(example: string, timeoutMs: number = TIMEOUT_MS): Promise<string[]> {
	const file = join(projectRoot, "dist", "examples", `${example}.js`);
	return new Promise((resolve, reject) => {
		execFile(process.execPath, [file], { timeout: timeoutMs }, (error, stdout, stderr) => {
			if (error === null) resolve(stdout.trimEnd().split("\n"));
			else reject(new Error(`${example}: ${error.message}\n${stdout}${stderr}`));
		});
	});
}

test("embed: the list survives its leader", async () => {
	const [leads, killed, list, ...rest] = await run("embed");
	expect(leads).toMatch(/^node-[1-5] leads$/);
	expect(killed).toBe(`${leads?.split(" ")[0]} was killed`);
	expect(list).toBe("the list: bread, milk");
	expect(rest).toEqual([]);
});

test("counter: a state machine of one's own, with refusals, on every replica", async () => {
	const [value, minus, ...replicas] = await run("counter");
	expect(value).toBe("value: 100");
	expect(minus).toBe("minus 200: refused");
	expect(replicas).toHaveLength(3);
	for (const [i, line] of replicas.entries()) expect(line).toMatch(new RegExp(`^node-${i + 1}: \\d+$`));
});

test("many-groups: a hundred groups on three threads, of which one is killed", async () => {
	const [spread, sold, ...rest] = await run("many-groups");
	// Where a thread was slow at the start, a group may have another leader than the one that was meant.
	expect(spread).toMatch(/^103 groups, each node leads \d+ or more$/);
	expect(sold).toBe("sold: true; chairs left: 3; orders: one chair");
	expect(rest).toEqual([]);
});

test("own-actor: a failing actor is started again", async () => {
	// Beats and restarts are told of by two threads, and nobody looks before the swarm has started: the order is not certain.
	const lines = await run("own-actor");
	expect(lines).toHaveLength(5);
	expect(new Set(lines)).toEqual(new Set(["beat", "restarted"]));
});

test("lock-service: the history of the lock is linearizable, and that of the careless one is not", async () => {
	const lines = await run("lock-service");
	const [sound, careless] = lines.slice(-2);
	// Each of four clients tries 50 times to win the lock, and gives it back when it does: more than 200 calls.
	const [, calls] = /^lock service: ok, (\d+) calls$/.exec(sound ?? "") ?? [];
	expect(Number(calls)).toBeGreaterThan(200);
	expect(careless).toMatch(/^careless lock service: illegal, acquire → done 1 \(client [1-3], line \d+ to \d+\)$/);
	const killed = lines.slice(0, -2);
	expect(killed.length).toBeGreaterThanOrEqual(2);
	for (const line of killed) expect(line).toMatch(/^node-[1-3] is killed$/);
});

test("replicated-values: three members come to the same counter and set", async () => {
	const lines = await run("replicated-values");
	expect(lines.slice(0, 2)).toEqual(["node-3: users updated, remote", "node-3: users updated, remote"]);
	expect(lines.slice(2)).toEqual([1, 2, 3].map((node) => `node-${node}: 6 requests, user-1 and user-2`));
});

test("hybrid-values: seen at once, read in the order of the log, and the last one sold once (CRDT-22 to CRDT-24)", async () => {
	expect(await run("hybrid-values")).toEqual([
		"shop-1 sees 1 at once, shop-2 still 0",
		"shop-2 reads 1 in the order of the log",
		"both sell the last one: done and unmet; 0 left",
	]);
});

test("byzantine: a liar among four changes nothing, and the decision is proved (BYZ-1, BYZ-21)", async () => {
	const [decided, ...rest] = await run("byzantine");
	expect(decided).toMatch(/^decided in slot \d+$/);
	expect(rest).toEqual(["the limit is { value: 5 }", "the certificate holds"]);
});

test("gossip: members meet through seeds, tell, ask, and one leaves (GOS-1, GOS-11, GOS-13)", async () => {
	expect(await run("gossip")).toEqual([
		"node-1 sees node-2, seed-1, seed-2",
		"node-2 hears from node-1: deploy version 2",
		"node-2 answers: ready",
		"node-2 has left",
	]);
});

test("threshold-key: three of four sign, and the key goes into other hands", async () => {
	expect(await run("threshold-key")).toEqual([
		"4 members have confirmed the key, 3 of them can sign",
		"signed without node-2: true",
		"handed over to node-3, node-4, node-5; the public key is the same: true",
		"the old signature verifies: true",
	]);
});

/** Fourteen threads, and a key made by seven. */
const SECURED_TIMEOUT_MS = 150_000;

test("secure-consensus: what five of seven decide is signed by a key that signs nothing else (SEC-39)", async () => {
	const [decided, ...rest] = await run("secure-consensus", SECURED_TIMEOUT_MS);
	expect(decided).toMatch(/^decided in slot \d+, signed by a threshold of the members$/);
	expect(rest).toEqual([
		"the decision holds",
		"another signature: the shared key has not signed this decision",
		"anything else: signing-failed",
	]);
});

test("a program that is given as text starts threads as one in a file does", async () => {
	const text = `
		import { Swarm } from "quorate";
		import { ComputePool } from "quorate/runtime";
		const swarm = await Swarm.start({ raft: { nodes: 1 } });
		const { value } = await swarm.client().propose({ type: "put", key: "k", value: 1 });
		await swarm.stop();
		const pool = new ComputePool();
		const joined = await pool.run({ module: "node:path", export: "basename", args: "a/b" });
		await pool.close();
		console.log(value, joined);`;
	const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", text], {
		cwd: projectRoot,
		timeout: TIMEOUT_MS,
	});
	expect([stdout, stderr]).toEqual(["null b\n", ""]);
});
