/**
 * Goal: replicated values beside a Byzantine group keep what they keep beside any other log: a strong read has what was acknowledged, and two
 * who take the last one do not both get it, whatever the primary says (BYZ-25). Method: the built package; the primary tells each half
 * something else, and another member dies after checkpoints, so that it answers from a snapshot when it is back.
 */
import { type ByzantineClient, ByzantineGroup } from "quorate";
import { CRDTConsensusIntegrator, orderedDocumentModule } from "quorate/crdt-synchronizer";
import { expect, test } from "vitest";

const schema = { stock: "pn-counter", tags: "add-wins-set" } as const;
const application = { module: orderedDocumentModule, export: "OrderedDocument", args: { schema } };
const take = [{ type: "decrement", path: ["stock"], amount: 1 }] as const;
const inStock = { path: ["stock"], atLeast: 1 };

test("BYZ-25: values that merge are ordered by a group whose primary lies and in which another dies", async () => {
	const config = { viewTimeoutMs: 2_000, checkpointInterval: 8, windowSize: 16 };
	const attackers = { "node-1": "equivocate" };
	const group = await ByzantineGroup.start({ nodes: 4, application, config, attackers });
	try {
		const client = (): ByzantineClient => group.client({ timeoutMs: 40_000 });
		const [one, two] = ["shop-1", "shop-2"].map((shop) => new CRDTConsensusIntegrator(shop, schema, client()));
		for (let i = 0; i < 20; i++) {
			const added = await one!.hybridUpdate([{ type: "add", path: ["tags"], value: `tag-${i}` }]);
			expect(added).toMatchObject({ success: true });
		}
		await group.kill("node-2");
		const delivered = await one!.hybridUpdate([{ type: "increment", path: ["stock"], amount: 1 }]);
		expect(delivered).toMatchObject({ success: true, value: { stock: 1 } });

		expect(two!.optimisticRead("stock")).toBe(0);
		expect(await two!.strongRead("stock")).toBe(1);
		expect(two!.optimisticRead("tags")).toHaveLength(20);

		const sales = await Promise.all([one!, two!].map((shop) => shop.orderedUpdate(take, inStock)));
		expect(sales.map(({ type }) => type).sort()).toEqual(["done", "unmet"]);
		expect(await one!.strongRead("stock")).toBe(0);
	} finally {
		await group.stop();
	}
});
