/**
 * Sixty auction rooms, each a Raft group of its own, over three threads: a node dies, and every room goes on.
 *
 * Run it: `npm run build && node dist/examples/many-groups.js`
 */
import { RaftGroups } from "quorate";

const groups = await RaftGroups.start({ groups: 60, nodes: 3 });
try {
	const led = [...groups.leaders].map(([node, rooms]) => `${node} leads ${rooms}`);
	console.log(`${groups.names.length} rooms: ${led.join(", ")}`);

	const bids = groups.names.map((name, i) => groups.group(name).propose({ type: "put", key: "bid", value: i }));
	await groups.kill("node-2");
	await Promise.all(bids);
	console.log("node-2 was killed, and every bid was taken");

	const reads = groups.names.map((name) => groups.group(name).read<{ value: number }>({ type: "get", key: "bid" }));
	const values = (await Promise.all(reads)).map(({ value }) => value);
	console.log(`the rooms do not mix: ${values.every((value, i) => value === i)}`);
} finally {
	await groups.stop();
}
