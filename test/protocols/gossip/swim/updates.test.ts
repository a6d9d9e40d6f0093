/**
 * Goal: which statement about a member overrides which (SWIM §4.2), who may raise an incarnation, and what is refused
 * (GOS-12, GOS-13, GOS-23). Method: one member, statements by hand.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CryptoPort, NodeId } from "../../../../protocols/core/index.ts";
import {
	INCARNATION_LEAP_MAX,
	INCARNATION_MAX,
	type MemberUpdate,
	statementBytes,
} from "../../../../protocols/gossip/index.ts";
import { a, alive, b, c, d, dead, e, LoneMember, left, suspected } from "./lone-member.ts";

const statements = {
	alive: (n: number) => alive(b, n),
	suspect: (n: number) => suspected(b, c, n),
	dead: (n: number) => dead(b, c, n),
	left: (n: number) => left(b, n),
};

describe("which statement overrides which (SWIM §4.2)", () => {
	/** Present state at incarnation 5; statement; incarnation; what is held afterwards. */
	const rules = [
		["alive", "alive", 5, "alive 5"],
		["alive", "alive", 6, "alive 6"],
		["alive", "alive", 4, "alive 5"],
		["alive", "suspect", 5, "suspect 5"],
		["alive", "suspect", 4, "alive 5"],
		["alive", "suspect", 6, "suspect 6"],
		["alive", "dead", 5, "dead 5"],
		["alive", "dead", 4, "alive 5"],
		["alive", "left", 5, "left 5"],
		["suspect", "alive", 5, "suspect 5"],
		["suspect", "alive", 6, "alive 6"],
		["suspect", "suspect", 4, "suspect 5"],
		["suspect", "suspect", 6, "suspect 6"],
		["suspect", "dead", 5, "dead 5"],
		["suspect", "dead", 4, "suspect 5"],
		["suspect", "left", 5, "left 5"],
		["dead", "alive", 5, "dead 5"],
		["dead", "alive", 6, "alive 6"],
		["dead", "suspect", 9, "dead 5"],
		["dead", "dead", 9, "dead 5"],
		["dead", "left", 5, "left 5"],
		["left", "alive", 5, "left 5"],
		["left", "alive", 6, "alive 6"],
		["left", "suspect", 9, "left 5"],
		["left", "dead", 9, "left 5"],
	] as const;

	it.each(rules)("%s at 5, then %s at %i: %s", (state, kind, incarnation, held) => {
		const member = new LoneMember({ others: [c, d] });
		member.hear(b, alive(b, 5));
		if (state !== "alive") member.hear(c, state === "suspect" ? suspected(b, d, 5) : statements[state](5));
		member.hear(d, statements[kind](incarnation));
		expect(`${member.stateOf(b)} ${member.incarnationOf(b)}`).toBe(held);
	});

	it("who is not known is not accused", () => {
		const member = new LoneMember({ others: [c] }).hear(c, suspected(b, c), dead(b, c), left(b));
		expect(member.stateOf(b)).toBe("none");
		expect(member.events).toEqual([]);
	});

	it("the order of arrival does not matter for what is held, but for deaths", () => {
		// Alive and left statements of a member form a lattice; whatever the order, the greatest stays.
		fc.assert(
			fc.property(
				fc.array(fc.record({ n: fc.integer({ min: 1, max: 4 }), gone: fc.boolean() }), { minLength: 1 }),
				(said) => {
					const updates = said.map(({ n, gone }) => (gone ? left(b, n) : alive(b, n)));
					const member = new LoneMember({ others: [c] }).hear(b, alive(b, 1));
					const reverse = new LoneMember({ others: [c] }).hear(b, alive(b, 1));
					for (const update of updates) member.hear(c, update);
					for (const update of updates.toReversed()) reverse.hear(c, update);
					expect(`${member.stateOf(b)} ${member.incarnationOf(b)}`).toBe(
						`${reverse.stateOf(b)} ${reverse.incarnationOf(b)}`,
					);
				},
			),
		);
	});
});

describe("refutation (SWIM §4.2)", () => {
	it.each(["suspect", "dead"] as const)("an accused member says that it lives, at the next incarnation: %s", (kind) => {
		const member = new LoneMember({ others: [b] });
		member.hear(b, kind === "suspect" ? suspected(a, b, 1) : dead(a, b, 1));
		expect(member.waitingAbout(a)).toMatchObject({ kind: "alive", incarnation: 2 });
		expect(member.events).toContainEqual({ type: "refuted", incarnation: 2, accusation: kind, by: b });
		expect(member.effects).toContainEqual({ type: "persist", writeId: 2, write: { incarnation: 2 } });
	});

	it("refutes above whatever incarnation was accused", () => {
		const member = new LoneMember({ others: [b] }).hear(b, suspected(a, b, 9));
		expect(member.waitingAbout(a)?.incarnation).toBe(10);
	});

	it("an old accusation is not refuted again", () => {
		const member = new LoneMember({ others: [b] }).hear(b, suspected(a, b, 1));
		member.hear(b, suspected(a, b, 1), dead(a, b, 1));
		expect(member.events).toEqual([]);
		expect(member.machine.status.incarnation).toBe(2);
	});

	it("being accused is a sign of bad health (Lifeguard §IV-A)", () => {
		const member = new LoneMember({ others: [b] }).hear(b, suspected(a, b, 1));
		expect(member.events).toContainEqual({ type: "health-changed", score: 1 });
	});

	it("what a former life said is overruled, without harm to health", () => {
		const member = new LoneMember({ others: [b] }).hear(b, alive(a, 7));
		expect(member.machine.status.incarnation).toBe(8);
		expect(member.machine.status.health).toBe(0);
		const sameIncarnation = new LoneMember({ others: [b] }).hear(b, alive(a, 1, Uint8Array.of(1)));
		expect(sameIncarnation.machine.status.incarnation).toBe(2);
	});

	it("a member that leaves lets itself be called dead", () => {
		const member = new LoneMember({ others: [b] });
		member.request({ type: "leave" });
		member.hear(b, dead(a, b, 1));
		expect(member.machine.status.incarnation).toBe(1);
		expect(member.waitingAbout(a)?.kind).toBe("left");
	});
});

describe("what is refused", () => {
	const bad = [
		["an unknown kind", { ...alive(b), kind: "risen" as MemberUpdate["kind"] }],
		["a bad id", { ...alive(b), node: "no id!" as NodeId, by: "no id!" as NodeId }],
		["a fraction", alive(b, 1.5)],
		["a negative incarnation", alive(b, -1)],
		["an incarnation beyond the last", alive(b, INCARNATION_MAX + 1)],
		["alive by another", { ...alive(b), by: c }],
		["left by another", { ...left(b, 2), by: c }],
		["tags with an accusation", { ...suspected(b, c, 2), tags: Uint8Array.of(1) }],
		["too many tags", alive(b, 1, new Uint8Array(513))],
		["an endless signature", { ...alive(b), signature: new Uint8Array(129) }],
	] as const;
	it.each(bad)("%s", (_what, update) => {
		// Nobody is accused who is not known.
		const others = update.kind === "suspect" || update.kind === "left" ? [b, c, d] : [c, d];
		const member = new LoneMember({ others });
		const before = member.stateOf(b);
		member.hear(c, update);
		expect(member.events).toMatchObject([{ type: "update-refused", reason: "malformed", from: c }]);
		expect(member.stateOf(b)).toBe(before);
	});

	it("one more member than the table may hold", () => {
		const member = new LoneMember({ others: [b, c], config: { membersMax: 2 } }).hear(b, alive(d));
		expect(member.events).toMatchObject([{ type: "update-refused", reason: "table-full", node: "d" }]);
		expect(member.machine.status.present).toBe(3);
	});

	it("hearsay far beyond what is known, but not a member's own word", () => {
		const far = 2 + INCARNATION_LEAP_MAX;
		const member = new LoneMember({ others: [b, c] }).hear(c, suspected(b, c, far), dead(b, c, far), alive(b, far));
		expect(member.events.map((event) => event.type)).toEqual(["update-refused", "update-refused", "update-refused"]);
		member.hear(b, alive(b, far));
		expect(member.incarnationOf(b)).toBe(far);
	});
});

/** A keyed stand-in that is unforgeable by construction: a signature names its signer and repeats the bytes. */
function signer(self: NodeId): CryptoPort {
	const sealed = (by: NodeId, bytes: Uint8Array): Uint8Array =>
		new TextEncoder().encode(`${by}:${bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7)}`);
	return {
		digest: (bytes) => bytes,
		sign: (bytes) => sealed(self, bytes),
		verify: (by, bytes, signature) => sealed(by, bytes).join() === signature.join(),
		authenticate: (_to, bytes) => sealed(self, bytes),
		isAuthentic: (from, bytes, authenticator) => sealed(from, bytes).join() === authenticator.join(),
	};
}
function signed(update: MemberUpdate, by: NodeId = update.by): MemberUpdate {
	return { ...update, signature: signer(by).sign(statementBytes(update)) };
}

describe("signed statements (GOS-23)", () => {
	const group = (): LoneMember => {
		const member = new LoneMember({ crypto: signer(a) });
		for (const other of [b, c, d]) member.hear(other, signed(alive(other)));
		return member;
	};

	it("are believed from their signer, whoever passes them on", () => {
		const member = group().hear(c, signed(alive(e, 40)), signed(suspected(b, d)));
		expect([member.stateOf(e), member.stateOf(b)]).toEqual(["alive", "suspect"]);
	});

	it.each([
		["unsigned", suspected(b, c)],
		["signed by another", signed(suspected(b, c), d)],
		["altered: another member", { ...signed(suspected(d, c)), node: b }],
		["altered: another incarnation", { ...signed(dead(b, c, 0)), incarnation: 1 }],
		["altered: an incarnation of the same lower half", { ...signed(alive(b, 2)), incarnation: 2 + 2 ** 32 }],
		["altered: another kind", { ...signed(suspected(b, c)), kind: "dead" as const }],
		["altered: other tags", { ...signed(alive(b, 2)), tags: Uint8Array.of(1) }],
	])("are refused: %s", (_what, update) => {
		const member = group().hear(c, update);
		expect(member.stateOf(b)).toBe("alive");
		expect(member.events).toMatchObject([{ type: "update-refused", reason: "not-signed" }]);
	});

	it("are forgotten with whom they are about", () => {
		const member = group()
			.hear(c, signed(dead(b, c)))
			.timer(`dead/${b}`);
		const { accusations } = member.machine.state as { accusations: ReadonlyMap<NodeId, MemberUpdate> };
		expect([...accusations.keys()]).toEqual([b]);
		member.timer(`dead/${b}`);
		expect(accusations.size).toBe(0);
	});

	it("can not accuse an incarnation that the accused has not signed", () => {
		const member = group().hear(c, signed(suspected(b, c, 2)));
		expect(member.events).toMatchObject([{ type: "update-refused", reason: "incarnation-leap", from: c }]);
	});

	it("are passed on with their signatures", () => {
		const member = group().hear(c, signed(suspected(b, d)));
		expect(member.waitingAbout(b)).toEqual(signed(suspected(b, d)));
		expect(["b", "c", "d"]).toContain(member.failProbe());
		const own = (["b", "c", "d"] as NodeId[]).map((id) => member.waitingAbout(id)).filter((update) => update?.by === a);
		expect(own.length).toBe(1);
		for (const update of own) expect(signed(update as MemberUpdate)).toEqual(update);
	});
});
