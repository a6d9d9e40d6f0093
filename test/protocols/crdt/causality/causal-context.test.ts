/**
 * Goal: a context is the set of dots that were put into it, however compactly it is kept (CRDT-13, CRDT-18). It fails when a range is
 * joined wrongly with its neighbours or with the vector.
 * Method: random dots and ranges against a plain set.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader } from "../../../../protocols/crdt/encoding/byte-reader.ts";
import { ByteWriter } from "../../../../protocols/crdt/encoding/byte-writer.ts";
import { CausalContext, type ReplicaId, replicaId } from "../../../../protocols/crdt/index.ts";

const replicas = [replicaId("a", 0), replicaId("a", 1), replicaId("b", 0)];
const ranges = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 30 }), fc.nat(5)), { maxLength: 20 });

type Ranges = readonly (readonly [number, number, number])[];

function contextOf(given: Ranges): { context: CausalContext; set: Set<string> } {
	const context = new CausalContext();
	const set = new Set<string>();
	for (const [replica, first, more] of given) {
		context.addRange(replicas[replica]!, first, first + more);
		for (let sequence = first; sequence <= first + more; sequence++) set.add(`${replicas[replica]}:${sequence}`);
	}
	return { context, set };
}

function dots(context: CausalContext): Set<string> {
	const set = new Set<string>();
	for (const replica of replicas) {
		for (let sequence = 1; sequence <= 40; sequence++)
			if (context.has(replica, sequence)) set.add(`${replica}:${sequence}`);
	}
	return set;
}

describe("a causal context", () => {
	it("holds exactly the dots that were added", () => {
		fc.assert(
			fc.property(ranges, (given) => {
				const { context, set } = contextOf(given);
				expect(dots(context)).toEqual(set);
				const prefix = (replica: ReplicaId): number => {
					let sequence = 0;
					while (set.has(`${replica}:${sequence + 1}`)) sequence++;
					return sequence;
				};
				for (const replica of replicas) expect(context.sequenceOf(replica)).toBe(prefix(replica));
			}),
		);
	});

	it("joins, compares and copies as sets do", () => {
		fc.assert(
			fc.property(ranges, ranges, (one, other) => {
				const [a, b] = [contextOf(one), contextOf(other)];
				const joined = a.context.copy();
				joined.join(b.context);
				expect(dots(joined)).toEqual(new Set([...a.set, ...b.set]));
				const above = [...b.set].every((dot) => a.set.has(dot));
				const below = [...a.set].every((dot) => b.set.has(dot));
				const order = above ? (below ? "equal" : "after") : below ? "before" : "concurrent";
				expect(a.context.compare(b.context)).toBe(order);
				expect(dots(a.context)).toEqual(a.set);
			}),
		);
	});

	it("has one spelling, whatever the order of additions", () => {
		fc.assert(
			fc.property(ranges, (given) => {
				const bytes = [given, [...given].reverse()].map((order) => {
					const writer = new ByteWriter();
					contextOf(order).context.encode(writer);
					return writer.take();
				});
				expect(bytes[0]).toEqual(bytes[1]);
				const decoded = CausalContext.decode(new ByteReader(bytes[0]!));
				expect(decoded.compare(contextOf(given).context)).toBe("equal");
			}),
		);
	});
});
