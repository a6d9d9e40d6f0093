/**
 * Goal: the design document's calls do what they say (CRDT-1, CRDT-15, CRDT-16, CRDT-17): six type names, synchronization with all or some
 * members whose result says who has what, typed change events. It fails when a promise resolves before the members have
 * each other's values, or an event is missing.
 * Method: synchronizers of one group on RxJS's virtual time, so that nothing waits for a real clock.
 */

import { asapScheduler, VirtualTimeScheduler } from "rxjs";
import { afterEach, describe, expect, it } from "vitest";
import {
	CRDTSynchronizer,
	type CRDTSynchronizerOptions,
	joinLocally,
} from "../../../actors/crdt-synchronizer/index.ts";
import { GossipProtocolCoordinator } from "../../../actors/gossip-coordinator/index.ts";

const group = ["node-1", "node-2", "node-3"];
const open: CRDTSynchronizer[] = [];

/** Timers on virtual time, messages as soon as the present task ends. */
function create(node: string, options: CRDTSynchronizerOptions = {}): CRDTSynchronizer {
	const scheduler = new VirtualTimeScheduler();
	const synchronizer = new CRDTSynchronizer(node, group, { scheduler, join: joinLocally(asapScheduler), ...options });
	open.push(synchronizer);
	return synchronizer;
}

afterEach(() => {
	for (const synchronizer of open.splice(0)) synchronizer.close();
});

function thrownCode(act: () => unknown): string {
	try {
		act();
	} catch (error) {
		return (error as { code: string }).code;
	}
	return "nothing thrown";
}

describe("a synchronizer", () => {
	it("has the six types of the design document, and gives them to all members", async () => {
		const all = group.map((node) => create(node));
		const [first, second, third] = all.map((one) => ({
			requests: one.registerCRDT("request_counter", "G_COUNTER"),
			balance: one.registerCRDT("balance", "PN_COUNTER"),
			users: one.registerCRDT("active_users", "OR_SET"),
			leader: one.registerCRDT("leader", "LWW_REGISTER"),
			settings: one.registerCRDT("settings", "OR_MAP"),
			queue: one.registerCRDT("queue", "RGA"),
		}));
		first!.requests.increment();
		second!.requests.increment(2);
		third!.balance.decrement(5);
		first!.users.add("ann");
		second!.users.add("bob");
		first!.leader.set("node-1");
		second!.settings.set("colour", "red");
		third!.queue.insert(0, "job", { id: 1 });
		expect(await all[0]!.synchronize()).toEqual({ members: ["node-2", "node-3"], missing: [] });
		expect(await all[1]!.synchronize()).toEqual({ members: ["node-1", "node-3"], missing: [] });
		for (const one of all) {
			expect(one.values).toEqual({
				request_counter: 3,
				balance: -5,
				active_users: ["ann", "bob"],
				leader: "node-1",
				settings: { colour: "red" },
				queue: ["job", { id: 1 }],
			});
		}
		third!.users.remove("ann");
		third!.settings.remove("colour");
		third!.queue.remove(0);
		await all[2]!.synchronize(["node-1"]);
		expect([first!.users.values, first!.settings.keys, first!.queue.values]).toEqual([["bob"], [], [{ id: 1 }]]);
	});

	it("says which members are missing once its time is over, and gives them everything when they come", async () => {
		const scheduler = new VirtualTimeScheduler();
		scheduler.maxFrames = 1_000;
		const [first, second] = [create("node-1", { scheduler, synchronizeTimeoutMs: 500 }), create("node-2")];
		const counters = [first, second].map((one) => one.registerCRDT("n", "G_COUNTER"));
		counters[0]!.increment();
		const result = first.synchronize();
		// Messages come between tasks, timers by virtual time: let the one present member answer, then let the time run out.
		await new Promise<void>((resolve) => setImmediate(resolve));
		scheduler.flush();
		expect(await result).toEqual({ members: ["node-2"], missing: ["node-3"] });
		const late = create("node-3");
		const counter = late.registerCRDT("n", "G_COUNTER");
		await late.synchronize();
		expect(counter.value).toBe(1);
	});

	it("tells of changes, own and remote, to whoever observes a value", async () => {
		const [first, second] = [create("node-1"), create("node-2")];
		const [users, same] = [first, second].map((one) => one.registerCRDT("users", "OR_SET"));
		const other = second.registerCRDT("other", "G_COUNTER");
		const changes: unknown[] = [];
		same!.changes$.subscribe((change) => changes.push(change));
		users!.add("ann");
		await first.synchronize(["node-2"]);
		same!.add("bob");
		other.increment();
		expect(changes).toEqual([
			{ type: "updated", path: ["users"], source: "remote", key: "ann" },
			{ type: "updated", path: ["users"], source: "own", key: "bob" },
		]);
	});

	it("takes in what others did to a name once that is registered", async () => {
		const [first, second] = [create("node-1"), create("node-2")];
		const refused: string[] = [];
		second.events$.subscribe((event) => {
			if (event.type === "message-refused") refused.push(event.error.code);
		});
		first.registerCRDT("n", "G_COUNTER").increment(4);
		await new Promise<void>((resolve) => setImmediate(resolve));
		expect(refused).toContain("crdt-container-unknown");
		const counter = second.registerCRDT("n", "G_COUNTER");
		await second.synchronize(["node-1"]);
		expect(counter.value).toBe(4);
	});

	it("is a new replica after it was closed, and gets back what it had given to others", async () => {
		const [first, second] = [create("node-1"), create("node-2")];
		second.registerCRDT("n", "G_COUNTER");
		first.registerCRDT("n", "G_COUNTER").increment(2);
		await first.synchronize(["node-2"]);
		first.close();
		const again = create("node-1");
		const counter = again.registerCRDT("n", "G_COUNTER");
		counter.increment();
		await again.synchronize(["node-2"]);
		expect(counter.value).toBe(3);
	});

	it("counts what it does, and says how large each value is (CRDT-27)", async () => {
		const [first, second] = [create("node-1"), create("node-2")];
		const [users, same] = [first, second].map((one) => one.registerCRDT("users", "OR_SET"));
		for (let i = 0; i < 10; i++) users!.add(`user-${i}`);
		await first.synchronize(["node-2"]);
		const [mine, theirs] = [first.metrics, second.metrics];
		expect([mine.delta_generation_time.count, theirs.delta_generation_time.count]).toEqual([10, 0]);
		expect([mine.sync_convergence_time.count, theirs.sync_convergence_time.count]).toEqual([1, 0]);
		expect(theirs.crdt_merge_time.count).toBeGreaterThanOrEqual(10);
		expect(theirs.crdt_merge_time.totalMs).toBeGreaterThanOrEqual(theirs.crdt_merge_time.maxMs);
		const bytes = mine.memory_usage_per_crdt["users"]!;
		expect(theirs.memory_usage_per_crdt).toEqual({ users: bytes });
		expect(bytes).toBeGreaterThan(10 * "user-0".length);
		for (const user of same!.values) same!.remove(user);
		expect(second.metrics.memory_usage_per_crdt["users"]).toBeLessThan(bytes);
	});

	it("refuses unknown types, names that are taken, strangers, second ones of a node, and calls after its end", async () => {
		const one = create("node-1");
		const counter = one.registerCRDT("n", "G_COUNTER");
		expect(one.registerCRDT("n", "G_COUNTER").value).toBe(0);
		expect(thrownCode(() => one.registerCRDT("n", "OR_SET"))).toBe("crdt-name-taken");
		expect(thrownCode(() => one.registerCRDT("x", "2P_SET" as never))).toBe("crdt-type-unknown");
		expect(thrownCode(() => one.registerCRDT("x", "toString" as never))).toBe("crdt-type-unknown");
		for (const name of ["", "x".repeat(201), 7 as unknown as string, null as unknown as string])
			expect(thrownCode(() => one.registerCRDT(name, "G_COUNTER"))).toBe("invalid-argument");
		expect(thrownCode(() => counter.increment(-1))).toBe("crdt-amount-invalid");
		expect(thrownCode(() => create("node-2", { syncInterval: 5 } as CRDTSynchronizerOptions))).toBe("option-unknown");
		expect(thrownCode(() => new CRDTSynchronizer("node-9", group))).toBe("not-a-member");
		const none = undefined as unknown as string[];
		expect(thrownCode(() => new CRDTSynchronizer("node-1", none))).toBe("invalid-argument");
		expect(thrownCode(() => new GossipProtocolCoordinator("node-1", none))).toBe("invalid-argument");
		const gossip = (options: object): string => thrownCode(() => new GossipProtocolCoordinator("n", ["s"], options));
		expect(gossip({ profil: "local" })).toBe("option-unknown");
		expect(gossip({ tuning: { fanout: 3 } })).toBe("option-unknown");
		for (const options of [
			{ profile: "zz" },
			{ lossChance: 2 },
			{ threads: 0 },
			{ dissemination: "shout" },
			{ group: "" },
		])
			expect(gossip(options)).toBe("invalid-argument");
		expect(gossip({ tuning: { gossipFanout: 0 } })).toBe("gossip-config-invalid");
		expect(thrownCode(() => create("node-1"))).toBe("crdt-node-taken");
		one.close();
		one.close();
		expect(thrownCode(() => counter.increment())).toBe("crdt-synchronizer-closed");
		await expect(one.synchronize()).rejects.toMatchObject({ code: "crdt-synchronizer-closed" });
	});
});
