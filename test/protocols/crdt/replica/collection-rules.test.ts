/**
 * Goal: each rule on which the argument at the head of `collection-agreement.ts` rests, by itself: chaos rarely brings a member to
 * just the place where one of them decides.
 * Method: one member's agreement with a host that writes down, in order, what it is asked to do.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import { CausalContext } from "../../../../protocols/crdt/causality/causal-context.ts";
import { replicaId } from "../../../../protocols/crdt/causality/replica.ts";
import { ByteWriter } from "../../../../protocols/crdt/encoding/byte-writer.ts";
import {
	CollectionAgreement,
	type CollectionRecord,
	type CollectionStep,
} from "../../../../protocols/crdt/replica/collection-agreement.ts";

const [a, b, c] = ["a", "b", "c"].map((id) => nodeId(id)) as [NodeId, NodeId, NodeId];

function applied(count: number): CausalContext {
	return CausalContext.of([[replicaId(c, 1), count]]);
}

function encoded(context: CausalContext): Uint8Array {
	const writer = new ByteWriter();
	context.encode(writer);
	return writer.take();
}

/** A member of a, b and c, of whom a leads. */
class LoneAgreement {
	/** What the host was asked, in order; sends as `step>to`. */
	log: string[] = [];
	readonly records: CollectionRecord[] = [];
	context = applied(3);
	epoch = 0;
	readonly agreement: CollectionAgreement;

	constructor(self: NodeId) {
		const read = (): number => this.epoch;
		this.agreement = new CollectionAgreement(self, [a, b, c], 3, {
			get epoch() {
				return read();
			},
			settledContext: () => this.context,
			send: (to, { step }) => this.log.push(`${step}>${to}`),
			persist: (record) => {
				this.records.push(record);
				this.log.push("persist");
			},
			collect: () => {
				this.epoch++;
				this.log.push("collect");
			},
			exchange: () => this.log.push("exchange"),
			thawed: () => this.log.push("thawed"),
			schedule: () => undefined,
			emit: () => undefined,
		});
		this.agreement.start(null);
	}

	/** What a message leads to. */
	hear(from: NodeId, step: CollectionStep, round: number, context: CausalContext | null = null): string[] {
		this.log = [];
		const bytes = context === null ? new Uint8Array() : encoded(context);
		this.agreement.receive(from, { type: "collection", step, epoch: 0, round, context: bytes });
		return this.log;
	}

	/** Frozen in a round, told the point, and there. */
	promise(round: number): string[] {
		this.hear(a, "freeze", round);
		return this.hear(a, "point", round, this.context);
	}
}

describe("a member", () => {
	it("is frozen by the leader alone", () => {
		const member = new LoneAgreement(b);
		expect(member.hear(c, "freeze", 1)).toEqual([]);
		expect(member.agreement.isFrozen).toBe(false);
		expect(member.hear(a, "freeze", 1)).toEqual(["frozen>a"]);
		expect(member.agreement.isFrozen).toBe(true);
	});

	it("promises at just the point: neither before it nor beyond it", () => {
		const member = new LoneAgreement(b);
		member.hear(a, "freeze", 1);
		expect(member.hear(a, "point", 1, applied(4))).toEqual(["exchange"]);
		member.context = applied(5);
		member.agreement.advanced();
		expect(member.agreement.hasPromised).toBe(false);
		member.context = applied(4);
		member.agreement.advanced();
		expect(member.agreement.hasPromised).toBe(true);
	});

	it("has its promise on the disk before it says so", () => {
		const member = new LoneAgreement(b);
		expect(member.promise(1)).toEqual(["exchange", "persist", "ready>a"]);
		expect(member.records.at(-1)).toEqual({ epoch: 0, round: 1, promised: 1 });
	});

	it("takes no part any more in a round that it has left", () => {
		const member = new LoneAgreement(b);
		member.hear(a, "freeze", 1);
		for (let i = 0; i < 3; i++) member.agreement.tick();
		expect(member.agreement.isFrozen).toBe(false);
		expect(member.hear(a, "freeze", 1)).toEqual([]);
		expect(member.agreement.isFrozen).toBe(false);
		expect(member.hear(a, "freeze", 2)).toEqual(["frozen>a"]);
	});

	it("has on the disk that it never promises a round, before it says that the round is over", () => {
		const member = new LoneAgreement(b);
		expect(member.hear(c, "resolve", 1)).toEqual(["persist", "abort>c"]);
		expect(member.records.at(-1)).toEqual({ epoch: 0, round: 1, promised: null });
		expect(member.promise(1)).toEqual([]);
	});

	it("is released by the end of the round that it has promised, not of another", () => {
		const member = new LoneAgreement(b);
		member.promise(2);
		member.hear(c, "abort", 1);
		expect(member.agreement.hasPromised).toBe(true);
		expect(member.hear(c, "abort", 2)).toEqual(["persist", "thawed"]);
		expect(member.records.at(-1)).toEqual({ epoch: 0, round: 2, promised: null });
	});

	it("does not collect what it has not promised", () => {
		const member = new LoneAgreement(b);
		member.hear(a, "freeze", 1);
		expect(member.hear(a, "collect", 0)).toEqual([]);
		member.hear(a, "point", 1, applied(3));
		expect(member.hear(c, "collect", 0)[0]).toBe("collect");
	});

	it("takes up its promise after a restart, of this epoch and of no other", () => {
		const again = new LoneAgreement(b);
		again.log = [];
		again.agreement.start({ epoch: 1, round: 4, promised: 4 });
		expect(again.agreement.hasPromised).toBe(false);
		again.agreement.start({ epoch: 0, round: 4, promised: 4 });
		expect(again.agreement.hasPromised).toBe(true);
		expect(again.log).toEqual(["resolve>a", "resolve>c"]);
	});

	it("forgets the rounds of an epoch that has passed without it", () => {
		const member = new LoneAgreement(b);
		member.hear(a, "freeze", 5);
		member.epoch = 1;
		member.log = [];
		member.agreement.advanced();
		expect(member.agreement.isFrozen).toBe(false);
		expect(member.log).toEqual(["thawed"]);
	});
});

describe("the leader", () => {
	/** In round 1, with the point told to both. */
	function leading(): LoneAgreement {
		const leader = new LoneAgreement(a);
		leader.agreement.want();
		leader.hear(b, "frozen", 1, applied(2));
		leader.hear(c, "frozen", 1, applied(3));
		return leader;
	}

	it("has the number of a round on the disk before it tells it, so that a restart takes another", () => {
		const leader = new LoneAgreement(a);
		leader.agreement.want();
		expect(leader.log).toEqual(["persist", "freeze>b", "freeze>c"]);
		const again = new LoneAgreement(a);
		again.agreement.start(leader.records.at(-1) ?? null);
		expect(again.hear(b, "ready", 1, applied(3))).toEqual(["abort>b"]);
		again.agreement.want();
		expect(again.records.at(-1)).toEqual({ epoch: 0, round: 2, promised: null });
	});

	it("does not count who is ready at another point than that of the round", () => {
		const leader = leading();
		leader.hear(b, "ready", 1, applied(3));
		expect(leader.hear(c, "ready", 1, applied(4))).toEqual([]);
		expect(leader.hear(c, "ready", 1, applied(2))).toEqual([]);
		expect(leader.hear(c, "ready", 1, applied(3))[0]).toBe("collect");
	});

	it("does not decide while it stands elsewhere itself", () => {
		const leader = leading();
		leader.context = applied(2);
		leader.hear(b, "ready", 1, applied(3));
		expect(leader.hear(c, "ready", 1, applied(3))).toEqual([]);
		leader.context = applied(3);
		leader.agreement.advanced();
		expect(leader.log[0]).toBe("collect");
	});
});
