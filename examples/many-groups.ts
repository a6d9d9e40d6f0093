/**
 * A shop whose orders, stock and customers are three groups of their own, among a hundred more that have nothing to do: three
 * threads carry all of them, and one is killed.
 *
 * Run it: `npm run build && node dist/examples/many-groups.js`
 */
import { RaftGroups } from "quorate";

const idle = Array.from({ length: 100 }, (_, number) => `archive-${number + 1}`);
const groups = await RaftGroups.start({ nodes: 3, groups: ["orders", "stock", "customers", ...idle] });
try {
	const [orders, stock] = [groups.group("orders"), groups.group("stock")];
	const led = groups.nodes.map(
		(node) => groups.names.filter((name) => groups.group(name).leader?.leader === node).length,
	);
	console.log(`${groups.names.length} groups, each node leads ${Math.min(...led)} or more`);
	await stock.propose({ type: "put", key: "chairs", value: 4 });

	// The thread takes one member of every group with it; the groups whose leader it was elect another.
	await groups.kill(stock.leader!.leader);
	const { swapped } = await stock.propose<{ swapped: boolean }>({ type: "cas", key: "chairs", expected: 4, value: 3 });
	await orders.propose({ type: "append", key: "orders", value: "one chair" });

	const { value: chairs } = await stock.read<{ value: number }>({ type: "get", key: "chairs" });
	const { value: list } = await orders.read<{ value: string[] }>({ type: "get", key: "orders" });
	console.log(`sold: ${swapped}; chairs left: ${chairs}; orders: ${list.join(", ")}`);
} finally {
	await groups.stop();
}
