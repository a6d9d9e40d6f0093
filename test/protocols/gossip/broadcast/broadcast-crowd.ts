/** A group that broadcasts over partial views, on virtual time. */
import { nodeId } from "../../../../protocols/core/index.ts";
import {
	type BroadcastConfig,
	BroadcastMachine,
	type BroadcastTypes,
	broadcastConfig,
} from "../../../../protocols/gossip/index.ts";
import { Crowd } from "../../../../protocols/verification/index.ts";

export class BroadcastCrowd {
	readonly crowd: Crowd<BroadcastTypes>;
	readonly counts = { delivered: 0, duplicates: 0, hopsMax: 0, gossip: 0, have: 0, graft: 0, prune: 0 };
	/** How often each message was delivered at each member, by `message@place`. Only kept when asked for. */
	readonly deliveries: Map<string, number> | null;

	constructor(seed: number, size: number, config: Partial<BroadcastConfig> = {}, keepDeliveries = false) {
		this.deliveries = keepDeliveries ? new Map() : null;
		const { counts } = this;
		this.crowd = new Crowd<BroadcastTypes>({
			seed,
			nodes: Array.from({ length: size }, (_, i) => nodeId(`m${i}`)),
			machine: (node, choices) => new BroadcastMachine(broadcastConfig({ nodeId: node, ...config }), choices),
			durable: () => null,
			perform: () => null,
			network: { latencyMs: { min: 1, max: 5 }, reportsUnreachable: true },
			observe: (_place, event) => {
				if (event.type === "duplicate") counts.duplicates++;
			},
			sent: (_from, _to, message) => {
				if (message.type === "tree-gossip") counts.gossip++;
				else if (message.type === "tree-have") counts.have++;
				else if (message.type === "tree-graft") counts.graft++;
				else if (message.type === "tree-prune") counts.prune++;
			},
			deliver: (place, { broadcast, hops }) => {
				counts.delivered++;
				counts.hopsMax = Math.max(counts.hopsMax, hops);
				if (this.deliveries === null) return;
				const key = `${broadcast.id}@${place}`;
				this.deliveries.set(key, (this.deliveries.get(key) ?? 0) + 1);
			},
		});
	}

	/** All join through members that have joined before, a few each millisecond, and shuffle for a while. */
	form(settleMs = 5_000): void {
		const { crowd } = this;
		crowd.start(0);
		for (let place = 1; place < crowd.size; place++) {
			crowd.start(place);
			crowd.request(place, { type: "join", contact: crowd.nodeAt(Math.floor(place / 2)) });
			if (place % 8 === 0) crowd.run(crowd.nowMs + 1);
		}
		crowd.run(crowd.nowMs + settleMs);
	}

	broadcast(place: number, payload: Uint8Array = new Uint8Array(16)): void {
		this.crowd.request(place, { type: "broadcast", payload });
	}

	/** One broadcast, to its end: how many of those that are up have it, and what it took. */
	measure(place: number, durationMs = 2_000): { delivered: number; duplicates: number; gossip: number } {
		const before = { ...this.counts };
		this.broadcast(place);
		this.crowd.run(this.crowd.nowMs + durationMs);
		const { delivered, duplicates, gossip } = this.counts;
		return {
			delivered: delivered - before.delivered,
			duplicates: duplicates - before.duplicates,
			gossip: gossip - before.gossip,
		};
	}

	machine(place: number): BroadcastMachine {
		return this.crowd.machine(place) as BroadcastMachine;
	}

	/** Size of the largest part that is joined by links between members that are up. */
	largestPart(): number {
		const { crowd } = this;
		const seen = new Set<number>();
		let largest = 0;
		for (let start = 0; start < crowd.size; start++) {
			if (seen.has(start) || !crowd.isUp(start)) continue;
			const open = [start];
			seen.add(start);
			let size = 0;
			for (let place = open.pop(); place !== undefined; place = open.pop()) {
				size++;
				for (const peer of this.machine(place).active) {
					const other = crowd.placeOf(peer);
					if (crowd.isUp(other) && !seen.has(other)) {
						seen.add(other);
						open.push(other);
					}
				}
			}
			largest = Math.max(largest, size);
		}
		return largest;
	}
}
