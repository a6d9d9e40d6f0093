/**
 * Goal: a Byzantine group on real threads decides with a member that lies and with one that dies, and nobody who is correct is
 * convicted. Method: the built package; every wait is for an outcome.
 */
import {
	ByzantineConsensusCoordinator,
	type ByzantineEvent,
	ByzantineGroup,
	certificateFile,
	decodeProofs,
	verifyProofs,
} from "quorate";
import { filter, firstValueFrom } from "rxjs";
import { expect, test } from "vitest";

/** A busy machine must not be taken for a slow primary. */
const config = { viewTimeoutMs: 2_000 };

async function putAll(group: ByzantineGroup, count: number): Promise<void> {
	const client = group.client({ timeoutMs: 40_000 });
	const puts = Array.from({ length: count }, (_, i) => client.propose({ type: "put", key: `k${i}`, value: i }));
	expect(await Promise.all(puts)).toEqual(puts.map(() => ({ value: null })));
	expect(await client.read({ type: "size" })).toEqual({ size: count });
}

/** What correct members hold in the end, once all of them are as far as the furthest. */
async function settled(group: ByzantineGroup, nodes: readonly string[]): Promise<unknown[]> {
	for (;;) {
		const answers = await Promise.all(nodes.map((node) => group.inspect(node, { type: "size" })));
		if (new Set(answers.map((answer) => JSON.stringify(answer))).size === 1) return answers;
	}
}

test("all commands of several clients are applied once by everybody, over checkpoints", async () => {
	const group = await ByzantineGroup.start({ nodes: 4, config: { ...config, checkpointInterval: 4, windowSize: 8 } });
	try {
		await putAll(group, 200);
		expect(await settled(group, group.nodes)).toEqual(group.nodes.map(() => ({ size: 200 })));
		expect(group.convictions).toEqual([]);
	} finally {
		await group.stop();
	}
});

test.each([{ votes: "authenticated", keyPeriodMs: 200 }, { certificates: "collector" }] as const)(
	"members decide the same with %o, and a decision has a certificate or a clear refusal",
	async (modes) => {
		const group = await ByzantineGroup.start({ nodes: 4, config: { ...config, ...modes } });
		try {
			await putAll(group, 50);
			expect(await settled(group, group.nodes)).toEqual(group.nodes.map(() => ({ size: 50 })));
			const decision = group.certify(group.client({ timeoutMs: 40_000 }), { type: "put", key: "k", value: 1 });
			if ("votes" in modes) {
				await expect(decision).rejects.toMatchObject({ code: "certificates-none" });
				// Nothing was proposed.
				expect(await settled(group, group.nodes)).toEqual(group.nodes.map(() => ({ size: 50 })));
			} else {
				const file = certificateFile((await decision).certificate);
				expect(verifyProofs("it", decodeProofs("it", file))).toMatchObject([{ fault: null }]);
			}
		} finally {
			await group.stop();
		}
	},
);

test("a primary that tells each half something else is left, and nobody else is convicted (BYZ-11, BYZ-12, BYZ-20)", async () => {
	const group = await ByzantineGroup.start({ nodes: 4, config, attackers: { "node-1": "equivocate" } });
	try {
		await putAll(group, 100);
		expect(await settled(group, ["node-2", "node-3", "node-4"])).toHaveLength(3);
		for (const { culprit } of group.convictions) expect(culprit).toBe("node-1");
	} finally {
		await group.stop();
	}
});

test("BYZ-13, BYZ-19, BYZ-23: a convicted member is isolated for a node in reserve, and never below 3f + 1", async () => {
	const attackers = { "node-1": "equivocate" };
	const small = { ...config, checkpointInterval: 8, windowSize: 16 };
	const group = await ByzantineGroup.start({ nodes: 4, standbys: 1, config: small, attackers });
	try {
		const convicted = firstValueFrom(group.events$.pipe(filter(({ type }) => type === "member-convicted")));
		await expect(group.isolate("node-2")).rejects.toMatchObject({ code: "member-not-convicted" });
		await putAll(group, 20);
		await convicted;
		await expect(group.isolate("node-1")).rejects.toMatchObject({
			code: "pbft-too-few-members",
			details: { members: 3, faults: 1, needed: 4 },
		});
		expect(group.configuration.epoch).toBe(0);
		await group.isolate("node-1", { replacement: "node-5" });
		expect(group.nodes).toEqual(["node-2", "node-3", "node-4", "node-5"]);
		const client = group.client({ timeoutMs: 40_000 });
		await client.propose({ type: "put", key: "after", value: 1 });
		expect(await settled(group, group.nodes)).toEqual(group.nodes.map(() => ({ size: 21 })));
		const verdicts = verifyProofs("evidence", decodeProofs("evidence", group.evidenceFile()));
		expect(verdicts.map(({ fault }) => fault)).toEqual([null]);
	} finally {
		await group.stop();
	}
});

test("BYZ-17: members that hear no quorum say so, and nothing is decided by anyone", async () => {
	const attackers = { "node-3": "silent", "node-4": "silent" };
	const group = await ByzantineGroup.start({ nodes: 4, config: { ...config, statusMs: 50 }, attackers });
	try {
		const told = async () => (await group.status()).filter(({ isParted }) => isParted);
		let parted = await told();
		// Who lies may say so too.
		while (!["node-1", "node-2"].every((node) => parted.some((status) => status.node === node))) parted = await told();
		for (const { executed } of parted) expect(executed).toBe(0);
	} finally {
		await group.stop();
	}
});

test("a member that sends what is no message at all is borne, and goes on sending", async () => {
	const group = await ByzantineGroup.start({ nodes: 4, config, attackers: { "node-2": "malformed" } });
	const events: ByzantineEvent[] = [];
	group.events$.subscribe((event) => events.push(event));
	try {
		await putAll(group, 50);
		expect(await settled(group, ["node-1", "node-3", "node-4"])).toEqual([50, 50, 50].map((size) => ({ size })));
		expect(group.convictions).toEqual([]);
		expect(events.filter((event) => event.type === "participant-started" && event.restarts > 0)).toEqual([]);
		expect(events).toContainEqual(expect.objectContaining({ type: "suspicion", member: "node-2" }));
	} finally {
		await group.stop();
	}
});

test("a member whose thread dies comes back with all that it had promised", async () => {
	const group = await ByzantineGroup.start({ nodes: 4, config });
	try {
		const events: ByzantineEvent[] = [];
		group.events$.subscribe((event) => events.push(event));
		const client = group.client({ timeoutMs: 40_000 });
		await client.propose({ type: "put", key: "a", value: 1 });
		await group.kill("node-3");
		await client.propose({ type: "put", key: "b", value: 2 });
		expect(await settled(group, group.nodes)).toEqual(group.nodes.map(() => ({ size: 2 })));
		expect(events.map(({ type, node }) => `${type} ${node}`)).toContain("thread-ended node-3");
		expect(group.convictions).toEqual([]);
	} finally {
		await group.stop();
	}
});

test("impossible groups are refused before anything starts", async () => {
	expect(() => new ByzantineConsensusCoordinator("node-1", 6, 2)).toThrow(
		expect.objectContaining({ code: "pbft-too-few-members", details: { members: 6, faults: 2, needed: 7 } }),
	);
	expect(() => new ByzantineConsensusCoordinator("node-9", 4, 1)).toThrow(
		expect.objectContaining({ code: "not-a-member" }),
	);
	const refused = (options: Parameters<typeof ByzantineGroup.start>[0], code: string): Promise<void> =>
		expect(ByzantineGroup.start(options)).rejects.toMatchObject({ code });
	await refused({ nodes: 3, faults: 1 }, "pbft-too-few-members");
	await refused({ nodes: 4, attackers: { "node-7": "silent" } }, "node-unknown");
	await refused({ nodes: 4, attackers: { "node-1": "flattery" } }, "invalid-argument");
	await refused({ nodes: 4, attackers: { "node-1": "delay+half-collector" } }, "invalid-argument");
	await refused({ nodes: 4, nods: 5 } as never, "option-unknown");
	const idle = new ByzantineConsensusCoordinator("node-1", 4, 1);
	await expect(idle.initiateConsensus(1)).rejects.toMatchObject({ code: "coordinator-not-initialized" });
	await idle.shutdown();
});
