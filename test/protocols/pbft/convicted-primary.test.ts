/**
 * Goal: whoever is shown to be faulty leads no more, from the moment that it is shown, and nobody correct is left behind by that; words that
 * prove nothing move nobody. Method: one machine with everybody's keys, word by word; and a group whose primary lies once and is fast after.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { otherDigest, resigned } from "../../../protocols/pbft/attacks/attack.ts";
import { type Attack, ByzantineMachine } from "../../../protocols/pbft/attacks/index.ts";
import type { Evidence, Statement } from "../../../protocols/pbft/index.ts";
import type { Accusation } from "../../../protocols/pbft/messages.ts";
import { pbftProperties } from "../../../protocols/pbft/properties/index.ts";
import { WatchList } from "../../../protocols/verification/index.ts";
import { GroupDriver } from "./group-driver.ts";
import { encode, Ledger } from "./ledger.ts";
import { at, inView, LoneReplica, n1, n2, n3, n4 } from "./lone-replica.ts";

/** Two prepares of one slot by a member, under the signatures of another if one is named. */
function contradiction(replica: LoneReplica, culprit: NodeId, signer: NodeId = culprit, epoch = 0): Evidence {
	const said = (text: string): { statement: Statement; signature: Uint8Array } => {
		const digest = replica.port(culprit).digest(encode(text));
		const statement = { type: "prepare", epoch, view: inView(0), sequence: at(7), digest } as Statement;
		return { statement, signature: replica.sign(signer, statement) };
	};
	return { type: "equivocation", culprit, first: said("this"), second: said("that") };
}

function accusation(evidence: Evidence): Accusation {
	return { type: "accusation", epoch: 0, evidence } as Accusation;
}

/** The new view that this primary opens with the view changes of these. */
function opened(replica: LoneReplica, view: number, by: readonly NodeId[]) {
	return replica.newView(
		view,
		by.map((member) => [member, replica.viewChange(member, view)] as const),
	);
}

describe("a primary that is convicted", () => {
	it("is left at once, by who holds the proof, and the proof goes to everyone with the view change, both behind the disk", () => {
		const replica = new LoneReplica(n3);
		replica.hear(n1, replica.prePrepare(1, replica.batch(replica.request(1))));
		replica.hear(n1, replica.prePrepare(1, replica.batch(replica.request(2))));
		expect(replica.events("view-change-started")).toEqual([
			{ type: "view-change-started", view: 1, reason: "convicted-primary" },
		]);
		expect(replica.said("accusation").map(({ evidence }) => evidence.culprit)).toEqual([n1, n1, n1]);
		const told = replica.effects.flatMap((effect) => (effect.type === "send" ? [effect.message.type] : []));
		expect(told.indexOf("accusation")).toBeLessThan(told.indexOf("view-change"));
		for (const type of ["accusation", "view-change"] as const) expect(replica.isPersistedBefore(type)).toBe(true);
	});

	it("is left by whoever is shown the proof, once", () => {
		const replica = new LoneReplica(n3);
		const evidence = contradiction(replica, n1);
		replica.hear(n4, accusation(evidence));
		expect(replica.events("evidence")).toEqual([{ type: "evidence", evidence }]);
		expect(replica.said("view-change")[0]?.view).toBe(1);
		replica.hear(n2, accusation(contradiction(replica, n1)));
		expect([...replica.said("view-change"), ...replica.events("evidence")]).toEqual([]);
	});

	it("stays while nothing is proved: an accusation that does not hold is an offence of the accuser", () => {
		const replica = new LoneReplica(n3);
		const forged = contradiction(replica, n1, n4);
		const same = contradiction(replica, n1);
		const nothing = { ...same, second: (same as Extract<Evidence, { type: "equivocation" }>).first } as Evidence;
		const unknown = contradiction(replica, n1, n1, 5);
		const many = Array.from({ length: 600 }, () => ({ sender: n1, signature: new Uint8Array(1) }));
		const prepared = [{ ...replica.prepared(1, encode("digest")), prepares: many.slice(0, 31) }];
		const large = { type: "bad-view-change", culprit: n1, viewChange: replica.viewChange(n1, 1, prepared) } as Evidence;
		for (const evidence of [forged, nothing, unknown, contradiction(replica, nodeId("n9"))]) {
			replica.hear(n4, accusation(evidence));
			expect(replica.events("suspicion")).toEqual([{ type: "suspicion", member: n4, reason: "false-accusation" }]);
			expect(replica.machine.view).toMatchObject({ view: 0, isActive: true });
		}
		expect(replica.machine.view.convicted.size).toBe(0);
		// One that holds, and is short enough, is no offence.
		replica.hear(n4, accusation(large));
		expect(replica.machine.view.view).toBe(1);
	});

	it("does not move who it is that is accused, nor anyone where votes are authenticated", () => {
		const accused = new LoneReplica(n2);
		accused.hear(n4, accusation(contradiction(accused, n2)));
		expect(accused.effects).toEqual([]);
		const replica = new LoneReplica(n3, { votes: "authenticated" });
		replica.hear(n4, accusation(contradiction(replica, n1)));
		expect(replica.machine.view).toMatchObject({ view: 0, isActive: true });
		expect(replica.machine.view.convicted.size).toBe(0);
	});
});

describe("views that a convicted member leads", () => {
	it("are passed over: not asked for, not joined, not entered", () => {
		const replica = new LoneReplica(n3);
		// It leads view 1. Nothing is left for it now.
		replica.hear(n4, accusation(contradiction(replica, n2)));
		expect(replica.machine.view).toMatchObject({ view: 0, isActive: true });
		const bodies = [n1, n2, n4].map((sender) => ({ sender, viewChange: replica.viewChange(sender, 1) }));
		replica.hear(
			n2,
			opened(replica, 1, [n1, n2, n4]),
			...bodies.map((body) => ({ type: "view-change-body", ...body })),
		);
		expect(replica.machine.view).toMatchObject({ view: 0, isActive: true });
		for (const by of [n1, n4]) replica.hear(by, replica.viewChange(by, 1));
		expect(replica.said("view-change")[0]?.view).toBe(2);
		expect(replica.said("accusation").map(({ evidence }) => evidence.culprit)).toEqual([n2, n2, n2]);
	});

	it("are passed over while they are asked for", () => {
		const replica = new LoneReplica(n3);
		replica.ask(replica.request(1)).fire("request");
		expect(replica.machine.view).toMatchObject({ view: 1, isActive: false });
		replica.hear(n4, accusation(contradiction(replica, n2)));
		expect(replica.said("view-change")[0]?.view).toBe(2);
	});

	it("are told of again to who is behind", () => {
		const replica = new LoneReplica(n3);
		replica.hear(n4, accusation(contradiction(replica, n1)));
		const { executed, low } = replica.machine.view;
		const behind = { view: inView(0), isActive: true, low, executed, chain: new Uint8Array(0) };
		replica.hear(n2, { type: "status", configurationEpoch: 0, ...behind });
		expect(replica.said("accusation").map(({ evidence }) => evidence.culprit)).toEqual([n1]);
		expect(replica.said("view-change").length).toBe(1);
	});

	it("go round as ever when more are convicted than may be faulty", () => {
		const replica = new LoneReplica(n3);
		for (const culprit of [n2, n4]) replica.hear(n1, accusation(contradiction(replica, culprit)));
		expect(replica.machine.view).toMatchObject({ view: 0, isActive: true });
		replica.ask(replica.request(1)).fire("request");
		expect(replica.said("view-change")[0]?.view).toBe(1);
	});

	it("are passed over in the next life, too, which tells of its convictions again", () => {
		const replica = new LoneReplica(n3);
		const evidence = contradiction(replica, n2);
		replica.hear(n4, accusation(evidence));
		replica.hear(n1, replica.prePrepare(1, replica.batch(replica.request(1))));
		replica.restart();
		expect(replica.events("evidence")).toEqual([{ type: "evidence", evidence }]);
		replica.ask(replica.request(2)).fire("request");
		expect(replica.said("view-change")[0]?.view).toBe(2);
	});
});

/** Commits in one slot to what it has not proposed. */
const lyingOnce: Attack = {
	name: "lying-once",
	description: "",
	twist: (saying, means) => {
		const { message } = saying;
		if (message.type !== "commit" || message.sequence !== 3) return [saying];
		return [{ ...saying, message: resigned({ ...message, digest: otherDigest(message.digest) }, means) }];
	},
};

it("a primary that lies once and is fast after that leads no view more, and the group goes on", () => {
	const client = nodeId("c1");
	const watch = new WatchList(pbftProperties);
	const left = new Set<string>();
	const driver: GroupDriver = new GroupDriver({
		seed: 5,
		members: 4,
		faults: 1,
		clients: [client],
		application: () => new Ledger(),
		corrupt: (id, config, crypto) => (id === n1 ? new ByzantineMachine(config, crypto, [lyingOnce], 5) : null),
		observe: (observation) => {
			watch.observe(observation);
			if (observation.type === "event" && observation.event.type === "view-change-started")
				left.add(observation.event.reason);
		},
	});
	let answered = 0;
	for (let i = 1; i <= 40; i++) {
		for (const id of driver.members) driver.request(id, driver.signed(client, i, encode(`op-${i}`)), () => answered++);
		driver.run(60);
	}
	expect(driver.runUntil(() => answered >= 3 * 40, 20_000)).toBe(true);
	expect(left).toContain("convicted-primary");
	expect(watch.results.filter(({ property, violation }) => property.kind === "always" && violation !== null)).toEqual(
		[],
	);
	for (const id of [n2, n3, n4])
		expect(driver.machine(id).status).toMatchObject({ view: 1, primary: "n2", convicted: ["n1"] });
});
