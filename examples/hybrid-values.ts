/**
 * One value with both kinds of consistency: stock that anybody adds to without waiting, and of which the last piece is sold once, for
 * that is decided by a Raft group.
 */
import { Swarm } from "quorate";
import { CRDTConsensusIntegrator, orderedDocumentModule } from "quorate/crdt-synchronizer";

const schema = { stock: "pn-counter" } as const;
const swarm = await Swarm.start({
	raft: { nodes: 3, application: { module: orderedDocumentModule, export: "OrderedDocument", args: { schema } } },
});
try {
	await trade();
} finally {
	await swarm.stop();
}

async function trade(): Promise<void> {
	const shops = ["shop-1", "shop-2"].map((shop) => new CRDTConsensusIntegrator(shop, schema, swarm.client()));
	const [first, second] = shops;

	const delivery = first!.hybridUpdate([{ type: "increment", path: ["stock"], amount: 1 }]);
	console.log(`shop-1 sees ${first!.optimisticRead("stock")} at once, shop-2 still ${second!.optimisticRead("stock")}`);
	await delivery;
	console.log(`shop-2 reads ${await second!.strongRead("stock")} in the order of the log`);

	const sales = shops.map((shop) =>
		shop.orderedUpdate([{ type: "decrement", path: ["stock"], amount: 1 }], { path: ["stock"], atLeast: 1 }),
	);
	const outcomes = (await Promise.all(sales)).map(({ type }) => type);
	console.log(`both sell the last one: ${outcomes.sort().join(" and ")}; ${await first!.strongRead("stock")} left`);
}
