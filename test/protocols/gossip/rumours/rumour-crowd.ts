/** One rumour in a group of mongers, to its end. */
import { nodeId } from "../../../../protocols/core/index.ts";
import {
	type RumourConfig,
	RumourMachine,
	type RumourTypes,
	rumourConfig,
} from "../../../../protocols/gossip/index.ts";
import { Crowd } from "../../../../protocols/verification/index.ts";

export interface RumourOutcome {
	/** Share of members that have never heard of it. */
	readonly residue: number;
	/** Copies of it that were sent, for each member. */
	readonly traffic: number;
	/** Rounds until the last of those that heard, heard. */
	readonly rounds: number;
	/** Members still telling it. */
	readonly hot: number;
	readonly busy: number;
}

const ROUND_MS = 100;

export function runRumour(
	seed: number,
	size: number,
	config: Partial<RumourConfig>,
	lossChance = 0,
	roundsMax = 400,
): RumourOutcome {
	const nodes = Array.from({ length: size }, (_, i) => nodeId(`m${i}`));
	let [copies, busy, heard, lastMs] = [0, 0, 0, 0];
	const crowd = new Crowd<RumourTypes>({
		seed,
		nodes,
		machine: (node, choices) => {
			const peers = nodes.filter((other) => other !== node);
			return new RumourMachine(rumourConfig({ nodeId: node, peers, roundMs: ROUND_MS, ...config }), choices);
		},
		durable: () => null,
		perform: () => null,
		network: { lossChance },
		sent: (_from, _to, message) => {
			if (message.type === "rumours") copies += message.rumours.length;
			if (message.type === "busy") busy++;
		},
		deliver: () => {
			heard++;
			lastMs = crowd.nowMs;
		},
	});
	crowd.startAll();
	crowd.request(0, { type: "start-rumour", rumour: { id: "r", payload: new Uint8Array(0) } });
	const hot = (): number => nodes.reduce((sum, _, place) => sum + (crowd.machine(place) as RumourMachine).hot, 0);
	for (let round = 0; round < roundsMax && hot() > 0; round++) crowd.run(crowd.nowMs + ROUND_MS);
	return { residue: 1 - heard / size, traffic: copies / size, rounds: Math.ceil(lastMs / ROUND_MS), hot: hot(), busy };
}
