/** Goal: what a member does with words that do not count. Method: one member, the test as its peers. */
import { expect, it } from "vitest";
import { chainAfter } from "../../../protocols/pbft/statements.ts";
import { encode } from "./ledger.ts";
import { at, LoneReplica, n1, n2, n3, n4 } from "./lone-replica.ts";

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

it("a request that waits here vouches for itself alone: another operation under its name is not what was proposed", () => {
	const replica = new LoneReplica(n2);
	const asked = replica.request(1);
	replica.ask(asked);
	const proposed = replica.prePrepare(1, replica.batch(asked));
	const swapped = replica.batch({ ...asked, operation: encode("another") });
	replica.hear(n1, { ...proposed, batch: swapped });
	expect(replica.said("prepare")).toEqual([]);
	expect(replica.events("suspicion")).toEqual([{ type: "suspicion", member: n1, reason: "wrong-digest" }]);
	// Its own digest does not help where its client has not made it.
	const forged = replica.batch({ ...asked, operation: encode("another"), signature: new Uint8Array(8) });
	expect(replica.hear(n1, replica.prePrepare(2, forged)).said("prepare")).toEqual([]);
	expect(replica.hear(n1, proposed).said("prepare").length).toBe(3);
});

it("checkpoints beyond the window that nobody has signed say of nobody that it is ahead", () => {
	const replica = new LoneReplica(n2);
	for (const by of [n1, n3, n4]) {
		const unsigned = { ...replica.checkpoint(by, 40, replica.nothing), signature: new Uint8Array(8) };
		expect(replica.hear(by, unsigned).said("status")).toEqual([]);
	}
	replica.hear(n1, replica.checkpoint(n1, 40, replica.nothing));
	expect(replica.hear(n3, replica.checkpoint(n3, 40, replica.nothing)).said("status").length).toBe(2);
});

it("the chain of decisions says in which slot each was made", () => {
	const { digest } = new LoneReplica().port(n1);
	const [before, decided] = [digest(encode("before")), digest(encode("decided"))];
	expect(chainAfter(digest, before, at(1), decided)).not.toEqual(chainAfter(digest, before, at(2), decided));
});
