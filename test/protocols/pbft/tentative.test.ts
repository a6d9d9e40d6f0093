/**
 * Goal: what is executed before it is committed is believed by a quorum alone, is undone by every view change, is confirmed once, and no
 * read sees it (rules 10, 13, 24, 35; OSDI'99 §5.1.2). Method: a lone machine and its applier side by side, then a group.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../protocols/core/index.ts";
import {
	type OrderedApplication,
	PbftApplier,
	type PbftDelivery,
	ReplyCollector,
} from "../../../protocols/pbft/index.ts";
import { GroupDriver, type Outcome } from "./group-driver.ts";
import { decode, encode, Ledger } from "./ledger.ts";
import { at, c1, inView, LoneReplica, members, n1, n2, n3, n4 } from "./lone-replica.ts";
import { StrictWatch } from "./strict-watch.ts";

/** A machine with its application side, which performs each delivery as it comes. */
class Hosted {
	readonly replica = new LoneReplica(n2, { executesTentatively: true });
	readonly ledger = new Ledger();
	readonly #applier = new PbftApplier({
		application: this.ledger,
		digest: this.replica.port(n1).digest,
		clientWindow: 64,
		statePartBytes: 16,
	});
	answers: string[] = [];

	perform(): readonly string[] {
		const deliveries: string[] = [];
		for (const effect of this.replica.effects) {
			if (effect.type !== "apply") continue;
			const { delivery } = effect;
			deliveries.push(delivery.type);
			if (delivery.type === "take-checkpoint" || delivery.type === "restore-checkpoint") continue;
			for (const { answer } of this.#applier.perform(delivery)) {
				this.answers.push(`${answer.type} ${"data" in answer ? decode(answer.data) : ""}`);
			}
		}
		return deliveries;
	}

	/** This replica prepares a slot of view 0. */
	prepare(sequence: number, ...timestamps: number[]): Uint8Array {
		const { replica } = this;
		const batch = replica.batch(...timestamps.map((timestamp) => replica.request(timestamp)));
		const digest = replica.digestOf(batch);
		replica.hear(n1, replica.prePrepare(sequence, batch));
		this.perform();
		replica.hear(n3, replica.prepare(n3, sequence, digest));
		return digest;
	}

	commit(sequence: number, digest: Uint8Array, view = 0): readonly string[] {
		for (const by of [n3, n4]) {
			this.replica.hear(by, this.replica.commit(by, sequence, digest, view));
			const performed = this.perform();
			if (performed.length > 0) return performed;
		}
		return [];
	}
}

describe("tentative execution", () => {
	it("is of the next slot once it is prepared and all before it is committed, one at a time, and is confirmed", () => {
		const hosted = new Hosted();
		const second = hosted.prepare(2, 2);
		expect(hosted.perform()).toEqual([]);
		const first = hosted.prepare(1, 1, 1);
		expect(hosted.perform()).toEqual(["execute-tentatively"]);
		expect(hosted.ledger.applied).toEqual(["op1"]);
		expect(hosted.replica.machine.view.executed).toBe(0);
		expect(hosted.commit(1, first)).toEqual(["confirm", "execute-tentatively"]);
		expect(hosted.commit(2, second)).toEqual(["confirm"]);
		expect(hosted.ledger.applied).toEqual(["op1", "op2"]);
		expect(hosted.replica.machine.view.executed).toBe(2);
	});

	it("leaves behind the record of what is prepared, and is off by default", () => {
		const hosted = new Hosted();
		hosted.prepare(1, 1);
		const { effects } = hosted.replica;
		expect(effects.findIndex(({ type }) => type === "persist")).toBeLessThan(
			effects.findIndex(({ type }) => type === "apply"),
		);
		expect(effects.find(({ type }) => type === "apply")).toMatchObject({ release: "after-durable" });
		const plain = new LoneReplica();
		const batch = plain.batch(plain.request(1));
		plain.hear(n1, plain.prePrepare(1, batch)).hear(n3, plain.prepare(n3, 1, plain.digestOf(batch)));
		expect(plain.delivered("execute-tentatively")).toEqual([]);
	});

	it("answers an ask once: tentatively, and who asks again when it is committed", () => {
		const hosted = new Hosted();
		hosted.replica.ask(hosted.replica.request(1));
		const digest = hosted.prepare(1, 1);
		hosted.perform();
		expect(hosted.answers).toEqual(["tentative-result 1"]);
		hosted.replica.ask(hosted.replica.request(1));
		expect(hosted.perform()).toEqual([]);
		hosted.commit(1, digest);
		expect(hosted.answers).toEqual(["tentative-result 1", "result 1"]);
	});

	it("rule 35: is undone when the view is left, and what the view change carries is what is prepared", () => {
		const hosted = new Hosted();
		const before = hosted.prepare(1, 1);
		hosted.perform();
		hosted.commit(1, before);
		const digest = hosted.prepare(2, 2);
		hosted.perform();
		expect(hosted.ledger.applied).toEqual(["op1", "op2"]);
		const { replica } = hosted;
		replica.ask(replica.request(9)).fire("request");
		expect(hosted.perform()).toEqual(["roll-back"]);
		expect(hosted.ledger.applied).toEqual(["op1"]);
		expect(replica.said("view-change")[0]?.prepared.map((proof) => proof.digest)).toContainEqual(digest);
		// Rule 24: the new view proposes it again, and it is executed once.
		for (const by of [n3, n4]) replica.hear(by, replica.viewChange(by, 1));
		for (const sequence of [1, 2]) {
			const of = sequence === 1 ? replica.machine.view.slots.get(at(1))!.decision!.digest : digest;
			for (const by of [n3, n4]) {
				replica.hear(by, replica.prepare(by, sequence, of, 1));
				hosted.perform();
			}
			hosted.commit(sequence, of, 1);
		}
		expect(hosted.ledger.applied).toEqual(["op1", "op2"]);
		expect(replica.machine.view.executed).toBe(2);
	});

	it("is undone when another view is entered that decides something else in its slot", () => {
		const hosted = new Hosted();
		hosted.prepare(1, 1);
		hosted.perform();
		const { replica } = hosted;
		const bodies = [n1, n3, n4].map((by) => [by, replica.viewChange(by, 2)] as const);
		for (const [by, body] of bodies) {
			replica.hear(by, body);
			hosted.perform();
		}
		replica.hear(n3, replica.newView(2, bodies));
		hosted.perform();
		expect(hosted.ledger.applied).toEqual([]);
		expect(replica.machine.view.view).toBe(2);
	});

	it("is not of a change of membership", () => {
		const { replica } = new Hosted();
		const change = replica.batch(replica.request(1, "x", c1, "configure"));
		replica.hear(n1, replica.prePrepare(1, change));
		replica.hear(n3, replica.prepare(n3, 1, replica.digestOf(change)));
		expect(replica.machine.view.slots.get(at(1))?.prepared).not.toBeNull();
		expect(replica.delivered("execute-tentatively")).toEqual([]);
	});

	it("rule 13: a read waits until what was tentative is committed, also after it was undone here", () => {
		for (const isUndone of [false, true]) {
			const hosted = new Hosted();
			const { replica } = hosted;
			const digest = hosted.prepare(1, 1);
			hosted.perform();
			replica.ask(replica.request(7, "read", c1, "read"));
			expect(hosted.perform()).toEqual([]);
			if (isUndone) {
				replica.ask(replica.request(9)).fire("request");
				expect(hosted.perform()).toEqual(["roll-back"]);
				replica.ask(replica.request(8, "read", c1, "read"));
				expect(hosted.perform()).toEqual([]);
				expect(hosted.answers).toEqual([]);
			} else {
				expect(hosted.commit(1, digest)).toEqual(["confirm", "query"]);
				expect(hosted.answers).toEqual(["read-result op1"]);
				replica.ask(replica.request(8, "read", c1, "read"));
				expect(hosted.perform()).toEqual(["query"]);
			}
		}
	});

	it("rule 10: a quorum of equal tentative answers of one view makes a result; f + 1 committed ones do", () => {
		const configuration = { epoch: 0 as never, members, faults: 1 };
		const said = (type: "result" | "tentative-result", view: number, data = "x") =>
			({ type, client: c1, timestamp: 1, sequence: at(1), view: inView(view), data: encode(data) }) as const;
		const replies = new ReplyCollector(configuration, 1);
		expect(replies.add(n1, said("tentative-result", 0))).toBeNull();
		expect(replies.add(n2, said("tentative-result", 0))).toBeNull();
		expect(replies.add(n3, said("tentative-result", 1))).toBeNull();
		expect(replies.isHopeless).toBe(false);
		expect(replies.add(n4, said("tentative-result", 0))).toMatchObject({ members: ["n1", "n2", "n4"], sequence: 1 });
		const committed = new ReplyCollector(configuration, 1);
		expect(committed.add(n1, said("tentative-result", 0))).toBeNull();
		expect(committed.add(n2, said("result", 0))).toBeNull();
		expect(committed.add(n1, said("result", 0))).toMatchObject({ members: ["n1", "n2"] });
	});
});

describe("the application side", () => {
	const execution = (
		replica: LoneReplica,
		type: "execute" | "execute-tentatively",
		timestamp: number,
	): PbftDelivery => ({
		type,
		sequence: at(timestamp),
		view: inView(0),
		requests: [replica.request(timestamp)],
		requestIds: null,
		choice: new Uint8Array(0),
	});

	it.each(["a snapshot", "a savepoint"])("undoes the application and the replies by %s", (way) => {
		const replica = new LoneReplica();
		const ledger = new Ledger();
		let savepoints = 0;
		const application: OrderedApplication = ledger;
		if (way === "a savepoint") {
			application.savepoint = () => {
				savepoints++;
				const before = ledger.applied.slice();
				return () => {
					ledger.applied = before;
				};
			};
		}
		const settings = { digest: replica.port(n1).digest, clientWindow: 1, statePartBytes: 16 };
		const applier = new PbftApplier({ ...settings, application });
		const plain = new PbftApplier({ ...settings, application: new Ledger() });
		for (const each of [applier, plain]) each.perform(execution(replica, "execute", 1) as never);
		applier.perform(execution(replica, "execute-tentatively", 2) as never);
		expect(() => applier.capture(at(1))).toThrow("a checkpoint holds nothing tentative");
		applier.perform({ type: "roll-back", sequence: at(2) });
		expect(applier.capture(at(1)).snapshot.root).toEqual(plain.capture(at(1)).snapshot.root);
		expect(savepoints).toBe(way === "a savepoint" ? 1 : 0);
	});
});

it("a group that executes tentatively answers before it commits, and comes to the same over a dead primary", () => {
	const client = nodeId("c1");
	const watch = new StrictWatch();
	const driver: GroupDriver = new GroupDriver({
		seed: 2,
		members: 4,
		faults: 1,
		clients: [client],
		application: () => new Ledger(),
		tuning: { checkpointInterval: 4, windowSize: 8, statePartBytes: 16, executesTentatively: true, viewTimeoutMs: 100 },
		observe: (observation) => watch.observe(observation),
	});
	const outcomes: Outcome[] = [];
	const ask = (from: number, to: number): void => {
		for (let i = from; i <= to; i++) {
			for (const id of driver.members)
				driver.request(id, driver.signed(client, i, encode(`op${i}`)), (o) => outcomes.push(o));
		}
	};
	ask(1, 10);
	expect(driver.runUntil(() => outcomes.length === 40, 10_000)).toBe(true);
	expect(outcomes.filter(({ type }) => type === "tentative-result").length).toBeGreaterThan(20);
	ask(11, 14);
	driver.run(4);
	driver.crash(n1);
	ask(15, 20);
	const ledger = (id: typeof n1): string => (driver.application(id) as Ledger).applied.join(" ");
	const isDone = (): boolean =>
		ledger(n2).split(" ").length === 20 && ledger(n2) === ledger(n3) && ledger(n3) === ledger(n4);
	expect(driver.runUntil(isDone, 20_000)).toBe(true);
	driver.restart(n1);
	expect(driver.runUntil(() => watch.isRecovered && ledger(n1) === ledger(n2), 20_000)).toBe(true);
	expect(driver.sent.get("view-change")).toBeGreaterThan(0);
});
