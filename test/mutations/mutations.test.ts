/**
 * Goal: the planted bugs stay plantable, so that the mutation run (`test/mutations/run.ts`) tests what it says.
 * Method: each edit matches exactly once in the present source and changes it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gossipMutations } from "./gossip.ts";
import { mutate } from "./mutation.ts";
import { raftMutations } from "./raft.ts";

describe("mutations", () => {
	it.each(raftMutations.map((mutation) => [mutation.name, mutation] as const))("raft: %s", (_name, mutation) => {
		const source = readFileSync(new URL(`../../${mutation.file}`, import.meta.url), "utf8");
		expect(mutate(source, mutation)).not.toBe(source);
	});

	it.each(gossipMutations.map((mutation) => [mutation.name, mutation] as const))("gossip: %s", (_name, mutation) => {
		const source = readFileSync(new URL(`../../${mutation.file}`, import.meta.url), "utf8");
		expect(mutate(source, mutation)).not.toBe(source);
	});

	it("have names of their own", () => {
		expect(new Set(raftMutations.map(({ name }) => name)).size).toBe(raftMutations.length);
		expect(new Set(gossipMutations.map(({ name }) => name)).size).toBe(gossipMutations.length);
	});
});
