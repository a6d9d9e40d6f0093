/**
 * A swarm inside an ordinary program: five participants agree on a shopping list while the leader is killed under them.
 *
 * Run it: `npm run build && node dist/examples/embed.js`
 */
import { Swarm } from "quorate";

const swarm = await Swarm.start({ raft: { nodes: 5 } });
try {
	console.log(`${swarm.leader?.leader} leads`);
	await swarm.propose({ type: "append", key: "list", value: "bread" });

	const killed = swarm.leader!.leader;
	await swarm.kill(killed);
	console.log(`${killed} was killed`);

	// The client finds the next leader by itself; each command takes effect exactly once.
	await swarm.propose({ type: "append", key: "list", value: "milk" });
	const { value } = await swarm.read<{ value: string[] }>({ type: "get", key: "list" });
	console.log(`the list: ${value.join(", ")}`);
} finally {
	await swarm.stop();
}
