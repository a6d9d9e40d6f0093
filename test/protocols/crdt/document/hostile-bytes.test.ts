/**
 * Goal: bytes that are well-formed on the outside and nonsense inside are refused with a typed error or do something that the format can say,
 * and never anything else: no broken invariant, no endless loop, no document that can not be read or encoded any more.
 * Method: updates and states of real documents with bytes changed at random and the checksum put right again.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Generator, QuorateError } from "../../../../protocols/core/index.ts";
import { crc32 } from "../../../../protocols/crdt/encoding/checksum.ts";
import { CrdtDocument, replicaId } from "../../../../protocols/crdt/index.ts";
import { everyType, ReplicaNetwork } from "../replica-network.ts";

function document(node: string): CrdtDocument {
	return new CrdtDocument({ replica: replicaId(node, 0), schema: everyType });
}

/** Changes some bytes before the checksum, which has `bytes` bytes, and makes that right. */
function changed(draw: Generator, given: Uint8Array, bytes: 2 | 4): Uint8Array {
	const copy = given.slice();
	const end = copy.length - bytes;
	for (let left = 1 + draw.below(3); left > 0; left--) copy[draw.below(end)] = draw.below(256);
	let sum = crc32(copy, 0, end);
	for (let i = 0; i < bytes; i++, sum >>>= 8) copy[end + i] = sum & 0xff;
	return copy;
}

function expectTyped(act: () => unknown): void {
	try {
		act();
	} catch (error) {
		if (!(error instanceof QuorateError)) throw error;
	}
}

function expectReadable(one: CrdtDocument): void {
	expect(one.value).toBeTypeOf("object");
	CrdtDocument.load(one.encode(), { replica: one.replica, schema: everyType });
}

const seeds = fc.integer({ min: 0, max: 0x7fff_ffff });

describe("hostile bytes", () => {
	it("in updates are refused or mean something", () => {
		const network = new ReplicaNetwork({ seed: 3, replicas: 4, collects: false });
		for (let step = 0; step < 80; step++) network.step();
		network.settle();
		const [source, other] = network.documents as [CrdtDocument, CrdtDocument];
		const base = other.encode();
		source.text("body").insert(0, "more");
		source.text("body").delete(1, 2);
		source.set("tags").add("new");
		source.lwwRegister("title").set("new");
		source.counter("tallies", "k").increment(3);
		const update = source.takeUpdate()!;
		const whole = source.differenceTo(document("empty").context);
		if (whole.type !== "update") throw new Error("a document with a log tells everything");
		fc.assert(
			fc.property(seeds, (seed) => {
				const draw = new Generator(seed, "bytes");
				const near = CrdtDocument.load(base, { replica: replicaId("near", 0), schema: everyType });
				expectTyped(() => near.apply(changed(draw, update, 2)));
				expectReadable(near);
				const empty = document("empty");
				expectTyped(() => empty.apply(changed(draw, whole.bytes, 2)));
				expectReadable(empty);
			}),
			{ numRuns: 400 },
		);
	});

	it("in states are refused or mean something", () => {
		const network = new ReplicaNetwork({ seed: 4, replicas: 4, collects: false });
		for (let step = 0; step < 80; step++) network.step();
		const [source, other] = network.documents as [CrdtDocument, CrdtDocument];
		const [state, base] = [source.encode(), other.encode()];
		fc.assert(
			fc.property(seeds, (seed) => {
				const draw = new Generator(seed, "bytes");
				const near = CrdtDocument.load(base, { replica: replicaId("near", 0), schema: everyType });
				expectTyped(() => near.merge(changed(draw, state, 4)));
				expectTyped(() => CrdtDocument.load(changed(draw, state, 4), { replica: source.replica, schema: everyType }));
				expectReadable(near);
			}),
			{ numRuns: 400, examples: [[1309379316], [1379837937]] },
		);
	});
});
