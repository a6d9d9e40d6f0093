/**
 * Goal: a kill counts only when it hit the leader of that moment, and its costs are measured from the kill. Method: a
 * target whose elections and restarts take a known time, a clock that the test moves, and events out of season.
 */
import { expect, test } from "vitest";
import { LeaderKiller } from "../../../actors/console/leader-killer.ts";
import { nodeId } from "../../../protocols/core/index.ts";
import { LedgerTarget, type LedgerTargetOptions } from "./ledger-target.ts";
import { ManualClock } from "./manual-clock.ts";

function setup(options: Partial<LedgerTargetOptions> = {}): {
	clock: ManualClock;
	target: LedgerTarget;
	killer: LeaderKiller;
	steps: string[];
	load: { isOn: boolean };
} {
	const clock = new ManualClock();
	const target = new LedgerTarget({ nodes: 3, clock, electionMs: 300, restartMs: 120, ...options });
	const steps: string[] = [];
	const load = { isOn: true };
	const killer = new LeaderKiller(1_000, {
		target,
		clock,
		isLoadOn: () => load.isOn,
		observe: (step, { node }) => steps.push(`${step} ${node}`),
	});
	return { clock, target, killer, steps, load };
}

async function runUntil(clock: ManualClock, untilMs: number): Promise<void> {
	await clock.drive(new Promise<void>((resume) => void clock.schedule(untilMs - clock.nowMs(), resume)));
}

test("kills at each interval, and measures election and restart from the kill", async () => {
	const { clock, killer, steps } = setup();
	killer.start();
	await runUntil(clock, 3_900);
	await clock.drive(killer.stop(1_000));
	expect(killer.kills).toEqual(
		[1, 2, 3].map((term) => ({
			atMs: 1_000 * term,
			node: `node-${term}`,
			term,
			newLeader: `node-${(term % 3) + 1}`,
			newTerm: term + 1,
			electionMs: 300,
			restartMs: 120,
		})),
	);
	expect(killer.survived).toBe(3);
	expect(steps.slice(0, 3)).toEqual(["killed node-1", "recovered node-1", "elected node-1"]);
});

test("does not kill while the last kill is not mended", async () => {
	const { clock, killer } = setup({ restartMs: 2_500 });
	killer.start();
	await runUntil(clock, 4_900);
	await clock.drive(killer.stop(1_000));
	expect(killer.kills.map(({ atMs }) => Math.round(atMs / 100))).toEqual([10, 38]);
	// The second was due at 2,000 and had to wait until 3,500, and a quarter of an interval more; the third is due after the end.
	expect(Math.round(killer.heldUpMs / 10)).toBe(175);
});

test("a kill that is due when the load ends has waited until then, and no longer", async () => {
	const { clock, killer } = setup({ restartMs: 2_500 });
	killer.start();
	await runUntil(clock, 2_600);
	await clock.drive(killer.stop(5_000));
	expect(clock.nowMs()).toBeGreaterThan(3_400);
	expect(Math.round(killer.heldUpMs / 100)).toBe(6);
});

test("a kill has waited since it was due, though a busy machine looks late", async () => {
	const { clock, killer } = setup({ restartMs: 2_500 });
	killer.start();
	await runUntil(clock, 1_900);
	// The next look is at 2,000; the machine gets to it 400 ms later.
	clock.jump(500);
	await runUntil(clock, 2_600);
	await clock.drive(killer.stop(5_000));
	expect(Math.round(killer.heldUpMs / 100)).toBe(6);
});

test("a wait for a leader is not taken for a wait for the last killed one", async () => {
	const { clock, target, killer } = setup();
	target.leader = null;
	killer.start();
	await runUntil(clock, 3_000);
	await clock.drive(killer.stop(0));
	expect(killer.heldUpMs).toBe(0);
});

test("does not kill a node that its own status does not call the leader", async () => {
	const { clock, target, killer } = setup();
	target.leader = { leader: nodeId("node-2"), term: 1 };
	killer.start();
	await runUntil(clock, 1_500);
	expect(killer.kills).toEqual([]);
	target.leader = { leader: nodeId("node-1"), term: 1 };
	await runUntil(clock, 1_600);
	expect(killer.kills).toHaveLength(1);
	await clock.drive(killer.stop(1_000));
});

test("a kill does not count when another leader is heard of before the thread has ended", async () => {
	const { clock, target, killer } = setup();
	killer.start();
	await runUntil(clock, 1_001);
	target.publish({ type: "leader-elected", leader: nodeId("node-3"), term: 2 });
	await runUntil(clock, 1_100);
	expect(killer.kills).toEqual([]);
	await clock.drive(killer.stop(0));
});

test("a kill counts from the end of its thread, and is survived by a later term only", async () => {
	const { clock, target, killer } = setup();
	killer.start();
	await runUntil(clock, 1_004);
	expect(killer.kills).toEqual([]);
	await runUntil(clock, 1_006);
	expect(killer.kills).toHaveLength(1);
	// Late news of the reign that has just ended.
	target.publish({ type: "leader-elected", leader: nodeId("node-1"), term: 1 });
	expect(killer.survived).toBe(0);
	await runUntil(clock, 1_400);
	expect(killer.survived).toBe(1);
	expect(killer.kills).toMatchObject([{ newTerm: 2, electionMs: 300 }]);
	await clock.drive(killer.stop(0));
});

test("a loss that nobody ordered is no kill", async () => {
	const { clock, target, killer } = setup();
	killer.start();
	await runUntil(clock, 500);
	target.publish({ type: "node-lost", node: "node-2" });
	target.publish({ type: "leader-elected", leader: nodeId("node-3"), term: 9 });
	expect(killer.kills).toEqual([]);
	expect(killer.survived).toBe(0);
	await clock.drive(killer.stop(0));
});

test("stop waits for the last kill to be mended, but not for ever", async () => {
	const { clock, killer } = setup({ electionMs: 700 });
	killer.start();
	await runUntil(clock, 1_010);
	await clock.drive(killer.stop(5_000));
	expect(clock.nowMs()).toBe(1_700);
	expect(killer.survived).toBe(1);

	const stuck = setup({ electionMs: 60_000 });
	stuck.killer.start();
	await runUntil(stuck.clock, 1_010);
	await stuck.clock.drive(stuck.killer.stop(500));
	expect(stuck.clock.nowMs()).toBe(1_510);
	expect(stuck.killer.survived).toBe(0);
	expect(stuck.killer.kills).toHaveLength(1);
});

test("kills nobody while the load only waits for its last answers", async () => {
	const { clock, killer, load } = setup();
	killer.start();
	await runUntil(clock, 1_900);
	load.isOn = false;
	await runUntil(clock, 5_000);
	await clock.drive(killer.stop(1_000));
	expect(killer.kills).toHaveLength(1);
});

test("a leader that was elected late still leads for a quarter of an interval", async () => {
	const { clock, killer } = setup({ electionMs: 1_400 });
	killer.start();
	await runUntil(clock, 4_000);
	await clock.drive(killer.stop(2_000));
	const times = killer.kills.map(({ atMs }) => atMs);
	expect(times).toHaveLength(2);
	expect(times[1]).toBeGreaterThanOrEqual(1_000 + 1_400 + 250);
	expect(times[1]).toBeLessThan(1_000 + 1_400 + 300);
});
