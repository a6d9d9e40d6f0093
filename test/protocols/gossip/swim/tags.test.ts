/**
 * Goal: tags and filters have one encoding, bounds, and patterns that take no time without a bound (GOS-2). Method: round trips of random
 * ones, bytes that are none, and a plain recursive matcher as the second way to each answer.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../../protocols/core/index.ts";
import { decodeTags, encodeFilter, encodeTags } from "../../../../protocols/gossip/index.ts";
import { decodeFilter, isAsked, matchesPattern } from "../../../../protocols/gossip/swim/tags.ts";

const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,6}$/);
const tags = fc.dictionary(name, fc.stringMatching(/^[\x20-\x7e]{0,8}$/), { maxKeys: 6 });
const nodes = fc.uniqueArray(name.map(nodeId), { maxLength: 4 });
const bytesOf = (...parts: (string | number)[]): Uint8Array =>
	Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...Buffer.from(part)])));
const none = new Uint8Array(0);

/** What a pattern says, by its definition. */
function matchesPlainly(pattern: string, value: string): boolean {
	if (pattern === "") return value === "";
	if (pattern[0] === "*")
		return matchesPlainly(pattern.slice(1), value) || (value !== "" && matchesPlainly(pattern, value.slice(1)));
	const length = pattern[0] === "\\" ? 2 : 1;
	return value !== "" && pattern[length - 1] === value[0] && matchesPlainly(pattern.slice(length), value.slice(1));
}

describe("tags", () => {
	it("are decoded as they were encoded, whatever the order they were given in", () => {
		fc.assert(
			fc.property(tags, (given) => {
				const bytes = encodeTags(given);
				expect(new Map(decodeTags(bytes))).toEqual(new Map(Object.entries(given)));
				expect(encodeTags(Object.fromEntries(Object.entries(given).reverse()))).toEqual(bytes);
			}),
		);
	});

	it("are their own names, whatever an object has beside", () => {
		const bytes = encodeTags(Object.fromEntries([["__proto__", "x"]]));
		expect([...(decodeTags(bytes) ?? [])]).toEqual([["__proto__", "x"]]);
		const filter = decodeFilter(encodeFilter({ tags: { constructor: "*" } as never }));
		expect(filter && isAsked(filter, nodeId("a"), bytes)).toBe(false);
	});

	it.each([
		["no name", { "": "x" }, "gossip-tags-invalid"],
		["a name with a space", { "a b": "x" }, "gossip-tags-invalid"],
		["a value of another kind", { a: 1 as never }, "gossip-tags-invalid"],
		["a value that is not ASCII", { a: "ü" }, "gossip-tags-invalid"],
		["a value of 256", { a: "x".repeat(256) }, "gossip-tags-invalid"],
		["513 bytes", { a: "x".repeat(255), b: "x".repeat(252) }, "gossip-too-large"],
	])("with %s are refused", (_what, given, code) => {
		expect(() => encodeTags(given)).toThrow(expect.objectContaining({ code }));
	});

	it("of 512 bytes are taken", () => {
		expect(encodeTags({ a: "x".repeat(255), b: "x".repeat(251) }).length).toBe(512);
	});

	it.each([
		["out of order", bytesOf(1, "b", 0, 1, "a", 0)],
		["said twice", bytesOf(1, "a", 0, 1, "a", 0)],
		["cut off", bytesOf(1, "a", 5, "x")],
		["of a bad name", bytesOf(1, " ", 0)],
		["of another kind", bytesOf(0xff, 0xfe)],
	])("%s are none", (_what, bytes) => {
		expect(decodeTags(bytes)).toBeNull();
	});
});

describe("filters", () => {
	it("are decoded as they were encoded, and random bytes only if they are one", () => {
		fc.assert(
			fc.property(nodes, tags, (named, given) => {
				const patterns = Object.fromEntries(
					Object.entries(given).map(([key, text]) => [key, text.replaceAll("\\", "")]),
				);
				const bytes = encodeFilter({ nodes: named, tags: patterns });
				const decoded = decodeFilter(bytes);
				if (named.length + Object.keys(patterns).length === 0) expect(bytes).toEqual(none);
				else expect(decoded).toEqual({ nodes: [...named].sort(), tags: new Map(Object.entries(patterns)) });
			}),
		);
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
				const decoded = decodeFilter(bytes);
				if (decoded === null) return;
				expect(encodeFilter({ nodes: decoded.nodes, tags: Object.fromEntries(decoded.tags) })).toEqual(bytes);
			}),
		);
	});

	it("ask who is named, and has every tag as its pattern says", () => {
		const [a, b] = [nodeId("a"), nodeId("b")];
		const said = encodeTags({ role: "web-1", zone: "x" });
		const asks = (filter: Parameters<typeof encodeFilter>[0], node = a, bytes = said): boolean => {
			const decoded = decodeFilter(encodeFilter(filter));
			return decoded !== null && isAsked(decoded, node, bytes);
		};
		expect(asks({ tags: { role: "web-*" } })).toBe(true);
		expect(asks({ tags: { role: "web-*", zone: "y" } })).toBe(false);
		expect(asks({ tags: { role: "web" } })).toBe(false);
		expect(asks({ tags: { rack: "*" } })).toBe(false);
		expect(asks({ nodes: [b] })).toBe(false);
		expect(asks({ nodes: [a, b], tags: { zone: "x" } })).toBe(true);
		expect(asks({ nodes: [a] }, a, bytesOf(9, 9))).toBe(true);
		expect(asks({ tags: { role: "*" } }, a, bytesOf(9, 9))).toBe(false);
	});

	it("with a pattern that ends in the middle, or nodes that are none, are refused", () => {
		const code = "gossip-tags-invalid";
		expect(() => encodeFilter({ tags: { a: "x\\" } })).toThrow(expect.objectContaining({ code }));
		expect(() => encodeFilter({ nodes: ["no id!" as never] })).toThrow(expect.objectContaining({ code }));
		expect(decodeFilter(bytesOf(0, 1, "a", 1, "\\"))).toBeNull();
	});
});

describe("patterns", () => {
	it("match what their definition says", () => {
		const pattern = fc.stringMatching(/^([ab*]|\\[ab*\\]){0,8}$/);
		fc.assert(
			fc.property(pattern, fc.stringMatching(/^[ab*\\]{0,8}$/), (text, value) => {
				expect(matchesPattern(text, value)).toBe(matchesPlainly(text, value));
			}),
			{ numRuns: 3_000 },
		);
	});

	it("that would take a backtracking matcher for ever come to an end", () => {
		expect(matchesPattern("*a".repeat(60), `${"a".repeat(254)}b`)).toBe(false);
	});
});
