/**
 * Goal: states are a join semilattice (CRDT-8): joining is commutative, associative and idempotent, and never loses anything; and a
 * difference is the least that has the effect of the whole (CRDT-10, CRDT-18). It fails when the result of a join depends on who
 * joined what first, or when a difference leaves something out.
 * Method: states of sixteen replicas on a bad network with every type and nesting in one document; equality is that of canonical bytes.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CausalContext, CrdtDocument, replicaId } from "../../../protocols/crdt/index.ts";
import { everyType, ReplicaNetwork } from "./replica-network.ts";

const seeds = fc.integer({ min: 0, max: 0x7fff_ffff });
const indexes = fc.tuple(fc.nat(15), fc.nat(15), fc.nat(15));

/** Three states of one group, out of sixteen. */
function threeStates(
	seed: number,
	[a, b, c]: readonly [number, number, number],
): readonly [Uint8Array, Uint8Array, Uint8Array] {
	const network = new ReplicaNetwork({ seed, replicas: 16, collects: false });
	for (let step = 0; step < 80; step++) network.step();
	const { documents } = network;
	return [documents[a]!.encode(), documents[b]!.encode(), documents[c]!.encode()];
}

/** Who only reads. */
function load(state: Uint8Array): CrdtDocument {
	return CrdtDocument.load(state, { replica: replicaId("viewer", 0), schema: everyType });
}

function join(first: Uint8Array, ...others: readonly Uint8Array[]): CrdtDocument {
	const document = load(first);
	for (const other of others) document.merge(other);
	return document;
}

describe("joining states", () => {
	it("is commutative, associative and idempotent, and inflates", () => {
		fc.assert(
			fc.property(seeds, indexes, (seed, chosen) => {
				const [a, b, c] = threeStates(seed, chosen);
				const ab = join(a, b);
				expect(join(b, a).encodeShared()).toEqual(ab.encodeShared());
				expect(join(ab.encode(), c).encodeShared()).toEqual(join(a, join(b, c).encode()).encodeShared());
				expect(join(a, a).encodeShared()).toEqual(load(a).encodeShared());
				expect(join(ab.encode(), b, a).encodeShared()).toEqual(ab.encodeShared());
				for (const state of [a, b]) expect(["after", "equal"]).toContain(ab.compare(load(state)));
			}),
			{ numRuns: 12 },
		);
	});

	it("has the effect of applying the difference, which has nothing in it that is known", () => {
		fc.assert(
			fc.property(seeds, indexes, (seed, chosen) => {
				const [a, b] = threeStates(seed, chosen);
				const joined = join(a, b);
				const updated = load(a);
				const difference = load(b).differenceTo(updated.context);
				if (difference.type === "update") {
					expect(updated.apply(difference.bytes)).toBe("applied");
					expect(updated.apply(difference.bytes)).toBe("known");
				}
				expect(updated.encodeShared()).toEqual(joined.encodeShared());
				expect(load(b).differenceTo(updated.context).type).toBe("nothing");
				// What was learnt from others is passed on as well as if it were one's own.
				const empty = new CrdtDocument({ replica: replicaId("late", 0), schema: everyType });
				const whole = updated.differenceTo(new CausalContext());
				if (whole.type === "update") empty.apply(whole.bytes);
				expect(empty.encodeShared()).toEqual(joined.encodeShared());
			}),
			{ numRuns: 12 },
		);
	});

	it("tells whether a state is before, after or beside another one", () => {
		const schema = { n: "g-counter" } as const;
		const [a, b] = ["a", "b"].map((node) => new CrdtDocument({ replica: replicaId(node, 0), schema }));
		expect(a!.compare(b!)).toBe("equal");
		a!.counter("n").increment();
		expect([a!.compare(b!), b!.compare(a!)]).toEqual(["after", "before"]);
		b!.counter("n").increment();
		expect([a!.compare(b!), b!.compare(a!)]).toEqual(["concurrent", "concurrent"]);
	});
});
