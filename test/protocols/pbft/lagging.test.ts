/**
 * Goal: a correct member that lags follows by votes, however close checkpoints are: what it hears too early for its window is kept, within
 * bounds, and counts when the window has moved; one that was away needs a state transfer or a few, not one after another. Method: one machine
 * alone, to which the test says what the others say; a group under load in which one member is cut off for a while.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../protocols/core/index.ts";
import type { Digest, PbftConfig, SequenceNumber } from "../../../protocols/pbft/index.ts";
import { GroupDriver } from "./group-driver.ts";
import { encode, Ledger } from "./ledger.ts";
import { LoneReplica, n1, n2, n3, n4 } from "./lone-replica.ts";

describe("what comes too early for the window", () => {
	/** The state at a checkpoint is captured; returns the digest that the replica says it has. */
	function capture(replica: LoneReplica, at: number): Digest {
		const root = replica.port(n1).digest(encode(`state ${at}`));
		const snapshot = { sequence: at as SequenceNumber, root, sizeBytes: 100 };
		return replica.step({ type: "snapshot-ready", snapshot }).said("checkpoint")[0]!.digest;
	}

	function agree(replica: LoneReplica, sequence: number, digest: Digest): void {
		for (const by of [n1, n3]) replica.hear(by, replica.checkpoint(by, sequence, digest));
	}

	it("counts for nothing yet, and is taken up as the window moves", () => {
		const guide = new LoneReplica();
		for (let i = 1; i <= 12; i++) {
			guide.decide(i, guide.request(i));
			if (i === 4 || i === 8) agree(guide, i, capture(guide, i));
		}
		const replica = new LoneReplica();
		for (let i = 2; i <= 12; i++) {
			const batch = replica.batch(replica.request(i));
			const digest = replica.digestOf(batch);
			replica.hear(n1, replica.prePrepare(i, batch), replica.commit(n1, i, digest));
			for (const by of [n3, n4]) replica.hear(by, replica.prepare(by, i, digest), replica.commit(by, i, digest));
		}
		agree(replica, 12, capture(guide, 12));
		expect(replica.machine.view.executed).toBe(0);
		expect([...replica.machine.view.slots.keys()].every((sequence) => sequence <= 8)).toBe(true);
		// Executing up to 8 settles the configuration up to 16, but the window ends at 8 until 4 is stable.
		replica.decide(1, replica.request(1));
		expect(replica.machine.view.executed).toBe(8);
		agree(replica, 4, capture(replica, 4));
		expect(replica.machine.view).toMatchObject({ low: 4, executed: 12 });
		// What the others have said of their state at 12 counts too.
		capture(replica, 12);
		expect(replica.machine.view.low).toBe(12);
	});

	it("is bounded for each sender, in messages and in bytes, and holds no proposals but the primary's", () => {
		const replica = new LoneReplica(n2, { futureMax: 64, batchMaxBytes: 1024, requestMaxBytes: 1024 });
		const kept = (): Map<string, { type: string; sequence: number }[]> =>
			(replica.machine.state as { future: Map<string, { type: string; sequence: number }[]> }).future;
		for (let i = 100; i < 200; i++) {
			const batch = replica.batch(replica.request(i, "x".repeat(1000)));
			replica.hear(n1, replica.prePrepare(i, batch)).hear(n3, replica.prePrepare(i, batch));
			replica.hear(n4, replica.prepare(n4, i, replica.digestOf(batch)));
		}
		expect(kept().get(n3)).toBe(undefined);
		expect(
			kept()
				.get(n4)
				?.map(({ sequence }) => sequence),
		).toEqual(Array.from({ length: 64 }, (_, i) => 136 + i));
		expect(
			kept()
				.get(n1)
				?.map(({ sequence }) => sequence),
		).toEqual(Array.from({ length: 8 }, (_, i) => 192 + i));
	});
});

describe("a member that was away", () => {
	const tunings: readonly (readonly [string, Partial<PbftConfig>])[] = [
		["signed votes", {}],
		["authenticated votes", { votes: "authenticated", keyPeriodMs: 700 }],
		["a collector", { certificates: "collector" }],
	];
	it.each(tunings)("comes back under load and follows, with %s and a checkpoint each 8 slots", (_name, modes) => {
		const [client, away] = [nodeId("c1"), n4];
		let transfers = 0;
		const driver: GroupDriver = new GroupDriver({
			seed: 1,
			members: 4,
			faults: 1,
			clients: [client],
			application: () => new Ledger(),
			tuning: { checkpointInterval: 8, windowSize: 16, openSlotsMax: 8, batchMaxRequests: 1, ...modes },
			observe: (observation) => {
				if (observation.type !== "event" || observation.node !== away) return;
				if (observation.event.type === "transfer-started") transfers++;
			},
		});
		let timestamp = 0;
		const ask = (): void => {
			const number = ++timestamp;
			driver.request(n1, driver.signed(client, number, encode(`op${number}`)), ask);
		};
		for (let i = 0; i < 16; i++) ask();
		driver.run(100);
		driver.partition([[n1, n2, n3]]);
		driver.run(300);
		driver.heal();
		driver.run(500);
		const [before, reached] = [transfers, driver.machine(n1).status.executed];
		expect(before).toBeGreaterThan(0);
		for (let i = 0; i < 15; i++) {
			driver.run(100);
			const lag = driver.machine(n1).status.executed - driver.machine(away).status.executed;
			expect(lag, `after ${i} samples`).toBeLessThanOrEqual(16);
		}
		expect(transfers).toBe(before);
		// And nobody has waited for it: a group that stands still has no members that lag.
		expect(driver.machine(n1).status.executed - reached).toBeGreaterThan(500);
	});
});
