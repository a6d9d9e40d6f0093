/**
 * Goal: under load a group neither wastes slots and messages nor takes a queue for a faulty primary. Method: one replica, whose peers are the
 * test's; one run of a group with liars where all of it is on.
 */
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../../protocols/core/index.ts";
import { pbftAttacks } from "../../../protocols/pbft/attacks/index.ts";
import { runChaos } from "./chaos-run.ts";
import { LoneReplica, n1, n2, n3, n4 } from "./lone-replica.ts";

/** The batch of `slot` goes through all phases at a backup. */
function decide(replica: LoneReplica, slot: number, timestamps: readonly number[]): void {
	replica.decide(slot, ...timestamps.map((timestamp) => replica.request(timestamp)));
}

describe("a primary", () => {
	it("begins a batch that is not full only while few others are under way, and a full one at once", () => {
		const primary = new LoneReplica(n1, { partialSlotsMax: 1, batchMaxRequests: 2 });
		const proposed = (): number[][] => {
			const to2 = primary.effects.flatMap((effect) =>
				effect.type === "send" && effect.to === n2 ? [effect.message] : [],
			);
			return to2.flatMap((sent) =>
				sent.type === "pre-prepare" ? [sent.batch.requests.map(({ timestamp }) => timestamp)] : [],
			);
		};
		primary.ask(primary.request(1));
		expect(proposed()).toEqual([[1]]);
		primary.ask(primary.request(2));
		expect(proposed()).toEqual([]);
		primary.ask(primary.request(3));
		expect(proposed()).toEqual([[2, 3]]);
		primary.ask(primary.request(4));
		expect(proposed()).toEqual([]);
		const commitAll = (slot: number, timestamps: readonly number[]): void => {
			const digest = primary.digestOf(primary.batch(...timestamps.map((timestamp) => primary.request(timestamp))));
			for (const by of [n2, n3]) primary.hear(by, primary.prepare(by, slot, digest));
			for (const by of [n2, n3]) primary.hear(by, primary.commit(by, slot, digest));
		};
		commitAll(1, [1]);
		expect(proposed()).toEqual([]);
		commitAll(2, [2, 3]);
		expect(proposed()).toEqual([[4]]);
	});
});

describe("a backup", () => {
	const forwarded = (replica: LoneReplica): number[] =>
		replica.said("forward").flatMap(({ requests }) => requests.map(({ timestamp }) => timestamp));

	it("passes on what the primary has not proposed in time, between once and twice the delay, and nothing else", () => {
		const backup = new LoneReplica(n2, { forwardDelayMs: 50 });
		backup.ask(backup.request(1)).ask(backup.request(2));
		expect(forwarded(backup)).toEqual([]);
		backup.fire("forward");
		expect(forwarded(backup)).toEqual([]);
		expect(backup.timersSet()).toEqual(["forward"]);
		backup.hear(n1, backup.prePrepare(1, backup.batch(backup.request(1))));
		backup.ask(backup.request(3)).fire("forward");
		expect(forwarded(backup)).toEqual([2]);
		backup.fire("forward");
		expect(forwarded(backup)).toEqual([3]);
		expect(backup.timersSet()).toEqual([]);
	});

	it("passes on at once what waits when another view begins", () => {
		const backup = new LoneReplica(n3, { forwardDelayMs: 50 });
		backup.ask(backup.request(1));
		const bodies = [n1, n2, n4].map((by): [NodeId, ReturnType<typeof backup.viewChange>] => [
			by,
			backup.viewChange(by, 1),
		]);
		for (const [by, body] of bodies) backup.hear(by, body);
		backup.hear(n2, backup.newView(1, bodies));
		expect(forwarded(backup)).toEqual([1]);
	});

	const left = (replica: LoneReplica): boolean => replica.said("view-change").length > 0;

	it("rule 28: gives a request that queues as much time again, as long as slots are executed", () => {
		const backup = new LoneReplica(n2, { queuePeriodsMax: 2 });
		for (const timestamp of [11, 12, 13]) backup.ask(backup.request(timestamp));
		decide(backup, 1, [1]);
		expect(left(backup.fire("request"))).toBe(false);
		expect(backup.timersSet()).toEqual(["request"]);
		// Nothing was executed since.
		expect(left(backup.fire("request"))).toBe(true);
	});

	it("rule 28: does so a bounded number of times", () => {
		const backup = new LoneReplica(n2, { queuePeriodsMax: 2 });
		for (const timestamp of [11, 12, 13]) backup.ask(backup.request(timestamp));
		for (const [slot, isLeft] of [false, false, true].entries()) {
			decide(backup, slot + 1, [slot + 1]);
			expect(left(backup.fire("request"))).toBe(isLeft);
		}
	});

	it("rule 27: does not wait for a primary that passes the request over", () => {
		const backup = new LoneReplica(n2, { queuePeriodsMax: 2 });
		for (const timestamp of [11, 12]) backup.ask(backup.request(timestamp));
		decide(backup, 1, [12]);
		expect(left(backup.fire("request"))).toBe(true);
	});

	it("rule 12: gives the next request its own time", () => {
		const backup = new LoneReplica(n2, { queuePeriodsMax: 1 });
		for (const timestamp of [11, 12]) backup.ask(backup.request(timestamp));
		decide(backup, 1, [11]);
		expect(backup.timersSet()).toEqual(["request"]);
		// No slot was executed since 12 is timed.
		expect(left(backup.fire("request"))).toBe(true);
	});
});

it("a group that waits for full batches, for its primary and for its queue keeps every property, whoever lies in it", () => {
	const modes = { partialSlotsMax: 1, forwardDelayMs: 20, queuePeriodsMax: 4 };
	for (const [i, { name }] of pbftAttacks.entries()) {
		const done = runChaos({ seed: 9_000 + i, members: 4, faults: 1, liars: [[name]], isDisturbed: i % 2 === 1, modes });
		expect(done.acknowledged, name).toBeGreaterThan(5);
	}
});
