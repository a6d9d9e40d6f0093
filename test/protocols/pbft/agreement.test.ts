/** Goal: what a member does with words that do not count. Method: one member, the test as its peers. */
import { expect, it } from "vitest";
import { LoneReplica, n1, n2, n3 } from "./lone-replica.ts";

it("a prepare of the primary, who has pre-prepared already, is charged to it, and a backup's is not", () => {
	const replica = new LoneReplica(n2);
	const batch = replica.batch(replica.request(1));
	const digest = replica.digestOf(batch);
	replica.hear(n1, replica.prePrepare(1, batch), replica.prepare(n1, 1, digest));
	expect(replica.events("suspicion")).toEqual([{ type: "suspicion", member: n1, reason: "not-the-primary" }]);
	expect(replica.said("commit")).toEqual([]);
	replica.hear(n3, replica.prepare(n3, 1, digest));
	expect(replica.events("suspicion")).toEqual([]);
	expect(replica.said("commit").length).toBe(3);
});
