/** One seeded run of replicas on a bad network, held against the definitions of the types after every step. */
import { deepStrictEqual } from "node:assert/strict";
import { assert } from "../../../protocols/core/index.ts";
import { ReplicaNetwork } from "./replica-network.ts";

const STEPS = 120;

/**
 * A seed decides everything: one in three runs has sixteen replicas, every other one collects.
 * @throws Error saying which promise is broken
 */
export function runSeed(seed: number): void {
	const network = new ReplicaNetwork({ seed, replicas: seed % 3 === 0 ? 16 : 4, collects: seed % 2 === 0 });
	for (let step = 0; step < STEPS; step++) {
		const index = network.step();
		isSame(network.documents[index]?.value, network.expected(index), "a replica means what the definitions say");
	}
	network.settle();
	const [first] = network.documents;
	assert(first !== undefined, "there are replicas");
	isSame(first.value, network.expected(0), "all together mean what the definitions say");
	for (const other of network.documents) {
		isSame(other.value, first.value, "replicas that know the same show the same");
		assert(other.compare(first) === "equal", "replicas that know the same are equal");
		isSame(other.encodeShared(), first.encodeShared(), "replicas that know the same are written alike");
		assert(other.waiting === 0, "nothing waits any more");
	}
}

function isSame(actual: unknown, expected: unknown, promise: string): void {
	try {
		deepStrictEqual(actual, expected);
	} catch (cause) {
		throw new Error(`broken: ${promise}`, { cause });
	}
}
