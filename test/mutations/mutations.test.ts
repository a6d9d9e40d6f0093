/**
 * Goal: the planted bugs stay plantable, so that the mutation run (`test/mutations/run.ts`) tests what it says.
 * Method: each edit matches exactly once in the present source and changes it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { crdtMutations } from "./crdt.ts";
import { mutate } from "./mutation.ts";
import { raftMutations } from "./raft.ts";

describe("mutations", () => {
	const planted = [...raftMutations, ...crdtMutations];

	it.each(planted.map((mutation) => [mutation.name, mutation] as const))("%s", (_name, mutation) => {
		const source = readFileSync(new URL(`../../${mutation.file}`, import.meta.url), "utf8");
		expect(mutate(source, mutation)).not.toBe(source);
	});

	it("have names of their own", () => {
		for (const suite of [raftMutations, crdtMutations]) {
			expect(new Set(suite.map(({ name }) => name)).size).toBe(suite.length);
		}
	});
});
