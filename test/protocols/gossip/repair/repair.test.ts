/**
 * Goal: two replicas find exactly where they differ, with traffic that depends on the difference and not on the size (GOS-7,
 * GOS-8). Method: random sets against the plain difference; counts of hashes and symbols against the papers.
 */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Generator } from "../../../../protocols/core/index.ts";
import { MerkleTree, SetDecoder, SetEncoder } from "../../../../protocols/gossip/index.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (value: Uint8Array): string => Buffer.from(value).toString("hex");

describe("MerkleTree", () => {
	const tree = (items: Readonly<Record<string, string>>, depth = 2): MerkleTree => {
		const made = new MerkleTree(sha256, depth);
		for (const [key, value] of Object.entries(items)) made.set(key, bytes(value));
		return made;
	};

	it("is the same for the same items, whatever the way there", () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 })), (items) => {
				const one = tree(items);
				const other = new MerkleTree(sha256, 2);
				other.set("gone", bytes("1"));
				for (const [key, value] of Object.entries(items).reverse()) {
					other.set(key, bytes("before"));
					other.root();
					other.set(key, bytes(value));
				}
				if (!("gone" in items)) other.delete("gone");
				expect(hex(other.root())).toBe(hex(one.root()));
				expect(other.size).toBe(Object.keys(items).length);
			}),
		);
	});

	it("finds exactly the leaves that differ", () => {
		const dictionary = fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 2 }), { maxKeys: 60 });
		fc.assert(
			fc.property(dictionary, dictionary, (left, right) => {
				const [one, other] = [tree({ ...left, ...right }), tree(left)];
				const keys = Object.keys({ ...left, ...right }).filter((key) => ({ ...left, ...right })[key] !== left[key]);
				const expected = new Set(keys.map((key) => one.leafOf(key)));
				const found = one.differingLeaves(other.root(), (level, place) => other.childrenOf(level, place));
				expect(new Set(found)).toEqual(expected);
			}),
		);
	});

	it("one difference among ten thousand items costs `depth` questions", () => {
		const items = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key-${i}`, `${i}`]));
		const [one, other] = [tree(items, 3), tree({ ...items, "key-77": "other" }, 3)];
		let questions = 0;
		const found = one.differingLeaves(other.root(), (level, place) => {
			questions++;
			return other.childrenOf(level, place);
		});
		expect(questions).toBe(3);
		expect(found).toEqual([one.leafOf("key-77")]);
		expect(one.keysOf(found[0] as number)).toContain("key-77");
	});

	it("leaves and inner nodes are hashed in domains of their own (RFC 9162 §2.1.1)", () => {
		const domains = new Set<number>();
		const spy = (input: Uint8Array): Uint8Array => {
			// Every digest is of a key, of a content, or begins with its domain.
			if (input.length > 100) domains.add(input[0] as number);
			return sha256(input);
		};
		const made = new MerkleTree(spy, 1);
		for (let i = 0; i < 100; i++) made.set(`key-${i}`, bytes("x"));
		made.root();
		expect([...domains].sort()).toEqual([0, 1]);
	});

	it("keys run into each other in no list of items", () => {
		// Without lengths, "ab" + digest and "a" + "b…" could have the same bytes: equal roots need equal items.
		const roots = [{ ab: "1" }, { a: "1" }, { a: "1", b: "1" }, { b: "1" }, {}].map((items) =>
			hex(tree(items as Record<string, string>, 1).root()),
		);
		expect(new Set(roots).size).toBe(roots.length);
	});
});

describe("rateless IBLT", () => {
	const item = (n: number): Uint8Array =>
		sha256(Uint8Array.of(n & 0xff, (n >> 8) & 0xff, (n >> 16) & 0xff)).slice(0, 16);
	const reconcile = (theirs: readonly number[], ours: readonly number[], key: number): SetDecoder => {
		const [encoder, decoder] = [new SetEncoder(16, key), new SetDecoder(16, key)];
		for (const n of theirs) encoder.add(item(n));
		for (const n of ours) decoder.add(item(n));
		for (let i = 0; i < 100_000 && !decoder.isComplete; i++) decoder.take(encoder.next());
		return decoder;
	};
	const sorted = (items: readonly Uint8Array[]): string[] => items.map(hex).sort();

	it("finds the difference on both sides, for any two sets", () => {
		const set = fc.uniqueArray(fc.nat(400), { maxLength: 120 });
		fc.assert(
			fc.property(set, set, fc.nat(), (theirs, ours, key) => {
				const decoder = reconcile(theirs, ours, key);
				expect(decoder.isComplete).toBe(true);
				expect(sorted(decoder.missing)).toEqual(sorted(theirs.filter((n) => !ours.includes(n)).map(item)));
				expect(sorted(decoder.surplus)).toEqual(sorted(ours.filter((n) => !theirs.includes(n)).map(item)));
			}),
			{ numRuns: 60 },
		);
	});

	it("equal sets take one symbol", () => {
		expect(reconcile([1, 2, 3], [3, 2, 1], 7).taken).toBe(1);
	});

	it("takes at most 1.72 symbols for each difference on average, near 1.35 of many, whatever the sets' size (§5)", () => {
		const dice = new Generator(1, "keys");
		const overhead = (differences: number, common: number, runs: number): number => {
			let taken = 0;
			for (let run = 0; run < runs; run++) {
				const shared = Array.from({ length: common }, (_, i) => 10_000 + i);
				const ours = Array.from({ length: differences >> 1 }, (_, i) => i);
				const theirs = Array.from({ length: differences - ours.length }, (_, i) => 5_000 + i);
				taken += reconcile([...shared, ...theirs], [...shared, ...ours], dice.uint32()).taken;
			}
			return taken / runs / differences;
		};
		expect(overhead(1_000, 500, 8)).toBeLessThan(1.45);
		expect(overhead(1_000, 500, 8)).toBeGreaterThan(1.3);
		// Small differences scatter: standard error about 0.05 here.
		expect(overhead(20, 2_000, 40)).toBeLessThan(1.72 + 0.15);
	});

	it("symbols of no set, or out of order, never give more items than there are symbols", () => {
		const source = fc.record({ set: fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 6 }), skip: fc.nat(5) });
		fc.assert(
			fc.property(fc.array(source, { minLength: 1, maxLength: 30 }), (sources) => {
				const decoder = new SetDecoder(16, 1);
				try {
					for (const { set, skip } of sources) {
						const encoder = new SetEncoder(16, 1);
						for (const n of set) encoder.add(item(n));
						for (let i = 0; i < skip; i++) encoder.next();
						decoder.take(encoder.next());
					}
				} catch (error) {
					expect(error).toMatchObject({ code: "gossip-symbols-inconsistent" });
				}
				expect(decoder.missing.length + decoder.surplus.length).toBeLessThanOrEqual(decoder.taken);
			}),
		);
	});

	it("symbols have a bound, and items one length", () => {
		const [encoder, decoder] = [new SetEncoder(16, 1), new SetDecoder(16, 1, 3)];
		for (let n = 0; n < 100; n++) encoder.add(item(n));
		for (let i = 0; i < 3; i++) decoder.take(encoder.next());
		expect(() => decoder.take(encoder.next())).toThrow("difference of two sets");
		expect(() => new SetEncoder(16, 1).add(new Uint8Array(15))).toThrow("another length");
		expect(() => new SetEncoder(0, 1)).toThrow("itemBytes");
	});
});
