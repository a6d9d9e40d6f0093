/**
 * Goal: equal entries have one digest, and entries that differ anywhere have different ones.
 * Method: every field changed alone, and a grid of small entries, where a weak digest collides.
 */
import { expect, it } from "vitest";
import type { Entry, SessionId } from "../../../../protocols/raft/index.ts";
import { entryDigest } from "../../../../protocols/raft/properties/entry-digest.ts";
import { command, term } from "../lone-machine.ts";

it("every field counts, to its last bit", () => {
	const entry = command(1, "x");
	const others: Entry[] = [
		{ ...entry, term: term(2) },
		{ ...entry, term: term(1 + 2 ** 40) },
		{ ...entry, kind: "no-op" },
		{ ...entry, kind: "open-session" },
		{ ...entry, session: 1 as SessionId },
		{ ...entry, serial: 1 },
		{ ...entry, firstIncomplete: 1 },
		command(1, "y"),
		command(1, "xx"),
		command(1, ""),
	];
	expect(new Set([entry, ...others].map(entryDigest)).size).toBe(others.length + 1);
	expect(entryDigest(command(1, "x"))).toBe(entryDigest(entry));
	for (const digest of others.map(entryDigest)) expect(Number.isSafeInteger(digest)).toBe(true);
});

it("small entries do not collide", () => {
	const digests = new Set<number>();
	const few = [0, 1, 2, 3, 4, 5, 6, 7];
	for (const inTerm of few) {
		for (const session of few) {
			for (const serial of few) {
				for (const firstIncomplete of few) {
					for (const byte of few) {
						const data = Uint8Array.of(byte);
						digests.add(
							entryDigest({ ...command(inTerm), session: session as SessionId, serial, firstIncomplete, data }),
						);
					}
				}
			}
		}
	}
	expect(digests.size).toBe(few.length ** 5);
});
