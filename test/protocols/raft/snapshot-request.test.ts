/**
 * Goal: a follower whose application's state is wrong replaces it by its leader's, without going back in the log and without
 * holding anybody up.
 * Method: a lone machine as the follower that asks and as the leader that is asked; then a group on virtual time.
 */
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../../protocols/core/index.ts";
import { raftConfig, type SnapshotRequest } from "../../../protocols/raft/index.ts";
import { Ledger } from "./chaos-run.ts";
import { DeterministicDriver, type Outcome } from "./deterministic-driver.ts";
import {
	append,
	b,
	bytes,
	c,
	chunk,
	command,
	index,
	LoneMachine,
	proposal,
	requestVote,
	snapshotAt,
	term,
	three,
} from "./lone-machine.ts";
import { StrictWatch } from "./strict-watch.ts";

function wish(inTerm: number, minIndex: number): SnapshotRequest {
	return { type: "snapshot-request", term: term(inTerm), minIndex: index(minIndex) };
}
function committed(through: number, count: number): ReturnType<typeof append> {
	const prevIndex = index(through - count);
	const entries = Array.from({ length: count }, () => command(1));
	return append({ term: term(1), prevIndex, prevTerm: term(prevIndex === 0 ? 0 : 1), commit: index(through), entries });
}
/** A follower of b that has applied three entries. */
const follower = (): LoneMachine => new LoneMachine({}).receive(b, committed(3, 3)).writesComplete();
const ask = (machine: LoneMachine): number => machine.request({ type: "request-snapshot" });

describe("a follower that wants a snapshot", () => {
	it("asks its leader for one that reaches as far as it has got, and again with each heartbeat", () => {
		const machine = follower();
		ask(machine);
		expect(machine.sent(b)).toEqual([wish(1, 3)]);
		expect(machine.receive(b, committed(3, 0)).sent(b)).toContainEqual(wish(1, 3));
	});

	it("hands its application nothing meanwhile, and goes on acknowledging", () => {
		const machine = follower();
		ask(machine);
		machine.receive(b, committed(4, 1));
		expect(machine.deliveries).toEqual([]);
		expect(machine.sentOnly(b, "append-response")).toMatchObject({ accepted: true, index: 4 });
		expect(machine.status).toMatchObject({ commitIndex: 4, deliveredIndex: 3 });
	});

	it("installs it though it brings nothing that is not committed here, and applies what follows", () => {
		const machine = follower();
		const requestId = ask(machine);
		machine.receive(b, committed(5, 2)).writesComplete();
		machine.receive(b, chunk(1, snapshotAt(4, 1), 0, bytes("abcdef"))).writesComplete();
		expect(machine.deliveries).toMatchObject([
			{ type: "restore-snapshot", snapshot: { lastIndex: 4 } },
			{ type: "entries", firstIndex: 5, entries: [{}] },
		]);
		expect(machine.replies).toEqual([{ type: "snapshot-restored", lastIndex: 4 }]);
		expect(requestId).toBe(1);
		expect(machine.status).toMatchObject({ commitIndex: 5, deliveredIndex: 5, baseIndex: 4 });
	});

	it("does not go back: one that reaches less far is no help", () => {
		const machine = follower();
		ask(machine);
		machine.receive(b, chunk(1, snapshotAt(2, 1), 0, bytes("abcdef")));
		expect(machine.writes).toEqual([]);
	});

	it("without the wish, a snapshot of what is committed here installs nothing", () => {
		const machine = follower().receive(b, chunk(1, snapshotAt(3, 1), 0, bytes("abcdef")));
		expect(machine.writes).toEqual([]);
		expect(machine.sentOnly(b, "snapshot-response").nextOffset).toBe(6);
	});

	it("has one wish at a time", () => {
		const machine = follower();
		ask(machine);
		ask(machine);
		expect(machine.replies).toEqual([{ type: "refused", reason: "too-many-pending", limit: 1 }]);
	});

	it("that has no leader, or loses it, is refused and goes on with what it has", () => {
		const alone = new LoneMachine({});
		ask(alone);
		expect(alone.replies).toEqual([{ type: "refused", reason: "not-leader", leader: null }]);
		const machine = follower();
		ask(machine);
		machine
			.receive(b, committed(4, 1))
			.electionTimeout()
			.receive(c, requestVote(2, 9, 9));
		expect(machine.replies).toEqual([{ type: "refused", reason: "not-leader", leader: null }]);
		expect(machine.deliveries).toMatchObject([{ type: "entries", firstIndex: 4 }]);
	});
});

describe("a leader that is asked for a snapshot", () => {
	const leader = (): LoneMachine => {
		const machine = new LoneMachine({}).becomeLeader();
		machine.request(proposal("x"));
		return machine.commitAll();
	};
	const snapshot = snapshotAt(2, 1);

	it("takes one if it has none that reaches so far, once, and sends it when it is asked again", () => {
		const machine = leader().receive(b, wish(1, 2));
		expect(machine.deliveries).toMatchObject([{ type: "take-snapshot", lastIndex: 2 }]);
		expect(machine.receive(b, wish(1, 2)).deliveries).toEqual([]);
		machine.step({ type: "snapshot-ready", snapshot });
		expect(machine.receive(b, wish(1, 2)).effects).toContainEqual(expect.objectContaining({ type: "read" }));
	});

	it("sends the one it has if that reaches so far, and begins it once", () => {
		const machine = leader().receive(b, wish(1, 2)).step({ type: "snapshot-ready", snapshot });
		machine.receive(b, wish(1, 1));
		expect(machine.status.peers[0]).toMatchObject({ mode: "snapshot" });
		expect(machine.receive(b, wish(1, 1)).effects).toEqual([]);
	});

	it("takes another if the one it has reaches less far", () => {
		const machine = leader().receive(b, wish(1, 2)).step({ type: "snapshot-ready", snapshot });
		machine.request(proposal("y"));
		machine.commitAll().receive(b, wish(1, 3));
		expect(machine.deliveries).toMatchObject([{ type: "take-snapshot", lastIndex: 3 }]);
		expect(machine.status.peers[0]).toMatchObject({ mode: "replicate" });
	});

	it("takes none that would not reach far enough", () => {
		expect(leader().receive(b, wish(1, 9)).effects).toEqual([]);
	});

	it("refuses the wish itself: its state is what it is", () => {
		const machine = leader();
		ask(machine);
		expect(machine.replies).toEqual([{ type: "refused", reason: "already-leader" }]);
	});
});

describe("a group", () => {
	it("replaces a follower's state while commands go on, for every seed", () => {
		for (let seed = 1; seed <= 20; seed++) {
			const watch = new StrictWatch();
			const observe = watch.observe.bind(watch);
			const config = (id: NodeId): ReturnType<typeof raftConfig> => raftConfig({ nodeId: id, voters: three });
			const driver = new DeterministicDriver({ seed, voters: three, config, application: () => new Ledger(), observe });
			const lead = (): NodeId | undefined => driver.nodes.find((id) => driver.machine(id).status.role === "leader");
			driver.runUntil(() => lead() !== undefined, 5000);
			const leader = lead() as NodeId;
			const wrong = driver.nodes.find((id) => id !== leader) as NodeId;
			driver.request(leader, proposal("x0"), () => {});
			driver.run(200);
			(driver.application(wrong) as Ledger).restoreSnapshot(bytes("wrong"));
			const outcomes: Outcome[] = [];
			driver.request(wrong, { type: "request-snapshot" }, (outcome) => outcomes.push(outcome));
			for (let i = 1; i <= 10; i++) {
				driver.after(10 * i, () => driver.request(leader, proposal(`x${i}`), () => {}));
			}
			driver.run(1000);
			expect(outcomes).toMatchObject([{ type: "snapshot-restored" }]);
			const state = (id: NodeId): readonly string[] => (driver.application(id) as Ledger).applied;
			expect(state(wrong)).toEqual(state(leader));
			expect(state(leader)).toHaveLength(11);
		}
	});
});
