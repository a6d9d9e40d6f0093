/**
 * Goal: members that lie are found out, what they can not have made is refused, and honest members have the same bytes all the same
 * (CRDT-30 with members that lie). It fails when an equivocator makes two honest members differ, when a forged operation is
 * taken, or when a fork that is shown late takes away what a majority has built on.
 * Method: groups of honest replicas and twins (two replicas with one key, which is what an equivocator is), operations delivered in random
 * order; and single operations made by hand. The crypto is ideal: nobody can forge what it could not sign.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Generator, nodeId } from "../../../../protocols/core/index.ts";
import {
	CrdtDocument,
	type DocumentSchema,
	decodeOperation,
	replicaId,
	type SignedEvent,
	SignedReplica,
} from "../../../../protocols/crdt/index.ts";
import { encodeOperation, signOperation } from "../../../../protocols/crdt/signed/operation.ts";
import { IdealAuthority } from "../../../../protocols/verification/index.ts";

const schema: DocumentSchema = { text: "text", users: "add-wins-set", hits: "pn-counter" };
const members = ["a", "b", "c", "d"].map(nodeId);

class Group {
	readonly authority = new IdealAuthority(1, members);
	readonly events = new Map<SignedReplica, SignedEvent[]>();

	replica(node: string): SignedReplica {
		const replica = new SignedReplica({
			node: nodeId(node),
			members,
			schema,
			crypto: this.authority.portOf(nodeId(node)),
		});
		const events: SignedEvent[] = [];
		this.events.set(replica, events);
		replica.observer = (event) => events.push(event);
		return replica;
	}
}

function type(replica: SignedReplica, text: string, position = replica.document.text("text").length): Uint8Array {
	return replica.change((document) => document.text("text").insert(position, text))!;
}

/** Each gives the other what it lacks. */
function exchange(...replicas: readonly SignedReplica[]): void {
	for (let round = 0; round < replicas.length; round++) {
		for (const from of replicas) {
			for (const to of replicas) {
				if (from !== to) for (const bytes of from.missing(to.heads)) to.receive(bytes);
			}
		}
	}
}

function expectSame(...replicas: readonly SignedReplica[]): void {
	const [first, ...others] = replicas;
	for (const other of others) {
		expect(other.document.value).toEqual(first!.document.value);
		expect(other.document.encodeShared()).toEqual(first!.document.encodeShared());
		expect(other.waiting).toBe(0);
	}
}

function code(act: () => unknown): string {
	try {
		act();
	} catch (error) {
		return `${(error as { code: string }).code}: ${(error as Error).message}`;
	}
	return "nothing thrown";
}

describe("honest members", () => {
	it("come to the same, whatever the order in which operations arrive, however often", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 0x7fff_ffff }), (seed) => {
				const draw = new Generator(seed, "order");
				const group = new Group();
				const replicas = members.map((member) => group.replica(member));
				const said: Uint8Array[] = [];
				for (let i = 0; i < 40; i++) {
					const one = draw.pick(replicas);
					said.push(type(one, `${i}`, draw.below(one.document.text("text").length + 1)));
					for (let j = 0; j < 6; j++) draw.pick(replicas).receive(draw.pick(said));
				}
				exchange(...replicas);
				expectSame(...replicas);
				expect([...group.events.values()].flat()).toEqual([]);
			}),
			{ numRuns: 10 },
		);
	});
});

describe("an author who says two things", () => {
	it("is found out by whoever hears both, with a proof that anybody can check", () => {
		const group = new Group();
		const [a, twin, b] = [group.replica("a"), group.replica("a"), group.replica("b")];
		b.receive(type(a, "one"));
		const outcome = b.receive(type(twin, "two"));
		expect(outcome.type).toBe("equivocation");
		expect([...b.equivocators]).toEqual(["a"]);
		if (outcome.type !== "equivocation") return;
		const { first, second } = outcome.evidence;
		const anybody = group.authority.portOf(nodeId("d"));
		expect([first, second].map((each) => decodeOperation(anybody, encodeOperation(each)).author)).toEqual(["a", "a"]);
		expect(first.previous).toBe(second.previous);
		expect(first.id).not.toBe(second.id);
	});

	it("does not make honest members differ, whatever it tells whom and when", () => {
		let equivocations = 0;
		let leftOut = 0;
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 0x7fff_ffff }), (seed) => {
				const draw = new Generator(seed, "liar");
				const group = new Group();
				const honest = ["b", "c", "d"].map((node) => group.replica(node));
				const twins = [group.replica("a"), group.replica("a"), group.replica("a")];
				const said: Uint8Array[] = [];
				for (let i = 0; i < 60; i++) {
					const one = draw.pick([...honest, ...twins]);
					const position = draw.below(one.document.text("text").length + 1);
					// One that has heard its twin says nothing more.
					if (honest.includes(one) || code(() => type(one, "", 0)) === "nothing thrown")
						said.push(type(one, `${i}`, position));
					for (let j = 0; j < 4; j++) draw.pick(draw.below(20) === 0 ? twins : honest).receive(draw.pick(said));
				}
				exchange(...honest);
				for (const bytes of said) for (const one of honest) one.receive(bytes);
				exchange(...honest);
				expectSame(...honest);
				for (const one of honest) {
					const events = group.events.get(one)!;
					equivocations += events.filter((event) => event.type === "equivocation").length;
					leftOut += events.filter((event) => event.type === "left-out").length;
					expect(events.filter((event) => event.type === "refused")).toEqual([]);
				}
				// They go on, and what they write then is not lost.
				for (const one of honest) type(one, `(${one.document.replica})`);
				exchange(...honest);
				expectSame(...honest);
				for (const one of honest) {
					expect(honest[0]!.document.text("text").toString()).toContain(`(${one.document.replica})`);
				}
			}),
			{ numRuns: 25 },
		);
		// Else nothing of what it is about would have happened.
		expect(equivocations).toBeGreaterThan(25);
		expect(leftOut).toBeGreaterThan(5);
	});

	it("can not take away what a majority has built on, by a fork that it shows late", () => {
		const group = new Group();
		const [a, twin] = [group.replica("a"), group.replica("a")];
		const honest = ["b", "c", "d"].map((node) => group.replica(node));
		const early = type(a, "base ");
		for (const one of honest) {
			one.receive(early);
			type(one, `${one.document.replica} `);
		}
		exchange(...honest);
		const before = honest[0]!.document.text("text").toString();
		const late = type(twin, "nothing of this ever was");
		for (const one of honest) expect(one.receive(late).type).toBe("equivocation");
		expectSame(...honest);
		expect(honest[0]!.document.text("text").toString()).toBe(before);
	});

	it("that finds out that its key is used elsewhere says nothing more", () => {
		const group = new Group();
		const [a, twin] = [group.replica("a"), group.replica("a")];
		a.receive(type(twin, "not mine"));
		expect(code(() => type(a, "mine"))).toContain("crdt-replica-reused");
	});

	it("has nobody's branch taken without a majority, and those who built on one are told", () => {
		const group = new Group();
		const [a, twin, b, c] = [group.replica("a"), group.replica("a"), group.replica("b"), group.replica("c")];
		b.receive(type(a, "left"));
		c.receive(type(twin, "right"));
		type(b, "+b");
		type(c, "+c");
		exchange(b, c);
		expectSame(b, c);
		expect(b.document.text("text").toString()).toBe("");
		expect(group.events.get(b)!.filter((event) => event.type === "left-out")).toHaveLength(1);
		type(b, "anew");
		exchange(b, c);
		expectSame(b, c);
		expect(c.document.text("text").toString()).toBe("anew");
	});
});

describe("what an author can not have made", () => {
	const group = new Group();
	const crypto = group.authority.portOf(nodeId("a"));
	const update = (replica: string): Uint8Array => {
		const document = new CrdtDocument({ replica: replicaId(replica, 0), schema });
		document.text("text").insert(0, "x");
		return document.takeUpdate()!;
	};
	const author = nodeId("a");
	const content = { author, previous: null, dependencies: [], update: update("a") } as const;

	it("is refused: another one's name, number or operations, and what it does not name", () => {
		const b = group.replica("b");
		const real = signOperation(crypto, content);
		const refused = (operation: typeof real): string => code(() => b.receive(encodeOperation(operation)));
		expect(refused({ ...real, author: nodeId("c") })).toContain("has not signed it");
		expect(refused({ ...real, update: update("c") })).toContain("has not signed it");
		expect(refused({ ...real, signature: new Uint8Array(real.signature.length) })).toContain("has not signed it");
		expect(refused(signOperation(crypto, { ...content, update: update("c") }))).toContain("operations of c#0");
		expect(refused(signOperation(crypto, { ...content, update: new Uint8Array(3) }))).toContain("crdt-update-damaged");
		expect(b.receive(encodeOperation(real)).type).toBe("applied");
		expect(b.receive(encodeOperation(real)).type).toBe("known");
		// Numbers that leave a gap, or that are used again.
		expect(refused(signOperation(crypto, { ...content, previous: real.id, dependencies: [real.id] }))).toContain(
			"do not go on",
		);
		// An element of b's that a names nowhere.
		const hers = decodeOperation(crypto, type(b, "hers"));
		const seen = CrdtDocument.recover(null, [real.update, hers.update], { replica: replicaId("a", 0), schema });
		seen.text("text").insert(3, "his");
		const his = signOperation(crypto, {
			author,
			previous: real.id,
			dependencies: [real.id],
			update: seen.takeUpdate()!,
		});
		expect(refused(his)).toContain("leans on something that it does not name");
	});

	it("waits as long as what it names is not here, within a bound, and then is looked at", () => {
		const waiting = new SignedReplica({
			node: nodeId("b"),
			members,
			schema,
			crypto: group.authority.portOf(nodeId("b")),
			waitingMax: 1,
		});
		const a = group.replica("a");
		const [first, second, third] = [type(a, "1"), type(a, "2"), type(a, "3")];
		expect(waiting.receive(second).type).toBe("waiting");
		expect(code(() => waiting.receive(third))).toContain("crdt-buffer-full");
		expect(waiting.document.text("text").toString()).toBe("");
		expect(waiting.receive(first).type).toBe("applied");
		expect(waiting.receive(third).type).toBe("applied");
		expect(waiting.document.text("text").toString()).toBe("123");
	});

	it("does not take another author's operation for its own predecessor: its chain would have two beginnings", () => {
		const b = group.replica("b");
		const hers = decodeOperation(crypto, type(b, "hers"));
		const document = new CrdtDocument({ replica: replicaId("a", 1), schema });
		document.text("text").insert(0, "x");
		const his = signOperation(crypto, {
			author,
			previous: hers.id,
			dependencies: [hers.id],
			update: document.takeUpdate()!,
		});
		expect(code(() => b.receive(encodeOperation(his)))).toContain("another author's");
	});

	it("fills no place but its own among what waits", () => {
		const b = new SignedReplica({
			node: nodeId("b"),
			members,
			schema,
			crypto: group.authority.portOf(nodeId("b")),
			waitingMax: 1,
		});
		const [a, c] = [group.replica("a"), group.replica("c")];
		type(a, "1");
		expect(b.receive(type(a, "2")).type).toBe("waiting");
		type(c, "1");
		expect(b.receive(type(c, "2")).type).toBe("waiting");
	});

	it("is refused when it is cut or changed anywhere", () => {
		const bytes = encodeOperation(signOperation(crypto, content));
		for (let at = 0; at < bytes.length; at++) {
			const changed = bytes.slice();
			changed[at]! ^= 1;
			expect(code(() => group.replica("c").receive(changed))).toMatch(/^crdt-(operation-invalid|update-damaged)/);
			expect(code(() => group.replica("c").receive(bytes.slice(0, at)))).toMatch(
				/^crdt-(operation-invalid|update-damaged)/,
			);
		}
	});
});
