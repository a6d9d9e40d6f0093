/**
 * Goal: a member that hears no quorum says so within a bounded time, and when it hears one again; the side without a quorum decides nothing,
 * the other goes on, and after the partition all come together (BYZ-17, BYZ-18). Losses are no partition, and nobody can feign contact for
 * others. Method: a group in virtual time that is parted and healed; what its members tell.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { type PbftEvent, pbftConfig } from "../../../protocols/pbft/index.ts";
import { GroupDriver, kindWorld, type World } from "./group-driver.ts";
import { encode, Ledger } from "./ledger.ts";
import { at, LoneReplica, n1, n2, n3, n4 } from "./lone-replica.ts";

const client = nodeId("c1");
const [statusMs, contactStatuses] = [40, 5];
/** A member's status comes after at most 5/4 of the period; the first of them may find a word of a moment ago. */
const noticedWithinMs = (statusMs * 5 * (contactStatuses + 1)) / 4;

type Contact = Extract<PbftEvent, { type: "quorum-lost" | "quorum-regained" }>;

class PartedGroup {
	readonly told: { readonly node: NodeId; readonly atMs: number; readonly event: Contact }[] = [];
	readonly driver: GroupDriver;
	#timestamp = 0;

	constructor(seed: number, world: World = kindWorld) {
		this.driver = new GroupDriver({
			seed,
			members: 4,
			faults: 1,
			clients: [client],
			world,
			application: () => new Ledger(),
			tuning: { statusMs, contactStatuses, viewTimeoutMs: 100, checkpointInterval: 8, windowSize: 16 },
			observe: (observation) => {
				if (observation.type !== "event") return;
				const { node, event } = observation;
				if (event.type !== "quorum-lost" && event.type !== "quorum-regained") return;
				this.told.push({ node, atMs: this.driver.now, event });
			},
		});
	}

	/** Asks all members that are given; whether one of them answers within a second. */
	decides(among: readonly NodeId[]): boolean {
		let isAnswered = false;
		const number = ++this.#timestamp;
		for (const id of among) {
			this.driver.request(id, this.driver.signed(client, number, encode(`op${number}`)), () => {
				isAnswered = true;
			});
		}
		return this.driver.runUntil(() => isAnswered, 1000);
	}

	toldBy(type: Contact["type"]): NodeId[] {
		return this.told.filter(({ event }) => event.type === type).map(({ node }) => node);
	}

	get parted(): NodeId[] {
		return this.driver.correct.filter((id) => this.driver.machine(id).status.isParted);
	}
}

describe("BYZ-17: a partition", () => {
	it("is told of by who is cut off, within a bounded time, and by nobody else; the others go on; it follows when healed", () => {
		const group = new PartedGroup(1);
		expect(group.decides([n1])).toBe(true);
		const since = group.driver.now;
		group.driver.partition([[n1, n2, n3], [n4]]);
		group.driver.run(noticedWithinMs);
		expect(group.told.map(({ node, event }) => [node, event])).toEqual([
			[n4, { type: "quorum-lost", missing: [n1, n2, n3] }],
		]);
		expect(group.told[0]!.atMs - since).toBeGreaterThan(statusMs * (contactStatuses - 1));
		expect(group.driver.machine(n4).status).toMatchObject({ isParted: true, outOfContact: [n1, n2, n3] });
		expect(group.driver.machine(n1).status).toMatchObject({ isParted: false, outOfContact: [n4] });
		expect([group.decides([n1, n2, n3]), group.decides([n4])]).toEqual([true, false]);
		const { executed } = group.driver.machine(n4).status;
		group.driver.heal();
		expect(group.driver.runUntil(() => group.toldBy("quorum-regained").length > 0, noticedWithinMs)).toBe(true);
		const isFollowing = (): boolean => group.driver.machine(n4).status.executed > executed;
		expect(group.driver.runUntil(isFollowing, 10_000)).toBe(true);
		expect([group.parted, group.toldBy("quorum-lost")]).toEqual([[], [n4]]);
	});

	it("in halves stops all, is told of by all, and is over when it is healed: what was asked meanwhile is ordered once", () => {
		const group = new PartedGroup(2);
		expect(group.decides([n1])).toBe(true);
		group.driver.run(200);
		const executed = group.driver.machine(n1).status.executed;
		group.driver.partition([
			[n1, n2],
			[n3, n4],
		]);
		expect(group.decides([n1, n2, n3, n4])).toBe(false);
		expect(group.toldBy("quorum-lost").toSorted()).toEqual([n1, n2, n3, n4]);
		for (const { node, event } of group.told) {
			expect(event.missing).toEqual([n1, n2].includes(node) ? [n3, n4] : [n1, n2]);
		}
		for (const id of group.driver.members) expect(group.driver.machine(id).status.executed).toBe(executed);
		group.driver.heal();
		const states = (): string[] =>
			group.driver.members.map((id) => (group.driver.application(id) as Ledger).applied.join());
		expect(group.driver.runUntil(() => states().every((state) => state === "op1,op2"), 10_000)).toBe(true);
		expect([group.parted, group.toldBy("quorum-regained").toSorted()]).toEqual([[], [n1, n2, n3, n4]]);
	});

	it("is told apart from losses, and from a member or two that are down", () => {
		const group = new PartedGroup(3, { ...kindWorld, lossChance: 0.2, latencyMs: { min: 1, max: 30 } });
		group.driver.crash(n4);
		for (let i = 0; i < 20; i++) group.decides([n1, n2, n3]);
		expect(group.told).toEqual([]);
		// With two down the other two hear no quorum: what they can tell is the same.
		group.driver.world = kindWorld;
		group.driver.crash(n3);
		group.driver.run(noticedWithinMs);
		expect(group.toldBy("quorum-lost").toSorted()).toEqual([n1, n2]);
		group.driver.restart(n3);
		group.driver.run(noticedWithinMs);
		expect([group.parted, group.toldBy("quorum-regained").toSorted()]).toEqual([[], [n1, n2]]);
	});

	it("is judged by whom the link names: what is passed on speaks for who passes it on alone, and strangers for nobody", () => {
		const replica = new LoneReplica(n2, { contactStatuses: 2 });
		replica.fire("status").fire("status");
		expect(replica.events("quorum-lost")).toEqual([{ type: "quorum-lost", missing: [n1, n3, n4] }]);
		replica.hear(n3, replica.prepare(n4, 1, replica.nothing), {
			type: "decision",
			certificate: replica.certificate(1, replica.nothing),
			batch: null,
		});
		replica.hear(nodeId("n9"), replica.prepare(n3, 1, replica.nothing));
		expect([replica.events("quorum-regained"), replica.machine.status.outOfContact]).toEqual([[], [n1, n4]]);
		replica.hear(n4, replica.prepare(n4, 1, replica.nothing));
		expect(replica.events("quorum-regained")).toEqual([{ type: "quorum-regained", missing: [n1] }]);
		// It goes on from where it is, and says nothing of it twice.
		expect(replica.fire("status").events("quorum-lost")).toEqual([]);
		expect(replica.fire("status").events("quorum-lost")).toHaveLength(1);
		expect(
			replica
				.hear(n3, replica.checkpoint(n3, 4, replica.nothing))
				.hear(n1, { type: "fetch-batch", sequence: at(1), digest: replica.nothing })
				.events("quorum-regained"),
		).toHaveLength(1);
	});

	it("of no length less than two statuses is noticed", () => {
		const given = { nodeId: n1, cluster: new LoneReplica().config.cluster, members: [n1, n2, n3, n4], faults: 1 };
		expect(() => pbftConfig({ ...given, contactStatuses: 1 })).toThrow(/contactStatuses/);
	});
});
