/**
 * Goal: the planted bugs stay plantable, so that the mutation run (`test/mutations/run.ts`) tests what it says.
 * Method: each edit matches exactly once in the present source and changes it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mutate } from "./mutation.ts";
import { pbftMutations } from "./pbft.ts";
import { raftMutations } from "./raft.ts";

const suites = { raft: raftMutations, pbft: pbftMutations };

describe.each(Object.entries(suites))("mutations of %s", (_suite, mutations) => {
	it.each(mutations.map((mutation) => [mutation.name, mutation] as const))("%s", (_name, mutation) => {
		const source = readFileSync(new URL(`../../${mutation.file}`, import.meta.url), "utf8");
		expect(mutate(source, mutation)).not.toBe(source);
	});

	it("have names of their own", () => {
		expect(new Set(mutations.map(({ name }) => name)).size).toBe(mutations.length);
	});
});
