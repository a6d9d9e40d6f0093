/**
 * Goal: the planted bugs of rooms that are not in the gate yet stay plantable. Method: each edit matches exactly once in the
 * present source and changes it; of those that name the tests which notice them, the tests exist.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../source-tree.ts";
import { crdtMutations } from "./crdt.ts";
import { gossipMutations } from "./gossip.ts";
import { faultsOf } from "./mutation.ts";
import { pbftMutations } from "./pbft.ts";
import { raftForwardingMutations } from "./raft-forwarding.ts";
import { raftRepairMutations } from "./raft-repair.ts";
import { raftRolesMutations } from "./raft-roles.ts";
import { securityMutations } from "./security.ts";

const read = (file: string): string => readFileSync(join(projectRoot, file), "utf8");

test.each([
	["crdt", crdtMutations],
	["gossip", gossipMutations],
	["pbft", pbftMutations],
	["raft-forwarding", raftForwardingMutations],
	["raft-repair", raftRepairMutations],
	["raft-roles", raftRolesMutations],
	["security", securityMutations],
] as const)("%s", (_name, mutations) => {
	expect(faultsOf(mutations, read)).toEqual([]);
});

test("the tests that notice bugs of the security protocols exist", () => {
	expect(securityMutations.filter(({ test: file }) => !existsSync(join(projectRoot, file)))).toEqual([]);
});
