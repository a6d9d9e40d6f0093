/**
 * Goal: every type means what its definition says, at every replica and at any time, and replicas that know the same are the same
 * (CRDT-2 to CRDT-9, CRDT-14, CRDT-20, CRDT-21, CRDT-30). It fails when an operation is lost, applied twice, shown before what it
 * depends on, or ordered differently somewhere.
 * Method: random groups on a bad network (`ReplicaNetwork`), held against the definitions (`ReferenceHistory`); a failure prints the seed.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReplicaNetwork } from "./replica-network.ts";

function run(seed: number, replicas: number, steps: number, collects: boolean): void {
	const network = new ReplicaNetwork({ seed, replicas, collects });
	for (let step = 0; step < steps; step++) {
		const index = network.step();
		expect(network.documents[index]!.value).toEqual(network.expected(index));
	}
	network.settle();
	const [first, ...others] = network.documents;
	expect(first!.value).toEqual(network.expected(0));
	for (const other of others) {
		expect(other.value).toEqual(first!.value);
		expect(other.compare(first!)).toBe("equal");
		expect(other.encodeShared()).toEqual(first!.encodeShared());
		expect(other.waiting).toBe(0);
	}
}

describe("replicas on a bad network", () => {
	const seeds = fc.integer({ min: 0, max: 0x7fff_ffff });

	it("mean what the definitions say, without collection", () => {
		fc.assert(
			fc.property(seeds, (seed) => run(seed, 4, 60, false)),
			{ numRuns: 20 },
		);
	});

	it("mean what the definitions say, with collection", () => {
		fc.assert(
			fc.property(seeds, (seed) => run(seed, 4, 60, true)),
			{ numRuns: 20 },
		);
	});

	it("mean what the definitions say, sixteen of them", () => {
		fc.assert(
			fc.property(seeds, fc.boolean(), (seed, collects) => run(seed, 16, 120, collects)),
			{ numRuns: 6 },
		);
	});
});
