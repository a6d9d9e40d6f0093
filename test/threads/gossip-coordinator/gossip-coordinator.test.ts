/**
 * Goal: gossip on worker threads does what it does on virtual time: members meet, a killed one is noticed by all and comes back
 * under its name, so does a thread with all that were on it, news reach all, and wrong use is refused (GOS-1, GOS-11, GOS-12, GOS-13). Method: real threads, the profile
 * `local`; each step waits for what must happen, without a limit of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GossipProtocolCoordinator } from "quorate";
import { GossipGroup, type GossipGroupEvent, type GossipGroupOptions } from "quorate/gossip-coordinator";
import { concatMap, filter, firstValueFrom, startWith, take, toArray } from "rxjs";
import { describe, expect, it } from "vitest";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const nodes = ["a", "b", "c", "d", "e"];

async function started(lossChance = 0, options: GossipGroupOptions = {}): Promise<GossipGroup> {
	// Sent so often, a message is missed with probability 0.2^10, loss and all.
	const tuning = { retransmitMultiplier: 10 };
	const group = await GossipGroup.start({ profile: "local", threads: 2, seed: 1, lossChance, tuning, ...options });
	for (const node of nodes) await group.startMember(node);
	const met = firstValueFrom(
		group.events$.pipe(
			filter(({ event }) => event.type === "member-joined"),
			take(nodes.length * (nodes.length - 1)),
			toArray(),
		),
	);
	await Promise.all(nodes.slice(1).map((node) => group.join(node, ["a"])));
	await met;
	return group;
}

/** Looks now and after each event, whatever it is about; what never comes true ends with the test's time. */
async function until(group: GossipGroup, isTrue: () => Promise<boolean>): Promise<void> {
	await firstValueFrom(group.events$.pipe(startWith(null), concatMap(isTrue), filter(Boolean)));
}

/** The next events that this many members tell, one each. */
function heardBy(
	group: GossipGroup,
	count: number,
	isIt: (event: GossipGroupEvent) => boolean,
): Promise<GossipGroupEvent[]> {
	return firstValueFrom(group.events$.pipe(filter(isIt), take(count), toArray()));
}

describe("a group on threads", () => {
	it("notices a kill everywhere, and takes the member back under its name with an incarnation above the dead one", async () => {
		const group = await started();
		try {
			const noticed = heardBy(group, 4, ({ event }) => event.type === "member-failed" && event.node === "e");
			await group.kill("e");
			expect(new Set((await noticed).map(({ node }) => node))).toEqual(new Set(["a", "b", "c", "d"]));
			const back = heardBy(group, 4, ({ event }) => event.type === "member-joined" && event.node === "e");
			await group.startMember("e");
			await group.join("e", ["a"]);
			await back;
			const reports = await Promise.all(nodes.map((node) => group.report(node)));
			expect(reports.map(({ present }) => present)).toEqual([5, 5, 5, 5, 5]);
			expect(reports.at(-1)?.incarnation).toBeGreaterThan(1);
		} finally {
			await group.stop();
		}
	});

	it("spreads an event to all in spite of loss, each member hearing it once", async () => {
		const group = await started(0.2);
		try {
			const heard = heardBy(group, 5, ({ event }) => event.type === "user-event");
			await group.request("c", { type: "spread-event", name: "news", payload: bytes("x") }, "event-spread");
			expect(new Set((await heard).map(({ node }) => node))).toEqual(new Set(nodes));
			const { traffic } = await group.report("a");
			expect(traffic.lost).toBeGreaterThan(0);
			expect(traffic.sentBytes).toBeGreaterThan(0);
		} finally {
			await group.stop();
		}
	});

	it("whose thread is killed comes back under supervision, with incarnations above the last, and signs what it says (GOS-12, GOS-23)", async () => {
		const group = await started(0, { signed: true });
		try {
			const [thread = "", lost = []] = [...group.threads][0] ?? [];
			expect(lost.length).toBeGreaterThan(0);
			const before = new Map(
				await Promise.all(lost.map(async (node) => [node, (await group.report(node)).incarnation] as const)),
			);
			const back = heardBy(group, lost.length, ({ event }) => event.type === "rejoining");
			await group.killThread(thread);
			expect((await back).map(({ node }) => node).sort()).toEqual([...lost].sort());
			await until(group, async () => {
				const reports = await Promise.all(nodes.map((node) => group.report(node)));
				// Everybody sees everybody again, and each that was lost at an incarnation above its last.
				return reports.every(
					({ present, members }) =>
						present === nodes.length && members.every(({ node, incarnation }) => incarnation > (before.get(node) ?? 0)),
				);
			});
		} finally {
			await group.stop();
		}
	});

	it("keeps incarnations on the disk: another process's life begins above them, and a foreign directory is refused", async () => {
		const directory = await mkdtemp(join(tmpdir(), "gossip-test-"));
		try {
			const incarnations: number[] = [];
			for (let life = 0; life < 2; life++) {
				const group = await GossipGroup.start({ profile: "local", threads: 1, directory });
				await group.startMember("a");
				incarnations.push((await group.report("a")).incarnation);
				await group.stop();
			}
			expect(incarnations).toEqual([1, 2]);
			await expect(GossipGroup.start({ group: "other", threads: 1, directory })).rejects.toMatchObject({
				code: "data-directory-foreign",
			});
		} finally {
			await rm(directory, { recursive: true });
		}
	});

	it("refuses wrong use with a code", async () => {
		const group = await started();
		try {
			const large = { type: "spread-event", name: "news", payload: new Uint8Array(600) } as const;
			await expect(group.request("a", large, "event-spread")).rejects.toMatchObject({ code: "gossip-request-refused" });
			await expect(group.startMember("a")).rejects.toMatchObject({ code: "gossip-member-runs" });
			await expect(group.killThread("storage")).rejects.toMatchObject({ code: "gossip-thread-missing" });
			await expect(group.report("nobody")).rejects.toMatchObject({ code: "gossip-member-missing" });
			await expect(GossipGroup.start({ tuning: { gossipFanout: 0 } })).rejects.toMatchObject({
				code: "gossip-config-invalid",
			});
		} finally {
			await group.stop();
		}
	});
});

describe("GossipProtocolCoordinator", () => {
	it("is silent before it is initialized, and refuses another group's settings", async () => {
		const one = new GossipProtocolCoordinator("node-1", ["seed-1"], { group: "settings", profile: "local" });
		await expect(one.broadcast("x", bytes("y"))).rejects.toMatchObject({ code: "gossip-not-initialized" });
		await one.initialize();
		try {
			const other = new GossipProtocolCoordinator("node-2", ["seed-1"], { group: "settings", profile: "wan" });
			await expect(other.initialize()).rejects.toMatchObject({ code: "gossip-settings-differ" });
			const same = new GossipProtocolCoordinator("node-1", ["seed-1"], { group: "settings" });
			await expect(same.initialize()).rejects.toMatchObject({ code: "gossip-member-runs" });
			expect((await one.members()).map(({ node }) => node)).toEqual(["seed-1"]);
			await expect(one.setTags({ "": "x" })).rejects.toMatchObject({ code: "gossip-tags-invalid" });
			await one.setTags({ role: "web-1" });
			const asked = firstValueFrom(one.queries$);
			const answers$ = await one.query("load", bytes("?"), { tags: { role: "web-*" } });
			await one.answer(await asked, bytes("low"));
			expect(await firstValueFrom(answers$)).toMatchObject({ from: "node-1", payload: bytes("low") });
			await expect(one.query("load", bytes("?"), { tags: { role: "\\" } })).rejects.toMatchObject({
				code: "gossip-tags-invalid",
			});
		} finally {
			await one.shutdown();
		}
		expect(() => new GossipProtocolCoordinator("node-1", [])).toThrow("seed");
	});
});
