/**
 * Goal: proactive recovery (rule 32; TOCS §5.2): a member that recovers says nothing until a quorum has told where the group is, votes for
 * nothing above what follows, and has its own state compared with a certified one, and replaced if it is another (rule 18). Method: a lone
 * machine, then groups whose members recover all the time, one of them with a state that somebody has changed.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../protocols/core/index.ts";
import { GroupDriver } from "./group-driver.ts";
import { encode, Ledger } from "./ledger.ts";
import { at, LoneReplica, n1, n3, n4 } from "./lone-replica.ts";
import { StrictWatch } from "./strict-watch.ts";

describe("rule 32: a member that recovers", () => {
	const report = (low: number, prepared: number, nonce = 1) =>
		({ type: "stable-report", nonce, low: at(low), prepared: at(prepared) }) as const;
	const recovering = (): LoneReplica => {
		const replica = new LoneReplica(undefined, { recoveryPeriodMs: 1000 });
		expect(replica.timersSet()).toEqual(["status", "recovery"]);
		return replica.fire("recovery");
	};
	const proposeAt = (replica: LoneReplica, sequence: number): number =>
		replica.hear(n1, replica.prePrepare(sequence, replica.batch(replica.request(sequence)))).said("prepare").length;

	it("asks where the group is, again until it is told, and says nothing meanwhile", () => {
		const replica = recovering();
		expect(replica.said("query-stable")).toEqual(Array.from({ length: 3 }, () => ({ type: "query-stable", nonce: 1 })));
		expect(proposeAt(replica, 1)).toBe(0);
		replica.ask(replica.request(5)).fire("request");
		expect(replica.said("view-change")).toEqual([]);
		expect(replica.fire("status").said("query-stable").length).toBe(3);
		// A recovery of before is another one.
		for (const by of [n1, n3, n4]) replica.hear(by, report(0, 0, 7));
		expect(proposeAt(replica, 1)).toBe(0);
		replica.hear(n1, report(0, 0), report(0, 0));
		expect(proposeAt(replica, 1)).toBe(0);
		// One of the others may be silent for ever.
		replica.hear(n4, report(0, 0));
		expect(replica.events("recovery-estimated")).toMatchObject([{ sequence: 0 }]);
		// The request that waits is timed again.
		expect(replica.timersSet()).toContain("request");
		expect(proposeAt(replica, 1)).toBe(3);
	});

	it("votes for nothing above L over what it is told, though its own water mark, which may be wrong, allows more", () => {
		const replica = new LoneReplica(undefined, { recoveryPeriodMs: 1000 });
		for (let i = 1; i <= 4; i++) replica.decide(i, replica.request(i));
		replica.step({ type: "snapshot-ready", snapshot: { sequence: at(4), root: replica.nothing, sizeBytes: 8 } });
		const { digest } = replica.said("checkpoint")[0]!;
		for (const by of [n1, n3]) replica.hear(by, replica.checkpoint(by, 4, digest));
		expect([replica.machine.view.low, proposeAt(replica, 12)]).toEqual([4, 3]);
		replica.fire("recovery");
		for (const by of [n1, n3, n4]) replica.hear(by, report(0, 0));
		expect(replica.events("recovery-estimated")).toMatchObject([{ sequence: 0 }]);
		expect([proposeAt(replica, 11), proposeAt(replica, 8)]).toEqual([0, 3]);
	});

	it("believes a checkpoint that a quorum does not exceed and f others have prepared, whatever one liar says", () => {
		const estimate = (...reports: readonly (readonly [low: number, prepared: number])[]): number | undefined => {
			const replica = recovering();
			let found: number | undefined;
			for (const [i, [low, prepared]] of reports.entries()) {
				replica.hear([n1, n3, n4][i]!, report(low, prepared));
				found ??= replica.events("recovery-estimated")[0]?.sequence;
			}
			return found;
		};
		expect(estimate([4, 9], [4, 8], [4, 4])).toBe(4);
		// Too high: nobody else has come so far. Too low: the others have more.
		expect(estimate([1_000_000, 1_000_000], [4, 6])).toBeUndefined();
		expect(estimate([1_000_000, 1_000_000], [4, 6], [4, 7])).toBe(4);
		expect(estimate([0, 0], [4, 6])).toBeUndefined();
		expect(estimate([0, 0], [4, 6], [4, 7])).toBe(4);
		expect(estimate([8, 9], [4, 8], [4, 7])).toBe(8);
	});

	it("votes for nothing above H of the estimate until a checkpoint since then is its own", () => {
		// By the checkpoint at 8, which nobody else tells of, H would be 24; by what the others tell it is 16.
		const replica = new LoneReplica(undefined, { recoveryPeriodMs: 1000, windowSize: 16 });
		for (let i = 1; i <= 8; i++) replica.decide(i, replica.request(i));
		const shown = replica.stable(8, encode("digest-a-0123456"));
		for (const by of [n1, n3, n4]) {
			replica.hear(by, replica.checkpoint(by, 8, shown.digest));
		}
		expect(replica.machine.view.low).toBe(8);
		replica.fire("recovery");
		for (const by of [n1, n3, n4]) replica.hear(by, report(0, 8));
		expect(proposeAt(replica, 17)).toBe(0);
		expect(proposeAt(replica, 16)).toBe(3);
		const behind = new LoneReplica(undefined, { recoveryPeriodMs: 1000, windowSize: 8 });
		for (let i = 1; i <= 4; i++) behind.decide(i, behind.request(i));
		behind.step({ type: "snapshot-ready", snapshot: { sequence: at(4), root: encode("root"), sizeBytes: 0 } });
		const { digest } = behind.said("checkpoint")[0]!;
		behind.fire("recovery");
		for (const by of [n1, n3, n4]) behind.hear(by, report(0, 4));
		for (const by of [n1, n3]) behind.hear(by, behind.checkpoint(by, 4, digest));
		// The checkpoint is certified and its own: it is recovered, and nothing holds it back.
		expect(behind.events("recovered")).toMatchObject([{ sequence: 4 }]);
		expect(proposeAt(behind, 12)).toBe(3);
	});

	it("tells others where it is, for the asking", () => {
		const replica = new LoneReplica();
		replica.decide(1, replica.request(1));
		replica.hear(n3, { type: "query-stable", nonce: 9 });
		expect(replica.said("stable-report")).toEqual([{ type: "stable-report", nonce: 9, low: 0, prepared: 1 }]);
	});
});

function group(recoveryPeriodMs: number, observe: (type: string, node: string) => void = () => {}): GroupDriver {
	return new GroupDriver({
		seed: 9,
		members: 4,
		faults: 1,
		clients: [nodeId("c1")],
		application: () => new Ledger(),
		tuning: {
			checkpointInterval: 4,
			windowSize: 8,
			statePartBytes: 16,
			batchMaxRequests: 1,
			viewTimeoutMs: 200,
			statusMs: 40,
			recoveryPeriodMs,
		},
		observe: (observation) => {
			if (observation.type === "event") observe(observation.event.type, observation.node);
			watch?.observe(observation);
		},
	});
}
let watch: StrictWatch | null = null;

function put(driver: GroupDriver, from: number, count: number): boolean {
	let answered = 0;
	for (let i = from; i < from + count; i++) {
		const request = driver.signed(nodeId("c1"), i, encode(`op${i}`));
		for (const id of driver.members) driver.request(id, request, () => answered++);
	}
	return driver.runUntil(() => answered === 4 * count, 20_000);
}

describe("a group whose members recover", () => {
	it("goes on, and all of them come to be recovered", () => {
		watch = new StrictWatch();
		const recovered = new Set<string>();
		const driver = group(400, (type, node) => {
			if (type === "recovered") recovered.add(node);
		});
		for (let i = 0; i < 40; i++) {
			expect(put(driver, 1 + 2 * i, 2)).toBe(true);
			driver.run(30);
		}
		expect(recovered.size).toBe(4);
		const recoveredWatch = watch;
		expect(driver.runUntil(() => recoveredWatch.isRecovered, 10_000)).toBe(true);
	});

	it("rule 18: a member whose state was changed behind its back takes over the certified one", () => {
		// It has signed a state that a quorum refutes, so it is convicted: by then it was faulty.
		watch = null;
		const driver = group(0);
		expect(put(driver, 1, 2)).toBe(true);
		const ledger = driver.application(n3) as Ledger;
		ledger.applied[0] = "bribe";
		expect(put(driver, 3, 6)).toBe(true);
		const applied = (id: typeof n3): string => (driver.application(id) as Ledger).applied.join(" ");
		expect(driver.runUntil(() => applied(n3) === applied(n1), 10_000)).toBe(true);
		expect(applied(n3)).not.toContain("bribe");
		expect(driver.counts.restores).toBeGreaterThan(0);
	});
});
