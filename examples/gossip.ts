/**
 * Members that find each other through seeds, tell each other news and ask each other questions. Spread is not decided: nobody
 * confirms that a message has arrived, it just does with high probability.
 *
 * Run it: `npm run build && node dist/examples/gossip.js`
 */
import { type GossipMessage, GossipProtocolCoordinator } from "quorate";
import { firstValueFrom, toArray } from "rxjs";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const one = new GossipProtocolCoordinator("node-1", ["seed-1", "seed-2"]);
const two = new GossipProtocolCoordinator("node-2", ["seed-1", "seed-2"]);
try {
	await one.initialize();
	await two.initialize();
	const all = new Promise<readonly string[]>((resolve) => {
		one.members$.subscribe((members) => {
			if (members.length === 3) resolve(members);
		});
	});
	console.log(`node-1 sees ${(await all).join(", ")}`);

	const heard = new Promise<GossipMessage>((resolve) => {
		two.messages$.subscribe(resolve);
	});
	await one.broadcast("deploy", encode("version 2"));
	const { origin, name, payload } = await heard;
	console.log(`node-2 hears from ${origin}: ${name} ${decode(payload)}`);

	two.queries$.subscribe((query) => void two.answer(query, encode("ready")));
	const answers$ = await one.query("state", encode(""));
	for (const answer of await firstValueFrom(answers$.pipe(toArray()))) {
		console.log(`${answer.from} answers: ${decode(answer.payload)}`);
	}

	const gone = new Promise<void>((resolve) => {
		one.events$.subscribe((event) => {
			if (event.type === "member-left") resolve();
		});
	});
	await two.leave();
	await gone;
	console.log("node-2 has left");
} finally {
	await one.shutdown();
	await two.shutdown();
}
