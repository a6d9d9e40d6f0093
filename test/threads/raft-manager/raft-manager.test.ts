/**
 * Goal: a manager is what the design document shows: `new RaftConsensusManager(node, members)` and `initialize()`; the
 * first boots the group, later ones attach, the last to leave stops it.
 * Method: the built package on real threads; managers that come and go in every order.
 */
import { RaftConsensusManager, type SwarmEvent } from "quorate";
import { afterEach, describe, expect, it } from "vitest";

const members = ["node-1", "node-2", "node-3"];
const created: RaftConsensusManager[] = [];
function manager(...args: ConstructorParameters<typeof RaftConsensusManager>): RaftConsensusManager {
	const made = new RaftConsensusManager(...args);
	created.push(made);
	return made;
}
afterEach(async () => {
	for (const one of created.splice(0)) await one.shutdown();
});

describe("a Raft manager", () => {
	it("boots its members with the first initialize, and attaches with the next", async () => {
		const [first, second] = [manager("node-1", members), manager("node-2", ["node-3", "node-2", "node-1"])];
		await Promise.all([first.initialize(), second.initialize(), first.initialize()]);
		await first.propose({ type: "put", key: "a", value: 1 });
		expect(await second.read({ type: "get", key: "a" })).toEqual({ value: 1 });
		expect(first.leader).toBe(second.leader);
		expect(await second.status()).toMatchObject({ node: "node-2", state: "running" });
		// The group goes on until the last has left.
		await first.shutdown();
		await expect(first.propose({ type: "get", key: "a" })).rejects.toMatchObject({ code: "manager-not-initialized" });
		expect(await second.read({ type: "get", key: "a" })).toEqual({ value: 1 });
		await second.shutdown();
		// Memory storage went with the group: this is another one.
		const third = manager("node-3", members);
		await third.initialize();
		expect(await third.read({ type: "get", key: "a" })).toEqual({ value: null });
	});

	it("tells its own member's events", async () => {
		const one = manager("node-1", members);
		const events: SwarmEvent[] = [];
		one.events$.subscribe((event) => events.push(event));
		await one.initialize();
		await one.propose({ type: "put", key: "a", value: 1 });
		expect(events.every(({ node }) => node === null || node === "node-1")).toBe(true);
	});

	it("refuses members that overlap with a running group without being the same", async () => {
		await manager("node-1", members).initialize();
		await expect(manager("node-1", ["node-1", "node-4", "node-5"]).initialize()).rejects.toMatchObject({
			code: "members-overlap",
			details: { running: members },
		});
		await expect(manager("node-1", members, { seed: 7 }).initialize()).rejects.toMatchObject({
			code: "manager-settings-differ",
			details: { setting: "seed" },
		});
	});

	it("runs beside a group of other members", async () => {
		const [one, other] = [manager("node-1", members), manager("x", ["x"])];
		await Promise.all([one.initialize(), other.initialize()]);
		await one.propose({ type: "put", key: "a", value: 1 });
		expect(await other.read({ type: "get", key: "a" })).toEqual({ value: null });
	});

	it("is refused for a node that is no member, and for an impossible list", () => {
		const refused = (node: string, list: readonly string[], code: string): void =>
			expect(() => new RaftConsensusManager(node, list)).toThrowError(expect.objectContaining({ code }));
		refused("node-9", members, "not-a-member");
		refused("a", [], "node-count-invalid");
		refused("a", ["a", "a"], "node-count-invalid");
		refused("a b", ["a b"], "invalid-argument");
		expect(() => new RaftConsensusManager("a", ["a"], { initializeTimeoutMs: 0 })).toThrowError(
			expect.objectContaining({ code: "invalid-argument" }),
		);
	});

	it("rejects when no leader comes in time, and can be initialized again", async () => {
		const config = { electionTimeoutMs: { min: 5_000, max: 9_000 } };
		const one = manager("node-1", members, { initializeTimeoutMs: 100, config });
		await expect(one.initialize()).rejects.toMatchObject({ code: "no-leader" });
		await expect(one.initialize()).rejects.toMatchObject({ code: "no-leader" });
		const other = manager("node-1", members);
		await other.initialize();
		expect(other.leader).not.toBeNull();
	});
});
