/** Goal: authenticators are HMAC-SHA-256. Method: cases of RFC 4231, and node:crypto's own HMAC over random keys and messages. */
import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HmacKey, sha256 } from "../../../runtime/crypto/hmac-key.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const repeated = (byte: number, count: number): Uint8Array => new Uint8Array(count).fill(byte);

/** RFC 4231 §4.2 to §4.5: key, data, HMAC-SHA-256. Its longer keys are digested first, which none here needs. */
const cases: readonly [Uint8Array, Uint8Array, string][] = [
	[repeated(0x0b, 20), ascii("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
	[
		ascii("Jefe"),
		ascii("what do ya want for nothing?"),
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	],
	[repeated(0xaa, 20), repeated(0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
	[
		hex("0102030405060708090a0b0c0d0e0f10111213141516171819"),
		repeated(0xcd, 50),
		"82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
	],
];

const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
	fc.uint8Array({ minLength, maxLength });
const keyAndMessage = fc.tuple(bytes(1, 64), fc.oneof(bytes(0, 200), bytes(1_000, 1_100)));

describe("an HMAC key", () => {
	it.each(cases)("RFC 4231 case %#", (key, data, mac) => {
		const made = new HmacKey(key).of(data);
		expect(Buffer.from(made).toString("hex")).toBe(mac);
		expect(new HmacKey(key).isOf(made, data)).toBe(true);
	});

	it("makes what node:crypto makes, whatever was made before", () => {
		const makesTheSame = (all: readonly [Uint8Array, Uint8Array][]): void => {
			const keys = all.map(([key]) => new HmacKey(key));
			for (const [i, [key, data]] of all.entries()) {
				expect(keys[i]?.of(data)).toEqual(Uint8Array.from(createHmac("sha256", key).update(data).digest()));
				expect(sha256(data)).toEqual(Uint8Array.from(createHash("sha256").update(data).digest()));
			}
		};
		fc.assert(fc.property(fc.array(keyAndMessage, { minLength: 1, maxLength: 4 }), makesTheSame), { numRuns: 40 });
	});

	it("takes no other authenticator, message or key for its own", () => {
		const tellsApart = (key: Uint8Array, data: Uint8Array, at: number, change: number): void => {
			const changed = (value: Uint8Array): Uint8Array =>
				value.map((byte, i) => (i === at % value.length ? byte ^ change : byte));
			const good = new HmacKey(key);
			const mac = good.of(data);
			expect(good.isOf(changed(mac), data)).toBe(false);
			expect(good.isOf(mac, changed(data))).toBe(false);
			expect(new HmacKey(changed(key)).isOf(mac, data)).toBe(false);
			expect(good.isOf(mac.subarray(0, 31), data)).toBe(false);
		};
		const some = [bytes(1, 64), bytes(1, 200), fc.nat(), fc.integer({ min: 1, max: 255 })] as const;
		fc.assert(fc.property(...some, tellsApart), { numRuns: 50 });
	});
});
