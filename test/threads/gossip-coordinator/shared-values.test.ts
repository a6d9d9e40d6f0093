/**
 * Goal: gossip carries the anti-entropy of CRDTs (GOS-21): values that members share are the same at all after changes at many, under
 * loss and over the death of a thread with all its members; what a member has said that it kept is never lost. Method: real threads;
 * each step waits for what must happen, without a limit of its own.
 */
import { GossipProtocolCoordinator } from "quorate";
import { GossipGroup } from "quorate/gossip-coordinator";
import { filter, firstValueFrom, startWith, switchMap, take, toArray } from "rxjs";
import { expect, it } from "vitest";

const nodes = ["a", "b", "c", "d"];
const values = { visits: "g-counter", users: "add-wins-set", title: "lww-register" } as const;

async function started(
	options: { readonly lossChance?: number; readonly shares?: boolean } = {},
): Promise<GossipGroup> {
	const { lossChance = 0, shares = true } = options;
	const shared = shares ? { values, valuesIntervalMs: 100 } : {};
	const group = await GossipGroup.start({ profile: "local", threads: 2, seed: 1, lossChance, ...shared });
	const met = firstValueFrom(
		group.events$.pipe(
			filter(({ event }) => event.type === "member-joined"),
			take(nodes.length * (nodes.length - 1)),
			toArray(),
		),
	);
	for (const node of nodes) await group.startMember(node);
	await Promise.all(nodes.slice(1).map((node) => group.join(node, ["a"])));
	await met;
	return group;
}

/** Resolves when all members show these visits: looked at after each change that somebody tells. */
async function allShow(group: GossipGroup, visits: number): Promise<void> {
	const changed$ = group.events$.pipe(filter(({ event }) => event.type === "values-changed"));
	const shown$ = changed$.pipe(
		startWith(null),
		switchMap(() => Promise.all(group.nodes.map((node) => group.values(node)))),
	);
	await firstValueFrom(shown$.pipe(filter((shown) => shown.every((value) => value["visits"] === visits))));
}

const increment = (amount: number) => [{ type: "increment", path: ["visits"], amount } as const];

it("GOS-21: changes at all members are at all members, in spite of loss, and survive a thread and its members", async () => {
	const group = await started({ lossChance: 0.2 });
	try {
		await Promise.all(nodes.map((node, i) => group.changeValues(node, increment(i + 1))));
		await group.changeValues("b", [{ type: "add", path: ["users"], value: "ann" }]);
		await allShow(group, 10);
		const [thread = "", lost = []] = [...group.threads][0] ?? [];
		expect(lost.length).toBeGreaterThan(0);
		// Kept, and perhaps not told to anybody yet when its thread dies.
		await group.changeValues(lost[0] as string, increment(5));
		const back = firstValueFrom(
			group.events$.pipe(
				filter(({ event }) => event.type === "rejoining"),
				take(lost.length),
				toArray(),
			),
		);
		await group.killThread(thread);
		await back;
		await allShow(group, 15);
		// Its new life is a new replica: what it does now is not taken for what the former did.
		await group.changeValues(lost[0] as string, increment(7));
		await allShow(group, 22);
		expect((await group.values("d"))["users"]).toEqual(["ann"]);
	} finally {
		await group.stop();
	}
});

it("refuses a change with one command that is wrong as a whole, values that are too large, and a group that shares none", async () => {
	const group = await started();
	try {
		const half = [...increment(1), { type: "increment", path: ["nothing"], amount: 1 } as const];
		await expect(group.changeValues("a", half)).rejects.toMatchObject({ code: "crdt-container-unknown" });
		const large = (value: string) => [{ type: "add", path: ["users"], value: value.repeat(600_000) } as const];
		await expect(group.changeValues("a", [...large("x"), ...large("y")])).rejects.toMatchObject({
			code: "gossip-values-too-large",
			details: { node: "a", limitBytes: 1_048_576 },
		});
		expect(await group.values("a")).toEqual({ visits: 0, users: [], title: null });
	} finally {
		await group.stop();
	}
	const none = await started({ shares: false });
	try {
		await expect(none.changeValues("a", increment(1))).rejects.toMatchObject({ code: "gossip-values-missing" });
		await expect(none.values("a")).rejects.toMatchObject({ code: "gossip-values-missing" });
	} finally {
		await none.stop();
	}
	await expect(GossipGroup.start({ values: { x: "nonsense" as "lww-register" } })).rejects.toMatchObject({
		code: "crdt-schema-invalid",
	});
});

it("a coordinator shows shared values as they change", async () => {
	const settings = { group: "shared", profile: "local", values, valuesIntervalMs: 100 } as const;
	const one = new GossipProtocolCoordinator("node-1", ["seed-1"], settings);
	const two = new GossipProtocolCoordinator("node-2", ["seed-1"], settings);
	await one.initialize();
	try {
		await two.initialize();
		const shown = firstValueFrom(two.values$.pipe(filter(({ visits }) => visits === 3)));
		await one.change(increment(3));
		expect(await shown).toMatchObject({ visits: 3 });
	} finally {
		await two.shutdown();
		await one.shutdown();
	}
});
