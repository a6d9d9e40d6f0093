/**
 * Goal: the bugs planted in the security protocols stay plantable, and name tests that exist. Method: each edit matches exactly once in
 * the present source and changes it.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../source-tree.ts";
import { mutate } from "./mutation.ts";
import { securityMutations } from "./security.ts";

test.each(securityMutations.map((mutation) => [mutation.name, mutation] as const))(
	"security: %s",
	(_name, mutation) => {
		const source = readFileSync(join(projectRoot, mutation.file), "utf8");
		expect(mutate(source, mutation)).not.toBe(source);
		expect(existsSync(join(projectRoot, mutation.test))).toBe(true);
	},
);

test("have names of their own", () => {
	expect(new Set(securityMutations.map(({ name }) => name)).size).toBe(securityMutations.length);
});
